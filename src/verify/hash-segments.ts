// The segments' part of a verification: bucket arrays, records, values, and what they add up to. Knows the rules of the
// format (native-notes/format.md, section 11); does not know files or checksums.

import { compareBytes } from '../base/bytes.js';
import { HmapError } from '../base/errors.js';
import { xxh32 } from '../base/xxh32.js';
import { type ValueCheck, valueCheck } from '../codec/check-value.js';
import { showKey } from '../codec/key-text.js';
import {
  bucketLimit,
  bucketOf,
  HEADER,
  SEGMENT_ROW,
  segmentOf,
  totalBucketBits,
  VARIABLE,
} from '../format/constants.js';
import { fieldEnd, type HashHeader } from '../format/header.js';
import { keyWidthOf } from '../format/key-types.js';
import { valueWidthOf } from '../format/value-types.js';
import { type HashSegment, RecordCursor } from '../storage/hash-segment.js';
import type { FindingCode, Findings } from './findings.js';

/** Buckets, and bytes of records, between two yields. */
const STRIDE = 4096;
const STRIDE_BYTES = 2 ** 20;

export class SegmentCheck {
  /** Records that were checked. */
  entries = 0;
  readonly #header: HashHeader;
  readonly #findings: Findings;
  readonly #mostLoad: number;
  readonly #isValue: ValueCheck;
  #keyBytes = 0;
  #valueBytes = 0;
  readonly #keys = new Widths();
  readonly #values = new Widths();
  /**
   * Whether all records so far could be counted; otherwise the totals are not checked, as they could only repeat what
   * was reported.
   */
  #counted = true;

  /** @param isValue checks a record's value */
  constructor(header: HashHeader, findings: Findings, isValue: ValueCheck = valueCheck(header.valueType)) {
    this.#header = header;
    this.#findings = findings;
    this.#mostLoad = bucketLimit(header.entries);
    this.#isValue = isValue;
  }

  /** Whether each record of each segment was looked at. */
  get complete(): boolean {
    return this.#counted;
  }

  /** Leaves out a segment, which another finding explains. */
  skip(): void {
    this.#counted = false;
  }

  /** Checks the segment with that index. Yields the bytes of its key heap that are done. */
  *check(segment: HashSegment, index: number): Generator<number, void> {
    const stated = this.#header.segments[index]!.entries;
    const before = this.entries;
    const whole = yield* this.#checkBuckets(segment, index);
    const found = this.entries - before;
    if (!whole) {
      this.#counted = false;
    } else if (found !== stated) {
      const at = HEADER.segmentTable + SEGMENT_ROW.size * index + SEGMENT_ROW.entries;
      const message = `segment ${index} holds ${found} entries, the header says ${stated}`;
      this.#findings.add('HMAP_ENTRIES', 'header', at, at + 8, message);
    }
  }

  /**
   * Scans a bucket only if both its offsets can be trusted, and if it does not overlap what was scanned before. An
   * offset cannot be trusted if it is greater than the next one, less than the one before, or a wrong first or last
   * one. So one broken offset is reported once.
   * @returns whether all records were scanned
   */
  *#checkBuckets(segment: HashSegment, index: number): Generator<number, boolean> {
    const { offsets, heapBytes } = segment;
    const buckets = offsets.length - 1;
    const cursor = new RecordCursor(this.#header);
    const firstFits = offsets[0] === 0;
    const last = offsets[buckets]! >>> 0;
    const lastFits = last === heapBytes;
    if (!firstFits) this.#badOffset(segment, 0, 1, `the offset of the first bucket is ${offsets[0]! >>> 0}, not 0`);
    if (!lastFits) {
      const message = `the last offset is ${last}, the key heap has ${heapBytes} bytes`;
      this.#badOffset(segment, buckets, buckets + 1, message);
    }
    let whole = true;
    /** How far the heap has been scanned, now and at the last yield. */
    let scanned = 0;
    let yielded = 0;
    let start = offsets[0]! >>> 0;
    let end = offsets[1]! >>> 0;
    let startFits = firstFits;
    let fell = false;
    for (let bucket = 0; bucket < buckets; bucket++) {
      const isLast = bucket + 1 === buckets;
      const next = isLast ? end : offsets[bucket + 2]! >>> 0;
      // Where the last offset is wrong, that it falls says nothing about the one before it. A first one that is right
      // is 0.
      const falls = end > next && (lastFits || bucket + 2 < buckets);
      const endFits = !fell && !falls && (lastFits || !isLast);
      if (startFits && endFits && start >= scanned && end <= heapBytes) {
        if (!this.#checkBucket(segment, cursor, index, bucket, start, end)) whole = false;
        scanned = end;
      } else {
        whole = false;
      }
      if (falls) {
        const message = `the offset ${next} is below the one before it, ${end}`;
        this.#badOffset(segment, bucket + 1, bucket + 3, message);
      }
      if (bucket % STRIDE === 0 || scanned - yielded >= STRIDE_BYTES) {
        yielded = scanned;
        yield yielded;
      }
      start = end;
      end = next;
      startFits = endFits;
      fell = falls;
    }
    return whole;
  }

  /** Offsets `[from, to)` of the bucket array are wrong. */
  #badOffset(segment: HashSegment, from: number, to: number, message: string): void {
    this.#findings.add('HMAP_BUCKET_OFFSET', 'buckets', segment.offset + 4 * from, segment.offset + 4 * to, message);
  }

  /** Checks the records of a bucket; `false` if one of them hides those after it. */
  #checkBucket(
    segment: HashSegment,
    cursor: RecordCursor,
    index: number,
    bucket: number,
    start: number,
    end: number,
  ): boolean {
    cursor.enter(segment, start, end);
    const { view } = segment.heap;
    const { seed } = this.#header.hash;
    let lastHash = -1;
    let lastKey = 0;
    let lastBytes = 0;
    let load = 0;
    try {
      while (cursor.step()) {
        load++;
        const { key, keyBytes } = cursor;
        const hash = xxh32(view, key, keyBytes, seed) >>> 0;
        // A record of another bucket is out of order for that reason, so only the others are compared.
        if (this.#isPlaced(segment, cursor, index, bucket, hash)) {
          if (lastHash >= 0) {
            const order = lastHash - hash || compareBytes(view, lastKey, lastBytes, view, key, keyBytes);
            if (order === 0) this.#badRecord(segment, cursor, 'HMAP_RECORD_DUPLICATE', 'occurs twice');
            else if (order > 0)
              this.#badRecord(segment, cursor, 'HMAP_RECORD_ORDER', 'is not in the order of hash and key');
          }
          lastHash = hash;
          lastKey = key;
          lastBytes = keyBytes;
        }
        this.#countRecord(segment, cursor);
      }
      if (load > this.#mostLoad) {
        const message = `bucket ${bucket} of segment ${index} holds ${load} records, the maximum is ${this.#mostLoad}`;
        this.#findings.add('HMAP_BUCKET_LOAD', 'heap', segment.heapOffset + start, segment.heapOffset + end, message);
      }
      return true;
    } catch (error) {
      if (!(error instanceof HmapError)) throw error;
      // Nothing says where the next record starts.
      const { heapOffset } = segment;
      this.#findings.add(
        'HMAP_RECORD',
        'heap',
        heapOffset + cursor.record,
        heapOffset + end,
        error.reason ?? error.message,
      );
      return false;
    }
  }

  #isPlaced(segment: HashSegment, cursor: RecordCursor, index: number, bucket: number, hash: number): boolean {
    const { segmentBits, bucketBits } = this.#header;
    const rightSegment = segmentOf(hash, segmentBits);
    const rightBucket = bucketOf(hash, segmentBits, bucketBits);
    if (rightSegment === index && rightBucket === bucket) return true;
    const where = `lies in bucket ${bucket} of segment ${index}; its hash belongs in bucket ${rightBucket} of segment ${rightSegment}`;
    this.#badRecord(segment, cursor, 'HMAP_RECORD_BUCKET', where);
    return false;
  }

  #badRecord(segment: HashSegment, cursor: RecordCursor, code: FindingCode, what: string): void {
    const key = showKey(this.#header.keyType, segment.heap.bytes.subarray(cursor.key, cursor.value));
    const { heapOffset } = segment;
    const message = `the record of key ${key} ${what}`;
    this.#findings.add(code, 'heap', heapOffset + cursor.record, heapOffset + cursor.next, message);
  }

  #countRecord(segment: HashSegment, cursor: RecordCursor): void {
    const { keyBytes, valueBytes } = cursor;
    const { valueType } = this.#header;
    this.entries++;
    this.#keyBytes += keyBytes;
    this.#valueBytes += valueBytes;
    this.#keys.add(keyBytes);
    this.#values.add(valueBytes);
    if (!this.#isValue(segment.heap, cursor.value, valueBytes)) {
      this.#badRecord(segment, cursor, 'HMAP_VALUE', `has a value that is not valid ${valueType}`);
    }
  }

  /**
   * Checks the sums over all segments. The number of entries needs no check: parsing the header compared it with the
   * segment table, and each segment has been compared with that.
   */
  checkTotals(): void {
    if (!this.#counted) return;
    const header = this.#header;
    const differs = (
      code: FindingCode,
      name: 'keyBytes' | 'valueBytes' | 'keyWidth' | 'valueWidth',
      found: unknown,
    ) => {
      const message = `${name} is ${header[name] ?? 'variable'} in the header, the records give ${found ?? 'variable'}`;
      this.#findings.add(code, 'header', HEADER[name], fieldEnd(HEADER[name]), message);
    };
    // A sum that no field may hold has been reported with the header.
    for (const [name, found] of [
      ['keyBytes', this.#keyBytes],
      ['valueBytes', this.#valueBytes],
    ] as const) {
      if (header[name] !== found && Number.isFinite(header[name])) differs('HMAP_TOTALS', name, found);
    }
    const keyWidth = this.#keys.shared || null;
    const isKeyFree = keyWidthOf(header.keyType) === VARIABLE;
    if (isKeyFree && header.keyWidth !== keyWidth) differs('HMAP_WIDTH', 'keyWidth', keyWidth);
    const valueWidth = this.#values.shared;
    const isFree = valueWidthOf(header.valueType) === VARIABLE;
    if (isFree && header.valueWidth !== valueWidth) differs('HMAP_WIDTH', 'valueWidth', valueWidth);

    // A wrong number of entries has been reported already; so bucket bits are right if they fit the header's number or
    // the number that was counted.
    const bitsFor = (entries: number) => Math.max(0, totalBucketBits(entries) - header.segmentBits);
    const bits = bitsFor(this.entries);
    if (header.bucketBits === bits || header.bucketBits === bitsFor(header.entries)) return;
    const message = `the bucket bits are ${header.bucketBits}, ${this.entries} entries give ${bits}`;
    const at = HEADER.bucketBits;
    this.#findings.add('HMAP_BUCKET_BITS', 'header', at, fieldEnd(at), message);
  }
}

/** Whether all lengths are the same. */
class Widths {
  #shared: number | null | undefined;

  add(length: number): void {
    if (this.#shared === undefined) this.#shared = length;
    else if (this.#shared !== length) this.#shared = null;
  }

  /** The length that all share; `null` if there are several, or none at all. */
  get shared(): number | null {
    return this.#shared ?? null;
  }
}
