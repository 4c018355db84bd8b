// One process that gets a table in some way, looks one key up and ends. Loads nothing that its way does not need.

import { taskOf } from './task.js';

export type Way = 'none' | 'hmap' | 'json';

export interface Task {
  readonly way: Way;
  readonly path: string;
  readonly key: string;
}

export interface Answer {
  readonly value: number | undefined;
  /** From the start of the process, by its own clock. */
  readonly ms: number;
}

const WAYS: Record<Way, (task: Task) => Promise<number | undefined>> = {
  none: async () => undefined,
  hmap: async ({ path, key }) => {
    const { open } = await import('../../src/index.js');
    return open(path, { value: 'u32' }).get(key);
  },
  json: async ({ path, key }) => {
    const { readFileSync } = await import('node:fs');
    return new Map<string, number>(JSON.parse(readFileSync(path, 'utf8'))).get(key);
  },
};

const task = taskOf<Task>();
const value = await WAYS[task.way](task);
const answer: Answer = { value, ms: performance.now() };
process.stdout.write(`${JSON.stringify(answer)}\n`);
