// Builds a set of integers as a bit array or by hash, whichever file is smaller. Knows when to choose and how to hold
// the integers until then; each form's bytes are the business of its own builder.

import { ByteBuffer, popcount } from '../../base/bytes.js';
import { scratch } from '../../codec/keys.js';
import { KEY_HASHERS } from '../../codec/typed-keys.js';
import { RUN_WORDS } from '../../format/keyless.js';
import { parseMetadata } from '../../format/metadata.js';
import type { IntegerSetBuildOptions } from '../common/inputs.js';
import { type BuildOptions, type BuildSummary, buildMemory, SMALLEST_MEMORY } from '../common/options.js';
import { Spool } from '../common/spool.js';
import { Builder } from '../hash/builder.js';
import { bitsContent } from './bits-content.js';
import { bitsSize, hashSize, type SetLimits } from './integer-set-size.js';
import { refusedInteger } from './integers.js';
import { INTEGER_SET_OPTIONS, KeylessBuilder, type KeylessContent } from './keyless-builder.js';

/** Integers between two turns. */
const STRIDE = 2 ** 16;
/** Bytes of a staged integer. */
const INTEGER_SIZE = 8;
const MOST_U32 = 2 ** 32 - 1;
const NO_VALUE = new ByteBuffer(0);

export class IntegerSetBuilder extends KeylessBuilder {
  readonly valueType = 'none';
  readonly #limits: SetLimits;
  /** Bytes for the staged integers; the rest of the memory is for building. */
  readonly #building: number;
  readonly #spool: Spool;
  #added = 0;
  #least = Number.POSITIVE_INFINITY;
  #greatest = Number.NEGATIVE_INFINITY;
  /** Distinct integers, once they are counted. */
  #ones: number | undefined;
  /** A part of the bit array, from word `#from` on. */
  #words = new Int32Array(0);
  #from = 0;

  constructor(path: string, options: IntegerSetBuildOptions) {
    super(path, options, 'bits', { kind: 'bits', bits: 1 }, INTEGER_SET_OPTIONS);
    const { memory, segmentBytes, metadata } = this.options;
    this.#limits = { segmentBytes, textBytes: metadata.length };
    this.#building = Math.max(SMALLEST_MEMORY, Math.floor(memory / 2));
    this.#spool = new Spool({ left: memory - this.#building }, this.spill);
  }

  override get entries(): number {
    return this.#added;
  }

  /** @throws {HmapError} `HMAP_VALUE_INVALID`, `HMAP_VALUE_RANGE` */
  override add(value: unknown): void {
    if (typeof value !== 'number') throw refusedInteger('HMAP_VALUE_INVALID', value, 'a number');
    if (!Number.isSafeInteger(value)) throw refusedInteger('HMAP_VALUE_RANGE', value, EXPECTED);
    this.#spool.f64(value);
    if (value < this.#least) this.#least = value;
    if (value > this.#greatest) this.#greatest = value;
    this.#added++;
  }

  /** Makes the file by hash if that is smaller. */
  protected override async instead(): Promise<BuildSummary | undefined> {
    if (this.#added === 0) return undefined;
    this.base = this.#least;
    const bits = bitsSize(this.#least, this.#greatest, this.#limits);
    // With duplicates, there may be fewer integers and a smaller file. So the bits, which could be any number, are
    // counted only if there are not many more of them than a hash table would have.
    if (bits > this.#hashed(this.#added).most) return this.#byHash(bits);
    this.#ones = await this.#count();
    return bits <= this.#hashed(this.#ones).least ? undefined : this.#byHash(bits);
  }

  get #key(): 'u32' | 'i64' {
    return this.#least >= 0 && this.#greatest <= MOST_U32 ? 'u32' : 'i64';
  }

  #hashed(entries: number) {
    return hashSize(entries, this.#key === 'u32' ? 4 : 8, this.#limits);
  }

  /** @param below makes no file and returns `undefined` if the file would not have fewer bytes than this */
  async #byHash(below: number): Promise<BuildSummary | undefined> {
    this.#words = new Int32Array(0);
    const total = this.#added;
    const { signal, onProgress, overwrite, segmentBytes, metadata } = this.options;
    const key = this.#key;
    const options: BuildOptions<'none', 'u32' | 'i64'> = {
      value: 'none',
      key,
      // Other threads can help only if no entry is dropped.
      duplicates: this.#ones === total ? 'error' : 'first',
      memory: this.#building,
      metadata: parseMetadata(metadata)!,
      overwrite,
      segmentBytes,
      ...(signal && { signal }),
      ...(onProgress && {
        // Taking the integers in once more is the first half of what is left to do.
        onProgress: ({ phase, entries }) =>
          onProgress({
            phase: 'write',
            entries: Math.floor((phase === 'read' ? entries : total + entries) / 2),
            total,
          }),
      }),
    };
    const builder = new Builder(this.target, options);
    try {
      const hash = KEY_HASHERS[key];
      await this.#each(
        (integer) => builder.add(scratch, 0, hash(integer, 0, 0), NO_VALUE, 0, 0),
        () => builder.pause(),
      );
      const summary = await builder.finish(below);
      if (summary !== undefined) return { ...summary, spilledBytes: summary.spilledBytes + this.spill.size };
    } catch (error) {
      await builder.abandon();
      throw error;
    }
    await builder.abandon();
    return undefined;
  }

  protected override async content(): Promise<KeylessContent> {
    this.#ones ??= await this.#count();
    const { segmentBytes } = this.#limits;
    return bitsContent({
      length: this.#length,
      ones: this.#ones,
      duplicates: this.#added - this.#ones,
      segmentBytes,
      wordAt: (word) => this.#words[word - this.#from]!,
      ready: (word) => (word - this.#from < this.#words.length && word >= this.#from ? undefined : this.#load(word)),
      pause: () => this.pause(this.written),
    });
  }

  get #length(): number {
    return this.#added === 0 ? 0 : this.#greatest - this.#least + 1;
  }

  /** Counts distinct integers, by as many bits at a time as there is memory for. */
  async #count(): Promise<number> {
    const words = Math.ceil(this.#length / 32);
    let ones = 0;
    for (let from = 0; from < words; from += this.#words.length) {
      await this.#load(from);
      for (const word of this.#words) ones += popcount(word);
    }
    return ones;
  }

  /** Makes as much of the bit array as there is memory for, from a word on. */
  async #load(from: number): Promise<void> {
    const left = Math.ceil(this.#length / 32) - from;
    const size = Math.min(left, RUN_WORDS * Math.floor(this.#building / 4 / RUN_WORDS));
    if (this.#words.length === size) this.#words.fill(0);
    else this.#words = buildMemory(4 * size, () => new Int32Array(size));
    this.#from = from;
    const words = this.#words;
    const first = this.#least + 32 * from;
    const end = 32 * size;
    await this.#each(
      (integer) => {
        const at = integer - first;
        if (at >= 0 && at < end) words[Math.floor(at / 32)]! |= 1 << (at % 32);
      },
      () => this.pause(),
    );
  }

  /** Gives each integer that was added. */
  async #each(take: (integer: number) => void, pause: () => Promise<void> | undefined): Promise<void> {
    const reader = this.#spool.reader();
    for (let done = 0; done < this.#added; done += STRIDE) {
      reader.next(INTEGER_SIZE * STRIDE, ({ view }, at, length) => {
        for (let i = at; i < at + length; i += INTEGER_SIZE) take(view.getFloat64(i, true));
      });
      const waiting = pause();
      if (waiting !== undefined) await waiting;
    }
  }
}

const EXPECTED = `an integer from ${Number.MIN_SAFE_INTEGER} to ${Number.MAX_SAFE_INTEGER}`;
