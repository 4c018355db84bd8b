// Looks many keys up at once, in passes whose waits for memory overlap. Knows how a lookup is cut into steps; does not
// know value types.

import { hashKey, keyHash } from '../codec/hash-key.js';
import { SCRATCH_FILL } from '../codec/keys.js';
import type { KeyHasher } from '../codec/typed-keys.js';
import type { Key } from '../format/key-types.js';
import type { HashSegment } from '../storage/hash-segment.js';
import type { Lookup } from './lookup.js';

const { imul } = Math;
/** As in lookup.ts. */
const SIGN = -0x8000_0000;

/** Keys of one batch. From 64 on the cost hardly depends on it. */
const BATCH = 256;

/** Clears the sign, so that a damaged offset is an index like any other; the find that follows refuses it. */
const INDEX = 0x7fff_ffff;

/** The keys of one batch. */
export class Batch {
  readonly #starts = new Int32Array(BATCH);
  readonly #lengths = new Int32Array(BATCH);
  readonly #hashes = new Int32Array(BATCH);
  readonly #from = new Int32Array(BATCH);
  readonly #to = new Int32Array(BATCH);
  /** Keeps the loads that bring the heap into the cache from being optimized away. */
  touched = 0;

  /** Takes as many keys from `first` as one batch holds, and returns how many. */
  take(lookup: Lookup, keys: ArrayLike<Key>, first: number): number {
    const { seed } = lookup;
    const room = Math.min(BATCH, keys.length - first);
    let count = 0;
    for (let fill = 0; count < room && fill < SCRATCH_FILL; count++) {
      const length = hashKey(keys[first + count]!, fill, seed);
      this.#starts[count] = fill;
      this.#lengths[count] = length;
      // A string that cannot be a key leaves the hash of an earlier key, which does no harm.
      this.#hashes[count] = keyHash.value;
      if (length > 0) fill += (length + 3) & ~3;
    }
    return count;
  }

  /** {@link take} of typed keys; a method of its own, so that the other knows what it calls. */
  takeTyped(lookup: Lookup, keys: ArrayLike<unknown>, first: number, hash: KeyHasher): number {
    const { seed } = lookup;
    const room = Math.min(BATCH, keys.length - first);
    let count = 0;
    for (let fill = 0; count < room && fill < SCRATCH_FILL; count++) {
      const length = hash(keys[first + count], fill, seed);
      this.#starts[count] = fill;
      this.#lengths[count] = length;
      this.#hashes[count] = keyHash.value;
      if (length > 0) fill += (length + 3) & ~3;
    }
    return count;
  }

  /**
   * Brings what the first `count` keys need into the caches. No load in a pass waits for another one of the same pass,
   * so that the processor has many under way at once.
   */
  load(lookup: Lookup, count: number): void {
    const { segments } = lookup;
    if (segments.length === 1) this.#loadOne(lookup, segments.at(0), count);
    else this.#loadSeveral(lookup, count);
  }

  #loadOne(lookup: Lookup, segment: HashSegment, count: number): void {
    const hashes = this.#hashes;
    const from = this.#from;
    const to = this.#to;
    const { index } = segment;
    const { lineBytes, offsetBits, offsetMask, unit } = lookup;
    for (let i = 0; i < count; i++) {
      const bucket = lookup.bucketOf(hashes[i]!);
      const line = imul(bucket >>> 5, lineBytes);
      const bit = imul(bucket & 31, offsetBits);
      const next = bit + offsetBits;
      const anchor = index.getInt32(line, true);
      from[i] =
        (anchor + ((index.getInt32(line + 4 + (bit >>> 3), true) >>> (bit & 7)) & offsetMask)) | (anchor & SIGN);
      to[i] = anchor + ((index.getInt32(line + 4 + (next >>> 3), true) >>> (next & 7)) & offsetMask);
    }
    const { bytes } = segment.heap;
    const last = bytes.length - 1;
    if (last < 0) return;
    let touched = 0;
    // Both ends and the middle, since a bucket seldom lies in one cache line, and seldom in more than three.
    for (let i = 0; i < count; i++) {
      const first = imul(from[i]!, unit) & INDEX;
      const end = (imul(to[i]!, unit) - 1) & INDEX;
      touched ^=
        bytes[Math.min(first, last)]! ^ bytes[Math.min((first + end) >>> 1, last)]! ^ bytes[Math.min(end, last)]!;
    }
    this.touched = touched;
  }

  #loadSeveral(lookup: Lookup, count: number): void {
    const hashes = this.#hashes;
    const from = this.#from;
    const to = this.#to;
    const { lineBytes, offsetBits, offsetMask, unit } = lookup;
    for (let i = 0; i < count; i++) {
      const { index } = lookup.segmentOf(hashes[i]!);
      const bucket = lookup.bucketOf(hashes[i]!);
      const line = imul(bucket >>> 5, lineBytes);
      const bit = imul(bucket & 31, offsetBits);
      const next = bit + offsetBits;
      const anchor = index.getInt32(line, true);
      from[i] =
        (anchor + ((index.getInt32(line + 4 + (bit >>> 3), true) >>> (bit & 7)) & offsetMask)) | (anchor & SIGN);
      to[i] = anchor + ((index.getInt32(line + 4 + (next >>> 3), true) >>> (next & 7)) & offsetMask);
    }
    let touched = 0;
    for (let i = 0; i < count; i++) {
      const { bytes } = lookup.segmentOf(hashes[i]!).heap;
      const last = bytes.length - 1;
      if (last < 0) continue;
      const first = imul(from[i]!, unit) & INDEX;
      const end = (imul(to[i]!, unit) - 1) & INDEX;
      touched ^=
        bytes[Math.min(first, last)]! ^ bytes[Math.min((first + end) >>> 1, last)]! ^ bytes[Math.min(end, last)]!;
    }
    this.touched = touched;
  }

  /** {@link Lookup.find} of the batch's key number `i`. */
  find(lookup: Lookup, i: number): number {
    const length = this.#lengths[i]!;
    if (length < 0) return -1;
    const hash = this.#hashes[i]!;
    const segment = lookup.segmentOf(hash);
    return lookup.findIn(segment, lookup.bucketOf(hash), this.#from[i]!, this.#to[i]!, this.#starts[i]!, length);
  }
}
