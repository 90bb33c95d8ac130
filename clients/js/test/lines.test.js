/** Bytes to lines: the same however they are cut, or a clear refusal. */
import assert from 'node:assert/strict';
import test from 'node:test';

import { LineReader, excerpt, isLineText, isLongerThan } from '../src/lines.js';

/** @param {Uint8Array[]} pieces */
function linesOf(pieces, lineMax = 100) {
  const reader = new LineReader();
  reader.acceptLinesOf(lineMax);
  return pieces.flatMap((piece) => {
    const lines = reader.push(piece);
    // The reader keeps none of the bytes that it was given.
    piece.fill(0);
    return lines;
  });
}

/** @param {string} text */
const bytes = (text) => Buffer.from(text);

test('lines are the same however they are cut', () => {
  const text = 'recv t zürich 🙂\nrecv t \n\n\ufeffnote x\ty\n';
  const expected = text.split('\n').slice(0, -1);
  assert.deepEqual(linesOf([bytes(text)]), expected);
  const length = bytes(text).length;
  for (let at = 0; at <= length; at += 1) {
    const whole = bytes(text);
    assert.deepEqual(
      linesOf([whole.subarray(0, at), whole.subarray(at)]),
      expected,
      `cut at ${at}`,
    );
  }
  const single = Array.from({ length }, (_, at) => bytes(text).subarray(at, at + 1));
  assert.deepEqual(linesOf(single), expected);
});

test('an unfinished line is kept and never given out', () => {
  assert.deepEqual(linesOf([bytes('a\nb')]), ['a']);
  assert.deepEqual(linesOf([bytes('')]), []);
});

test('a line that does not end is given up', () => {
  const piece = () => bytes('x'.repeat(60));
  assert.throws(() => linesOf(Array.from({ length: 6 }, piece)), /a line of more than 356 bytes/);
  assert.throws(() => new LineReader().push(bytes('x'.repeat(1025))), /more than 1024 bytes/);
  // Whatever the bus says that it accepts.
  const endless = () => [new Uint8Array(64 * 1024 * 1024 + 1).fill(120)];
  assert.throws(() => linesOf(endless(), 1e12), /more than 67108864 bytes/);
});

test('what is not clean text is quoted and refused', () => {
  const refused = /** @type {const} */ ([
    [bytes('recv t a\nrecv t \x1b[2J\n'), 'garbage', '`recv t \\u001b[2J` has control characters'],
    [bytes('recv t a\r\n'), 'garbage', '`recv t a` has control characters'],
    [bytes('recv t \x9b\n'), 'garbage', 'has control characters'],
    [Buffer.from([0x61, 0x0a, 0x62, 0xff, 0x0a]), 'garbage', '`b\ufffd` is no UTF-8'],
  ]);
  for (const [piece, code, text] of refused) {
    assert.throws(
      () => linesOf([piece]),
      (error) =>
        error instanceof Error &&
        'code' in error &&
        error.code === code &&
        error.message.includes(text),
    );
  }
});

test('text for a line has no control characters and can be said in UTF-8', () => {
  for (const good of ['', 'a\tb', 'zürich 🙂', '\u00a0', '~']) {
    assert.equal(isLineText(good), true, good);
  }
  for (const bad of ['\0', 'a\nb', 'a\rb', '\x1b', '\x7f', '\x80', '\x9f', '\ud800', 'x\udc00']) {
    assert.equal(isLineText(bad), false, JSON.stringify(bad));
  }
});

test('length is that of UTF-8', () => {
  assert.equal(isLongerThan('üü', 4), false);
  assert.equal(isLongerThan('üü', 3), true);
  assert.equal(isLongerThan('🙂', 4), false);
  assert.equal(isLongerThan('abc', 3), false);
  assert.equal(isLongerThan('abcd', 3), true);
});

test('what strangers say is shortened and escaped', () => {
  assert.equal(excerpt('\x1b[2J\r\n'), '\\u001b[2J');
  assert.equal(excerpt('x'.repeat(61)), `${'x'.repeat(60)}…`);
});
