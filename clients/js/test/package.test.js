/** The package as a new user gets it: what it holds, and what its README says. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import * as linebus from 'linebus';

import { Server, folder, run } from './server.js';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const read = (/** @type {string} */ name) => readFileSync(path.join(PACKAGE, name), 'utf8');

/** Each example of the README and what it prints. */
function examples() {
  const found = [
    ...read('README.md').matchAll(/^( *)```js\n(.*?)^\1```\n(.*?)^\1```text\n(.*?)^\1```/gms),
  ];
  return found.map(([, indent = '', code = '', , output = '']) => {
    const plain = (/** @type {string} */ text) =>
      text.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    return { code: plain(code), output: plain(output) };
  });
}

test('installed into an empty folder, it does what its README says', async (t) => {
  const { url } = await Server.start(t);
  const inFolder = folder(t);
  const [packed] = JSON.parse(
    run('npm', ['pack', '--json', '--pack-destination', inFolder, PACKAGE]),
  );
  const files = packed.files.map((/** @type {{ path: string }} */ file) => file.path).sort();
  const sources = readdirSync(path.join(PACKAGE, 'src')).map((name) => `src/${name}`);
  const wanted = [
    'LICENSE-APACHE',
    'LICENSE-MIT',
    'README.md',
    'linebus.d.ts',
    'package.json',
    ...sources,
  ];
  assert.deepEqual(files, wanted.sort());
  writeFileSync(path.join(inFolder, 'package.json'), '{}');
  run('npm', [
    'install',
    '--offline',
    '--no-audit',
    '--no-fund',
    '--prefix',
    inFolder,
    path.join(inFolder, packed.filename),
  ]);

  const all = examples();
  const count = read('README.md').match(/```js\n/g)?.length;
  assert.ok(all.length > 3 && all.length === count, 'each example says what it prints');
  for (const { code, output } of all) {
    const file = path.join(inFolder, 'example.mjs');
    writeFileSync(file, code.replaceAll('linebus://127.0.0.1:5463', url));
    const env = { ...process.env, LINEBUS_URL: url };
    const done = spawnSync(process.execPath, [file], {
      cwd: inFolder,
      env,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.deepEqual([done.stdout, done.stderr], [output, ''], code);
  }
});

test('what the types promise is exported, and nothing else', () => {
  const types = read('linebus.d.ts');
  const promised = [...types.matchAll(/^export (?:function|class) (\w+)/gm)].map(
    ([, name]) => name,
  );
  assert.deepEqual(Object.keys(linebus).sort(), promised.sort());
});

test('its version is that of the bus', () => {
  const [, version] = /^version = "(.*)"$/m.exec(read('../../Cargo.toml')) ?? [];
  assert.equal(JSON.parse(read('package.json')).version, version);
  assert.equal(JSON.parse(read('package-lock.json')).version, version);
});

test('the lines and what they mean know no platform', () => {
  for (const name of readdirSync(path.join(PACKAGE, 'src'))) {
    const text = read(`src/${name}`);
    assert.ok(text.startsWith('/**'), `${name} begins by saying what it is`);
    if (name !== 'node.js') {
      assert.doesNotMatch(text, /from 'node:|\bBuffer\.|\bprocess\./, name);
    }
  }
});
