// Fingerprints, which may stand in place of keys (native-notes/format.md, section 16): their bits, the rows of long
// ones, how often they mislead. Pure arithmetic: knows no bytes and no files.

import { bucketCount, type Division } from './index-lines.js';

/** Bits that a fingerprint may have: records consist of whole bytes. */
export const FINGERPRINT_BITS = [8, 16, 24, 32] as const;

export type FingerprintBits = (typeof FINGERPRINT_BITS)[number];

export function isFingerprintBits(bits: unknown): bits is FingerprintBits {
  return FINGERPRINT_BITS.some((one) => one === bits);
}

/**
 * Keeps the bits of a fingerprint of so many bytes in a hash, a signed 32-bit integer. The hash is MurmurHash3: XXH32
 * with another seed is not independent of the one that chooses the bucket (native-notes/performance.md).
 */
export function fingerprintMask(bytes: number): number {
  return bytes === 4 ? -1 : 2 ** (8 * bytes) - 1;
}

/**
 * One row of the section of long fingerprints: a record whose fingerprint another record of its bucket has, too, and 64
 * bits that tell it from that one.
 */
export const LONG_FINGERPRINT = { segment: 0, position: 4, hash: 8, size: 16 } as const;

/**
 * An upper bound of the probability that a table seems to have a key that nobody chose and that it does not have: a
 * bucket holds `entries / buckets` records on average, and each has its fingerprint with a probability of 2^-bits.
 */
export function falsePositiveRate(
  entries: number,
  division: Pick<Division, 'segmentBits' | 'bucketBits' | 'eighths'>,
  bits: number,
): number {
  return entries / (2 ** division.segmentBits * bucketCount(division)) / 2 ** bits;
}
