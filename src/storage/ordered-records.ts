// Goes through the records of a hash table in their order, by hash and key, so that several files can be gone through
// side by side; passes over whole buckets where nothing is to be compared. Does not know what keys and values mean.

import { compareBytes } from '../base/bytes.js';
import type { HmapError } from '../base/errors.js';
import { xxh32 } from '../base/xxh32.js';
import type { HashHeader } from '../format/header.js';
import { bucketCount, bucketOf, segmentOf } from '../format/index-lines.js';
import { QuietPass } from '../mapping/quiet-pass.js';
import { type HashSegment, RecordCursor } from './hash-segment.js';
import { type MappedHashSegment, mappedSegments } from './scan.js';

/** Bytes between two words to the operating system of how far the pass has come. */
const STRIDE = 2 ** 20;

/** Hashes, unsigned, `[from, end)`. */
export interface HashRange {
  readonly from: number;
  readonly end: number;
}

const ALL_HASHES: HashRange = { from: 0, end: 2 ** 32 };

/** Whole buckets of one segment, `[from, end)`. */
export interface BucketsOf {
  readonly segment: HashSegment;
  readonly from: number;
  readonly end: number;
}

export class OrderedRecords {
  readonly header: HashHeader;
  /** XXH32 of the key of the current record, unsigned; above all hashes when there are no more. */
  hash: number = BEFORE_ALL;
  /** The current record's place; its segment is {@link segment}. */
  readonly cursor: RecordCursor;
  segment!: HashSegment;
  readonly #segments: Iterator<MappedHashSegment>;
  readonly #seed: number;
  readonly #buckets: number;
  #reach: MappedHashSegment['reach'] = () => {};
  #next = 0;
  /** The key before the current one, for the order of keys with one hash. */
  #lastKey = 0;
  #lastLength = 0;
  /** Hashes of the records that are wanted. */
  readonly #range: HashRange;

  /**
   * @param check whether each block is compared with its checksum before it is used
   * @param range whose records are wanted, if not all are; of the file's own shard
   */
  constructor(fd: number, header: HashHeader, path: string, check: 'none' | 'touch', range = ALL_HASHES) {
    this.header = header;
    this.cursor = new RecordCursor(header);
    this.#range = range;
    const [first, last] =
      range === ALL_HASHES
        ? [0, header.segments.length - 1]
        : ([range.from, range.end - 1].map((hash) => segmentOf(hash, header)) as [number, number]);
    const wanted = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    this.#segments = mappedSegments(fd, header, path, check, QuietPass.over(fd), wanted)[Symbol.iterator]();
    this.#seed = header.hash.seed;
    this.#buckets = bucketCount(header);
  }

  /** Whether there is no current record any more. */
  get isDone(): boolean {
    return this.hash === AFTER_ALL;
  }

  /**
   * Moves to the next record; `false` at the end.
   * @throws {HmapError} `HMAP_DAMAGED` at a record that does not fit, or does not follow the one before it
   */
  step(): boolean {
    while (this.#step()) {
      if (this.hash < this.#range.from) continue;
      if (this.hash < this.#range.end) return true;
      this.end();
      return false;
    }
    return false;
  }

  #step(): boolean {
    const { cursor } = this;
    while (!cursor.step()) {
      if (!this.#enter()) return false;
    }
    if (cursor.record >= this.#next) this.#say();
    cursor.need(cursor.next);
    const { heap } = this.segment;
    const { keyBytes } = cursor;
    const hash = xxh32(heap.view, cursor.key, keyBytes, this.#seed) >>> 0;
    if (hash <= this.hash) this.#checkOrder(hash);
    this.hash = hash;
    this.#lastKey = cursor.key;
    this.#lastLength = keyBytes;
    return true;
  }

  /**
   * Passes over whole buckets, beginning with that of the current record, up to that of `hash`, exclusive, or the end of
   * the segment, and moves to the record after them; `false`, and nothing has moved, if there is no such bucket, or
   * the current record is not the first of its own. Only the lines of the first and the last of them have been checked.
   * @param after hash, unsigned, whose bucket is not passed over; below all hashes if there is none
   * @param hash unsigned; above all hashes for all the buckets that are left
   * @param take gets the buckets, whose segment is readable until it returns
   */
  passTo(after: number, hash: number, take: (buckets: BucketsOf) => void): boolean {
    const { header, cursor, segment } = this;
    const from = bucketOf(this.hash, header);
    if (after !== BEFORE_ALL && segmentOf(after, header) === segment.number && bucketOf(after, header) >= from)
      return false;
    const isHere = hash !== AFTER_ALL && segmentOf(hash, header) === segment.number;
    const end = isHere ? bucketOf(hash, header) : this.#buckets;
    if (end <= from || segment.bucketRange(from).start !== cursor.record) return false;
    const last = segment.bucketRange(end - 1).end;
    if (last <= cursor.record) throw segment.damagedBucket(end - 1);
    take({ segment, from, end });
    if (last >= this.#next) this.#say(last);
    cursor.enter(segment, last, segment.heapBytes);
    // What was passed over is in order if its blocks are as they were written.
    this.#lastLength = -1;
    this.step();
    return true;
  }

  /** Offset in the file that the pass has reached. */
  get position(): number {
    if (this.isDone) return this.header.index.offset;
    return this.hash === BEFORE_ALL ? 0 : this.segment.heapOffset + this.cursor.record;
  }

  /** Ends the pass before its end. */
  end(): void {
    this.#segments.return?.();
    this.hash = AFTER_ALL;
  }

  /** Orders the current records of two tables with one seed, by hash and key: below 0, 0 or above 0. */
  compare(other: OrderedRecords): number {
    if (this.hash !== other.hash) return this.hash - other.hash;
    const [a, b] = [this.cursor, other.cursor];
    return compareBytes(this.segment.heap.view, a.key, a.keyBytes, other.segment.heap.view, b.key, b.keyBytes);
  }

  #enter(): boolean {
    const next = this.#segments.next();
    if (next.done) {
      this.hash = AFTER_ALL;
      return false;
    }
    const { segment, reach, begin } = next.value;
    this.segment = segment;
    this.#reach = reach;
    this.#next = 0;
    this.#lastLength = -1;
    const { from } = this.#range;
    const isFirst = from > 0 && segmentOf(from, this.header) === segment.number;
    const start = isFirst ? segment.bucketRange(bucketOf(from, this.header)).start : 0;
    if (start > 0) begin(start);
    this.cursor.enter(segment, start, segment.heapBytes);
    return true;
  }

  #say(at = this.cursor.record): void {
    this.#reach(at);
    this.#next = at + STRIDE;
  }

  #checkOrder(hash: number): void {
    const { view } = this.segment.heap;
    const { cursor } = this;
    const isAfter =
      hash === this.hash &&
      (this.#lastLength < 0 ||
        compareBytes(view, this.#lastKey, this.#lastLength, view, cursor.key, cursor.keyBytes) < 0);
    if (!isAfter) throw this.#outOfOrder();
  }

  #outOfOrder(): HmapError {
    return this.segment.damaged('a record that is not after the one before it', this.cursor.record);
  }
}

/** Below all hashes, and above them. */
export const BEFORE_ALL = -1;
export const AFTER_ALL: number = Number.POSITIVE_INFINITY;
