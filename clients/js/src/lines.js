/**
 * Bytes from the bus, cut into lines, and which text may stand in a line.
 *
 * It knows neither sockets nor what lines mean. At most one piece and one unfinished line are
 * held; whole lines of a piece are decoded and checked all at once.
 */
import { GarbageError } from './errors.js';

/** Longest line before `hello` has said what is usual on this bus, in bytes. */
const HELLO_BYTES_MAX = 1024;
/** A `watch` line is longer than its `send` line by time, user and a few more: less than this. */
const WATCH_BYTES_EXTRA = 256;
/** Longest line that is believed whatever `hello` said, in bytes. */
const LINE_BYTES_BELIEVED = 64 * 1024 * 1024;
const LF = 10;

// Control characters are those of C0 and C1 and DEL; TAB may stand in a line.
const CONTROL = /[\0-\x08\x0a-\x1f\x7f-\x9f]/;
const CONTROL_BUT_LF = /[\0-\x08\x0b-\x1f\x7f-\x9f]/;

/**
 * Whether a text may stand in a line: no control characters, and nothing that UTF-8 can't say.
 *
 * @param {string} text
 */
export function isLineText(text) {
  return !CONTROL.test(text) && text.isWellFormed();
}

const encoder = new TextEncoder();

/**
 * Whether a text has more than `max` bytes as UTF-8. Counts only where it is close.
 *
 * @param {string} text @param {number} max
 */
export function isLongerThan(text, max) {
  return text.length > max || (text.length * 3 > max && byteLength(text) > max);
}

/** How many bytes a text has as UTF-8. @param {string} text */
export function byteLength(text) {
  return encoder.encode(text).length;
}

/**
 * The beginning of what a stranger said, fit to be printed.
 *
 * @param {string} text
 */
export function excerpt(text) {
  const shown = JSON.stringify(text.slice(0, 60).trimEnd()).slice(1, -1);
  return text.length > 60 ? `${shown}…` : shown;
}

/** Cuts a stream of bytes into lines, however it comes in pieces. */
export class LineReader {
  #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** The unfinished line. @type {Uint8Array[]} */
  #pieces = [];
  #bytes = 0;
  #bytesMax = HELLO_BYTES_MAX;

  /** Takes note of what `hello` says about lines sent to the bus. @param {number} lineMax */
  acceptLinesOf(lineMax) {
    this.#bytesMax = Math.min(lineMax + WATCH_BYTES_EXTRA, LINE_BYTES_BELIEVED);
  }

  /**
   * The lines that are whole now, without their LF. The bytes are not kept: their memory may be
   * used again.
   *
   * @param {Uint8Array} bytes
   * @returns {string[]}
   * @throws {GarbageError} if they are not clean text, or a line does not end
   */
  push(bytes) {
    const whole = bytes.lastIndexOf(LF) + 1;
    /** @type {string[]} */
    let lines = [];
    if (whole > 0) {
      const text = this.#decode(this.#join(bytes.subarray(0, whole)));
      lines = text.split('\n');
      lines.pop();
    }
    if (whole < bytes.length) {
      // A copy, also of a Buffer, whose `slice` is none.
      this.#pieces.push(new Uint8Array(bytes.subarray(whole)));
      this.#bytes += bytes.length - whole;
    }
    if (this.#bytes > this.#bytesMax) {
      throw new GarbageError(`a line of more than ${this.#bytesMax} bytes`);
    }
    return lines;
  }

  /** The unfinished line with its end. @param {Uint8Array} end */
  #join(end) {
    if (this.#bytes === 0) {
      return end;
    }
    const joined = new Uint8Array(this.#bytes + end.length);
    let at = 0;
    for (const piece of [...this.#pieces, end]) {
      joined.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    this.#bytes = 0;
    return joined;
  }

  /** @param {Uint8Array} bytes */
  #decode(bytes) {
    let text;
    try {
      text = this.#decoder.decode(bytes);
    } catch {
      throw new GarbageError(`\`${excerpt(badLine(bytes))}\` is no UTF-8`);
    }
    if (CONTROL_BUT_LF.test(text)) {
      const line = text.split('\n').find((line) => CONTROL.test(line)) ?? '';
      throw new GarbageError(`\`${excerpt(line)}\` has control characters`);
    }
    return text;
  }
}

/** The first line that is not UTF-8, as far as it can be shown. @param {Uint8Array} bytes */
function badLine(bytes) {
  const lines = new TextDecoder().decode(bytes).split('\n');
  return lines.find((line) => line.includes('\ufffd')) ?? '';
}
