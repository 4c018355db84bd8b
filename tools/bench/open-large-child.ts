// One process with a heap of some size that opens files, each for the first time.

import { setTimeout } from 'node:timers/promises';
import { open } from 'hmap';
import { taskOf } from './task-of.js';

export interface Task {
  /** A small file, opened first: so that the code has run once. */
  readonly model: string;
  readonly paths: readonly string[];
  /** What is put on the heap before. */
  readonly megabytes: number;
}

export interface Answer {
  /** Milliseconds of each `open`. */
  readonly ms: readonly number[];
}

const { model, paths, megabytes } = taskOf<Task>();
const keep: unknown[] = [];
for (let i = 0; process.memoryUsage().heapUsed < megabytes * 2 ** 20; ) {
  for (const end = i + 20_000; i < end; i++) keep.push({ i, text: `x${i}`, list: [i] });
}
globalThis.gc?.();
// V8 sweeps in other threads after a collection, and these hold up whoever maps memory.
await setTimeout(1000);
open(model).close();
const ms = paths.map((path) => {
  const start = performance.now();
  const table = open(path);
  const took = performance.now() - start;
  if (table.mappingReason !== undefined) throw new Error(table.mappingReason.message);
  table.close();
  return took;
});
const answer: Answer = { ms };
if (keep.length === 1) throw new Error('the heap is empty');
console.log(JSON.stringify(answer));
