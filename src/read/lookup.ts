// The hot path: from an encoded key to its record. Knows hash, buckets and records, and that a key lies in the scratch
// buffer; does not know strings, value types or files.

import { scratch } from '../codec/keys.js';
import * as layout from '../format/constants.js';
import type { Header } from '../format/header.js';
import type { HashSegment } from '../storage/hash-segment.js';

// Local copies: V8 folds them (native-notes/performance.md).
const { MAX_PREFIX_BYTES, VARIABLE } = layout;
const keys = scratch.view;

/** Stands for "all blocks that the find needs have been checked"; neither an offset nor -1, which means not found. */
const KNOWN = -2;

/**
 * Finds records. A find is two dependent memory touches (bucket array, key heap), allocates nothing, and does work
 * bounded by the size of one bucket.
 */
export class Lookup {
  readonly segments: readonly HashSegment[];
  readonly #segmentBits: number;
  readonly #segmentShift: number;
  readonly #bucketShift: number;
  readonly #keyWidth: number;
  readonly #valueWidth: number;
  readonly seed: number;
  /** Where the last {@link find} looked. */
  segment: HashSegment;
  /** Length of the value that the last {@link find} found. */
  valueBytes = 0;

  constructor(header: Header, segments: readonly HashSegment[]) {
    this.segments = segments;
    this.#segmentBits = header.segmentBits;
    // See segmentOf and bucketOf in constants.ts for the two shifts.
    this.#segmentShift = 31 - header.segmentBits;
    this.#bucketShift = 31 - header.bucketBits;
    this.#keyWidth = header.keyWidth ?? VARIABLE;
    this.#valueWidth = header.valueWidth ?? VARIABLE;
    this.seed = header.hash.seed | 0;
    this.segment = segments[0]!;
  }

  segmentOf(hash: number): HashSegment {
    return this.segments[(hash >>> 1) >>> this.#segmentShift]!;
  }

  bucketOf(hash: number): number {
    return ((hash << this.#segmentBits) >>> 1) >>> this.#bucketShift;
  }

  /**
   * Returns the offset of the key's value in the heap of {@link segment}, or -1.
   * @param at where the key's bytes lie in the scratch buffer
   * @param hash the key's hash with {@link seed}
   * @throws {HmapError} `HMAP_DAMAGED` if the bytes on the way break the format
   */
  find(at: number, length: number, hash: number): number {
    const segment = this.#segmentBits === 0 ? this.segment : this.segmentOf(hash);
    const { offsets } = segment;
    const bucket = this.bucketOf(hash);
    return this.findIn(segment, bucket, offsets[bucket]!, offsets[bucket + 1]!, at, length);
  }

  /** {@link find} for a caller that has loaded the bucket's offsets already. */
  findIn(segment: HashSegment, bucket: number, start: number, end: number, at: number, length: number): number {
    if (start < 0 || end < start || end > segment.reach) {
      const found = this.#findWarily(segment, bucket, at, length);
      if (found !== KNOWN) return found;
    }
    this.segment = segment;
    const valueWidth = this.#valueWidth;
    if (valueWidth === VARIABLE) return this.#findVariable(segment, start, end, at, length);
    this.valueBytes = valueWidth;
    const keyWidth = this.#keyWidth;
    if (keyWidth === VARIABLE) return findPrefixed(segment, start, end, valueWidth, at, length);
    return keyWidth === length ? findFixed(segment, start, end, valueWidth, at, length) : -1;
  }

  /**
   * The slow path, for as long as some blocks have not been checked, and for invalid offsets. Returns {@link KNOWN} if
   * all blocks that the find needs have been checked; otherwise it finds, and checks each of these blocks before it
   * uses it, and no other block.
   *
   * All in one function, which is then too large for V8 to inline. Its callers are compiled while tables are still
   * cold; with this function inlined they would stay too large after it is no longer called (8 percent of `getMany`).
   */
  #findWarily(segment: HashSegment, bucket: number, at: number, length: number): number {
    const { blocks, offsets, heapBytes } = segment;
    const { bytes, view } = segment.heap;
    if (blocks.unchecked === 0) segment.reach = heapBytes;
    blocks.checkBucket(bucket);
    const start = offsets[bucket]!;
    const end = offsets[bucket + 1]!;
    if (start < 0 || end < start || end > heapBytes) throw segment.damagedBucket(bucket);
    if (start === end || blocks.knowsHeap(start, end)) return KNOWN;
    this.segment = segment;
    const keyWidth = this.#keyWidth;
    const valueWidth = this.#valueWidth;
    // The end of the checked bytes that follow the current record.
    let known = 0;
    let p = start;
    while (p < end) {
      const record = p;
      if (keyWidth === VARIABLE || valueWidth === VARIABLE) {
        const prefixes = Math.min(record + MAX_PREFIX_BYTES, end);
        if (prefixes > known) known = blocks.checkHeap(record, prefixes);
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
        if (value > known) known = blocks.checkHeap(record, value);
        if (isKey(view, p, at, length)) {
          if (next > known) blocks.checkHeap(record, next);
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
    const keyWidth = this.#keyWidth;
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
    if (next > end) throw segment.damaged('a record that passes the end of its bucket', p);
    if (keyBytes === length && isKey(view, p, at, length)) return p + length;
    p = next;
  }
  return -1;
}

/** Keys of one length, values of one width: no prefixes, equal strides. */
function findFixed(
  segment: HashSegment,
  start: number,
  end: number,
  valueWidth: number,
  at: number,
  length: number,
): number {
  const { view } = segment.heap;
  const stride = length + valueWidth;
  let p = start;
  for (; p + stride <= end; p += stride) {
    if (isKey(view, p, at, length)) return p + length;
  }
  if (p !== end) throw segment.damaged('a record that passes the end of its bucket', p);
  return -1;
}

/** Whether a key lies at `p`. Compares from the tail, where real keys differ most. */
function isKey(heap: DataView, p: number, at: number, length: number): boolean {
  if (length >= 4) {
    // The last word read, at 0, may overlap the one before it.
    for (let i = length - 4; i > 0; i -= 4) {
      if (heap.getInt32(p + i, true) !== keys.getInt32(at + i, true)) return false;
    }
    return heap.getInt32(p, true) === keys.getInt32(at, true);
  }
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
