/** A room of its own: starting and stopping, help, the camera, the administration's side of it. */
import assert from 'node:assert/strict';

import { roomFile } from './house.js';
import { scene } from './scene.js';
import { PASSWORD, button, gone, says, seen, tile } from './stage.js';

scene('a room that is asleep is started, counts the seconds of warming up, and is there', async (stage) => {
  const vienna = await stage.panel('vienna', '');
  const start = vienna.getByRole('button', { name: /^Start/ });
  assert.match(await start.textContent(), /Switches projector, lights and connection on/);
  await start.click();
  const warming = tile(vienna, 'projector');
  const left = async () => Number(/Warming, (\d+) s/.exec(await warming.textContent())[1]);
  await seen(warming.getByText(/Warming, \d+ s/));
  const first = await left();
  await seen(warming.getByText(new RegExp(`Warming, ${first - 2} s`)));
  await seen(vienna.getByRole('heading', { name: 'Call another room' }));
  await seen(tile(vienna, 'projector').getByText('On, HDMI 1'));
  await seen(tile(vienna, 'lights').getByText('Meeting'));
});

scene('stopping a room counts down and can be thought over', async (stage) => {
  const bus = await stage.bus('syslib', 'rooms');
  bus.say('send syslib turn vienna projector on');
  const vienna = await stage.panel('vienna', '');
  await seen(vienna.getByRole('heading', { name: 'Call another room' }));
  // The page's clock, so that nobody has to wait for ten seconds.
  await vienna.clock.install();
  await vienna.clock.pauseAt(Date.now() + 60_000);
  await tile(vienna, 'stop').click();
  const stop = vienna.getByRole('button', { name: /^Stop now/ });
  await seen(stop.getByText('Switches everything off, in 10 s'));
  await vienna.clock.runFor(4000);
  await seen(stop.getByText('Switches everything off, in 6 s'));
  await vienna.getByRole('link', { name: 'Keep it on' }).click();
  await seen(vienna.getByRole('heading', { name: 'Call another room' }));
  await vienna.clock.runFor(20_000);

  const from = bus.lines.length;
  await tile(vienna, 'stop').click();
  await seen(stop);
  const isStop = ({ line }) => /^recv syslib stop vienna /.test(line);
  assert.ok(!bus.lines.some(isStop), 'nothing was stopped that was kept on');
  await vienna.clock.runFor(11_000);
  await bus.heard(/^recv syslib stop vienna .*by="panel demo-vienna"/, from);
  await seen(vienna.getByRole('button', { name: /^Start/ }));
  assert.equal(bus.lines.filter(isStop).length, 1);
});

scene(
  'a room that nobody uses counts down, and whoever touches the screen keeps it on',
  async (stage) => {
    const bus = await stage.bus('syslib', 'rooms');
    bus.say('send syslib turn vienna projector on');
    const vienna = await stage.panel('vienna');
    await seen(vienna.getByText(/Nobody has used this room for a while\. It is switched off in \d+ s/));
    const stops = ({ line }) => /^recv rooms room vienna free .*stops=(\S+)/.exec(line)?.[1];
    const before = bus.lines.map(stops).filter(Boolean).at(-1);
    const from = bus.lines.length;
    await vienna.getByRole('heading', { name: 'Call another room' }).click();
    await bus.heard(/^recv syslib stay vienna .*by="panel demo-vienna"/, from);
    await bus.heard(/^recv rooms room vienna free .*stops=/, from);
    assert.ok(bus.lines.map(stops).filter(Boolean).at(-1) > before);
    await button(vienna, 'Keep it on').click();
    assert.ok(!bus.lines.some(({ line }) => line.startsWith('recv syslib stop ')));
  },
  { 'vienna.toml': roomFile('vienna').replace('start = [', 'idle_stop_minutes = 1\nstart = [') },
);

scene('help is asked for, somebody says that they are coming, and it can be taken back', async (stage) => {
  const vienna = await stage.panel('vienna');
  const overview = await stage.admin('/admin');
  await vienna.getByRole('link', { name: 'Help' }).click();
  await button(vienna, 'No sound').click();
  await seen(vienna.getByText(/Help requested at \d\d:\d\d\./));
  assert.equal(new URL(vienna.url()).search, '', 'the panel is back where it was');
  const call = overview.locator('.notice.help', { hasText: 'Vienna' });
  await seen(call.getByText('needs help: No sound'));
  await button(call, 'I am coming').click();
  await seen(vienna.getByText(/admin is coming, since \d\d:\d\d\./));
  await overview.goto(`${stage.house.url}/admin`);
  await seen(call.getByText('admin is coming'));
  await button(vienna, 'No longer needed').click();
  await gone(vienna.getByText('is coming'));
  await gone(call);
});

scene('a camera moves while its button is held: said again every 500 ms, and stop when it is let go', async (stage) => {
  const bus = await stage.bus('syslib', 'rooms');
  const vienna = await stage.panel('vienna', 'camera');
  const moves = () => bus.lines.filter(({ line }) => line.startsWith('recv syslib move vienna camera left '));
  // The mouse is on it once it stands still and can be pressed.
  await button(vienna, 'Left').click({ trial: true });
  await vienna.mouse.down();
  for (let from = 0, count = 0; count < 4; count++) {
    await bus.heard(/^recv syslib move vienna camera left /, from);
    from = bus.lines.length;
  }
  // When the page sent them: the first may be longer on its way.
  const sent = await vienna.evaluate(() =>
    performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/press')).map(({ startTime }) => startTime),
  );
  await vienna.mouse.up();
  await bus.heard(/^recv syslib move vienna camera stop /);
  assert.ok(sent.length >= 4 && sent.at(-1) - sent[0] >= (sent.length - 1) * 490, `sent at ${sent}`);
  const count = moves().length;
  // What is held by keys does the same, and nothing of the first is left.
  const from = bus.lines.length;
  await button(vienna, 'Up').focus();
  await vienna.keyboard.down('Space');
  await bus.heard(/^recv syslib move vienna camera up /, from);
  await vienna.keyboard.up('Space');
  await bus.heard(/^recv syslib move vienna camera stop /, from);
  assert.equal(moves().length, count);
});

scene('a slider of the lights says its level when it is let go, and shows what was reported', async (stage) => {
  const bus = await stage.bus('syslib');
  const vienna = await stage.panel('vienna', 'lights');
  const table = vienna.getByLabel('Table');
  await table.fill('45');
  await bus.heard(/^recv syslib set vienna lights table=45 /);
  await seen(tile(vienna, 'lights').getByText('45 %'));
  await button(vienna, 'Presentation').click();
  await seen(vienna.locator('button[aria-pressed=true]', { hasText: 'Presentation' }));
  await button(vienna, 'Off').click();
  await seen(tile(vienna, 'lights').getByText('Off'));
});

scene('the administrator logs in, has to choose a password, and is out again after logging out', async (stage) => {
  const page = await stage.goto(await stage.context(), '/admin/rooms/oslo');
  stage.allow(/status of 401/);
  const logIn = async (password) => {
    await page.getByLabel('Name').fill('admin');
    await page.getByLabel('Password').fill(password);
    await button(page, 'Log in').click();
  };
  await logIn('wrong');
  await seen(page.getByRole('alert').getByText('The name or the password is wrong.'));
  await logIn(stage.house.password);
  await page.getByLabel('Old password').fill(stage.house.password);
  await page.getByLabel('New password').fill(PASSWORD);
  await page.getByLabel('Once more').fill(PASSWORD);
  await button(page, 'Change it').click();
  await seen(page.getByRole('heading', { name: 'Overview' }));
  await button(page, 'Log out').click();
  await page.goto(`${stage.house.url}/admin`);
  await seen(button(page, 'Log in'));
});

scene('a room taken out of use says so on its panel and on those of others', async (stage) => {
  const vienna = await stage.panel('vienna');
  const oslo = await stage.admin('/admin/rooms/oslo');
  await button(oslo, 'Take out of use').click();
  await seen(vienna.locator('#city-oslo', { hasText: 'Maintenance' }));
  await oslo.goto(`${stage.house.url}/panel/oslo`);
  await says(oslo, 'Maintenance');
});
