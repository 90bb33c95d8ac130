/**
 * The handle with which a program speaks and hears: {@link Client}. Checks what it is given, and
 * dresses up what comes. linebus.d.ts says what is promised.
 *
 * @import { Bus, Connected, ConnectOptions, JoinedTopic, Subscription } from 'linebus'
 * @import { Dial } from './connection.js'
 * @import { Join, Joined } from './subscriptions.js'
 */
import { ask } from './ask.js';
import { BadInputError } from './errors.js';
import { Link } from './link.js';
import { sendLine } from './protocol.js';
import { checkPattern, isName } from './topics.js';

/** @implements {Bus} */
export class Client {
  #link;

  /** @param {Link} link */
  constructor(link) {
    this.#link = link;
  }

  /**
   * @param {Dial} dial makes connections; all that is different on each platform
   * @param {string} url @param {ConnectOptions} options
   */
  static async connect(dial, url, options) {
    const link = new Link(dial, url, options);
    await link.connect(options.signal);
    return new Client(link);
  }

  get connected() {
    return this.#link.outgoing.isUp;
  }

  get lineMax() {
    return this.#link.outgoing.lineMax;
  }

  /** @param {string} topic @param {string} message @returns {Promise<void>} */
  send(topic, message) {
    try {
      return this.#link.outgoing.send(sendLine(topic, message));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @param {string} topic @param {string} message */
  trySend(topic, message) {
    return this.#link.outgoing.trySend(sendLine(topic, message));
  }

  /** @param {string} topic @param {{ group?: string, signal?: AbortSignal }} [options] */
  async recv(topic, { group, signal } = {}) {
    if (group !== undefined && !isName(group)) {
      const why = 'a group name is 1 to 64 letters, digits, _ . or -';
      throw new BadInputError('bad-group', why);
    }
    return this.#subscribe({ verb: 'recv', pattern: topic, group }, signal);
  }

  /** @param {string} topic @param {{ signal?: AbortSignal }} [options] */
  async watch(topic, { signal } = {}) {
    return this.#subscribe({ verb: 'watch', pattern: topic, group: undefined }, signal);
  }

  async ping() {
    const began = performance.now();
    await this.#link.command('ping', []);
    return performance.now() - began;
  }

  /** @param {string} [topic] @returns {Promise<Connected[]>} */
  async who(topic) {
    const list = await this.#list('who', topic);
    return list.map(([user = '', id, address = '']) => ({ user, id: Number(id), address }));
  }

  /** @param {string} [pattern] @returns {Promise<JoinedTopic[]>} */
  async topics(pattern) {
    const list = await this.#list('topics', pattern);
    return list.map(([topic = '', receivers]) => ({ topic, receivers: Number(receivers) }));
  }

  /**
   * @param {string} topic @param {string} message
   * @param {{ timeout?: number, signal?: AbortSignal }} [options]
   */
  ask(topic, message, options = {}) {
    return ask(this.#link, topic, message, options);
  }

  events() {
    return this.#link.events();
  }

  async logoff() {
    this.#link.hush();
    try {
      await this.#link.command('logoff', []);
    } finally {
      this.#link.close();
    }
  }

  close() {
    this.#link.close();
  }

  async [Symbol.asyncDispose]() {
    if (this.connected) {
      await this.logoff();
    } else {
      this.close();
    }
  }

  /** @param {Join} join @param {AbortSignal | undefined} signal @returns {Promise<Subscription>} */
  async #subscribe(join, signal) {
    checkPattern(join.pattern);
    signal?.throwIfAborted();
    return new JoinedSubscription(this.#link, await this.#link.join(join, signal), signal);
  }

  /** @param {'who' | 'topics'} verb @param {string | undefined} pattern */
  async #list(verb, pattern) {
    if (pattern !== undefined) {
      checkPattern(pattern);
    }
    return this.#link.command(verb, [pattern]);
  }
}

/** @implements {Subscription} */
class JoinedSubscription {
  #link;
  #joined;
  #signal;
  #abort;

  /** @param {Link} link @param {Joined} joined @param {AbortSignal | undefined} signal */
  constructor(link, joined, signal) {
    this.#link = link;
    this.#joined = joined;
    this.#signal = signal;
    this.#abort = () => link.leaveUnasked(joined, signal?.reason);
    signal?.addEventListener('abort', this.#abort);
  }

  get topic() {
    return this.#joined.join.pattern;
  }

  get unread() {
    return this.#joined.queue.unread;
  }

  next() {
    return this.#joined.queue.next();
  }

  /** Does not wait for the bus: the loop has been left, and nothing more comes anyway. */
  return() {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#link.leaveUnasked(this.#joined);
    return this.#joined.queue.return();
  }

  leave() {
    this.#signal?.removeEventListener('abort', this.#abort);
    return this.#link.leave(this.#joined);
  }

  [Symbol.asyncDispose]() {
    return this.leave();
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}
