/** Accounts, TLS and Unix sockets, over a real bus. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';

import { connect } from 'linebus';

import { Server, binary, client, folder, run } from './server.js';

/** @import { TestContext } from 'node:test' */

const PASSWORD = 'open sesame ü@:/%';

/** A bus with accounts; alice may do some things. @param {TestContext} t @param {string} inFolder */
async function guarded(t, inFolder) {
  const users = path.join(inFolder, 'users.toml');
  const rules = ['--send', 'rooms.>', '--recv', '>', '--deny-recv', 'secret.>'];
  run(binary(), ['user', 'add', 'alice', '--file', users, ...rules], `${PASSWORD}\n`);
  run(
    binary(),
    ['user', 'add', 'root', '--file', users, '--send', '>', '--recv', '>', '--see'],
    'something else\n',
  );
  return Server.configured(t, inFolder, `users = "${users}"\n`);
}

test('a login is made, and what an account may not is refused', async (t) => {
  const { url } = await guarded(t, folder(t));
  const login = { user: 'alice', password: PASSWORD };
  await assert.rejects(connect(url), { name: 'RefusedError', code: 'login-first' });
  await assert.rejects(connect(url, { ...login, password: 'wrong' }), {
    name: 'RefusedError',
    code: 'wrong-login',
    verb: 'login',
  });
  await assert.rejects(connect(url, { user: 'alice' }), { code: 'wrong-login' });
  const alice = await client(t, url, login);
  await assert.rejects(alice.recv('secret.plan'), {
    name: 'RefusedError',
    code: 'denied',
    verb: 'recv',
  });
  await assert.rejects(alice.watch('t'), { code: 'denied' });
  await assert.rejects(alice.who(), { code: 'denied' });
  const events = alice.events();
  await alice.send('secret.plan', 'x');
  const { value: refused } = await events.next();
  assert.ok(refused?.type === 'refused');
  assert.deepEqual([refused.error.verb, refused.error.code], ['send', 'denied']);
  const named = url.replace('//', `//alice:${encodeURIComponent(PASSWORD)}@`);
  const again = await client(t, named);
  const heard = await again.recv('rooms.vienna');
  await alice.send('rooms.vienna', 'lights on');
  assert.equal((await heard.next()).value?.text, 'lights on');
});

test('a join that an account loses ends, and says why', async (t) => {
  const inFolder = folder(t);
  const { url } = await guarded(t, inFolder);
  const alice = await client(t, url, { user: 'alice', password: PASSWORD });
  const [lost, kept] = [await alice.recv('a'), await alice.recv('rooms.b')];
  const events = alice.events();
  const users = path.join(inFolder, 'users.toml');
  const text = readFileSync(users, 'utf8');
  // The bus reads the file again by itself.
  writeFileSync(users, text.replace('secret.>', 'a'));
  await assert.rejects(lost.next(), {
    name: 'RefusedError',
    code: 'denied',
    text: /you may no longer hear it/,
  });
  assert.equal((await events.next()).value?.type, 'note');
  const root = await client(t, url, { user: 'root', password: 'something else' });
  await root.send('rooms.b', 'still heard');
  assert.equal((await kept.next()).value?.text, 'still heard');
});

/** An authority, and what it signs, made by openssl(1). @param {string} inFolder */
function certificates(inFolder) {
  const file = (/** @type {string} */ name) => path.join(inFolder, name);
  const openssl = (/** @type {string[]} */ ...words) => run('openssl', words);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-subj',
    '/CN=authority',
    '-days',
    '2',
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.pem'),
  );
  for (const [name = '', extension = ''] of [
    ['bus', 'subjectAltName=IP:127.0.0.1'],
    ['alice', 'extendedKeyUsage=clientAuth'],
  ]) {
    openssl(
      'req',
      ...key,
      '-subj',
      `/CN=${name}`,
      '-keyout',
      file(`${name}.key`),
      '-out',
      file(`${name}.csr`),
    );
    writeFileSync(file('extensions'), extension);
    openssl(
      'x509',
      '-req',
      '-in',
      file(`${name}.csr`),
      '-CA',
      file('ca.pem'),
      '-CAkey',
      file('ca.key'),
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      file('extensions'),
      '-out',
      file(`${name}.pem`),
    );
  }
  return file;
}

test('over TLS the bus is who it says, and a certificate names the user', async (t) => {
  const inFolder = folder(t);
  const file = certificates(inFolder);
  const read = (/** @type {string} */ name) => readFileSync(file(name), 'utf8');
  run(binary(), [
    'user',
    'add',
    'alice',
    '--file',
    file('users.toml'),
    '--send',
    '>',
    '--recv',
    '>',
    '--see',
    '--no-password',
  ]);
  const server = await Server.configured(
    t,
    inFolder,
    `
    users = "${file('users.toml')}"
    [tls]
    listen = ["127.0.0.1:0"]
    certificate = "${file('bus.pem')}"
    key = "${file('bus.key')}"
    client_ca = "${file('ca.pem')}"
  `,
  );
  const url = server.urls.find((one) => one.startsWith('linebuss:')) ?? '';
  const plain = server.urls.find((one) => one.startsWith('linebus:')) ?? '';
  const identity = { ca: read('ca.pem'), cert: read('alice.pem'), key: read('alice.key') };

  const alice = await client(t, url, { user: 'alice', ...identity });
  const heard = await alice.watch('t');
  const other = await client(t, url.replace('//', '//alice@'), {
    ca: pathToFileURL(file('ca.pem')),
    cert: readFileSync(file('alice.pem')),
    key: pathToFileURL(file('alice.key')),
  });
  const long = 'ü'.repeat(30_000);
  await other.send('t', long);
  const { value: message } = await heard.next();
  assert.deepEqual([message?.user, message?.text], ['alice', long]);

  const from = (/** @type {string} */ name) => {
    process.env[name] = file(
      name === 'LINEBUS_CA' ? 'ca.pem' : name === 'LINEBUS_CERT' ? 'alice.pem' : 'alice.key',
    );
    t.after(() => delete process.env[name]);
  };
  const noCa = { name: 'ConnectError', code: 'connect', message: /pass `ca`/ };
  await assert.rejects(connect(url, { user: 'alice' }), noCa);
  await assert.rejects(connect(url, { user: 'alice', ca: identity.ca }), { code: 'wrong-login' });
  await assert.rejects(
    connect(url.replace('127.0.0.1', 'localhost'), { user: 'alice', ...identity }),
    { code: 'connect' },
  );
  await assert.rejects(connect(plain.replace('linebus:', 'linebuss:'), identity), {
    code: 'connect',
    message: /no TLS is spoken there/,
  });
  await assert.rejects(connect(url.replace('linebuss:', 'linebus:')), {
    name: /ConnectError|DisconnectedError/,
  });
  await assert.rejects(connect(url, { ca: 'ca.pem' }), {
    name: 'BadInputError',
    message: /`ca`: PEM text is wanted/,
  });
  await assert.rejects(connect(url, { ca: pathToFileURL(file('nothing')) }), {
    name: 'ConnectError',
    message: /`ca`: ENOENT/,
  });
  await assert.rejects(connect(url, { ...identity, key: read('bus.key') }), {
    name: 'ConnectError',
  });
  ['LINEBUS_CA', 'LINEBUS_CERT', 'LINEBUS_KEY'].forEach(from);
  const third = await client(t, url, { user: 'alice' });
  assert.equal((await third.who('t')).length, 1);
});

test('a Unix socket is as good', async (t) => {
  const socket = path.join(folder(t), 'bus');
  const { url } = await Server.start(t, '--unix', socket);
  assert.equal(url, `unix:${socket}`);
  const [alice, bob] = [await client(t, url), await client(t, `unix://bob@${socket}`)];
  const heard = await alice.watch('t');
  await bob.send('t', 'hi');
  assert.deepEqual(
    { ...(await heard.next()).value, time: '' },
    { topic: 't', text: 'hi', user: 'bob', time: '' },
  );
  assert.equal((await bob.who())[0]?.address, 'unix');
  await assert.rejects(connect('unix:/nowhere/bus'), {
    code: 'connect',
    message: /can't connect to unix:\/nowhere\/bus/,
  });
});
