/** Calls between two rooms. */
import assert from 'node:assert/strict';

import { scene } from './scene.js';
import { button, card, connect, gone, says, seen, tile } from './stage.js';

scene('Lisbon pressed in Vienna changes both screens, and Disconnect ends it on both', async (stage) => {
  const [vienna, lisbon] = [await stage.panel('vienna'), await stage.panel('lisbon')];
  await connect(vienna, lisbon);
  for (const [page, here, there] of [
    [vienna, 'Vienna', 'Lisbon'],
    [lisbon, 'Lisbon', 'Vienna'],
  ]) {
    const sides = page.locator('.side h2');
    assert.match(await sides.nth(0).textContent(), new RegExp(`^${here}.*you are here$`));
    assert.match(await sides.nth(1).textContent(), new RegExp(`^${there}`));
    await seen(page.getByText('Connected', { exact: true }));
    await seen(page.locator('.timer', { hasText: /^00:(0[2-9]|[1-5])/ }));
  }
  await button(lisbon, 'Disconnect').click();
  for (const page of [vienna, lisbon]) {
    await says(page, 'Ready');
    await gone(page.locator('.side').first());
  }
});

scene('a card says that it calls, counts seconds, and can be touched again to cancel', async (stage) => {
  const vienna = await stage.panel('vienna');
  const nairobi = card(vienna, 'nairobi');
  await nairobi.getByRole('button').click();
  await seen(nairobi.getByText('touch to cancel'));
  await says(vienna, 'Calling Nairobi');
  // Nairobi asks its people, so the card has to count on.
  await seen(nairobi.getByText(/Calling, ([2-9]|[1-9]\d) s/));
  assert.ok(await card(vienna, 'lisbon').getByRole('button').isDisabled(), 'one call at a time');
  await nairobi.getByRole('button').click();
  await seen(nairobi.getByText('Free'));
  await says(vienna, 'Ready');
});

scene('a document camera in a call is shown on both screens', async (stage) => {
  const [vienna, lisbon] = [await stage.panel('vienna'), await stage.panel('lisbon')];
  await connect(vienna, lisbon);
  const camera = tile(vienna, 'document-camera');
  assert.equal(await camera.getAttribute('aria-pressed'), 'false');
  await camera.click();
  await Promise.all([vienna, lisbon].map((page) => seen(page.getByText('Shown to Lisbon', { exact: true }))));
  await seen(camera.getByText('On, shown to Lisbon'));
  assert.equal(await camera.getAttribute('aria-pressed'), 'true');
  await camera.click();
  await Promise.all([vienna, lisbon].map((page) => gone(page.getByText('Shown to Lisbon', { exact: true }))));
});

scene('a call that one side loses is over on both, which say so and can call again', async (stage) => {
  const [vienna, lisbon] = [await stage.panel('vienna'), await stage.panel('lisbon')];
  const bus = await stage.bus('simulator');
  await connect(vienna, lisbon);
  await bus.order('drop call vienna lisbon');
  await seen(vienna.getByText('The connection to Lisbon was lost.'));
  await seen(lisbon.getByText('The connection to Vienna was lost.'));
  await button(lisbon, 'Call again').click();
  await Promise.all([says(vienna, 'Connected to Lisbon'), says(lisbon, 'Connected to Vienna')]);
  assert.equal(await vienna.getByText('was lost').count(), 0);
});

scene('a room that asks can accept a call and decline it', async (stage) => {
  const vienna = await stage.panel('vienna');
  const nairobi = await stage.admin('/panel/nairobi?show=home');
  const call = () => card(vienna, 'nairobi').getByRole('button').click();
  await call();
  await seen(nairobi.getByRole('alert').getByText('Vienna is calling'));
  await button(nairobi, 'Decline').click();
  await seen(vienna.getByText('Nairobi declined.'));
  await gone(nairobi.getByRole('alert').getByText('Vienna'));
  await button(vienna, 'Try again').click();
  await button(nairobi, 'Accept').click();
  await Promise.all([says(vienna, 'Connected to Nairobi'), says(nairobi, 'Connected to Vienna')]);
});

scene('a room that was called and did not answer says who called, until somebody has seen it', async (stage) => {
  const vienna = await stage.panel('vienna');
  const nairobi = await stage.admin('/panel/nairobi?show=home');
  const cardOfNairobi = card(vienna, 'nairobi').getByRole('button');
  await cardOfNairobi.click();
  await seen(nairobi.getByText('Vienna is calling'));
  await cardOfNairobi.click();
  await seen(nairobi.getByText(/^Vienna called at \d\d:\d\d\.$/));
  await seen(button(nairobi, 'Call back'));
  await button(nairobi, 'OK').click();
  await gone(nairobi.getByText('Vienna called at'));
});

scene('two rooms stand side by side on one page, and each is pressed for itself', async (stage) => {
  const demo = await stage.goto(await stage.context(), '/demo');
  const [vienna, lisbon] = ['vienna', 'lisbon'].map((room) => demo.frameLocator(`iframe[src="/panel/${room}"]`));
  await vienna.getByRole('link', { name: 'Call another room' }).click();
  await connect(vienna, lisbon);
});
