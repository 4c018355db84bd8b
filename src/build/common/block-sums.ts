// The checksums of a file's blocks while the file is written, piece by piece and by several threads. Does not know what
// the blocks hold.

import { ftruncateSync } from 'node:fs';
import type { BlockHasher } from '../../base/block-hasher.js';
import { readBytes, writeAll } from '../../base/fs.js';
import { BLOCK, blockCount, PAGE } from '../../format/constants.js';
import { SUM_BYTES, sumLevels } from '../../format/sum-tree.js';

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
    const levels = sumLevels(this.#grid, offset);
    const bytes = levels.reduce((sum, level) => sum + level.bytes, 0);
    ftruncateSync(fd, offset + bytes);
    for (const index of this.shared) {
      const start = this.#grid + index * BLOCK;
      this.#sums[index] = hashes.h64Raw(readBytes(fd, start, Math.min(BLOCK, offset - start)));
    }
    let sums = bytesOf(this.#sums, blockCount(this.#grid, offset));
    for (const [i, level] of levels.entries()) {
      if (i > 0) sums = sumsOfPages(hashes, sums);
      writeAll(fd, sums, level.offset);
    }
    return { offset, bytes, sum: hashes.h64Raw(sums) };
  }
}

function bytesOf(sums: ArrayLike<bigint>, count: number): Buffer {
  const bytes = Buffer.alloc(SUM_BYTES * count);
  for (let i = 0; i < count; i++) bytes.writeBigUInt64LE(sums[i]!, SUM_BYTES * i);
  return bytes;
}

/** The next level of the tree of checksums: those of each page of one level. */
function sumsOfPages(hashes: BlockHasher, level: Uint8Array): Buffer {
  const sums: bigint[] = [];
  for (let at = 0; at < level.length; at += PAGE) sums.push(hashes.h64Raw(level.subarray(at, at + PAGE)));
  return bytesOf(sums, sums.length);
}
