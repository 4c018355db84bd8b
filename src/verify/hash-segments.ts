// The segments' part of a verification: records, values, and what they add up to. Knows the rules of the
// format (native-notes/format.md, section 11); does not know files or checksums.

import { compareBytes } from '../base/bytes.js';
import { HmapError } from '../base/errors.js';
import { xxh32 } from '../base/xxh32.js';
import { type ValueCheck, valueCheck } from '../codec/check-value.js';
import { showKey } from '../codec/key-text.js';
import { GROUP_BUCKETS, HEADER, MAX_BUCKET_RECORDS, SEGMENT_ROW, VARIABLE } from '../format/constants.js';
import { fieldEnd, type HashHeader } from '../format/header.js';
import { bucketOf, bucketsFor, offsetBitsFor, segmentOf, shardOf } from '../format/index-lines.js';
import { keyWidthOf } from '../format/key-types.js';
import { narrowWidth, valueWidthOf } from '../format/value-types.js';
import { type HashSegment, RecordCursor } from '../storage/hash-segment.js';
import type { FindingCode, Findings } from './findings.js';
import { IndexCheck } from './index-lines.js';

/** Groups of buckets, and bytes of records, between two yields. */
const STRIDE = 128;
const STRIDE_BYTES = 2 ** 20;

export class SegmentCheck {
  /** Records that were checked. */
  entries = 0;
  readonly #header: HashHeader;
  readonly #findings: Findings;
  readonly #isValue: ValueCheck;
  #keyBytes = 0;
  #valueBytes = 0;
  /** Of values that are as narrow as they all allow. */
  #largestValue = 0;
  /** Units of the largest group of any segment; infinite if a line is wrong. */
  #largestGroup = 0;
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
   * Scans each bucket whose place in the heap is certain.
   * @returns whether all records were scanned
   */
  *#checkBuckets(segment: HashSegment, index: number): Generator<number, boolean> {
    const cursor = new RecordCursor(this.#header);
    const lines = new IndexCheck(segment, this.#findings);
    let whole = true;
    /** How far the heap has been scanned, now and at the last yield. */
    let scanned = 0;
    let yielded = 0;
    while (lines.step()) {
      for (let slot = 0; slot < GROUP_BUCKETS; slot++) {
        const start = lines.starts[slot]! * segment.unit;
        const end = lines.starts[slot + 1]! * segment.unit;
        // NaN where a line leaves it open.
        if (!(start >= scanned && end <= segment.heapBytes)) {
          whole = false;
          continue;
        }
        if (!this.#checkBucket(segment, cursor, index, lines.group * GROUP_BUCKETS + slot, start, end)) whole = false;
        scanned = end;
      }
      if (lines.group % STRIDE === 0 || scanned - yielded >= STRIDE_BYTES) {
        yielded = scanned;
        yield yielded;
      }
    }
    if (lines.largest > this.#largestGroup) this.#largestGroup = lines.largest;
    return whole;
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
      if (load > MAX_BUCKET_RECORDS) {
        const message = `bucket ${bucket} of segment ${index} holds ${load} records, the maximum is ${MAX_BUCKET_RECORDS}`;
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
    const header = this.#header;
    const rightShard = shardOf(hash, header);
    const rightSegment = segmentOf(hash, header);
    const rightBucket = bucketOf(hash, header);
    if (rightShard !== header.shard.index) {
      this.#badRecord(segment, cursor, 'HMAP_RECORD_BUCKET', `belongs in shard ${rightShard}`);
      return false;
    }
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
    if (this.#header.narrowed) {
      const value = segment.heap.bytes.readUIntLE(cursor.value, valueBytes);
      if (value > this.#largestValue) this.#largestValue = value;
    }
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

    const least = header.narrowed ? narrowWidth('uint', this.#largestValue) : valueWidthOf(header.valueType);
    if (header.narrowed && header.valueWidth !== least) {
      const message = `the values are ${header.valueType}, the narrowest type for them has ${least} bytes`;
      this.#findings.add('HMAP_WIDTH', 'header', HEADER.valueType, fieldEnd(HEADER.valueType), message);
    }
    this.#checkBucketBits();
  }

  #checkBucketBits(): void {
    const { segmentBits, shard, bucketBits, eighths, entries, index, keyWidth, valueWidth } = this.#header;
    const bad = (name: 'bucketBits' | 'bucketEighths' | 'offsetBits', message: string) =>
      this.#findings.add('HMAP_BUCKET_BITS', 'header', HEADER[name], fieldEnd(HEADER[name]), message);
    // A wrong number of entries has been reported already; so the buckets are right if they fit the header's number or
    // the number that was counted.
    const rightFor = (count: number) =>
      bucketsFor({
        entries: count,
        segmentBits,
        shardBits: shard.bits,
        keyWidth: keyWidth ?? VARIABLE,
        valueWidth: valueWidth ?? VARIABLE,
      });
    const fits = (count: number) => {
      const right = rightFor(count);
      return right.bucketBits === bucketBits && right.eighths === eighths;
    };
    if (!fits(this.entries) && !fits(entries)) {
      const right = rightFor(this.entries);
      const give = `${this.entries} entries give ${right.bucketBits} and ${right.eighths} eighths`;
      const name = right.bucketBits === bucketBits ? 'bucketEighths' : 'bucketBits';
      bad(name, `the bucket bits are ${bucketBits} with ${eighths} eighths, ${give}`);
    }
    const least = offsetBitsFor(this.#largestGroup);
    // Not known if a line is wrong.
    if (index.offsetBits === least || !Number.isFinite(this.#largestGroup)) return;
    bad('offsetBits', `the offsets have ${index.offsetBits} bits, the largest group needs ${least}`);
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
