/** A real bus as a process of its own, ended with the test that started it. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { connect } from 'linebus';

/**
 * @import { TestContext } from 'node:test'
 * @import { ConnectOptions } from 'linebus'
 */

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** `LINEBUS_BINARY`, or what cargo built. */
export function binary() {
  const target = process.env.CARGO_TARGET_DIR ?? path.join(ROOT, 'target');
  const built = ['release', 'debug'].map((kind) => path.join(target, kind, 'linebus'));
  const found = process.env.LINEBUS_BINARY ?? built.find((file) => existsSync(file));
  if (!found) {
    throw new Error(
      `no bus to test with: \`cargo build\`, or set LINEBUS_BINARY (${built.join(', ')})`,
    );
  }
  return found;
}

/** A folder that goes with the test. @param {TestContext} t */
export function folder(t) {
  const made = mkdtempSync(path.join(tmpdir(), 'linebus-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

export class Server {
  /** Where it listens, as URLs, in the order in which it said so. @type {string[]} */
  urls = [];
  #child;

  /** @param {string[]} options */
  constructor(options) {
    this.#child = spawn(binary(), ['serve', ...options], { stdio: ['ignore', 'pipe', 'ignore'] });
  }

  /** Starts `linebus serve` and waits until it is ready. @param {TestContext} t @param {string[]} options */
  static async start(t, ...options) {
    const server = new Server(options.length > 0 ? options : ['--listen', '127.0.0.1:0']);
    t.after(() => server.end('SIGKILL'));
    for await (const line of createInterface({ input: server.#child.stdout })) {
      const [word, kind, address] = line.split(' ');
      if (word === 'listening') {
        const scheme = { tcp: 'linebus://', tls: 'linebuss://', unix: 'unix:' }[kind ?? ''];
        server.urls.push(`${scheme}${address}`);
      }
      if (line === 'ready') {
        return server;
      }
    }
    throw new Error('the bus ended before it was ready');
  }

  /** The same with a configuration. @param {TestContext} t @param {string} inFolder @param {string} text */
  static async configured(t, inFolder, text) {
    const file = path.join(inFolder, 'linebus.toml');
    writeFileSync(file, text);
    return Server.start(t, '--config', file, '--listen', '127.0.0.1:0');
  }

  get url() {
    return this.urls[0] ?? '';
  }

  /** Ends it and waits for that. @param {NodeJS.Signals} signal @returns {Promise<void>} */
  end(signal) {
    const child = this.#child;
    return new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) {
        resolve();
        return;
      }
      child.once('exit', () => resolve());
      child.kill(signal);
    });
  }
}

/** A client that goes with the test. @param {TestContext} t @param {string} url @param {ConnectOptions} [options] */
export async function client(t, url, options) {
  const bus = await connect(url, options);
  t.after(() => bus.close());
  return bus;
}

/** Runs a program that must succeed. @param {string} program @param {string[]} words @param {string} [input] */
export function run(program, words, input = '') {
  const done = spawnSync(program, words, { input, encoding: 'utf8' });
  if (done.status !== 0) {
    throw new Error(`${program} ${words.join(' ')}: ${done.error ?? done.stderr}`);
  }
  return done.stdout;
}
