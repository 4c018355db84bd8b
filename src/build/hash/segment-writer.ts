// Lays records out as key heaps, in one pass over some or all of a file's buckets. Knows the format's layout; does not
// know where records come from, nor how the index says where they lie.

import { type ByteBuffer, writeVarint } from '../../base/bytes.js';
import * as layout from '../../format/constants.js';
import { offsetUnit } from '../../format/index-lines.js';
import type { Shape } from '../../format/shape.js';
import type { BuildValueType } from '../../format/value-types.js';
import { type HeldBytes, HeldBytesWriter } from '../common/held-bytes.js';
import { BucketWriter, type Start, type Target } from './bucket-writer.js';
import { FingerprintBucket } from './fingerprint-bucket.js';
import { headBytes, largeValuePosition, STAGED, type StagedLayout } from './staged-record.js';
import type { CoreBench, Workbench } from './workbench.js';

// Local copies: V8 folds them (native-notes/performance.md).
const { BLOCK, HASH_BITS, MAX_PREFIX_BYTES, VARIABLE } = layout;
const { imul } = Math;
const { keyBytes: KEY_BYTES, valueBytes: VALUE_BYTES } = STAGED;

/** What all records of a file have in common. */
export interface Form {
  readonly shape: Shape;
  readonly staged: StagedLayout;
  /** Of the hash by which the records are in order. */
  readonly seed: number;
  readonly valueType: BuildValueType;
}

/** What is known of a run of buckets when it is written, and needed for the sections behind it. */
export interface Rest {
  /** The sizes of the buckets. */
  readonly sizes: HeldBytes;
  /** The rows of long fingerprints. */
  readonly long: HeldBytes;
  /** Pairs of records that even these do not tell apart. */
  readonly clashes: number;
}

/** Fills `into` with the bytes from `position` of another file. Large values are read this way. */
export type ReadValue = (position: number, into: Uint8Array) => void;

/** A partition in order; see Sorter. */
export interface Sorted {
  readonly positions: Int32Array;
  readonly hashes: Int32Array;
  readonly order: Int32Array;
}

/** Writes a run of buckets of one file. Records must come in the order of the format. */
export class SegmentWriter extends BucketWriter {
  readonly #shape: Shape;
  readonly #staged: StagedLayout;
  readonly #head: number;
  readonly #bench: Workbench | undefined;
  /** What offsets count: bytes, or records of so many bytes. */
  readonly #unit: number;
  /** The current bucket, if fingerprints take the place of keys; and the rows of long ones. */
  readonly #bucket: FingerprintBucket | undefined;
  readonly #long: HeldBytesWriter;
  #readLarge: ReadValue = () => {};

  /**
   * @param bytes about how many the records will take, which is how large a buffer is worth having
   * @param bench on which the partitions will lie, if the core shall lay them out
   */
  constructor(
    target: Target,
    { shape, staged, seed, valueType }: Form,
    start: Start,
    bytes: number,
    bench?: Workbench,
  ) {
    super(target, shape, start, bytes, bench?.output);
    this.#shape = shape;
    this.#unit = offsetUnit(shape.keyWidth, shape.valueWidth);
    this.#staged = staged;
    this.#head = headBytes(staged);
    this.#long = new HeldBytesWriter(target.spill, target.sizesLimit);
    this.#bucket =
      staged.fingerprintBytes === 0 ? undefined : new FingerprintBucket(staged, seed, valueType !== 'none');
    this.#bench = bench;
  }

  /**
   * Writes the first `count` records of a sorted partition.
   * @param buffer the partition's staged records
   * @param readLarge reads the values that lie elsewhere
   */
  records(buffer: ByteBuffer, sorted: Sorted, count: number, readLarge: ReadValue): void {
    this.#readLarge = readLarge;
    const core = buffer === this.#bench?.records ? this.#bench.core : undefined;
    // The order that the core knows is the one on the bench.
    if (core === undefined || sorted.order !== core.order) {
      this.#layOut(buffer, sorted, 0, count);
      return;
    }
    for (let i = 0; i < count; i++) {
      i = this.#layOutMany(core, i, count);
      // The one that the core has left, if there is one.
      this.#layOut(buffer, sorted, i, Math.min(i + 1, count));
    }
  }

  /** Has the core lay out records from number `from` on; returns the first that it leaves. */
  #layOutMany(core: CoreBench, from: number, count: number): number {
    const heap = this.heap;
    const next = core.layOut(from, count, this.segment, this.nextBucket, heap.used, heap.room);
    const { events, eventCount } = core;
    let last = from;
    for (let event = 0; event < 3 * eventCount; event += 3) {
      const index = events[event + 2]!;
      this.bucketEntries += index - last;
      last = index;
      heap.used = core.offsetOf(events[event + 1]!);
      this.startBuckets(events[event]!);
    }
    this.bucketEntries += next - last;
    heap.used = core.used;
    return next;
  }

  #layOut(buffer: ByteBuffer, { positions, hashes, order }: Sorted, from: number, to: number): void {
    const { fixedValue, largeValue } = this.#staged;
    const { view } = buffer;
    const { keyWidth, valueWidth, shardBits, segmentBits, bucketBits, eighths } = this.#shape;
    const buckets = this.buckets;
    const before = shardBits + segmentBits;
    const heap = this.heap;
    const head = this.#head;
    const pending = this.#bucket;
    pending?.enter(buffer);
    for (let i = from; i < to; i++) {
      const index = order[i]!;
      // See segmentOf and bucketOf in index-lines.ts.
      const hash = hashes[index]!;
      const segment = ((hash << shardBits) >>> 1) >>> (HASH_BITS - 1 - segmentBits);
      const bucket = segment * buckets + (imul((hash << before) >>> 3, eighths) >>> (HASH_BITS - bucketBits));
      if (bucket >= this.nextBucket) this.startBuckets(bucket);
      this.bucketEntries++;
      const at = positions[index]!;
      if (pending !== undefined) {
        pending.add(at);
        continue;
      }
      const keyBytes = view.getUint16(at + KEY_BYTES, true);
      // A `uint` is staged in more bytes than are written; the first bytes are the lowest.
      const valueBytes = fixedValue === undefined ? view.getUint32(at + VALUE_BYTES, true) : valueWidth;
      heap.reserve(MAX_PREFIX_BYTES);
      if (keyWidth === VARIABLE) heap.used = writeVarint(heap.buffer.view, heap.used, keyBytes);
      if (valueWidth === VARIABLE) heap.used = writeVarint(heap.buffer.view, heap.used, valueBytes);
      if (fixedValue === undefined && valueBytes >= largeValue) {
        heap.copy(buffer, at + head, keyBytes);
        this.#copyLarge(largeValuePosition(view, at + head + keyBytes), valueBytes);
      } else {
        // Key and value lie side by side in both places.
        heap.copy(buffer, at + head, keyBytes + valueBytes);
      }
    }
    // The rest of the bucket may come with the next partition.
    pending?.hold();
  }

  /** Writes the records of a whole bucket, with fingerprints in place of keys. */
  #writeBucket(bucket: FingerprintBucket): void {
    const { fixedValue, largeValue, fingerprintBytes } = this.#staged;
    const { valueWidth } = this.#shape;
    const heap = this.heap;
    bucket.sort();
    for (let rank = 0; rank < bucket.count; rank++) {
      const buffer = bucket.buffer(rank);
      const at = bucket.position(rank);
      if (bucket.needsLong(rank)) this.#writeLong(bucket, rank);
      const valueAt = at + this.#head + buffer.view.getUint16(at + KEY_BYTES, true);
      const valueBytes = fixedValue === undefined ? buffer.view.getUint32(at + VALUE_BYTES, true) : valueWidth;
      heap.reserve(MAX_PREFIX_BYTES + 4);
      if (valueWidth === VARIABLE) heap.used = writeVarint(heap.buffer.view, heap.used, valueBytes);
      heap.buffer.view.setInt32(heap.used, bucket.fingerprint(rank), true);
      heap.used += fingerprintBytes;
      if (fixedValue === undefined && valueBytes >= largeValue) {
        this.#copyLarge(largeValuePosition(buffer.view, valueAt), valueBytes);
      } else {
        heap.copy(buffer, valueAt, valueBytes);
      }
    }
    bucket.clear();
  }

  #writeLong(bucket: FingerprintBucket, rank: number): void {
    this.#long.u32(this.segment);
    this.#long.u32(this.heap.length / this.#unit);
    this.#long.u32(bucket.low(rank));
    this.#long.u32(bucket.high(rank));
  }

  #copyLarge(position: number, length: number): void {
    const heap = this.heap;
    for (let done = 0; done < length; ) {
      const piece = Math.min(BLOCK, length - done);
      heap.reserve(piece);
      this.#readLarge(position + done, heap.buffer.bytes.subarray(heap.used, heap.used + piece));
      heap.used += piece;
      done += piece;
    }
  }

  protected override closeBucket(): void {
    if (this.#bucket !== undefined) this.#writeBucket(this.#bucket);
  }

  /** What the sections behind the heaps need; nothing can be written afterwards. */
  finish(): Rest {
    return { sizes: this.sizes.finish(), long: this.#long.finish(), clashes: this.#bucket?.clashes ?? 0 };
  }
}
