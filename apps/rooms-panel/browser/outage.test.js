/** One process is gone: what the panels say, and that nothing pressed meanwhile is done later. */
import assert from 'node:assert/strict';

import { button, card, connect, gone, says, scene, seen, tile } from './stage.js';

/** Presses as a program would, past the page's own care: what is answered. */
async function presser(page) {
  const csrf = await page.locator('input[name=csrf]').first().getAttribute('value');
  const { origin, pathname } = new URL(page.url());
  return async (wish) => {
    const form = { csrf, wish };
    const answer = await page.context().request.post(`${origin}${pathname}/press`, { form, headers: { 'x-live': '1' } });
    return answer.status();
  };
}

/** Nothing can be pressed but what is the panel's own. */
async function isOff(page) {
  const presses = page.locator('#screen form[data-press] button:not(:disabled), #screen .strip a');
  assert.deepEqual(await presses.allTextContents(), []);
}

scene('without the interface process the call goes on, buttons are off, and all is as it was when it is back', async (stage) => {
  const [vienna, lisbon] = [await stage.panel('vienna'), await stage.panel('lisbon')];
  const bus = await stage.bus('syslib', 'rooms');
  await connect(vienna, lisbon);
  const press = await presser(vienna);
  const again = await stage.house.kill('devices');
  for (const page of [vienna, lisbon]) {
    await seen(page.getByRole('alert').getByText(/^The control system is offline since \d\d:\d\d; buttons are off\. Your call continues\.$/));
    await says(page, 'Control offline');
    await seen(page.getByRole('button', { name: 'Disconnect', disabled: true }));
    await isOff(page);
  }
  assert.equal(await press('disconnect lisbon'), 503);
  const from = bus.lines.length;
  await again();
  await Promise.all([says(vienna, 'Connected to Lisbon'), says(lisbon, 'Connected to Vienna')]);
  await gone(vienna.getByRole('alert').getByText('offline'));
  await button(vienna, 'Disconnect').click();
  await Promise.all([says(vienna, 'Ready'), says(lisbon, 'Ready')]);
  const ended = bus.lines.slice(from).filter(({ line }) => line.startsWith('recv syslib disconnect'));
  assert.equal(ended.length, 1, 'only what was pressed when buttons were back');
});

scene('without the bus nothing can be pressed, and nothing that was pressed is done later', async (stage) => {
  const vienna = await stage.panel('vienna');
  const press = await presser(vienna);
  const again = await stage.house.kill('serve');
  await seen(vienna.getByRole('alert').getByText(/^Not connected to the control system since \d\d:\d\d; buttons are off\.$/));
  await isOff(vienna);
  assert.equal(await press('turn document-camera on'), 503);
  await again();
  await says(vienna, 'Ready');
  await gone(vienna.getByRole('alert').getByText('Not connected'));
  const bus = await stage.bus('syslib');
  await tile(vienna, 'microphone').click();
  await bus.heard(/^recv syslib mute vienna codec /);
  assert.match(await tile(vienna, 'document-camera').textContent(), /Off$/);
  assert.ok(!bus.lines.some(({ line }) => line.includes('document-camera')));
});

scene('a page whose server is gone says so and is inert, and is the same again when it is back', async (stage) => {
  const [vienna, lisbon] = [await stage.panel('vienna'), await stage.panel('lisbon')];
  await connect(vienna, lisbon);
  stage.allow(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/);
  const again = await stage.house.kill('panel');
  for (const page of [vienna, lisbon]) {
    await seen(page.getByRole('alert').getByText(/^Not connected to the panel server since \d\d:\d\d; buttons are off\. Your call continues\.$/));
    assert.ok(await page.locator('#screen').evaluate((screen) => screen.inert));
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'BODY', 'nothing takes the focus');
  }
  await again();
  for (const page of [vienna, lisbon]) {
    await gone(page.locator('#screen[inert]'));
    assert.ok(await page.locator('#lost').isHidden());
    await seen(page.getByText('Connected', { exact: true }));
  }
  await button(lisbon, 'Disconnect').click();
  await Promise.all([says(vienna, 'Ready'), says(lisbon, 'Ready')]);
  await seen(card(vienna, 'lisbon').getByText('Free'));
});
