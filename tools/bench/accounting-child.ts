// Holds the words of the accounting in one way, in a process of its own, and tells how much its memory grew. Knows ways to hold them.

import { readFileSync } from 'node:fs';
import { open, type ValueType } from '../../src/index.js';
import { pssOf } from '../demo/memory.js';
import type { Sqlite } from './peer-types.js';
import { requirePeer } from './peers.js';
import { taskOf } from './task-of.js';

export type Holder = 'hmap' | 'Map' | 'object' | 'sqlite';

export interface HoldTask {
  readonly holder: Holder;
  /** Lines of a word, a tab and its number. */
  readonly tsv: string;
  /** The file, and a small one to warm up with. */
  readonly table?: string;
  readonly small?: string;
  readonly value?: ValueType;
  /** Where the package is installed. */
  readonly folder?: string;
}

export interface Held {
  readonly pss: number | undefined;
  /** Bytes of the database, where that is one. */
  readonly bytes?: number;
}

type Get = (key: string) => unknown;

const task = taskOf<HoldTask>();
const lines = readFileSync(task.tsv);

/** Each word anew, as a string that nothing else keeps. */
function eachWord(take: (word: string, number: number) => void, most = Number.POSITIVE_INFINITY): void {
  let number = 0;
  for (let start = 0; start < lines.length && number < most; number++) {
    const end = lines.indexOf(0x0a, start);
    take(lines.latin1Slice(start, lines.indexOf(0x09, start)), number);
    start = end + 1;
  }
}

let database: { serialize(): Uint8Array } | undefined;

const HOLDERS: Record<Holder, (most: number) => Get> = {
  hmap(most) {
    const table = open(most < Number.POSITIVE_INFINITY ? task.small! : task.table!);
    return (key) => table.get(key);
  },
  Map(most) {
    const map = new Map<string, number>();
    eachWord((word, number) => map.set(word, number), most);
    return (key) => map.get(key);
  },
  object(most) {
    const object: Record<string, number> = Object.create(null);
    eachWord((word, number) => {
      object[word] = number;
    }, most);
    return (key) => object[key];
  },
  sqlite(most) {
    const made = new (requirePeer<Sqlite>(task.folder!, 'better-sqlite3'))(':memory:');
    made.exec('CREATE TABLE entries (key TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID; BEGIN');
    const insert = made.prepare('INSERT INTO entries VALUES (?, ?)');
    eachWord((word, number) => insert.run(word, number), most);
    made.exec('COMMIT');
    database = made as unknown as typeof database;
    const select = made.prepare('SELECT value FROM entries WHERE key = ?').pluck();
    return (key) => select.get(key);
  },
};

/** What the types give for a number. */
function expected(number: number, value: ValueType | undefined): unknown {
  if (value === 'none') return true;
  if (value === 'u64' || value === 'i64') return BigInt(number);
  return value === 'utf8' ? String(number) : number;
}

function lookUp(get: Get, most: number): void {
  eachWord((word, number) => {
    const found = get(word);
    const value = found instanceof Uint8Array ? Number(Buffer.from(found).toString()) : found;
    if (number < most && value !== expected(number, task.value)) {
      throw new Error(`${word} gave ${String(found)}, not ${number}`);
    }
  });
}

function memory(): number | undefined {
  globalThis.gc?.();
  globalThis.gc?.();
  return pssOf('self');
}

/** Entries of what is held to warm up: code and room for garbage are then there, and do not count. */
const WARM = 1000;
const warm = HOLDERS[task.holder](WARM);
for (let i = 0; i < 3; i++) lookUp(warm, WARM);
const before = memory();
const get = HOLDERS[task.holder](Number.POSITIVE_INFINITY);
lookUp(get, Number.POSITIVE_INFINITY);
const after = memory();
const held: Held = {
  pss: before === undefined || after === undefined ? undefined : after - before,
  ...(database !== undefined && { bytes: database.serialize().length }),
};
console.log(JSON.stringify(held));
// After the measurement, so that all is held until then.
lookUp(get, Number.POSITIVE_INFINITY);
warm('');
