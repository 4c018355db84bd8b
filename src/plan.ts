// Decides a file's shape from what is in it (native-notes/format.md, section 10). Pure arithmetic: knows no bytes and no files.

import { MAX_U64, varintSize } from './bytes.js';
import { HmapError } from './errors.js';
import { type KeyType, keyWidthOf } from './key-types.js';
import {
  bucketArraySize,
  headerSize,
  heapStart,
  MAX_BUCKET_BITS,
  MAX_WRITTEN_SEGMENT_BITS,
  totalBucketBits,
  VARIABLE,
} from './layout.js';
import { type HeldType, isNarrowed, narrowWidth, valueWidthOf } from './types.js';

/** From a hash to its class in `bytesByHash`. A constant of this module's own: V8 folds it, as it does not an imported one. */
const CLASS_SHIFT = 32 - MAX_WRITTEN_SEGMENT_BITS;

/** The numbers of {@link EntryStats}, as one thread gives them to another. */
export type Sums = Omit<EntryStats, 'add' | 'addNarrowed' | 'merge' | 'settled'>;

/** Sums over a set of entries, enough to plan its file. */
export class EntryStats {
  entries = 0;
  keyBytes = 0;
  valueBytes = 0;
  shortestKey = Number.POSITIVE_INFINITY;
  longestKey = 0;
  shortestValue = Number.POSITIVE_INFINITY;
  longestValue = 0;
  /** Record sizes, with both prefixes, summed by the top bits of the hash. */
  readonly bytesByHash: Float64Array = new Float64Array(2 ** MAX_WRITTEN_SEGMENT_BITS);
  /** The largest value, or index, and the entries by the top bits of the hash; only where values are narrowed. */
  largest = 0;
  readonly entriesByHash: Float64Array;
  readonly #variableValues: boolean;

  constructor(valueType: HeldType) {
    this.#variableValues = valueWidthOf(valueType) === VARIABLE;
    this.entriesByHash = new Float64Array(isNarrowed(valueType) ? 2 ** MAX_WRITTEN_SEGMENT_BITS : 0);
  }

  add(hash: number, keyBytes: number, valueBytes: number): void {
    this.entries++;
    this.keyBytes += keyBytes;
    this.valueBytes += valueBytes;
    if (keyBytes < this.shortestKey) this.shortestKey = keyBytes;
    if (keyBytes > this.longestKey) this.longestKey = keyBytes;
    if (valueBytes < this.shortestValue) this.shortestValue = valueBytes;
    if (valueBytes > this.longestValue) this.longestValue = valueBytes;
    const prefixes = varintSize(keyBytes) + (this.#variableValues ? varintSize(valueBytes) : 0);
    this.bytesByHash[hash >>> CLASS_SHIFT]! += prefixes + keyBytes + valueBytes;
  }

  /** What there is to add for a value that is narrowed, besides {@link add}. */
  addNarrowed(hash: number, value: number): void {
    if (value > this.largest) this.largest = value;
    this.entriesByHash[hash >>> CLASS_SHIFT]!++;
  }

  /** The same sums where each value has the width in which it is written. */
  settled(valueType: HeldType): EntryStats {
    if (!isNarrowed(valueType)) return this;
    const width = narrowWidth(valueType, this.largest);
    const less = valueWidthOf(valueType) - width;
    const other = new EntryStats('u8');
    const { entries, keyBytes, shortestKey, longestKey } = this;
    Object.assign(other, { entries, keyBytes, shortestKey, longestKey, valueBytes: entries * width });
    other.shortestValue = other.longestValue = width;
    for (let i = 0; i < other.bytesByHash.length; i++) {
      other.bytesByHash[i] = this.bytesByHash[i]! - less * this.entriesByHash[i]!;
    }
    return other;
  }

  /** Adds the sums of other entries, of the same type of values. */
  merge(other: Sums): void {
    this.entries += other.entries;
    this.keyBytes += other.keyBytes;
    this.valueBytes += other.valueBytes;
    this.shortestKey = Math.min(this.shortestKey, other.shortestKey);
    this.longestKey = Math.max(this.longestKey, other.longestKey);
    this.shortestValue = Math.min(this.shortestValue, other.shortestValue);
    this.longestValue = Math.max(this.longestValue, other.longestValue);
    for (let i = 0; i < this.bytesByHash.length; i++) this.bytesByHash[i]! += other.bytesByHash[i]!;
    this.largest = Math.max(this.largest, other.largest);
    for (let i = 0; i < this.entriesByHash.length; i++) this.entriesByHash[i]! += other.entriesByHash[i]!;
  }
}

/** The shape of a file. Widths in bytes, or VARIABLE. */
export interface Plan {
  readonly segmentBits: number;
  readonly bucketBits: number;
  readonly keyWidth: number;
  readonly valueWidth: number;
}

/**
 * The one shape that the canonical file of these entries has.
 * @param segmentLimit most bytes of a segment, inclusive
 * @throws {HmapError} `HMAP_SEGMENT_TOO_LARGE`, `HMAP_FILE_TOO_LARGE`
 */
export function planFile(all: EntryStats, valueType: HeldType, segmentLimit: number, keyType: KeyType = 'bytes'): Plan {
  const width = isNarrowed(valueType) ? VARIABLE : valueWidthOf(valueType);
  return planOfWidth(all.settled(valueType), width, segmentLimit, keyType);
}

/** What the shape of a file follows from. */
export type ShapeSums = Pick<
  EntryStats,
  'entries' | 'shortestKey' | 'longestKey' | 'shortestValue' | 'longestValue' | 'bytesByHash'
>;

/** {@link planFile} for values of any type of that width, in bytes or VARIABLE. */
export function planOfWidth(
  stats: ShapeSums,
  typeWidth: number,
  segmentLimit: number,
  keyType: KeyType = 'bytes',
): Plan {
  const sharedKey = stats.shortestKey === stats.longestKey && stats.longestKey > 0;
  const sharedValue = stats.shortestValue === stats.longestValue ? stats.longestValue : VARIABLE;
  const total = totalBucketBits(stats.entries);
  checkFileSize(stats, total);
  for (let segmentBits = 0; segmentBits <= MAX_WRITTEN_SEGMENT_BITS; segmentBits++) {
    const bucketBits = Math.max(0, total - segmentBits);
    if (bucketBits > MAX_BUCKET_BITS) continue;
    if (heapStart(bucketBits) + largestHeap(stats.bytesByHash, segmentBits) > segmentLimit) continue;
    return {
      segmentBits,
      bucketBits,
      // By the type also where there are no keys.
      keyWidth: sharedKey ? stats.longestKey : keyWidthOf(keyType),
      valueWidth: typeWidth === VARIABLE ? sharedValue : typeWidth,
    };
  }
  const largest = largestHeap(stats.bytesByHash, MAX_WRITTEN_SEGMENT_BITS);
  const message =
    `no division into 2^${MAX_WRITTEN_SEGMENT_BITS} segments or fewer keeps each within ${segmentLimit} bytes: ` +
    `one ${2 ** MAX_WRITTEN_SEGMENT_BITS}th of the hashes holds ${largest} bytes; another seed may spread them`;
  throw new HmapError('HMAP_SEGMENT_TOO_LARGE', message, { expected: segmentLimit, actual: largest });
}

function largestHeap(bytesByHash: Float64Array, segmentBits: number): number {
  const run = bytesByHash.length / 2 ** segmentBits;
  let largest = 0;
  for (let start = 0; start < bytesByHash.length; start += run) {
    let sum = 0;
    for (let i = start; i < start + run; i++) sum += bytesByHash[i]!;
    if (sum > largest) largest = sum;
  }
  return largest;
}

function checkFileSize(stats: ShapeSums, totalBits: number): void {
  const records = stats.bytesByHash.reduce((sum, bytes) => sum + bytes, 0);
  const parts = headerSize(MAX_WRITTEN_SEGMENT_BITS, 0) + bucketArraySize(totalBits) + records;
  // A generous bound: checksums and padding add less than one part in a thousand.
  if (parts * 1.001 < MAX_U64) return;
  const message = `the file would have ${parts} bytes or more, the most is 2^53 - 1`;
  throw new HmapError('HMAP_FILE_TOO_LARGE', message, { expected: MAX_U64 - 1, actual: parts });
}

export function samePlan(a: Plan, b: Plan): boolean {
  return (
    a.segmentBits === b.segmentBits &&
    a.bucketBits === b.bucketBits &&
    a.keyWidth === b.keyWidth &&
    a.valueWidth === b.valueWidth
  );
}
