/**
 * What can go wrong, as classes for those who branch: each has a `code` of one word, and a message
 * that says what to do.
 *
 * @import { Lost } from 'linebus'
 */

/** Everything that is not the caller's mistake. */
export class LinebusError extends Error {
  /** @param {string} code @param {string} message @param {ErrorOptions} [options] */
  constructor(code, message, options) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** What was passed can't be sent, and was not. A `TypeError`, as for any wrong argument. */
export class BadInputError extends TypeError {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = 'BadInputError';
    this.code = code;
  }
}

/** No connection came about. */
export class ConnectError extends LinebusError {}

/** The bus refused a command. */
export class RefusedError extends LinebusError {
  /** @param {string} verb @param {string} code @param {string} text */
  constructor(verb, code, text) {
    super(code, `the bus refused ${verb} (${code}): ${text}`);
    this.verb = verb;
    this.text = text;
  }
}

/** Something did not come in time. */
export class TimeoutError extends LinebusError {}

/** There is no connection, for the moment (`disconnected`) or for good (`closed`). */
export class DisconnectedError extends LinebusError {
  /** @param {Lost} lost @param {boolean} forGood */
  constructor(lost, forGood) {
    const what = forGood ? 'the connection is closed' : 'not connected';
    super(forGood ? 'closed' : 'disconnected', `${what}: ${lost.text}`);
    this.reason = lost.reason;
    this.text = lost.text;
  }
}

/** The bus sent what is not the protocol. */
export class GarbageError extends LinebusError {
  /** @param {string} what */
  constructor(what) {
    super('garbage', `the bus sent what is not the protocol: ${what}`);
  }
}
