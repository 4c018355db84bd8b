// One trial of redis: looks keys up over a connection, times that, checks what was found. Knows no other trial.

import type { IoredisPackage, RedisClient } from './peer-types.js';
import { requirePeer } from './peers.js';
import { NONE, readQueries } from './queries.js';
import type { LookupResult, LookupTask } from './task.js';

type Answer = string | null;

/** Looks all keys up; gives the answers in their order. */
type Ask = (client: RedisClient, keys: readonly string[], count: number) => Promise<Answer[]>;

/** One key at a time, each after the answer to the one before. */
const single: Ask = async (client, keys) => {
  const answers: Answer[] = [];
  for (const key of keys) answers.push(await client.get(key));
  return answers;
};

const many: Ask = async (client, keys, count) => {
  const answers: Answer[] = [];
  for (let i = 0; i < keys.length; i += count) answers.push(...(await client.mget(keys.slice(i, i + count))));
  return answers;
};

const pipelined: Ask = async (client, keys, count) => {
  const answers: Answer[] = [];
  for (let i = 0; i < keys.length; i += count) {
    const pipeline = client.pipeline();
    for (const key of keys.slice(i, i + count)) pipeline.get(key);
    for (const [error, answer] of (await pipeline.exec())!) {
      if (error !== null) throw error;
      answers.push(answer);
    }
  }
  return answers;
};

async function main(): Promise<void> {
  const task = JSON.parse(process.argv[2]!) as LookupTask;
  const { Redis } = requirePeer<IoredisPackage>(task.folder!, 'ioredis');
  const client = new Redis({ host: '127.0.0.1', port: task.port, db: task.db });
  const queries = readQueries(task.queries, task.most);
  const ask = task.subject === 'redis-pipelined' ? pipelined : task.metric === 'getMany' ? many : single;
  const ns: number[] = [];
  for (let pass = -1; pass < task.passes; pass++) {
    const keys = queries.fresh();
    const start = performance.now();
    const answers = await ask(client, keys, task.count ?? 1);
    const end = performance.now();
    // The first pass only warms up.
    if (pass >= 0) ns.push(((end - start) * 1e6) / queries.count);
    for (const [i, answer] of answers.entries()) {
      const number = queries.numbers[i]!;
      const right = number === NONE ? answer === null : Number(answer) === number;
      if (!right) throw new Error(`redis: the key ${keys[i]} of number ${number} gave ${answer}`);
    }
  }
  await client.quit();
  console.log(JSON.stringify({ ns } satisfies LookupResult));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
