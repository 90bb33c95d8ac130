/**
 * Who in this program hears what: the joins of one client, and the queues behind them.
 *
 * The bus sends a line once, however many joins match it, and does not say which did. So each
 * line goes to every subscription whose topic matches.
 *
 * @import { Message } from 'linebus'
 */
import { BadInputError } from './errors.js';
import { Queue } from './queue.js';
import { matches, overlap } from './topics.js';

/** Beyond so many topics, where their lines go is looked up again. */
const ROUTES_MAX = 10_000;
/** What a message costs beyond its text. */
const MESSAGE_LENGTH_EXTRA = 64;

/** @typedef {'recv' | 'watch'} JoinVerb */

/**
 * What the bus knows of subscriptions: several may share one join.
 *
 * @typedef {object} Join
 * @property {JoinVerb} verb
 * @property {string} pattern
 * @property {string | undefined} group
 */

/** One `recv` or `watch` of the program, before it is dressed up for it. */
export class Joined {
  queue;
  /** Since when messages may be missing, until the next one comes. @type {number | undefined} */
  lostAt = undefined;
  /** Since when they are heard again. @type {number | undefined} */
  backAt = undefined;

  /** @param {Join} join @param {number} unreadMax @param {(full: boolean) => void} onFull */
  constructor(join, unreadMax, onFull) {
    this.join = join;
    this.queue = /** @type {Queue<Message>} */ (new Queue(unreadMax, sizeOf, onFull));
  }

  /** @param {Message} message */
  push(message) {
    if (this.lostAt === undefined) {
      this.queue.push(message);
      return;
    }
    const gap = (this.backAt ?? performance.now()) - this.lostAt;
    this.lostAt = undefined;
    this.backAt = undefined;
    this.queue.push({ ...message, gap });
  }
}

/** @param {Message} message */
function sizeOf(message) {
  return message.topic.length + message.text.length + MESSAGE_LENGTH_EXTRA;
}

export class Subscriptions {
  /** @type {Set<Joined>} */
  #all = new Set();
  /** Reply topics. Their lines go nowhere else. @type {Map<string, Joined>} */
  #replies = new Map();
  /** @type {Record<JoinVerb, Map<string, Joined[]>>} */
  #routes = { recv: new Map(), watch: new Map() };

  /**
   * Adds one, unless it could not be told apart from another.
   *
   * @param {Joined} joined
   * @throws {BadInputError} `overlap`
   */
  add(joined) {
    for (const known of this.#all) {
      if (areAmbiguous(joined.join, known.join)) {
        const [one, other] = [joined.join.pattern, known.join.pattern];
        const why = `what the group of \`${one}\` hears could not be told from \`${other}\``;
        throw new BadInputError('overlap', `${why}; use another connection for one of them`);
      }
    }
    this.#all.add(joined);
    this.#forgetRoutes();
  }

  /** @param {Joined} joined */
  addReply(joined) {
    this.#replies.set(joined.join.pattern, joined);
    this.#forgetRoutes();
  }

  /**
   * Removes one. True if it was the last for which the bus has to keep its topic.
   *
   * @param {Joined} joined
   */
  remove(joined) {
    const { pattern } = joined.join;
    const known = this.#all.delete(joined) || this.#replies.delete(pattern);
    this.#forgetRoutes();
    return known && ![...this.#all].some((other) => other.join.pattern === pattern);
  }

  /** @param {JoinVerb} verb @param {Message} message */
  deliver(verb, message) {
    const route = this.#routes[verb].get(message.topic) ?? this.#route(verb, message.topic);
    for (const joined of route) {
      joined.push(message);
    }
  }

  /** The connection is gone: replies won't come, of the others some may be missing. @param {Error} error */
  noteLost(error) {
    for (const joined of this.#all) {
      joined.lostAt ??= performance.now();
      joined.backAt = undefined;
    }
    for (const joined of this.#replies.values()) {
      joined.queue.end(error);
    }
    this.#replies.clear();
    this.#forgetRoutes();
  }

  /** What has to be joined again on a new connection. @returns {Join[]} */
  joins() {
    const joins = new Map([...this.#all].map(({ join }) => [`${join.verb} ${join.pattern}`, join]));
    return [...joins.values()];
  }

  /** A join is in place again. @param {Join} join */
  noteBack(join) {
    for (const joined of this.#of(join.pattern, join.verb)) {
      if (joined.lostAt !== undefined) {
        joined.backAt = performance.now();
      }
    }
  }

  /**
   * The bus ended a join, or all joins of a topic.
   *
   * @param {string} pattern @param {JoinVerb | undefined} verb @param {Error} error
   */
  endOf(pattern, verb, error) {
    for (const joined of this.#of(pattern, verb)) {
      this.#all.delete(joined);
      joined.queue.end(error);
    }
    this.#forgetRoutes();
  }

  /** There will be no more. @param {Error | undefined} error */
  end(error) {
    for (const joined of [...this.#all, ...this.#replies.values()]) {
      joined.queue.end(error);
    }
    this.#all.clear();
    this.#replies.clear();
    this.#forgetRoutes();
  }

  /** How many messages wait to be read. */
  get unread() {
    return [...this.#all].reduce((sum, { queue }) => sum + queue.unread, 0);
  }

  /** @param {string} pattern @param {JoinVerb | undefined} verb */
  #of(pattern, verb) {
    return [...this.#all].filter(
      ({ join }) => join.pattern === pattern && (verb === undefined || join.verb === verb),
    );
  }

  /** @param {JoinVerb} verb @param {string} topic */
  #route(verb, topic) {
    const reply = verb === 'recv' ? this.#replies.get(topic) : undefined;
    const hear = (/** @type {Joined} */ { join }) =>
      join.verb === verb && matches(join.pattern, topic);
    const route = reply ? [reply] : [...this.#all].filter(hear);
    const routes = this.#routes[verb];
    if (routes.size >= ROUTES_MAX) {
      routes.clear();
    }
    routes.set(topic, route);
    return route;
  }

  #forgetRoutes() {
    this.#routes.recv.clear();
    this.#routes.watch.clear();
  }
}

/**
 * Whether a group's line could be taken for another's, or leaving the one would leave the other.
 *
 * @param {Join} one @param {Join} other
 */
function areAmbiguous(one, other) {
  if (one.group === undefined && other.group === undefined) {
    return false;
  }
  return one.verb === other.verb
    ? overlap(one.pattern, other.pattern)
    : one.pattern === other.pattern;
}
