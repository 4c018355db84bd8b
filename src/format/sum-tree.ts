// The checksums of a file as a tree (native-notes/format.md, section 8): levels, their sizes and places. Pure
// arithmetic: knows no bytes and no files.

import { blockCount, PAGE } from './constants.js';

/** Bytes of one checksum. */
export const SUM_BYTES = 8;

/** A level of the tree, in bytes of the file. */
export interface SumLevel {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * The levels of the tree that begins at `offset`: first the checksums of the blocks, then those of each page of the
 * level before, and so on up to the level of one page, which the header's checksum covers.
 */
export function sumLevels(headerBytes: number, offset: number): SumLevel[] {
  const levels: SumLevel[] = [];
  let at = offset;
  for (let sums = blockCount(headerBytes, offset); ; sums = Math.ceil((SUM_BYTES * sums) / PAGE)) {
    const bytes = SUM_BYTES * sums;
    levels.push({ offset: at, bytes });
    at += bytes;
    if (bytes <= PAGE) return levels;
  }
}

/** Bytes of the whole tree. */
export function sumTreeSize(headerBytes: number, offset: number): number {
  return sumLevels(headerBytes, offset).reduce((sum, { bytes }) => sum + bytes, 0);
}
