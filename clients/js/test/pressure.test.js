/** Nothing grows without bound: who does not read is not read for, who does not take is waited for. */
import assert from 'node:assert/strict';
import test from 'node:test';

import { FakeBus } from './peer.js';
import { Server, client } from './server.js';

const LINE = 'x'.repeat(1000);

test('while a subscription is not read the socket is not, and nothing is lost', async (t) => {
  const bus = await FakeBus.start(t);
  const connecting = client(t, bus.url, {
    unreadMax: 100_000,
    answerTimeout: 600,
    silenceMax: 250,
  });
  const peer = await bus.accept();
  const alice = await connecting;
  const joining = alice.recv('t');
  peer.say('ok recv t\n');
  peer.answerPings();
  const subscription = await joining;
  // More than the sockets of both sides can hold.
  const count = 64_000;
  peer.say(Array.from({ length: count }, (_, number) => `recv t ${number} ${LINE}\n`).join(''));
  const { url } = await Server.start(t);
  const other = await client(t, url);
  while (subscription.unread * LINE.length < 100_000) {
    await other.ping();
  }
  for (let turn = 0; turn < 200; turn += 1) {
    await other.ping();
  }
  // One read of 64 KiB may exceed the limit.
  const most = (100_000 + 2 * 65_536) / LINE.length;
  assert.ok(subscription.unread <= most, `${subscription.unread} wait, at most ${most} may`);
  assert.ok(peer.socket.writableLength > 0, 'the bus notices');
  const unread = new RegExp(
    `no answer to ping within 600 ms, while ${subscription.unread} messages wait to be read`,
  );
  await assert.rejects(alice.ping(), { code: 'answer-timeout', message: unread });
  assert.equal(alice.connected, true, 'it is not the bus that is silent');
  for (let number = 0; number < count; number += 1) {
    const { value } = await subscription.next();
    assert.ok(value?.text === `${number} ${LINE}` && subscription.unread <= most);
  }
});

test('a subscription that is left unread does not hold up a goodbye', async (t) => {
  const { url } = await Server.start(t);
  const [alice, bob] = [await client(t, url, { unreadMax: 1000 }), await client(t, url)];
  const [left, unread] = [await alice.recv('t'), await alice.recv('t')];
  for (let number = 0; number < 5000; number += 1) {
    await bob.send('t', LINE);
  }
  await bob.ping();
  assert.equal((await left.next()).value?.text, LINE);
  await left.return?.();
  await alice.logoff();
  assert.equal((await unread.next()).value?.text, LINE);
});

test('who sends more than the bus takes waits, and order is kept', async (t) => {
  const bus = await FakeBus.start(t);
  const connecting = client(t, bus.url, { unwrittenMax: 10_000 });
  const peer = await bus.accept();
  const alice = await connecting;
  peer.socket.pause();
  let count = 0;
  while (alice.trySend('t', `${count} ${LINE}`)) {
    count += 1;
    // Others have their turn, so that the sockets fill up.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const waiting = [alice.send('t', `${count} ${LINE}`), alice.send('t', `${count + 1}`)];
  assert.equal(alice.trySend('t', 'overtakes'), false, 'although it is short');
  let done = false;
  waiting[1]?.then(() => (done = true));
  const pong = alice.ping();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(done, false);
  peer.socket.resume();
  for (let number = 0; number <= count; number += 1) {
    assert.equal(await peer.hear(), `send t ${number} ${LINE}`);
  }
  assert.equal(await peer.hear(), `send t ${count + 1}`);
  await Promise.all(waiting);
  assert.equal(await peer.hear(), 'ping');
  peer.say('pong\n');
  await pong;
});

test('a line longer than all that may wait goes alone', async (t) => {
  const { url } = await Server.start(t);
  const alice = await client(t, url);
  const bob = await client(t, url, { unwrittenMax: 10 });
  const heard = await alice.recv('t');
  const sending = Promise.all(Array.from({ length: 50 }, () => bob.send('t', LINE)));
  for (let number = 0; number < 50; number += 1) {
    assert.equal((await heard.next()).value?.text, LINE);
  }
  await sending;
});

test('events that nobody reads count like messages', async (t) => {
  const bus = await FakeBus.start(t);
  const connecting = client(t, bus.url, { unreadMax: 1000, answerTimeout: 50 });
  const peer = await bus.accept();
  const alice = await connecting;
  const events = alice.events();
  peer.say('note a b\n'.repeat(10));
  peer.answerPings();
  await assert.rejects(alice.ping(), { code: 'answer-timeout' });
  for (let count = 0; count < 10; count += 1) {
    assert.deepEqual((await events.next()).value, { type: 'note', code: 'a', text: 'b' });
  }
  await alice.ping();
  await events.return?.();
  peer.say('note a b\n'.repeat(10));
  await alice.ping();
});
