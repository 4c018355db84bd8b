// One process that looks the same keys up in two tables of one file, one of which checks blocks before it uses them.

import { type Check, open } from 'hmap';
import { median } from './model.js';
import { getNumbers } from './passes.js';
import { sampleLines } from './sample-keys.js';
import { taskOf } from './task-of.js';

export interface Task {
  readonly table: string;
  readonly tsv: string;
  readonly lookups: number;
  readonly seed: number;
  readonly passes: number;
}

/** Times of one table: of its first lookup in milliseconds, and of a lookup when all is warm in nanoseconds. */
interface Times {
  readonly first: number;
  readonly warm: number;
}

export interface Answer {
  readonly header: Times;
  readonly touch: Times;
  /** Of all values. */
  readonly sum: number;
}

function run({ table, tsv, lookups, seed, passes }: Task): Answer {
  const lines = sampleLines(tsv, lookups, seed);
  // As a program has them: whole, not parts of longer strings.
  const keys = lines.map(({ key }) => Buffer.from(key, 'latin1').toString('latin1'));
  // By turns the one or the other is the first to compile what both use.
  const checks: Check[] = seed % 2 === 0 ? ['header', 'touch'] : ['touch', 'header'];
  const sums = new Set<number>();
  const tables = checks.map((check) => {
    const opened = open(table, { value: 'u32', check });
    const start = performance.now();
    opened.get(keys[0]!);
    return { check, opened, first: performance.now() - start, times: [] as number[] };
  });
  for (const { opened } of tables) sums.add(getNumbers(opened, keys));
  for (let pass = 0; pass < passes; pass++) {
    for (const { opened, times } of tables) {
      const start = performance.now();
      sums.add(getNumbers(opened, keys));
      times.push(((performance.now() - start) * 1e6) / keys.length);
    }
  }
  if (sums.size !== 1) throw new Error(`different sums: ${[...sums]}`);
  const timesOf = (check: Check): Times => {
    const { first, times } = tables.find((one) => one.check === check)!;
    return { first, warm: median(times) };
  };
  return { header: timesOf('header'), touch: timesOf('touch'), sum: [...sums][0]! };
}

console.log(JSON.stringify(run(taskOf<Task>())));
