/**
 * Topics, patterns and names: what they are made of, and which pattern matches which topic.
 *
 * The rules are those of the bus, checked here so that nothing is sent that it would refuse.
 */
import { BadInputError } from './errors.js';

const TOPIC_BYTES_MAX = 200;
const TOPIC_TOKENS_MAX = 16;
const NAME = /^[A-Za-z0-9_.-]{1,64}$/;
/** What nearly every topic is; any other gets a closer look. */
const PLAIN_TOPIC = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){0,15}$/;

/** Whether a user or a group may have this name. @param {unknown} name */
export function isName(name) {
  return typeof name === 'string' && NAME.test(name);
}

/**
 * Checks one topic to send to.
 *
 * @param {string} topic
 * @throws {BadInputError} says which rule it breaks
 */
export function checkTopic(topic) {
  if (typeof topic === 'string' && topic.length <= TOPIC_BYTES_MAX && PLAIN_TOPIC.test(topic)) {
    return;
  }
  checkPattern(topic);
  if (topic.startsWith('$')) {
    throw new BadInputError('bad-topic', `nobody but the bus itself sends to \`${topic}\``);
  }
  throw badTopic(topic, 'no wildcards here: name one topic');
}

/** Whether a text is a topic without wildcards. @param {string} text */
export function isTopic(text) {
  return mistakeIn(text) === undefined && !/[*>]/.test(text);
}

/**
 * Checks a topic that may have wildcards.
 *
 * @param {string} pattern
 * @throws {BadInputError} says which rule it breaks
 */
export function checkPattern(pattern) {
  const mistake = mistakeIn(pattern);
  if (mistake !== undefined) {
    throw badTopic(pattern, mistake);
  }
}

/** @param {unknown} word @param {string} why */
function badTopic(word, why) {
  const shown = typeof word === 'string' ? JSON.stringify(word.slice(0, 80)) : typeof word;
  return new BadInputError('bad-topic', `${shown} is no topic: ${why}`);
}

/** @param {unknown} word @returns {string | undefined} */
function mistakeIn(word) {
  if (typeof word !== 'string') {
    return 'a string is wanted';
  }
  const system = word.startsWith('$');
  const tokens = (system ? word.slice(1) : word).split('.');
  for (const [at, token] of tokens.entries()) {
    const wildcard = token === '*' || (token === '>' && at === tokens.length - 1);
    if (token === '') {
      return 'a topic has no empty tokens: no dot at either end and no two in a row';
    }
    if (/[^A-Za-z0-9_*>-]/.test(token)) {
      return 'a topic is made of letters, digits, _ and -, in tokens joined by dots';
    }
    if (/[*>]/.test(token) && (!wildcard || (system && at === 0))) {
      return '* stands for one whole token, > for all that follow and only at the end';
    }
  }
  if (word.length > TOPIC_BYTES_MAX) {
    return `a topic has at most ${TOPIC_BYTES_MAX} bytes`;
  }
  if (tokens.length > TOPIC_TOKENS_MAX) {
    return `a topic has at most ${TOPIC_TOKENS_MAX} tokens between its dots`;
  }
  return undefined;
}

/**
 * Whether a line sent to `topic` is one that `pattern` asks for.
 *
 * @param {string} pattern @param {string} topic
 */
export function matches(pattern, topic) {
  return fits(pattern, topic, (wanted, token) => wanted === token || wanted === '*');
}

/**
 * Whether there can be a topic that both patterns match.
 *
 * @param {string} one @param {string} other
 */
export function overlap(one, other) {
  return fits(one, other, (a, b) => a === b || a === '*' || b === '*');
}

/**
 * @param {string} one @param {string} other
 * @param {(a: string, b: string) => boolean} fit
 */
function fits(one, other, fit) {
  // A wildcard in the first place does not match the bus's own topics.
  if (one.startsWith('$') !== other.startsWith('$')) {
    return false;
  }
  const [left, right] = [one.split('.'), other.split('.')];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const [a, b] = [left[at], right[at]];
    if (a === undefined || b === undefined) {
      return false;
    }
    if (a === '>' || b === '>') {
      return true;
    }
    if (!fit(a, b)) {
      return false;
    }
  }
  return true;
}
