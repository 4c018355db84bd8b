// What measuring a file gives, for every layout. Measures nothing.

import type { Header } from '../format/header.js';
import type { SectionSizes } from '../format/sections.js';

/** Sizes are in bytes. */
export interface TableStat {
  path: string;
  header: Header;
  entries: number;
  fileBytes: number;
  /** Sum of the lengths of all keys and values. */
  payloadBytes: number;
  /** Bytes of the file beyond the payload, for each entry; 0 without entries. */
  overheadPerEntry: number;
  /** What the file's bytes are spent on. They add up to `fileBytes`. */
  sections: {
    header: number;
    /** The index; the offsets of a list, the counts of a bit array. */
    buckets: number;
    /** Length prefixes of keys and values. */
    prefixes: number;
    keys: number;
    values: number;
    /** The distinct values of `enum`. */
    dictionary: number;
    /** Long fingerprints, of keys whose fingerprints are the same in one bucket. */
    fingerprints: number;
    checksums: number;
    padding: number;
  };
  /** Lengths of keys, and of values; zeros without entries. */
  keys: Lengths;
  values: Lengths;
  bucketLoads: { buckets: number; mean: number; longest: number; histogram: number[] };
}

export interface Lengths {
  shortest: number;
  longest: number;
  mean: number;
}

export class LengthSums {
  shortest = Number.POSITIVE_INFINITY;
  longest = 0;
  sum = 0;
  count = 0;

  add(length: number): void {
    if (length < this.shortest) this.shortest = length;
    if (length > this.longest) this.longest = length;
    this.sum += length;
    this.count++;
  }

  get lengths(): Lengths {
    if (this.count === 0) return { shortest: 0, longest: 0, mean: 0 };
    return { shortest: this.shortest, longest: this.longest, mean: this.sum / this.count };
  }
}

/** The sections as {@link TableStat} has them: what is in the heap, instead of the heap. */
export function tableSections(
  { header, buckets, dictionary, fingerprints, checksums, padding }: Omit<SectionSizes, 'heap'>,
  prefixes: number,
  keys: number,
  values: number,
): TableStat['sections'] {
  return { header, buckets, prefixes, keys, values, dictionary, fingerprints, checksums, padding };
}
