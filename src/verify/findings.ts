// What a verification reports. Knows the codes; does not know how anything is checked.

import { HEADER_CODES } from '../format/header.js';
import type { FlippedBit } from './find-bit.js';

/**
 * Where in the file a rule is broken. Offsets of a list and counts of a bit array are its `buckets`, elements its
 * `heap`; distinct values of `enum` are the `dictionary`, long fingerprints the `fingerprints`.
 */
export type Section = 'file' | 'header' | 'buckets' | 'heap' | 'dictionary' | 'fingerprints' | 'checksums' | 'padding';

/**
 * Codes of all rules: the header's own, with the codes of the errors that `open` throws, and those that only a
 * verification checks.
 */
export const FINDING_CODES = [
  ...HEADER_CODES,
  'HMAP_RESERVED',
  'HMAP_PADDING',
  'HMAP_CHECKSUMS_SUM',
  'HMAP_BLOCK_CHECKSUM',
  'HMAP_BUCKET_OFFSET',
  'HMAP_RECORD',
  'HMAP_RECORD_BUCKET',
  'HMAP_RECORD_ORDER',
  'HMAP_RECORD_DUPLICATE',
  'HMAP_BUCKET_LOAD',
  'HMAP_VALUE',
  'HMAP_ENTRIES',
  'HMAP_TOTALS',
  'HMAP_WIDTH',
  'HMAP_BUCKET_BITS',
  'HMAP_COUNT',
  'HMAP_DICTIONARY',
  'HMAP_FINGERPRINT',
] as const;

export type FindingCode = (typeof FINDING_CODES)[number];

/**
 * One broken rule, and the bytes `[offset, end)` of the file that break it: a field of the header, a record, what a
 * checksum covers, padding from its first to its last byte that is not zero, the bytes that are missing or too many at
 * the end. Offsets are in bytes from the start of the file; `end` is exclusive and above `offset`. Both lie past the
 * end of a file that is cut short.
 */
export interface Finding {
  /** The rule; the operating system's code (`EIO`) if the bytes cannot be read. */
  readonly code: FindingCode | (string & {});
  readonly section: Section;
  /** Offset in the file of the first byte of the range. */
  readonly offset: number;
  /** Offset in the file after the last byte of the range. */
  readonly end: number;
  readonly message: string;
  /** Of a block: the one bit that explains its checksum, if it was looked for and there is one. */
  readonly bit?: FlippedBit;
}

/** Thrown at the first finding, by {@link Findings} that stop there. */
export class FirstFinding extends Error {
  constructor(readonly finding: Finding) {
    super(finding.message);
  }
}

/** Collects findings; keeps the first ones and counts all, so that a file full of damage costs fixed memory. */
export class Findings {
  readonly list: Finding[] = [];
  total = 0;
  readonly #stops: boolean;
  readonly #limit: number;

  /** @param limit most that are kept; `first` is for who needs no more than one, and soon */
  constructor(limit: number | 'first') {
    this.#limit = limit === 'first' ? 0 : limit;
    this.#stops = limit === 'first';
  }

  /**
   * Notes a broken rule in the bytes `[offset, end)` of the file.
   * @throws {FirstFinding} if this is to stop at the first
   */
  add(code: Finding['code'], section: Section, offset: number, end: number, message: string, bit?: FlippedBit): void {
    this.total++;
    const finding: Finding = { code, section, offset, end, message, ...(bit !== undefined && { bit }) };
    if (this.#stops) throw new FirstFinding(finding);
    if (this.list.length < this.#limit) this.list.push(finding);
  }
}
