/**
 * What is on its way to the bus: one buffer of lines, and those that wait for room in it.
 *
 * A line goes out at once; lines that come while a write is under way share the next one. There
 * are no timers. Order is kept: a line never overtakes one that waits for room.
 *
 * @import { Connection } from './connection.js'
 * @import { Command } from './protocol.js'
 */
import { BadInputError, DisconnectedError } from './errors.js';
import { isLongerThan } from './lines.js';
import { tooLong } from './protocol.js';
import { Fifo } from './queue.js';

/**
 * A line that waits for room.
 *
 * @typedef {object} Waiting
 * @property {string} line
 * @property {() => void} sent
 * @property {(error: Error) => void} fail
 * @property {boolean} [cancelled]
 */

const SENT = Promise.resolve();

export class Outgoing {
  #lengthMax;
  /** @type {Connection | undefined} */
  #connection = undefined;
  #error = new DisconnectedError({ reason: 'end', text: 'not yet' }, false);
  #text = '';
  #lines = 0;
  /** How many lines the write under way has. */
  #writing = 0;
  /** @type {Fifo<Waiting>} */
  #waiting = new Fifo();

  /** @param {number} lengthMax a line that would make the buffer longer waits */
  constructor(lengthMax) {
    this.#lengthMax = lengthMax;
  }

  get isUp() {
    return this.#connection !== undefined;
  }

  get lineMax() {
    return this.#connection?.session.lineMax ?? 0;
  }

  /** There is a connection. @param {Connection} connection */
  bringUp(connection) {
    this.#connection = connection;
  }

  /**
   * There is none any more. Whoever waits is told.
   *
   * @param {DisconnectedError} error
   * @returns {number} how many lines were still here
   */
  takeDown(error) {
    const unsent = this.#lines + this.#writing;
    const session = this.#connection?.session;
    const waiting = this.#waiting;
    this.#connection = undefined;
    this.#error = error;
    this.#text = '';
    this.#lines = 0;
    this.#writing = 0;
    this.#waiting = new Fifo();
    session?.end(error);
    for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
      entry.fail(error);
    }
    return unsent;
  }

  /** Adds a line without an answer, LF included, if there is room. @param {string} line */
  trySend(line) {
    this.#check(line);
    if (!this.#hasRoomFor(line)) {
      return false;
    }
    this.#push(line);
    return true;
  }

  /** The same once there is room. @param {string} line @returns {Promise<void>} */
  send(line) {
    if (this.trySend(line)) {
      return SENT;
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, sent: resolve, fail: reject });
    });
  }

  /**
   * Adds a command once there is room.
   *
   * @param {Command} command
   * @returns {() => void} takes it back if it still waits
   */
  command(command) {
    const line = `${command.line}\n`;
    this.#check(line);
    /** @type {Waiting} */
    const entry = {
      line,
      sent: () => this.#connection?.session.noteSent(command),
      fail: (error) => command.settle(error, []),
    };
    if (this.#hasRoomFor(line)) {
      entry.sent();
      this.#push(line);
    } else {
      this.#waiting.push(entry);
    }
    return () => {
      entry.cancelled = true;
    };
  }

  /** @param {string} line */
  #check(line) {
    if (!this.#connection) {
      throw this.#error;
    }
    const max = this.lineMax;
    if (isLongerThan(line, max)) {
      throw new BadInputError('too-long', tooLong(line.slice(0, -1), max));
    }
  }

  /** @param {string} line */
  #hasRoomFor(line) {
    return this.#waiting.length === 0 && this.#fits(line);
  }

  /** A line longer than the whole buffer may go alone. @param {string} line */
  #fits(line) {
    return this.#lines === 0 || this.#text.length + line.length <= this.#lengthMax;
  }

  /** @param {string} line */
  #push(line) {
    this.#text += line;
    this.#lines += 1;
    if (this.#writing === 0) {
      this.#write();
    }
  }

  #write() {
    const connection = this.#connection;
    if (!connection || this.#lines === 0) {
      return;
    }
    const text = this.#text;
    this.#writing = this.#lines;
    this.#text = '';
    this.#lines = 0;
    connection.write(text, () => {
      if (connection === this.#connection) {
        this.#writing = 0;
        this.#admit();
        this.#write();
      }
    });
  }

  /** Takes from those that wait what fits now. */
  #admit() {
    for (let entry = this.#waiting.peek(); entry; entry = this.#waiting.peek()) {
      if (!entry.cancelled) {
        if (!this.#fits(entry.line)) {
          return;
        }
        this.#text += entry.line;
        this.#lines += 1;
        entry.sent();
      }
      this.#waiting.shift();
    }
  }
}
