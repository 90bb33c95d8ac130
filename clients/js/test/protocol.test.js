/** A session in memory: lines in, lines and meaning out. */
import assert from 'node:assert/strict';
import test from 'node:test';

import { splitReply } from '../src/ask.js';
import { BackOff } from '../src/back-off.js';
import { DisconnectedError, RefusedError } from '../src/errors.js';
import { Session, isFinal, sendLine } from '../src/protocol.js';
import { Queue } from '../src/queue.js';
import { Joined, Subscriptions } from '../src/subscriptions.js';

/** @import { Credentials } from 'linebus' */

const HELLO = 'hello linebus 1 line-max=512 login=open';

/** A session that writes down what it hears. @param {Credentials} [credentials] */
function session(credentials) {
  /** @type {unknown[]} */
  const heard = [];
  const made = new Session(credentials, {
    ready: () => heard.push('ready'),
    message: (verb, message) => heard.push([verb, message]),
    note: (code, text) => heard.push(['note', code, text]),
    refused: (error) => heard.push(error.message),
  });
  /** Sends a command whose answer is written down. @param {string} verb */
  const command = (verb) => {
    const settle = (/** @type {Error | undefined} */ error, /** @type {string[][]} */ list) => {
      heard.push([verb, error?.message, list]);
    };
    made.noteSent({ verb, line: verb, settle });
  };
  return { made, heard, command };
}

test('every line that a bus says is understood', () => {
  const { made, heard, command } = session();
  made.receive(HELLO);
  assert.equal(made.lineMax, 512);
  for (const verb of ['recv', 'who', 'topics', 'ping', 'leave', 'logoff']) {
    command(verb);
  }
  for (const line of [
    'recv t  two  blanks ',
    'recv t ',
    'watch t 2013-02-03T00:00:00.000000Z bob  hi',
    'ok recv t',
    'who bob 7 127.0.0.1:50312',
    'who guest 8 unix',
    'ok who 2',
    'topic rooms.> 2',
    'ok topics 1',
    'later version says this',
    'pong',
    'note shutdown the bus stops',
    'error send denied you may not send to t',
    'error line too-long a line has at most 40 bytes',
    'error leave not-joined you have not joined that',
  ]) {
    assert.equal(made.receive(line), undefined, line);
  }
  assert.equal(made.receive('bye logoff see you')?.valueOf().constructor, Object);
  assert.deepEqual(heard, [
    'ready',
    ['recv', { topic: 't', text: ' two  blanks ' }],
    ['recv', { topic: 't', text: '' }],
    ['watch', { topic: 't', text: ' hi', time: '2013-02-03T00:00:00.000000Z', user: 'bob' }],
    ['recv', undefined, []],
    [
      'who',
      undefined,
      [
        ['bob', '7', '127.0.0.1:50312'],
        ['guest', '8', 'unix'],
      ],
    ],
    ['topics', undefined, [['rooms.>', '2']]],
    ['ping', undefined, []],
    ['note', 'shutdown', 'the bus stops'],
    'the bus refused send (denied): you may not send to t',
    'the bus refused line (too-long): a line has at most 40 bytes',
    ['leave', 'the bus refused leave (not-joined): you have not joined that', []],
    ['logoff', undefined, []],
  ]);
});

test('a login is said after hello and counts once it is accepted', () => {
  const { made, heard } = session({ user: 'bob', password: ' x y' });
  assert.equal(made.receive('hello linebus 1 line-max=512 login=required'), 'login bob  x y');
  made.receive('note shutdown soon');
  assert.deepEqual(heard, [['note', 'shutdown', 'soon']]);
  made.receive('ok login bob');
  assert.equal(heard.length, 2);
  const nameOnly = session({ user: 'bob', password: undefined }).made;
  assert.equal(nameOnly.receive(HELLO), 'login bob');
  assert.throws(() => nameOnly.receive('error login wrong-login no'), { code: 'wrong-login' });
  const long = session({ user: 'bob', password: 'x'.repeat(512) }).made;
  assert.throws(() => long.receive(HELLO), { code: 'too-long' });
});

test('a bus that wants a login says so before the program waits for answers', () => {
  const { made } = session();
  const hello = 'hello linebus 1 line-max=512 login=required';
  assert.throws(() => made.receive(hello), {
    code: 'login-first',
    message: /linebus:\/\/user:password@host/,
  });
});

test('what is no bus is not taken for one', () => {
  for (const line of [
    '',
    'HTTP/1.1 400 Bad Request',
    'hello',
    'hello you',
    '220 mail ESMTP',
    'pong',
  ]) {
    assert.throws(() => session().made.receive(line), { code: 'not-a-bus' }, line);
  }
  for (const line of ['hello linebus 2 line-max=512 login=open', 'hello linebus 1 line-max=x']) {
    assert.throws(() => session().made.receive(line), { code: 'wrong-version' }, line);
  }
  assert.deepEqual(session().made.receive('bye busy all taken'), {
    reason: 'busy',
    text: 'the bus said goodbye (busy): all taken',
  });
});

test('an answer that nobody asked for is an error', () => {
  for (const line of [
    'pong',
    'ok recv t',
    'error recv denied no',
    'who bob 7 unix',
    'topic t 1',
    'ok',
    'error',
  ]) {
    const { made } = session();
    made.receive(HELLO);
    assert.throws(() => made.receive(line), { code: 'garbage' }, line);
  }
  const { made, command } = session();
  made.receive(HELLO);
  command('recv');
  assert.throws(() => made.receive('pong'), /an answer to `ping` where recv was due/);
});

test('an answer that is too long fails, and the next one is good again', () => {
  const { made, heard, command } = session();
  made.receive(HELLO);
  command('who');
  command('who');
  const line = `who ${'x'.repeat(65_000)} 1 unix`;
  for (let count = 0; count < 1100; count += 1) {
    made.receive(line);
  }
  made.receive('ok who 1100');
  made.receive('who bob 1 unix');
  made.receive('ok who 1');
  const [, tooLong, good] = heard;
  const why = 'the answer is longer than 67108864 characters; ask for less';
  assert.ok(Array.isArray(tooLong) && tooLong[1] === why);
  assert.deepEqual(good, ['who', undefined, [['bob', '1', 'unix']]]);
});

test('more topics than are remembered are heard like a few', () => {
  const subscriptions = new Subscriptions();
  const join = { verb: /** @type {const} */ ('recv'), pattern: 't.>', group: undefined };
  const joined = new Joined(join, 100_000_000, () => {});
  subscriptions.add(joined);
  for (let number = 0; number < 25_000; number += 1) {
    subscriptions.deliver('recv', { topic: `t.${number}`, text: '' });
    subscriptions.deliver('recv', { topic: `u.${number}`, text: '' });
  }
  assert.equal(joined.queue.unread, 25_000);
});

test('who waits for an answer is told when the connection ends', () => {
  const { made, heard, command } = session();
  made.receive(HELLO);
  command('ping');
  made.end(new Error('gone'));
  assert.deepEqual(heard.at(-1), ['ping', 'gone', []]);
});

test('messages are one line of text', () => {
  assert.equal(sendLine('t', ' x '), 'send t  x \n');
  assert.equal(sendLine('t', ''), 'send t \n');
  for (const bad of ['a\nb', 'a\r', '\0', '\x1b[2J', '\ud800', 7, undefined, Buffer.from('x')]) {
    const message = /** @type {string} */ (bad);
    assert.throws(
      () => sendLine('t', message),
      (error) => error instanceof TypeError && 'code' in error && error.code === 'bad-text',
    );
  }
});

test('some ends are final and some are worth another try', () => {
  const bye = (/** @type {string} */ reason) => new DisconnectedError({ reason, text: '' }, false);
  for (const reason of ['logoff', 'kicked', 'abuse', 'login-timeout', 'not-lines']) {
    assert.equal(isFinal(bye(reason)), true, reason);
  }
  for (const reason of ['shutdown', 'slow', 'memory', 'busy', 'error', 'end', 'of-later']) {
    assert.equal(isFinal(bye(reason)), false, reason);
  }
  assert.equal(isFinal(new RefusedError('login', 'wrong-login', '')), true);
  assert.equal(isFinal(new RefusedError('login', 'busy', '')), false);
});

test('a question ends with its reply topic', () => {
  for (const [message = '', text, replyTopic] of [
    ['x @a.b', 'x', 'a.b'],
    [' @a', '', 'a'],
    ['x  y  @a', 'x  y ', 'a'],
    ['mail me @a @b', 'mail me @a', 'b'],
  ]) {
    assert.deepEqual(splitReply(message), { text, replyTopic });
  }
  for (const plain of ['x', '@a', 'x @', 'x @a b', 'x @a.*', 'x@a', 'x @a..b', '']) {
    assert.deepEqual(splitReply(plain), { text: plain, replyTopic: undefined });
  }
});

test('delays double up to the longest and differ', () => {
  const backOff = new BackOff(100, 5000);
  for (const full of [100, 200, 400, 800, 1600, 3200, 5000, 5000]) {
    const delay = backOff.next();
    assert.ok(full / 2 <= delay && delay <= full, `${delay} of ${full}`);
  }
  const delays = Array.from({ length: 2000 }, () => backOff.next());
  assert.ok(new Set(delays).size > 1 && Math.max(...delays) <= 5000);
  backOff.noteConnection(2500);
  assert.ok(backOff.next() >= 2500, 'it did not last');
  backOff.noteConnection(5000);
  assert.ok(backOff.next() <= 100, 'it lasted');
});

test('a queue says when it is full and when half of it is read', async () => {
  /** @type {boolean[]} */
  const full = [];
  /** @type {Queue<string>} */
  const queue = new Queue(
    4,
    (item) => item.length,
    (yes) => full.push(yes),
  );
  queue.push('aa');
  assert.deepEqual(full, []);
  queue.push('bbb');
  queue.push('c');
  assert.deepEqual(full, [true]);
  assert.equal((await queue.next()).value, 'aa');
  assert.deepEqual(full, [true]);
  assert.equal((await queue.next()).value, 'bbb');
  assert.deepEqual(full, [true, false]);
  queue.end(new Error('no more'));
  queue.push('ignored');
  assert.equal((await queue.next()).value, 'c');
  await assert.rejects(queue.next(), /no more/);
  assert.equal((await queue.next()).done, true);
});

test('readers of a queue are served in order, and told of its end', async () => {
  /** @type {Queue<number>} */
  const queue = new Queue(
    10,
    () => 1,
    () => {},
  );
  const [first, second, third] = [queue.next(), queue.next(), queue.next()];
  queue.push(1);
  queue.push(2);
  queue.end();
  assert.deepEqual(await Promise.all([first, second]), [
    { done: false, value: 1 },
    { done: false, value: 2 },
  ]);
  assert.equal((await third).done, true);
  for (let number = 0; number < 5000; number += 1) {
    queue.push(number);
  }
  assert.equal(queue.unread, 0, 'nothing is added after the end');
});
