/** A bus that does what the test says, for what a real one never does. */
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';

/** @import { TestContext } from 'node:test' */

export const HELLO = 'hello linebus 1 line-max=65536 login=open\n';

/** One connection, seen from the bus. */
export class Peer {
  socket;
  #lines;

  /** @param {net.Socket} socket */
  constructor(socket) {
    this.socket = socket;
    socket.on('error', () => {});
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  /** @param {string | Uint8Array} text */
  say(text) {
    this.socket.write(text);
  }

  /** The next line from the client; undefined at the end. @returns {Promise<string | undefined>} */
  async hear() {
    try {
      return (await this.#lines.next()).value;
    } catch {
      // It was reset.
      return undefined;
    }
  }

  /** Answers each ping from now on, and hears nothing else. */
  async answerPings() {
    for (let line = await this.hear(); line !== undefined; line = await this.hear()) {
      if (line === 'ping') {
        this.say('pong\n');
      }
    }
  }
}

/** Listens, and hands out connections in the order in which they come. */
export class FakeBus {
  url = '';
  #server;
  /** @type {Peer[]} */
  #peers = [];
  #wake = () => {};

  /** @param {TestContext} t */
  static async start(t) {
    const bus = new FakeBus(t);
    bus.#server.listen(0, '127.0.0.1');
    await once(bus.#server, 'listening');
    const { port } = /** @type {net.AddressInfo} */ (bus.#server.address());
    bus.url = `linebus://127.0.0.1:${port}`;
    return bus;
  }

  /** @param {TestContext} t */
  constructor(t) {
    this.#server = net.createServer({ noDelay: true }, (socket) => {
      t.after(() => socket.destroy());
      this.#peers.push(new Peer(socket));
      this.#wake();
    });
    t.after(() => this.#server.close());
  }

  /** The next connection, greeted with these words. @param {string | Uint8Array} [greeting] */
  async accept(greeting = HELLO) {
    while (this.#peers.length === 0) {
      await /** @type {Promise<void>} */ (new Promise((resolve) => (this.#wake = resolve)));
    }
    const peer = /** @type {Peer} */ (this.#peers.shift());
    peer.say(greeting);
    return peer;
  }
}
