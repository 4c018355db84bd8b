// How large the file of a set of integers is in each of its two forms. Pure arithmetic: knows no bytes and no files.

import {
  ALIGNMENT,
  GROUP_BUCKETS,
  LEAST_OFFSET_BITS,
  MAX_BUCKET_BITS,
  MAX_BUCKET_RECORDS,
  MAX_SEGMENT_BITS,
} from '../../format/constants.js';
import { bucketsFor, offsetBitsFor } from '../../format/index-lines.js';
import { bitsFileSize, hashFileSize } from '../../format/sections.js';

/** What both sizes depend on besides the integers. */
export interface SetLimits {
  readonly segmentBytes: number;
  /** Bytes of the metadata. */
  readonly textBytes: number;
}

/**
 * Size of the file of a bit array for the integers from `least` to `greatest`; infinite if there can be no such file.
 */
export function bitsSize(least: number, greatest: number, { segmentBytes, textBytes }: SetLimits): number {
  // The length is exact where it matters: one above 2^53 needs too many segments anyway.
  return bitsFileSize(greatest - least + 1, segmentBytes, textBytes);
}

/** Bits of offsets that count as many records as a group may hold. */
const MOST_COUNT_BITS = offsetBitsFor(GROUP_BUCKETS * MAX_BUCKET_RECORDS);

/**
 * Bounds of the size of the file of so many keys by hash, without values: it depends on how the keys spread over
 * buckets and segments.
 */
export function hashSize(
  entries: number,
  keyBytes: number,
  { segmentBytes, textBytes }: SetLimits,
): { least: number; most: number } {
  const sums = { entries, segmentBits: 0, shardBits: 0, keyWidth: keyBytes, valueWidth: 0 };
  const heap = entries * keyBytes;
  const sizeIn = (segmentBits: number, offsetBits: number): number =>
    hashFileSize(bucketsFor({ ...sums, segmentBits }), offsetBits, segmentBits, heap, textBytes);
  // The shape allows for a prefix before each key (shape.ts), which keys of one length do not have.
  if (bucketsFor(sums).bucketBits <= MAX_BUCKET_BITS && heap + entries <= segmentBytes) {
    return { least: sizeIn(0, LEAST_OFFSET_BITS), most: sizeIn(0, MOST_COUNT_BITS) };
  }
  const divisions = Array.from({ length: MAX_SEGMENT_BITS + 1 }, (_, segmentBits) => segmentBits);
  return {
    least: Math.min(...divisions.map((segmentBits) => sizeIn(segmentBits, LEAST_OFFSET_BITS))),
    // Each segment pads its key heap.
    most: Math.max(
      ...divisions.map((segmentBits) => sizeIn(segmentBits, MOST_COUNT_BITS) + ALIGNMENT * 2 ** segmentBits),
    ),
  };
}
