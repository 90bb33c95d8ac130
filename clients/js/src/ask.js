/**
 * Question and answers over topics. A convention between programs; to the bus these are topics
 * and messages like any other.
 *
 * @import { Link } from './link.js'
 * @import { Joined } from './subscriptions.js'
 */
import { TimeoutError } from './errors.js';
import { sendLine } from './protocol.js';
import { after, checkOption } from './settings.js';
import { isTopic } from './topics.js';

/** The message that ends the answers. */
const DONE = 'done';

/**
 * Joins a new reply topic, asks, and yields the answers.
 *
 * @param {Link} link @param {string} topic @param {string} message
 * @param {{ timeout?: number, signal?: AbortSignal }} options
 * @returns {AsyncGenerator<string, void, undefined>}
 */
export async function* ask(link, topic, message, { timeout = 10_000, signal }) {
  checkOption('timeout', timeout, 'number');
  signal?.throwIfAborted();
  const replyTopic = inventReplyTopic();
  // What can't be sent is refused before anything is joined.
  const line = sendLine(topic, message, replyTopic);
  const giveUp = new AbortController();
  const timer = after(timeout, () => {
    const why = `the answers were not complete within ${timeout} ms`;
    giveUp.abort(new TimeoutError('ask-timeout', why));
  });
  const abort = () => giveUp.abort(signal?.reason);
  signal?.addEventListener('abort', abort);
  /** @type {Joined | undefined} */
  let reply;
  try {
    reply = await link.joinReply(replyTopic, giveUp.signal);
    giveUp.signal.throwIfAborted();
    const { queue } = reply;
    giveUp.signal.addEventListener('abort', () => queue.end(giveUp.signal.reason));
    link.outgoing.send(line).catch((error) => queue.end(error));
    for await (const { text } of queue) {
      if (text === DONE) {
        return;
      }
      yield text;
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    if (reply) {
      link.leaveUnasked(reply);
    }
  }
}

/** Unguessable: 128 random bits. */
function inventReplyTopic() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `_reply.${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** @type {typeof import('linebus').splitReply} */
export function splitReply(message) {
  const at = message.lastIndexOf(' @');
  const topic = message.slice(at + 2);
  return at >= 0 && isTopic(topic)
    ? { text: message.slice(0, at), replyTopic: topic }
    : { text: message, replyTopic: undefined };
}
