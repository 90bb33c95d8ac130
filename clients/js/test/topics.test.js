/** The grammar of topics and of URLs, with the words of their errors. */
import assert from 'node:assert/strict';
import test from 'node:test';

import { BadInputError } from '../src/errors.js';
import { checkPattern, checkTopic, isName, isTopic, matches, overlap } from '../src/topics.js';
import { addressOf, parseUrl } from '../src/url.js';

test('topics and patterns are told apart from what is neither', () => {
  const dots = Array.from({ length: 16 }, () => 'a').join('.');
  for (const topic of ['a', 'rooms.vienna', 'A-b_0.9', dots, 'x'.repeat(200)]) {
    checkTopic(topic);
    checkPattern(topic);
    assert.equal(isTopic(topic), true);
  }
  for (const pattern of ['*', '>', 'a.*', 'a.*.b', 'a.>', '$bus.*', '$bus.>']) {
    checkPattern(pattern);
    assert.throws(() => checkTopic(pattern), BadInputError, pattern);
    assert.equal(isTopic(pattern), false);
  }
  const bad = [
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a b',
    'ä',
    'a\n',
    'a*',
    '>.a',
    'a.>.b',
    '$*',
    '$>',
    'a$b',
    '$',
  ];
  for (const word of [...bad, `${dots}.a`, 'x'.repeat(201), 7, undefined, null]) {
    const topic = /** @type {string} */ (word);
    assert.throws(() => checkTopic(topic), { code: 'bad-topic' }, topic);
    assert.throws(() => checkPattern(topic), { code: 'bad-topic' }, topic);
  }
  checkPattern('$bus.clients');
  assert.throws(() => checkTopic('$bus.clients'), /nobody but the bus itself sends/);
});

test('names are names', () => {
  assert.equal(isName('bob_1.x-y'), true);
  for (const name of ['', 'a b', 'ä', 'x'.repeat(65), 7, undefined]) {
    assert.equal(isName(name), false);
  }
});

test('patterns match as on the bus', () => {
  const yes = [
    ['a', 'a'],
    ['*', 'a'],
    ['>', 'a.b'],
    ['a.*', 'a.b'],
    ['a.>', 'a.b.c'],
    ['*.b', 'a.b'],
    ['$bus.*', '$bus.x'],
  ];
  const no = [
    ['a', 'b'],
    ['*', 'a.b'],
    ['a.>', 'a'],
    ['a.*', 'a'],
    ['>', '$bus.x'],
    ['*.x', '$bus.x'],
    ['a.b', 'a'],
  ];
  for (const [pattern = '', topic = ''] of yes) {
    assert.equal(matches(pattern, topic), true, `${pattern} ${topic}`);
    assert.equal(overlap(topic, pattern), true, `${topic} ${pattern}`);
  }
  for (const [pattern = '', topic = ''] of no) {
    assert.equal(matches(pattern, topic), false, `${pattern} ${topic}`);
    assert.equal(overlap(topic, pattern), false, `${topic} ${pattern}`);
  }
  assert.equal(overlap('a.*', '*.b'), true);
  assert.equal(overlap('a.>', 'a.*.c'), true);
  assert.equal(overlap('a.*.x', 'a.*.y'), false);
});

/** @param {string} text */
function described(text) {
  try {
    const { place, credentials } = parseUrl(text);
    const scheme = 'tls' in place ? (place.tls ? 'tls ' : 'tcp ') : '';
    const user = credentials ? ` as ${credentials.user}` : '';
    const password = credentials?.password === undefined ? '' : ` with "${credentials.password}"`;
    return `${scheme}${addressOf(place)}${user}${password}`;
  } catch (error) {
    assert.ok(error instanceof BadInputError && error.code === 'bad-url', text);
    return error.message;
  }
}

test('a bus is named in the ways that people write', () => {
  for (const [text = '', place] of [
    ['linebus://127.0.0.1', 'tcp 127.0.0.1:5463'],
    ['linebus://127.0.0.1:7000/', 'tcp 127.0.0.1:7000'],
    ['bus.example:7000', 'tcp bus.example:7000'],
    [' localhost ', 'tcp localhost:5463'],
    ['[::1]:7000', 'tcp [::1]:7000'],
    ['linebuss://h', 'tls h:5464'],
    ['linebuss://bob:x@[::1]:1/', 'tls [::1]:1 as bob with "x"'],
    ['linebus://bob@h', 'tcp h:5463 as bob'],
    ['linebus://bob:@h', 'tcp h:5463 as bob with ""'],
    ['linebus://bob:p%40ss:w%C3%B6rd@h:1', 'tcp h:1 as bob with "p@ss:wörd"'],
    ['linebus://bob:p@ss%@h', 'tcp h:5463 as bob with "p@ss%"'],
    ['unix:/run/bus.sock', 'unix:/run/bus.sock'],
    ['unix:///run/bus.sock', 'unix:/run/bus.sock'],
    ['unix://bob:x@/run/bus.sock', 'unix:/run/bus.sock as bob with "x"'],
  ]) {
    assert.equal(described(text), place, text);
  }
});

test('errors of URLs say what would be right', () => {
  for (const [text = '', words = ''] of [
    ['http://h', '`http:` is not how a bus is reached; write linebus://host:port'],
    ['', 'the host is missing; write linebus://host:port'],
    ['linebus://bob@:1', 'the host is missing'],
    ['h:0', '`0` is no port; a port is a number from 1 to 65535'],
    ['h:65536', '`65536` is no port'],
    ['h:', '`` is no port'],
    ['::1', '`::1` is no host; IPv6 addresses stand in brackets'],
    ['[::1', 'is no host'],
    ['[h]:1', 'is no host'],
    ['a b', 'is no host'],
    ['linebus://h/topic', 'nothing may follow the port, but `/topic` does'],
    ['unix:', 'the path is missing; write unix:/path/to/socket'],
    ['linebus://@h', 'a user name is 1 to 64'],
    ['linebus://a%20b@h', 'a user name is 1 to 64'],
    ['linebus://a:%0Aping@h', 'a password is text without control characters'],
    ['linebus://a:%ff@h', 'a password is text without control characters'],
  ]) {
    assert.ok(described(text).includes(words), `${text}: ${described(text)}`);
  }
});
