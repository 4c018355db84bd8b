// Checks the tree of checksums of a file (native-notes/format.md, section 8) against what its blocks give, and tells
// damage to the tree from damage to the blocks. Does not know what the blocks hold.

import { type BlockHasher, hashPieces } from '../base/block-hasher.js';
import { HEADER, PAGE } from '../format/constants.js';
import { fieldEnd, type Header } from '../format/header.js';
import { SUM_BYTES, type SumLevel, sumLevels } from '../format/sum-tree.js';
import type { Findings } from './findings.js';
import type { VerifyReader } from './reader.js';

/** How far the checksum of a page or of a block is to be believed. */
const SURE = 0;
/** Its page was reported: it may be one of those that are wrong. */
const DOUBTED = 1;
/** It could not be read. */
const UNREAD = 2;

/** Checksums of one level. */
interface Sums {
  readonly bytes: Buffer;
  /** {@link SURE} or another, for each. */
  readonly belief: Uint8Array;
}

export class SumTreeCheck {
  readonly #header: Header;
  readonly #levels: readonly SumLevel[];
  readonly #findings: Findings;
  readonly #hashes: BlockHasher;
  /** The levels as the file has them. */
  readonly #stored: readonly Sums[];

  constructor(header: Header, reader: VerifyReader, findings: Findings, hashes: BlockHasher) {
    this.#header = header;
    this.#levels = sumLevels(header.headerBytes, header.checksums.offset);
    this.#findings = findings;
    this.#hashes = hashes;
    this.#stored = this.#levels.map((level) => readLevel(level, reader));
  }

  /** Copies the stored checksum of a block for one that cannot be computed. */
  copyStored(into: Buffer, at: number): void {
    this.#stored[0]!.bytes.copy(into, at, at, at + SUM_BYTES);
  }

  /**
   * Goes from the header's checksum down to those of the blocks. A page of the tree that does not match the checksum
   * above it is damaged if what the blocks give does match; then that takes its place.
   * @param blocks the checksums that the blocks have
   * @returns what the checksum at a place in the first level should be; `undefined` if that is not known
   */
  compare(blocks: Buffer): (at: number) => bigint | undefined {
    const computed = [blocks];
    while (computed.length < this.#levels.length) computed.push(hashPieces(this.#hashes, computed.at(-1)!, PAGE));
    const root = Buffer.alloc(SUM_BYTES);
    root.writeBigUInt64LE(this.#header.checksums.sum);
    let expected: Sums = { bytes: root, belief: Uint8Array.of(SURE) };
    for (let level = this.#levels.length - 1; level >= 0; level--) {
      expected = this.#level(level, this.#stored[level]!, computed[level]!, expected);
    }
    const { bytes, belief } = expected;
    return (at) => (belief[at / SUM_BYTES] === UNREAD ? undefined : bytes.readBigUInt64LE(at));
  }

  /** What a level should be, by the level above it. */
  #level(level: number, stored: Sums, computed: Buffer, expected: Sums): Sums {
    const right: Sums = { bytes: Buffer.from(stored.bytes), belief: Uint8Array.from(stored.belief) };
    for (let at = 0; at < stored.bytes.length; at += PAGE) {
      const number = at / PAGE;
      const page = stored.bytes.subarray(at, at + PAGE);
      // A page that cannot be read, or of which nothing is known, is taken as it is.
      if (stored.belief[at / SUM_BYTES] === UNREAD || expected.belief[number] === UNREAD) continue;
      const given = computed.subarray(at, at + PAGE);
      const wanted = expected.bytes.readBigUInt64LE(number * SUM_BYTES);
      const sum = this.#hashes.h64Raw(page);
      if (sum === wanted) continue;
      const isExplained = this.#hashes.h64Raw(given) === wanted;
      // Above a doubted checksum something has been reported, which may be the checksum itself.
      if (!isExplained && expected.belief[number] === DOUBTED) continue;
      if (page.equals(given) && level === this.#levels.length - 1) this.#badRoot(sum, wanted);
      else this.#badPage(level, at, page, given, sum, wanted);
      if (isExplained) given.copy(right.bytes, at);
      else right.belief.fill(DOUBTED, at / SUM_BYTES, (at + page.length) / SUM_BYTES);
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

/** Reads a level, page by page where not all of it can be read. */
function readLevel({ offset, bytes }: SumLevel, reader: VerifyReader): Sums {
  const belief = new Uint8Array(bytes / SUM_BYTES);
  const whole = reader.attempt(offset, bytes);
  if (whole !== undefined) return { bytes: whole, belief };
  const known = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += PAGE) {
    const length = Math.min(PAGE, bytes - at);
    const page = reader.read(offset + at, length, 'checksums');
    if (page === undefined) belief.fill(UNREAD, at / SUM_BYTES, (at + length) / SUM_BYTES);
    else page.copy(known, at);
  }
  return { bytes: known, belief };
}

/** A checksum as messages show it. */
export function hex(sum: bigint): string {
  return `0x${sum.toString(16).padStart(16, '0')}`;
}
