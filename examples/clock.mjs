#!/usr/bin/env node
// Tells the time to who asks: node clock.mjs [HOST PORT]
import net from 'node:net';
import { createInterface } from 'node:readline';

const [host, port] = process.argv.length > 3 ? process.argv.slice(2) : ['127.0.0.1', 5463];
const bus = net.connect({ host, port });
bus.write('recv clock\n');
for await (const line of createInterface({ input: bus })) {
  if (line === 'recv clock time?') bus.write(`send clock ${new Date().toISOString().slice(11, 19)}\n`);
}
