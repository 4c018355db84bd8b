// An independent reader of lists and bit arrays, to hold the library against. Written from native-notes/format.md,
// section 15, alone.

import { readFileSync } from 'node:fs';
import {
  align,
  checkSums,
  type Expect,
  metadataStart,
  need,
  open,
  type ReferenceHeader,
  text,
} from './reference-reader.js';

const VARIABLE = 0xffffffff;
const LIST = 1;

type Kind = 'packed' | 'floats' | 'offsets' | 'bits';

export class ReferenceKeyless {
  readonly header: ReferenceHeader;
  readonly length: number;
  /** E */
  readonly each: number;
  readonly #file: Buffer;
  readonly #kind: Kind;
  /** w */
  readonly #bits: number;

  constructor(file: Uint8Array | string) {
    const data = typeof file === 'string' ? readFileSync(file) : file;
    this.#file = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const h = open(this.#file);
    this.header = h;
    need(h.layout !== 0, 'a table by hash');
    const kinds: Record<number, [Kind, number, number]> =
      h.layout === LIST
        ? {
            1: ['offsets', 0, VARIABLE],
            2: ['offsets', 0, VARIABLE],
            12: ['floats', 32, 4],
            13: ['floats', 64, 8],
            19: ['packed', h.elementBits, 0],
          }
        : { 0: ['bits', 1, 0] };
    need(kinds[h.valueType] !== undefined, `value type ${h.valueType}`);
    const [kind, bits, width] = kinds[h.valueType]!;
    this.#kind = kind;
    this.#bits = bits;
    need(h.valueWidth === width, `value width ${h.valueWidth}`);
    if (kind === 'packed') need(bits >= 1 && bits <= 53 && h.elementSign <= 1, `elements of ${bits} bits`);
    else need(h.elementBits === 0 && h.elementSign === 0, 'bits of elements that are not packed');
    need(kind === 'bits' ? h.spareBits <= 31 : h.spareBits === 0, `spare bits ${h.spareBits}`);
    this.length = kind === 'bits' ? 8 * h.valueBytes - h.spareBits : h.entries;
    need(this.length >= 0, `spare bits ${h.spareBits} of ${h.valueBytes} bytes`);
    const last = h.base + Math.max(0, this.length - 1);
    need(Number.isSafeInteger(h.base) && Number.isSafeInteger(last), `base ${h.base}`);
    const count = 2 ** h.segmentBits;
    if (count === 1) this.each = this.length;
    else if (kind === 'bits') this.each = this.#bitsOf(h.segments[0]!.size);
    else this.each = h.segments[0]!.entries;
    need(this.each <= 2 ** 32, `segments of ${this.each} elements`);
    if (count > 1 && (kind === 'packed' || kind === 'floats'))
      need(this.each % 8 === 0, `segments of ${this.each} elements`);
    if (kind === 'offsets') need(this.each === Math.ceil(this.length / count), `segments of ${this.each} elements`);
    let [used, bytes] = [0, 0];
    for (const [i, { size, entries }] of h.segments.entries()) {
      const n = this.#count(i);
      if (n > 0) used++;
      const fixed = this.#start(n) + this.#elementBytes(n) + (kind === 'packed' || kind === 'floats' ? 8 : 0);
      need(kind === 'offsets' ? size >= fixed : size === fixed, `segment ${i} has ${size} bytes`);
      need(kind === 'bits' ? entries <= n : entries === n, `segment ${i} has ${entries} entries`);
      bytes += kind === 'offsets' ? size - fixed : this.#elementBytes(n);
    }
    need(this.length <= count * this.each, 'elements without a segment');
    need(count === 1 || used > count / 2, `${used} of ${count} segments are used`);
    need(bytes === h.valueBytes, `value bytes ${h.valueBytes}, the segments have ${bytes}`);
  }

  /** All elements, or the ones. */
  values(): unknown[] {
    const values: unknown[] = [];
    for (let i = 0; i < this.length; i++) {
      const value = this.element(i);
      if (this.#kind !== 'bits') values.push(value);
      else if (value === 1) values.push(this.header.base + i);
    }
    return values;
  }

  /** Element, or bit, number `i`. */
  element(i: number): unknown {
    const segment = Math.floor(i / this.each);
    const j = i % this.each;
    const { offset } = this.header.segments[segment]!;
    const start = offset + this.#start(this.#count(segment));
    if (this.#kind === 'offsets') {
      const [from, to] = [this.#u32(offset + 4 * j), this.#u32(offset + 4 * j + 4)];
      need(from <= to && to <= this.header.segments[segment]!.size - (start - offset), `the offsets of element ${i}`);
      const bytes = this.#file.subarray(start + from, start + to);
      return this.header.valueType === 2 ? text(bytes) : bytes;
    }
    if (this.#kind === 'floats') {
      return this.#bits === 32 ? this.#file.readFloatLE(start + 4 * j) : this.#file.readDoubleLE(start + 8 * j);
    }
    let value = 0n;
    for (let bit = 0; bit < this.#bits; bit++) value |= this.#bit(start, j * this.#bits + bit) << BigInt(bit);
    return Number(this.header.elementSign === 1 ? BigInt.asIntN(this.#bits, value) : value);
  }

  /** Of a bit array: the ones below bit number `i`, which there is, by the rows and counts of the file. */
  rank(i: number): number {
    const segment = Math.floor(i / this.each);
    const j = i % this.each;
    const run = j - (j % 2048);
    let ones = this.#u32(this.header.segments[segment]!.offset + (4 * run) / 2048);
    for (let before = 0; before < segment; before++) ones += this.header.segments[before]!.entries;
    for (let k = run; k < j; k++) ones += this.element(segment * this.each + k) as number;
    return ones;
  }

  /** Where the index and the elements of a segment lie in the file, `[start, end)`. */
  places(segment: number): { index: [number, number]; elements: [number, number] } {
    const { offset, size } = this.header.segments[segment]!;
    const n = this.#count(segment);
    const indexEnd = offset + this.#indexBytes(n);
    return { index: [offset, indexEnd], elements: [offset + this.#start(n), offset + size] };
  }

  /** "To verify besides". */
  check(): string[] {
    const problems: string[] = [];
    const expect: Expect = (condition, message) => void (condition || problems.push(message));
    const { segments, headerSize, segmentBits, metadataSize, minorVersion, valueType } = this.header;
    checkSums(this.#file, this.header, expect);
    const zero = (from: number, to: number, what: string) =>
      expect(
        this.#file.subarray(from, to).every((byte) => byte === 0),
        `${what} at ${from} is not zero`,
      );
    // §12: a later minor version may have given it a meaning.
    if (minorVersion === 0) {
      // §15.
      zero(79, 80, 'a reserved byte');
      zero(136, 192, 'a reserved byte');
      zero(metadataStart(segmentBits) + metadataSize, headerSize, 'the padding of the header');
    }
    for (const [i, { offset, size, entries }] of segments.entries()) {
      const n = this.#count(i);
      const start = offset + this.#start(n);
      zero(offset + size, align(offset + size), 'padding');
      zero(offset + this.#indexBytes(n), start, 'padding');
      if (this.#kind === 'offsets') {
        expect(this.#u32(offset) === 0, `segment ${i}: the first offset is not 0`);
        const end = this.#u32(offset + 4 * n);
        expect(end === size - (start - offset), `segment ${i}: the last offset is ${end}`);
      } else {
        const bits = n * this.#bits;
        for (let bit = bits; bit < Math.ceil(bits / 8) * 8; bit++) {
          expect(this.#bit(start, bit) === 0n, `segment ${i}: a left-over bit is not zero`);
        }
        zero(start + Math.ceil(bits / 8), offset + size, 'what is left over');
      }
      let ones = 0;
      for (let j = 0; j < n; j++) {
        try {
          const value = this.element(i * this.each + j);
          if (this.#kind === 'bits') {
            if (j % 2048 === 0)
              expect(this.#u32(offset + (4 * j) / 2048) === ones, `count ${j / 2048} of segment ${i}`);
            ones += value as number;
          }
          if (Number.isNaN(value)) {
            const at = start + (j * this.#bits) / 8;
            const bytes = this.#file.toString('hex', at, at + this.#bits / 8);
            expect(bytes === (valueType === 12 ? '0000c07f' : '000000000000f87f'), `element ${j}: a NaN of other bits`);
          }
        } catch (error) {
          problems.push((error as Error).message);
        }
      }
      if (this.#kind === 'bits') {
        if (n === 0) expect(this.#u32(offset) === 0, 'the count of no bits is not 0');
        expect(ones === entries, `segment ${i}: ${ones} ones, its row says ${entries}`);
      }
    }
    return problems;
  }

  #bitsOf(size: number): number {
    let bits = 2048;
    while (this.#start(bits) + this.#elementBytes(bits) < size) bits += 2048;
    need(this.#start(bits) + this.#elementBytes(bits) === size, `a segment of ${size} bytes`);
    return bits;
  }

  #count(segment: number): number {
    return Math.max(0, Math.min(this.each, this.length - segment * this.each));
  }

  #indexBytes(n: number): number {
    if (this.#kind === 'offsets') return 4 * (n + 1);
    return this.#kind === 'bits' ? 4 * Math.max(1, Math.ceil(n / 2048)) : 0;
  }

  /** D */
  #start(n: number): number {
    return align(this.#indexBytes(n));
  }

  #elementBytes(n: number): number {
    return this.#kind === 'bits' ? 4 * Math.ceil(n / 32) : Math.ceil((n * this.#bits) / 8);
  }

  #bit(start: number, i: number): bigint {
    return BigInt((this.#file[start + Math.floor(i / 8)]! >> (i % 8)) & 1);
  }

  #u32(at: number): number {
    return this.#file.readUInt32LE(at);
  }
}
