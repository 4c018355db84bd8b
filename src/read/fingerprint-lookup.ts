// The hot path of tables without keys: from an encoded key to the record with its fingerprint (native-notes/format.md,
// section 16). Knows that a key lies in the scratch buffer; does not know strings, value types or files.

import type { LazyArray } from '../base/lazy-array.js';
import { murmur3 } from '../base/murmur3.js';
import { sum64, xxh64 } from '../base/xxh64.js';
import { scratch } from '../codec/keys.js';
import { MAX_BUCKET_RECORDS, VARIABLE } from '../format/constants.js';
import { fingerprintMask } from '../format/fingerprints.js';
import type { HashHeader } from '../format/header.js';
import { type HashSegment, RecordCursor } from '../storage/hash-segment.js';
import type { LongFingerprints } from '../storage/long-fingerprints.js';
import { LARGE_BUCKET, Lookup } from './lookup.js';

const { imul } = Math;
const keys = scratch.view;
// Local copies: V8 folds them (native-notes/performance.md).
const LARGE = LARGE_BUCKET;
const MOST = MAX_BUCKET_RECORDS;

/** Finds records by fingerprints; see {@link Lookup}. */
export class FingerprintLookup extends Lookup {
  readonly fingerprintBytes: number;
  readonly mask: number;
  readonly isFixed: boolean;
  readonly long: LongFingerprints | undefined;
  readonly cursor: RecordCursor;

  /** @param long only if there are any */
  constructor(header: HashHeader, segments: LazyArray<HashSegment>, long: LongFingerprints | undefined) {
    super(header, segments);
    this.fingerprintBytes = header.fingerprint!.bits / 8;
    this.mask = fingerprintMask(this.fingerprintBytes);
    this.isFixed = this.valueWidth !== VARIABLE;
    this.long = long;
    this.cursor = new RecordCursor(header);
  }

  override findIn(
    segment: HashSegment,
    bucket: number,
    start: number,
    end: number,
    at: number,
    length: number,
  ): number {
    if ((start | end) < 0 || (end - start) >>> 0 > LARGE || end > segment.reach || !this.isFixed)
      return this.#findWarily(segment, bucket, at, length);
    this.segment = segment;
    const wanted = murmur3(keys, at, length, this.seed) & this.mask;
    const { unit, fingerprintBytes } = this;
    const { view } = segment.heap;
    const last = imul(end, unit);
    let p = imul(start, unit);
    if (fingerprintBytes === 2) {
      while (p < last && view.getUint16(p, true) !== wanted) p += unit;
    } else {
      while (p < last && fingerprintAt(view, p, fingerprintBytes) !== wanted) p += unit;
    }
    if (p === last) return -1;
    const next = p + unit;
    // Records with one fingerprint lie side by side.
    if (this.long !== undefined && next < last && fingerprintAt(view, next, fingerprintBytes) === wanted) {
      return this.#findWarily(segment, bucket, at, length);
    }
    return p + fingerprintBytes;
  }

  /**
   * The slow path: for as long as some blocks have not been checked, for invalid offsets, for values of several
   * lengths, and for fingerprints that more than one record of the bucket has.
   */
  #findWarily(segment: HashSegment, bucket: number, at: number, length: number): number {
    segment.updateReach();
    const { start, end } = segment.bucketRange(bucket);
    this.segment = segment;
    const wanted = murmur3(keys, at, length, this.seed) & this.mask;
    const { cursor } = this;
    cursor.enter(segment, start, end);
    for (let left = MOST; cursor.step(); left--) {
      if (left === 0) throw segment.damagedBucket(bucket, `holds more than ${MOST} records`);
      if (!this.#isAt(cursor, wanted)) continue;
      const { record, value } = cursor;
      cursor.need(cursor.next);
      this.valueBytes = cursor.valueBytes;
      if (this.long === undefined || !(cursor.step() && this.#isAt(cursor, wanted))) return value;
      cursor.enter(segment, record, end);
      return this.#findLong(this.long, segment, bucket, wanted, at, length);
    }
    return -1;
  }

  /** Whether the cursor's record has a fingerprint; its block is checked first. */
  #isAt(cursor: RecordCursor, wanted: number): boolean {
    cursor.need(cursor.value);
    return fingerprintAt(this.segment.heap.view, cursor.key, this.fingerprintBytes) === wanted;
  }

  /** Finds the record among those with the same fingerprint, of which the cursor's next one is the first. */
  #findLong(
    long: LongFingerprints,
    segment: HashSegment,
    bucket: number,
    wanted: number,
    at: number,
    length: number,
  ): number {
    const { cursor } = this;
    xxh64(keys, at, length);
    const { high, low } = sum64;
    let row = long.find(segment.number, cursor.next / segment.unit);
    for (; cursor.step() && this.#isAt(cursor, wanted); row++) {
      const isRow =
        row >= 0 && row < long.count && long.compare(row, segment.number, cursor.record / segment.unit) === 0;
      if (!isRow) throw segment.damaged(`a record of bucket ${bucket} without its long fingerprint`, cursor.record);
      if (long.lowAt(row) !== low || long.highAt(row) !== high) continue;
      cursor.need(cursor.next);
      this.valueBytes = cursor.valueBytes;
      return cursor.value;
    }
    return -1;
  }
}

/** The fingerprint at `p`, as the masked hash has it. */
function fingerprintAt(view: DataView, p: number, bytes: number): number {
  if (bytes === 2) return view.getUint16(p, true);
  if (bytes === 1) return view.getUint8(p);
  if (bytes === 3) return view.getUint16(p, true) | (view.getUint8(p + 2) << 16);
  return view.getInt32(p, true);
}
