/** Each screen for everybody: what axe finds, targets for fingers, narrow and with large letters. */
import assert from 'node:assert/strict';

import { scene } from './scene.js';
import { PHONE, TABLET, button, card, connect, findings, says, seen, tile } from './stage.js';

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
    const parts = [...document.querySelectorAll('body *')].filter((part) => part.children.length === 0);
    const beyond = parts.filter((part) => part.getBoundingClientRect().right > clientWidth + 0.5);
    return [`${scrollWidth} px of ${clientWidth}`, ...beyond.map((part) => part.outerHTML)];
  });
}

/** What is wrong with a panel's screen, in every look and size. */
async function wrong(page, what) {
  const found = [];
  const add = (how, faults) => faults.length > 0 && found.push(`${what}, ${how}:\n  ${faults.join('\n  ')}`);
  for (const viewport of [TABLET, PHONE]) {
    await page.setViewportSize(viewport);
    // A look is colours only, and those are the same on a phone.
    for (const theme of viewport === TABLET ? ['day', 'night', 'contrast'] : ['day']) {
      await page.evaluate((look) => {
        document.documentElement.dataset.theme = look;
      }, theme);
      add(`${viewport.width} px, by ${theme}`, await findings(page));
    }
    add(`${viewport.width} px, too small for a finger`, await small(page));
    for (const [letters, size] of [['', ''], ['letters of twice the size, ', '34px']]) {
      await page.evaluate((fontSize) => {
        document.documentElement.style.fontSize = fontSize;
      }, size);
      add(`${viewport.width} px, ${letters}too wide`, await wide(page));
    }
    await page.evaluate(() => {
      document.documentElement.style.fontSize = '';
    });
  }
  await page.setViewportSize(TABLET);
  return found;
}

/** Nothing was found on any of the screens. */
const isRight = (found) => assert.equal(found.join('\n'), '');

scene('the start page, the rooms, each sheet, and a call for help are for everybody', async (stage) => {
  const found = [];
  const vienna = await stage.panel('vienna', '');
  await seen(vienna.getByRole('button', { name: /^Start/ }));
  found.push(...(await wrong(vienna, 'start')));
  await vienna.goto(`${stage.house.url}/panel/vienna?show=home`);
  await seen(card(vienna, 'lisbon').getByRole('button'));
  found.push(...(await wrong(vienna, 'home')));
  for (const sheet of ['camera', 'lights', 'projector', 'screen', 'volume', 'help']) {
    await vienna.goto(`${stage.house.url}/panel/vienna?show=${sheet}`);
    await seen(vienna.locator('.sheet .heading'));
    found.push(...(await wrong(vienna, sheet)));
  }
  await button(vienna, 'No picture').click();
  await seen(vienna.getByText(/Help requested/));
  found.push(...(await wrong(vienna, 'help requested')));
  isRight(found);
});

scene('a call, asked for and connected, the end of a room, and an outage are for everybody', async (stage) => {
  const [vienna, lisbon] = [await stage.panel('vienna'), await stage.panel('lisbon')];
  const found = [];
  const bus = await stage.bus('syslib', 'simulator');
  await connect(vienna, lisbon);
  await tile(vienna, 'document-camera').click();
  await tile(vienna, 'microphone').click();
  await seen(vienna.getByText('Shown to Lisbon'));
  found.push(...(await wrong(vienna, 'call')));
  await bus.order('drop call vienna lisbon');
  await seen(vienna.locator('.notice[role=status]'));
  found.push(...(await wrong(vienna, 'a notice')));
  // Without its script, so that the room is not stopped meanwhile.
  const nothing = (route) => route.fulfill({ contentType: 'text/javascript', body: '' });
  await vienna.route('**/assets/live.js', nothing);
  await vienna.goto(`${stage.house.url}/panel/vienna?show=stop`);
  await seen(button(vienna.locator('.sheet'), /^Stop now/));
  found.push(...(await wrong(vienna, 'stop')));
  await vienna.unroute('**/assets/live.js', nothing);
  await vienna.goto(`${stage.house.url}/panel/vienna?show=home`);
  const nairobi = await stage.admin('/panel/nairobi?show=home');
  await card(vienna, 'nairobi').getByRole('button').click();
  await seen(button(nairobi, 'Accept'));
  found.push(...(await wrong(nairobi, 'incoming')));
  found.push(...(await wrong(vienna, 'calling')));
  await stage.house.kill('serve');
  await says(vienna, 'Control offline');
  found.push(...(await wrong(vienna, 'outage')));
  isRight(found);
});

scene('each page of the administration, and each way in, is for everybody', async (stage) => {
  const found = [];
  const context = await stage.context();
  const entrance = await stage.goto(context, '/login');
  const admin = await stage.admin('/admin');
  const add = (what, faults) => faults.length > 0 && found.push(`${what}:\n  ${faults.join('\n  ')}`);
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
        add(`${path}, ${colorScheme}`, await findings(page));
      }
      await page.setViewportSize(PHONE);
      add(`${path} on a phone`, await findings(page));
      add(`${path}, too wide for a phone`, await wide(page));
    }
  }
  isRight(found);
});

scene('a panel keeps the look that was chosen for it', async (stage) => {
  const vienna = await stage.panel('vienna', 'help');
  await button(vienna, 'Night').click();
  await seen(vienna.locator('html[data-theme=night]'));
  await vienna.goto(`${stage.house.url}/panel/vienna?show=home`);
  await seen(vienna.locator('html[data-theme=night]'));
});
