// Holds the words of the accounting in one way, in a process of its own, and reports how much its memory grew. Knows
// ways to hold them.

import { readFileSync } from 'node:fs';
import { type Layout, type ListType, open, type ValueType } from 'hmap';
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
  readonly value?: ValueType | ListType;
  /**
   * Of the file; a list is asked for what stands at a word's number, a bit array whether the number is there. Without
   * one, by hash.
   */
  readonly layout?: Layout;
  /** Whether the file has fingerprints in place of keys. */
  readonly fingerprint?: boolean;
  /** Hold the small table once more instead: what the measurement itself adds. */
  readonly control?: boolean;
  /** Where the package is installed. */
  readonly folder?: string;
}

export interface Held {
  readonly pss: number | undefined;
  /** How much of it are pages of the table's file. */
  readonly mapped?: number;
  /** Bytes of the database, where that is one. */
  readonly bytes?: number;
}

type Get = (word: string, number: number) => unknown;

const task = taskOf<HoldTask>();
const lines = readFileSync(task.tsv);

/** Each word anew, as a string that nothing else keeps. */
function eachWord(take: (word: string, number: number) => void, most = Number.POSITIVE_INFINITY): void {
  let number = 0;
  for (let start = 0; start < lines.length && number < most; number++) {
    const end = lines.indexOf(0x0a, start);
    take(lines.toString('latin1', start, lines.indexOf(0x09, start)), number);
    start = end + 1;
  }
}

let database: { serialize(): Uint8Array } | undefined;

const HOLDERS: Record<Holder, (most: number) => Get> = {
  hmap(most) {
    const path = most < Number.POSITIVE_INFINITY || task.control === true ? task.small! : task.table!;
    if (task.layout === 'list') {
      const list = open(path, { layout: 'list' });
      return (_, number) => list.get(number);
    }
    if (task.layout === 'bits') {
      const bits = open(path, { layout: 'bits' });
      return (_, number) => bits.has(number);
    }
    const table = task.fingerprint ? open(path, { fingerprint: true }) : open(path);
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

/** Whether a holder gave the number, or what it has in its stead. Makes no text of numbers: V8 would keep that. */
function isRight(found: unknown, word: string, number: number): boolean {
  if (task.value === 'none') return found === true;
  if (task.layout === 'list' && task.value === 'utf8') return found === word;
  return found !== undefined && Number(found instanceof Uint8Array ? Buffer.from(found).toString() : found) === number;
}

function lookUp(get: Get, most: number): void {
  eachWord((word, number) => {
    const found = get(word, number);
    if (number < most && !isRight(found, word, number)) throw new Error(`${word} gave ${String(found)}, not ${number}`);
  });
}

function memory(): number | undefined {
  // The last resort: also gives back the room that the heap keeps for garbage to come, which differs from run to run.
  for (let i = 0; i < 3; i++) globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  return pssOf('self');
}

/** The part of this process' memory that is pages of a file. */
function mappedPages(path: string): number {
  let sum = 0;
  let inside = false;
  for (const line of readFileSync('/proc/self/smaps', 'utf8').split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) inside = line.endsWith(path);
    else if (inside && line.startsWith('Pss:')) sum += 1024 * Number.parseInt(line.slice(4), 10);
  }
  return sum;
}

/** Entries of what is held to warm up: code and room for garbage are then there, and do not count. */
const WARM = 1000;
const warm = HOLDERS[task.holder](WARM);
for (let i = 0; i < 20; i++) lookUp(warm, WARM);
const before = memory();
const get = HOLDERS[task.holder](Number.POSITIVE_INFINITY);
const most = task.control === true ? WARM : Number.POSITIVE_INFINITY;
lookUp(get, most);
const after = memory();
const held: Held = {
  pss: before === undefined || after === undefined ? undefined : after - before,
  ...(after !== undefined && task.holder === 'hmap' && { mapped: mappedPages(task.table!) }),
  ...(database !== undefined && { bytes: database.serialize().length }),
};
console.log(JSON.stringify(held));
// After the measurement, so that all is held until then.
lookUp(get, most);
warm('', 0);
