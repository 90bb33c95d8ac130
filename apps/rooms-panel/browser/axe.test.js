/** Each screen for everybody: what axe finds, targets for fingers, narrow and with large letters. */
import assert from 'node:assert/strict';

import { PHONE, TABLET, button, card, connect, findings, says, scene, seen, tile } from './stage.js';

/** A finger hits what is so high. */
const TARGET = 64;

/** What is lower than a finger, in its words. */
function small(page) {
  return page.evaluate((target) => {
    const controls = [...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea')];
    const shown = controls.filter((control) => control.checkVisibility());
    const low = shown.filter((control) => control.getBoundingClientRect().height < target - 0.5);
    return low.map((control) => `${control.getBoundingClientRect().height} px: ${control.outerHTML}`);
  }, TARGET);
}

/** What is wider than the page, if anything is. */
function wide(page) {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) {
      return [];
    }
    const parts = [...document.querySelectorAll('body *')];
    const beyond = parts.filter((part) => part.getBoundingClientRect().right > clientWidth + 0.5);
    return beyond.map((part) => part.outerHTML.slice(0, 160));
  });
}

/** In every look and size. */
async function everybody(page, what) {
  for (const viewport of [TABLET, PHONE]) {
    await page.setViewportSize(viewport);
    const size = `${what} at ${viewport.width}`;
    for (const theme of ['day', 'night', 'contrast']) {
      await page.evaluate((look) => {
        document.documentElement.dataset.theme = look;
      }, theme);
      assert.deepEqual(await findings(page), [], `${size}, ${theme}`);
    }
    assert.deepEqual(await small(page), [], `${size}: too small for a finger`);
    assert.deepEqual(await wide(page), [], `${size}: too wide`);
    await page.evaluate(() => {
      document.documentElement.style.fontSize = '34px';
    });
    assert.deepEqual(await wide(page), [], `${size}, letters of twice the size: too wide`);
    await page.evaluate(() => {
      document.documentElement.style.fontSize = '';
    });
  }
  await page.setViewportSize(TABLET);
}

scene('the start page, the rooms, each sheet, and a call for help are for everybody', async (stage) => {
  const vienna = await stage.panel('vienna', '');
  await seen(vienna.getByRole('button', { name: /^Start/ }));
  await everybody(vienna, 'start');
  await vienna.goto(`${stage.house.url}/panel/vienna?show=home`);
  await seen(card(vienna, 'lisbon').getByRole('button'));
  await everybody(vienna, 'home');
  for (const sheet of ['camera', 'lights', 'projector', 'screen', 'volume', 'help']) {
    await vienna.goto(`${stage.house.url}/panel/vienna?show=${sheet}`);
    await seen(vienna.locator('.sheet .heading'));
    await everybody(vienna, sheet);
  }
  await button(vienna, 'No picture').click();
  await seen(vienna.getByText(/Help requested/));
  await everybody(vienna, 'help requested');
});

scene('a call, asked for and connected, the end of a room, and an outage are for everybody', async (stage) => {
  const [vienna, lisbon] = [await stage.panel('vienna'), await stage.panel('lisbon')];
  const bus = await stage.bus('syslib', 'simulator');
  await connect(vienna, lisbon);
  await tile(vienna, 'document-camera').click();
  await tile(vienna, 'microphone').click();
  await seen(vienna.getByText('Shown to Lisbon'));
  await everybody(vienna, 'call');
  await bus.order('drop call vienna lisbon');
  await seen(lisbon.locator('#notice, .notice'));
  await everybody(lisbon, 'a notice');
  await vienna.goto(`${stage.house.url}/panel/vienna?show=stop`);
  await seen(button(vienna.locator('.sheet'), /^Stop now/));
  // The page's clock stands still, so that the room is not stopped meanwhile.
  await vienna.clock.install();
  await vienna.clock.pauseAt(Date.now() + 60_000);
  await vienna.reload();
  await everybody(vienna, 'stop');
  await vienna.clock.resume();
  await vienna.goto(`${stage.house.url}/panel/vienna?show=home`);
  const nairobi = await stage.admin('/panel/nairobi?show=home');
  await card(vienna, 'nairobi').getByRole('button').click();
  await seen(button(nairobi, 'Accept'));
  await everybody(nairobi, 'incoming');
  await everybody(vienna, 'calling');
  await stage.house.kill('serve');
  await says(vienna, 'Control offline');
  await everybody(vienna, 'outage');
});

scene('each page of the administration, and each way in, is for everybody', async (stage) => {
  const context = await stage.context();
  const entrance = await stage.goto(context, '/login');
  const admin = await stage.admin('/admin');
  const links = await admin.locator('.menu a').evaluateAll((found) => found.map((link) => link.getAttribute('href')));
  const pages = [
    [entrance, ['/login', '/enrol']],
    [admin, ['/password', ...links, '/admin/rooms/vienna']],
  ];
  for (const [page, paths] of pages) {
    for (const path of paths) {
      const answer = await page.goto(stage.house.url + path);
      assert.equal(answer.status(), 200, path);
      await page.setViewportSize(TABLET);
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await findings(page), [], `${path}, ${colorScheme}`);
      }
      await page.setViewportSize(PHONE);
      assert.deepEqual(await findings(page), [], `${path} on a phone`);
      assert.deepEqual(await wide(page), [], `${path}: too wide for a phone`);
    }
  }
});

scene('a panel keeps the look that was chosen for it', async (stage) => {
  const vienna = await stage.panel('vienna', 'help');
  await button(vienna, 'Night').click();
  await seen(vienna.locator('html[data-theme=night]'));
  await vienna.goto(`${stage.house.url}/panel/vienna?show=home`);
  await seen(vienna.locator('html[data-theme=night]'));
});
