/** The real processes: a demonstration of its own for each test, on free ports, in a folder of its own. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** What is awaited has to come within this. */
export const WITHIN = 20_000;

/** The folder of the programs `rooms` and `linebus`. */
function programs() {
  const folder = process.env.ROOMS_BIN;
  if (!folder) {
    throw new Error('ROOMS_BIN is to be the folder of the programs; `cargo xtask browser` builds them and says so');
  }
  return path.resolve(folder);
}

/** The file of one of the demonstration's rooms, to be changed. @param {string} room */
export function roomFile(room) {
  return readFileSync(new URL(`../../rooms/demo/${room}.toml`, import.meta.url), 'utf8');
}

/** A program that answers `ready`; what it has said until then. */
function ready(child, name) {
  return new Promise((resolve, reject) => {
    const said = [];
    const late = setTimeout(() => reject(new Error(`${name} is not ready in time: ${said.join(' / ')}`)), WITHIN);
    child.once('exit', () => reject(new Error(`${name} ended before it was ready: ${said.join(' / ')}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.push(line);
      if (line === 'ready') {
        clearTimeout(late);
        resolve(said.join('\n'));
      }
    });
  });
}

export class House {
  #demo;
  #folder;
  #bus;
  /** What was started again: name and process. */
  #again = new Map();

  /** Starts it; `rooms` are files in place of the demonstration's or beside them. */
  static async start(rooms = {}) {
    const house = new House();
    house.#folder = mkdtempSync(path.join(tmpdir(), 'rooms-browser-'));
    mkdirSync(path.join(house.#folder, 'rooms'));
    for (const [name, text] of Object.entries(rooms)) {
      writeFileSync(path.join(house.#folder, 'rooms', name), text);
    }
    const options = ['--listen', '127.0.0.1:0', '--speed', '4', '--folder', house.#folder];
    house.#demo = spawn(path.join(programs(), 'rooms'), ['demo', ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
    process.once('exit', house.#killed);
    try {
      const said = await ready(house.#demo, 'the demonstration');
      house.url = /http:\/\/[^/]+/.exec(said)[0];
      house.password = /password (\S+)/.exec(said)[1];
      house.#bus = /telnet (\S+) (\d+)/.exec(said).slice(1);
      await house.#free();
      return house;
    } catch (error) {
      await house.end();
      throw error;
    }
  }

  /** Waits until the demonstration's rooms can be called. */
  async #free() {
    const bus = await this.bus('rooms');
    bus.say('send syslib give me everything');
    const rooms = ['lisbon', 'nairobi', 'oslo', 'sao-paulo', 'toronto', 'vienna'];
    await Promise.all(rooms.map((room) => bus.heard(new RegExp(`^recv rooms room ${room} free `))));
    bus.close();
  }

  /** Ends all of it, and waits for that. */
  async end() {
    process.off('exit', this.#killed);
    for (const child of [...this.#again.values(), this.#demo]) {
      if (child.exitCode === null && child.signalCode === null) {
        await new Promise((resolve) => {
          child.once('exit', resolve);
          child.kill('SIGTERM');
        });
      }
    }
    rmSync(this.#folder, { recursive: true });
  }

  /** Where this process is going to end by itself. */
  #killed = () => {
    for (const child of [...this.#again.values(), this.#demo]) {
      child.kill('SIGTERM');
    }
  };

  /** The processes that the demonstration has started: what each does, and its number. */
  #parts() {
    const { pid } = this.#demo;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return children.map((child) => [readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0').slice(0, -1), Number(child)]);
  }

  /** Kills one part: `serve` (the bus), `devices` (the interface process) or `panel`. It can be started again as it was. */
  async kill(part) {
    const [command, pid] = this.#parts().find(([words]) => words[1] === part);
    process.kill(pid, 'SIGKILL');
    return () => this.#startAgain(part, command);
  }

  async #startAgain(part, command) {
    const where = { serve: this.#bus.join(':'), panel: new URL(this.url).host }[part];
    const [program, ...words] = command;
    if (where) {
      words[words.indexOf('--listen') + 1] = where;
    }
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#again.set(part, child);
    await ready(child, part);
  }

  /** A connection to the bus. */
  bus(...topics) {
    return Bus.connect(this.#bus, topics);
  }
}

/** A plain connection, as somebody with telnet has it. */
class Bus {
  /** Each line that has come, and when. */
  lines = [];
  #socket;
  #waiting = new Set();

  static async connect([host, port], topics) {
    const bus = new Bus();
    bus.#socket = createConnection(Number(port), host);
    createInterface({ input: bus.#socket }).on('line', (line) => {
      bus.lines.push({ line, at: performance.now() });
      bus.#waiting.forEach((look) => look());
    });
    for (const topic of topics) {
      bus.say(`recv ${topic}`);
      await bus.heard(`ok recv ${topic}`);
    }
    return bus;
  }

  say(line) {
    this.#socket.write(`${line}\r\n`);
  }

  /** The first line since `from` that is or matches this. */
  heard(wanted, from = 0) {
    const fits = ({ line }) => (wanted instanceof RegExp ? wanted.test(line) : line === wanted);
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.lines.slice(from).find(fits);
        if (found) {
          clearTimeout(late);
          this.#waiting.delete(look);
          resolve(found);
        }
      };
      const late = setTimeout(() => {
        this.#waiting.delete(look);
        const last = this.lines.slice(-5).map(({ line }) => line);
        reject(new Error(`the bus has not said ${wanted}, but at last:\n${last.join('\n')}`));
      }, WITHIN);
      this.#waiting.add(look);
      look();
    });
  }

  /** An order to the simulator, answered. */
  async order(words) {
    const from = this.lines.length;
    this.say(`send simulator ${words}`);
    await this.heard(`recv simulator ok ${words}`, from);
  }

  close() {
    this.#socket.destroy();
  }
}
