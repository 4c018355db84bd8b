// Takes entries as columns: typed arrays of keys and of numbers, without an object for an entry. Knows which arrays lie
// in memory as records need them; does not know where they come from.

import { isTypedArray } from 'node:util/types';
import { ByteBuffer, type ByteSlice, IS_LITTLE_ENDIAN } from '../base/bytes.js';
import { kindOf } from '../base/options.js';
import { type ValueEncoder, ValueError, valueEncoder } from '../codec/encode-value.js';
import { scratch } from '../codec/keys.js';
import { KEY_HASHERS } from '../codec/typed-keys.js';
import { KEY_ARRAYS, keyWidthOf, type TypedKey } from '../format/key-types.js';
import type { NumericArray } from '../format/value-types.js';
import type { EntryColumns } from './common/inputs.js';
import { COLUMN_ENTRIES } from './hash/core-lines.js';
import type { TableBuilder } from './hash/table-builder.js';

/** Arrays whose bytes are those of values of a type, where numbers are little-endian. */
const VALUE_ARRAYS: Readonly<Record<string, string>> = {
  ...KEY_ARRAYS,
  u8: 'Uint8Array',
  i8: 'Int8Array',
  u16: 'Uint16Array',
  i16: 'Int16Array',
  i32: 'Int32Array',
};

export function isColumns(entries: unknown): entries is EntryColumns {
  if (typeof entries !== 'object' || entries === null || Array.isArray(entries)) return false;
  return isTypedArray((entries as { keys?: unknown }).keys);
}

export class ColumnAdder {
  readonly #builder: TableBuilder;
  readonly #encode: ValueEncoder;
  readonly #value: ByteSlice = { buffer: new ByteBuffer(0), at: 0, length: 0 };

  constructor(builder: TableBuilder) {
    this.#builder = builder;
    this.#encode = valueEncoder(builder.valueType);
  }

  /**
   * Adds all entries of a chunk; yields now and then.
   * @throws {TypeError} if these are no columns of the table's types
   */
  *add(chunk: EntryColumns): Generator<void, void> {
    const { keys } = chunk;
    const values = chunk.values as NumericArray | undefined;
    this.#check(keys, values);
    const { length } = keys;
    for (let from = 0; from < length; from += COLUMN_ENTRIES) {
      if (keys.length !== length || (values !== undefined && values.length !== length))
        throw new TypeError('entries: the columns have been changed while they were taken');
      const to = Math.min(from + COLUMN_ENTRIES, length);
      const [some, theirs] = [keys.subarray(from, to), values?.subarray(from, to)];
      if (IS_LITTLE_ENDIAN && isLaidOut(values, this.#builder.valueType)) this.#addBytes(some, theirs);
      else this.#addNumbers(some, theirs);
      yield;
    }
  }

  #check(keys: EntryColumns['keys'], values: unknown): void {
    const { keyType, valueType } = this.#builder;
    const expected = KEY_ARRAYS[keyType];
    if (expected === undefined)
      throw new TypeError(`entries: columns are for keys of u32, u64 and i64, not ${keyType}`);
    const found = keys[Symbol.toStringTag];
    if (found !== expected)
      throw new TypeError(`entries: for keys of ${keyType}, expected a ${expected}, got ${found}`);
    if (valueType === 'none') {
      if (values !== undefined) throw new TypeError('entries: the table is a set, but there is a column of values');
      return;
    }
    if (!isTypedArray(values)) throw new TypeError(`entries: expected a typed array of values, got ${kindOf(values)}`);
    if (values.length !== keys.length)
      throw new TypeError(`entries: there are ${keys.length} keys, but ${values.length} values`);
  }

  /** Of arrays that lie in memory as records need them. */
  #addBytes(keys: EntryColumns['keys'], values: NumericArray | undefined): void {
    const builder = this.#builder;
    const key = bytesOf(keys);
    const value = values === undefined ? this.#value.buffer : bytesOf(values);
    const keyBytes = keys.BYTES_PER_ELEMENT;
    const valueBytes = values === undefined ? 0 : values.BYTES_PER_ELEMENT;
    const many = builder.lines;
    many?.beginColumns({ bytes: key.array, width: keyBytes }, { bytes: value.array, width: valueBytes });
    for (let i = 0; i < keys.length; i++) {
      if (many !== undefined) i = many.takeColumns(i, keys.length);
      // The one that is left, if there is one: its partition needs room.
      if (i < keys.length) builder.add(key, i * keyBytes, keyBytes, value, i * valueBytes, valueBytes);
    }
  }

  #addNumbers(keys: EntryColumns['keys'], values: NumericArray | undefined): void {
    const builder = this.#builder;
    const keyType = builder.keyType as TypedKey;
    const hash = KEY_HASHERS[keyType];
    const keyBytes = keyWidthOf(keyType);
    const { buffer: none } = this.#value;
    for (let i = 0; i < keys.length; i++) {
      hash(keys[i], 0, 0);
      if (values === undefined) {
        builder.add(scratch, 0, keyBytes, none, 0, 0);
        continue;
      }
      try {
        this.#encode(values[i], this.#value);
      } catch (error) {
        throw error instanceof ValueError ? error.forKey(scratch.bytes.subarray(0, keyBytes), keyType) : error;
      }
      const { buffer, at, length } = this.#value;
      builder.add(scratch, 0, keyBytes, buffer, at, length);
    }
  }
}

function isLaidOut(values: NumericArray | undefined, type: string): boolean {
  return values === undefined || values[Symbol.toStringTag] === VALUE_ARRAYS[type];
}

function bytesOf({ buffer, byteOffset, byteLength }: NumericArray): ByteBuffer {
  return new ByteBuffer(new Uint8Array(buffer, byteOffset, byteLength));
}
