// The first pass of a merge: sums over the entries of the result, from which its shape follows. Knows two ways: to count
// each record, or, where a few change one large file, to take that file's sums and count what changes. Writes nothing.

import { varintSize } from '../../base/bytes.js';
import { MAX_SEGMENT_BITS, VARIABLE } from '../../format/constants.js';
import { segmentOf } from '../../format/index-lines.js';
import { type BuildValueType, isNarrowed, valueWidthOf } from '../../format/value-types.js';
import { RecordCursor } from '../../storage/hash-segment.js';
import type { BucketsOf, OrderedRecords } from '../../storage/ordered-records.js';
import { EntryStats } from '../hash/entry-stats.js';
import type { UsedStrings } from './dictionaries.js';
import type { MergeTaker } from './walk.js';

/** The value of the current record: a number, or the index of a string. */
export function numberAt({ segment, cursor }: { segment: OrderedRecords['segment']; cursor: RecordCursor }): number {
  const width = cursor.valueBytes;
  return width === 0 ? 0 : segment.heap.bytes.readUIntLE(cursor.value, width);
}

/** Counts every record that stays. */
export class Count implements MergeTaker {
  readonly stats: EntryStats;
  /** Strings of `enum` that are in use. */
  readonly used: UsedStrings;
  protected readonly records: readonly OrderedRecords[];
  protected readonly valueType: BuildValueType;
  /** Of a value as sums have it; VARIABLE if values differ in length. */
  protected readonly width: number;

  /** @param used where to note the strings that are in use; empty unless values are `enum` */
  constructor(records: readonly OrderedRecords[], valueType: BuildValueType, shardBits: number, used: UsedStrings) {
    this.stats = new EntryStats(valueType, shardBits);
    this.used = used;
    this.records = records;
    this.valueType = valueType;
    this.width = valueWidthOf(valueType);
  }

  keep(source: number): void {
    const records = this.records[source]!;
    const { hash, cursor } = records;
    this.stats.add(hash, cursor.keyBytes, this.width === VARIABLE ? cursor.valueBytes : this.width);
    if (!isNarrowed(this.valueType)) return;
    const value = numberAt(records);
    if (this.valueType === 'enum') this.used[source]![value] = 1;
    this.stats.addNarrowed(hash, this.valueType === 'enum' ? 0 : value);
  }

  drop(_source: number): void {}

  pass(_buckets: BucketsOf): void {}
}

/** Thrown where the result cannot have the form of the base. */
export class OtherForm extends Error {}

/**
 * Counts what changes in a large file, the base. If {@link hasForm} after the pass, and the shape that follows from the
 * sums is the base's, all that was passed over can be written as it lies.
 */
export class ChangeCount extends Count {
  /** Entries of each segment. */
  readonly segmentEntries: number[];
  readonly #base: number;
  readonly #witness: Witness;

  constructor(
    records: readonly OrderedRecords[],
    base: number,
    valueType: BuildValueType,
    shardBits: number,
    used: UsedStrings,
  ) {
    super(records, valueType, shardBits, used);
    this.#base = base;
    this.#witness = new Witness(records[base]!, valueType);
    this.segmentEntries = records[base]!.header.segments.map(({ entries }) => entries);
    used[base]?.fill(1);
    this.#takeSums();
  }

  /** The sums of the base; its records by segments, which is exact as long as the result has no more of them. */
  #takeSums(): void {
    const { stats, width } = this;
    const { header } = this.records[this.#base]!;
    const { keyWidth, valueWidth, entries, keyBytes, segments, segmentBits } = header;
    const valueBytes = width === VARIABLE ? header.valueBytes : width * entries;
    const [shortestKey, longestKey] = lengthsOf(keyWidth);
    const [shortestValue, longestValue] = lengthsOf(width === VARIABLE ? valueWidth : width);
    Object.assign(stats, { entries, keyBytes, valueBytes, shortestKey, longestKey, shortestValue, longestValue });
    stats.largest = this.valueType === 'uint' ? 256 ** (valueWidth ?? 0) - 1 : 0;
    // The sums have both prefixes, and the widths of the builder.
    const keyPrefix = keyWidth === null ? 0 : varintSize(keyWidth);
    const valuePrefix = width === VARIABLE && valueWidth !== null ? varintSize(valueWidth) : 0;
    const wider = isNarrowed(this.valueType) ? width - (valueWidth ?? 0) : 0;
    const run = 2 ** (MAX_SEGMENT_BITS - segmentBits);
    for (const [i, segment] of segments.entries()) {
      stats.bytesByHash[i * run] = segment.bytes + segment.entries * (keyPrefix + valuePrefix + wider);
      if (isNarrowed(this.valueType)) stats.entriesByHash[i * run] = segment.entries;
    }
  }

  override keep(source: number): void {
    if (source === this.#base) return;
    if (!this.#fits(this.records[source]!)) throw new OtherForm();
    super.keep(source);
    this.segmentEntries[this.#segmentOf(source)]!++;
  }

  /** Whether a record can be one of the base's. */
  #fits(records: OrderedRecords): boolean {
    const { keyBytes, valueBytes } = records.cursor;
    const { keyWidth, valueWidth } = this.records[this.#base]!.header;
    if (keyWidth !== null && keyBytes !== keyWidth) return false;
    if (this.valueType === 'uint') return numberAt(records) < 256 ** valueWidth!;
    // Of `enum`, all strings are the base's.
    return this.valueType === 'enum' || valueWidth === null || valueBytes === valueWidth;
  }

  #segmentOf(source: number): number {
    return segmentOf(this.records[source]!.hash, this.records[this.#base]!.header);
  }

  override drop(source: number): void {
    if (source !== this.#base) return;
    const { hash, cursor } = this.records[source]!;
    this.segmentEntries[this.#segmentOf(source)]!--;
    this.stats.remove(hash, cursor.keyBytes, this.width === VARIABLE ? cursor.valueBytes : this.width);
  }

  override pass(buckets: BucketsOf): void {
    this.#witness.look(buckets);
  }

  /** Whether all that makes up the form of the base is still there. */
  get hasForm(): boolean {
    return this.#witness.isDone;
  }
}

/** The shortest and the longest length where all share one; otherwise two that differ, as sums need no more. */
function lengthsOf(shared: number | null): [number, number] {
  return shared === null ? [0, 1] : [shared, shared];
}

/**
 * Looks, among records that stay, for what makes up a table's form: two lengths where lengths differ, a value that needs
 * the width of `uint`, a record with each string. Practically always the first few hundred records have all of it.
 */
class Witness {
  readonly #cursor: RecordCursor;
  readonly #valueType: BuildValueType;
  /** The first lengths that were seen. */
  #key: number | undefined;
  #value: number | undefined;
  #needsKey: boolean;
  #needsValue: boolean;
  /** The least value that needs the width. */
  readonly #least: number;
  #needsLarge: boolean;
  readonly #seen: Uint8Array;
  #unseen: number;

  constructor({ header }: OrderedRecords, valueType: BuildValueType) {
    this.#cursor = new RecordCursor(header);
    this.#valueType = valueType;
    this.#needsKey = header.keyWidth === null && header.entries > 0;
    this.#needsValue = header.valueWidth === null && header.entries > 0;
    this.#least = 256 ** ((header.valueWidth ?? 1) - 1);
    this.#needsLarge = valueType === 'uint' && (header.valueWidth ?? 1) > 1;
    this.#seen = new Uint8Array(valueType === 'enum' ? header.dictionary!.count : 0);
    this.#unseen = this.#seen.length;
  }

  get isDone(): boolean {
    return !this.#needsKey && !this.#needsValue && !this.#needsLarge && this.#unseen === 0;
  }

  look({ segment, from, end }: BucketsOf): void {
    if (this.isDone) return;
    const cursor = this.#cursor;
    cursor.enter(segment, segment.bucketRange(from).start, segment.bucketRange(end - 1).end);
    while (!this.isDone && cursor.step()) {
      cursor.need(cursor.next);
      this.#see(segment);
    }
  }

  #see(segment: BucketsOf['segment']): void {
    const { keyBytes, valueBytes } = this.#cursor;
    this.#key ??= keyBytes;
    this.#value ??= valueBytes;
    if (keyBytes !== this.#key) this.#needsKey = false;
    if (valueBytes !== this.#value) this.#needsValue = false;
    if (!isNarrowed(this.#valueType)) return;
    const value = numberAt({ segment, cursor: this.#cursor });
    if (value >= this.#least) this.#needsLarge = false;
    if (this.#seen[value] !== 0) return;
    this.#seen[value] = 1;
    this.#unseen--;
  }
}
