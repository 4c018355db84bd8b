// The checksums of a file's blocks while the file is written, piece by piece and by several threads. Does not know what
// the blocks hold.

import { ftruncateSync } from 'node:fs';
import { type BlockHasher, hashPieces } from '../../base/block-hasher.js';
import { readBytes, writeAll } from '../../base/fs.js';
import { BLOCK, blockCount, PAGE } from '../../format/constants.js';
import { SUM_BYTES, sumLevels, sumTreeSize } from '../../format/sum-tree.js';

/** Where the checksums of a finished file lie. */
export interface WrittenSums {
  readonly offset: number;
  readonly bytes: number;
  readonly sum: bigint;
}

/**
 * Sums each block that one piece covers whole. A block that two pieces share, at the ends of sections and of what one
 * thread writes, is summed when the file is whole.
 */
export class BlockSums {
  readonly #grid: number;
  readonly #sums: bigint[] | BigUint64Array;
  /** Blocks to be summed at the end. */
  readonly shared = new Set<number>();

  /**
   * @param grid offset in the file at which the first block starts
   * @param sums where the sums go; memory that threads share, if there are several
   */
  constructor(grid: number, sums: bigint[] | BigUint64Array = []) {
    this.#grid = grid;
    this.#sums = sums;
  }

  /** Sums a piece of the file that was written at `offset`. */
  take(hashes: BlockHasher, bytes: Uint8Array, offset: number): void {
    const first = Math.floor((offset - this.#grid) / BLOCK);
    const end = Math.ceil((offset + bytes.length - this.#grid) / BLOCK);
    for (let index = first; index < end; index++) {
      const from = this.#grid + index * BLOCK - offset;
      if (from >= 0 && from + BLOCK <= bytes.length) {
        this.#sums[index] = hashes.h64Raw(bytes.subarray(from, from + BLOCK));
      } else {
        this.shared.add(index);
      }
    }
  }

  /**
   * Gives the file its size and the gaps between its sections their zeros, and writes the checksums at `offset`, the
   * end of what they cover.
   */
  finish(fd: number, hashes: BlockHasher, offset: number): WrittenSums {
    const bytes = sumTreeSize(this.#grid, offset);
    ftruncateSync(fd, offset + bytes);
    for (const index of this.shared) {
      const start = this.#grid + index * BLOCK;
      this.#sums[index] = hashes.h64Raw(readBytes(fd, start, Math.min(BLOCK, offset - start)));
    }
    const blocks = blockCount(this.#grid, offset);
    let sums: Buffer = Buffer.alloc(SUM_BYTES * blocks);
    for (let i = 0; i < blocks; i++) sums.writeBigUInt64LE(this.#sums[i]!, SUM_BYTES * i);
    for (const [i, level] of sumLevels(this.#grid, offset).entries()) {
      if (i > 0) sums = hashPieces(hashes, sums, PAGE);
      writeAll(fd, sums, level.offset);
    }
    return { offset, bytes, sum: hashes.h64Raw(sums) };
  }
}
