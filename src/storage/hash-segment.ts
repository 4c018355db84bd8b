// One segment of a mapped file: its bucket array and its key heap, and the records in it. Does not know keys' meaning,
// values or files.

import { ByteBuffer } from '../base/bytes.js';
import { damage, type HmapError } from '../base/errors.js';
import {
  bucketArraySize,
  heapStart,
  MAX_KEY_BYTES,
  MAX_PREFIX_BYTES,
  MAX_VALUE_BYTES,
  VARIABLE,
} from '../format/constants.js';
import type { Header, SegmentPlace } from '../format/header.js';
import { type BlockChecker, CheckedBlocks } from './block-check.js';

/**
 * A segment as lookups see it. Offsets in it are below 2^31, so indexes stay small integers (see `MAX_SEGMENT_BYTES`).
 */
export class HashSegment {
  /** Heap offset of each bucket, and of the end; signed, so a damaged one above 2^31 shows as negative. */
  readonly offsets: Int32Array;
  readonly heap: ByteBuffer;
  readonly heapBytes: number;
  /** Offset of the segment, and of its key heap, in the file. */
  readonly offset: number;
  readonly heapOffset: number;
  /** Checks blocks before they are used. */
  readonly blocks: CheckedBlocks;
  /**
   * Offset in the heap up to which lookups need no check of blocks: its end once every block has been checked, -1
   * before. So lookups make one comparison, which they need anyway.
   */
  reach: number;
  readonly #path: string;

  /**
   * @param view the segment's bytes, perhaps with trailing bytes
   * @param path for messages
   * @param checker checks each block before it is used; without one nothing is checked
   */
  constructor(view: Uint8Array, place: SegmentPlace, header: Header, path: string, checker?: BlockChecker) {
    const start = heapStart(header.bucketBits);
    this.offsets = new Int32Array(view.buffer, view.byteOffset, bucketArraySize(header.bucketBits) / 4);
    this.heap = new ByteBuffer(view.subarray(start, place.bytes));
    this.heapBytes = this.heap.size;
    this.offset = place.offset;
    this.#path = path;
    this.heapOffset = place.offset + start;
    this.blocks = new CheckedBlocks(header, place, checker);
    this.reach = this.blocks.unchecked === 0 ? this.heapBytes : -1;
  }

  /** Bytes of the segment: bucket array, padding and key heap. */
  get bytes(): number {
    return this.heapOffset - this.offset + this.heapBytes;
  }

  /**
   * Range of a bucket's records in the key heap, once the bucket's own place has been checked.
   * @throws {HmapError} `HMAP_DAMAGED` if it is not a range
   */
  bucketRange(bucket: number): { start: number; end: number } {
    this.blocks.checkBucket(bucket);
    const start = this.offsets[bucket]!;
    const end = this.offsets[bucket + 1]!;
    if (start < 0 || end < start || end > this.heapBytes) throw this.damagedBucket(bucket);
    return { start, end };
  }

  /** Error for bytes that break a rule of the format; `at` is an offset in the key heap. */
  damaged(what: string, at: number): HmapError {
    const offset = this.heapOffset + at;
    return damage(this.#path, `${what} at byte ${offset}`, { offset });
  }

  /** Error for a bucket whose offsets fall or pass the end of the heap. */
  damagedBucket(bucket: number): HmapError {
    const offset = this.offset + 4 * bucket;
    return damage(this.#path, `the offsets of bucket ${bucket} at byte ${offset} do not fit`, { offset });
  }
}

// Local copy: V8 folds it (native-notes/performance.md).
const PREFIXES = MAX_PREFIX_BYTES;

/**
 * Walks the records of a range of a key heap, one after the other. Every step moves forward and stays in the range,
 * whatever the bytes are.
 */
export class RecordCursor {
  /** Start of the record, of its key and of its value, and the end of the value: offsets in the key heap. */
  record = 0;
  key = 0;
  value = 0;
  next = 0;
  readonly #keyWidth: number;
  readonly #valueWidth: number;
  readonly #hasPrefixes: boolean;
  #segment!: HashSegment;
  /** Nothing is entered yet: the range is empty. */
  #end = 0;
  /** Up to where in the heap blocks need no check any more. */
  #sure = 0;

  constructor(header: Header) {
    this.#keyWidth = header.keyWidth ?? VARIABLE;
    this.#valueWidth = header.valueWidth ?? VARIABLE;
    this.#hasPrefixes = header.keyWidth === null || header.valueWidth === null;
  }

  /** Goes before the first record of `[start, end)`, a range within the heap. */
  enter(segment: HashSegment, start: number, end: number): void {
    this.#segment = segment;
    this.next = start;
    this.#end = end;
    this.#sure = 0;
  }

  get keyBytes(): number {
    return this.value - this.key;
  }

  get valueBytes(): number {
    return this.next - this.value;
  }

  /**
   * Moves to the next record; returns `false` at the end of the range. If blocks are checked, those with the lengths
   * are checked here; for the rest see {@link need}.
   * @throws {HmapError} `HMAP_DAMAGED` when the next record does not fit
   */
  step(): boolean {
    this.record = this.next;
    if (this.record >= this.#end) return false;
    if (this.#hasPrefixes && this.record + PREFIXES > this.#sure)
      this.need(Math.min(this.record + PREFIXES, this.#end));
    let keyBytes = this.#keyWidth;
    if (keyBytes === VARIABLE) keyBytes = this.#length('a key length', MAX_KEY_BYTES, 3);
    let valueBytes = this.#valueWidth;
    if (valueBytes === VARIABLE) valueBytes = this.#length('a value length', MAX_VALUE_BYTES, 5);
    this.key = this.next;
    if (keyBytes + valueBytes > this.#end - this.key) {
      throw this.#segment.damaged('a record that passes the end of its bucket', this.record);
    }
    this.value = this.key + keyBytes;
    this.next = this.value + valueBytes;
    return true;
  }

  /**
   * Checks what has not been checked of the record's bytes up to `end`, an offset in the heap, before they are used.
   * @throws {HmapError} `HMAP_DAMAGED`
   */
  need(end: number): void {
    // Earlier bytes were needed before or never will be: a cursor only moves forward.
    if (end > this.#sure) this.#sure = this.#segment.blocks.checkHeap(this.record, end);
  }

  #length(what: string, most: number, longest: number): number {
    const { view } = this.#segment.heap;
    let value = 0;
    // Not a shift: a fifth byte may go beyond 31 bits, and must then be seen as too large.
    let unit = 1;
    for (let i = 0; i < longest && this.next < this.#end; i++, unit *= 128) {
      const byte = view.getUint8(this.next++);
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) {
        if ((byte === 0 && i > 0) || value > most) break;
        return value;
      }
    }
    throw this.#segment.damaged(`${what} that is too large, too long or cut off`, this.record);
  }
}
