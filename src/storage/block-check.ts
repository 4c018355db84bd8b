// Which blocks of a file have been compared with their checksums, and the comparison. Knows blocks; does not know what
// they hold. Who needs which block decides when: lookups and iterations through HashSegment.reach and RecordCursor, lists
// and bit arrays through KeylessSegment.blocks, `enum` through Dictionary.placeOf.

import { type BlockHasher, hashWithoutModule, loadChecksumsNow } from '../base/block-hasher.js';
import { damage } from '../base/errors.js';
import { readBytes } from '../base/fs.js';
import { BLOCK, heapStart } from '../format/constants.js';
import type { Header, SegmentPlace } from '../format/header.js';

/** A number of bytes shifted by this is a number of blocks. */
const BLOCK_SHIFT = 31 - Math.clz32(BLOCK);

/** Returns bytes of the file: `length` from `offset`, both in bytes. A copy, or a view that is not written to. */
export type ReadFile = (offset: number, length: number) => Uint8Array;

/**
 * Up to this many bytes of checksums, those of 128 GiB, go through the module. Its memory never shrinks, so larger ones
 * are hashed without it.
 */
const MODULE_LIMIT = 2 ** 24;

/** Checks blocks of an open file, which it reads from `fd`; `undefined` if nothing is to be checked. */
export function checkerFor(
  fd: number,
  header: Header,
  path: string,
  check: 'none' | 'touch',
): BlockChecker | undefined {
  if (check === 'none') return undefined;
  return new BlockChecker(header, (offset, length) => readBytes(fd, offset, length), path);
}

/** Compares blocks with the checksums that the file has for them. */
export class BlockChecker {
  readonly headerBytes: number;
  readonly #checksums: Header['checksums'];
  readonly #end: number;
  readonly #read: ReadFile;
  readonly #path: string;
  #hashes: BlockHasher | undefined;
  /** Of the checksums that are in the file. */
  #sum: bigint | undefined;

  /** @param path for messages */
  constructor(header: Header, read: ReadFile, path: string) {
    this.headerBytes = header.headerBytes;
    this.#checksums = header.checksums;
    this.#end = header.checksums.offset;
    this.#read = read;
    this.#path = path;
  }

  /**
   * Costs 20 µs when the block is in memory; the first check also reads all checksums, 8 bytes a block.
   * @param index number of the block, from 0
   * @throws {HmapError} `HMAP_DAMAGED` with the block's range, or that of the checksums
   */
  check(index: number): void {
    this.#hashes ??= loadChecksumsNow();
    this.#checkSums(this.#hashes);
    const offset = this.headerBytes + index * BLOCK;
    const end = Math.min(offset + BLOCK, this.#end);
    const stored = this.#read(this.#end + 8 * index, 8);
    const expected = new DataView(stored.buffer, stored.byteOffset).getBigUint64(0, true);
    const actual = this.#hashes.h64Raw(this.#read(offset, end - offset));
    if (actual === expected) return;
    const message = `the bytes [${offset}, ${end}) do not match their checksum`;
    throw damage(this.#path, message, { offset, end, expected, actual });
  }

  /**
   * Whether the checksums belong to this header: blocks of another version of the file would match that version's
   * checksums.
   */
  #checkSums(hashes: BlockHasher): void {
    const { offset, bytes, sum: expected } = this.#checksums;
    this.#sum ??= sumOf(this.#read(offset, bytes), hashes);
    const actual = this.#sum;
    if (actual === expected) return;
    const end = offset + bytes;
    const message = `the block checksums, [${offset}, ${end}), are not those that its header knows`;
    throw damage(this.#path, message, { offset, end, expected, actual });
  }
}

function sumOf(checksums: Uint8Array, hashes: BlockHasher): bigint {
  return checksums.length > MODULE_LIMIT ? hashWithoutModule(checksums) : hashes.h64Raw(checksums);
}

/** The blocks in which one segment lies. */
export class CheckedBlocks {
  /** Blocks that have not been checked. */
  unchecked: number;
  /** One bit a block, counted from the one in which the segment starts: it has been compared, and fits. */
  readonly #checked: Int32Array;
  readonly #checker: BlockChecker;
  readonly #first: number;
  /** Where the segment, and its key heap, start, counted from the start of that block. */
  readonly #arrayAt: number;
  readonly #heapAt: number;

  /** @param checker without one, all counts as checked */
  constructor(header: Header, place: SegmentPlace, checker: BlockChecker | undefined) {
    const start = place.offset - header.headerBytes;
    this.#checker = checker!;
    this.#first = Math.floor(start / BLOCK);
    this.#arrayAt = start - this.#first * BLOCK;
    this.#heapAt = this.#arrayAt + heapStart(header.bucketBits);
    const blocks = Math.ceil((this.#arrayAt + place.bytes) / BLOCK);
    this.unchecked = checker === undefined ? 0 : blocks;
    this.#checked = new Int32Array(Math.ceil(blocks / 32)).fill(checker === undefined ? -1 : 0);
  }

  /** Whether the blocks with bytes `[from, end)` of the key heap have all been checked. */
  knowsHeap(from: number, end: number): boolean {
    const last = (this.#heapAt + end - 1) >>> BLOCK_SHIFT;
    for (let block = (this.#heapAt + from) >>> BLOCK_SHIFT; block <= last; block++) {
      if (((this.#checked[block >>> 5]! >>> block) & 1) === 0) return false;
    }
    return true;
  }

  /**
   * Checks the blocks with bytes `[from, end)` of the key heap that have not been checked, and returns up to where in
   * the heap all of them reach. The range is within the heap; an empty one needs nothing.
   * @throws {HmapError} `HMAP_DAMAGED`
   */
  checkHeap(from: number, end: number): number {
    return end > from ? this.#check(this.#heapAt + from, this.#heapAt + end) - this.#heapAt : from;
  }

  /** {@link checkHeap} for bytes `[from, end)` of the segment, counted from its start. */
  checkBytes(from: number, end: number): number {
    return end > from ? this.#check(this.#arrayAt + from, this.#arrayAt + end) - this.#arrayAt : from;
  }

  /** Checks the block or the two blocks with a bucket's two offsets. Throws as {@link checkHeap} does. */
  checkBucket(bucket: number): void {
    this.#check(this.#arrayAt + 4 * bucket, this.#arrayAt + 4 * bucket + 8);
  }

  /** Offsets are below 2^31 + BLOCK, which needs unsigned shifts. */
  #check(from: number, end: number): number {
    const last = (end - 1) >>> BLOCK_SHIFT;
    for (let block = from >>> BLOCK_SHIFT; block <= last; block++) {
      if (((this.#checked[block >>> 5]! >>> block) & 1) !== 0) continue;
      this.#checker.check(this.#first + block);
      this.#checked[block >>> 5]! |= 1 << block;
      this.unchecked--;
    }
    return (last + 1) * BLOCK;
  }
}
