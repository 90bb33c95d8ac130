/**
 * What can be chosen when connecting, with its defaults, checked.
 *
 * @import { ConnectOptions } from 'linebus'
 */
import { BadInputError } from './errors.js';

/** The longest time that timers can wait. */
const TIMER_MAX = 2 ** 31 - 1;

const DEFAULTS = {
  reconnect: true,
  retryFirstConnection: false,
  backOffFirst: 100,
  backOffMax: 10_000,
  connectTimeout: 10_000,
  answerTimeout: 30_000,
  silenceMax: 30_000,
  unreadMax: 1024 * 1024,
  unwrittenMax: 256 * 1024,
};

/** @typedef {typeof DEFAULTS} Settings */

const OTHERS = ['user', 'password', 'ca', 'cert', 'key', 'signal'];

/**
 * @param {ConnectOptions} options
 * @returns {Settings}
 * @throws {BadInputError} names the option
 */
export function settingsFrom(options) {
  /** @type {Record<string, unknown>} */
  const settings = { ...DEFAULTS };
  for (const [name, value] of Object.entries(options)) {
    if (name in DEFAULTS) {
      if (value !== undefined) {
        checkOption(name, value, typeof settings[name]);
        settings[name] = value;
      }
    } else if (!OTHERS.includes(name)) {
      const known = [...Object.keys(DEFAULTS), ...OTHERS].join(', ');
      throw new BadInputError('bad-option', `there is no option \`${name}\`; there are ${known}`);
    }
  }
  return /** @type {Settings} */ (settings);
}

/**
 * @param {string} name @param {unknown} value @param {string} type
 * @throws {BadInputError}
 */
export function checkOption(name, value, type) {
  const good = typeof value === type && (type !== 'number' || Number(value) > 0);
  if (!good) {
    const wanted = type === 'boolean' ? 'true or false' : 'a number above 0';
    throw new BadInputError('bad-option', `\`${name}\`: ${wanted} is wanted`);
  }
}

/**
 * Calls back after so many milliseconds; never, if they are more than a timer can count.
 *
 * @param {number} ms @param {() => void} callback
 */
export function after(ms, callback) {
  return ms > TIMER_MAX ? undefined : setTimeout(callback, ms);
}
