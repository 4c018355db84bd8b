// Writes key heaps bucket by bucket, over the segments of a file: where each begins and ends, and how large it is. Does
// not know what the records are, nor how the index says where they lie.

import type { BlockHasher } from '../../base/block-hasher.js';
import type { ByteBuffer } from '../../base/bytes.js';
import { BucketLoads } from '../../format/bucket-loads.js';
import { align, VARIABLE } from '../../format/constants.js';
import type { SegmentPlace } from '../../format/header.js';
import { bucketCount } from '../../format/index-lines.js';
import type { Shape } from '../../format/shape.js';
import type { BlockSums } from '../common/block-sums.js';
import { SectionWriter } from '../common/section-writer.js';
import type { SpillFile } from '../common/spill-file.js';
import { BucketSizes } from './bucket-sizes.js';

/** Where a writer starts. */
export interface Start {
  /** The first bucket that it writes, over all segments. */
  readonly bucket: number;
  /** Where that bucket's key heap starts in the file, and the bytes of the heap that come before the bucket. */
  readonly segmentOffset: number;
  readonly heapBytes: number;
}

/** Where a writer writes, and what it writes with. */
export interface Target {
  readonly fd: number;
  readonly sums: BlockSums;
  readonly hashes: BlockHasher;
  readonly spill: SpillFile;
  /** Bytes of sizes of buckets, and of long fingerprints, to keep in memory. */
  readonly sizesLimit: number;
}

/** Begins and ends the buckets of a run; what writes their records extends it. */
export class BucketWriter {
  /** The segments whose last bucket was written. */
  readonly segments: SegmentPlace[] = [];
  readonly loads: BucketLoads = new BucketLoads();
  /** Buckets of a segment. */
  protected readonly buckets: number;
  /** Whether all records have one width, so that sizes count them. */
  protected readonly isFixed: boolean;
  protected readonly heap: SectionWriter;
  protected readonly sizes: BucketSizes;
  protected segment: number;
  /** Records of the current bucket. */
  protected bucketEntries = 0;
  /** Where the current bucket starts in its key heap, in bytes. */
  protected bucketStart: number;
  /** The first bucket, over all segments, that has not begun. */
  protected nextBucket: number;
  readonly #firstBucket: number;
  #segmentOffset: number;
  #segmentEntries = 0;

  /**
   * @param bytes about how many the records will take, which is how large a buffer is worth having
   * @param buffer memory for them, see {@link SectionWriter}
   */
  constructor(target: Target, shape: Shape, start: Start, bytes: number, buffer?: ByteBuffer) {
    const { fd, sums, hashes, spill, sizesLimit } = target;
    this.buckets = bucketCount(shape);
    this.isFixed = shape.keyWidth !== VARIABLE && shape.valueWidth !== VARIABLE;
    this.#firstBucket = this.nextBucket = start.bucket;
    this.#segmentOffset = start.segmentOffset;
    this.segment = Math.floor(start.bucket / this.buckets);
    this.sizes = new BucketSizes(spill, sizesLimit);
    this.bucketStart = start.heapBytes;
    this.heap = new SectionWriter(fd, bytes, sums, hashes, buffer);
    this.heap.start(start.segmentOffset, start.heapBytes);
  }

  /** Writes what is left of the current bucket, before it ends. */
  protected closeBucket(): void {}

  /** Begins all buckets up to `last`, inclusive; those before it that have not begun yet are empty. */
  protected startBuckets(last: number): void {
    for (let bucket = this.nextBucket; bucket <= last; bucket++) {
      if (bucket > this.#firstBucket) {
        this.#endBucket();
        if (bucket % this.buckets === 0) {
          this.#endSegment();
          this.#startSegment(align(this.heap.end));
        }
      }
    }
    this.nextBucket = last + 1;
  }

  #endBucket(): void {
    this.closeBucket();
    this.loads.add(this.bucketEntries);
    const end = this.heap.length;
    this.sizes.add(this.isFixed ? this.bucketEntries : end - this.bucketStart);
    this.bucketStart = end;
    this.#segmentEntries += this.bucketEntries;
    this.bucketEntries = 0;
  }

  #startSegment(offset: number): void {
    this.segment++;
    this.#segmentOffset = offset;
    this.#segmentEntries = 0;
    this.bucketStart = 0;
    this.heap.start(offset, 0);
  }

  #endSegment(): void {
    const bytes = this.heap.end - this.#segmentOffset;
    this.segments.push({ offset: this.#segmentOffset, bytes, entries: this.#segmentEntries });
    this.heap.finish();
  }

  /**
   * Ends the run, of one bucket or more, before bucket `end`, and writes what is left. Returns where the key heap ends
   * in the file.
   */
  end(end: number): number {
    this.startBuckets(end - 1);
    this.#endBucket();
    if (end % this.buckets === 0) this.#endSegment();
    else this.heap.finish();
    return this.heap.end;
  }
}
