/**
 * The client on Node.js: sockets over TCP, TLS and Unix paths, and the environment. What the
 * package exports.
 *
 * @import { Pem, Place } from 'linebus'
 * @import { Transport } from './connection.js'
 */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { pathToFileURL } from 'node:url';
import tls from 'node:tls';

import { Client } from './client.js';
import { BadInputError, ConnectError } from './errors.js';
import { addressOf } from './url.js';

export { splitReply } from './ask.js';
export {
  BadInputError,
  ConnectError,
  DisconnectedError,
  LinebusError,
  RefusedError,
  TimeoutError,
} from './errors.js';

/** @type {typeof import('linebus').connect} */
export function connect(url, options = {}) {
  const { env } = process;
  const pems = {
    ca: options.ca ?? fileOf(env.LINEBUS_CA),
    cert: options.cert ?? fileOf(env.LINEBUS_CERT),
    key: options.key ?? fileOf(env.LINEBUS_KEY),
  };
  const dial = (/** @type {Place} */ place, /** @type {AbortSignal} */ signal) =>
    dialWith(pems, place, signal);
  return Client.connect(dial, url ?? (env.LINEBUS_URL || 'linebus://127.0.0.1'), options);
}

/** @typedef {Record<'ca' | 'cert' | 'key', Pem | undefined>} Pems */

/** @param {string | undefined} path */
function fileOf(path) {
  return path ? pathToFileURL(path) : undefined;
}

/** @param {Pems} pems @param {Place} place @param {AbortSignal} signal @returns {Promise<Transport>} */
async function dialWith(pems, place, signal) {
  const secure = 'tls' in place && place.tls;
  const socket = open(pems, place);
  return new Promise((resolve, reject) => {
    const abort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    const fail = (/** @type {NodeJS.ErrnoException} */ error) => {
      signal.removeEventListener('abort', abort);
      reject(cannotConnect(place, error));
    };
    socket.once('error', fail);
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      signal.removeEventListener('abort', abort);
      socket.off('error', fail);
      resolve(new SocketTransport(socket));
    });
    signal.addEventListener('abort', abort);
  });
}

/** @param {Pems} pems @param {Place} place @returns {net.Socket} */
function open(pems, place) {
  if ('path' in place) {
    return net.connect({ path: place.path });
  }
  const { host, port } = place;
  // Lines are gathered before they are written: Nagle's algorithm could only delay them.
  if (!place.tls) {
    return net.connect({ host, port, noDelay: true });
  }
  const [ca, cert, key] = [read(pems, 'ca'), read(pems, 'cert'), read(pems, 'key')];
  try {
    return tls.connect({ host, port, ca, cert, key }).setNoDelay(true);
  } catch (error) {
    throw cannotConnect(place, /** @type {NodeJS.ErrnoException} */ (error));
  }
}

/** @param {Pems} pems @param {'ca' | 'cert' | 'key'} name */
function read(pems, name) {
  const pem = pems[name];
  if (pem instanceof URL) {
    try {
      return readFileSync(pem);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new ConnectError('connect', `\`${name}\`: ${text}`, { cause: error });
    }
  }
  if (pem !== undefined && !String(Buffer.from(pem)).includes('-----BEGIN ')) {
    const how = 'PEM text is wanted, or the file: URL of a file with it';
    throw new BadInputError('bad-option', `\`${name}\`: ${how}`);
  }
  return pem === undefined ? undefined : Buffer.from(pem);
}

/** What to do about errors that Node only names. @type {Record<string, string>} */
const HINTS = {
  ECONNREFUSED: '`linebus serve` starts a bus',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'pass `ca`, the certificate of who signed it',
  SELF_SIGNED_CERT_IN_CHAIN: 'pass `ca`, the certificate of who signed it',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'pass `ca`, the certificate of who signed it',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'pass `ca`, the certificate of who signed it',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no TLS is spoken there; write linebus://',
  EPROTO: 'no TLS is spoken there; write linebus://',
};

/** @param {Place} place @param {NodeJS.ErrnoException & { errors?: Error[] }} error */
function cannotConnect(place, error) {
  // Where a host has several addresses, each has its own error, and the whole has no text.
  const text = error.message || error.errors?.map((one) => one.message).join('; ') || error.code;
  const hint = HINTS[error.code ?? ''];
  const why = hint === undefined ? text : `${text}; ${hint}`;
  return new ConnectError('connect', `can't connect to ${addressOf(place)}: ${why}`, {
    cause: error,
  });
}

/** @implements {Transport} */
class SocketTransport {
  #socket;
  /** @type {Error | undefined} */
  #error = undefined;

  /** @param {net.Socket} socket connected */
  constructor(socket) {
    this.#socket = socket;
    socket.on('error', (error) => {
      this.#error = error;
    });
  }

  /** @param {(bytes: Uint8Array) => void} data @param {(error?: Error) => void} end */
  start(data, end) {
    const socket = this.#socket;
    let ended = false;
    const finish = () => {
      if (!ended) {
        ended = true;
        end(this.#error);
      }
    };
    socket.on('data', data);
    socket.once('end', finish);
    socket.once('close', finish);
    if (socket.closed) {
      finish();
    }
  }

  /** @param {string} text @param {() => void} written */
  write(text, written) {
    this.#socket.write(text, 'utf8', (error) => {
      if (!error) {
        written();
      }
    });
  }

  pause() {
    this.#socket.pause();
  }

  resume() {
    this.#socket.resume();
  }

  destroy() {
    this.#socket.destroy();
  }
}
