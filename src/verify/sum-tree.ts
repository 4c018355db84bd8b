// Checks the tree of checksums of a file (native-notes/format.md, section 8) against what its blocks give, and tells
// damage to the tree from damage to the blocks. Does not know what the blocks hold.

import type { BlockHasher } from '../base/block-hasher.js';
import { HEADER, PAGE } from '../format/constants.js';
import { fieldEnd, type Header } from '../format/header.js';
import { SUM_BYTES, type SumLevel, sumLevels } from '../format/sum-tree.js';
import type { Findings } from './findings.js';
import type { VerifyReader } from './reader.js';

export class SumTreeCheck {
  /** The levels as the file has them; `undefined` for one that cannot be read. */
  readonly stored: readonly (Buffer | undefined)[];
  readonly #header: Header;
  readonly #levels: readonly SumLevel[];
  readonly #findings: Findings;
  readonly #hashes: BlockHasher;

  constructor(header: Header, reader: VerifyReader, findings: Findings, hashes: BlockHasher) {
    this.#header = header;
    this.#levels = sumLevels(header.headerBytes, header.checksums.offset);
    this.#findings = findings;
    this.#hashes = hashes;
    this.stored = this.#levels.map(({ offset, bytes }) => reader.read(offset, bytes, 'checksums'));
  }

  /**
   * Goes from the header's checksum down to those of the blocks. A page of the tree that does not match the checksum
   * above it is damaged if what the blocks give does match; then that takes its place.
   * @param blocks the checksums that the blocks have
   * @returns what the checksums of the blocks should be; `undefined` if they cannot be read
   */
  compare(blocks: Buffer): Buffer | undefined {
    const computed = [blocks];
    while (computed.length < this.#levels.length) computed.push(this.#sumsOf(computed.at(-1)!));
    let expected: Buffer = Buffer.alloc(SUM_BYTES);
    expected.writeBigUInt64LE(this.#header.checksums.sum);
    for (let level = this.#levels.length - 1; level >= 0; level--) {
      const stored = this.stored[level];
      // What the level would say has been reported as not readable.
      if (stored === undefined) return undefined;
      expected = this.#level(level, stored, computed[level]!, expected);
    }
    return expected;
  }

  #sumsOf(level: Buffer): Buffer {
    const sums = Buffer.alloc(SUM_BYTES * Math.ceil(level.length / PAGE));
    for (let at = 0; at < level.length; at += PAGE) {
      sums.writeBigUInt64LE(this.#hashes.h64Raw(level.subarray(at, at + PAGE)), (at / PAGE) * SUM_BYTES);
    }
    return sums;
  }

  /** What a level should be, by the level above it. */
  #level(level: number, stored: Buffer, computed: Buffer, expected: Buffer): Buffer {
    const right = Buffer.from(stored);
    for (let at = 0; at < stored.length; at += PAGE) {
      const page = stored.subarray(at, at + PAGE);
      const given = computed.subarray(at, at + PAGE);
      const wanted = expected.readBigUInt64LE((at / PAGE) * SUM_BYTES);
      const sum = this.#hashes.h64Raw(page);
      if (sum === wanted) continue;
      const isSame = page.equals(given);
      // Both sides of a wrong checksum agree: it is that one. Above the last level it is the header's.
      if (isSame && level === this.#levels.length - 1) this.#badRoot(sum, wanted);
      else this.#badPage(level, at, page, given, sum, wanted);
      if (this.#hashes.h64Raw(given) === wanted) given.copy(right, at);
    }
    return right;
  }

  #badRoot(sum: bigint, wanted: bigint): void {
    const at = HEADER.checksumsSum;
    const message = `the checksum of the block checksums is ${hex(sum)}, the header says ${hex(wanted)}`;
    this.#findings.add('HMAP_CHECKSUMS_SUM', 'header', at, fieldEnd(at), message);
  }

  /** Reports from the first to the last checksum that differs from what the blocks give, if these explain the page. */
  #badPage(level: number, at: number, page: Buffer, given: Buffer, sum: bigint, wanted: bigint): void {
    const start = this.#levels[level]!.offset + at;
    let from = 0;
    let end = page.length;
    if (this.#hashes.h64Raw(given) === wanted) {
      const differs = (i: number) => page.compare(given, i, i + SUM_BYTES, i, i + SUM_BYTES) !== 0;
      while (!differs(from)) from += SUM_BYTES;
      while (!differs(end - SUM_BYTES)) end -= SUM_BYTES;
    }
    const message = `the checksum of the checksums [${start}, ${start + page.length}) is ${hex(sum)}, it should be ${hex(wanted)}`;
    this.#findings.add('HMAP_CHECKSUMS_SUM', 'checksums', start + from, start + end, message);
  }
}

/** A checksum as messages show it. */
export function hex(sum: bigint): string {
  return `0x${sum.toString(16).padStart(16, '0')}`;
}
