// An open table: what users look keys up in. Knows keys, values and the state of the mapping; finding a record is lookup.ts.

import { isUtf8 } from 'node:buffer';
import { Batch } from './batch.js';
import type { Block } from './bytes.js';
import { HmapError, showKey } from './errors.js';
import type { Header } from './header.js';
import { hashKey, keyHash } from './key-hash.js';
import type { Key } from './keys.js';
import { Lookup } from './lookup.js';
import type { Mapping, MappingKind } from './mapping/mapping.js';
import type { Segment } from './segment.js';
import { decodeText, isShortAscii, shortAscii } from './text.js';
import type { ValueType } from './types.js';
import { DECODERS, type ValueDecoder } from './values.js';
import { Walk } from './walk.js';

/** How a table yields its keys. */
export type KeyForm = 'string' | 'bytes';

/**
 * A table that has been opened; make one with `open`. It is a `ReadonlyMap` whose entries are in the order of the file (by hash).
 *
 * Every method throws an {@link HmapError} with code `HMAP_CLOSED` once the table is closed. Lookups take strings and bytes alike, are
 * synchronous, and may be made from any number of processes and threads, each with a table of its own.
 */
export class Table<V = unknown, K extends Key = string> implements ReadonlyMap<K, V> {
  /** What the file's header says. */
  readonly header: Header;
  /** The path as it was given to `open`. */
  readonly path: string;
  /** How the file's bytes came into memory. */
  readonly mapping: MappingKind;
  readonly #decode: ValueDecoder<V>;
  readonly #keyForm: KeyForm;
  #lookup: Lookup | undefined;
  #mapped: Mapping | undefined;
  #segments: readonly Segment[];
  #batch: Batch | undefined;

  /** @internal Use `open`. */
  constructor(path: string, header: Header, mapped: Mapping, segments: readonly Segment[], keyForm: KeyForm) {
    this.path = path;
    this.header = header;
    this.mapping = mapped.kind;
    this.#mapped = mapped;
    this.#segments = segments;
    this.#lookup = new Lookup(header, segments);
    this.#decode = DECODERS[header.valueType as ValueType] as ValueDecoder<V>;
    this.#keyForm = keyForm;
  }

  /** Number of entries. */
  get size(): number {
    this.#opened();
    return this.header.entries;
  }

  get closed(): boolean {
    return this.#lookup === undefined;
  }

  get [Symbol.toStringTag](): string {
    return 'Table';
  }

  /**
   * The value of a key, or `undefined` where the table does not have it. Two dependent memory touches; a value of type `bytes` is a copy.
   * @throws {TypeError} when `key` is neither a string nor a Uint8Array
   * @throws {HmapError} `HMAP_CLOSED`; `HMAP_DAMAGED` where the bytes on the way break the format
   */
  get(key: Key): V | undefined {
    const lookup = this.#opened();
    const length = hashKey(key, 0, lookup.seed);
    if (length < 0) return undefined;
    const at = lookup.find(0, length, keyHash.value);
    return at < 0 ? undefined : this.#decode(lookup.segment.heap, at, lookup.valueBytes);
  }

  /** Whether the table has a key; costs what {@link get} costs without the value. Throws as `get` does. */
  has(key: Key): boolean {
    const lookup = this.#opened();
    const length = hashKey(key, 0, lookup.seed);
    return length >= 0 && lookup.find(0, length, keyHash.value) >= 0;
  }

  /**
   * The values of many keys, in their order, `undefined` for each that the table does not have. On a table that is larger than the
   * processor's caches it costs less than half of as many `get`s, because the waits for memory overlap. Throws as `get` does.
   */
  getMany(keys: Iterable<Key>): (V | undefined)[] {
    return this.#many(keys, this.#decode);
  }

  /** {@link getView} of many keys, at the cost of {@link getMany}. The views are **read-only**. Throws as `get` does. */
  getManyViews(keys: Iterable<Key>): (Uint8Array | undefined)[] {
    return this.#many(keys, viewOf);
  }

  #many<R>(keys: Iterable<Key>, decode: ValueDecoder<R>): (R | undefined)[] {
    this.#opened();
    const iterable = typeof keys === 'object' && keys !== null && Symbol.iterator in keys;
    if (!iterable || keys instanceof Uint8Array) throw new TypeError('keys: expected an iterable of keys');
    const list: readonly Key[] = Array.isArray(keys) ? keys : Array.from(keys);
    // Not before the keys are there: what yields them may close the table.
    const lookup = this.#opened();
    const values = new Array<R | undefined>(list.length).fill(undefined);
    this.#batch ??= new Batch();
    const batch = this.#batch;
    for (let first = 0; first < list.length; ) {
      const count = batch.take(lookup, list, first);
      batch.load(lookup, count);
      for (let i = 0; i < count; i++) {
        const at = batch.find(lookup, i);
        if (at >= 0) values[first + i] = decode(lookup.segment.heap, at, lookup.valueBytes);
      }
      first += count;
    }
    return values;
  }

  /**
   * The bytes of a value where they lie in the file, without a copy, or `undefined`. Numbers are little-endian, see the format.
   *
   * The view is **read-only**: writing to it ends the process where the file is mapped. After `close` it is still safe to read but
   * no longer shows the value. Throws as `get` does.
   */
  getView(key: Key): Uint8Array | undefined {
    const lookup = this.#opened();
    const length = hashKey(key, 0, lookup.seed);
    if (length < 0) return undefined;
    const at = lookup.find(0, length, keyHash.value);
    if (at < 0) return undefined;
    return viewOf(lookup.segment.heap, at, lookup.valueBytes);
  }

  /**
   * All entries, in the order of the file. Reads the key heap from start to end; costs one key and one value a step.
   * @throws {HmapError} `HMAP_KEY_NOT_UTF8` at a key that is no string, unless the table was opened with `key: 'bytes'`
   */
  entries(): Generator<[K, V], undefined, unknown> {
    return this.#each((at) => [this.#keyAt(at), this.#valueAt(at)]);
  }

  /** All keys, in the order of the file. Throws as {@link entries} does. */
  keys(): Generator<K, undefined, unknown> {
    return this.#each((at) => this.#keyAt(at));
  }

  /** All values, in the order of the file. */
  values(): Generator<V, undefined, unknown> {
    return this.#each((at) => this.#valueAt(at));
  }

  [Symbol.iterator](): Generator<[K, V], undefined, unknown> {
    return this.entries();
  }

  forEach(callback: (value: V, key: K, table: ReadonlyMap<K, V>) => void, thisArg?: unknown): void {
    this.#opened();
    if (typeof callback !== 'function') throw new TypeError('callback: expected a function');
    for (const walk = this.#walk(); walk.step(); this.#opened()) {
      callback.call(thisArg, this.#valueAt(walk), this.#keyAt(walk), this);
    }
  }

  /**
   * Bytes of the table that are in physical memory now, whoever brought them there; `undefined` where the system does not tell (a copy).
   * Costs one system call and a byte for each page of the file.
   */
  residentBytes(): number | undefined {
    this.#opened();
    return this.#mapped!.residentBytes();
  }

  /**
   * Lets go of the file; may be called again. libc and copy release it at once, mmap-io when its memory is collected. Views from
   * {@link getView} stay safe to read.
   */
  close(): void {
    this.#mapped?.close();
    this.#mapped = undefined;
    this.#lookup = undefined;
    this.#segments = [];
    this.#batch = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #opened(): Lookup {
    const lookup = this.#lookup;
    if (lookup === undefined)
      throw new HmapError('HMAP_CLOSED', `the table ${this.path} is closed`, { path: this.path });
    return lookup;
  }

  /** An iteration; a closed table refuses it at once, not at its first step. */
  #each<R>(take: (at: Walk) => R): Generator<R, undefined, unknown> {
    this.#opened();
    return this.#taken(take);
  }

  *#taken<R>(take: (at: Walk) => R): Generator<R, undefined, unknown> {
    this.#opened();
    for (const walk = this.#walk(); walk.step(); this.#opened()) yield take(walk);
  }

  #walk(): Walk {
    const segments = this.#segments.map((segment, i) => ({
      segment,
      readAhead: (start: number, length: number) => this.#mapped?.advise('willneed', i, start, length),
    }));
    return new Walk(this.header, segments);
  }

  #valueAt({ cursor, segment }: Walk): V {
    return this.#decode(segment.heap, cursor.value, cursor.valueBytes);
  }

  #keyAt({ cursor, segment: { heap } }: Walk): K {
    if (this.#keyForm === 'bytes') return DECODERS.bytes(heap, cursor.key, cursor.keyBytes) as K;
    const { key, keyBytes } = cursor;
    if (isShortAscii(heap, key, keyBytes)) return shortAscii(heap, key, keyBytes) as K;
    const bytes = heap.bytes.subarray(key, cursor.value);
    if (!isUtf8(bytes)) {
      const message = `the key ${showKey(bytes)} is not valid UTF-8; open the table with { key: 'bytes' } to iterate over it`;
      throw new HmapError('HMAP_KEY_NOT_UTF8', message, { path: this.path, key: Uint8Array.from(bytes) });
    }
    return decodeText(heap, key, keyBytes) as K;
  }
}

function viewOf({ bytes }: Block, at: number, length: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, length);
}
