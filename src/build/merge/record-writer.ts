// The second pass of a merge: writes the records that stay, one by one or bucket by bucket. Knows how a record of one
// file becomes one of another; does not know which of them stay.

import { ByteBuffer, writeVarint } from '../../base/bytes.js';
import { GROUP_BUCKETS, MAX_PREFIX_BYTES, VARIABLE } from '../../format/constants.js';
import type { HashHeader } from '../../format/header.js';
import { bucketOf, type Division, segmentOf } from '../../format/index-lines.js';
import type { Shape } from '../../format/shape.js';
import type { BucketsOf, OrderedRecords } from '../../storage/ordered-records.js';
import type { HeldBytes } from '../common/held-bytes.js';
import { BucketWriter, type Target } from '../hash/bucket-writer.js';
import { numberAt } from './count.js';
import type { MergeTaker } from './walk.js';

/** How the values of a file become those of the result: as they are, in another width, or with another index. */
type Conversion = 'none' | 'width' | 'rank';

/** Fills `into` with a file's bytes from `offset` on. */
export type ReadFile = (offset: number, into: Uint8Array) => void;

/** Where the records go. */
export interface ResultPlace {
  readonly shape: Shape;
  readonly shard: HashHeader['shard'];
  readonly headerBytes: number;
  /** About how many the records will take. */
  readonly bytes: number;
}

export class RecordWriter extends BucketWriter implements MergeTaker {
  readonly #records: readonly OrderedRecords[];
  readonly #shape: Shape;
  readonly #division: Division;
  readonly #ranks: readonly Int32Array[];
  readonly #conversions: readonly Conversion[];
  /** Whether the records of a file have the form of the result's, so that they can be copied. */
  readonly #areAlike: readonly boolean[];
  readonly #number = new ByteBuffer(8);
  readonly #read: ReadFile;

  /**
   * @param ranks if values are `enum`: the indexes of the result, by file
   * @param read reads the file whose buckets are passed over
   */
  constructor(
    target: Target,
    { shape, shard, headerBytes, bytes }: ResultPlace,
    records: readonly OrderedRecords[],
    ranks: readonly Int32Array[] | undefined,
    read: ReadFile,
  ) {
    super(target, shape, { bucket: 0, segmentOffset: headerBytes, heapBytes: 0 }, bytes);
    this.#records = records;
    this.#read = read;
    this.#shape = shape;
    this.#division = { ...shape, shard };
    this.#ranks = ranks ?? [];
    this.#conversions = records.map(({ header }, i) => conversionOf(header, shape, ranks?.[i]));
    this.#areAlike = records.map(({ header }, i) => isAlike(header, shape) && this.#conversions[i] === 'none');
  }

  keep(source: number): void {
    const records = this.#records[source]!;
    const { hash, cursor, segment } = records;
    const bucket = segmentOf(hash, this.#division) * this.buckets + bucketOf(hash, this.#division);
    if (bucket >= this.nextBucket) this.startBuckets(bucket);
    this.bucketEntries++;
    const { heap } = this;
    if (this.#areAlike[source]!) {
      heap.copy(segment.heap, cursor.record, cursor.next - cursor.record);
      return;
    }
    const { keyWidth, valueWidth } = this.#shape;
    const conversion = this.#conversions[source]!;
    const { keyBytes } = cursor;
    const valueBytes = conversion === 'none' ? cursor.valueBytes : valueWidth;
    heap.reserve(MAX_PREFIX_BYTES);
    if (keyWidth === VARIABLE) heap.used = writeVarint(heap.buffer.view, heap.used, keyBytes);
    if (valueWidth === VARIABLE) heap.used = writeVarint(heap.buffer.view, heap.used, valueBytes);
    if (conversion === 'none') {
      heap.copy(segment.heap, cursor.key, keyBytes + valueBytes);
      return;
    }
    heap.copy(segment.heap, cursor.key, keyBytes);
    const value = numberAt(records);
    const number = conversion === 'rank' ? this.#ranks[source]![value]! : value;
    // A width of 0 is that of the only string.
    if (valueBytes > 0) this.#number.bytes.writeUIntLE(number, 0, valueBytes);
    heap.copy(this.#number, 0, valueBytes);
  }

  drop(_source: number): void {}

  /** Buckets of a file whose buckets are those of the result. */
  pass({ segment, from, end }: BucketsOf): void {
    const first = segment.number * this.buckets + from;
    this.startBuckets(first);
    const { start } = segment.bucketRange(from);
    const last = segment.bucketRange(end - 1).end;
    segment.heapBlocks.check(start, last);
    const lines = segment.lineAt(from);
    segment.indexBlocks.check(lines, segment.lineAt(end - 1) + segment.lineBytes);
    // Not from the mapping, each page of which costs a fault.
    this.heap.fill(last - start, (done, into) => this.#read(segment.heapOffset + start + done, into));
    const rest = this.#addSizes({ segment, from, end }, (last - start) / segment.unit);
    // The last of them may go on.
    this.bucketEntries = this.isFixed ? rest : 0;
    this.bucketStart = this.heap.length - rest * segment.unit;
    this.nextBucket = first + (end - from);
  }

  /**
   * Adds the sizes of all of the buckets but the last, and returns that.
   * @param units of all of them
   */
  #addSizes({ segment, from, end }: BucketsOf, units: number): number {
    let rest = units;
    const before = segment.lineAt(from);
    let line = before;
    let slot = from % GROUP_BUCKETS;
    let start = segment.offsetAt(line, slot);
    for (let bucket = from; bucket + 1 < end; bucket++) {
      const next = segment.offsetAt(line, slot + 1);
      const size = next - start;
      rest -= size;
      if (size < 0 || rest < 0) throw segment.damagedBucket(bucket);
      this.sizes.add(size);
      start = next;
      if (++slot === GROUP_BUCKETS) {
        line += segment.lineBytes;
        slot = 0;
        start = 0;
      }
    }
    return rest;
  }

  /** The sizes of the buckets; nothing can be written afterwards. */
  finish(): HeldBytes {
    return this.sizes.finish();
  }
}

function conversionOf(header: HashHeader, { valueWidth }: Shape, ranks: Int32Array | undefined): Conversion {
  if (ranks !== undefined) {
    const isSame = header.valueWidth === valueWidth && ranks.every((rank, index) => rank === index || rank < 0);
    return isSame ? 'none' : 'rank';
  }
  const isOther = header.narrowed && header.valueWidth !== valueWidth;
  return isOther ? 'width' : 'none';
}

function isAlike(header: HashHeader, { keyWidth, valueWidth }: Shape): boolean {
  return (header.keyWidth ?? VARIABLE) === keyWidth && (header.valueWidth ?? VARIABLE) === valueWidth;
}
