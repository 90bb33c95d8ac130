/** What is promised when things go wrong: lost connections, nonsense, silence. */
import assert from 'node:assert/strict';
import test from 'node:test';

import { connect } from 'linebus';

import { FakeBus, HELLO } from './peer.js';
import { Server, client } from './server.js';

/** @import { BusEvent } from 'linebus' */

/** So quick that no test has to wait for it. */
const QUICK = { backOffFirst: 1, backOffMax: 2 };

/**
 * The next event, which must be of this type.
 *
 * @template {BusEvent['type']} T
 * @param {AsyncIterator<BusEvent>} events @param {T} type
 * @returns {Promise<Extract<BusEvent, { type: T }>>}
 */
async function event(events, type) {
  const { value } = await events.next();
  assert.equal(value?.type, type, JSON.stringify(value));
  return value;
}

test('a bus that was killed and comes back is joined again, and the gap is not hidden', async (t) => {
  const server = await Server.start(t);
  const alice = await client(t, server.url, { user: 'alice', ...QUICK });
  const [heard, quiet] = [await alice.watch('t.*'), await alice.recv('u')];
  const events = alice.events();
  await server.end('SIGKILL');
  const lost = await event(events, 'disconnected');
  assert.equal(lost.retrying, true);
  assert.equal(lost.error.code, 'disconnected');
  await assert.rejects(alice.send('t', 'x'), { name: 'DisconnectedError', code: 'disconnected' });
  await assert.rejects(alice.recv('v'), { code: 'disconnected' });
  await Server.start(t, '--listen', server.url.replace('linebus://', ''));
  const back = await event(events, 'reconnected');
  assert.ok(back.after > 0);
  const bob = await client(t, server.url);
  assert.deepEqual(
    (await bob.who('t.x')).map(({ user }) => user),
    ['alice'],
  );
  await bob.send('t.x', 'one');
  await bob.send('t.x', 'two');
  const { value: first } = await heard.next();
  assert.equal(first?.text, 'one');
  assert.ok(
    first?.gap !== undefined && first.gap > 0 && first.gap <= back.after,
    `${first?.gap} ${back.after}`,
  );
  assert.equal('gap' in ((await heard.next()).value ?? {}), false);
  await bob.send('u', 'here, too');
  assert.ok((await quiet.next()).value?.gap !== undefined);
});

test('a bus that stops says so', async (t) => {
  const server = await Server.start(t);
  const bus = await client(t, server.url, { reconnect: false });
  const [events, heard] = [bus.events(), await bus.recv('t')];
  await server.end('SIGTERM');
  assert.equal((await event(events, 'note')).code, 'shutdown');
  const lost = await event(events, 'disconnected');
  assert.deepEqual(
    [lost.retrying, lost.error.reason, lost.error.code],
    [false, 'shutdown', 'closed'],
  );
  assert.equal((await events.next()).done, true);
  await assert.rejects(heard.next(), {
    name: 'DisconnectedError',
    code: 'closed',
    reason: 'shutdown',
  });
  assert.equal((await heard.next()).done, true);
  await assert.rejects(connect(server.url), {
    name: 'ConnectError',
    code: 'connect',
    message: /`linebus serve` starts a bus/,
  });
});

test('nothing is sent twice, and what was not written is counted', async (t) => {
  const bus = await FakeBus.start(t);
  const connecting = client(t, bus.url, { user: 'alice', password: 'x y', ...QUICK });
  const first = await bus.accept();
  assert.equal(await first.hear(), 'login alice x y');
  first.say('ok login alice\n');
  const alice = await connecting;
  const joining = alice.recv('t');
  assert.equal(await first.hear(), 'recv t');
  first.say('ok recv t\n');
  const heard = await joining;
  const events = alice.events();
  await alice.send('t', 'once');
  const pinging = assert.rejects(alice.ping(), { code: 'disconnected', reason: 'end' });
  assert.equal(await first.hear(), 'send t once');
  assert.equal(await first.hear(), 'ping');
  first.socket.end();
  await pinging;
  assert.deepEqual([(await event(events, 'disconnected')).unsent], [0]);
  const second = await bus.accept();
  assert.equal(await second.hear(), 'login alice x y');
  second.say('ok login alice\n');
  assert.equal(await second.hear(), 'recv t');
  second.say('recv t early\nok recv t\n');
  await event(events, 'reconnected');
  await alice.send('t', 'again');
  assert.equal(await second.hear(), 'send t again');
  assert.ok((await heard.next()).value?.gap !== undefined);
  // These don't even fit into the socket.
  second.socket.pause();
  const text = 'x'.repeat(60_000);
  let sent = 0;
  while (alice.trySend('t', text)) {
    sent += 1;
  }
  const waiting = assert.rejects(alice.send('t', text), { code: 'disconnected' });
  second.socket.resetAndDestroy();
  await waiting;
  const { unsent } = await event(events, 'disconnected');
  assert.ok(unsent > 0 && unsent <= sent, `${unsent} of ${sent}`);
  const third = await bus.accept();
  assert.equal(await third.hear(), 'login alice x y');
  third.say('ok login alice\n');
  assert.equal(await third.hear(), 'recv t');
  third.say('ok recv t\n');
  await event(events, 'reconnected');
  alice.close();
  assert.equal(await third.hear(), undefined, 'nothing was sent again');
});

test('a join that the bus takes back ends alone', async (t) => {
  const bus = await FakeBus.start(t);
  const connecting = client(t, bus.url, QUICK);
  const first = await bus.accept();
  const alice = await connecting;
  const joining = Promise.all([alice.recv('a'), alice.recv('b', { group: 'g' })]);
  first.say('ok recv a\nok recv b g\n');
  const [a, b] = await joining;
  const events = alice.events();
  first.say('bye slow you read too slowly\n');
  assert.equal((await event(events, 'disconnected')).error.reason, 'slow');
  const second = await bus.accept();
  assert.deepEqual([await second.hear(), await second.hear()], ['recv a', 'recv b g']);
  second.say('error recv denied no more\nok recv b g\nrecv b hi\n');
  assert.equal((await event(events, 'refused')).error.code, 'denied');
  await event(events, 'reconnected');
  await assert.rejects(a.next(), { name: 'RefusedError', code: 'denied' });
  assert.equal((await b.next()).value?.text, 'hi');
});

test('who was thrown out does not come back', async (t) => {
  const bus = await FakeBus.start(t);
  for (const reason of ['kicked', 'abuse', 'login-timeout', 'not-lines']) {
    const connecting = client(t, bus.url, QUICK);
    const peer = await bus.accept();
    const events = (await connecting).events();
    peer.say(`bye ${reason} words for people\n`);
    const lost = await event(events, 'disconnected');
    assert.deepEqual([lost.retrying, lost.error.reason], [false, reason]);
    assert.match(lost.error.message, /words for people/);
  }
  const connecting = client(t, bus.url, { user: 'alice', ...QUICK });
  const peer = await bus.accept(`${HELLO}ok login alice\n`);
  const alice = await connecting;
  const events = alice.events();
  peer.socket.end();
  assert.equal((await event(events, 'disconnected')).retrying, true);
  await bus.accept(`${HELLO}error login wrong-login no\n`);
  const lost = await event(events, 'disconnected');
  assert.deepEqual([lost.retrying, lost.error.reason], [false, 'login']);
  await assert.rejects(alice.ping(), { code: 'closed', message: /wrong-login/ });
});

test('what talks nonsense instead of hello is no bus', async (t) => {
  const bus = await FakeBus.start(t);
  for (const [greeting = '', code, words = ''] of [
    [
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      'not-a-bus',
      'is no bus: it said `HTTP/1.1 400 Bad Request`',
    ],
    ['SSH-2.0-OpenSSH\n', 'not-a-bus', 'is no bus: it said `SSH-2.0-OpenSSH` instead of hello'],
    ['hello\n', 'not-a-bus', 'instead of hello'],
    ['hello linebus 2 line-max=512 login=open\n', 'wrong-version', 'is no bus of version 1'],
    ['x'.repeat(2000), 'not-a-bus', 'is no bus: it said `xxx'],
    ['bye busy all connections are taken\n', 'disconnected', 'all connections are taken'],
  ]) {
    const connecting = connect(bus.url);
    const [result] = await Promise.all([
      assert.rejects(
        connecting,
        (error) =>
          error instanceof Error &&
          'code' in error &&
          error.code === code &&
          error.message.includes(words),
      ),
      bus.accept(greeting),
    ]);
    assert.equal(result, undefined);
  }
  const connecting = assert.rejects(connect(bus.url), { code: 'not-a-bus' });
  await bus.accept(Uint8Array.of(0x16, 3, 1, 0xff, 10));
  await connecting;
  const ended = assert.rejects(connect(bus.url), { name: 'DisconnectedError', reason: 'end' });
  (await bus.accept('')).socket.end();
  await ended;
  await assert.rejects(connect(bus.url, { connectTimeout: 20 }), {
    name: 'ConnectError',
    code: 'connect-timeout',
  });
});

test('what talks nonsense later is left, and the reason told', async (t) => {
  const bus = await FakeBus.start(t);
  for (const [nonsense, words] of /** @type {[string | Uint8Array, string][]} */ ([
    ['pong\n', 'an answer to `ping` where nothing was due'],
    ['who bob 7 unix\n', 'none was due'],
    ['recv t \x07\n', 'has control characters'],
    [Buffer.from([0x72, 0xff, 10]), 'is no UTF-8'],
    ['x'.repeat(66_000), 'a line of more than 65792 bytes'],
  ])) {
    const connecting = client(t, bus.url, { reconnect: false });
    const peer = await bus.accept();
    const made = await connecting;
    const events = made.events();
    const heard = made.recv('t');
    peer.say('ok recv t\nlater version says this\n\nrecv t good\n');
    const subscription = await heard;
    assert.equal((await subscription.next()).value?.text, 'good');
    peer.say(nonsense);
    const lost = await event(events, 'disconnected');
    assert.equal(lost.error.reason, 'garbage');
    assert.ok(lost.error.message.includes(words), lost.error.message);
    await assert.rejects(subscription.next(), { reason: 'garbage' });
  }
});

test('a bus that falls silent is asked, and left if it does not answer', async (t) => {
  const bus = await FakeBus.start(t);
  const connecting = client(t, bus.url, { silenceMax: 250, reconnect: false });
  const peer = await bus.accept();
  const events = (await connecting).events();
  assert.equal(await peer.hear(), 'ping');
  peer.say('pong\n');
  assert.equal(await peer.hear(), 'ping');
  assert.equal((await event(events, 'disconnected')).error.reason, 'silent');
});

test('an answer that does not come in time is an error, and one that comes late is ignored', async (t) => {
  const bus = await FakeBus.start(t);
  const connecting = client(t, bus.url, { answerTimeout: 20 });
  const peer = await bus.accept();
  const made = await connecting;
  await assert.rejects(made.recv('t'), {
    name: 'TimeoutError',
    code: 'answer-timeout',
    message: /no answer to recv within 20 ms/,
  });
  assert.deepEqual(
    [await peer.hear(), await peer.hear()],
    ['recv t', 'leave t'],
    'it may have been joined',
  );
  const pinging = made.ping();
  assert.equal(await peer.hear(), 'ping');
  peer.say('ok recv t\nok leave t\npong\n');
  await pinging;
});

test('the first connection is tried again if that is wanted', async (t) => {
  const server = await Server.start(t);
  await server.end('SIGTERM');
  const reason = new Error('enough');
  const giveUp = new AbortController();
  const options = { retryFirstConnection: true, ...QUICK };
  const hopeless = connect(server.url, { ...options, signal: giveUp.signal });
  giveUp.abort(reason);
  await assert.rejects(hopeless, reason);
  const connecting = client(t, server.url, options);
  await Server.start(t, '--listen', server.url.replace('linebus://', ''));
  assert.equal((await connecting).connected, true);
});

test('a question does not outlive its connection', async (t) => {
  const bus = await FakeBus.start(t);
  const connecting = client(t, bus.url, QUICK);
  const peer = await bus.accept();
  const alice = await connecting;
  const events = alice.events();
  const answers = alice.ask('t', 'who?');
  const first = answers.next();
  const replyTopic = (await peer.hear())?.replace('recv ', '');
  peer.say(`ok recv ${replyTopic}\nrecv ${replyTopic} me\n`);
  assert.equal((await first).value, 'me');
  peer.socket.end();
  await assert.rejects(answers.next(), { name: 'DisconnectedError' });
  await event(events, 'disconnected');
  await bus.accept();
  await event(events, 'reconnected');
});
