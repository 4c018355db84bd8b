// The index of a hash table: how many buckets there are, which one holds a hash, and how large the lines are that say
// where records lie (native-notes/format.md, sections 4 and 5). Pure arithmetic: knows no bytes and no files.

import {
  EIGHTHS_FROM_BITS,
  FULL_OFFSET_BITS,
  GROUP_BUCKETS,
  HASH_BITS,
  LEAST_OFFSET_BITS,
  MIN_BUCKET_BITS,
  MOST_OFFSET_BITS,
  VARIABLE,
} from './constants.js';

/** How hashes are divided. A segment has `eighths / 8` times 2 to the power of `bucketBits` buckets. */
export interface Division {
  /** This file is shard `index` of 2 to the power of `bits`. */
  readonly shard: { readonly index: number; readonly bits: number };
  readonly segmentBits: number;
  readonly bucketBits: number;
  /** From 5 to 8. */
  readonly eighths: number;
}

/** The part of a division that the number of entries decides. */
export type Buckets = Pick<Division, 'bucketBits' | 'eighths'>;

/**
 * From this many entries on, where records differ in length, a bucket holds more of them: 4.25 to 5.3 on average instead
 * of 2.2 to 2.75. Such a table waits for memory, and a smaller index gains more than one more record costs that a lookup
 * passes. Where all records have one length, the index is small anyway (native-notes/performance.md).
 */
const LARGE = 2 ** 18;

/** What the number of buckets follows from. */
export interface BucketSums {
  readonly entries: number;
  readonly segmentBits: number;
  /** Top bits of the hash that all entries share. */
  readonly shardBits: number;
  /** In bytes, or VARIABLE. */
  readonly keyWidth: number;
  readonly valueWidth: number;
}

/**
 * The buckets of each of 2 to the power of `segmentBits` segments (format, section 10): the largest number that leaves
 * each filled, or one group.
 */
export function bucketsFor({ entries, segmentBits, shardBits, keyWidth, valueWidth }: BucketSums): Buckets {
  const isLarge = entries >= LARGE && (keyWidth === VARIABLE || valueWidth === VARIABLE);
  const areFilled = (count: number) => (isLarge ? 17 * count <= 4 * entries : 11 * count <= 5 * entries);
  for (let bucketBits = HASH_BITS - shardBits - segmentBits; bucketBits >= MIN_BUCKET_BITS; bucketBits--) {
    const least = bucketBits < EIGHTHS_FROM_BITS ? 8 : 5;
    for (let eighths = 8; eighths >= least; eighths--) {
      const buckets = { bucketBits, eighths };
      if (areFilled(2 ** segmentBits * bucketCount(buckets))) return buckets;
    }
  }
  return { bucketBits: MIN_BUCKET_BITS, eighths: 8 };
}

/** Buckets of one segment, a multiple of {@link GROUP_BUCKETS}. */
export function bucketCount({ bucketBits, eighths }: Buckets): number {
  return (eighths * 2 ** bucketBits) / 8;
}

/** Bytes of one line, which finds the records of {@link GROUP_BUCKETS} buckets. */
export function lineSize(offsetBits: number): number {
  return 4 * offsetBits + 8;
}

/** Bytes of a segment's lines. */
export function indexSize(buckets: Buckets, offsetBits: number): number {
  return (bucketCount(buckets) / GROUP_BUCKETS) * lineSize(offsetBits);
}

/**
 * Bits of the offsets in a line: the least that hold the largest group.
 * @param largest bytes of its records, or their number where all have one width
 */
export function offsetBitsFor(largest: number): number {
  let bits = LEAST_OFFSET_BITS;
  while (bits <= MOST_OFFSET_BITS && largest >= 2 ** bits) bits++;
  return bits <= MOST_OFFSET_BITS ? bits : FULL_OFFSET_BITS;
}

/** What offsets count: bytes, or records of so many bytes where all have one width. */
export function offsetUnit(keyWidth: number, valueWidth: number): number {
  return keyWidth === VARIABLE || valueWidth === VARIABLE ? 1 : keyWidth + valueWidth;
}

/** Index of the shard that holds a hash. The two shifts make 0 bits select index 0: a shift by 32 would select all. */
export function shardOf(hash: number, { shard }: Pick<Division, 'shard'>): number {
  return (hash >>> 1) >>> (HASH_BITS - 1 - shard.bits);
}

/** Index of the segment, within its shard, that holds a hash. */
export function segmentOf(hash: number, { shard, segmentBits }: Pick<Division, 'shard' | 'segmentBits'>): number {
  return (shiftedBy(hash, shard.bits) >>> 1) >>> (HASH_BITS - 1 - segmentBits);
}

/** Index of the bucket, within its segment, that holds a hash. */
export function bucketOf(hash: number, { shard, segmentBits, bucketBits, eighths }: Division): number {
  return Math.imul(shiftedBy(hash, shard.bits + segmentBits) >>> 3, eighths) >>> (HASH_BITS - bucketBits);
}

/** The shifts of {@link segmentOf} and {@link bucketOf}, for loops that do without a call. */
export interface HashShifts {
  /** Of the hash without the shard's bits and one more, to the right, to its segment. */
  readonly segment: number;
  /** To the left, of the bits before those of the bucket. */
  readonly before: number;
  /** Of the product with the eighths, to the right, to the bucket. */
  readonly bucket: number;
}

export function hashShifts(shardBits: number, segmentBits: number, bucketBits: number): HashShifts {
  return { segment: HASH_BITS - 1 - segmentBits, before: shardBits + segmentBits, bucket: HASH_BITS - bucketBits };
}

/** The hash without its top bits; a shift by 32 leaves nothing. */
function shiftedBy(hash: number, bits: number): number {
  return bits < HASH_BITS ? hash << bits : 0;
}
