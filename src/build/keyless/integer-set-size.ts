// How large the file of a set of integers is in each of its two forms. Pure arithmetic: knows no bytes and no files.

import {
  alignToPage,
  headerSize,
  heapStart,
  MAX_BUCKET_BITS,
  MAX_WRITTEN_SEGMENT_BITS,
  PAGE,
  totalBucketBits,
} from '../../format/constants.js';
import { bitsFileSize, fileSizeOf, predictHashSections } from '../../format/sections.js';

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

/**
 * Size of the file of so many keys by hash, without values. One number, whatever the keys are, if they fit in one
 * segment; otherwise it depends on how they spread over segments, and these are bounds. Neither falls as keys are
 * added.
 */
export function hashSize(
  entries: number,
  keyBytes: number,
  { segmentBytes, textBytes }: SetLimits,
): { least: number; most: number } {
  const bucketBits = totalBucketBits(entries);
  const heap = entries * keyBytes;
  // The shape allows for a prefix before each key (shape.ts), which keys of one length do not have.
  if (bucketBits <= MAX_BUCKET_BITS && heapStart(bucketBits) + heap + entries <= segmentBytes) {
    const sections = predictHashSections({ segmentBits: 0, bucketBits }, heap, 0, textBytes);
    const exact = Object.values(sections).reduce((sum, size) => sum + size, 0);
    return { least: exact, most: exact };
  }
  const segments = 2 ** MAX_WRITTEN_SEGMENT_BITS;
  const header = headerSize(0, textBytes);
  const long = headerSize(MAX_WRITTEN_SEGMENT_BITS, textBytes);
  const buckets = 4 * 2 ** bucketBits;
  return {
    least: fileSizeOf(header, alignToPage(header + buckets + heap)),
    // Each segment has a bucket or more, ends its array with one more offset, and pads two sections to whole pages.
    most: fileSizeOf(long, long + buckets + heap + segments * (2 * 4 + 2 * PAGE)),
  };
}
