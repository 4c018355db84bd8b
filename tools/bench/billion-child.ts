// One process that opens a set of u64 keys for the first time and asks for some: how long `open` takes, and how much of the
// file comes into memory.

import { open } from 'hmap';
import { Random } from './generate.js';
import { keyAt } from './integer-keys.js';
import { taskOf } from './task-of.js';

export interface Task {
  readonly table: string;
  readonly entries: number;
  readonly lookups: number;
  readonly seed: number;
}

export interface Answer {
  readonly openMs: number;
  /** What the lookups have brought into memory. */
  readonly residentBytes: number;
}

const { table: path, entries, lookups, seed } = taskOf<Task>();
const start = performance.now();
const table = open(path, { key: 'u64', value: 'none', check: 'header' });
const openMs = performance.now() - start;
const before = table.residentBytes() ?? 0;
const random = new Random(seed);
for (let i = 0; i < lookups; i++) {
  if (!table.has(keyAt(Math.floor(random.fraction() * entries)))) throw new Error('a key is missing');
}
const answer: Answer = { openMs, residentBytes: (table.residentBytes() ?? 0) - before };
if (table.has(2n)) throw new Error('a key is there that should not be');
console.log(JSON.stringify(answer));
