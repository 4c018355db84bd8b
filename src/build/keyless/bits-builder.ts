// Builds bit arrays from integers as a program has them. Knows how they are kept until the file is written; the rest is
// keyless-builder.ts.

import { HmapError } from '../../base/errors.js';
import type { BitsBuildOptions } from '../common/inputs.js';
import { bitsContent } from './bits-content.js';
import { refusedInteger } from './integers.js';
import { KEYLESS_OPTIONS, KeylessBuilder, type KeylessContent } from './keyless-builder.js';

/** Words of one piece of a bit array in memory. */
const PIECE = 2 ** 14;

export class BitsBuilder extends KeylessBuilder {
  readonly valueType = 'none';
  /** A piece in which no bit is set is `undefined`. */
  readonly #pieces: (Int32Array | undefined)[] = [];
  readonly #stated: number | undefined;
  #length = 0;
  #ones = 0;
  #added = 0;

  constructor(path: string, options: BitsBuildOptions) {
    const { length } = options;
    if (length !== undefined && !(Number.isSafeInteger(length) && length >= 0)) {
      throw new TypeError(`length: expected an integer from 0, got ${String(length)}`);
    }
    const { base = 0 } = options;
    if (length !== undefined && length > 0 && base > Number.MAX_SAFE_INTEGER - (length - 1)) {
      const most = Number.MAX_SAFE_INTEGER - base + 1;
      throw new TypeError(
        `length: expected at most ${most} with the base ${base}, got ${length}: the last integer would pass 2^53 - 1`,
      );
    }
    super(path, options, 'bits', { kind: 'bits', bits: 1 }, [...KEYLESS_OPTIONS, 'length']);
    this.#stated = length;
    try {
      if (length !== undefined) this.#hold(length);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  override get entries(): number {
    return this.#added;
  }

  /**
   * @throws {HmapError} `HMAP_VALUE_INVALID`, `HMAP_VALUE_RANGE`; `ENOMEM` if the bits up to the integer take more
   * than the memory
   */
  override add(value: unknown): void {
    if (typeof value !== 'number') throw refusedInteger('HMAP_VALUE_INVALID', value, 'a number');
    const last = this.#stated === undefined ? Number.MAX_SAFE_INTEGER : this.base + this.#stated - 1;
    if (!(Number.isSafeInteger(value) && value >= this.base && value <= last)) {
      throw refusedInteger('HMAP_VALUE_RANGE', value, `an integer from ${this.base} to ${last}`);
    }
    const at = value - this.base;
    if (at >= this.#length) this.#hold(at + 1);
    const word = Math.floor(at / 32);
    const piece = Math.floor(word / PIECE);
    this.#pieces[piece] ??= new Int32Array(PIECE);
    const words = this.#pieces[piece]!;
    const bit = 1 << (at % 32);
    if ((words[word % PIECE]! & bit) === 0) this.#ones++;
    words[word % PIECE]! |= bit;
    this.#added++;
  }

  #hold(length: number): void {
    const { memory } = this.options;
    const bytes = Math.ceil(length / 8);
    if (bytes > memory) {
      const message = `${length} bits from ${this.base} on take ${bytes} bytes; give more than ${memory} bytes of 'memory'`;
      throw new HmapError('ENOMEM', message, { expected: memory, actual: bytes });
    }
    this.#length = length;
  }

  protected override content(): KeylessContent {
    return bitsContent({
      length: this.#length,
      ones: this.#ones,
      duplicates: this.#added - this.#ones,
      segmentBytes: this.options.segmentBytes,
      wordAt: (word) => this.#wordAt(word),
      pause: () => this.pause(this.written),
    });
  }

  #wordAt(word: number): number {
    return this.#pieces[Math.floor(word / PIECE)]?.[word % PIECE] ?? 0;
  }
}
