/** Everybody can use a panel: without script, with keys alone, and with names that look like code. */
import assert from 'node:assert/strict';

import { roomFile } from './house.js';
import { card, scene, seen, tile } from './stage.js';

scene('without script a room is called and hung up by plain forms', async (stage) => {
  const tablet = await stage.tablet({ javaScriptEnabled: false });
  const vienna = await stage.goto(tablet, '/panel/vienna?show=home');
  // What `noscript` says: the page loads itself anew every 5 s.
  const lisbon = () => card(vienna, 'lisbon').getByRole('button');
  await lisbon().click();
  await seen(vienna.locator('.pill', { hasText: /Calling Lisbon|Connected to Lisbon/ }));
  await seen(vienna.locator('.pill', { hasText: 'Connected to Lisbon' }));
  await vienna.getByRole('button', { name: 'Disconnect' }).click();
  await seen(vienna.locator('.pill', { hasText: 'Ready' }));
  await tile(vienna, 'microphone').click();
  await seen(tile(vienna, 'microphone').getByText('Muted'));
});

scene('with keys alone a room is called; the focus can be seen, and stays when the page changes under it', async (stage) => {
  const vienna = await stage.panel('vienna');
  const bus = await stage.bus('rooms');
  const focused = () => vienna.evaluate(() => document.activeElement.closest('[id]')?.id ?? '');
  const tabTo = async (id) => {
    for (let presses = 0; (await focused()) !== id; presses++) {
      assert.ok(presses < 20, `Tab does not come to ${id}`);
      await vienna.keyboard.press('Tab');
    }
  };
  await seen(card(vienna, 'oslo').getByRole('button'));
  await tabTo('city-oslo');
  const outline = await vienna.evaluate(() => getComputedStyle(document.activeElement).outline);
  assert.match(outline, /solid 3px/);
  // A message comes above it, rooms beside it change, and one of them goes.
  bus.say('send syslib help vienna text=x by=somebody');
  bus.say('send syslib connect nairobi lisbon');
  await seen(vienna.getByText(/Help requested at/));
  await seen(card(vienna, 'lisbon').getByText('In a call'));
  assert.equal(await focused(), 'city-oslo');
  bus.say('send syslib help vienna cancel by=somebody');
  await vienna.getByText(/Help requested at/).waitFor({ state: 'detached' });
  assert.equal(await focused(), 'city-oslo');
  await vienna.keyboard.press('Enter');
  await seen(vienna.locator('.pill', { hasText: 'Connected to Oslo' }));
  await vienna.keyboard.press('Tab');
  for (let presses = 0; presses < 20; presses++) {
    if ((await vienna.evaluate(() => document.activeElement.textContent)) === 'Disconnect') {
      break;
    }
    await vienna.keyboard.press('Tab');
  }
  await vienna.keyboard.press('Enter');
  await seen(vienna.locator('.pill', { hasText: 'Ready' }));
});

const CITY = '<script>alert(1)</script>';
const TITLE = '"><img src=x onerror=alert(2)>';
const evil = roomFile('oslo')
  .replace('"oslo"', '"evil"')
  .replace('"Oslo"', `'${CITY}'`)
  .replace(/^title = .*$/m, `title = '${TITLE}'`)
  .replaceAll('10.3.2.', '10.9.2.')
  .replaceAll('oslo@', 'evil@');

scene(
  'a city whose name is a script is a text like any other',
  async (stage) => {
    const vienna = await stage.panel('vienna');
    await seen(card(vienna, 'evil').getByText(CITY, { exact: true }));
    await seen(card(vienna, 'evil').getByText(TITLE, { exact: true }));
    await card(vienna, 'evil').getByRole('button').click();
    await seen(vienna.locator('.pill', { hasText: `Connected to ${CITY}` }));
    await seen(vienna.locator('.side h2', { hasText: CITY }));
    const admin = await stage.admin('/admin');
    await seen(admin.locator('.rooms').getByText(CITY, { exact: true }));
    await admin.goto(`${stage.house.url}/admin/rooms/evil`);
    await seen(admin.getByRole('heading', { name: CITY }));
    await admin.goto(`${stage.house.url}/panel/evil`);
    await seen(admin.getByRole('heading', { name: `${CITY} ${TITLE}` }));
    assert.equal(await admin.title(), `${CITY} · room panel`);
  },
  { 'evil.toml': evil },
);
