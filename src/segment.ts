// One segment of a mapped file: its bucket array and its key heap, and the records in it. Does not know keys' meaning, values or files.

import { Block } from './bytes.js';
import { HmapError } from './errors.js';
import type { Header } from './header.js';
import { bucketArraySize, heapStart, MAX_KEY_BYTES, MAX_VALUE_BYTES, VARIABLE } from './layout.js';

/** A segment as lookups see it. Offsets in it are below 2^31, so indexes stay small integers (see `MAX_SEGMENT_BYTES`). */
export class Segment {
  /** Heap offset of each bucket, and of the end; signed, so a damaged one above 2^31 shows as negative. */
  readonly offsets: Int32Array;
  readonly heap: Block;
  readonly heapBytes: number;
  /** Offset of the segment, and of its key heap, in the file. */
  readonly offset: number;
  readonly heapOffset: number;

  constructor(view: Uint8Array, offset: number, bucketBits: number) {
    const start = heapStart(bucketBits);
    this.offsets = new Int32Array(view.buffer, view.byteOffset, bucketArraySize(bucketBits) / 4);
    this.heap = new Block(view.subarray(start));
    this.heapBytes = this.heap.size;
    this.offset = offset;
    this.heapOffset = offset + start;
  }

  /** Bytes of the segment: bucket array, padding and key heap. */
  get bytes(): number {
    return this.heapOffset - this.offset + this.heapBytes;
  }

  /**
   * Range of a bucket's records in the key heap.
   * @throws {HmapError} `HMAP_DAMAGED` where it is none
   */
  bucketRange(bucket: number): { start: number; end: number } {
    const start = this.offsets[bucket]!;
    const end = this.offsets[bucket + 1]!;
    if (start < 0 || end < start || end > this.heapBytes) throw this.damagedBucket(bucket);
    return { start, end };
  }

  /** Error for bytes that break a rule of the format; `at` is an offset in the key heap. */
  damaged(what: string, at: number): HmapError {
    const offset = this.heapOffset + at;
    return new HmapError('HMAP_DAMAGED', `the file is damaged: ${what} at byte ${offset}; run verify`, { offset });
  }

  /** Error for a bucket whose offsets fall or pass the end of the heap. */
  damagedBucket(bucket: number): HmapError {
    const offset = this.offset + 4 * bucket;
    const message = `the file is damaged: the offsets of bucket ${bucket} at byte ${offset} do not fit; run verify`;
    return new HmapError('HMAP_DAMAGED', message, { offset });
  }
}

/** Segments of a file from the views that a mapping gave, one a segment. */
export function segmentsOf(header: Header, views: readonly Uint8Array[]): Segment[] {
  return header.segments.map((place, i) => new Segment(views[i]!, place.offset, header.bucketBits));
}

/**
 * Walks the records of a range of a key heap, one after the other. Every step moves forward and stays in the range, whatever the bytes are.
 */
export class RecordCursor {
  /** Start of the record, of its key and of its value, and the end of the value: offsets in the key heap. */
  record = 0;
  key = 0;
  value = 0;
  next = 0;
  readonly #keyWidth: number;
  readonly #valueWidth: number;
  #segment!: Segment;
  /** Nothing is entered yet: the range is empty. */
  #end = 0;

  constructor(header: Header) {
    this.#keyWidth = header.keyWidth ?? VARIABLE;
    this.#valueWidth = header.valueWidth ?? VARIABLE;
  }

  /** Goes before the first record of `[start, end)`, a range within the heap. */
  enter(segment: Segment, start: number, end: number): void {
    this.#segment = segment;
    this.next = start;
    this.#end = end;
  }

  get keyBytes(): number {
    return this.value - this.key;
  }

  get valueBytes(): number {
    return this.next - this.value;
  }

  /**
   * Moves to the next record; `false` at the end of the range.
   * @throws {HmapError} `HMAP_DAMAGED` when the next record does not fit
   */
  step(): boolean {
    this.record = this.next;
    if (this.record >= this.#end) return false;
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
