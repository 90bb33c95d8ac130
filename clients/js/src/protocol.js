/**
 * What lines mean, both ways, and the state of one connection: {@link Session}.
 *
 * No socket, no clock, no platform: lines go in, lines come out, and whoever has the connection
 * carries them. The words are those of PROTOCOL.md.
 *
 * @import { Credentials, Lost, Message } from 'linebus'
 */
import {
  BadInputError,
  ConnectError,
  DisconnectedError,
  GarbageError,
  LinebusError,
  RefusedError,
} from './errors.js';
import { byteLength, excerpt, isLineText, isLongerThan } from './lines.js';
import { Fifo } from './queue.js';
import { checkTopic } from './topics.js';

const VERSION = '1';
/** Codes and reasons after which another try would end the same way. */
const FINAL_CODES = [
  'login-first',
  'wrong-login',
  'denied',
  'bad-text',
  'too-long',
  'usage',
  'unknown-verb',
];
const FINAL_REASONS = ['logoff', 'kicked', 'login-timeout', 'abuse', 'not-lines'];
/** Most characters that the lines of one answer may have; what exceeds them is thrown away. */
const ANSWER_LENGTH_MAX = 64 * 1024 * 1024;

/**
 * A command that has an answer.
 *
 * @typedef {object} Command
 * @property {string} verb
 * @property {string} line without LF
 * @property {(error: Error | undefined, list: string[][]) => void} settle with the answer: for
 *   `who` and `topics` the words of each line
 */

/**
 * Whom a session tells.
 *
 * @typedef {object} Listener
 * @property {() => void} ready hello was heard and the login accepted
 * @property {(verb: 'recv' | 'watch', message: Message) => void} message
 * @property {(code: string, text: string) => void} note
 * @property {(refused: RefusedError) => void} refused a line without an answer was not accepted
 */

/** One connection, from `hello` to `bye`. */
export class Session {
  #state = /** @type {'hello' | 'login' | 'open'} */ ('hello');
  #credentials;
  #listener;
  /** Commands whose answers are due. @type {Fifo<Command>} */
  #due = new Fifo();
  /** The answer that is arriving. @type {string[][]} */
  #list = [];
  #listLength = 0;
  /** Longest line that the bus accepts, in bytes, LF included. */
  lineMax = 0;

  /** @param {Credentials | undefined} credentials @param {Listener} listener */
  constructor(credentials, listener) {
    this.#credentials = credentials;
    this.#listener = listener;
  }

  /**
   * Takes note of a command whose line goes out now.
   *
   * @param {Command} command
   */
  noteSent(command) {
    this.#due.push(command);
  }

  /** The connection is gone: no answer will come. @param {Error} error */
  end(error) {
    for (let command = this.#due.shift(); command; command = this.#due.shift()) {
      command.settle(error, []);
    }
  }

  /**
   * Takes one line from the bus.
   *
   * @param {string} line
   * @returns {string | Lost | undefined} a line to be sent, or why the bus says goodbye
   * @throws {LinebusError} if that is not the protocol, or the login is not accepted
   */
  receive(line) {
    switch (this.#state) {
      case 'open':
        return this.#receiveOpen(line);
      case 'login':
        return this.#receiveLogin(line);
      default:
        return this.#receiveHello(line);
    }
  }

  /** @param {string} line */
  #receiveHello(line) {
    const [verb, first, second, lineMax, login] = line.split(' ');
    if (verb === 'bye') {
      return goodbye(line);
    }
    const max = /^line-max=(\d+)$/.exec(lineMax ?? '')?.[1];
    if (verb !== 'hello' || first !== 'linebus' || second === undefined) {
      throw new ConnectError('not-a-bus', `no bus: it said \`${excerpt(line)}\` instead of hello`);
    }
    if (second !== VERSION || max === undefined) {
      const why = `no bus of version ${VERSION}: it said \`${excerpt(line)}\``;
      throw new ConnectError('wrong-version', why);
    }
    this.lineMax = Number(max);
    if (!this.#credentials) {
      if (login === 'login=required') {
        const how = 'write linebus://user:password@host, or pass `user` and `password`';
        throw new RefusedError('connect', 'login-first', `this bus wants a login: ${how}`);
      }
      this.#state = 'open';
      this.#listener.ready();
      return undefined;
    }
    this.#state = 'login';
    const { user, password } = this.#credentials;
    const answer = password === undefined ? `login ${user}` : `login ${user} ${password}`;
    if (isLongerThan(answer, this.lineMax - 1)) {
      throw new RefusedError('login', 'too-long', tooLong(answer, this.lineMax));
    }
    return answer;
  }

  /** @param {string} line */
  #receiveLogin(line) {
    const [verb, first = '', rest = ''] = words(line, 2);
    switch (verb) {
      case 'ok':
        this.#state = 'open';
        this.#listener.ready();
        return undefined;
      case 'error': {
        // Whatever verb it names: nothing else has been said.
        const [code = '', text = ''] = words(rest, 1);
        throw new RefusedError('login', code, text);
      }
      case 'note':
        this.#listener.note(first, rest);
        return undefined;
      case 'bye':
        return goodbye(line);
      default:
        return undefined;
    }
  }

  /** @param {string} line */
  #receiveOpen(line) {
    if (line.startsWith('recv ')) {
      const at = line.indexOf(' ', 5);
      const topic = at < 0 ? line.slice(5) : line.slice(5, at);
      this.#listener.message('recv', { topic, text: at < 0 ? '' : line.slice(at + 1) });
      return undefined;
    }
    const [verb = '', first = '', rest = ''] = words(line, 2);
    switch (verb) {
      case 'watch': {
        const [time = '', user = '', text = ''] = words(rest, 2);
        this.#listener.message('watch', { topic: first, text, time, user });
        return undefined;
      }
      case 'ok':
        return this.#settle(first, undefined);
      case 'pong':
        return this.#settle('ping', undefined);
      case 'error': {
        const [code = '', text = ''] = words(rest, 1);
        return this.#takeError(new RefusedError(first, code, text));
      }
      case 'who':
        return this.#takeListed('who', [first, ...words(rest, 1)]);
      case 'topic':
        return this.#takeListed('topics', [first, rest]);
      case 'note':
        this.#listener.note(first, rest);
        return undefined;
      case 'bye': {
        const lost = goodbye(line);
        if (lost.reason === 'logoff' && this.#due.peek()?.verb === 'logoff') {
          this.#settle('logoff', undefined);
        }
        return lost;
      }
      default:
        // Of a later version.
        return undefined;
    }
  }

  /** @param {RefusedError} error */
  #takeError(error) {
    if (error.verb === 'send' || error.verb === 'line') {
      this.#listener.refused(error);
      return undefined;
    }
    return this.#settle(error.verb, error);
  }

  /** @param {string} verb @param {string[]} line */
  #takeListed(verb, line) {
    if (this.#due.peek()?.verb !== verb) {
      throw new GarbageError(`a line of an answer to ${verb}, where none was due`);
    }
    this.#listLength += line.reduce((sum, word) => sum + word.length, 0);
    if (this.#listLength <= ANSWER_LENGTH_MAX) {
      this.#list.push(line);
    }
    return undefined;
  }

  /** @param {string} verb @param {RefusedError | undefined} refused */
  #settle(verb, refused) {
    const due = this.#due.peek();
    if (due?.verb !== verb) {
      const wanted = due?.verb ?? 'nothing';
      throw new GarbageError(`an answer to \`${excerpt(verb)}\` where ${wanted} was due`);
    }
    this.#due.shift();
    const list = this.#list;
    const isTooLong = this.#listLength > ANSWER_LENGTH_MAX;
    this.#list = [];
    this.#listLength = 0;
    const why = `the answer is longer than ${ANSWER_LENGTH_MAX} characters; ask for less`;
    due.settle(refused ?? (isTooLong ? new LinebusError('answer-too-long', why) : undefined), list);
    return undefined;
  }
}

/**
 * Splits after so many words; the last part is the rest, byte for byte.
 *
 * @param {string} text @param {number} count
 */
function words(text, count) {
  const parts = [];
  let at = 0;
  for (let left = count; left > 0; left -= 1) {
    const blank = text.indexOf(' ', at);
    if (blank < 0) {
      break;
    }
    parts.push(text.slice(at, blank));
    at = blank + 1;
  }
  parts.push(text.slice(at));
  return parts;
}

/** @param {string} line @returns {Lost} */
function goodbye(line) {
  const [, reason = '', text = ''] = words(line, 2);
  return { reason, text: `the bus said goodbye (${reason}): ${text}` };
}

/**
 * The line that sends a message, LF included; a question, if answers are awaited on a topic.
 *
 * @param {string} topic @param {string} message @param {string} [replyTopic]
 * @throws {BadInputError}
 */
export function sendLine(topic, message, replyTopic) {
  checkTopic(topic);
  if (typeof message !== 'string' || !isLineText(message)) {
    const how = 'send several lines as several messages';
    const what = 'a message is one line of text without control characters';
    throw new BadInputError('bad-text', `${what}; ${how}`);
  }
  const line = `send ${topic} ${message}`;
  return replyTopic === undefined ? `${line}\n` : `${line} @${replyTopic}\n`;
}

/**
 * @param {string} line without LF
 * @param {number} lineMax
 */
export function tooLong(line, lineMax) {
  return `the line would have ${byteLength(line) + 1} bytes, and this bus accepts ${lineMax}`;
}

/**
 * Whether another try would end the same way, or was not wanted.
 *
 * @param {unknown} error
 */
export function isFinal(error) {
  if (error instanceof DisconnectedError) {
    return FINAL_REASONS.includes(error.reason);
  }
  if (error instanceof RefusedError) {
    return FINAL_CODES.includes(error.code);
  }
  return !(error instanceof LinebusError);
}
