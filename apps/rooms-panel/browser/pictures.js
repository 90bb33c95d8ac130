/** The pictures of the documentation, taken of the real thing: `ROOMS_BIN=DIR npm run pictures`. */
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { House } from './house.js';
import { PHONE, Stage, TABLET, button, card, connect, launch, seen, tile } from './stage.js';

const FOLDER = fileURLToPath(new URL('../../rooms/pictures/', import.meta.url));
/** A picture is to be no larger. */
const BYTES_MAX = 150_000;

mkdirSync(FOLDER, { recursive: true });
const browser = await launch();
const stage = new Stage(browser, await House.start());

/** Times are the same in every picture, so that one changes only where the panels do. */
async function shoot(page, name, theme) {
  for (const frame of page.frames()) {
    await frame.evaluate((look) => {
      if (look) {
        document.documentElement.dataset.theme = look;
      }
      const say = (selector, text) => document.querySelectorAll(selector).forEach((node) => node.replaceChildren(text));
      say('.clock', '10:42');
      say('.timer', '03:12');
    }, theme);
  }
  const file = path.join(FOLDER, `${name}.png`);
  await page.screenshot({ path: file });
  const { size } = statSync(file);
  if (size > BYTES_MAX) {
    throw new Error(`${file} has ${size} bytes, more than ${BYTES_MAX}`);
  }
}

try {
  const bus = await stage.bus('syslib', 'rooms');
  const vienna = await stage.panel('vienna');
  bus.say('send syslib connect nairobi toronto');
  await seen(card(vienna, 'toronto').getByText('In a call'));
  bus.say('send syslib maintenance sao-paulo on');
  await seen(card(vienna, 'sao-paulo').getByText('Maintenance'));
  for (const room of ['vienna', 'lisbon']) {
    bus.say(`send syslib start ${room}`);
  }
  await seen(tile(vienna, 'projector').getByText('On, HDMI 1'));
  await seen(tile(vienna, 'lights').getByText('Meeting'));
  await shoot(vienna, 'home', 'day');
  await vienna.setViewportSize(PHONE);
  await shoot(vienna, 'phone', 'day');
  await vienna.setViewportSize(TABLET);

  const lisbon = await stage.panel('lisbon');
  await seen(tile(lisbon, 'projector').getByText(/^On/));
  await connect(vienna, lisbon);
  await tile(vienna, 'document-camera').click();
  for (const wish of ['turn vienna camera on', 'preset vienna camera recall 1', 'turn lisbon camera on', 'preset lisbon camera recall 2']) {
    bus.say(`send syslib ${wish}`);
  }
  await seen(vienna.getByText('Shown to Lisbon'));
  await seen(vienna.locator('.side').getByText('Table view'));
  await seen(vienna.locator('.side').getByText('Whiteboard view'));
  await shoot(vienna, 'call', 'night');

  const demo = await stage.goto(await stage.context(), '/demo');
  await demo.setViewportSize({ width: 1920, height: 1000 });
  for (const room of ['vienna', 'lisbon']) {
    await seen(demo.frameLocator(`iframe[src="/panel/${room}"]`).locator('.timer'));
  }
  await shoot(demo, 'demo');

  await vienna.getByRole('link', { name: 'Help' }).click();
  await button(vienna, 'No sound').click();
  const admin = await stage.admin('/admin');
  await seen(admin.getByText('needs help: No sound'));
  await shoot(admin, 'overview');
} finally {
  await stage.close();
  await browser.close();
}
