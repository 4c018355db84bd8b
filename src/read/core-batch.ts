// Looks many keys up at once in the core, as batch.ts does in JavaScript. Knows how a table is described to the core,
// and which keys it leaves to JavaScript; does not know value types.

import { keyHash } from '../codec/hash-key.js';
import { encodeKey, SCRATCH_FILL, scratch } from '../codec/keys.js';
import type { KeyHasher } from '../codec/typed-keys.js';
import { type Core, coreIn } from '../core/core.js';
import * as place from '../core/places.js';
import { MAX_KEY_BYTES } from '../format/constants.js';
import type { HashHeader } from '../format/header.js';
import type { Key } from '../format/key-types.js';
import type { NumericArray } from '../format/value-types.js';
import { describeSegment, describeTable } from '../storage/core-table.js';
import { LARGE_BUCKET, type Lookup } from './lookup.js';
import type { Numbers } from './numeric-arrays.js';

/** Words of a row of the batch, where the first one is, and the number of each of its fields. */
const ROW = 2 ** place.BATCH_SHIFT / 4;
const ROWS = place.BATCH_ROWS / 4;
const START = ROWS + place.START / 4;
const LENGTH = ROWS + place.LENGTH / 4;
const HASH = ROWS + place.HASH / 4;
const FOUND = ROWS + place.FOUND / 4;
const VALUE_BYTES = ROWS + place.VALUE_BYTES / 4;
const { BATCH, KEYS, MISSING, UNKNOWN } = place;

/** The keys of one batch, in one core or, for a file of several memories, in several. */
export class CoreBatch {
  /** The first one has the keys, and what was found. */
  readonly #cores: Core[] = [];
  readonly #header: HashHeader;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #run: Core['run'];
  readonly #isVariable: boolean;
  readonly #several: boolean;
  /** Segments that the cores do not know yet: nobody has used them, or some of their blocks have not been checked. */
  #pending: number[];
  /** Bytes of the batch's keys; how many of them have been hashed. */
  #fill = 0;
  #areHashed = false;

  /** @param core in the memory of any of the segments */
  constructor(lookup: Lookup, header: HashHeader, core: Core) {
    this.#header = header;
    this.#words = core.words;
    this.#bytes = core.bytes;
    this.#run = core.run;
    this.#use(core);
    this.#isVariable = lookup.valueWidth === place.ANY_WIDTH;
    this.#several = lookup.segments.length > 1;
    this.#pending = Array.from(lookup.segments.made.keys());
  }

  /** Takes as many keys from `first` as one batch holds, and returns how many. */
  take(_lookup: Lookup, keys: ArrayLike<Key>, first: number): number {
    const words = this.#words;
    const room = Math.min(BATCH, keys.length - first);
    if (Array.isArray(keys) && this.#takeAscii(keys, first, room)) return room;
    let count = 0;
    let fill = 0;
    for (; count < room && fill < SCRATCH_FILL; count++) {
      const length = encodeKey(keys[first + count]!, fill);
      words[START + ROW * count] = fill;
      words[LENGTH + ROW * count] = length;
      if (length > 0) fill += length;
    }
    this.#taken(fill, false);
    return count;
  }

  /**
   * {@link take} of `count` ASCII strings, by one call for all: half the cost of one after the other. `false`, and
   * nothing is taken, if they are not.
   */
  #takeAscii(keys: readonly Key[], first: number, count: number): boolean {
    const words = this.#words;
    let fill = 0;
    for (let i = 0; i < count; i++) {
      const key = keys[first + i]!;
      if (typeof key !== 'string') return false;
      words[START + ROW * i] = fill;
      words[LENGTH + ROW * i] = key.length;
      fill += key.length;
    }
    // So that none of them is too long for a key. All are strings, so that no code of a user's runs.
    if (fill > MAX_KEY_BYTES) return false;
    const joined = (count === keys.length ? keys : keys.slice(first, first + count)).join('');
    if (scratch.bytes.write(joined) !== fill) return false;
    this.#taken(fill, false);
    return true;
  }

  /** {@link take} of typed keys. */
  takeTyped(lookup: Lookup, keys: ArrayLike<unknown>, first: number, hash: KeyHasher): number {
    const words = this.#words;
    const { seed } = lookup;
    const room = Math.min(BATCH, keys.length - first);
    let count = 0;
    let fill = 0;
    for (; count < room && fill < SCRATCH_FILL; count++) {
      const length = hash(keys[first + count], fill, seed);
      words[START + ROW * count] = fill;
      words[LENGTH + ROW * count] = length;
      words[HASH + ROW * count] = keyHash.value;
      if (length > 0) fill += (length + 3) & ~3;
    }
    this.#taken(fill, true);
    return count;
  }

  /** {@link take} of keys of 4 or 8 bytes that lie side by side. */
  takeWords(keys: Uint32Array | BigUint64Array | BigInt64Array, first: number): number {
    const width = keys.BYTES_PER_ELEMENT;
    const count = Math.min(BATCH, keys.length - first);
    this.#bytes.set(new Uint8Array(keys.buffer, keys.byteOffset + first * width, count * width), KEYS);
    this.#run.hashWords(count, width);
    this.#fill = count * width;
    this.#areHashed = true;
    return count;
  }

  #taken(fill: number, areHashed: boolean): void {
    this.#bytes.set(scratch.array.subarray(0, fill), KEYS);
    this.#fill = fill;
    this.#areHashed = areHashed;
  }

  /** Finds the first `count` keys. */
  load(lookup: Lookup, count: number): void {
    if (this.#pending.length > 0) this.#describeSegments(lookup);
    if (!this.#areHashed) this.#run.hashKeys(count);
    this.#run.find(count);
    for (let i = 1; i < this.#cores.length; i++) this.#findIn(this.#cores[i]!, count);
  }

  /** Finds the keys once more, in another memory, and keeps what was only found there. */
  #findIn({ bytes, words, run }: Core, count: number): void {
    const mine = this.#words;
    bytes.set(this.#bytes.subarray(KEYS, KEYS + this.#fill), KEYS);
    words.set(mine.subarray(ROWS, ROWS + ROW * count), ROWS);
    run.find(count);
    for (let row = 0; row < ROW * count; row += ROW) {
      if (mine[FOUND + row] !== UNKNOWN) continue;
      mine[FOUND + row] = words[FOUND + row]!;
      mine[VALUE_BYTES + row] = words[VALUE_BYTES + row]!;
    }
  }

  /** Whether the core has found the batch's key number `i`; if not, {@link find} may. */
  isFound(i: number): boolean {
    return this.#words[FOUND + ROW * i]! >= 0;
  }

  /** {@link Lookup.find} of the batch's key number `i`. */
  find(lookup: Lookup, i: number): number {
    const words = this.#words;
    const at = words[FOUND + ROW * i]!;
    if (at >= 0) {
      if (this.#several) lookup.segment = lookup.segmentOf(words[HASH + ROW * i]!);
      if (this.#isVariable) lookup.valueBytes = words[VALUE_BYTES + ROW * i]!;
      return at;
    }
    return at === MISSING ? -1 : this.#findHere(lookup, i);
  }

  /**
   * Writes the values of the keys that were found into an array, from element `first` on; what it writes for the others
   * has no meaning. `false`, and nothing is written, if they may lie in several memories.
   */
  takeValues({ take, width, as: Values }: Numbers, count: number, out: NumericArray, first: number): boolean {
    if (this.#cores.length > 1) return false;
    this.#run[take](count, width);
    // Both are arrays of numbers, or both are of BigInts.
    (out as Float64Array).set(new Values(this.#bytes.buffer, place.VALUES, count) as Float64Array, first);
    return true;
  }

  /** What the core leaves open. */
  #findHere(lookup: Lookup, i: number): number {
    const words = this.#words;
    const start = KEYS + words[START + ROW * i]!;
    const length = words[LENGTH + ROW * i]!;
    scratch.array.set(this.#bytes.subarray(start, start + length));
    return lookup.find(0, length, words[HASH + ROW * i]!);
  }

  /** Tells the cores of segments that can be used without a check by now. */
  #describeSegments(lookup: Lookup): void {
    this.#pending = this.#pending.filter((number) => {
      const segment = lookup.segments.made[number];
      if (segment === undefined || segment.reach < 0) return true;
      const core = segment.memory && coreIn(segment.memory);
      if (core === undefined) return false;
      this.#use(core);
      describeSegment(core, segment);
      return false;
    });
  }

  /** Describes the table to a core that does not know it. */
  #use(core: Core): void {
    if (this.#cores.includes(core)) return;
    this.#cores.push(core);
    describeTable(core, this.#header);
    core.words[(place.TABLE + place.MOST_UNITS) / 4] = LARGE_BUCKET;
  }
}
