// What measuring a file gives, for every layout, and sums over lengths. Reads nothing.

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
  keys: MeasuredLengths;
  values: MeasuredLengths;
  bucketLoads: {
    buckets: number;
    mean: number;
    longest: number;
    /** Buckets with so many records; the last with so many or more. */
    histogram: number[];
    /** The same as Poisson's law has them for this mean: what keys that nobody chose come near to. */
    expected: number[];
  };
  /** The ten largest entries, the largest first. Empty where all have one size, since any ten would do. */
  largest: LargeEntry[];
  /** The ten buckets with the most records, the fullest first; none without keys. */
  fullest: FullBucket[];
  /**
   * What of the file was in physical memory before it was read; `null` if the system does not say, or the file has more
   * than 64 GiB.
   */
  resident: ResidentBytes | null;
}

export interface Lengths {
  shortest: number;
  longest: number;
  mean: number;
}

export interface MeasuredLengths extends Lengths {
  /**
   * How many have a length from `least` to `most`, inclusive, in ascending order, without empty ranges: single lengths
   * below 64, then ranges of at most a sixteenth of a power of two. Empty where all have one length by their type.
   */
  histogram: LengthRange[];
}

export interface LengthRange {
  least: number;
  most: number;
  count: number;
}

/** An entry that takes much room. */
export interface LargeEntry {
  /** The key as messages show it, cut off if it is long; the index in a list; a fingerprint in hexadecimal. */
  key: string;
  /** Where its record starts in the file, and the bytes of the record, prefixes included. */
  offset: number;
  bytes: number;
  valueBytes: number;
}

/** A bucket that holds many records. */
export interface FullBucket {
  /** Over all segments. */
  index: number;
  records: number;
  /** Where its records start in the file, and their bytes. */
  offset: number;
  bytes: number;
}

/** Bytes in physical memory, in whole pages, but for the last. */
export interface ResidentBytes {
  total: number;
  /** By parts of the file. */
  header: number;
  /** The key heaps; the segments of a list or a bit array, with their indexes. */
  heap: number;
  buckets: number;
  dictionary: number;
  fingerprints: number;
  checksums: number;
  /** The share of each of at most 256 equal parts of the file, in [0, 1]. */
  map: number[];
}

/** Lengths below this have a range of their own; above, each power of two is cut into {@link STEPS}. */
const SINGLE = 64;
const STEPS = 16;
/** Up to lengths of 2^31. */
const RANGES = SINGLE + STEPS * (31 - Math.log2(SINGLE));

function rangeOf(length: number): number {
  if (length < SINGLE) return length;
  const power = 31 - Math.clz32(length);
  return SINGLE + STEPS * (power - 6) + ((length >>> (power - 4)) - STEPS);
}

function leastOf(range: number): number {
  if (range < SINGLE) return range;
  const power = 6 + Math.floor((range - SINGLE) / STEPS);
  return (STEPS + ((range - SINGLE) % STEPS)) * 2 ** (power - 4);
}

export class LengthSums {
  shortest = Number.POSITIVE_INFINITY;
  longest = 0;
  sum = 0;
  count = 0;
  readonly #ranges = new Float64Array(RANGES);

  add(length: number): void {
    if (length < this.shortest) this.shortest = length;
    if (length > this.longest) this.longest = length;
    this.sum += length;
    this.count++;
    this.#ranges[rangeOf(length)]!++;
  }

  get measured(): MeasuredLengths {
    const histogram: LengthRange[] = [];
    for (const [range, count] of this.#ranges.entries()) {
      if (count > 0) histogram.push({ least: leastOf(range), most: leastOf(range + 1) - 1, count });
    }
    return { ...this.lengths, histogram };
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
