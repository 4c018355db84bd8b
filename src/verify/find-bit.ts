// Finds the one bit of a block that explains its checksum, which is the usual cause in memory and on disks. Knows bytes
// and hashes; does not know what the block holds.

import type { BlockHasher } from '../base/block-hasher.js';

/** Bits that are tried between two looks at the clock. */
const STRIDE = 256;

/** A bit that seems to be wrong. */
export interface FlippedBit {
  /** Of its byte, in the file. */
  readonly offset: number;
  /** From the lowest, 0, to the highest, 7. */
  readonly bit: number;
}

/**
 * Tries each bit of a block, one after the other: about ten microseconds each for a block of 64 KiB, so up to six seconds.
 * Yields between tries.
 * @param offset of the block in the file
 * @param expected the checksum that it should have
 * @returns `undefined` if no one bit explains it. Another bit than the one that was flipped does so with a probability of
 *   2^19 / 2^64 at most
 */
export function* findBit(
  block: Uint8Array,
  offset: number,
  expected: bigint,
  hashes: BlockHasher,
): Generator<void, FlippedBit | undefined, void> {
  const copy = Buffer.from(block);
  for (let i = 0; i < copy.length; i++) {
    const byte = copy[i]!;
    for (let bit = 0; bit < 8; bit++) {
      copy[i] = byte ^ (1 << bit);
      if (hashes.h64Raw(copy) === expected) return { offset: offset + i, bit };
    }
    copy[i] = byte;
    if ((8 * i) % STRIDE === 0) yield;
  }
  return undefined;
}
