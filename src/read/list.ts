// An open list: values by their index. Knows indexes, and which blocks have been checked; the bytes of single elements
// are elements.ts.

import type { LazyArray } from '../base/lazy-array.js';
import { kindOf } from '../base/options.js';
import type { ListHeader } from '../format/header.js';
import type { NumericArray } from '../format/value-types.js';
import { type ElementReader, elementReader } from '../storage/elements.js';
import type { KeylessSegment } from '../storage/keyless-segment.js';
import type { SnapshotSource } from './handle.js';
import { KeylessHandle, placeOf } from './keyless-handle.js';
import { apart, needArrayFor } from './numeric-arrays.js';
import type { Snapshot } from './snapshot.js';

/** Elements whose waits for memory overlap. */
const GROUP = 256;

/**
 * A list that has been opened; make one with `open(path, { layout: 'list' })`. Its indexes are the integers from `base`
 * to `base + length - 1`.
 *
 * Every method throws an {@link HmapError} with code `HMAP_CLOSED` once the list is closed.
 */
export class List<V = unknown> extends KeylessHandle implements Iterable<V> {
  readonly #read: ElementReader<V>;
  /** What the fast path needs: the elements of the first segment below `#reach` are read without further checks. */
  #segment: KeylessSegment;
  #base = 0;
  #reach = 0;
  #length = 0;
  #perSegment = 0;
  #segments: LazyArray<KeylessSegment> | undefined;
  /** Keeps loads that have no other purpose. */
  readonly #loads = { touched: 0 };

  /** @internal Use `open`. */
  constructor(path: string, snapshot: Snapshot, source: SnapshotSource) {
    super(path, snapshot, source);
    this.#read = elementReader(snapshot.header.valueType) as ElementReader<V>;
    this.#segment = snapshot.keyless.at(0);
    this.take(snapshot);
  }

  override get header(): ListHeader {
    return super.header as ListHeader;
  }

  /** Number of elements. */
  get length(): number {
    this.snapshot();
    return this.#length;
  }

  /** Number of elements. */
  get size(): number {
    return this.length;
  }

  get [Symbol.toStringTag](): string {
    return 'List';
  }

  /**
   * The element at an index, or `undefined` if there is none (outside the list, not an integer). One memory touch, two
   * for `utf8` and `bytes`; a value of type `bytes` is a copy.
   * @throws {TypeError} when `index` is not a number
   * @throws {HmapError} `HMAP_CLOSED`; `HMAP_DAMAGED` when it meets bytes that break the format
   */
  get(index: number): V | undefined {
    if (typeof index === 'number') {
      const at = index - this.#base;
      // True only for integers from 0 to 2^32 - 1.
      if (at >>> 0 === at && at < this.#reach) return this.#read(this.#segment, at);
    }
    return this.#find(index);
  }

  /**
   * The elements at the given indexes, in the order of the indexes; they may come in a typed array. For `utf8` and
   * `bytes` the waits for memory overlap. Throws as {@link get} does.
   */
  getMany(indexes: Iterable<number>): (V | undefined)[] {
    const list = this.numbers('indexes', indexes);
    // Numbers that are pushed one after the other stay numbers, not objects.
    const values: (V | undefined)[] = [];
    for (let first = 0; first < list.length; first += GROUP) {
      const end = Math.min(first + GROUP, list.length);
      this.#touch(list, first, end);
      for (let i = first; i < end; i++) values.push(this.get(list[i]!));
    }
    return values;
  }

  /**
   * {@link getMany} of numbers, without an object for each: into `out`, a typed array that holds them all exactly and
   * has an element for each index.
   * @param missing what is written where the list has no element. Default 0
   * @returns how many of the indexes the list has
   * @throws {TypeError} if the elements are no numbers, or `out` is no array for them. Throws as {@link get} does; then
   *   some elements may have been written
   * @throws {RangeError} if `out` has fewer elements than there are indexes
   */
  getManyInto(indexes: Iterable<number>, out: NumericArray, missing = 0): number {
    const given = this.numbers('indexes', indexes);
    needArrayFor(this.header.valueType, out, given.length);
    if (typeof missing !== 'number') throw new TypeError(`missing: expected a number, got ${kindOf(missing)}`);
    const list = apart(given, out);
    const target = out as { [i: number]: number };
    const read = this.#read as ElementReader<number>;
    const segment = this.#segment;
    const base = this.#base;
    const reach = this.#reach;
    let found = 0;
    for (let i = 0; i < list.length; i++) {
      const index = list[i]!;
      const at = placeOf(index, base);
      if (at < reach) {
        target[i] = read(segment, at);
        found++;
        continue;
      }
      const value = this.#find(index) as number | undefined;
      if (value !== undefined) found++;
      target[i] = value ?? missing;
    }
    return found;
  }

  /** All values, in order. An iteration that began before a reload continues over the old version. */
  values(): Generator<V, undefined, unknown> {
    return this.#each((_index, value) => value);
  }

  /** All pairs of index and value, in order. */
  entries(): Generator<[number, V], undefined, unknown> {
    return this.#each((index, value) => [index, value]);
  }

  [Symbol.iterator](): Generator<V, undefined, unknown> {
    return this.values();
  }

  /** @internal */
  protected override take(snapshot: Snapshot | undefined): void {
    this.#segments = snapshot?.keyless;
    this.#reach = 0;
    this.#length = snapshot?.header.length ?? 0;
    this.#perSegment = snapshot?.header.perSegment ?? 0;
    this.#base = snapshot?.header.base ?? 0;
    if (snapshot === undefined) return;
    this.#segment = snapshot.keyless.at(0);
    if (this.#segment.blocks.unchecked === 0) this.#reach = this.#segment.count;
  }

  /** The slow path: not in the first segment, not checked yet, or not there. */
  #find(index: number): V | undefined {
    this.snapshot();
    if (typeof index !== 'number') throw new TypeError(`index: expected a number, got ${kindOf(index)}`);
    const at = index - this.#base;
    if (!(at >= 0 && at < this.#length && Number.isInteger(at))) return undefined;
    const number = at < this.#perSegment ? 0 : Math.floor(at / this.#perSegment);
    const segment = this.#segments!.at(number);
    const place = at - number * this.#perSegment;
    if (segment.blocks.unchecked > 0) segment.checkElement(place);
    else if (number === 0) this.#reach = segment.count;
    return this.#read(segment, place);
  }

  /** Loads what is needed of elements of their own length, so that the waits overlap: where they start, then the start. */
  #touch(list: ArrayLike<number>, first: number, end: number): void {
    const { index, heap } = this.#segment;
    if (index.length === 0) return;
    const base = this.#base;
    const reach = this.#reach;
    let touched = 0;
    for (let i = first; i < end; i++) {
      const at = placeOf(list[i], base);
      if (at < reach) touched ^= index[at]!;
    }
    for (let i = first; i < end; i++) {
      const at = placeOf(list[i], base);
      if (at < reach) touched ^= heap.bytes[index[at]!]!;
    }
    this.#loads.touched = touched;
  }

  #each<R>(show: (index: number, value: V) => R): Generator<R, undefined, unknown> {
    const read = this.#read;
    return this.each(function* (segment, first) {
      for (let at = 0; at < segment.count; at++) {
        if (segment.blocks.unchecked > 0) segment.checkElement(at);
        yield show(first + at, read(segment, at));
      }
    });
  }
}
