// The segments' part of a verification: records, values, and what they add up to. Knows the rules of the
// format (native-notes/format.md, section 11); does not know files or checksums.

import { HmapError } from '../base/errors.js';
import { type ValueCheck, valueCheck } from '../codec/check-value.js';
import { GROUP_BUCKETS, HEADER, MAX_BUCKET_RECORDS, SEGMENT_ROW, VARIABLE } from '../format/constants.js';
import { fieldEnd, type HashHeader } from '../format/header.js';
import { bucketsFor, offsetBitsFor } from '../format/index-lines.js';
import { keyWidthOf } from '../format/key-types.js';
import { narrowWidth, valueWidthOf } from '../format/value-types.js';
import { type HashSegment, RecordCursor } from '../storage/hash-segment.js';
import { CoreScan, type GroupTotals } from './core-scan.js';
import type { FindingCode, Findings } from './findings.js';
import { IndexCheck } from './index-lines.js';
import { addRecord, type OrderCheck } from './record-order.js';

/** Groups of buckets, and bytes of records, between two yields. */
const STRIDE = 128;
const STRIDE_BYTES = 2 ** 20;

export class SegmentCheck {
  /** Records that were checked. */
  entries = 0;
  readonly #header: HashHeader;
  readonly #findings: Findings;
  readonly #order: OrderCheck;
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

  /**
   * @param order checks the records' places
   * @param isValue checks a record's value
   */
  constructor(
    header: HashHeader,
    findings: Findings,
    order: OrderCheck,
    isValue: ValueCheck = valueCheck(header.valueType),
  ) {
    this.#header = header;
    this.#findings = findings;
    this.#order = order;
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

  /** Checks a segment. Yields the bytes of its key heap that are done. */
  *check(segment: HashSegment): Generator<number, void> {
    const index = segment.number;
    const stated = this.#header.segments[index]!.entries;
    const before = this.entries;
    const whole = yield* this.#checkBuckets(segment);
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
  *#checkBuckets(segment: HashSegment): Generator<number, boolean> {
    const cursor = new RecordCursor(this.#header);
    const lines = new IndexCheck(segment, this.#findings);
    let whole = true;
    /** How far the heap has been scanned, now and at the last yield. */
    let scanned = 0;
    let yielded = 0;
    const core = CoreScan.of(this.#header, segment);
    for (;;) {
      const { expected } = lines;
      // The core goes on after each group that it has left to the rest of this loop, unless what follows was scanned
      // with that group, or lies nowhere in the heap.
      const isPlace = expected !== undefined && expected <= segment.units && expected * segment.unit >= scanned;
      if (core !== undefined && isPlace) {
        const first = lines.group + 1;
        const group = core.run(first, expected, STRIDE, STRIDE_BYTES);
        if (group > first) {
          lines.skip(group, core.next);
          this.#countGroups(core.totals);
          scanned = core.next * segment.unit;
          yielded = scanned;
          yield yielded;
          continue;
        }
      }
      if (!lines.step()) break;
      for (let slot = 0; slot < GROUP_BUCKETS; slot++) {
        const start = lines.starts[slot]! * segment.unit;
        const end = lines.starts[slot + 1]! * segment.unit;
        // NaN where a line leaves it open.
        if (!(start >= scanned && end <= segment.heapBytes)) {
          whole = false;
          continue;
        }
        if (!this.#checkBucket(segment, cursor, lines.group * GROUP_BUCKETS + slot, start, end)) whole = false;
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
  #checkBucket(segment: HashSegment, cursor: RecordCursor, bucket: number, start: number, end: number): boolean {
    cursor.enter(segment, start, end);
    this.#order.enter(segment, bucket);
    let load = 0;
    try {
      while (cursor.step()) {
        load++;
        this.#order.check(cursor);
        this.#countRecord(segment, cursor);
      }
      if (load > MAX_BUCKET_RECORDS) {
        const message = `bucket ${bucket} of segment ${segment.number} holds ${load} records, the maximum is ${MAX_BUCKET_RECORDS}`;
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

  #countGroups({ entries, keyBytes, valueBytes, keys, values, largestValue, largestGroup }: GroupTotals): void {
    this.entries += entries;
    this.#keyBytes += keyBytes;
    this.#valueBytes += valueBytes;
    for (const length of entries === 0 ? [] : keys) this.#keys.add(length);
    for (const length of entries === 0 ? [] : values) this.#values.add(length);
    this.#largestValue = Math.max(this.#largestValue, largestValue);
    this.#largestGroup = Math.max(this.#largestGroup, largestGroup);
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
      const what = `has a value that is not valid ${valueType}`;
      addRecord(this.#findings, this.#header, segment, cursor, 'HMAP_VALUE', what);
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
    // Fingerprints have the width that the header's bits give.
    const isKeyFree = keyWidthOf(header.keyType) === VARIABLE && header.fingerprint === null;
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
