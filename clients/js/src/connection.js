/**
 * One connection to a bus: a transport, and the session that is spoken over it.
 *
 * @import { Credentials, Lost, Place } from 'linebus'
 * @import { Listener } from './protocol.js'
 * @import { Settings } from './settings.js'
 */
import { ConnectError, DisconnectedError, GarbageError, LinebusError } from './errors.js';
import { LineReader, excerpt } from './lines.js';
import { Session } from './protocol.js';
import { after } from './settings.js';
import { addressOf } from './url.js';

/**
 * What carries bytes: the one thing that is different on each platform.
 *
 * @typedef {object} Transport
 * @property {(data: (bytes: Uint8Array) => void, end: (error?: Error) => void) => void} start calls
 *   back with what comes, from now on, and once with the end
 * @property {(text: string, written: () => void) => void} write calls back when the system has it
 * @property {() => void} pause no data until `resume`
 * @property {() => void} resume
 * @property {() => void} destroy at once
 */

/**
 * Makes a connection, as long as the system lets it and the signal is not aborted.
 *
 * @typedef {(place: Place, signal: AbortSignal) => Promise<Transport>} Dial
 */

/** @typedef {Omit<Listener, 'ready'> & Hooks} ConnectionListener */

/**
 * @typedef {object} Hooks
 * @property {(connection: Connection) => void} up hello and login are done; lines may be written
 * @property {(lost: Lost) => void} lost it was up, and ended
 * @property {() => void} silent nothing came for long: say ping
 */

export class Connection {
  #transport;
  #listener;
  #silenceMax;
  #address;
  #reader = new LineReader();
  #state = /** @type {'opening' | 'up' | 'ended'} */ ('opening');
  /** Settles {@link Connection.open}. */
  #opened = /** @type {(error?: Error) => void} */ (() => {});
  #paused = false;
  #heardAt = performance.now();
  /** Nothing has come since the bus was asked whether it is there. */
  #asked = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #silence = undefined;
  session;

  /**
   * @param {Transport} transport @param {string} address @param {Credentials | undefined} credentials
   * @param {number} silenceMax @param {ConnectionListener} listener
   */
  constructor(transport, address, credentials, silenceMax, listener) {
    this.#transport = transport;
    this.#address = address;
    this.#silenceMax = silenceMax;
    this.#listener = listener;
    this.session = new Session(credentials, { ...listener, ready: () => this.#ready() });
  }

  /**
   * Connects, hears hello and logs in.
   *
   * @param {Dial} dial @param {Place} place @param {Credentials | undefined} credentials
   * @param {Settings} settings @param {ConnectionListener} listener @param {AbortSignal} signal
   */
  static async open(dial, place, credentials, settings, listener, signal) {
    const address = addressOf(place);
    const giveUp = new AbortController();
    const timer = after(settings.connectTimeout, () => {
      const why = `${address} did not answer within ${settings.connectTimeout} ms`;
      giveUp.abort(new ConnectError('connect-timeout', why));
    });
    const abort = () => giveUp.abort(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', abort);
    try {
      const transport = await dial(place, giveUp.signal);
      const connection = new Connection(
        transport,
        address,
        credentials,
        settings.silenceMax,
        listener,
      );
      giveUp.signal.addEventListener('abort', () => connection.#fail(giveUp.signal.reason));
      await connection.#handshake(giveUp.signal);
      return connection;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  /** @param {string} text whole lines @param {() => void} written */
  write(text, written) {
    this.#transport.write(text, written);
  }

  /** Stops reading, or goes on. @param {boolean} yes */
  pause(yes) {
    if (this.#paused !== yes && this.#state !== 'ended') {
      this.#paused = yes;
      this.#heardAt = performance.now();
      if (yes) {
        this.#transport.pause();
      } else {
        this.#transport.resume();
      }
    }
  }

  /** Ends it at once, without a word to anybody. */
  destroy() {
    this.#state = 'ended';
    clearTimeout(this.#silence);
    this.#transport.destroy();
  }

  /** @param {AbortSignal} signal @returns {Promise<void>} */
  #handshake(signal) {
    return new Promise((resolve, reject) => {
      this.#opened = (error) => (error ? reject(error) : resolve());
      if (signal.aborted) {
        this.#fail(signal.reason);
        return;
      }
      this.#transport.start(
        (bytes) => this.#receive(bytes),
        (error) => this.#end(error ? { reason: 'io', text: error.message } : ENDED),
      );
    });
  }

  #ready() {
    this.#state = 'up';
    this.#reader.acceptLinesOf(this.session.lineMax);
    this.#watchSilence(this.#silenceMax, false);
    this.#listener.up(this);
    this.#opened();
  }

  /** @param {Uint8Array} bytes */
  #receive(bytes) {
    this.#heardAt = performance.now();
    this.#asked = false;
    try {
      for (const line of this.#reader.push(bytes)) {
        if (this.#state === 'ended') {
          return;
        }
        const out = this.session.receive(line);
        if (typeof out === 'string') {
          this.#transport.write(`${out}\n`, () => {});
        } else if (out) {
          this.#end(out);
        }
      }
    } catch (error) {
      if (!(error instanceof LinebusError)) {
        throw error;
      }
      this.#refuse(error, bytes);
    }
  }

  /** @param {LinebusError} error @param {Uint8Array} bytes what it is about */
  #refuse(error, bytes) {
    if (this.#state === 'up') {
      this.#end({ reason: 'garbage', text: error.message });
    } else if (error instanceof GarbageError) {
      const said = excerpt(new TextDecoder().decode(bytes.subarray(0, 256)).split('\n')[0] ?? '');
      this.#fail(new ConnectError('not-a-bus', `${this.#address} is no bus: it said \`${said}\``));
    } else if (error instanceof ConnectError) {
      this.#fail(new ConnectError(error.code, `${this.#address} is ${error.message}`));
    } else {
      this.#fail(error);
    }
  }

  /** @param {Lost} lost */
  #end(lost) {
    if (this.#state === 'up') {
      this.destroy();
      this.#listener.lost(lost);
    } else {
      this.#fail(new DisconnectedError(lost, false));
    }
  }

  /** It never came about. @param {Error} error */
  #fail(error) {
    if (this.#state === 'opening') {
      this.destroy();
      this.#opened(error);
    }
  }

  /**
   * Asks a silent bus whether it is there, and gives it up only then, and not before the socket had
   * its turn: the program itself may have held up everything. While it does not read, silence does
   * not count.
   *
   * @param {number} ms @param {boolean} atLast
   */
  #watchSilence(ms, atLast) {
    this.#silence = after(ms, () => {
      const max = this.#silenceMax;
      const quiet = this.#paused ? 0 : performance.now() - this.#heardAt;
      if (quiet < max) {
        this.#watchSilence(max - quiet, false);
      } else if (!this.#asked) {
        this.#asked = true;
        this.#listener.silent();
        this.#watchSilence(max, false);
      } else if (!atLast) {
        this.#watchSilence(0, true);
      } else {
        const text = `nothing came for ${2 * max} ms, not even the answer to a ping`;
        this.#end({ reason: 'silent', text });
      }
    });
  }
}

/** @type {Lost} */
const ENDED = { reason: 'end', text: 'the connection ended without a word' };
