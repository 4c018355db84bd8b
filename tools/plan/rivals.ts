// What the same entries take in a Map, an object, SQLite and Redis: the sizes of single things, and of the whole. Pure
// arithmetic.

import { varintSize } from '../../src/internal.js';
import type { Facts } from './facts.js';

export interface Rival {
  readonly name: string;
  /** Predicted. */
  readonly bytes: number;
  readonly formula: string;
  readonly source: string;
}

const powerOfTwo = (least: number, n: number) => Math.max(least, 2 ** Math.ceil(Math.log2(Math.max(1, n))));
const roundUp = (bytes: number, unit: number) => Math.ceil(bytes / unit) * unit;

/** Most entries of a JavaScript Map or Set. */
const MAP_LIMIT = 2 ** 24;

/**
 * V8's sequential string: map, hash, length; then the characters. The empty one, and Latin-1 ones of one character, are
 * shared by all.
 */
export function v8String(units: number, oneByte: boolean): number {
  if (units === 0 || (units === 1 && oneByte)) return 0;
  return roundUp(16 + units * (oneByte ? 1 : 2), 8);
}

/** V8's number: within the pointer up to 31 bits and sign, else a HeapNumber, or a BigInt of one digit. */
export function v8Number(value: number | bigint): number {
  if (typeof value === 'bigint') return 24;
  return Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31 && !Object.is(value, -0) ? 0 : 16;
}

/**
 * V8's OrderedHashMap (`fields` 3: key, value, chain) or OrderedHashSet (2): grows to twice its size when full, two
 * entries a bucket.
 */
export function v8OrderedTable(entries: number, fields: 2 | 3): number {
  const capacity = powerOfTwo(4, entries);
  return 32 + 16 + 8 * (3 + capacity / 2 + fields * capacity);
}

/**
 * V8's NameDictionary, at most two thirds full, and the table of the names themselves, which has a pointer for each
 * likewise.
 */
export function v8Dictionary(entries: number): number {
  const capacity = powerOfTwo(4, entries + Math.floor(entries / 2));
  return 24 + 16 + 8 * (6 + 3 * capacity) + 8 * capacity;
}

/** What a row has for a value in SQLite: nothing, text of some bytes, an integer or a floating-point number. */
export type SqliteValue = { readonly text: number } | { readonly integer: number | bigint } | 'real' | 'none';

const SQLITE_PAGE = 4096;
/**
 * How full SQLite leaves the pages of such a table when rows come in the order of their keys (measured: 0.88 to 0.93).
 */
const SQLITE_FILL = 0.89;
const SQLITE_LOCAL_MOST = Math.floor(((SQLITE_PAGE - 12) * 64) / 255) - 23;
const SQLITE_LOCAL_LEAST = Math.floor(((SQLITE_PAGE - 12) * 32) / 255) - 23;

/** A cell of a WITHOUT ROWID table with its pointer, and the pages that what is too long goes to. */
export function sqliteCell(keyBytes: number, value: SqliteValue): { bytes: number; overflowPages: number } {
  let header = 1 + varintSize(2 * keyBytes + 13);
  let body = keyBytes;
  if (value === 'real') {
    header += 1;
    body += 8;
  } else if (value !== 'none' && 'text' in value) {
    header += varintSize(2 * value.text + 13);
    body += value.text;
  } else if (value !== 'none') {
    header += 1;
    body += sqliteInteger(value.integer);
  }
  const payload = header + body;
  const head = 2 + varintSize(payload);
  if (payload <= SQLITE_LOCAL_MOST) return { bytes: head + payload, overflowPages: 0 };
  const room = SQLITE_PAGE - 4;
  const fitting = SQLITE_LOCAL_LEAST + ((payload - SQLITE_LOCAL_LEAST) % room);
  const local = fitting <= SQLITE_LOCAL_MOST ? fitting : SQLITE_LOCAL_LEAST;
  return { bytes: head + local + 4, overflowPages: Math.ceil((payload - local) / room) };
}

/** Bytes of an integer in a record of SQLite. */
function sqliteInteger(value: number | bigint): number {
  if (value === 0 || value === 1) return 0;
  for (const bytes of [1, 2, 3, 4, 6])
    if (value >= -(2 ** (8 * bytes - 1)) && value < 2 ** (8 * bytes - 1)) return bytes;
  return 8;
}

/** jemalloc's class for a size, as Redis builds it: multiples of 8 up to 64, then four to each doubling. */
export function jemallocClass(bytes: number): number {
  if (bytes <= 64) return Math.max(8, roundUp(bytes, 8));
  return roundUp(bytes, 2 ** Math.floor(Math.log2(bytes - 1)) / 4);
}

/** Redis' string: header by length, the bytes, a zero. */
export function redisString(bytes: number): number {
  const header = bytes < 32 ? 1 : bytes < 256 ? 3 : bytes < 65_536 ? 5 : 9;
  return jemallocClass(header + bytes + 1);
}

/** Redis' object for a value: shared below 10,000, an integer within the object, embedded up to 44 bytes, or apart. */
export function redisValue(bytes: number, integer: number | bigint | undefined): number {
  if (integer !== undefined && integer >= 0 && integer < 10_000) return 0;
  if (integer !== undefined && integer >= -(2n ** 63n) && integer < 2n ** 63n) return 16;
  return bytes <= 44 ? jemallocClass(16 + 3 + bytes + 1) : 16 + redisString(bytes);
}

/** All rivals, for the entries as they would be given to them. */
export function rivals(facts: Facts): Rival[] {
  const { entries, rivals: sums, values } = facts;
  const asNumbers = values !== undefined && (values.holds.numbers || values.holds.bigs || values.holds.f64);
  const heldValues = values === undefined ? 0 : asNumbers ? sums.valueNumbers : sums.valueStrings;
  const collection = values === undefined ? 'Set' : 'Map';
  // Where one is full, the next takes over.
  const full = Math.floor(entries / MAP_LIMIT);
  const fields = values === undefined ? 2 : 3;
  const tables = full * v8OrderedTable(MAP_LIMIT, fields) + v8OrderedTable(entries - full * MAP_LIMIT, fields);
  return [
    {
      name: full > 0 ? `${full + 1} JS ${collection}s` : `JS ${collection}`,
      bytes: tables + sums.keyStrings + heldValues,
      formula:
        `48 + 8 * (3 + c / 2 + ${fields} c), c = entries rounded up to a power of two, 4 at least; a string 16 + its characters (1 byte each in Latin-1, ` +
        'else 2), rounded up to 8; an integer of 32 bits nothing, another number 16, a BigInt 24. Strings cut from a larger text keep that alive, too',
      source:
        'V8: objects/ordered-hash-table.h, objects/string.h, objects/heap-number.h, 64 bits without compressed pointers',
    },
    {
      name: 'JS object',
      bytes: v8Dictionary(entries) + sums.keyStrings + heldValues,
      formula:
        '40 + 8 * (6 + 3 c) + 8 c for the table of names, c = 1.5 * entries rounded up to a power of two; strings and numbers as in a Map. Keys that are ' +
        'integers would be elements instead, which is not taken into account',
      source: 'V8: objects/dictionary.h, objects/hash-table-inl.h, objects/string-table.h',
    },
    {
      name: 'SQLite',
      bytes: sqliteBytes(entries, sums.sqlite),
      formula:
        'WITHOUT ROWID, pages of 4,096 filled in the order of the keys: 4,096 for the schema; a cell = its pointer 2 + size + record (header, key, value; ' +
        'integers 0 to 8); a page has 4,084 bytes, 0.89 of them in use (measured; in another order as few as 0.65); one cell a leaf goes up, with 4 bytes; long records go on in pages of their own',
      source: 'sqlite.org/fileformat2.html, sections 1.6 and 2.1',
    },
    {
      name: 'Redis',
      bytes: 8 * powerOfTwo(4, entries) + 24 * entries + sums.redis.keys + sums.redis.values,
      formula:
        '8 * (entries rounded up to a power of two) + 24 an entry; a key: header 1 to 9 + bytes + 1, in a class of jemalloc; a value: nothing below ' +
        '10,000, 16 for another integer, else 20 + bytes up to 44 bytes, or 16 and a string of its own',
      source:
        'Redis 7.0: dict.h, sds.h, object.c; jemalloc with quantum 8, as Redis builds it (that of Debian has 16, which takes 8 to 16 more an entry)',
    },
  ];
}

/** Pages of an index b-tree that was filled in the order of its keys. */
function sqliteBytes(entries: number, { cells, overflowPages }: { cells: number; overflowPages: number }): number {
  const mean = entries === 0 ? 0 : cells / entries;
  let pages = 0;
  for (let level = cells, size = mean; ; ) {
    const here = Math.max(1, Math.ceil(level / (SQLITE_FILL * (SQLITE_PAGE - 12))));
    pages += here;
    if (here === 1) break;
    size = mean + 4;
    level = here * size;
  }
  return SQLITE_PAGE * (1 + pages + overflowPages);
}
