// An open set of integers, whichever of its two forms the file has. Knows both forms from outside; bits are
// bit-array.ts, hashing is table.ts.

import { HmapError } from '../base/errors.js';
import { kindOf } from '../base/options.js';
import type { Header } from '../format/header.js';
import { BitArray } from './bit-array.js';
import { Handle, type SnapshotSource } from './handle.js';
import { numbersOf } from './numeric-arrays.js';
import type { Snapshot } from './snapshot.js';
import { Table } from './table.js';

/** Of the forms inside, which do not look for newer versions themselves. */
const NO_SOURCE: SnapshotSource = { newer: () => undefined };

/**
 * A set of integers that has been opened; make one with `open(path, { layout: 'auto' })`. The file is a bit array or
 * holds the integers by hash, as `build` with `layout: 'auto'` has chosen; after a reload it may be the other one.
 *
 * Every method throws an {@link HmapError} with code `HMAP_CLOSED` once it is closed, and `HMAP_DAMAGED` when it meets
 * bytes that break the format.
 */
export class IntegerSet extends Handle implements Iterable<number> {
  #bits: BitArray | undefined;
  #table: Table<true, number | bigint> | undefined;

  /** @internal Use `open`. */
  constructor(path: string, snapshot: Snapshot, source: SnapshotSource) {
    super(path, snapshot, source);
    this.take(snapshot);
  }

  override get header(): Header {
    return super.header as Header;
  }

  /** Which form the file has. May change with a reload; stays after `close`. */
  get layout(): 'bits' | 'hash' {
    return this.header.layout as 'bits' | 'hash';
  }

  /** Number of integers in the set. */
  get size(): number {
    return this.snapshot().header.entries;
  }

  get [Symbol.toStringTag](): string {
    return 'IntegerSet';
  }

  /**
   * Whether an integer is in the set. One memory touch in a bit array, two that depend on each other by hash.
   * @throws {TypeError} when `integer` is not a number
   */
  has(integer: number): boolean {
    if (typeof integer === 'number') {
      if (this.#bits !== undefined) return this.#bits.has(integer);
      if (this.#table !== undefined) return this.#table.has(integer);
    }
    this.snapshot();
    throw new TypeError(`integer: expected a number, got ${kindOf(integer)}`);
  }

  /**
   * Whether each of many integers is in the set, in their order: 1 or 0. They may come in a typed array; by hash the
   * waits for memory overlap. Throws as {@link has} does.
   */
  hasMany(integers: Iterable<number>): Uint8Array {
    this.snapshot();
    const list = Array.from(numbersOf('integers', integers), (integer) => {
      if (typeof integer !== 'number') throw new TypeError(`integers: expected numbers, got ${kindOf(integer)}`);
      return integer;
    });
    this.snapshot();
    return this.#bits?.hasMany(list) ?? this.#table!.hasMany(list);
  }

  /**
   * The integers in the set: of a bit array in rising order, else in the order of the file (by hash). An iteration that
   * began before a reload continues over the old version.
   * @throws {HmapError} `HMAP_KEY_INVALID` at an integer that no number holds exactly, which `build` with `layout:
   *   'auto'` does not put there
   */
  values(): Generator<number, undefined, unknown> {
    this.snapshot();
    return this.#each();
  }

  [Symbol.iterator](): Generator<number, undefined, unknown> {
    return this.values();
  }

  /** @internal */
  protected override take(snapshot: Snapshot | undefined): void {
    const { path } = this;
    const layout = snapshot?.header.layout;
    this.#bits = snapshot && layout === 'bits' ? new BitArray(path, snapshot, NO_SOURCE) : undefined;
    const form = snapshot?.header.keyType === 'u32' ? 'u32' : 'i64';
    this.#table =
      snapshot && layout === 'hash' ? Table.of<true, number | bigint>(path, snapshot, form, NO_SOURCE) : undefined;
  }

  *#each(): Generator<number, undefined, unknown> {
    this.snapshot();
    const integers = this.#bits?.values() ?? this.#table!.keys();
    for (const key of integers) {
      const integer = Number(key);
      if (!Number.isSafeInteger(integer)) throw this.#unsafe(key);
      yield integer;
      // The form itself is not closed, since others may go through it.
      this.snapshot();
    }
  }

  #unsafe(key: number | bigint): HmapError {
    const message = `${this.path}: the key ${key} is beyond the integers that a number holds exactly; open the file with { key: 'i64' }`;
    return new HmapError('HMAP_KEY_INVALID', message, { path: this.path, key });
  }
}
