// Sums over the entries of a build, enough to decide the shape of its file. Knows no bytes and no files.

import { varintSize } from '../../base/bytes.js';
import * as place from '../../core/stage-places.js';
import { MAX_SEGMENT_BITS, VARIABLE } from '../../format/constants.js';
import { type Shape, shapeOf } from '../../format/shape.js';
import { type BuildValueType, isNarrowed, narrowWidth, valueWidthOf } from '../../format/value-types.js';
import type { Stage } from './arena.js';

/** From a hash to its class in `bytesByHash`. Not exported: V8 folds it. */
const CLASS_SHIFT = 32 - MAX_SEGMENT_BITS;

/** The numbers of {@link EntryStats}, as one thread gives them to another. */
export type Sums = Omit<EntryStats, 'add' | 'addNarrowed' | 'remove' | 'merge' | 'narrowed'>;

/** Sums over a set of entries, from which the shape of its file follows. */
export class EntryStats {
  entries = 0;
  keyBytes = 0;
  valueBytes = 0;
  shortestKey = Number.POSITIVE_INFINITY;
  longestKey = 0;
  shortestValue = Number.POSITIVE_INFINITY;
  longestValue = 0;
  /** Record sizes, with both prefixes, summed by the top bits of the hash. */
  readonly bytesByHash: Float64Array;
  /** The largest value, or index, and the entries by the top bits of the hash; only if values are narrowed. */
  largest = 0;
  readonly entriesByHash: Float64Array;
  readonly #variableValues: boolean;
  readonly #shardBits: number;

  /**
   * @param shardBits top bits of the hash that all entries share; classes are by the bits after them
   * @param stage where the core counts, too; only without shards
   */
  constructor(valueType: BuildValueType, shardBits = 0, stage?: Stage) {
    this.#shardBits = shardBits;
    this.#variableValues = valueWidthOf(valueType) === VARIABLE;
    const classes = 2 ** MAX_SEGMENT_BITS;
    const narrowed = isNarrowed(valueType) ? classes : 0;
    if (stage === undefined) {
      this.bytesByHash = new Float64Array(classes);
      this.entriesByHash = new Float64Array(narrowed);
    } else {
      const { core, state } = stage;
      this.bytesByHash = new Float64Array(core.buffer, state + place.BYTES_BY_HASH, classes);
      this.entriesByHash = new Float64Array(core.buffer, state + place.ENTRIES_BY_HASH, narrowed);
    }
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
    this.bytesByHash[(hash << this.#shardBits) >>> CLASS_SHIFT]! += prefixes + keyBytes + valueBytes;
  }

  /** Adds a value that will be narrowed; call {@link add}, too. */
  addNarrowed(hash: number, value: number): void {
    if (value > this.largest) this.largest = value;
    this.entriesByHash[(hash << this.#shardBits) >>> CLASS_SHIFT]!++;
  }

  /**
   * Takes an entry out of sums that have it. The shortest and the longest lengths, and the largest value, stay: whoever
   * calls this knows them.
   */
  remove(hash: number, keyBytes: number, valueBytes: number): void {
    this.entries--;
    this.keyBytes -= keyBytes;
    this.valueBytes -= valueBytes;
    const prefixes = varintSize(keyBytes) + (this.#variableValues ? varintSize(valueBytes) : 0);
    const at = (hash << this.#shardBits) >>> CLASS_SHIFT;
    this.bytesByHash[at]! -= prefixes + keyBytes + valueBytes;
    if (this.entriesByHash.length > 0) this.entriesByHash[at]!--;
  }

  /** The same sums where each value has the width in which it is written. */
  narrowed(valueType: BuildValueType): EntryStats {
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

/**
 * The one shape that the canonical file of these entries has.
 * @param segmentLimit most bytes of a segment, inclusive
 * @param typeKeyWidth width that keys have by their type, or that of their fingerprints; or VARIABLE
 * @throws {HmapError} `HMAP_SEGMENT_TOO_LARGE`, `HMAP_FILE_TOO_LARGE`
 */
export function shapeOfEntries(
  all: EntryStats,
  valueType: BuildValueType,
  segmentLimit: number,
  typeKeyWidth = VARIABLE,
  shardBits = 0,
): Shape {
  const width = isNarrowed(valueType) ? VARIABLE : valueWidthOf(valueType);
  return shapeOf(all.narrowed(valueType), width, segmentLimit, typeKeyWidth, shardBits);
}
