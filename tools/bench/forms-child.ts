// One process that asks one table of one form, or what a program would hold the same in without it, and times the
// lookups.

import { readFileSync } from 'node:fs';
import { open } from 'hmap';
import { type FormFile, idOf, isIn, keyOf, kindOf, numberOf, SCHEMA } from './forms-data.js';
import { scramble } from './generate.js';
import { median } from './model.js';
import { taskOf } from './task-of.js';

/** What is asked of a file; the last three are without one. */
export type Question =
  | FormFile
  | 'field'
  | 'rank'
  | 'rankMany'
  | 'select'
  | 'list getMany'
  | 'Map of numbers'
  | 'array'
  | 'Set of integers';

export interface Task {
  readonly question: Question;
  readonly path: string;
  readonly entries: number;
  readonly lookups: number;
  readonly passes: number;
  readonly seed: number;
}

export interface Answer {
  readonly ns: number;
}

/** Queries, a pass over them, and what the pass must add up to. */
interface Work {
  pass(): number;
  readonly sum: number;
}

function workOf({ question, path, entries, lookups, seed }: Task): Work {
  const indexes = Array.from({ length: lookups }, (_, i) => scramble(i ^ seed) % entries);
  const numbers = indexes.reduce((sum, index) => sum + numberOf(index), 0);
  const lengths = indexes.reduce((sum, index) => sum + kindOf(numberOf(index)).length, 0);
  // As a program has them: whole, not parts of longer strings.
  const texts = () => indexes.map((index) => Buffer.from(keyOf(index, seed)).toString('latin1'));
  const ids = () => indexes.map((index) => idOf(index, seed));
  const add = <Q>(queries: readonly Q[], ask: (query: Q) => number): (() => number) => {
    return () => {
      let sum = 0;
      for (let i = 0; i < queries.length; i++) sum += ask(queries[i]!);
      return sum;
    };
  };
  const integers = () => Array.from({ length: entries }, (_, i) => i);
  switch (question) {
    case 'u16': {
      const table = open(path, { value: 'u16' });
      return { pass: add(texts(), (key) => table.get(key)!), sum: numbers };
    }
    case 'utf8':
    case 'enum': {
      const table = open(path, { value: question });
      return { pass: add(texts(), (key) => table.get(key)!.length), sum: lengths };
    }
    case 'struct': {
      const table = open(path, { value: SCHEMA });
      return { pass: add(texts(), (key) => table.get(key)!.country), sum: numbers };
    }
    case 'field': {
      const table = open(path, { value: SCHEMA });
      return { pass: add(texts(), (key) => table.field(key, 'country')!), sum: numbers };
    }
    case 'u32 keys': {
      const table = open(path, { value: 'u16', key: 'u32' });
      return { pass: add(ids(), (key) => table.get(key)!), sum: numbers };
    }
    case 'list u10': {
      const list = open(path, { layout: 'list', value: 'u10' });
      return { pass: add(indexes, (index) => list.get(index)!), sum: numbers };
    }
    case 'list utf8': {
      const list = open(path, { layout: 'list', value: 'utf8' });
      return { pass: add(indexes, (index) => list.get(index)!.length), sum: lengths };
    }
    case 'list getMany': {
      const list = open(path, { layout: 'list', value: 'utf8' });
      const batches = batchesOf(indexes);
      const each = (sum: number, values: readonly (string | undefined)[]) =>
        values.reduce((sum, value) => sum + value!.length, sum);
      return { pass: () => batches.reduce((sum, batch) => each(sum, list.getMany(batch)), 0), sum: lengths };
    }
    case 'bits': {
      const bits = open(path, { layout: 'bits' });
      return {
        pass: add(indexes, (integer) => (bits.has(integer) ? 1 : 0)),
        sum: indexes.filter(isIn).length,
      };
    }
    case 'rank':
    case 'rankMany':
    case 'select': {
      const bits = open(path, { layout: 'bits' });
      const ones = integers().filter(isIn);
      const asked = indexes.map((index) => index % ones.length);
      if (question === 'select') {
        const right = asked.reduce((sum, k) => sum + ones[k]!, 0);
        return { pass: add(asked, (k) => bits.select(k)!), sum: right };
      }
      const of = asked.map((k) => ones[k]!);
      if (question === 'rankMany') {
        const batches = batchesOf(of);
        const each = (sum: number, ranks: Float64Array) => ranks.reduce((sum, rank) => sum + rank, sum);
        const right = asked.reduce((sum, k) => sum + k, 0);
        return { pass: () => batches.reduce((sum, batch) => each(sum, bits.rankMany(batch)), 0), sum: right };
      }
      return { pass: add(of, (integer) => bits.rank(integer)), sum: asked.reduce((sum, k) => sum + k, 0) };
    }
    case 'Map of numbers': {
      const map = new Map(integers().map((index) => [idOf(index, seed), numberOf(index)]));
      return { pass: add(ids(), (key) => map.get(key)!), sum: numbers };
    }
    case 'array': {
      const array = integers().map(numberOf);
      return { pass: add(indexes, (index) => array[index]!), sum: numbers };
    }
    case 'Set of integers': {
      const set = new Set(integers().filter(isIn));
      return { pass: add(indexes, (integer) => (set.has(integer) ? 1 : 0)), sum: indexes.filter(isIn).length };
    }
  }
}

/** As a program has them that asks for many at once. */
function batchesOf(numbers: readonly number[]): Float64Array[] {
  const batches: Float64Array[] = [];
  for (let at = 0; at < numbers.length; at += BATCH) batches.push(Float64Array.from(numbers.slice(at, at + BATCH)));
  return batches;
}

const BATCH = 1000;

function run(task: Task): Answer {
  // So that the first pass does not wait for the disk.
  if (task.path !== '') readFileSync(task.path);
  const { pass, sum } = workOf(task);
  const times: number[] = [];
  for (let i = -2; i < task.passes; i++) {
    const start = performance.now();
    const found = pass();
    const ns = ((performance.now() - start) * 1e6) / task.lookups;
    if (found !== sum) throw new Error(`${task.question}: ${found}, it should be ${sum}`);
    if (i >= 0) times.push(ns);
  }
  return { ns: median(times) };
}

console.log(JSON.stringify(run(taskOf<Task>())));
