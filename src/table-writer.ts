// Lays records out as segments and block checksums, in one pass. Knows the format's layout; does not know where records come from.

import { ftruncateSync } from 'node:fs';
import { Block, copyLoosely, LOOSE, writeVarint } from './bytes.js';
import type { BlockHasher } from './checksum.js';
import { readBytes } from './file.js';
import type { SegmentPlace } from './header.js';
import { alignToPage, BLOCK, blockCount, heapStart, VARIABLE } from './layout.js';
import { BucketLoads } from './loads.js';
import { HELD, type HeldForm, headBytes, largeValuePosition } from './partitions.js';
import type { Plan } from './plan.js';
import { writeAll } from './spill.js';

const HEAP_BUFFER = 16 * BLOCK;
const BUCKET_BUFFER = 4 * BLOCK;
/** Most bytes of the two length prefixes. */
const PREFIXES = 8;

/** Where the parts of a finished file lie. */
export interface Written {
  readonly segments: readonly SegmentPlace[];
  readonly checksums: { readonly offset: number; readonly bytes: number; readonly sum: bigint };
  readonly loads: BucketLoads;
  /** Bytes of all bucket arrays, and of all key heaps. */
  readonly bucketBytes: number;
  readonly heapBytes: number;
}

/** Reads `length` bytes from `position` of another file into a block; how large values come. */
export type ReadValue = (position: number, into: Uint8Array) => void;

/** A partition in order; see Sorter. */
export interface Sorted {
  readonly positions: Int32Array;
  readonly hashes: Int32Array;
  readonly order: Int32Array;
}

/** Writes the segments of one file. Records must come in the order of the format. */
export class TableWriter {
  readonly #fd: number;
  readonly #plan: Plan;
  readonly #hashes: BlockHasher;
  readonly #headerBytes: number;
  readonly #bucketCount: number;
  readonly #totalBits: number;
  readonly #bucketMask: number;
  readonly #form: HeldForm;
  readonly #head: number;
  readonly #sums: bigint[] = [];
  readonly #unsummed = new Set<number>();
  readonly #segments: SegmentPlace[] = [];
  readonly #buckets: Region;
  readonly #heap: Region;
  readonly #loads = new BucketLoads();
  #segmentOffset = 0;
  #segmentEntries = 0;
  #bucketEntries = 0;
  /** The first bucket, over all segments, whose offset has not been written. */
  #nextBucket = 0;
  #bucketBytes = 0;
  #heapBytes = 0;

  constructor(fd: number, plan: Plan, form: HeldForm, headerBytes: number, hashes: BlockHasher) {
    this.#fd = fd;
    this.#plan = plan;
    this.#hashes = hashes;
    this.#headerBytes = headerBytes;
    const totalBits = plan.segmentBits + plan.bucketBits;
    this.#bucketCount = 2 ** totalBits;
    this.#totalBits = totalBits;
    this.#bucketMask = 2 ** plan.bucketBits - 1;
    this.#form = form;
    this.#head = headBytes(form);
    ftruncateSync(fd, 0);
    const region = (size: number) => new Region(fd, size, headerBytes, hashes, this.#sums, this.#unsummed);
    this.#buckets = region(BUCKET_BUFFER);
    this.#heap = region(HEAP_BUFFER);
    this.#startSegment(headerBytes);
  }

  /**
   * Writes the first `count` records of a sorted partition.
   * @param block the partition's held records
   * @param readLarge reads the values that lie elsewhere
   */
  records(block: Block, { positions, hashes, order }: Sorted, count: number, readLarge: ReadValue): void {
    const { fixedValue, largeValue } = this.#form;
    const { view } = block;
    const { keyWidth, valueWidth } = this.#plan;
    const heap = this.#heap;
    const head = this.#head;
    const shift = 32 - this.#totalBits;
    for (let i = 0; i < count; i++) {
      const index = order[i]!;
      // A shift by 32 would be one by 0.
      const bucket = shift === 32 ? 0 : hashes[index]! >>> shift;
      if (bucket >= this.#nextBucket) this.#startBuckets(bucket);
      this.#bucketEntries++;
      const at = positions[index]!;
      const keyBytes = view.getUint16(at + HELD.keyBytes, true);
      const valueBytes = fixedValue ?? view.getUint32(at + HELD.valueBytes, true);
      heap.reserve(PREFIXES);
      if (keyWidth === VARIABLE) heap.used = writeVarint(heap.block.view, heap.used, keyBytes);
      if (valueWidth === VARIABLE) heap.used = writeVarint(heap.block.view, heap.used, valueBytes);
      if (fixedValue === undefined && valueBytes >= largeValue) {
        heap.copy(block, at + head, keyBytes);
        this.#copyLarge(largeValuePosition(view, at + head + keyBytes), valueBytes, readLarge);
      } else {
        // Key and value lie side by side in both places.
        heap.copy(block, at + head, keyBytes + valueBytes);
      }
    }
  }

  #copyLarge(position: number, length: number, readLarge: ReadValue): void {
    const heap = this.#heap;
    for (let done = 0; done < length; ) {
      const piece = Math.min(BLOCK, length - done);
      heap.reserve(piece);
      readLarge(position + done, heap.block.bytes.subarray(heap.used, heap.used + piece));
      heap.used += piece;
      done += piece;
    }
  }

  /** Writes the offsets of all buckets up to `last`, inclusive; those before it that have none yet are empty. */
  #startBuckets(last: number): void {
    const buckets = this.#buckets;
    const mask = this.#bucketMask;
    for (let bucket = this.#nextBucket; bucket <= last; bucket++) {
      if (bucket > 0) this.#endBucket();
      if ((bucket & mask) === 0 && bucket > 0) {
        this.#endSegment();
        this.#startSegment(alignToPage(this.#heap.end));
      }
      buckets.u32(this.#heap.length);
    }
    this.#nextBucket = last + 1;
  }

  #endBucket(): void {
    this.#loads.add(this.#bucketEntries);
    this.#segmentEntries += this.#bucketEntries;
    this.#bucketEntries = 0;
  }

  #startSegment(offset: number): void {
    this.#segmentOffset = offset;
    this.#segmentEntries = 0;
    this.#buckets.start(offset);
    this.#heap.start(offset + heapStart(this.#plan.bucketBits));
  }

  #endSegment(): void {
    this.#buckets.u32(this.#heap.length);
    this.#bucketBytes += this.#buckets.length;
    this.#heapBytes += this.#heap.length;
    const bytes = this.#heap.end - this.#segmentOffset;
    this.#segments.push({ offset: this.#segmentOffset, bytes, entries: this.#segmentEntries });
    this.#buckets.finish();
    this.#heap.finish();
  }

  /** Writes what is left, and the block checksums. The header's place is still empty afterwards. */
  finish(): Written {
    this.#startBuckets(this.#bucketCount - 1);
    this.#endBucket();
    this.#endSegment();
    const offset = alignToPage(this.#heap.end);
    const blocks = blockCount(this.#headerBytes, offset);
    // Gives the gaps between sections their zeros, and the file its size.
    ftruncateSync(this.#fd, offset + 8 * blocks);
    for (const index of this.#unsummed) {
      const start = this.#headerBytes + index * BLOCK;
      this.#sums[index] = this.#hashes.h64Raw(readBytes(this.#fd, start, Math.min(BLOCK, offset - start)));
    }
    const sums = new Block(8 * blocks);
    for (let i = 0; i < blocks; i++) sums.view.setBigUint64(8 * i, this.#sums[i]!, true);
    writeAll(this.#fd, sums.bytes, offset);
    return {
      segments: this.#segments,
      checksums: { offset, bytes: sums.size, sum: this.#hashes.h64Raw(sums.bytes) },
      loads: this.#loads,
      bucketBytes: this.#bucketBytes,
      heapBytes: this.#heapBytes,
    };
  }
}

/**
 * Buffers one run of bytes of the file and sums the whole blocks in it as it is written. A block at either end of the run is shared with
 * its neighbours; it is left to be summed when the file is whole.
 */
class Region {
  readonly block: Block;
  /** Bytes in the buffer. */
  used = 0;
  readonly #fd: number;
  readonly #grid: number;
  readonly #hashes: BlockHasher;
  readonly #sums: bigint[];
  readonly #unsummed: Set<number>;
  readonly #room: number;
  #start = 0;
  /** Offset in the file of the first byte in the buffer. */
  #position = 0;

  /** @param grid offset in the file at which the first block starts */
  constructor(fd: number, size: number, grid: number, hashes: BlockHasher, sums: bigint[], unsummed: Set<number>) {
    this.block = new Block(size + LOOSE);
    this.#room = size;
    this.#fd = fd;
    this.#grid = grid;
    this.#hashes = hashes;
    this.#sums = sums;
    this.#unsummed = unsummed;
  }

  /** Bytes written since the start of the run. */
  get length(): number {
    return this.end - this.#start;
  }

  /** Offset in the file behind the last byte. */
  get end(): number {
    return this.#position + this.used;
  }

  start(offset: number): void {
    this.#start = this.#position = offset;
    this.used = 0;
  }

  /** Makes room for `bytes` more, at most a block. */
  reserve(bytes: number): void {
    if (this.used + bytes > this.#room) this.#flush(Math.floor((this.end - this.#grid) / BLOCK) * BLOCK + this.#grid);
  }

  u32(value: number): void {
    this.reserve(4);
    this.block.view.setUint32(this.used, value, true);
    this.used += 4;
  }

  copy(from: Block, at: number, length: number): void {
    for (let done = 0; done < length; ) {
      const piece = Math.min(BLOCK, length - done);
      this.reserve(piece);
      copyLoosely(from, at + done, this.block, this.used, piece);
      this.used += piece;
      done += piece;
    }
  }

  finish(): void {
    this.#flush(this.end);
  }

  /** Writes what lies before `to`, an offset in the file, and keeps the rest. */
  #flush(to: number): void {
    const length = to - this.#position;
    if (length <= 0) return;
    const bytes = this.block.bytes.subarray(0, length);
    writeAll(this.#fd, bytes, this.#position);
    const first = Math.floor((this.#position - this.#grid) / BLOCK);
    const behind = Math.ceil((to - this.#grid) / BLOCK);
    for (let index = first; index < behind; index++) {
      const from = this.#grid + index * BLOCK - this.#position;
      if (from >= 0 && from + BLOCK <= length) {
        this.#sums[index] = this.#hashes.h64Raw(bytes.subarray(from, from + BLOCK));
      } else {
        this.#unsummed.add(index);
      }
    }
    this.block.bytes.copyWithin(0, length, this.used);
    this.#position = to;
    this.used -= length;
  }
}
