// An open table: what users look keys up in. Knows keys, values and the state of the mapping; finding a record is
// lookup.ts.

import { type HmapError, noKeys } from '../base/errors.js';
import { type FieldReader, readBits } from '../codec/bit-fields.js';
import { DECODERS, fieldReaders, type ValueDecoder } from '../codec/decode-value.js';
import { hashKey, keyHash } from '../codec/hash-key.js';
import { KEY_DECODERS, KEY_HASHERS, type KeyHasher } from '../codec/typed-keys.js';
import type { CoreReason } from '../core/core.js';
import type { HashHeader } from '../format/header.js';
import type { AnyKey, Key, KeyArgument, KeyForm, TypedKey } from '../format/key-types.js';
import { MAX_FIELD_BITS } from '../format/schema.js';
import type { NumericArray } from '../format/value-types.js';
import { type Needs, Scan } from '../storage/scan.js';
import { EntryReader } from './entry-reader.js';
import { Handle, type SnapshotSource } from './handle.js';
import { Iteration, inTurn, type Steps } from './iteration.js';
import type { Lookup } from './lookup.js';
import { listOf, Many, type ValueView } from './many.js';
import { segmentsToScan } from './own-pass.js';
import { type Part, partOf } from './part.js';
import { prefetchKeys } from './prefetch-keys.js';
import { ShardedLookup, ShardedMany, shardedOf } from './sharded-lookup.js';
import { ShardedSnapshot } from './sharded-snapshot.js';
import type { Snapshot } from './snapshot.js';

/** Names of the fields of values; any name if TypeScript does not know the values' type. */
export type FieldName<V> = unknown extends V ? string : V extends Fields ? keyof V & string : never;

/**
 * A table that has fingerprints in place of its keys; make one with `open(path, { fingerprint: true })`. It finds each
 * of its keys, and takes another key for one of its own with a probability of `header.fingerprint.falsePositiveRate`.
 * What its keys are, it does not know: only its values can be gone through.
 */
export type FingerprintTable<V = unknown, K extends AnyKey = string> = Omit<
  Table<V, K>,
  'entries' | 'keys' | 'forEach' | 'toMap' | typeof Symbol.iterator
>;

/** The type of a field's value. */
export type FieldValue<V, N> = V extends Fields ? (N extends keyof V ? V[N] : never) : number | boolean;

type Fields = Readonly<Record<string, number | boolean>>;

/**
 * A table that has been opened; make one with `open`. It is a `ReadonlyMap` whose entries are in the order of the file
 * (by hash).
 *
 * Every method throws an {@link HmapError} with code `HMAP_CLOSED` once the table is closed. Lookups take strings and
 * bytes alike, or keys of the table's key type; they are synchronous, and may be made from any number of processes and
 * threads, each with a table of its own.
 */
export class Table<V = unknown, K extends AnyKey = string> extends Handle implements ReadonlyMap<K, V> {
  /**
   * Tables with typed keys. They override the lookups, so that the lookups of other tables do not have to tell key
   * types apart.
   */
  static readonly #Typed = class TypedTable<V, K extends AnyKey> extends Table<V, K> {
    readonly #hash: KeyHasher;

    constructor(path: string, snapshot: Snapshot, form: TypedKey, source: SnapshotSource) {
      super(path, snapshot, form, source);
      this.#hash = KEY_HASHERS[form];
    }

    override get(key: KeyArgument<K>): V | undefined {
      const lookup = this.#opened();
      const length = this.#hash(key, 0, lookup.seed);
      if (length < 0) return undefined;
      const at = lookup.find(0, length, keyHash.value);
      return at < 0 ? undefined : this.#decode(lookup.segment.heap, at, lookup.valueBytes);
    }

    override has(key: KeyArgument<K>): boolean {
      const lookup = this.#opened();
      const length = this.#hash(key, 0, lookup.seed);
      return length >= 0 && lookup.find(0, length, keyHash.value) >= 0;
    }

    override getView(key: KeyArgument<K>): Uint8Array | undefined {
      this.#lend();
      const lookup = this.#opened();
      const length = this.#hash(key, 0, lookup.seed);
      if (length < 0) return undefined;
      const at = lookup.find(0, length, keyHash.value);
      return at < 0 ? undefined : this.#view(lookup.segment, at, lookup.valueBytes);
    }
  };

  /** @internal Use `open`. */
  static of<V, K extends AnyKey>(path: string, snapshot: Snapshot, form: KeyForm, source: SnapshotSource): Table<V, K> {
    if (form === 'string' || form === 'bytes') return new Table(path, snapshot, form, source);
    return new Table.#Typed(path, snapshot, form, source);
  }

  #decode!: ValueDecoder<V>;
  #view!: ValueView;
  #fields: ReadonlyMap<string, FieldReader> | undefined;
  /** Decodes a key for iteration; `undefined` for strings. */
  readonly #decodeKey: ValueDecoder<AnyKey> | undefined;
  /** Encodes a key for lookups; `undefined` for strings and bytes. */
  readonly #typedHash: KeyHasher | undefined;
  #lookup: Lookup | undefined;
  #manyHere: Many<V> | ShardedMany<V> | undefined;

  /** @internal Use `open`. */
  protected constructor(path: string, snapshot: Snapshot, form: KeyForm, source: SnapshotSource) {
    super(path, snapshot, source);
    const typed = form === 'string' || form === 'bytes' ? undefined : form;
    this.#typedHash = typed && KEY_HASHERS[typed];
    this.#decodeKey = typed ? KEY_DECODERS[typed] : form === 'bytes' ? DECODERS.bytes : undefined;
    this.take(snapshot);
  }

  /** Number of entries. */
  get size(): number {
    this.#opened();
    return this.header.entries;
  }

  override get header(): HashHeader {
    return super.header as HashHeader;
  }

  get [Symbol.toStringTag](): string {
    return this.header.fingerprint === null ? 'Table' : 'FingerprintTable';
  }

  /**
   * The value of a key, or `undefined` if the table does not have it. Two dependent memory touches; a value of type
   * `bytes` is a copy.
   * @throws {TypeError} when `key` is neither a string nor a Uint8Array, or has the wrong JavaScript type for the
   *   table's keys
   * @throws {HmapError} `HMAP_CLOSED`; `HMAP_DAMAGED` when it meets bytes that break the format
   */
  get(key: KeyArgument<K>): V | undefined {
    const lookup = this.#opened();
    const length = hashKey(key as Key, 0, lookup.seed);
    if (length < 0) return undefined;
    const at = lookup.find(0, length, keyHash.value);
    return at < 0 ? undefined : this.#decode(lookup.segment.heap, at, lookup.valueBytes);
  }

  /** Whether the table has a key; costs what {@link get} costs without the value. Throws as `get` does. */
  has(key: KeyArgument<K>): boolean {
    const lookup = this.#opened();
    const length = hashKey(key as Key, 0, lookup.seed);
    return length >= 0 && lookup.find(0, length, keyHash.value) >= 0;
  }

  /**
   * One field of the value of a key, without making an object for all of them; `undefined` if the table does not have
   * the key.
   * @throws {TypeError} if the values have no such field, or no fields. Throws as {@link get} does
   */
  field<N extends FieldName<V>>(key: KeyArgument<K>, name: N): FieldValue<V, N> | undefined {
    const lookup = this.#opened();
    this.#fields ??= fieldReaders(this.header.valueType);
    const read = this.#fields.get(name);
    if (read === undefined) throw this.#noField(name);
    const at = this.#find(lookup, key);
    return at < 0 ? undefined : (read(lookup.segment.heap.view, at) as FieldValue<V, N>);
  }

  /** The position of the value of a key of any type, or -1. */
  #find(lookup: Lookup, key: KeyArgument<K>): number {
    const hash = this.#typedHash;
    const length = hash === undefined ? hashKey(key as Key, 0, lookup.seed) : hash(key, 0, lookup.seed);
    return length < 0 ? -1 : lookup.find(0, length, keyHash.value);
  }

  #noField(name: unknown): TypeError {
    const names = [...this.#fields!.keys()];
    const hint = names.length === 0 ? `the values are ${this.header.valueType}` : `the fields are ${names.join(', ')}`;
    return new TypeError(`name: there is no field '${String(name)}'; ${hint}`);
  }

  /**
   * Bits `[from, to)` of the value of a key as an unsigned number, bit 0 the lowest of its first byte; `undefined` if
   * the table does not have the key. For values of any type with a fixed width (`header.valueWidth`); for `enum`, the
   * bits of the index.
   * @throws {RangeError} if these are not 0 to 53 bits of the value
   * @throws {TypeError} if the values differ in length. Throws as {@link get} does
   */
  bits(key: KeyArgument<K>, from: number, to: number): number | undefined {
    const lookup = this.#opened();
    const width = this.header.valueWidth;
    if (width === null) throw new TypeError('bits: the values of this table differ in length');
    const inside = Number.isInteger(from) && Number.isInteger(to) && from >= 0 && to >= from && to <= 8 * width;
    if (!inside || to - from > MAX_FIELD_BITS) {
      const expected = `at most ${MAX_FIELD_BITS} of the bits [0, ${8 * width})`;
      throw new RangeError(`bits: expected ${expected}, got [${String(from)}, ${String(to)})`);
    }
    const at = this.#find(lookup, key);
    return at < 0 ? undefined : readBits(lookup.segment.heap.view, at, from, to);
  }

  /**
   * The values of many keys, in their order, `undefined` for each that the table does not have. On a table that is
   * larger than the processor's caches it costs less than half of the same number of `get`s, because the waits for
   * memory overlap. Throws as `get` does.
   */
  getMany(keys: Iterable<KeyArgument<K>>): (V | undefined)[] {
    const list = this.#listOf(keys);
    return this.#many().values(list);
  }

  /**
   * {@link getView} of many keys, at the cost of {@link getMany}. The views are **read-only**. Throws as `get` does.
   */
  getManyViews(keys: Iterable<KeyArgument<K>>): (Uint8Array | undefined)[] {
    const list = this.#listOf(keys);
    // Only now: what yields the keys may have reloaded the table.
    this.#lend();
    return this.#many().views(list, this.#view);
  }

  /** Whether the table has each of many keys, in their order: 1 or 0. Costs what {@link getMany} costs without values. */
  hasMany(keys: Iterable<KeyArgument<K>>): Uint8Array {
    const list = this.#listOf(keys);
    return this.#many().has(list);
  }

  /**
   * {@link getMany} of numbers, without an object for each: into `out`, a typed array that holds them all exactly and
   * has an element for each key. Typed keys may come in one, too, as from {@link getMany}.
   * @param missing what is written for a key that the table does not have. Default 0, or 0n for an array of BigInts
   * @returns how many of the keys the table has
   * @throws {TypeError} if the values are no numbers, or `out` is no array for them. Throws as `get` does; then some
   *   elements may have been written
   * @throws {RangeError} if `out` has fewer elements than there are keys
   */
  getManyInto(keys: Iterable<KeyArgument<K>>, out: NumericArray, missing?: number | bigint): number {
    const list = this.#listOf(keys);
    return this.#many().into(list, out, missing, this.header.valueType);
  }

  /** Keys as an array. Whatever code yields them has run when it returns; it may have closed the table. */
  #listOf(keys: Iterable<KeyArgument<K>>): ArrayLike<KeyArgument<K>> {
    this.#opened();
    return listOf(keys);
  }

  #many(): Many<V> | ShardedMany<V> {
    this.#manyHere ??= this.#newMany(this.#opened());
    return this.#manyHere;
  }

  #newMany(lookup: Lookup): Many<V> | ShardedMany<V> {
    if (lookup instanceof ShardedLookup) return new ShardedMany<V>(lookup, this.#typedHash);
    return new Many(lookup, this.header, this.#typedHash, this.#decode);
  }

  /** What looks many keys up at once: the core, in WebAssembly, or JavaScript, which takes about 1.5 times as long. */
  get core(): 'wasm' | 'js' {
    return this.coreReason === undefined ? 'wasm' : 'js';
  }

  /** Why it is not the core; `undefined` if it is. */
  get coreReason(): CoreReason | undefined {
    return this.#many().coreReason;
  }

  /**
   * Brings what lookups of these keys will read into memory, without making other work wait for the disk: the promise
   * is fulfilled when it is there, so that a `getMany` right after it finds all. Blocks that have not been checked are
   * checked in turns of half a millisecond. Worth it for a table that may be out of the page cache; costs 5 to 10 µs a
   * key if it is not. Does nothing for a copy. After a reload or `close` it ends early.
   * @throws {TypeError} for what is no key. Throws as `get` does, except that damage is left to the lookups
   */
  async prefetch(keys: Iterable<KeyArgument<K>>): Promise<void> {
    const asked = this.#listOf(keys);
    // The caller may change an array that has not been copied while this goes on.
    const list = Array.isArray(asked) ? asked : Array.from(asked);
    const lookup = this.#opened();
    const hash = this.#typedHash;
    const isCurrent = () => this.#lookup === lookup;
    if (lookup instanceof ShardedLookup) {
      const parts = [...(lookup as ShardedLookup<V>).divide(list, hash)];
      const waiting = parts.map(([part, places]) => {
        const keys = places.map((at) => list[at]!);
        return prefetchKeys(part.snapshot, part.lookup, keys, hash, isCurrent);
      });
      await Promise.all(waiting);
      return;
    }
    await prefetchKeys(this.snapshot(), lookup, list, hash, isCurrent);
  }

  /**
   * The bytes of a value where they lie in the file, without a copy, or `undefined`. Numbers are little-endian, see the
   * format; for `enum`, the bytes are those of the string.
   *
   * The view is **read-only**: writing to it ends the process if the file is mapped. After a reload it still shows the
   * old value; after `close` it is still safe to read but no longer shows the value. Throws as `get` does.
   */
  getView(key: KeyArgument<K>): Uint8Array | undefined {
    this.#lend();
    const lookup = this.#opened();
    const length = hashKey(key as Key, 0, lookup.seed);
    if (length < 0) return undefined;
    const at = lookup.find(0, length, keyHash.value);
    if (at < 0) return undefined;
    return this.#view(lookup.segment, at, lookup.valueBytes);
  }

  /**
   * All entries, in the order of the file. Reads the key heap from start to end; costs one key and one value a step. An
   * iteration that took its first step before a reload continues over the old version.
   * @throws {HmapError} `HMAP_KEY_NOT_UTF8` at a key that is not UTF-8, unless the table was opened with `key:
   *   'bytes'`; `HMAP_FINGERPRINT` if the keys are not stored
   */
  entries(): Generator<[K, V], undefined, unknown> {
    this.#needKeys();
    return this.#each('records', (entry) => [entry.key(), entry.value()]);
  }

  /** All keys, in the order of the file. Throws as {@link entries} does. */
  keys(): Generator<K, undefined, unknown> {
    this.#needKeys();
    return this.#each('keys', (entry) => entry.key());
  }

  /** All values, in the order of the file. */
  values(): Generator<V, undefined, unknown> {
    return this.#each('records', (entry) => entry.value());
  }

  [Symbol.iterator](): Generator<[K, V], undefined, unknown> {
    return this.entries();
  }

  forEach(callback: (value: V, key: K, table: ReadonlyMap<K, V>) => void, thisArg?: unknown): void {
    this.#needKeys();
    if (typeof callback !== 'function') throw new TypeError('callback: expected a function');
    for (const [key, value] of this.entries()) callback.call(thisArg, value, key, this);
  }

  /**
   * A Map of all entries, in the order of the file: with it the memory that a table saves is spent, about 120 bytes an
   * entry. A Map has at most 16.7 million entries.
   * @throws {HmapError} as iteration does
   * @throws {RangeError} above that
   */
  toMap(): Map<K, V> {
    return new Map(this.entries());
  }

  /** @throws {HmapError} `HMAP_FINGERPRINT` if the keys are not stored */
  #needKeys(): void {
    this.#opened();
    if (this.header.fingerprint !== null) throw noKeys(this.path, 'go through its keys');
  }

  #opened(): Lookup {
    const lookup = this.#lookup;
    if (lookup === undefined) throw this.closedError();
    return lookup;
  }

  /** From now on the memory of this snapshot is released only when no view of it exists. */
  #lend(): void {
    this.snapshot().lend();
  }

  /** @internal */
  protected override take(snapshot: Snapshot | undefined): void {
    this.#manyHere = undefined;
    if (snapshot === undefined) {
      this.#lookup = undefined;
      return;
    }
    // Types stay the same, except that `uint` may become narrower or wider.
    const { lookup, decode, view } =
      snapshot instanceof ShardedSnapshot ? shardedOf<V>(snapshot, this.path) : partOf<V>(snapshot);
    this.#decode = decode;
    this.#view = view;
    this.#lookup = lookup;
  }

  /** An iteration; a closed table refuses it at once, not at its first step. */
  #each<R>(needs: Needs, take: (entry: EntryReader<K, V>) => R): Generator<R, undefined, unknown> {
    this.#opened();
    return new Iteration(() => {
      const snapshot = this.snapshot();
      if (!(snapshot instanceof ShardedSnapshot)) return this.#steps(snapshot, this.path, this.#decode, needs, take);
      // Whatever shards there are now, even after a reload.
      const parts = (this.#opened() as ShardedLookup<V>).parts.filter((part) => part !== undefined);
      snapshot.retain();
      const begin = ({ snapshot: own, decode }: Part<V>) => this.#steps(own, this.path, decode, needs, take);
      return inTurn(parts, begin, () => snapshot.release());
    });
  }

  /** Those of one file. */
  #steps<R>(
    snapshot: Snapshot,
    path: string,
    // The decoder of this snapshot, even after a reload.
    decode: ValueDecoder<V>,
    needs: Needs,
    take: (entry: EntryReader<K, V>) => R,
  ): Steps<R> {
    const scan = new Scan(snapshot.header as HashHeader, segmentsToScan(snapshot, path), needs);
    const entry = new EntryReader<K, V>(scan, decode, this.#decodeKey, path);
    snapshot.retain();
    return {
      step: () => {
        this.#opened();
        return scan.step();
      },
      take: () => take(entry),
      end() {
        scan.end();
        snapshot.release();
      },
    };
  }
}
