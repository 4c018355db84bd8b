// One process that gets a table in some way, looks one key up and ends. Loads nothing that its way does not need: what
// loads is timed.

import type { Lmdb, Sqlite } from './peer-types.js';
import { taskOf } from './task-of.js';

export type Way = 'none' | 'hmap' | 'json' | 'lmdb' | 'sqlite';

export interface Task {
  readonly way: Way;
  readonly path: string;
  readonly key: string;
  /** Where the peer's package is installed. */
  readonly folder?: string;
}

export interface Answer {
  readonly value: number | undefined;
  /** From the start of the process, by its own clock. */
  readonly ms: number;
}

const WAYS: Record<Way, (task: Task) => Promise<number | undefined>> = {
  none: async () => undefined,
  async hmap({ path, key }) {
    const { open } = await import('hmap');
    return open(path, { value: 'u32' }).get(key);
  },
  async json({ path, key }) {
    const { readFileSync } = await import('node:fs');
    return new Map<string, number>(JSON.parse(readFileSync(path, 'utf8'))).get(key);
  },
  async lmdb({ path, key, folder }) {
    const { open } = await load<Lmdb>(folder!, 'lmdb');
    return open({ path, noSubdir: true, encoding: 'binary', readOnly: true }).getBinaryFast(key)?.readUInt32LE(0);
  },
  async sqlite({ path, key, folder }) {
    const Database = await load<Sqlite>(folder!, 'better-sqlite3');
    const database = new Database(path, { readonly: true });
    database.pragma(`mmap_size = ${2 ** 31}`);
    return database.prepare('SELECT value FROM entries WHERE key = ?').pluck().get(key);
  },
};

async function load<T>(folder: string, name: string): Promise<T> {
  const { createRequire } = await import('node:module');
  return createRequire(`${folder}/package.json`)(name) as T;
}

const task = taskOf<Task>();
const value = await WAYS[task.way](task);
const answer: Answer = { value, ms: performance.now() };
process.stdout.write(`${JSON.stringify(answer)}\n`);
// The threads of a peer must not keep the process.
process.exit(0);
