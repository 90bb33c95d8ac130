/** Client and bus together: that they mean the same protocol. */
import assert from 'node:assert/strict';
import test from 'node:test';

import { BadInputError, connect, splitReply } from 'linebus';

import { Server, client } from './server.js';

/** @import { Bus, Subscription } from 'linebus' */

/** The text of the next message. @param {Subscription} subscription */
async function next(subscription) {
  const { value, done } = await subscription.next();
  assert.equal(done, false);
  return value?.text;
}

/**
 * What a subscription holds once all that was sent before has arrived: no more and no less.
 *
 * @param {Subscription} subscription @param {Bus} sender @param {Bus} receiver
 */
async function settled(subscription, sender, receiver) {
  await sender.ping();
  await receiver.ping();
  const texts = [];
  while (subscription.unread > 0) {
    texts.push(await next(subscription));
  }
  return texts;
}

test('every command is understood', async (t) => {
  const { url } = await Server.start(t);
  const alice = await client(t, url, { user: 'alice' });
  const plain = await alice.recv('a.*');
  const watched = await alice.watch('b');
  const grouped = await alice.recv('jobs', { group: 'workers' });
  const bob = await client(t, url);
  for (const [topic = '', text = ''] of [
    ['a.b', ' x '],
    ['b', 'ümläut 🙂\t'],
    ['jobs', ''],
    ['c', 'unheard'],
  ]) {
    await bob.send(topic, text);
  }
  assert.deepEqual((await plain.next()).value, { topic: 'a.b', text: ' x ' });
  const { value: seen } = await watched.next();
  assert.deepEqual(
    { ...seen, time: '' },
    { topic: 'b', text: 'ümläut 🙂\t', user: 'guest', time: '' },
  );
  assert.match(seen?.time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  assert.deepEqual((await grouped.next()).value, { topic: 'jobs', text: '' });

  assert.deepEqual(await bob.topics(), [
    { topic: 'a.*', receivers: 1 },
    { topic: 'b', receivers: 1 },
    { topic: 'jobs', receivers: 1 },
  ]);
  assert.deepEqual(await bob.topics('jobs'), [{ topic: 'jobs', receivers: 1 }]);
  const [who, ...others] = await bob.who('b');
  assert.equal(others.length, 0);
  assert.deepEqual({ ...who, address: '' }, { user: 'alice', id: who?.id, address: '' });
  assert.match(who?.address ?? '', /^127\.0\.0\.1:\d+$/);
  assert.equal((await bob.who()).length, 2);
  assert.ok((await bob.ping()) > 0);
  assert.equal(bob.lineMax, 65536);
  assert.equal(bob.connected, true);
});

test('a line that several subscriptions ask for reaches each of them once', async (t) => {
  const { url } = await Server.start(t);
  const [alice, bob] = [await client(t, url), await client(t, url)];
  const wide = await alice.recv('a.>');
  const [one, two] = [await alice.recv('a.b'), await alice.recv('a.b')];
  const watched = await alice.watch('a.b');
  await bob.send('a.b', '1');
  await bob.send('a.c', '2');
  assert.deepEqual(await settled(wide, bob, alice), ['1', '2']);
  for (const subscription of [one, two, watched]) {
    assert.deepEqual(await settled(subscription, bob, alice), ['1']);
  }
  await one.leave();
  await watched.leave();
  await bob.send('a.b', '3');
  assert.deepEqual(await settled(two, bob, alice), ['3']);
  assert.deepEqual(await settled(one, bob, alice), []);
  assert.equal((await one.next()).done, true);
  await two.leave();
  assert.deepEqual(await bob.topics(), [{ topic: 'a.>', receivers: 1 }]);
});

test('leaving a loop leaves the topic', async (t) => {
  const { url } = await Server.start(t);
  const [alice, bob] = [await client(t, url), await client(t, url)];
  const subscription = await alice.recv('t');
  await bob.send('t', 'one');
  await bob.send('t', 'two');
  for await (const { text } of subscription) {
    assert.equal(text, 'one');
    break;
  }
  await alice.ping();
  assert.deepEqual(await bob.topics(), []);
  assert.equal((await subscription.next()).done, true);
  // As `await using` does, for which Node 20 has no syntax yet.
  const scoped = await alice.recv('u');
  assert.equal(scoped.topic, 'u');
  await scoped[Symbol.asyncDispose]();
  assert.deepEqual(await bob.topics(), []);
});

test('of a group one hears each line, and what could not be told apart is refused', async (t) => {
  const { url } = await Server.start(t);
  const [alice, bob, carol] = [await client(t, url), await client(t, url), await client(t, url)];
  const one = await alice.recv('jobs.*', { group: 'g' });
  const two = await bob.recv('jobs.*', { group: 'g' });
  for (const text of ['1', '2', '3', '4']) {
    await carol.send('jobs.x', text);
  }
  const all = [...(await settled(one, carol, alice)), ...(await settled(two, carol, bob))];
  assert.deepEqual(all.sort(), ['1', '2', '3', '4']);
  for (const [pattern = '', group] of [['jobs.x'], ['>'], ['*.x', 'h'], ['jobs.*', 'g']]) {
    await assert.rejects(alice.recv(pattern, { group }), {
      code: 'overlap',
      name: 'BadInputError',
    });
  }
  await assert.rejects(alice.watch('jobs.*'), { code: 'overlap' });
  await alice.watch('jobs.>');
  await alice.recv('other.>', { group: 'g' });
  await assert.rejects(alice.recv('t', { group: 'no name' }), { code: 'bad-group' });
});

test('bad input is refused with a TypeError, and nothing is sent', async (t) => {
  const { url } = await Server.start(t);
  const [alice, bob] = [await client(t, url), await client(t, url)];
  const all = await alice.recv('>');
  for (const [topic = '', text = '', code] of [
    ['t', 'one\nsend t two', 'bad-text'],
    ['t', 'return\r', 'bad-text'],
    ['t', '\x1b[2J', 'bad-text'],
    ['t', '\ud800', 'bad-text'],
    ['t\nsend u', 'x', 'bad-topic'],
    ['t u', 'x', 'bad-topic'],
    ['t.*', 'x', 'bad-topic'],
    ['$bus.clients', 'x', 'bad-topic'],
    ['', 'x', 'bad-topic'],
  ]) {
    const isIt = (/** @type {unknown} */ error) =>
      error instanceof TypeError && error instanceof BadInputError && error.code === code;
    await assert.rejects(bob.send(topic, text), isIt, JSON.stringify([topic, text]));
    assert.throws(() => bob.trySend(topic, text), isIt);
  }
  for (const pattern of ['a\nrecv b', 'a b', '', 'a..b']) {
    await assert.rejects(bob.recv(pattern), { code: 'bad-topic' });
    await assert.rejects(bob.watch(pattern), { code: 'bad-topic' });
    await assert.rejects(bob.who(pattern || '.'), { code: 'bad-topic' });
    await assert.rejects(bob.topics(pattern || '.'), { code: 'bad-topic' });
    await assert.rejects(bob.ask(pattern, 'x').next(), { code: 'bad-topic' });
  }
  await assert.rejects(bob.ask('t', 'a\nb').next(), { code: 'bad-text' });
  await assert.rejects(bob.ask('t', /** @type {any} */ (undefined)).next(), { code: 'bad-text' });
  await assert.rejects(bob.ask('t', 'x', { timeout: -1 }).next(), { code: 'bad-option' });
  assert.deepEqual(await settled(all, bob, alice), []);
});

test('a line may have as many bytes as the bus says and not one more', async (t) => {
  const { url } = await Server.start(t);
  const [alice, bob] = [await client(t, url), await client(t, url)];
  const heard = await alice.recv('t');
  const room = bob.lineMax - 'send t \n'.length;
  await assert.rejects(bob.send('t', 'x'.repeat(room + 1)), {
    code: 'too-long',
    message: /65537 bytes, and this bus accepts 65536/,
  });
  await assert.rejects(bob.send('t', 'ü'.repeat(room / 2 + 1)), { code: 'too-long' });
  await bob.send('t', 'x'.repeat(room));
  await bob.send('t', 'ü'.repeat(room / 2));
  assert.equal((await next(heard))?.length, room);
  assert.equal((await next(heard))?.length, room / 2);
});

test('what is sent without waiting arrives in order', async (t) => {
  const { url } = await Server.start(t);
  const [alice, bob] = [await client(t, url), await client(t, url, { unwrittenMax: 1000 })];
  const heard = await alice.recv('t');
  const count = 20_000;
  const sending = Array.from({ length: count }, (_, number) => bob.send('t', String(number)));
  const pong = bob.ping();
  for (let number = 0; number < count; number += 1) {
    assert.equal(await next(heard), String(number));
  }
  await Promise.all(sending);
  await pong;
});

test('a question is answered, and its topic left', async (t) => {
  const { url } = await Server.start(t);
  const [answerer, asker] = [await client(t, url), await client(t, url)];
  const questions = await answerer.recv('rooms');
  const everything = await asker.recv('>');
  const answering = (async () => {
    for await (const { text } of questions) {
      const { text: question, replyTopic } = splitReply(text);
      assert.equal(question, 'which?');
      assert.match(replyTopic ?? '', /^_reply\.[0-9a-f]{32}$/);
      for (const answer of ['vienna', 'lisbon', 'done']) {
        await answerer.send(replyTopic ?? '', answer);
      }
    }
  })();
  for (let turn = 0; turn < 2; turn += 1) {
    const answers = [];
    for await (const answer of asker.ask('rooms', 'which?')) {
      answers.push(answer);
    }
    assert.deepEqual(answers, ['vienna', 'lisbon']);
  }
  for await (const answer of asker.ask('rooms', 'which?')) {
    assert.equal(answer, 'vienna');
    break;
  }
  await assert.rejects(asker.ask('nobody', 'there?', { timeout: 1 }).next(), {
    code: 'ask-timeout',
    name: 'TimeoutError',
  });
  await asker.ping();
  assert.deepEqual(await asker.topics('_reply.>'), []);
  assert.deepEqual(await settled(everything, answerer, asker), [], 'answers go nowhere else');
  answerer.close();
  await answering;
});

test('a goodbye takes along what was sent before, and ends what was joined', async (t) => {
  const { url } = await Server.start(t);
  const [alice, bob] = [await client(t, url), await client(t, url)];
  const heard = await alice.recv('t');
  const own = await bob.recv('u');
  const events = bob.events();
  for (let number = 0; number < 1000; number += 1) {
    bob.send('t', String(number));
  }
  await bob.logoff();
  for (let number = 0; number < 1000; number += 1) {
    assert.equal(await next(heard), String(number));
  }
  assert.equal((await own.next()).done, true);
  const { value: last } = await events.next();
  assert.ok(last?.type === 'disconnected' && !last.retrying && last.unsent === 0);
  assert.equal(last.error.reason, 'logoff');
  assert.equal((await events.next()).done, true);
  assert.equal((await bob.events().next()).done, true);
  assert.equal(bob.connected, false);
  const closed = { code: 'closed', name: 'DisconnectedError' };
  await assert.rejects(bob.send('t', 'x'), closed);
  await assert.rejects(bob.ping(), closed);
  await assert.rejects(bob.recv('t'), closed);
  await assert.rejects(bob.logoff(), closed);
  await assert.rejects(bob.ask('t', 'x').next(), closed);
  bob.close();
});

test('closing ends everything at once, and a block that is left says goodbye', async (t) => {
  const { url } = await Server.start(t);
  const alice = await client(t, url);
  const heard = await alice.recv('t');
  const waiting = heard.next();
  const asking = alice.ask('nobody', 'x').next();
  asking.catch(() => {});
  const pinging = assert.rejects(alice.ping(), { code: 'closed', reason: 'closed' });
  alice.close();
  assert.equal((await waiting).done, true);
  await pinging;
  await assert.rejects(asking, { code: 'closed' });
  await alice[Symbol.asyncDispose]();
  const carol = await client(t, url);
  const said = await carol.recv('t');
  const bob = await client(t, url);
  bob.send('t', 'last words');
  await bob[Symbol.asyncDispose]();
  assert.equal(await next(said), 'last words');
});

test('a signal gives up', async (t) => {
  const { url } = await Server.start(t);
  const [alice, bob] = [await client(t, url), await client(t, url)];
  const reason = new Error('enough');
  await assert.rejects(connect(url, { signal: AbortSignal.abort(reason) }), reason);
  await assert.rejects(alice.recv('t', { signal: AbortSignal.abort(reason) }), reason);
  await assert.rejects(alice.ask('t', 'x', { signal: AbortSignal.abort(reason) }).next(), reason);
  const joining = new AbortController();
  const joined = alice.recv('t', { signal: joining.signal });
  joining.abort(reason);
  await assert.rejects(joined, reason);
  await alice.ping();
  assert.deepEqual(await bob.topics(), []);
  const reading = new AbortController();
  const subscription = await alice.recv('t', { signal: reading.signal });
  await bob.send('t', 'one');
  await assert.rejects(async () => {
    for await (const { text } of subscription) {
      assert.equal(text, 'one');
      reading.abort(reason);
    }
  }, reason);
  const asking = new AbortController();
  const answer = alice.ask('nobody', 'x', { signal: asking.signal }).next();
  asking.abort(reason);
  await assert.rejects(answer, reason);
  await alice.ping();
  assert.deepEqual(await bob.topics(), []);
});

test('the environment names the bus', async (t) => {
  const { url } = await Server.start(t);
  process.env.LINEBUS_URL = url.replace('//', '//carol@');
  t.after(() => delete process.env.LINEBUS_URL);
  const bus = await connect();
  t.after(() => bus.close());
  assert.equal((await bus.who())[0]?.user, 'carol');
  const other = await connect(undefined, { user: 'dave' });
  t.after(() => other.close());
  assert.deepEqual((await other.who()).map(({ user }) => user).sort(), ['carol', 'dave']);
});

test('an option that there is not, or that can not be, is named', async () => {
  const options = [
    { unknown: false },
    { reconnect: 'no' },
    { backOffMax: 0 },
    { answerTimeout: NaN },
    { silenceMax: '9' },
  ];
  for (const option of options) {
    const wrong = /** @type {object} */ (option);
    const name = Object.keys(option)[0] ?? '';
    await assert.rejects(connect('127.0.0.1:1', wrong), {
      code: 'bad-option',
      message: new RegExp(name),
    });
  }
  await assert.rejects(connect('127.0.0.1:1', { password: 'x' }), { code: 'bad-option' });
  await assert.rejects(connect('127.0.0.1:1', { user: 'a b' }), { code: 'bad-url' });
  await assert.rejects(connect('http://x'), { code: 'bad-url' });
});
