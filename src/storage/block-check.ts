// Which blocks of a file have been compared with their checksums, and the comparison. Knows blocks; does not know what
// they hold. Who needs which block decides when: lookups and iterations through HashSegment.reach and RecordCursor, lists
// and bit arrays through KeylessSegment.blocks, `enum` through Dictionary.placeOf.

import { type BlockHasher, loadChecksumsNow } from '../base/block-hasher.js';
import { damage } from '../base/errors.js';
import { readBytes } from '../base/fs.js';
import { BLOCK, PAGE } from '../format/constants.js';
import type { Header } from '../format/header.js';
import { SUM_BYTES, type SumLevel, sumLevels } from '../format/sum-tree.js';

/** A number of bytes shifted by this is a number of blocks. */
const BLOCK_SHIFT = 31 - Math.clz32(BLOCK);

/** Returns bytes of the file: `length` from `offset`, both in bytes. A copy, or a view that is not written to. */
export type ReadFile = (offset: number, length: number) => Uint8Array;

/** Bytes of the file. */
export interface FileRange {
  readonly offset: number;
  readonly length: number;
}

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
  readonly #end: number;
  readonly #levels: readonly SumLevel[];
  /** Of the last level. */
  readonly #root: bigint;
  readonly #read: ReadFile;
  readonly #path: string;
  #hashes: BlockHasher | undefined;
  /** Pages of checksums that have been compared with the level after theirs, by level. */
  readonly #trusted: readonly Set<number>[];

  /** @param path for messages */
  constructor(header: Header, read: ReadFile, path: string) {
    this.headerBytes = header.headerBytes;
    this.#end = header.checksums.offset;
    this.#levels = sumLevels(this.headerBytes, this.#end);
    this.#root = header.checksums.sum;
    this.#read = read;
    this.#path = path;
    this.#trusted = this.#levels.map(() => new Set());
  }

  /**
   * Costs 20 µs when the block is in memory. Besides the block it reads a page of checksums for each level of the tree
   * of which that page has not been read before: one level up to 32 MiB, two up to 16 GiB, three up to 8 TiB.
   * @param index number of the block, from 0
   * @throws {HmapError} `HMAP_DAMAGED` with the range of the block, or of the checksums
   */
  check(index: number): void {
    const expected = this.#sumAt(0, index);
    const offset = this.headerBytes + index * BLOCK;
    this.#compare(offset, Math.min(offset + BLOCK, this.#end), expected, 'the bytes');
  }

  /** What {@link check} of a block reads. */
  needed(index: number): FileRange[] {
    const offset = this.headerBytes + index * BLOCK;
    const ranges = [{ offset, length: Math.min(BLOCK, this.#end - offset) }];
    for (let level = 0, sum = index; level < this.#levels.length; level++) {
      const page = Math.floor((sum * SUM_BYTES) / PAGE);
      const { offset: from, bytes } = this.#levels[level]!;
      ranges.push({ offset: from + page * PAGE, length: Math.min(PAGE, bytes - page * PAGE) });
      sum = page;
    }
    return ranges;
  }

  /** Checksum number `index` of a level, once the page in which it lies has been compared with the level after it. */
  #sumAt(level: number, index: number): bigint {
    const { offset, bytes } = this.#levels[level]!;
    const page = Math.floor((index * SUM_BYTES) / PAGE);
    if (!this.#trusted[level]!.has(page)) {
      const isLast = level + 1 === this.#levels.length;
      const expected = isLast ? this.#root : this.#sumAt(level + 1, page);
      const start = offset + page * PAGE;
      // So that blocks of another version of the file do not pass: they would match that version's checksums.
      this.#compare(start, Math.min(start + PAGE, offset + bytes), expected, 'the block checksums');
      this.#trusted[level]!.add(page);
    }
    const stored = this.#read(offset + index * SUM_BYTES, SUM_BYTES);
    return new DataView(stored.buffer, stored.byteOffset).getBigUint64(0, true);
  }

  #compare(offset: number, end: number, expected: bigint, what: string): void {
    this.#hashes ??= loadChecksumsNow();
    const actual = this.#hashes.h64Raw(this.#read(offset, end - offset));
    if (actual === expected) return;
    const message = `${what} [${offset}, ${end}) do not match their checksum`;
    throw damage(this.#path, message, { offset, end, expected, actual });
  }
}

/** The blocks in which one section of a file lies, or one segment. */
export class CheckedBlocks {
  /** Blocks that have not been checked. */
  unchecked: number;
  /** One bit a block, counted from the one in which the section starts: it has been compared, and fits. */
  readonly #checked: Int32Array;
  readonly #checker: BlockChecker;
  readonly #first: number;
  /** Where the section starts, counted from the start of that block. */
  readonly #start: number;
  /** Of the section in the file. */
  readonly #offset: number;

  /**
   * @param place of the section in the file
   * @param checker without one, all counts as checked
   */
  constructor(
    { headerBytes }: Pick<Header, 'headerBytes'>,
    place: { readonly offset: number; readonly bytes: number },
    checker: BlockChecker | undefined,
  ) {
    const start = place.offset - headerBytes;
    this.#checker = checker!;
    this.#offset = place.offset;
    this.#first = Math.floor(start / BLOCK);
    this.#start = start - this.#first * BLOCK;
    const blocks = place.bytes === 0 ? 0 : Math.ceil((this.#start + place.bytes) / BLOCK);
    this.unchecked = checker === undefined ? 0 : blocks;
    this.#checked = new Int32Array(Math.ceil(blocks / 32)).fill(checker === undefined ? -1 : 0);
  }

  /** Whether the blocks with bytes `[from, end)` of the section have all been checked. */
  knows(from: number, end: number): boolean {
    const last = (this.#start + end - 1) >>> BLOCK_SHIFT;
    for (let block = (this.#start + from) >>> BLOCK_SHIFT; block <= last; block++) {
      if (((this.#checked[block >>> 5]! >>> block) & 1) === 0) return false;
    }
    return true;
  }

  /**
   * What must be in memory for bytes `[from, end)` of the section to be read: of blocks that have not been checked all,
   * and what they are checked against.
   */
  needed(from: number, end: number): FileRange[] {
    if (end <= from) return [];
    if (this.knows(from, end)) return [{ offset: this.#offset + from, length: end - from }];
    const last = (this.#start + end - 1) >>> BLOCK_SHIFT;
    const ranges: FileRange[] = [];
    for (let block = (this.#start + from) >>> BLOCK_SHIFT; block <= last; block++) {
      ranges.push(...this.#checker.needed(this.#first + block));
    }
    return ranges;
  }

  /**
   * Checks the blocks with bytes `[from, end)` of the section that have not been checked, and returns up to where in
   * the section all of them reach. The range is within the section; an empty one needs nothing.
   * @throws {HmapError} `HMAP_DAMAGED`
   */
  check(from: number, end: number): number {
    return end > from ? this.#check(this.#start + from, this.#start + end) - this.#start : from;
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
