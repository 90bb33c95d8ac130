/**
 * How many lines of 128 bytes a second a program sends and receives: `node bench/throughput.js
 * [URL]`, over a bus that runs. Sender and receiver are this one process.
 */
import { connect } from '../src/node.js';

const COUNT = 1_000_000;
const [url] = process.argv.slice(2);
const text = 'x'.repeat(128 - 'recv bench \n'.length);

/** @param {string} what @param {() => Promise<void>} work */
async function measure(what, work) {
  const [began, cpuBefore] = [performance.now(), process.cpuUsage()];
  await work();
  const perSecond = COUNT / ((performance.now() - began) / 1000);
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpu = ((user + system) / COUNT) * 1000;
  console.log(
    `${what}: ${Math.round(perSecond)} lines/s, ${Math.round(cpu)} ns of processor time each`,
  );
}

const [receiver, sender] = [await connect(url), await connect(url)];
await measure('send, nobody listens', async () => {
  for (let number = 0; number < COUNT; number += 1) {
    await sender.send('bench', text);
  }
  await sender.ping();
});
const subscription = await receiver.recv('bench');
await measure('send and receive', async () => {
  const sending = (async () => {
    for (let number = 0; number < COUNT; number += 1) {
      await sender.send('bench', text);
    }
  })();
  let count = 0;
  for await (const message of subscription) {
    if (message.text.length !== text.length) {
      throw new Error('not what was sent');
    }
    count += 1;
    if (count === COUNT) {
      break;
    }
  }
  await sending;
});
await sender.logoff();
await receiver.logoff();
