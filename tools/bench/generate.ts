// Keys and values that are made from a number and a seed: any of them at any time, without a list. Knows no files.

const DIGITS = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz');
/** What keys begin with. */
const KINDS = Buffer.from('user:item:page:host:song:city:book:part:');
const KIND = 5;
const KIND_COUNT = 8;
/** Seven digits of base 36 hold any u32, and so make each key differ from all others. */
const UNIQUE = 7;
const SHORTEST = 16;
const LENGTHS = 7;

/** Longest key in bytes. */
export const KEY_BYTES = SHORTEST + LENGTHS - 1;

/** Keys from here on are in no table: they look like those that are, but their numbers are others. */
export const MISSING = 2 ** 31;

/** A permutation of the u32s that leaves no order to see (the finalizer of MurmurHash3). */
export function scramble(number: number): number {
  let h = number | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Writes key `number` of the u32s, such as `host:4tz9c0kx2m1`, of 16 to 22 bytes; gives its end. */
export function writeKey(number: number, seed: number, out: Uint8Array, at: number): number {
  let unique = scramble(number ^ seed);
  const shape = scramble(unique ^ 0x9e3779b9);
  const kind = (shape % KIND_COUNT) * KIND;
  for (let i = 0; i < KIND; i++) out[at + i] = KINDS[kind + i]!;
  const end = at + SHORTEST + ((shape >>> 3) % LENGTHS);
  writeDigits(shape, out, at + KIND, end - UNIQUE);
  for (let place = end - 1; place >= end - UNIQUE; place--) {
    out[place] = DIGITS[unique % 36]!;
    unique = Math.floor(unique / 36);
  }
  return end;
}

/** Writes the text that is the value `number` where values are not numbers; all of it depends on the number. */
export function writeText(number: number, out: Uint8Array, at: number, length: number): number {
  writeDigits(scramble(number ^ 0x5bd1e995), out, at, at + length);
  return at + length;
}

/** Fills a range with digits that follow from a number. */
function writeDigits(number: number, out: Uint8Array, from: number, to: number): void {
  let bits = number;
  let left = 6;
  for (let place = from; place < to; place++) {
    if (left-- === 0) {
      number = scramble(number + 0x7ed55d16);
      bits = number;
      left = 5;
    }
    out[place] = DIGITS[bits & 31]!;
    bits >>>= 5;
  }
}

/** Numbers from 0, exclusive 2^32, that follow from a seed (SplitMix32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = scramble(seed + 1);
  }

  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return scramble(this.#state);
  }

  /** From 0, exclusive 1. */
  fraction(): number {
    return this.next() / 2 ** 32;
  }

  /** From 0, exclusive `limit`. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }
}

/** The numbers from 0, exclusive `count`, in random order (Fisher-Yates). */
export function shuffled(count: number, random: Random): Uint32Array {
  const all = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const j = random.below(i + 1);
    all[i] = all[j]!;
    all[j] = i;
  }
  return all;
}
