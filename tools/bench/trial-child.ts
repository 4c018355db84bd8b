// One trial: opens a subject, looks keys up in it, times that, checks what was found. Knows no other trial.

import { VALUE_BYTES } from './data.js';
import { writeText } from './generate.js';
import { readLines } from './lines.js';
import { countPresent, getBytes, getManyNumbers, getNumbers, getTexts, iterateNumbers, weight } from './passes.js';
import { NONE, type Queries, readQueries } from './queries.js';
import { type Held, openSubject, type Value } from './subjects.js';
import type { LookupResult, LookupTask } from './task.js';

declare const gc: () => void;

const GETTERS = { u32: getNumbers, 'utf8-20': getTexts, 'bytes-200': getBytes };

/** Untimed lookups before each timed one, twice over, so that what is timed is compiled. */
const WARM_UP = 100_000;

/**
 * One pass over all keys, or the first ones: does all that must not be timed. What it gives is timed, and gives a sum
 * of what it found.
 */
type Prepare = (most?: number) => () => number;

function lookupPass(task: LookupTask, table: Held, queries: Queries): Prepare {
  const { metric, values, count } = task;
  if (metric === 'getMany') {
    return (most) => {
      const batches = inBatches(queries.fresh(most), count!);
      return () => getManyNumbers(table, batches);
    };
  }
  const pass = metric === 'has' ? countPresent : GETTERS[values];
  return (most) => {
    const keys = queries.fresh(most);
    return () => pass(table, keys);
  };
}

function inBatches(keys: readonly string[], count: number): string[][] {
  return Array.from({ length: Math.ceil(keys.length / count) }, (_, i) => keys.slice(i * count, (i + 1) * count));
}

/** Compares every single value with the one it must be; gives the sum that a pass must have. */
function check(task: LookupTask, table: Held, queries: Queries): number {
  const expected = Buffer.alloc(VALUE_BYTES[task.values]);
  const keys = queries.fresh();
  let sum = 0;
  for (const [i, key] of keys.entries()) {
    const number = queries.numbers[i]!;
    const found = table.get(key);
    if (!isRight(found, number, expected, task)) {
      throw new Error(`${task.subject}: the key ${key} of number ${number} gave ${found}`);
    }
    sum += task.metric === 'has' ? (found === undefined ? 0 : 1) : weight(found);
  }
  return sum;
}

function isRight(found: Value | undefined, number: number, expected: Buffer, { values }: LookupTask): boolean {
  if (number === NONE) return found === undefined;
  if (values === 'u32') return found === number;
  writeText(number, expected, 0, expected.length);
  return values === 'utf8-20' ? found === expected.toString('latin1') : expected.equals(found as Uint8Array);
}

/** The sum of all entries' numbers and of their keys' lengths, from the source. */
function sumOfAll(tsv: string, entries: number): number {
  let sum = (entries * (entries - 1)) / 2;
  readLines(tsv, (_, start, keyEnd) => {
    sum += keyEnd - start;
  });
  return sum;
}

/** Times passes; gives what each took, in nanoseconds. */
function timePasses(prepare: Prepare, passes: number, expected: number): number[] {
  for (let i = 0; i < 2; i++) prepare(WARM_UP)();
  return Array.from({ length: passes }, () => {
    const pass = prepare();
    // The garbage of making the keys must not be collected while the clock runs.
    gc();
    const start = performance.now();
    const sum = pass();
    const end = performance.now();
    if (sum !== expected) throw new Error(`the values add up to ${sum}, not to ${expected}`);
    return (end - start) * 1e6;
  });
}

/** Entries that one timed pass goes through, at least: a small table is gone through several times. */
const ITERATED = 500_000;

function iterations(task: LookupTask, table: Held): number[] {
  const times = Math.ceil(ITERATED / task.entries);
  const prepare: Prepare = () => () => {
    let sum = 0;
    for (let i = 0; i < times; i++) sum += iterateNumbers(table);
    return sum;
  };
  const expected = sumOfAll(task.source, task.entries) * times;
  return timePasses(prepare, task.passes, expected).map((time) => time / (task.entries * times));
}

function lookups(task: LookupTask, table: Held): number[] {
  const queries = readQueries(task.queries, task.most);
  const expected = check(task, table, queries);
  const times = timePasses(lookupPass(task, table, queries), task.passes, expected);
  return times.map((time) => time / queries.count);
}

async function main(): Promise<void> {
  const task = JSON.parse(process.argv[2]!) as LookupTask;
  const table = await openSubject(task);
  const ns = task.metric === 'iterate' ? iterations(task, table) : lookups(task, table);
  console.log(JSON.stringify({ ns } satisfies LookupResult));
  // Some peers keep a process alive until they are closed; nothing is lost with these.
  process.exit(0);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
