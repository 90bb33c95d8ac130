/**
 * Where a bus is and who one is there, read from what people write.
 *
 * Not the platform's `URL`: that knows neither `unix:/path` nor `host:port`, and lets a password
 * be anything. Passwords are kept out of everything that is printed.
 *
 * @import { Place, Credentials } from 'linebus'
 */
import { BadInputError } from './errors.js';
import { isLineText } from './lines.js';
import { isName } from './topics.js';

const PORT = 5463;
const TLS_PORT = 5464;

/**
 * `linebus://[user[:password]@]host[:port]`, `linebuss://…`, `unix:/path` or `host:port`.
 *
 * @param {string} url
 * @returns {{ place: Place, credentials: Credentials | undefined }}
 * @throws {BadInputError} says what would be right
 */
export function parseUrl(url) {
  const text = String(url).trim();
  const scheme = /^(linebuss?):\/\//.exec(text)?.[1];
  if (scheme) {
    return parseAuthority(text.slice(scheme.length + 3), scheme === 'linebuss');
  }
  if (text.startsWith('unix:')) {
    return parseUnix(text.slice('unix:'.length));
  }
  const other = /^(.*?):\/\//.exec(text)?.[1];
  if (other !== undefined) {
    const right = 'linebus://host:port, linebuss://host:port, unix:/path or host:port';
    throw badUrl(`\`${other}:\` is not how a bus is reached; write ${right}`);
  }
  return parseAuthority(text, false);
}

/**
 * @param {string} user @param {string | undefined} password
 * @returns {Credentials}
 */
export function checkCredentials(user, password) {
  if (!isName(user)) {
    throw badUrl('a user name is 1 to 64 letters, digits, _ . or -');
  }
  if (password !== undefined && !(typeof password === 'string' && isLineText(password))) {
    throw badUrl(
      'a password is text without control characters; write other bytes as %XX, in UTF-8',
    );
  }
  return { user, password };
}

/** How errors name a place: `127.0.0.1:5463`. @param {Place} place */
export function addressOf(place) {
  if ('path' in place) {
    return `unix:${place.path}`;
  }
  return place.host.includes(':') ? `[${place.host}]:${place.port}` : `${place.host}:${place.port}`;
}

/** @param {string} rest @param {boolean} tls */
function parseAuthority(rest, tls) {
  const { credentials, after } = splitCredentials(rest);
  const slash = after.indexOf('/');
  const authority = slash < 0 ? after : after.slice(0, slash);
  const path = slash < 0 ? '' : after.slice(slash);
  if (path.length > 1) {
    const why = `nothing may follow the port, but \`${path}\` does; topics are not part of the URL`;
    throw badUrl(why);
  }
  const { host, port } = splitPort(authority, tls ? TLS_PORT : PORT);
  return { place: { host, port, tls }, credentials };
}

/** `/path`, `//[user[:password]@]/path`, or a relative path. @param {string} rest */
function parseUnix(rest) {
  const { credentials, after } = rest.startsWith('//')
    ? splitCredentials(rest.slice(2))
    : { credentials: undefined, after: rest };
  if (after === '') {
    throw badUrl('the path is missing; write unix:/path/to/socket');
  }
  return { place: { path: after }, credentials };
}

/** @param {string} rest @returns {{ credentials: Credentials | undefined, after: string }} */
function splitCredentials(rest) {
  // The last @, because people forget to write the one in their password as %40.
  const at = rest.lastIndexOf('@');
  if (at < 0) {
    return { credentials: undefined, after: rest };
  }
  const login = rest.slice(0, at);
  const colon = login.indexOf(':');
  const user = colon < 0 ? login : login.slice(0, colon);
  const password = colon < 0 ? undefined : (decode(login.slice(colon + 1)) ?? '\0');
  return { credentials: checkCredentials(decode(user) ?? '', password), after: rest.slice(at + 1) };
}

/** Undoes `%XX`; undefined for what is not UTF-8. @param {string} word */
function decode(word) {
  try {
    // A % that begins nothing stands for itself.
    return decodeURIComponent(word.replace(/%(?![0-9A-Fa-f]{2})/g, '%25'));
  } catch {
    return undefined;
  }
}

/** @param {string} authority @param {number} defaultPort */
function splitPort(authority, defaultPort) {
  const found = /^(?:\[([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\]|([\p{L}\p{N}._-]*))(?::([^:]*))?$/u.exec(
    authority,
  );
  if (!found) {
    const example = `IPv6 addresses stand in brackets, as in linebus://[::1]:${PORT}`;
    throw badUrl(`\`${authority}\` is no host; ${example}`);
  }
  const host = found[1] ?? found[2] ?? '';
  if (host === '') {
    const example = `linebus://127.0.0.1:${PORT}`;
    throw badUrl(`the host is missing; write linebus://host:port, such as ${example}`);
  }
  const word = found[3];
  const port = word === undefined ? defaultPort : /^\+?\d+$/.test(word) ? Number(word) : 0;
  if (port < 1 || port > 65535) {
    throw badUrl(`\`${word}\` is no port; a port is a number from 1 to 65535, usually ${PORT}`);
  }
  return { host, port };
}

/** @param {string} why */
function badUrl(why) {
  return new BadInputError('bad-url', why);
}
