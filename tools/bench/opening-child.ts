// One process that opens a table twice.

import { open } from 'hmap';
import { taskOf } from './task-of.js';

export interface Task {
  readonly table: string;
}

/** Milliseconds. */
export interface Answer {
  readonly first: number;
  readonly second: number;
}

const { table: path } = taskOf<Task>();
const start = performance.now();
const one = open(path, { value: 'u32' });
const opened = performance.now();
const two = open(path, { value: 'u32' });
const again = performance.now();
const answer: Answer = { first: opened - start, second: again - opened };
if (one.size !== two.size) throw new Error('two tables of one file differ');
console.log(JSON.stringify(answer));
