/**
 * What keeps a client connected: it makes connection after connection, and takes from one to the
 * next what has to be joined again. Nothing is ever sent a second time.
 *
 * It never buffers on its own account: while the program's queues are full it does not read.
 *
 * @import { BusEvent, ConnectOptions, Lost } from 'linebus'
 * @import { ConnectionListener, Dial } from './connection.js'
 * @import { Join } from './subscriptions.js'
 */
import { BackOff } from './back-off.js';
import { Connection } from './connection.js';
import { BadInputError, DisconnectedError, RefusedError, TimeoutError } from './errors.js';
import { Outgoing } from './outgoing.js';
import { isFinal } from './protocol.js';
import { Queue } from './queue.js';
import { after, settingsFrom } from './settings.js';
import { Joined, Subscriptions } from './subscriptions.js';
import { checkCredentials, parseUrl } from './url.js';

/** What an event counts in a queue, in characters. */
const EVENT_LENGTH = 256;

export class Link {
  #dial;
  #place;
  #credentials;
  #settings;
  #backOff;
  outgoing;
  subscriptions = new Subscriptions();
  /** @type {Set<Queue<BusEvent>>} */
  #events = new Set();
  /** @type {Connection | undefined} */
  #connection = undefined;
  #upSince = 0;
  /** Since when messages may be missing. @type {number | undefined} */
  #lostAt = undefined;
  /** How many queues are so full that nothing more is read. */
  #full = 0;
  /** The program has said goodbye and hears nothing more. */
  #leaving = false;
  #closed = false;
  /** Ends tries to connect. */
  #giveUp = new AbortController();

  /** @param {Dial} dial @param {string} url @param {ConnectOptions} options */
  constructor(dial, url, options) {
    const { place, credentials } = parseUrl(url);
    const user = options.user ?? credentials?.user;
    const password =
      options.password ?? (options.user === undefined ? credentials?.password : undefined);
    if (user === undefined && password !== undefined) {
      throw new BadInputError('bad-option', '`password`: a `user` is wanted with it');
    }
    this.#dial = dial;
    this.#place = place;
    this.#credentials = user === undefined ? undefined : checkCredentials(user, password);
    this.#settings = settingsFrom(options);
    this.#backOff = new BackOff(this.#settings.backOffFirst, this.#settings.backOffMax);
    this.outgoing = new Outgoing(this.#settings.unwrittenMax);
  }

  /** Makes the first connection. @param {AbortSignal | undefined} signal */
  async connect(signal) {
    signal?.throwIfAborted();
    const abort = () => this.#giveUp.abort(signal?.reason);
    signal?.addEventListener('abort', abort);
    try {
      await this.#open(this.#settings.retryFirstConnection);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /**
   * Sends a command and waits for its answer.
   *
   * @param {string} verb @param {(string | undefined)[]} words @param {AbortSignal} [signal]
   * @returns {Promise<string[][]>}
   */
  command(verb, words, signal) {
    return new Promise((resolve, reject) => {
      const settle = (/** @type {unknown} */ error, /** @type {string[][]} */ list) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        if (error === undefined) {
          resolve(list);
        } else {
          reject(error);
        }
      };
      const takeBack = this.outgoing.command({ verb, line: lineOf(verb, words), settle });
      const giveUp = (/** @type {unknown} */ error) => {
        takeBack();
        settle(error, []);
      };
      const { answerTimeout } = this.#settings;
      const timer = after(answerTimeout, () => {
        const unread = `${this.subscriptions.unread} messages wait to be read`;
        const why = `no answer to ${verb} within ${answerTimeout} ms, while ${unread}`;
        giveUp(new TimeoutError('answer-timeout', why));
      });
      const abort = () => giveUp(signal?.reason);
      signal?.addEventListener('abort', abort);
    });
  }

  /** Joins what the program subscribes to. @param {Join} join @param {AbortSignal | undefined} signal */
  async join(join, signal) {
    const joined = this.#newJoined(join);
    this.subscriptions.add(joined);
    await this.#carryOut(joined, signal);
    return joined;
  }

  /** Joins a topic for answers alone. @param {string} topic @param {AbortSignal} signal */
  async joinReply(topic, signal) {
    const joined = this.#newJoined({ verb: 'recv', pattern: topic, group: undefined });
    this.subscriptions.addReply(joined);
    await this.#carryOut(joined, signal);
    return joined;
  }

  /**
   * Nothing more comes from now on. Resolves when the bus has left the topic, too.
   *
   * @param {Joined} joined @param {unknown} [error] for who reads it
   */
  async leave(joined, error) {
    joined.queue.clear(error);
    if (this.subscriptions.remove(joined) && this.outgoing.isUp) {
      try {
        await this.command('leave', [joined.join.pattern]);
      } catch (error) {
        // Refused or without a connection: it is not joined, which is what was wanted.
        if (!(error instanceof RefusedError || error instanceof DisconnectedError)) {
          throw error;
        }
      }
    }
  }

  /** As above, without waiting for the bus. @param {Joined} joined @param {unknown} [error] */
  leaveUnasked(joined, error) {
    // If the bus does not answer, there is nobody to be told.
    this.leave(joined, error).catch(() => {});
  }

  events() {
    /** @type {Queue<BusEvent>} */
    const queue = new Queue(
      this.#settings.unreadMax,
      () => EVENT_LENGTH,
      (full) => this.#noteFull(full),
    );
    if (this.#closed) {
      queue.end();
    }
    this.#events.add(queue);
    return queue;
  }

  /** Hears no more messages, so that the last answer comes through. */
  hush() {
    this.#leaving = true;
    this.#connection?.pause(false);
  }

  close() {
    if (!this.#closed) {
      this.#leaving = true;
      this.#connection?.destroy();
      this.#end({ reason: 'closed', text: 'this program closed it' });
    }
  }

  /** @param {Join} join */
  #newJoined(join) {
    return new Joined(join, this.#settings.unreadMax, (full) => this.#noteFull(full));
  }

  /** @param {Joined} joined @param {AbortSignal | undefined} signal */
  async #carryOut(joined, signal) {
    const { verb, pattern, group } = joined.join;
    try {
      await this.command(verb, [pattern, group], signal);
    } catch (error) {
      if (error instanceof RefusedError) {
        this.subscriptions.remove(joined);
      } else {
        // It may have been carried out, or may still be.
        this.leaveUnasked(joined);
      }
      throw error;
    }
  }

  /** @param {boolean} full */
  #noteFull(full) {
    this.#full += full ? 1 : -1;
    this.#connection?.pause(this.#full > 0 && !this.#leaving);
  }

  /** @param {BusEvent} event */
  #emit(event) {
    for (const queue of this.#events) {
      if (queue.ended) {
        this.#events.delete(queue);
      } else {
        queue.push(event);
      }
    }
  }

  /** Tries until there is a connection, or no reason to go on. @param {boolean} again */
  async #open(again) {
    const { signal } = this.#giveUp;
    for (;;) {
      try {
        const [place, settings] = [this.#place, this.#settings];
        const listener = this.#listener();
        await Connection.open(this.#dial, place, this.#credentials, settings, listener, signal);
        return;
      } catch (error) {
        if (!again || signal.aborted || isFinal(error)) {
          throw error;
        }
      }
      await this.#wait();
    }
  }

  /** @returns {Promise<void>} */
  #wait() {
    const { signal } = this.#giveUp;
    return new Promise((resolve, reject) => {
      const abort = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = after(this.#backOff.next(), () => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      signal.addEventListener('abort', abort);
    });
  }

  /** @returns {ConnectionListener} */
  #listener() {
    return {
      up: (connection) => this.#noteUp(connection),
      lost: (lost) => this.#noteLost(lost),
      silent: () => this.outgoing.command({ verb: 'ping', line: 'ping', settle() {} }),
      message: (verb, message) => {
        if (!this.#leaving) {
          this.subscriptions.deliver(verb, message);
        }
      },
      note: (code, text) => {
        this.#emit({ type: 'note', code, text });
        if (code === 'left') {
          const pattern = text.split(':', 1)[0] ?? '';
          this.subscriptions.endOf(pattern, undefined, new RefusedError('recv', 'denied', text));
        }
      },
      refused: (error) => this.#emit({ type: 'refused', error }),
    };
  }

  /** @param {Connection} connection */
  #noteUp(connection) {
    this.#connection = connection;
    this.#upSince = performance.now();
    this.outgoing.bringUp(connection);
    connection.pause(this.#full > 0);
    const joins = this.subscriptions.joins();
    for (const [at, join] of joins.entries()) {
      const { verb, pattern, group } = join;
      const settle = (/** @type {Error | undefined} */ error) => {
        if (error instanceof DisconnectedError) {
          return;
        }
        if (error instanceof RefusedError) {
          this.#emit({ type: 'refused', error });
          this.subscriptions.endOf(pattern, verb, error);
        } else {
          this.subscriptions.noteBack(join);
        }
        if (at === joins.length - 1) {
          this.#sayBack();
        }
      };
      this.outgoing.command({ verb, line: lineOf(verb, [pattern, group]), settle });
    }
    if (joins.length === 0) {
      this.#sayBack();
    }
  }

  /** Tells the program that all is as before, if it has been told of a loss. */
  #sayBack() {
    if (this.#lostAt !== undefined) {
      this.#emit({ type: 'reconnected', after: performance.now() - this.#lostAt });
      this.#lostAt = undefined;
    }
  }

  /** @param {Lost} lost */
  #noteLost(lost) {
    this.#connection = undefined;
    this.#backOff.noteConnection(performance.now() - this.#upSince);
    const error = new DisconnectedError(lost, false);
    if (!this.#settings.reconnect || this.#leaving || isFinal(error)) {
      this.#end(lost);
      return;
    }
    this.#lostAt ??= performance.now();
    const unsent = this.outgoing.takeDown(error);
    this.subscriptions.noteLost(error);
    this.#emit({ type: 'disconnected', error, unsent, retrying: true });
    this.#reconnect();
  }

  async #reconnect() {
    try {
      await this.#wait();
      await this.#open(true);
    } catch (error) {
      if (error instanceof DisconnectedError) {
        this.#end(error);
      } else if (!this.#closed) {
        this.#end({
          reason: 'login',
          text: String(error instanceof Error ? error.message : error),
        });
      }
    }
  }

  /** There will be no other connection. @param {Lost} lost */
  #end(lost) {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#connection = undefined;
    const error = new DisconnectedError({ reason: lost.reason, text: lost.text }, true);
    this.#giveUp.abort(error);
    const unsent = this.outgoing.takeDown(error);
    this.subscriptions.noteLost(error);
    this.subscriptions.end(this.#leaving ? undefined : error);
    this.#emit({ type: 'disconnected', error, unsent, retrying: false });
    for (const queue of this.#events) {
      queue.end();
    }
    this.#events.clear();
  }
}

/** @param {string} verb @param {(string | undefined)[]} words */
function lineOf(verb, words) {
  return [verb, ...words.filter((word) => word !== undefined)].join(' ');
}
