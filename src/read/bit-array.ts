// An open bit array: a set of integers, one bit each, with counts for rank and select. Knows bits; does not know how
// files are opened.

import * as bytes from '../base/bytes.js';
import type { LazyArray } from '../base/lazy-array.js';
import { kindOf } from '../base/options.js';
import { type Core, coreIn, whyNoCore } from '../core/core.js';
import * as place from '../core/places.js';
import type { BitsHeader } from '../format/header.js';
import { RUN_BITS, RUN_WORDS } from '../format/keyless.js';
import type { KeylessSegment } from '../storage/keyless-segment.js';
import type { SnapshotSource } from './handle.js';
import { KeylessHandle, placeOf } from './keyless-handle.js';
import type { Snapshot } from './snapshot.js';

// Local copies: V8 folds them (native-notes/performance.md).
const { popcount } = bytes;
const RUN = RUN_WORDS;
const RUN_SHIFT = 31 - Math.clz32(RUN_BITS);
const { RANKS, BATCH } = place;

/**
 * A bit array that has been opened; make one with `open(path, { layout: 'bits' })`. It is a set of integers from `base`
 * to `base + length - 1`.
 *
 * Every method throws an {@link HmapError} with code `HMAP_CLOSED` once it is closed, and `HMAP_DAMAGED` when it meets
 * bytes that break the format.
 */
export class BitArray extends KeylessHandle implements Iterable<number> {
  #segment: KeylessSegment;
  #words: Int32Array = new Int32Array(0);
  #segments: LazyArray<KeylessSegment> | undefined;
  /** Ones before each segment, and all at the end. */
  #before: Float64Array = new Float64Array(1);
  #base = 0;
  #reach = 0;
  #length = 0;
  #perSegment = 0;

  /** @internal Use `open`. */
  constructor(path: string, snapshot: Snapshot, source: SnapshotSource) {
    super(path, snapshot, source);
    this.#segment = snapshot.keyless.at(0);
    this.take(snapshot);
  }

  override get header(): BitsHeader {
    return super.header as BitsHeader;
  }

  /** Number of bits, which is the number of integers that could be in the set. */
  get length(): number {
    this.snapshot();
    return this.#length;
  }

  /** Number of ones, which is the number of integers in the set. */
  get size(): number {
    return this.count();
  }

  /** Number of ones, which is the number of integers in the set. */
  count(): number {
    this.snapshot();
    return this.#before.at(-1)!;
  }

  get [Symbol.toStringTag](): string {
    return 'BitArray';
  }

  /**
   * Whether an integer is in the set. One memory touch.
   * @throws {TypeError} when `integer` is not a number
   */
  has(integer: number): boolean {
    if (typeof integer === 'number') {
      const at = integer - this.#base;
      if (at >>> 0 === at && at < this.#reach) return ((this.#words[at >>> 5]! >>> at) & 1) !== 0;
    }
    return this.#find(integer);
  }

  /**
   * Whether each of many integers is in the set, in their order: 1 or 0. They may come in a typed array. Throws as
   * {@link has} does.
   */
  hasMany(integers: Iterable<number>): Uint8Array {
    const list = this.numbers('integers', integers);
    const has = new Uint8Array(list.length);
    for (let i = 0; i < list.length; i++) if (this.has(list[i]!)) has[i] = 1;
    return has;
  }

  /** How many integers in the set are below `integer`, which may be any number. Three memory touches at most. */
  rank(integer: number): number {
    this.snapshot();
    if (typeof integer !== 'number') throw notNumber('integer', integer);
    if (Number.isNaN(integer)) throw new TypeError('integer: expected a number, got NaN');
    const at = Math.ceil(integer - this.#base);
    if (at <= 0) return 0;
    if (at >= this.#length) return this.#before.at(-1)!;
    const number = at < this.#perSegment ? 0 : Math.floor(at / this.#perSegment);
    return this.#before[number]! + rankIn(this.#segments!.at(number), at - number * this.#perSegment);
  }

  /**
   * {@link rank} of many integers, in their order; they may come in a typed array. The waits for memory overlap, and
   * ones are counted in WebAssembly where a file is mapped over its memory (a file of one segment). Throws as
   * {@link rank} does.
   */
  rankMany(integers: Iterable<number>): Float64Array {
    const list = this.numbers('integers', integers);
    const ranks = new Float64Array(list.length);
    const core = this.#core();
    for (let first = 0; first < list.length; first += BATCH) {
      const end = Math.min(first + BATCH, list.length);
      if (core !== undefined && this.#rankBatch(core, list, first, end, ranks)) continue;
      for (let i = first; i < end; i++) ranks[i] = this.rank(list[i]!);
    }
    return ranks;
  }

  /** Ranks integers that have a bit each; `false`, and nothing is done, if one of them has none. */
  #rankBatch(core: Core, list: ArrayLike<number>, first: number, end: number, ranks: Float64Array): boolean {
    const { words, index } = this.#segment;
    const bits = core.words;
    for (let i = first, to = RANKS / 4; i < end; i++, to++) {
      const at = placeOf(list[i], this.#base);
      if (at >= this.#reach) return false;
      bits[to] = at;
    }
    core.run.rankBits(end - first, words.byteOffset, index.byteOffset);
    for (let i = first, from = RANKS / 4; i < end; i++, from++) ranks[i] = bits[from]! >>> 0;
    return true;
  }

  /** The core, for a set of one segment all of which has been checked. */
  #core(): Core | undefined {
    const { memory, blocks } = this.#segment;
    if (memory === undefined || blocks.unchecked > 0 || this.#length > this.#perSegment) return undefined;
    this.#reach = this.#segment.count;
    return whyNoCore() === undefined ? coreIn(memory) : undefined;
  }

  /**
   * The integer in the set that has exactly `k` smaller ones in the set; `undefined` if there is none. Costs about
   * log2(length / 2048) memory touches.
   */
  select(k: number): number | undefined {
    this.snapshot();
    if (typeof k !== 'number') throw notNumber('k', k);
    const before = this.#before;
    if (!(k >= 0 && k < before.at(-1)! && Number.isInteger(k))) return undefined;
    let number = 0;
    for (let high = before.length - 1; high - number > 1; ) {
      const middle = (number + high) >>> 1;
      if (before[middle]! <= k) number = middle;
      else high = middle;
    }
    return this.#base + number * this.#perSegment + selectIn(this.#segments!.at(number), k - before[number]!);
  }

  /**
   * The integers in the set, in ascending order. An iteration that began before a reload continues over the old
   * version.
   */
  values(): Generator<number, undefined, unknown> {
    return this.each(ones);
  }

  [Symbol.iterator](): Generator<number, undefined, unknown> {
    return this.values();
  }

  /** @internal */
  protected override take(snapshot: Snapshot | undefined): void {
    this.#segments = snapshot?.keyless;
    this.#reach = 0;
    this.#length = snapshot?.header.length ?? 0;
    this.#perSegment = snapshot?.header.perSegment ?? 0;
    this.#base = snapshot?.header.base ?? 0;
    this.#words = new Int32Array(0);
    if (snapshot === undefined) return;
    this.#segment = snapshot.keyless.at(0);
    this.#words = this.#segment.words;
    const { segments } = snapshot.header;
    this.#before = new Float64Array(segments.length + 1);
    for (const [i, { entries }] of segments.entries()) this.#before[i + 1] = this.#before[i]! + entries;
    if (this.#segment.blocks.unchecked === 0) this.#reach = this.#segment.count;
  }

  /** The slow path: not in the first segment, not checked yet, or not there. */
  #find(integer: number): boolean {
    this.snapshot();
    if (typeof integer !== 'number') throw notNumber('integer', integer);
    const at = integer - this.#base;
    if (!(at >= 0 && at < this.#length && Number.isInteger(at))) return false;
    const number = at < this.#perSegment ? 0 : Math.floor(at / this.#perSegment);
    const segment = this.#segments!.at(number);
    const bit = at - number * this.#perSegment;
    if (segment.blocks.unchecked > 0) checkWords(segment, bit >>> 5, (bit >>> 5) + 1);
    else if (number === 0) this.#reach = segment.count;
    return ((segment.words[bit >>> 5]! >>> bit) & 1) !== 0;
  }
}

function notNumber(name: string, value: unknown): TypeError {
  return new TypeError(`${name}: expected a number, got ${kindOf(value)}`);
}

/** Checks the blocks with words `[from, end)` that have not been checked. */
function checkWords({ blocks, dataStart }: KeylessSegment, from: number, end: number): void {
  blocks.check(dataStart + 4 * from, dataStart + 4 * end);
}

/** Count `run` of a segment, unsigned. */
function countAt({ blocks, index }: KeylessSegment, run: number): number {
  if (blocks.unchecked > 0) blocks.check(4 * run, 4 * run + 4);
  return index[run]! >>> 0;
}

/** Ones below bit `at` of a segment, which has that bit. */
function rankIn(segment: KeylessSegment, at: number): number {
  const { words, blocks } = segment;
  const run = at >>> RUN_SHIFT;
  const last = at >>> 5;
  const first = run * RUN;
  if (blocks.unchecked > 0) checkWords(segment, first, last + 1);
  let ones = countAt(segment, run);
  for (let i = first; i < last; i++) ones += popcount(words[i]!);
  // In JavaScript, a shift by 32 is a shift by 0.
  return ones + popcount(words[last]! & ~(-1 << at));
}

/** The bit of a segment with exactly `k` ones before it. */
function selectIn(segment: KeylessSegment, k: number): number {
  const { words, blocks, count } = segment;
  let run = 0;
  for (let high = Math.ceil(count / (32 * RUN)); high - run > 1; ) {
    const middle = (run + high) >>> 1;
    if (countAt(segment, middle) <= k) run = middle;
    else high = middle;
  }
  const first = run * RUN;
  const end = Math.min(first + RUN, words.length);
  if (blocks.unchecked > 0) checkWords(segment, first, end);
  let left = k - countAt(segment, run);
  for (let i = first; left >= 0 && i < end; i++) {
    let word = words[i]!;
    const ones = popcount(word);
    if (left >= ones) {
      left -= ones;
      continue;
    }
    for (; left > 0; left--) word &= word - 1;
    const bit = 32 * i + (31 - Math.clz32(word & -word));
    // Bits past the end are not members.
    if (bit < count) return bit;
    break;
  }
  throw segment.damaged(`run ${run} has fewer ones than its count says`, 4 * run);
}

/** Ones of a segment before a run; all of them after the last run. */
function onesBefore(segment: KeylessSegment, run: number): number {
  return run * RUN < segment.words.length ? countAt(segment, run) : segment.entries;
}

/**
 * The first run from `from` on that has ones, by the counts: so a step over an empty gibibyte costs a few touches of
 * memory. The end of the runs if there are no more ones.
 */
function firstRunFrom(segment: KeylessSegment, from: number): number {
  const ones = onesBefore(segment, from);
  if (onesBefore(segment, from + 1) > ones) return from;
  const runs = Math.ceil(segment.words.length / RUN);
  if (ones >= segment.entries) return runs;
  let low = from;
  for (let high = runs; high - low > 1; ) {
    const middle = (low + high) >>> 1;
    if (onesBefore(segment, middle) <= ones) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * The integers of a segment, in order. Work between two of them is bounded, since a run whose count says that it has
 * ones has some, or is damaged.
 */
function* ones(segment: KeylessSegment, base: number): Generator<number, void> {
  const { words, blocks, count } = segment;
  const runs = Math.ceil(words.length / RUN);
  for (let run = firstRunFrom(segment, 0); run < runs; run = firstRunFrom(segment, run + 1)) {
    const expected = onesBefore(segment, run + 1) - onesBefore(segment, run);
    let found = 0;
    const end = Math.min(words.length, (run + 1) * RUN);
    for (let i = run * RUN; i < end; i++) {
      if (blocks.unchecked > 0) checkWords(segment, i, i + 1);
      for (let word = words[i]!; word !== 0; word &= word - 1) {
        const bit = 32 * i + (31 - Math.clz32(word & -word));
        if (bit >= count) continue;
        found++;
        yield base + bit;
      }
    }
    if (found !== expected) throw segment.damaged(`run ${run} has ${found} ones, its count says ${expected}`, 4 * run);
  }
}
