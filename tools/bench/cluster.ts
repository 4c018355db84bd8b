// A table as a mapped file beside the same entries in a Redis cluster that hmap load has filled: lookups a second, one by one and
// many at a time, and memory. Prints a table in Markdown; native-notes/scale.md has it.
//
//     hmap load table.hmap redis://127.0.0.1:7001 --cluster
//     npm run bench:cluster -- table.hmap redis://127.0.0.1:7001

import { Redis } from 'ioredis';
import { open } from '../../src/index.js';
import { Random } from './generate.js';
import { median, spread } from './model.js';

const ROUNDS = 5;
const KEYS = 200_000;
const MANY = 1000;
/** Lookups that wait for each other; fewer, since each is a way over the network and back. */
const ONE_BY_ONE = 20_000;

async function main(): Promise<void> {
  const [path, address] = process.argv.slice(2);
  if (path === undefined || address === undefined) throw new Error('give a table and the address of a cluster');
  const table = open(path);
  const all = [...table.keys()];
  const random = new Random(7);
  const keys = Array.from({ length: KEYS }, () => all[random.below(all.length)]!);
  const url = new URL(address);
  const cluster = new Redis.Cluster([{ host: url.hostname, port: Number(url.port) }], { enableAutoPipelining: true });
  if ((await cluster.get(keys[0]!)) === null)
    throw new Error('the cluster does not have the entries; hmap load them first');
  const rates: Record<string, number[]> = { one: [], many: [], clusterOne: [], clusterMany: [] };
  const rate = (count: number, start: number) => count / ((performance.now() - start) / 1000);
  for (let round = 0; round < ROUNDS; round++) {
    let start = performance.now();
    for (const key of keys) table.get(key);
    rates.one!.push(rate(KEYS, start));
    start = performance.now();
    for (let i = 0; i < KEYS; i += MANY) table.getMany(keys.slice(i, i + MANY));
    rates.many!.push(rate(KEYS, start));
    start = performance.now();
    for (const key of keys.slice(0, ONE_BY_ONE)) await cluster.get(key);
    rates.clusterOne!.push(rate(ONE_BY_ONE, start));
    start = performance.now();
    for (let i = 0; i < KEYS; i += MANY) await Promise.all(keys.slice(i, i + MANY).map((key) => cluster.get(key)));
    rates.clusterMany!.push(rate(KEYS, start));
  }
  const used = await Promise.all(
    cluster.nodes('master').map(async (node) => Number(/used_memory:(\d+)/.exec(await node.info('memory'))![1])),
  );
  const memory = used.reduce((sum, bytes) => sum + bytes, 0);
  const shown = (values: number[]) => spread(values.map((value) => value / 1000));
  const per = (bytes: number) =>
    `${(bytes / 2 ** 20).toFixed(0)} MiB, ${(bytes / table.size).toFixed(0)} bytes an entry`;
  console.log(
    `Node ${process.version}; ${table.size} entries, ${cluster.nodes('master').length} masters on this machine\n`,
  );
  console.log('| | mapped file | cluster | ratio |\n|---|---|---|--:|');
  const ratio = (a: string, b: string) => (median(rates[a]!) / median(rates[b]!)).toFixed(0);
  console.log(
    `| thousand lookups a second, one by one | ${shown(rates.one!)} | ${shown(rates.clusterOne!)} | ${ratio('one', 'clusterOne')} |`,
  );
  console.log(
    `| ${MANY} at a time | ${shown(rates.many!)} | ${shown(rates.clusterMany!)} | ${ratio('many', 'clusterMany')} |`,
  );
  console.log(
    `| memory, of the masters | ${per(table.header.fileBytes)}, once for all processes | ${per(memory)}, and as much for each replica | ${(memory / table.header.fileBytes).toFixed(1)} |`,
  );
  cluster.disconnect();
  table.close();
}

await main();
