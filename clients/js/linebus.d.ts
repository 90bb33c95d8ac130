/// <reference lib="esnext.disposable" />

/**
 * Client of the linebus message bus. One line is one message; whoever has joined a topic hears
 * what others send to it; nothing is stored. All times are in milliseconds.
 *
 * The sources are checked against this file by `tsc`.
 */

/**
 * Connects to a bus, says who you are if there is a user, and keeps connected.
 *
 * @param url `linebus://[user[:password]@]host[:port]`, `linebuss://…` for TLS, `unix:/path` or
 *   `host:port`. Without it, `LINEBUS_URL` from the environment, or `linebus://127.0.0.1:5463`.
 * @throws {BadInputError} the URL or an option is wrong
 * @throws {ConnectError} there is no bus (`connect`, `connect-timeout`, `not-a-bus`,
 *   `wrong-version`)
 * @throws {RefusedError} the bus does not accept the login, or wants one (`login-first`)
 * @throws {DisconnectedError} the bus said goodbye at once
 */
export function connect(url?: string, options?: ConnectOptions): Promise<Bus>;

/** PEM text, or the `file:` URL of what holds it, which is read anew for each connection. */
export type Pem = string | Uint8Array | URL;

export interface ConnectOptions {
  /** Who to be, whatever the URL says; again after each reconnect. */
  user?: string;
  password?: string;
  /** Over TLS, trust who signs with these certificates, and nobody else. Default: `LINEBUS_CA`. */
  ca?: Pem;
  /** Over TLS, show this certificate. Default: `LINEBUS_CERT`. */
  cert?: Pem;
  /** The private key of `cert`. Default: `LINEBUS_KEY`. */
  key?: Pem;
  /**
   * Whether another connection is made when one is lost, until it comes about, unless the bus
   * ended it for good. Default: true.
   */
  reconnect?: boolean;
  /** Whether `connect` goes on trying until there is a bus. Default: false. */
  retryFirstConnection?: boolean;
  /** How long to wait before the first try to connect again; doubled each time. Default: 100. */
  backOffFirst?: number;
  /** How long to wait before a try at most. Default: 10 000. */
  backOffMax?: number;
  /** How long one connection, hello and login may take. Default: 10 000. */
  connectTimeout?: number;
  /** How long commands wait for their answer. Default: 30 000. */
  answerTimeout?: number;
  /**
   * After so long without a line a ping is sent, and after as long again the connection counts
   * as lost. Default: 30 000; `Infinity` turns it off.
   */
  silenceMax?: number;
  /**
   * How much may wait in a subscription to be read, in characters; beyond it the socket is not
   * read, and the bus sees a slow receiver. One read may exceed it. Default: 1 048 576.
   */
  unreadMax?: number;
  /** How much may wait to be written, in characters; beyond it `send` waits. Default: 262 144. */
  unwrittenMax?: number;
  /** Gives up connecting. Without effect afterwards. */
  signal?: AbortSignal;
}

/** A connection to a bus, made again when it is lost. */
export interface Bus extends AsyncDisposable {
  /** Whether there is a connection at this moment. */
  readonly connected: boolean;
  /** Longest line that the bus accepts, in bytes, `send <topic> ` and the line's end included. */
  readonly lineMax: number;

  /**
   * Sends one message to everybody else who has joined the topic. Resolves when it is on its way
   * to the socket: at once, unless the bus is slower than this program. There is no answer; what
   * the bus does not accept comes back as a `refused` event. Follow with {@link ping} to know that
   * the bus has routed all that was sent before.
   *
   * @throws {BadInputError} `bad-topic`, `bad-text` (a newline, a control character), `too-long`
   * @throws {DisconnectedError} there is no connection; nothing is kept for later
   */
  send(topic: string, message: string): Promise<void>;
  /** As {@link send} for callers that can't wait: false where it would, and nothing was sent. */
  trySend(topic: string, message: string): boolean;

  /**
   * Joins a topic: from now on, what others send to it is in the subscription. `*` stands for one
   * token of a topic, `>` at the end for all that follow. The join is made again after a reconnect.
   *
   * In a group, each message goes to one of its members. The bus does not say to which join a line
   * belongs, so what a group hears must not be heard by another `recv` of the same connection
   * (`overlap`).
   *
   * @throws {BadInputError} `bad-topic`, `bad-group`, `overlap`
   * @throws {RefusedError} such as `denied`, `too-many`
   * @throws {DisconnectedError | TimeoutError} as for every command
   */
  recv(topic: string, options?: { group?: string; signal?: AbortSignal }): Promise<Subscription>;
  /** The same, and each message says when and who. */
  watch(topic: string, options?: { signal?: AbortSignal }): Promise<Subscription>;

  /** Asks for a pong and says how long it took. What was sent before has then been routed. */
  ping(): Promise<number>;
  /** Who is connected, or with a topic: who would hear a message there. */
  who(topic?: string): Promise<Connected[]>;
  /** Which topics somebody has joined, or with a pattern: which of those that it covers. */
  topics(pattern?: string): Promise<JoinedTopic[]>;

  /**
   * Sends a question, by a convention of programs: `<message> @<reply topic>`. Yields the answers
   * until one says just `done`. It begins when the first answer is asked for.
   *
   * @param options `timeout` is for the whole exchange, 10 000 by default; nobody may be there to
   *   answer.
   * @throws {TimeoutError} `ask-timeout`
   * @throws {DisconnectedError} answers are not waited for on another connection
   */
  ask(
    topic: string,
    message: string,
    options?: { timeout?: number; signal?: AbortSignal },
  ): AsyncGenerator<string, void, undefined>;

  /**
   * What happens to the connection from now on, until it is closed. Each call gives one more
   * stream; what is not read in one of them counts like unread messages.
   */
  events(): AsyncIterableIterator<BusEvent, undefined, undefined>;

  /**
   * Says goodbye. When it resolves, the bus has taken everything sent before, subscriptions end,
   * and every further call fails.
   */
  logoff(): Promise<void>;
  /** Closes at once. What was not yet written is thrown away; {@link logoff} throws away nothing. */
  close(): void;
}

/**
 * What is heard on a topic: read it with `for await`. Leaving the loop leaves the topic. It ends
 * after `logoff` and `close`, and throws when the connection is gone for good, or the bus ended the
 * join.
 */
export interface Subscription
  extends AsyncIterableIterator<Message, undefined, undefined>, AsyncDisposable {
  /** As joined. */
  readonly topic: string;
  /** How many messages wait to be read. */
  readonly unread: number;
  /** Leaves the topic. What was not read is thrown away. */
  leave(): Promise<void>;
}

export interface Message {
  /** The topic it was sent to, without wildcards. */
  topic: string;
  text: string;
  /** When the bus took it, if the topic was joined by `watch`: RFC 3339, UTC, microseconds. */
  time?: string;
  /** Who sent it, if the topic was joined by `watch`. */
  user?: string;
  /**
   * Only on the first message after a lost connection: for how long messages may have been missed
   * before it.
   */
  gap?: number;
}

export type BusEvent =
  /** Something worth knowing, such as that the bus is about to stop. */
  | { type: 'note'; code: string; text: string }
  /** A message was not accepted, or a join that was made again after a reconnect. */
  | { type: 'refused'; error: RefusedError }
  /**
   * The connection ended; messages may be missing until `reconnected`. Up to `unsent` lines were
   * still here and are thrown away, never sent again; of those written before, some may not have
   * arrived. If it is not `retrying`, this is the last event.
   */
  | { type: 'disconnected'; error: DisconnectedError; unsent: number; retrying: boolean }
  /** There is a connection again, every join in place, `after` so long. */
  | { type: 'reconnected'; after: number };

/** One connection, as `who` lists it. */
export interface Connected {
  user: string;
  id: number;
  /** An IP address and port, or `unix`. */
  address: string;
}

/** One topic or pattern, as `topics` lists it. */
export interface JoinedTopic {
  topic: string;
  receivers: number;
}

/** Splits a question into its text and the topic on which answers are awaited, if it names one. */
export function splitReply(message: string): { text: string; replyTopic: string | undefined };

/** Everything that is not the caller's mistake. */
export class LinebusError extends Error {
  /** One word, for programs. */
  readonly code: string;
}
/**
 * What was passed can't be sent, and was not: `bad-url`, `bad-option`, `bad-topic`, `bad-group`,
 * `bad-text`, `too-long`, `overlap`.
 */
export class BadInputError extends TypeError {
  readonly code: string;
}
/** No connection came about: `connect`, `connect-timeout`, `not-a-bus`, `wrong-version`. */
export class ConnectError extends LinebusError {}
/** The bus refused a command; `code` is the bus's own, such as `denied`. */
export class RefusedError extends LinebusError {
  readonly verb: string;
  /** What to do about it, for people. */
  readonly text: string;
}
/**
 * No answer in time (`answer-timeout`; whether the command was carried out is unknown), or no
 * `done` (`ask-timeout`). The usual cause of the former is a subscription that is not read.
 */
export class TimeoutError extends LinebusError {}
/** There is no connection at the moment (`disconnected`), or there will be none (`closed`). */
export class DisconnectedError extends LinebusError {
  /** The word of the bus's `bye`, or `end`, `io`, `silent`, `garbage`, `login`, `closed`. */
  readonly reason: string;
  /** The same for people. */
  readonly text: string;
}

/** Where a bus is. @internal */
export type Place = { host: string; port: number; tls: boolean } | { path: string };
/** Who to be. @internal */
export interface Credentials {
  user: string;
  password: string | undefined;
}
/** Why a connection ended. @internal */
export interface Lost {
  reason: string;
  text: string;
}
