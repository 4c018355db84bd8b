// Opens each subject that answers at once, in the child that times it. Knows how each one is asked at its fastest;
// times nothing.

import { readFileSync } from 'node:fs';
import type { Table } from 'hmap';
import { readDecimal, readLines } from './lines.js';
import type { ClassicLevelPackage, Lmdb, Sqlite } from './peer-types.js';
import { requirePeer } from './peers.js';
import type { LookupTask } from './task.js';

/** A value as a subject gives it; lmdb and others give numbers too, however they keep them. */
export type Value = number | string | Uint8Array;

export interface Held {
  get(key: string): Value | undefined;
  has?(key: string): boolean;
  getMany?(keys: readonly string[]): (Value | undefined)[];
  entries?(): Iterable<readonly [string, Value]>;
}

const CACHE_BYTES = 2 ** 29;

/**
 * V8 numbers the properties of an object in the order in which they came, in 23 bits; when these are used up, each one
 * added renumbers all.
 */
const NUMBERED = 2 ** 23 - 2;

const OPENERS: Partial<Record<LookupTask['subject'], (task: LookupTask) => Held | Promise<Held>>> = {
  async hmap({ table, values }) {
    const { open } = await import('hmap');
    if (values === 'u32') return open(table, { value: 'u32' });
    if (values === 'utf8-20') return open(table, { value: 'utf8' });
    return open(table, { value: 'bytes' }) as Table<Value>;
  },

  'hmap-js'(task) {
    process.env.HMAP_NO_CORE = '1';
    return OPENERS.hmap!(task);
  },

  Map(task) {
    const map = new Map<string, Value>();
    eachEntry(task, (key, value) => map.set(key, value));
    return map;
  },

  object(task) {
    const object: Record<string, Value> = Object.create(null);
    let count = 0;
    eachEntry(task, (key, value) => {
      const start = ++count > NUMBERED ? performance.now() : 0;
      object[key] = value;
      if (start === 0) return;
      const seconds = (performance.now() - start) / 1000;
      if (seconds > 1) throw new Error(`cannot hold so many: property ${count} took ${seconds.toFixed(1)} s to add`);
    });
    return { get: (key) => object[key] };
  },

  lmdb({ folder, table }) {
    const options = { path: table, noSubdir: true, encoding: 'binary', readOnly: true };
    const store = requirePeer<Lmdb>(folder!, 'lmdb').open(options);
    return {
      get: (key) => store.getBinaryFast(key)?.readUInt32LE(0),
      *entries() {
        for (const { key, value } of store.getRange({})) yield [key, value.readUInt32LE(0)];
      },
    };
  },

  'sqlite-memory': ({ folder, table }) => sqlite(folder!, readFileSync(table)),

  'sqlite-mmap': ({ folder, table }) => sqlite(folder!, table),

  async 'classic-level'({ folder, table }) {
    const { ClassicLevel } = requirePeer<ClassicLevelPackage>(folder!, 'classic-level');
    const level = new ClassicLevel(table, { keyEncoding: 'utf8', valueEncoding: 'utf8', cacheSize: CACHE_BYTES });
    await level.open();
    return {
      get(key) {
        const text = level.getSync(key);
        return text === undefined ? undefined : Number(text);
      },
    };
  },
};

function sqlite(folder: string, source: string | Buffer): Held {
  const Database = requirePeer<Sqlite>(folder, 'better-sqlite3');
  const database = new Database(source, { readonly: true });
  if (typeof source === 'string') {
    database.pragma(`mmap_size = ${2 ** 31}`);
    // One read transaction around all: else each lookup locks the file and unlocks it, and takes five times as long.
    database.exec('BEGIN');
  }
  const select = database.prepare('SELECT value FROM entries WHERE key = ?').pluck();
  const all = database.prepare('SELECT key, value FROM entries').raw();
  return { get: (key) => select.get(key), entries: () => all.iterate() };
}

/**
 * The entries of the source, their keys and values as a program would hold them: flat strings, and views of one buffer.
 */
function eachEntry({ source, values, entries }: LookupTask, take: (key: string, value: Value) => void): void {
  const heap = values === 'bytes-200' ? Buffer.allocUnsafeSlow(entries * 200) : undefined;
  let filled = 0;
  readLines(source, (bytes, start, keyEnd, end) => {
    const key = bytes.toString('latin1', start, keyEnd);
    if (values === 'u32') take(key, readDecimal(bytes, keyEnd + 1, end));
    else if (heap === undefined) take(key, bytes.toString('latin1', keyEnd + 1, end));
    else {
      bytes.copy(heap, filled, keyEnd + 1, end);
      take(key, heap.subarray(filled, filled + 200));
      filled += 200;
    }
  });
}

export async function openSubject(task: LookupTask): Promise<Held> {
  const opener = OPENERS[task.subject];
  if (opener === undefined) throw new Error(`${task.subject} is not opened here`);
  return opener(task);
}
