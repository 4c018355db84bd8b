// How large the file of a set of integers is in each of its two forms. Pure arithmetic: knows no bytes and no files.

import {
  alignToPage,
  blockCount,
  headerSize,
  heapStart,
  MAX_BUCKET_BITS,
  MAX_WRITTEN_SEGMENT_BITS,
  PAGE,
  totalBucketBits,
} from '../../format/constants.js';
import { bitsFileBytes } from '../../format/keyless.js';

/** What both sizes depend on besides the integers. */
export interface SetLimits {
  readonly segmentBytes: number;
  /** Bytes of the metadata. */
  readonly textBytes: number;
}

/** Bytes of the file of a bit array for the integers from `least` to `greatest`; infinite where there can be none. */
export function bitsBytes(least: number, greatest: number, { segmentBytes, textBytes }: SetLimits): number {
  // A length that is rounded is one of far too many segments.
  return bitsFileBytes(greatest - least + 1, segmentBytes, textBytes);
}

/**
 * Bytes of the file of so many keys by hash, without values. One number, and the same whatever the keys are, where they take one segment; else how
 * they spread over segments decides, and these are bounds. Neither falls where there are more keys.
 */
export function hashedBytes(
  entries: number,
  keyBytes: number,
  { segmentBytes, textBytes }: SetLimits,
): { least: number; most: number } {
  const bits = totalBucketBits(entries);
  const heap = entries * keyBytes;
  const finished = (header: number, end: number) => end + 8 * blockCount(header, end);
  const header = headerSize(0, textBytes);
  const start = heapStart(bits);
  // A plan reckons with a prefix before each key (plan.ts), which keys of one length do not have.
  if (bits <= MAX_BUCKET_BITS && start + heap + entries <= segmentBytes) {
    const exact = finished(header, alignToPage(header + start + heap));
    return { least: exact, most: exact };
  }
  const segments = 2 ** MAX_WRITTEN_SEGMENT_BITS;
  const long = headerSize(MAX_WRITTEN_SEGMENT_BITS, textBytes);
  const buckets = 4 * 2 ** bits;
  return {
    least: finished(header, alignToPage(header + buckets + heap)),
    // Each segment has a bucket or more, ends its array with one offset more, and fills two sections up to whole pages.
    most: finished(long, long + buckets + heap + segments * (2 * 4 + 2 * PAGE)),
  };
}
