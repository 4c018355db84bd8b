// Puts the staged records of one partition into the order of the format, where equal keys meet. Does not know files or
// where the records come from.

import { type ByteBuffer, compareBytes } from '../../base/bytes.js';
import { HmapError } from '../../base/errors.js';
import { keyForError, showKey } from '../../codec/key-text.js';
import { ALL_DIFFER, NOT_SORTED } from '../../core/write-places.js';
import { headBytes, STAGED, type StagedLayout, stagedSize } from './staged-record.js';
import { digitBitsFor, type Workbench } from './workbench.js';

/** Groups above this are sorted by comparison instead of insertion, so that crafted collisions cost n log n. */
const INSERTION = 24;

// Local copy: V8 folds it (native-notes/performance.md).
const { hash: HASH, keyBytes: KEY_BYTES } = STAGED;

/** Sorts by hash (unsigned), then by key bytes; records with the same key stay in the order in which they came. */
export class Sorter {
  /** Offsets of the records in the partition's memory, and their hashes, in the order in which they came. */
  positions: Int32Array = new Int32Array(0);
  hashes: Int32Array = new Int32Array(0);
  /** Indexes into {@link positions} and {@link hashes}, sorted. */
  order: Int32Array = new Int32Array(0);
  readonly #staged: StagedLayout;
  readonly #keyAt: number;
  readonly #bench: Workbench | undefined;
  /** Whether it is known that no two of the records have the same key. */
  #allDiffer = false;
  #ends = new Int32Array(0);
  #buffer!: ByteBuffer;

  /** @param bench records that lie on it are sorted by its core, if it has one */
  constructor(staged: StagedLayout, bench?: Workbench) {
    this.#staged = staged;
    this.#keyAt = headBytes(staged);
    this.#bench = bench;
    const core = bench?.core;
    if (core === undefined) return;
    this.positions = core.positions;
    this.hashes = core.hashes;
    this.order = core.order;
  }

  /**
   * @param count records at the start of `buffer`, without gaps
   * @param consumed top bits of the hash that all of them share
   */
  sort(buffer: ByteBuffer, count: number, consumed: number): void {
    this.#buffer = buffer;
    if (this.order.length < count) {
      this.positions = new Int32Array(count);
      this.hashes = new Int32Array(count);
      this.order = new Int32Array(count);
    }
    const digitBits = Math.min(digitBitsFor(count), 32 - consumed);
    this.#allDiffer = false;
    const core = buffer === this.#bench?.records ? this.#bench.core : undefined;
    if (core !== undefined && digitBits > 0 && count <= core.order.length) {
      const found = core.sort(count, consumed, digitBits);
      this.#allDiffer = found === ALL_DIFFER;
      if (found !== NOT_SORTED) return;
    }
    this.#read(count);
    if (digitBits === 0) {
      for (let i = 0; i < count; i++) this.order[i] = i;
      this.#sortRange(0, count);
    } else {
      this.#distribute(count, consumed, digitBits);
    }
  }

  #read(count: number): void {
    const { positions, hashes } = this;
    const { view } = this.#buffer;
    let at = 0;
    for (let i = 0; i < count; i++) {
      positions[i] = at;
      hashes[i] = view.getInt32(at + HASH, true);
      at += stagedSize(this.#staged, view, at);
    }
  }

  /** One counting pass by the next bits of the hash, then a small sort in each class. */
  #distribute(count: number, consumed: number, digitBits: number): void {
    const { hashes, order } = this;
    const shift = 32 - digitBits;
    const classes = 2 ** digitBits;
    if (this.#ends.length < classes) this.#ends = new Int32Array(classes);
    const ends = this.#ends;
    ends.fill(0, 0, classes);
    for (let i = 0; i < count; i++) ends[(hashes[i]! << consumed) >>> shift]!++;
    let sum = 0;
    for (let c = 0; c < classes; c++) {
      const size = ends[c]!;
      ends[c] = sum;
      sum += size;
    }
    // Each class's start moves to its end as it fills.
    for (let i = 0; i < count; i++) order[ends[(hashes[i]! << consumed) >>> shift]!++] = i;
    let start = 0;
    for (let c = 0; c < classes; c++) {
      const end = ends[c]!;
      if (end - start > 1) this.#sortRange(start, end);
      start = end;
    }
  }

  #sortRange(start: number, end: number): void {
    const { order } = this;
    if (end - start > INSERTION) {
      order.subarray(start, end).sort((a, b) => this.compare(a, b) || a - b);
      return;
    }
    for (let i = start + 1; i < end; i++) {
      const moving = order[i]!;
      let j = i;
      while (j > start && this.compare(order[j - 1]!, moving) > 0) {
        order[j] = order[j - 1]!;
        j--;
      }
      order[j] = moving;
    }
  }

  /**
   * Leaves one record of each key among the first `count` of {@link order} and returns how many are left.
   * @param keep which one; `error` calls `refuse` with the index of a record whose key occurs more than once
   */
  dropDuplicates(count: number, keep: 'error' | 'first' | 'last', refuse: (index: number) => never): number {
    if (this.#allDiffer) return count;
    const { hashes, order } = this;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const index = order[i]!;
      if (kept > 0 && hashes[order[kept - 1]!] === hashes[index] && this.compare(order[kept - 1]!, index) === 0) {
        if (keep === 'error') refuse(index);
        if (keep === 'last') order[kept - 1] = index;
      } else {
        order[kept++] = index;
      }
    }
    return kept;
  }

  /** Orders two records, by index; 0 for the same key. */
  compare(a: number, b: number): number {
    const x = this.hashes[a]!;
    const y = this.hashes[b]!;
    if (x !== y) return x >>> 0 < y >>> 0 ? -1 : 1;
    const { view } = this.#buffer;
    const p = this.positions[a]!;
    const q = this.positions[b]!;
    const pBytes = view.getUint16(p + KEY_BYTES, true);
    const qBytes = view.getUint16(q + KEY_BYTES, true);
    return compareBytes(view, p + this.#keyAt, pBytes, view, q + this.#keyAt, qBytes);
  }
}

/** Throws the error for the record at `index`, whose key occurs more than once. */
export function refuseDuplicate(sorter: Sorter, buffer: ByteBuffer, staged: StagedLayout, index: number): never {
  const at = sorter.positions[index]!;
  const keyAt = at + headBytes(staged);
  const key = buffer.bytes.subarray(keyAt, keyAt + buffer.view.getUint16(at + STAGED.keyBytes, true));
  const reason = `the key ${showKey(staged.keyType, key)} occurs more than once`;
  const message = `${reason}; remove the others, or set 'duplicates' to 'first', 'last' or 'collect'`;
  throw new HmapError('HMAP_DUPLICATE_KEY', message, { key: keyForError(staged.keyType, key), reason });
}
