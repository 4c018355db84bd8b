// Takes elements of lists and bit arrays as the formats find them, and adds them to a build. The index of a value stands
// where other entries have their key. Knows what an element is as text; files and builds are others'.

import { isUtf8 } from 'node:buffer';
import { HmapError, type ListType, type ValueType } from '../../src/index.js';
import {
  ByteBuffer,
  type ByteSlice,
  checkValueLength,
  packedInteger,
  packedRange,
  ValueError,
} from '../../src/internal.js';
import { type EntrySink, InputNotes } from './entry-sink.js';
import { INTEGER } from './numbers.js';
import type { ReadOptions } from './read-options.js';
import { smallInteger, textEncoding } from './text.js';

/** What a sink needs of the builder of a list or a bit array. */
interface ElementBuilder {
  readonly valueType: ListType | 'none';
  /** Elements added so far. */
  readonly entries: number;
  add(value: unknown): void;
  addBytes(buffer: ByteBuffer, at: number, length: number): void;
  pause(): Promise<void> | undefined;
}

/** Takes what the formats find, and adds it to the build of a list or a bit array. */
export class KeylessEntrySink extends InputNotes implements EntrySink {
  /** What the readers of rows ask: whether there is a value beside the key. */
  readonly valueType: ValueType;
  /** Indexes and integers are read as text. */
  readonly keyType = 'bytes';
  readonly #builder: ElementBuilder;
  readonly #parse: (buffer: ByteBuffer, at: number, end: number) => unknown;
  /** Of elements that are taken as they lie in the input. */
  readonly #check: ((buffer: ByteBuffer, at: number, end: number) => void) | undefined;
  readonly #indexed: boolean;
  readonly #base: number;

  /** @param indexed whether what stands as a key is the index, which must be the next one */
  constructor(builder: ElementBuilder, name: string, base: number, indexed: boolean, missing?: ReadOptions['missing']) {
    super(name, missing);
    this.#builder = builder;
    this.valueType = builder.valueType === 'none' ? 'none' : 'utf8';
    const { valueType } = builder;
    this.#parse = valueType === 'none' ? integerText('an integer') : elementText(valueType);
    this.#check = valueType === 'utf8' || valueType === 'bytes' ? bytesCheck(valueType) : undefined;
    this.#indexed = indexed;
    this.#base = base;
  }

  get isSet(): boolean {
    return this.valueType === 'none';
  }

  get elementType(): ListType | 'none' {
    return this.#builder.valueType;
  }

  text(
    key: ByteBuffer,
    keyAt: number,
    keyEnd: number,
    value: ByteBuffer,
    valueAt: number,
    valueEnd: number,
    line: number,
  ): void {
    if (this.isSet) {
      this.bare(key, keyAt, keyEnd, line);
      return;
    }
    if (valueAt === valueEnd && this.missing(key, keyAt, keyEnd, line)) return;
    if (this.#indexed) this.index(key.bytes.toString('latin1', keyAt, keyEnd), line);
    this.bare(value, valueAt, valueEnd, line);
  }

  protected override addInstead(key: ByteBuffer, keyAt: number, keyEnd: number, value: ByteBuffer, line: number): void {
    if (this.#indexed && keyEnd > keyAt) this.index(key.bytes.toString('latin1', keyAt, keyEnd), line);
    this.bare(value, 0, value.size, line);
  }

  /** There are no structs in these layouts. */
  fields(): never {
    throw new TypeError('a list has no fields');
  }

  /** Nor are there `json` values. */
  exact(): never {
    throw new TypeError('a list has no json values');
  }

  /** A value, or an integer, that stands by itself. */
  bare(buffer: ByteBuffer, at: number, end: number, line: number): void {
    try {
      if (this.#check === undefined) {
        this.#builder.add(this.#parse(buffer, at, end));
        return;
      }
      this.#check(buffer, at, end);
      this.#builder.addBytes(buffer, at, end - at);
    } catch (error) {
      throw this.#explained(error, line);
    }
  }

  value(_key: ByteBuffer, make: () => unknown, line: number): void {
    try {
      this.#builder.add(make());
    } catch (error) {
      throw this.#explained(error, line);
    }
  }

  /** Refuses an index that is not the next one. */
  index(found: unknown, line: number): void {
    const expected = this.#base + this.#builder.entries;
    if (integerOrSame(found) === expected) return;
    const shown = JSON.stringify(found) ?? 'none';
    throw this.malformed(
      line,
      `expected the index ${expected}, found ${shown}: a list's entries come in order, without gaps`,
    );
  }

  pause(): Promise<void> | undefined {
    return this.#builder.pause();
  }

  /** An error of the builder, with its line. */
  #explained(error: unknown, line: number): unknown {
    if (!(error instanceof ValueError || error instanceof HmapError)) return error;
    const { code, expected, actual } = error;
    return new HmapError(code, `${this.name}: line ${line}: ${error.message}`, { expected, actual, line });
  }
}

/** Reads an integer from its text. */
function integerText(expected: string): (buffer: ByteBuffer, at: number, end: number) => number {
  return (buffer, at, end) => {
    const short = smallInteger(buffer.bytes, at, end);
    if (short >= 0) return short;
    const text = buffer.bytes.toString('latin1', at, end);
    if (!INTEGER.test(text)) throw new ValueError('HMAP_VALUE_INVALID', expected, text);
    return Number(text);
  };
}

/** The integer that a text represents; anything else as it is, for the builder to check. */
export function integerOrSame(value: unknown): unknown {
  return typeof value === 'string' && INTEGER.test(value) ? Number(value) : value;
}

/** Checks that bytes are an element. */
function bytesCheck(type: 'utf8' | 'bytes'): (buffer: ByteBuffer, at: number, end: number) => void {
  return ({ bytes }, at, end) => {
    checkValueLength(type, end - at);
    if (type === 'bytes' || isAscii(bytes, at, end) || isUtf8(bytes.subarray(at, end))) return;
    throw new ValueError('HMAP_VALUE_INVALID', 'utf8, valid UTF-8', bytes.toString('latin1', at, end));
  };
}

/** Whether few bytes are ASCII: a call into the runtime costs more than looking at them. */
function isAscii(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at > FEW) return false;
  for (let i = at; i < end; i++) if (bytes[i]! >= 0x80) return false;
  return true;
}

const FEW = 64;

/** An element from its text. */
function elementText(type: ListType): (buffer: ByteBuffer, at: number, end: number) => unknown {
  const packed = packedInteger(type);
  if (packed !== undefined) {
    const [least, most] = packedRange(packed.bits, packed.signed);
    return integerText(`${type}, an integer from ${least} to ${most}`);
  }
  // The encoder checks the value from the text; the builder gets the number itself.
  let parsed: unknown;
  const take = (value: unknown, _out: ByteSlice) => {
    parsed = value;
  };
  const encode = textEncoding(type as 'f64', take);
  const out: ByteSlice = { buffer: new ByteBuffer(0), at: 0, length: 0 };
  return (buffer, at, end) => {
    encode(buffer, at, end, out);
    return parsed;
  };
}
