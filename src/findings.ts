// What a verification reports. Knows the codes; does not know how anything is checked.

import type { HmapErrorCode } from './errors.js';

/** Where in the file a rule is broken. */
export type Section = 'file' | 'header' | 'buckets' | 'heap' | 'checksums' | 'padding';

/** Rules that only a verification checks. The header's own rules are reported with the codes of the errors that `open` throws. */
export type FindingCode =
  | HmapErrorCode
  | 'HMAP_RESERVED'
  | 'HMAP_PADDING'
  | 'HMAP_CHECKSUMS_SUM'
  | 'HMAP_BLOCK_CHECKSUM'
  | 'HMAP_BUCKET_OFFSET'
  | 'HMAP_RECORD'
  | 'HMAP_RECORD_BUCKET'
  | 'HMAP_RECORD_ORDER'
  | 'HMAP_RECORD_DUPLICATE'
  | 'HMAP_VALUE'
  | 'HMAP_ENTRIES'
  | 'HMAP_TOTALS'
  | 'HMAP_WIDTH'
  | 'HMAP_BUCKET_BITS';

/** One broken rule. */
export interface Finding {
  readonly code: FindingCode | (string & {});
  readonly section: Section;
  /** Byte offset in the file. */
  readonly offset: number;
  readonly message: string;
}

/** Collects findings; keeps the first ones and counts all, so that a file full of damage costs fixed memory. */
export class Findings {
  readonly list: Finding[] = [];
  total = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(code: Finding['code'], section: Section, offset: number, message: string): void {
    this.total++;
    if (this.list.length < this.#limit) this.list.push({ code, section, offset, message });
  }
}
