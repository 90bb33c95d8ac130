/** What the administration changes is on the panels at once. */
import assert from 'node:assert/strict';

import { roomFile } from './house.js';
import { scene } from './scene.js';
import { button, card, gone, seen } from './stage.js';

const ZURICH = roomFile('oslo')
  .replace('"oslo"', '"zurich"')
  .replace('"Oslo"', '"Zürich"')
  .replaceAll('10.3.2.', '10.9.2.')
  .replaceAll('oslo@', 'zurich@');

scene('a room that is added, unlisted, listed and forbidden comes and goes on an open panel', async (stage) => {
  const vienna = await stage.panel('vienna');
  await seen(card(vienna, 'lisbon').getByRole('button'));
  await vienna.evaluate(() => {
    globalThis.isSamePage = true;
  });
  const admin = await stage.admin('/admin/configuration');
  await admin.getByLabel('Name of its file').fill('zurich.toml');
  await button(admin, 'Begin').click();
  await admin.getByLabel('Text').fill(ZURICH);
  await button(admin, 'Check').click();
  await button(admin, 'Apply').click();
  await seen(card(vienna, 'zurich').getByText('Zürich'));

  for (const isListed of [false, true]) {
    await admin.goto(`${stage.house.url}/admin/catalogue/zurich`);
    await admin.getByLabel('Other rooms see it').setChecked(isListed);
    await button(admin, 'Save').click();
    await (isListed ? seen(card(vienna, 'zurich')) : gone(card(vienna, 'zurich')));
  }

  // Every room may call every other, until that is taken away.
  await admin.goto(`${stage.house.url}/admin/permissions`);
  await button(admin, 'Remove').first().click();
  await seen(vienna.getByText('This room can call no other room.'));
  await admin.getByLabel('Who calls').last().selectOption('vienna');
  await admin.getByLabel('Whom').last().selectOption('lisbon');
  await button(admin, 'Add').click();
  await seen(card(vienna, 'lisbon').getByRole('button'));
  assert.equal(await vienna.locator('.cities > li').count(), 1);
  assert.ok(await vienna.evaluate(() => globalThis.isSamePage), 'all of that without loading the page anew');
});

scene('a code makes a browser the panel of one room, and revoking it sends it away at once', async (stage) => {
  const admin = await stage.admin('/admin/panels');
  const form = admin.locator('form[action="/admin/panels/code"]');
  await form.getByLabel('Room').selectOption('oslo');
  await form.getByLabel('What people call the panel').fill('Oslo, door');
  await button(form, 'Make a code').click();
  const code = await admin.locator('.secret').textContent();

  const tablet = await stage.context();
  const panel = await stage.goto(tablet, '/panel/oslo');
  await panel.getByLabel('Code of eight digits').fill(code.replaceAll(/\D/g, ''));
  await button(panel, 'Go on').click();
  await seen(panel.getByRole('heading', { name: 'Oslo' }));
  await panel.goto(`${stage.house.url}/panel/oslo?show=home`);
  await seen(card(panel, 'vienna').getByRole('button'));
  // The panel of one room is nobody in another.
  const other = await stage.goto(tablet, '/panel/vienna');
  assert.match(new URL(other.url()).pathname, /^\/enrol$/);
  const again = await stage.goto(await stage.context(), '/enrol');
  stage.allow(/status of 401/);
  await again.getByLabel('Code of eight digits').fill(code);
  await button(again, 'Go on').click();
  await seen(again.getByText('This code is not known, or not any more.'));

  await admin.goto(`${stage.house.url}/admin/panels`);
  await button(admin.locator('tr', { hasText: 'Oslo, door' }), 'Revoke').click();
  await panel.waitForURL(/\/enrol/);
});

scene('pages in the background hold no connection, and one that is looked at again shows what is so', async (stage) => {
  const show = (page, isHidden) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, isHidden);
  const pages = [];
  // More than a browser has connections for.
  for (let count = 0; count < 8; count++) {
    const page = await stage.admin('/admin');
    await show(page, true);
    pages.push(page);
  }
  const vienna = await stage.panel('vienna');
  await vienna.getByRole('link', { name: 'Help' }).click();
  await button(vienna, 'No sound').click();
  const [first] = pages;
  const call = first.locator('.notice.help', { hasText: 'Vienna' });
  await seen(vienna.getByText(/Help requested at \d\d:\d\d\./));
  assert.equal(await call.count(), 0);
  await show(first, false);
  await seen(call.getByText('needs help: No sound'));
});
