// Decides a file's shape from what is in it (native-notes/format.md, section 10). Pure arithmetic: knows no bytes and
// no files.

import { MAX_U64 } from '../base/bytes.js';
import { HmapError } from '../base/errors.js';
import { HASH_BITS, headerSize, MAX_BUCKET_BITS, MAX_SEGMENT_BITS, MIN_BUCKET_BITS, VARIABLE } from './constants.js';
import { type Buckets, bucketsFor } from './index-lines.js';

/** The shape of a file. Widths in bytes, or VARIABLE. */
export interface Shape extends Buckets {
  /** Top bits of the hash that all entries share, because the file is a shard. */
  readonly shardBits: number;
  readonly segmentBits: number;
  readonly keyWidth: number;
  readonly valueWidth: number;
}

/** What the shape of a file follows from. Lengths are in bytes. */
export interface ShapeSums {
  readonly entries: number;
  readonly shortestKey: number;
  readonly longestKey: number;
  readonly shortestValue: number;
  readonly longestValue: number;
  /** Record sizes, with both prefixes, summed by the top bits of the hash. */
  readonly bytesByHash: Float64Array;
}

/**
 * The shape of the canonical file for entries with these sums.
 * @param typeWidth width of the type of the values, in bytes, or VARIABLE
 * @param segmentLimit largest segment, in bytes, inclusive
 * @param typeKeyWidth width of the type of the keys, or of their fingerprints; or VARIABLE
 * @param shardBits top bits of the hash that all entries share
 * @throws {HmapError} `HMAP_SEGMENT_TOO_LARGE`, `HMAP_FILE_TOO_LARGE`
 */
export function shapeOf(
  stats: ShapeSums,
  typeWidth: number,
  segmentLimit: number,
  typeKeyWidth = VARIABLE,
  shardBits = 0,
): Shape {
  const sharedKey = stats.shortestKey === stats.longestKey && stats.longestKey > 0;
  const sharedValue = stats.shortestValue === stats.longestValue ? stats.longestValue : VARIABLE;
  // The type decides even if there are no entries.
  const keyWidth = sharedKey && typeKeyWidth === VARIABLE ? stats.longestKey : typeKeyWidth;
  const valueWidth = typeWidth === VARIABLE ? sharedValue : typeWidth;
  checkFileSize(stats);
  const most = Math.min(MAX_SEGMENT_BITS, HASH_BITS - MIN_BUCKET_BITS - shardBits);
  for (let segmentBits = 0; segmentBits <= most; segmentBits++) {
    const buckets = bucketsFor({ entries: stats.entries, segmentBits, shardBits, keyWidth, valueWidth });
    if (buckets.bucketBits > MAX_BUCKET_BITS) continue;
    if (largestHeap(stats.bytesByHash, segmentBits) > segmentLimit) continue;
    return { shardBits, segmentBits, ...buckets, keyWidth, valueWidth };
  }
  const largest = largestHeap(stats.bytesByHash, most);
  const message =
    `no division into 2^${most} segments or fewer keeps each within ${segmentLimit} bytes: ` +
    `one ${2 ** most}th of the hashes holds ${largest} bytes; another seed may spread them`;
  throw new HmapError('HMAP_SEGMENT_TOO_LARGE', message, { expected: segmentLimit, actual: largest });
}

function largestHeap(bytesByHash: Float64Array, segmentBits: number): number {
  const run = bytesByHash.length / 2 ** segmentBits;
  let largest = 0;
  for (let start = 0; start < bytesByHash.length; start += run) {
    let sum = 0;
    for (let i = start; i < start + run; i++) sum += bytesByHash[i]!;
    if (sum > largest) largest = sum;
  }
  return largest;
}

function checkFileSize(stats: ShapeSums): void {
  const records = stats.bytesByHash.reduce((sum, bytes) => sum + bytes, 0);
  const parts = headerSize(MAX_SEGMENT_BITS, 0) + records;
  // A generous bound: the index, checksums and padding are much smaller than what 2^53 leaves.
  if (parts * 1.001 < MAX_U64) return;
  const message = `the file would have ${parts} bytes or more, the maximum is 2^53 - 1`;
  throw new HmapError('HMAP_FILE_TOO_LARGE', message, { expected: MAX_U64 - 1, actual: parts });
}

export function sameShape(a: Shape, b: Shape): boolean {
  return (
    a.segmentBits === b.segmentBits &&
    a.bucketBits === b.bucketBits &&
    a.eighths === b.eighths &&
    a.keyWidth === b.keyWidth &&
    a.valueWidth === b.valueWidth
  );
}
