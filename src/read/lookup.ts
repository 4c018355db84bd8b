// The hot path: from an encoded key to its record. Knows hash, buckets and records, and that a key lies in the scratch
// buffer; does not know strings, value types or files.

import type { LazyArray } from '../base/lazy-array.js';
import { scratch } from '../codec/keys.js';
import * as layout from '../format/constants.js';
import type { HashHeader } from '../format/header.js';
import { hashShifts, lineSize, offsetUnit } from '../format/index-lines.js';
import type { HashSegment } from '../storage/hash-segment.js';

// Local copies: V8 folds them (native-notes/performance.md).
const { MAX_BUCKET_RECORDS: MOST, MAX_PREFIX_BYTES, VARIABLE } = layout;
const { imul } = Math;
const keys = scratch.view;

/**
 * Keeps the sign of an anchor of 2^31 or more, which a sum might lose: so the start is negative, which no start may be.
 */
const SIGN = -0x8000_0000;

/**
 * A bucket of more units of the index than this is looked at record by record, and no more than the format allows: so a
 * bucket that covers a heap of 2 GiB costs no more than another one. Long values make such buckets, too.
 */
export const LARGE_BUCKET = 2 ** 16;
// Local copy: V8 folds it (native-notes/performance.md).
const LARGE = LARGE_BUCKET;

/** Stands for "all blocks that the find needs have been checked"; neither an offset nor -1, which means not found. */
const KNOWN = -2;

/**
 * Finds records. A find is two dependent memory touches (a line of the index, the key heap), allocates nothing, and
 * does work bounded by the size of one bucket.
 */
export class Lookup {
  readonly segments: LazyArray<HashSegment>;
  readonly seed: number;
  /** Where the last {@link find} looked. */
  segment: HashSegment;
  /** Length of the value that the last {@link find} found. */
  valueBytes: number;
  // Not private: V8 inlines by the length of bytecode, which a private name makes longer.
  readonly shardBits: number;
  readonly segmentBits: number;
  readonly hashBits: number;
  readonly segmentShift: number;
  readonly bucketShift: number;
  readonly eighths: number;
  readonly lineBytes: number;
  readonly offsetBits: number;
  readonly offsetMask: number;
  readonly unit: number;
  readonly keyWidth: number;
  readonly valueWidth: number;
  /** Whether keys have a prefix and values one width: the form that most tables have. */
  readonly isPlain: boolean;

  constructor(header: HashHeader, segments: LazyArray<HashSegment>) {
    const { shard, index } = header;
    this.segments = segments;
    this.seed = header.hash.seed | 0;
    this.segment = segments.at(0);
    this.shardBits = shard.bits;
    this.segmentBits = header.segmentBits;
    const shifts = hashShifts(shard.bits, header.segmentBits, header.bucketBits);
    this.hashBits = shifts.before;
    this.segmentShift = shifts.segment;
    this.bucketShift = shifts.bucket;
    this.eighths = header.eighths;
    this.lineBytes = lineSize(index.offsetBits);
    this.offsetBits = index.offsetBits;
    this.offsetMask = (2 ** index.offsetBits - 1) | 0;
    this.keyWidth = header.keyWidth ?? VARIABLE;
    this.valueWidth = header.valueWidth ?? VARIABLE;
    this.unit = offsetUnit(this.keyWidth, this.valueWidth);
    this.valueBytes = header.valueWidth ?? 0;
    this.isPlain = header.keyWidth === null && header.valueWidth !== null;
  }

  segmentOf(hash: number): HashSegment {
    return this.segments.at(((hash << this.shardBits) >>> 1) >>> this.segmentShift);
  }

  bucketOf(hash: number): number {
    return imul((hash << this.hashBits) >>> 3, this.eighths) >>> this.bucketShift;
  }

  /**
   * Returns the offset of the key's value in the heap of {@link segment}, or -1.
   * @param at where the key's bytes lie in the scratch buffer
   * @param hash the key's hash with {@link seed}
   * @throws {HmapError} `HMAP_DAMAGED` if the bytes on the way break the format
   */
  find(at: number, length: number, hash: number): number {
    const segment = this.segmentBits === 0 ? this.segment : this.segmentOf(hash);
    const bucket = this.bucketOf(hash);
    const { index } = segment;
    const { offsetBits, offsetMask } = this;
    const line = (bucket >>> 5) * this.lineBytes;
    const bit = (bucket & 31) * offsetBits;
    const next = bit + offsetBits;
    const anchor = index.getInt32(line, true);
    return this.findIn(
      segment,
      bucket,
      (anchor + ((index.getInt32(line + 4 + (bit >>> 3), true) >>> (bit & 7)) & offsetMask)) | (anchor & SIGN),
      (anchor + ((index.getInt32(line + 4 + (next >>> 3), true) >>> (next & 7)) & offsetMask)) | 0,
      at,
      length,
    );
  }

  /**
   * {@link find} for a caller that has loaded the bucket's offsets already.
   * @param start where the bucket's records start in the heap, in units of the index; `end` where they end
   */
  findIn(segment: HashSegment, bucket: number, start: number, end: number, at: number, length: number): number {
    // Unsigned: so an end before the start is too far as well.
    if ((start | end) < 0 || (end - start) >>> 0 > LARGE || end > segment.reach) {
      const found = this.#findWarily(segment, bucket, at, length);
      if (found !== KNOWN) return found;
    }
    this.segment = segment;
    if (this.isPlain) return findPrefixed(segment, start, end, this.valueBytes, at, length);
    return this.#findOther(segment, start, end, at, length);
  }

  #findOther(segment: HashSegment, start: number, end: number, at: number, length: number): number {
    if (this.valueWidth === VARIABLE) return this.#findVariable(segment, start, end, at, length);
    if (this.keyWidth !== length) return -1;
    const { unit } = this;
    return findFixed(segment, imul(start, unit), imul(end, unit), unit, at, length);
  }

  /**
   * The slow path, for as long as some blocks have not been checked, for large buckets, and for invalid offsets.
   * Returns {@link KNOWN} if all blocks that the find needs have been checked; otherwise it finds, and checks each of
   * these blocks before it uses it, and no other block.
   *
   * All in one function, which is then too large for V8 to inline. Its callers are compiled while tables are still
   * cold; with this function inlined they would stay too large after it is no longer called (8 percent of `getMany`).
   */
  #findWarily(segment: HashSegment, bucket: number, at: number, length: number): number {
    const { heapBlocks: blocks } = segment;
    const { bytes, view } = segment.heap;
    segment.updateReach();
    const { start, end } = segment.bucketRange(bucket);
    const isLarge = (end - start) / segment.unit > LARGE;
    if (!isLarge && (start === end || blocks.knows(start, end))) return KNOWN;
    this.segment = segment;
    const { keyWidth, valueWidth } = this;
    // The end of the checked bytes that follow the current record.
    let known = 0;
    let p = start;
    let left = isLarge ? MOST : Number.POSITIVE_INFINITY;
    while (p < end) {
      if (left-- === 0) throw segment.damagedBucket(bucket, `holds more than ${MOST} records`);
      const record = p;
      if (keyWidth === VARIABLE || valueWidth === VARIABLE) {
        const prefixes = Math.min(record + MAX_PREFIX_BYTES, end);
        if (prefixes > known) known = blocks.check(record, prefixes);
      }
      let keyBytes = keyWidth;
      if (keyBytes === VARIABLE) {
        keyBytes = bytes[p++]!;
        if (keyBytes > 0x7f) {
          keyBytes = longLength(bytes, p, keyBytes);
          p += keyBytes < 0x4000 ? 1 : 2;
        }
      }
      let valueBytes = valueWidth;
      if (valueBytes === VARIABLE) {
        valueBytes = bytes[p++]!;
        if (valueBytes > 0x7f) {
          valueBytes = longLength(bytes, p, valueBytes);
          p += valueBytes < 0x4000 ? 1 : valueBytes < 0x20_0000 ? 2 : valueBytes < 0x1000_0000 ? 3 : 4;
        }
      }
      if (!(keyBytes + valueBytes <= end - p)) throw segment.damaged('a record that passes the end of its bucket', p);
      const value = p + keyBytes;
      const next = value + valueBytes;
      if (keyBytes === length) {
        if (value > known) known = blocks.check(record, value);
        if (isKey(view, p, at, length)) {
          if (next > known) blocks.check(record, next);
          this.valueBytes = valueBytes;
          return value;
        }
      }
      p = next;
    }
    return -1;
  }

  #findVariable(segment: HashSegment, start: number, end: number, at: number, length: number): number {
    const { bytes, view } = segment.heap;
    const { keyWidth } = this;
    let p = start;
    while (p < end) {
      let keyBytes = keyWidth;
      if (keyBytes === VARIABLE) {
        keyBytes = bytes[p++]!;
        if (keyBytes > 0x7f) {
          keyBytes = longLength(bytes, p, keyBytes);
          p += keyBytes < 0x4000 ? 1 : 2;
        }
      }
      let valueBytes = bytes[p++]!;
      if (valueBytes > 0x7f) {
        valueBytes = longLength(bytes, p, valueBytes);
        p += valueBytes < 0x4000 ? 1 : valueBytes < 0x20_0000 ? 2 : valueBytes < 0x1000_0000 ? 3 : 4;
      }
      // Lengths are not negative, so that each pass moves forward; a damaged one is caught by the comparison with the
      // end.
      const value = p + keyBytes;
      if (!(keyBytes + valueBytes <= end - p)) throw segment.damaged('a record that passes the end of its bucket', p);
      if (keyBytes === length && isKey(view, p, at, length)) {
        this.valueBytes = valueBytes;
        return value;
      }
      p = value + valueBytes;
    }
    return -1;
  }
}

/** Keys with a length prefix, values of one width. */
function findPrefixed(
  segment: HashSegment,
  start: number,
  end: number,
  valueWidth: number,
  at: number,
  length: number,
): number {
  const { bytes, view } = segment.heap;
  let p = start;
  while (p < end) {
    let keyBytes = bytes[p++]!;
    if (keyBytes > 0x7f) {
      keyBytes = longLength(bytes, p, keyBytes);
      p += keyBytes < 0x4000 ? 1 : 2;
    }
    const next = p + keyBytes + valueWidth;
    if (keyBytes === length && next <= end && isKey(view, p, at, length)) return p + length;
    p = next;
  }
  // One check after the loop instead of one for each record that is passed.
  if (p !== end) throw segment.damaged('a record that passes the end of its bucket', p);
  return -1;
}

/** Keys of one length, values of one width: no prefixes, equal strides. */
function findFixed(
  segment: HashSegment,
  start: number,
  end: number,
  stride: number,
  at: number,
  length: number,
): number {
  const { view } = segment.heap;
  let p = start;
  for (; p + stride <= end; p += stride) {
    if (isKey(view, p, at, length)) return p + length;
  }
  if (p !== end) throw segment.damaged('a record that passes the end of its bucket', p);
  return -1;
}

/** Whether a key lies at `p`. Compares from the tail, where real keys differ most. */
function isKey(heap: DataView, p: number, at: number, length: number): boolean {
  let i = length - 4;
  if (i < 0) return isShortKey(heap, p, at, length);
  // The last word read, at 0, may overlap the one before it.
  for (; i > 0; i -= 4) {
    if (heap.getInt32(p + i, true) !== keys.getInt32(at + i, true)) return false;
  }
  return heap.getInt32(p, true) === keys.getInt32(at, true);
}

/** {@link isKey} for keys of up to three bytes; by itself, so that V8 has room to inline the other. */
function isShortKey(heap: DataView, p: number, at: number, length: number): boolean {
  for (let i = length - 1; i >= 0; i--) {
    if (heap.getUint8(p + i) !== keys.getUint8(at + i)) return false;
  }
  return true;
}

/**
 * Value of a varint of 2 to 5 bytes whose first byte was read; `p` is the next byte. At most 2^31 - 1, never negative.
 * Returns that maximum, which is past the end of any bucket, for a varint that does not end or is longer than it needs
 * to be: the caller counts the bytes of the shortest form.
 */
function longLength(bytes: Uint8Array, p: number, first: number): number {
  let value = first & 0x7f;
  let byte = 0x80;
  for (let shift = 7, at = p; byte > 0x7f && shift < 35; shift += 7) {
    byte = bytes[at++]! | 0;
    value |= (byte & 0x7f) << shift;
  }
  return byte > 0x7f || byte === 0 ? 0x7fff_ffff : value & 0x7fff_ffff;
}
