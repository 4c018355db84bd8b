// Which blocks of a file have been compared with their checksums, and the comparison. Knows blocks; does not know what they hold, nor how a
// file's bytes come.

import { type BlockHasher, loadChecksumsNow } from './checksum.js';
import { damage } from './errors.js';
import type { Header, SegmentPlace } from './header.js';
import { BLOCK, heapStart } from './layout.js';

/** Gives bytes of the file: `length` from `offset`, both in bytes. A copy, or a view that is not written to. */
export type ReadFile = (offset: number, length: number) => Uint8Array;

/** Compares blocks with the checksums that the file has for them. */
export class BlockChecker {
  readonly headerBytes: number;
  readonly #end: number;
  readonly #read: ReadFile;
  readonly #path: string;
  #hashes: BlockHasher | undefined;

  /** @param path for messages */
  constructor(header: Header, read: ReadFile, path: string) {
    this.headerBytes = header.headerBytes;
    this.#end = header.checksums.offset;
    this.#read = read;
    this.#path = path;
  }

  /**
   * Costs 20 µs when the block is in memory.
   * @param index number of the block, from 0
   * @throws {HmapError} `HMAP_DAMAGED` with the block's range
   */
  check(index: number): void {
    this.#hashes ??= loadChecksumsNow();
    const offset = this.headerBytes + index * BLOCK;
    const end = Math.min(offset + BLOCK, this.#end);
    const stored = this.#read(this.#end + 8 * index, 8);
    const expected = new DataView(stored.buffer, stored.byteOffset).getBigUint64(0, true);
    const actual = this.#hashes.h64Raw(this.#read(offset, end - offset));
    if (actual === expected) return;
    const message = `the bytes [${offset}, ${end}) do not fit their checksum`;
    throw damage(this.#path, message, { offset, end, expected, actual });
  }
}

/** The blocks in which one segment lies. */
export class SegmentGuard {
  /** Where the segment, and its key heap, start, counted from the start of the block in which the segment starts. Blocks count from that one. */
  readonly arrayAt: number;
  readonly heapAt: number;
  /** One bit a block: it has been compared, and fits. */
  readonly #checked: Int32Array;
  /**
   * One bit a block: it and the next one have been. So one bit answers for a range that starts in the block and is no longer than one, and
   * that is all that a lookup asks in most cases.
   */
  readonly sure: Int32Array;
  readonly #blocks: number;
  readonly #checker: BlockChecker;
  readonly #first: number;

  /** @param checker without one, all counts as checked */
  constructor(header: Header, place: SegmentPlace, checker: BlockChecker | undefined) {
    const start = place.offset - header.headerBytes;
    this.#checker = checker!;
    this.#first = Math.floor(start / BLOCK);
    this.arrayAt = start - this.#first * BLOCK;
    this.heapAt = this.arrayAt + heapStart(header.bucketBits);
    this.#blocks = Math.ceil((this.arrayAt + place.bytes) / BLOCK);
    // One more, for what is empty and lies behind the last byte.
    const words = Math.ceil((this.#blocks + 1) / 32);
    this.#checked = new Int32Array(words);
    this.sure = new Int32Array(words);
    if (checker === undefined) {
      this.#checked.fill(-1);
      this.sure.fill(-1);
    } else {
      set(this.#checked, this.#blocks);
      set(this.sure, this.#blocks);
    }
  }

  /** Whether the blocks with bytes `[from, end)` of the key heap have all been checked. */
  knowsHeap(from: number, end: number): boolean {
    const behind = Math.ceil((this.heapAt + end) / BLOCK);
    for (let block = Math.floor((this.heapAt + from) / BLOCK); block < behind; block++) {
      if (!has(this.#checked, block)) return false;
    }
    return true;
  }

  /**
   * Checks the blocks with bytes `[from, end)` of the key heap that have not been checked, and returns up to where in the heap all of them
   * reach. The range is within the heap; an empty one needs nothing.
   * @throws {HmapError} `HMAP_DAMAGED`
   */
  checkHeap(from: number, end: number): number {
    return end > from ? this.#check(this.heapAt + from, this.heapAt + end) - this.heapAt : from;
  }

  /** Checks the block or the two blocks with a bucket's two offsets. Throws as {@link checkHeap} does. */
  checkBucket(bucket: number): void {
    this.#check(this.arrayAt + 4 * bucket, this.arrayAt + 4 * bucket + 8);
  }

  #check(from: number, end: number): number {
    const behind = Math.ceil(end / BLOCK);
    for (let block = Math.floor(from / BLOCK); block < behind; block++) {
      if (has(this.#checked, block)) continue;
      this.#checker.check(this.#first + block);
      set(this.#checked, block);
      if (has(this.#checked, block + 1)) set(this.sure, block);
      if (block > 0 && has(this.#checked, block - 1)) set(this.sure, block - 1);
    }
    return behind * BLOCK;
  }
}

function has(bits: Int32Array, i: number): boolean {
  return ((bits[i >>> 5]! >>> i) & 1) !== 0;
}

function set(bits: Int32Array, i: number): void {
  bits[i >>> 5]! |= 1 << i;
}
