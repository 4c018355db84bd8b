// The records of one bucket until they can be written with fingerprints in place of keys: their order follows from all
// of them (native-notes/format.md, section 16). Does not know files.

import { ByteBuffer, copyLoosely, LOOSE } from '../../base/bytes.js';
import { murmur3 } from '../../base/murmur3.js';
import { sum64, xxh64 } from '../../base/xxh64.js';
import { MAX_BUCKET_RECORDS } from '../../format/constants.js';
import { fingerprintMask } from '../../format/fingerprints.js';
import { headBytes, STAGED, type StagedLayout, stagedSize } from './staged-record.js';

/** Collects the staged records of a bucket and gives them in their order. */
export class FingerprintBucket {
  count = 0;
  /** Pairs of records that nothing tells apart, in all buckets so far. */
  clashes = 0;
  readonly #staged: StagedLayout;
  readonly #keyAt: number;
  readonly #seed: number;
  readonly #mask: number;
  readonly #hasValues: boolean;
  readonly #positions = new Int32Array(MAX_BUCKET_RECORDS);
  readonly #fingerprints = new Int32Array(MAX_BUCKET_RECORDS);
  /** XXH64 of the keys, as halves, of records that share a fingerprint. */
  readonly #high = new Int32Array(MAX_BUCKET_RECORDS);
  readonly #low = new Int32Array(MAX_BUCKET_RECORDS);
  readonly #order = new Int32Array(MAX_BUCKET_RECORDS);
  /** The first records lie in memory of their own, because the partition that they were in is gone. */
  #held = 0;
  #own = new ByteBuffer(0);
  #ownUsed = 0;
  #current = new ByteBuffer(0);

  /** @param seed of the hash that chooses the bucket */
  constructor(staged: StagedLayout, seed: number, hasValues: boolean) {
    this.#staged = staged;
    this.#keyAt = headBytes(staged);
    this.#seed = seed;
    this.#mask = fingerprintMask(staged.fingerprintBytes);
    this.#hasValues = hasValues;
  }

  /** The memory of the records that follow, until {@link hold}. */
  enter(records: ByteBuffer): void {
    this.#current = records;
  }

  /** Adds the record at an offset. Those above the limit are left out: the file will be refused. */
  add(at: number): void {
    if (this.count === MAX_BUCKET_RECORDS) return;
    const { view } = this.#current;
    const keyBytes = view.getUint16(at + STAGED.keyBytes, true);
    this.#positions[this.count] = at;
    this.#fingerprints[this.count] = murmur3(view, at + this.#keyAt, keyBytes, this.#seed) & this.#mask;
    this.count++;
  }

  /** Copies the records, since the memory in which they lie is about to be used again. */
  hold(): void {
    for (let i = this.#held; i < this.count; i++) {
      const at = this.#positions[i]!;
      const size = stagedSize(this.#staged, this.#current.view, at);
      this.#reserve(size);
      copyLoosely(this.#current, at, this.#own, this.#ownUsed, size);
      this.#positions[i] = this.#ownUsed;
      this.#ownUsed += size;
    }
    this.#held = this.count;
  }

  #reserve(size: number): void {
    if (this.#ownUsed + size + LOOSE <= this.#own.size) return;
    const larger = new ByteBuffer(2 * (this.#ownUsed + size) + LOOSE);
    larger.bytes.set(this.#own.bytes.subarray(0, this.#ownUsed));
    this.#own = larger;
  }

  /** Puts the records in order: by fingerprint, then, if they have values, by XXH64 of the key. */
  sort(): void {
    for (let i = 0; i < this.count; i++) this.#order[i] = i;
    this.#sortRange(0, this.count, (i, j) => unsigned(this.#fingerprints[i]!, this.#fingerprints[j]!));
    if (!this.#hasValues) return;
    for (let start = 0, end = 1; start < this.count; start = end++) {
      while (end < this.count && this.fingerprint(end) === this.fingerprint(start)) end++;
      if (end - start > 1) this.#sortRun(start, end);
    }
  }

  #sortRun(start: number, end: number): void {
    for (let rank = start; rank < end; rank++) {
      const i = this.#order[rank]!;
      const { view } = this.buffer(rank);
      const at = this.#positions[i]!;
      xxh64(view, at + this.#keyAt, view.getUint16(at + STAGED.keyBytes, true));
      this.#high[i] = sum64.high;
      this.#low[i] = sum64.low;
    }
    const compare = (i: number, j: number) =>
      unsigned(this.#high[i]!, this.#high[j]!) || unsigned(this.#low[i]!, this.#low[j]!);
    this.#sortRange(start, end, compare);
    for (let rank = start + 1; rank < end; rank++) {
      if (compare(this.#order[rank - 1]!, this.#order[rank]!) === 0) this.clashes++;
    }
  }

  #sortRange(start: number, end: number, compare: (i: number, j: number) => number): void {
    const order = this.#order;
    for (let i = start + 1; i < end; i++) {
      const moving = order[i]!;
      let j = i;
      for (; j > start && compare(order[j - 1]!, moving) > 0; j--) order[j] = order[j - 1]!;
      order[j] = moving;
    }
  }

  /** Where the record of that rank lies. */
  buffer(rank: number): ByteBuffer {
    return this.#order[rank]! < this.#held ? this.#own : this.#current;
  }

  position(rank: number): number {
    return this.#positions[this.#order[rank]!]!;
  }

  fingerprint(rank: number): number {
    return this.#fingerprints[this.#order[rank]!]!;
  }

  /** Whether a record needs a long fingerprint, because its neighbour has the same short one. */
  needsLong(rank: number): boolean {
    if (!this.#hasValues) return false;
    const own = this.fingerprint(rank);
    return (
      (rank > 0 && this.fingerprint(rank - 1) === own) || (rank + 1 < this.count && this.fingerprint(rank + 1) === own)
    );
  }

  /** XXH64 of the key of a record that needs it, as signed halves. */
  high(rank: number): number {
    return this.#high[this.#order[rank]!]!;
  }

  low(rank: number): number {
    return this.#low[this.#order[rank]!]!;
  }

  clear(): void {
    this.count = 0;
    this.#held = 0;
    this.#ownUsed = 0;
  }
}

/** Orders two integers as if they were unsigned. */
function unsigned(a: number, b: number): number {
  return (a >>> 0) - (b >>> 0);
}
