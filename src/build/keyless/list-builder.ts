// Builds lists from values as a program has them. Knows elements and how they divide into segments; the rest is
// keyless-builder.ts.

import { ByteBuffer, type ByteSlice } from '../../base/bytes.js';
import { HmapError } from '../../base/errors.js';
import { type ValueEncoder, ValueError, valueEncoder } from '../../codec/encode-value.js';
import { MAX_SEGMENT_BITS, MAX_SEGMENT_BYTES, VARIABLE } from '../../format/constants.js';
import {
  capacityOf,
  countIn,
  formOf,
  type KeylessForm,
  keylessSegmentSize,
  MOST_ELEMENTS,
} from '../../format/keyless.js';
import { packedInteger } from '../../format/schema.js';
import { checkListType, type ListType, packedRange } from '../../format/value-types.js';
import type { ListBuildOptions } from '../common/inputs.js';
import { Spool } from '../common/spool.js';
import { KEYLESS_OPTIONS, KeylessBuilder, type KeylessContent, type SegmentSections } from './keyless-builder.js';

/** Elements between two turns while a file is written. */
const STRIDE = 2 ** 20;

export class ListBuilder extends KeylessBuilder {
  readonly valueType: ListType;
  readonly #form: KeylessForm;
  readonly #add: (value: unknown) => void;
  readonly #spool: Spool;
  readonly #lengths: Spool;
  #entries = 0;
  /** Bits that make no whole byte yet. */
  #bits = 0;
  #used = 0;

  constructor(path: string, options: ListBuildOptions) {
    const value = checkListType(options.value);
    const form = formOf({ layout: 'list', valueType: value });
    super(path, options, 'list', form, [...KEYLESS_OPTIONS, 'value']);
    this.valueType = value;
    this.#form = form;
    const memory = { left: this.options.memory * 0.75 };
    this.#spool = new Spool(memory, this.spill);
    this.#lengths = new Spool(memory, this.spill);
    this.#add = packedInteger(value) === undefined ? this.#encoder(value as 'f32') : this.#packer(value);
  }

  override get entries(): number {
    return this.#entries;
  }

  /** @throws {HmapError} for a value that cannot be stored */
  override add(value: unknown): void {
    this.#needIndex();
    try {
      this.#add(value);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      const message = `the value at index ${this.base + this.#entries}: ${error.message}`;
      throw new HmapError(error.code, message, { expected: error.expected, actual: error.actual });
    }
    this.#entries++;
  }

  /**
   * Adds a value of `bytes` or `utf8` whose bytes are known to be one.
   * @throws {HmapError} `HMAP_VALUE_RANGE` if there is no index left for it
   */
  override addBytes(buffer: ByteBuffer, at: number, length: number): void {
    this.#needIndex();
    this.#append(buffer, at, length);
    this.#entries++;
  }

  #needIndex(): void {
    if (this.base <= Number.MAX_SAFE_INTEGER - this.#entries) return;
    const message = `a value at the index ${this.base} + ${this.#entries}: the last index is 2^53 - 1`;
    throw new HmapError('HMAP_VALUE_RANGE', message, { expected: Number.MAX_SAFE_INTEGER });
  }

  #packer(type: ListType): (value: unknown) => void {
    const { bits, signed } = packedInteger(type)!;
    const [least, most] = packedRange(bits, signed);
    const expected = `${type}, an integer from ${least} to ${most}`;
    return (value) => {
      if (typeof value !== 'number') throw new ValueError('HMAP_VALUE_INVALID', `${type}, a number`, value);
      if (!(value >= least && value <= most && Number.isInteger(value))) {
        throw new ValueError('HMAP_VALUE_RANGE', expected, value);
      }
      if (bits === 32) {
        this.#spool.u32(value);
        return;
      }
      const pattern = value < 0 ? value + 2 ** bits : value;
      this.#put(pattern % 2 ** 32, Math.min(bits, 32));
      if (bits > 32) this.#put(Math.floor(pattern / 2 ** 32), bits - 32);
    };
  }

  /** Appends `count` bits, at most 32, the lowest first. */
  #put(value: number, count: number): void {
    let rest = value | 0;
    for (let left = count; left > 0; ) {
      const taken = Math.min(left, 8 - this.#used);
      this.#bits |= (rest & ((1 << taken) - 1)) << this.#used;
      this.#used += taken;
      rest >>>= taken;
      left -= taken;
      if (this.#used === 8) this.#endByte();
    }
  }

  #endByte(): void {
    this.#spool.byte(this.#bits);
    this.#bits = 0;
    this.#used = 0;
  }

  #encoder(type: 'f32' | 'f64' | 'utf8' | 'bytes'): (value: unknown) => void {
    const encode: ValueEncoder = valueEncoder(type);
    const out: ByteSlice = { buffer: new ByteBuffer(0), at: 0, length: 0 };
    return (value) => {
      encode(value, out);
      this.#append(out.buffer, out.at, out.length);
    };
  }

  #append(buffer: ByteBuffer, at: number, length: number): void {
    this.#spool.append(buffer, at, length);
    if (this.#form.kind === 'offsets') this.#lengths.u32(length);
  }

  protected override content(): KeylessContent {
    if (this.#used > 0) this.#endByte();
    const form = this.#form;
    const entries = this.#entries;
    const last = this.base + Math.max(0, entries - 1);
    if (!Number.isSafeInteger(last)) {
      throw new HmapError('HMAP_VALUE_RANGE', `the last index, ${last}, is not a safe integer`, { actual: last });
    }
    const sized = form.kind === 'offsets';
    const { counts, heaps } = sized ? this.#divide() : this.#cut();
    const elements = this.#spool.reader();
    const lengths = this.#lengths.reader();
    return {
      entries,
      duplicates: 0,
      valueType: this.valueType as 'f32',
      valueWidth: sized ? VARIABLE : packedInteger(this.valueType) === undefined ? form.bits / 8 : 0,
      spareBits: 0,
      bytes: Math.max(this.#spool.length, this.#lengths.length),
      counts,
      write: async (out: SegmentSections, i: number) => {
        const count = counts[i] ?? 0;
        const data = heaps[i] ?? 0;
        if (sized) {
          let end = 0;
          out.index.u32(0);
          for (let at = 0; at < count; at++) {
            end += lengths.u32();
            out.index.u32(end);
            if (at % STRIDE === STRIDE - 1) await this.pause(this.written);
          }
        }
        for (let done = 0; done < data; done += STRIDE) {
          elements.next(Math.min(STRIDE, data - done), (buffer, at, length) => out.elements.copy(buffer, at, length));
          await this.pause(this.written);
        }
        return { data, entries: count };
      },
    };
  }

  /** Elements of one width: as many as fit, in each segment but the last. */
  #cut(): { counts: number[]; heaps: number[] } {
    const each = capacityOf(this.#form, this.options.segmentBytes);
    const counts: number[] = [];
    for (let done = 0; done < this.#entries || counts.length === 0; done += each) {
      counts.push(countIn(counts.length, each, this.#entries));
    }
    return { counts, heaps: counts.map((count) => Math.ceil((count * this.#form.bits) / 8)) };
  }

  /**
   * Elements of different lengths: the same number in each segment. The number of segments is the smallest power of two
   * with which they fit.
   */
  #divide(): { counts: number[]; heaps: number[] } {
    const { segmentBytes } = this.options;
    for (let bits = 0; bits <= MAX_SEGMENT_BITS; bits++) {
      const segments = 2 ** bits;
      const each = Math.ceil(this.#entries / segments);
      // Without looking at each length: they would not fit even if all had the same one.
      if (this.#spool.length / segments > segmentBytes || each > MOST_ELEMENTS / 8) continue;
      const counts: number[] = [];
      const heaps: number[] = [];
      const lengths = this.#lengths.reader();
      let fits = true;
      for (let i = 0; fits && i < segments; i++) {
        const count = countIn(i, each, this.#entries);
        let heap = 0;
        if (bits === 0) heap = this.#spool.length;
        else for (let at = 0; at < count; at++) heap += lengths.u32();
        fits = keylessSegmentSize(this.#form, count, heap) <= Math.min(segmentBytes, MAX_SEGMENT_BYTES);
        counts.push(count);
        heaps.push(heap);
      }
      if (fits) return { counts, heaps };
    }
    const message = `no division into 2^${MAX_SEGMENT_BITS} segments or fewer keeps each within ${segmentBytes} bytes`;
    throw new HmapError('HMAP_SEGMENT_TOO_LARGE', message, { expected: segmentBytes });
  }
}
