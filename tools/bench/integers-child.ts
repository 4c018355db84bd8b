// One process that builds from integers: pairs or a set of u64 keys, as objects or as columns. Once, and without a
// warm-up, as a program does it.

import { type BuildOptions, build, type EntryColumns } from 'hmap';
import { STEP } from './integer-keys.js';
import { taskOf } from './task-of.js';

export interface Task {
  readonly entries: number;
  readonly output: string;
  /** Whether there are values, of u32; else the keys are a set. */
  readonly values: boolean;
  readonly columns: boolean;
  /** In how many files, in a folder; without it, in one. */
  readonly shards?: number;
}

export interface Answer {
  readonly seconds: number;
  /** Of physical memory, in bytes. */
  readonly peak: number;
}

const CHUNK = 65_536;

function* keys(entries: number): Generator<bigint> {
  let key = 1n;
  for (let i = 0; i < entries; i++) {
    yield key;
    key = BigInt.asUintN(64, key + STEP);
  }
}

function* pairs(entries: number): Generator<[bigint, number]> {
  let i = 0;
  for (const key of keys(entries)) yield [key, i++];
}

function* chunks(entries: number, withValues: boolean): Generator<EntryColumns> {
  let key = 1n;
  for (let done = 0; done < entries; done += CHUNK) {
    const count = Math.min(CHUNK, entries - done);
    const chunk = new BigUint64Array(count);
    const values = new Uint32Array(withValues ? count : 0);
    for (let i = 0; i < count; i++) {
      chunk[i] = key;
      key = BigInt.asUintN(64, key + STEP);
    }
    for (let i = 0; i < values.length; i++) values[i] = done + i;
    yield withValues ? { keys: chunk, values } : { keys: chunk };
  }
}

async function run({ entries, output, values, columns, shards }: Task): Promise<Answer> {
  const options: BuildOptions = { key: 'u64', value: values ? 'u32' : 'none', ...(shards && { shards }) };
  const source = columns ? chunks(entries, values) : values ? pairs(entries) : keys(entries);
  const start = performance.now();
  const summary = await build(output, source as Iterable<[bigint, number]>, options);
  const seconds = (performance.now() - start) / 1000;
  if (summary.entries !== entries) throw new Error(`${summary.entries} entries of ${entries}`);
  return { seconds, peak: process.resourceUsage().maxRSS * 1024 };
}

console.log(JSON.stringify(await run(taskOf<Task>())));
