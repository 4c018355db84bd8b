// Numbers distinct values in the order in which they come. Knows bytes; does not know what they stand for, nor the
// file's format.

import { ByteBuffer, compareBytes, copyBytes } from '../../base/bytes.js';
import { HmapError } from '../../base/errors.js';
import { xxh32 } from '../../base/xxh32.js';
import { dictionarySize } from '../../format/constants.js';

/**
 * Bits of a number below those of the worker that assigned it: so the workers of one build need not know of each other.
 */
const WORKER_SHIFT = 28;
/** Distinct values of one worker, exclusive. */
const MOST_COUNT = 2 ** WORKER_SHIFT;

/**
 * Slots in which a value may lie, starting at that of its hash. In a half-filled table of random hashes, runs are never
 * nearly as long.
 */
const MOST_PROBES = 256;

const FIRST_SLOTS = 1024;
const FIRST_BYTES = 16_384;

/** Distinct values by their numbers: value `i` is the bytes `[ends[i - 1], ends[i])`. Can be sent to another thread. */
export interface Interned {
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** The number of a worker's value with the index `index`. */
export function numberOf(worker: number, index: number): number {
  return worker * MOST_COUNT + index;
}

/** The worker that assigned a number. */
export function workerOf(number: number): number {
  return number >>> WORKER_SHIFT;
}

export function indexOf(number: number): number {
  return number & (MOST_COUNT - 1);
}

export class Interner {
  /** The number that the last {@link intern} assigned, as a u32. */
  readonly number: ByteBuffer = new ByteBuffer(4);
  #count = 0;
  #bytes = new ByteBuffer(FIRST_BYTES);
  #ends = new Uint32Array(FIRST_SLOTS / 2);
  #hashes = new Int32Array(FIRST_SLOTS / 2);
  /** Indexes from 1, by hash; 0 is free. At most half of the slots are taken. */
  #slots = new Int32Array(FIRST_SLOTS);
  /** Values whose slots were all taken, as when someone has chosen them to share a hash. */
  readonly #crowded = new Map<string, number>();
  readonly #worker: number;
  readonly #most: number;

  /** @param most how large a dictionary of the values may be, in bytes */
  constructor(worker: number, most: number) {
    this.#worker = worker;
    this.#most = most;
  }

  /**
   * Puts the number of a value into {@link number}.
   * @throws {HmapError} `HMAP_DICTIONARY_TOO_LARGE`
   */
  intern(buffer: ByteBuffer, at: number, length: number): void {
    const hash = xxh32(buffer.view, at, length, 0);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let probes = 0; probes < MOST_PROBES; probes++) {
      const index = this.#slots[slot]! - 1;
      if (index < 0) break;
      if (this.#hashes[index] === hash && this.#equals(index, buffer, at, length)) {
        this.#give(index);
        return;
      }
      slot = (slot + 1) & mask;
    }
    const index = this.#crowded.size === 0 ? undefined : this.#crowded.get(textOf(buffer, at, length));
    this.#give(index ?? this.#add(hash, buffer, at, length));
  }

  /** All values so far. */
  get interned(): Interned {
    const count = this.#count;
    return { count, bytes: this.#bytes.array.slice(0, this.#end), ends: this.#ends.slice(0, count) };
  }

  get #end(): number {
    return this.#count === 0 ? 0 : this.#ends[this.#count - 1]!;
  }

  #give(index: number): void {
    this.number.view.setUint32(0, numberOf(this.#worker, index), true);
  }

  #equals(index: number, buffer: ByteBuffer, at: number, length: number): boolean {
    const start = index === 0 ? 0 : this.#ends[index - 1]!;
    const own = this.#ends[index]! - start;
    return own === length && compareBytes(this.#bytes.view, start, own, buffer.view, at, length) === 0;
  }

  #add(hash: number, buffer: ByteBuffer, at: number, length: number): number {
    const index = this.#count;
    const start = this.#end;
    const size = dictionarySize(index + 1, start + length);
    if (size > this.#most || index === MOST_COUNT) throw tooLarge(this.#most, size);
    if (start + length > this.#bytes.size) {
      const larger = new ByteBuffer(Math.min(this.#most, Math.max(2 * this.#bytes.size, start + length)));
      larger.array.set(this.#bytes.array.subarray(0, start));
      this.#bytes = larger;
    }
    copyBytes(buffer, at, this.#bytes, start, length);
    this.#ends[index] = start + length;
    this.#hashes[index] = hash;
    this.#count++;
    this.#place(index);
    if (2 * this.#count >= this.#slots.length) this.#spread();
    return index;
  }

  /** Takes a slot for a value, or where those near its hash are taken, a place among the crowded ones. */
  #place(index: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = this.#hashes[index]! & mask;
    for (let probes = 0; probes < MOST_PROBES; probes++) {
      if (slots[slot] === 0) {
        slots[slot] = index + 1;
        return;
      }
      slot = (slot + 1) & mask;
    }
    const start = index === 0 ? 0 : this.#ends[index - 1]!;
    this.#crowded.set(textOf(this.#bytes, start, this.#ends[index]! - start), index);
  }

  /** Makes room for twice as many. */
  #spread(): void {
    const slots = 2 * this.#slots.length;
    this.#slots = new Int32Array(slots);
    const longer = <A extends Uint32Array | Int32Array>(old: A, empty: A): A => {
      empty.set(old);
      return empty;
    };
    this.#ends = longer(this.#ends, new Uint32Array(slots / 2));
    this.#hashes = longer(this.#hashes, new Int32Array(slots / 2));
    this.#crowded.clear();
    for (let index = 0; index < this.#count; index++) this.#place(index);
  }
}

/** A character for each byte. */
function textOf({ bytes }: ByteBuffer, at: number, length: number): string {
  return bytes.toString('latin1', at, at + length);
}

/** The error for distinct values that are more, or longer, than a build has room for. */
export function tooLarge(most: number, found: number): HmapError {
  const message =
    `the distinct values take ${found} bytes or more; the maximum is ${most}. Too many of them are distinct: ` +
    "use 'utf8', or allow more 'memory'";
  return new HmapError('HMAP_DICTIONARY_TOO_LARGE', message, { expected: most, actual: found });
}
