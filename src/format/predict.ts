// Predicts the size of a hash table, section by section, before it is built: keys are taken to spread evenly over the
// buckets, and records to differ little in size. Pure arithmetic: knows no bytes and no files.

import { align, GROUP_BUCKETS, headerSize, MAX_SEGMENT_BITS, VARIABLE } from './constants.js';
import { falsePositiveRate, LONG_FINGERPRINT } from './fingerprints.js';
import { bucketCount, indexSize, offsetBitsFor, offsetUnit } from './index-lines.js';
import { hashSectionsEnd, type SectionSizes, sizesOf, withPadding } from './sections.js';
import { type Shape, shapeOf } from './shape.js';

/** Sums over the lengths of all keys, or all values, in bytes. */
export interface LengthsToStore {
  readonly bytes: number;
  readonly shortest: number;
  readonly longest: number;
  /** What a length prefix on each would take. */
  readonly prefixes: number;
}

/** What a table would hold. */
export interface TableToBuild {
  readonly entries: number;
  /** With `fingerprintBits`, lengths of the fingerprints. */
  readonly keys: LengthsToStore;
  readonly values: LengthsToStore;
  /** Width of the type of the values, in bytes, or VARIABLE. */
  readonly valueWidth: number;
  /** Bytes of the distinct values of `enum`. */
  readonly dictionary: number;
  /** Largest segment, in bytes, inclusive. */
  readonly segmentLimit: number;
  /** Bits of the fingerprints in place of keys. */
  readonly fingerprintBits?: number;
}

export interface PredictedTable {
  readonly sections: SectionSizes;
  /** Bytes of length prefixes, which are in the heap. */
  readonly prefixes: number;
  /** Of fingerprints; 0 if the keys themselves are stored. */
  readonly falsePositiveRate: number;
}

/** @throws {HmapError} as {@link shapeOf} does */
export function predictTable(table: TableToBuild): PredictedTable {
  const { entries, keys, values, fingerprintBits: bits } = table;
  const shape = predictShape(table);
  const keyPrefixes = shape.keyWidth === VARIABLE ? keys.prefixes : 0;
  const prefixes = keyPrefixes + (shape.valueWidth === VARIABLE ? values.prefixes : 0);
  const rate = bits === undefined ? 0 : falsePositiveRate(entries, shape, bits);
  // The others in the bucket of a record are as many as Poisson's law says; each has its fingerprint by chance.
  const long = values.longest > 0 ? Math.round(entries * (1 - Math.exp(-rate))) : 0;
  const heap = prefixes + keys.bytes + values.bytes;
  const sections = predictSections(shape, entries, heap, table.dictionary, LONG_FINGERPRINT.size * long);
  return { sections, prefixes, falsePositiveRate: rate };
}

function predictShape({ entries, keys, values, valueWidth, segmentLimit }: TableToBuild): Shape {
  const classes = 2 ** MAX_SEGMENT_BITS;
  const records = keys.prefixes + keys.bytes + values.bytes + (valueWidth === VARIABLE ? values.prefixes : 0);
  const sums = {
    entries,
    shortestKey: keys.shortest,
    longestKey: keys.longest,
    shortestValue: values.shortest,
    longestValue: values.longest,
    bytesByHash: new Float64Array(classes).fill(records / classes),
  };
  return shapeOf(sums, valueWidth, segmentLimit);
}

function predictSections(
  shape: Shape,
  entries: number,
  heapSize: number,
  dictionarySize: number,
  fingerprintsSize: number,
): SectionSizes {
  const header = headerSize(shape.segmentBits, 0);
  const index = 2 ** shape.segmentBits * indexSize(shape, predictOffsetBits(shape, entries, heapSize));
  const end = hashSectionsEnd(header, heapSize, align(dictionarySize) + fingerprintsSize, index);
  return withPadding(sizesOf(header, end), index, heapSize, dictionarySize, fingerprintsSize);
}

/** Bits of the offsets, from what the largest group probably holds: records fall into groups by Poisson's law. */
function predictOffsetBits(shape: Shape, entries: number, heapSize: number): number {
  if (entries === 0) return offsetBitsFor(0);
  const groups = (2 ** shape.segmentBits * bucketCount(shape)) / GROUP_BUCKETS;
  const mean = entries / groups;
  const spread = Math.log(groups);
  const most = mean + Math.sqrt(2 * mean * spread) + spread / 3;
  return offsetBitsFor((most * heapSize) / entries / offsetUnit(shape.keyWidth, shape.valueWidth));
}
