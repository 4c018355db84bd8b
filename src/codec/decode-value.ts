// Decodes single values by type (native-notes/format.md, section 7). Knows nothing of records or files.

import { type ByteBuffer, copyOf } from '../base/bytes.js';
import { HmapError } from '../base/errors.js';
import { decodeText } from '../base/text.js';
import { isStruct, structOf } from '../format/schema.js';
import type { StoredType, ValueType, ValueTypes } from '../format/value-types.js';
import { type FieldReader, fieldReader } from './bit-fields.js';

export type ValueDecoder<V> = (buffer: ByteBuffer, at: number, length: number) => V;

/** Types whose values can be decoded from their bytes alone. */
type DirectType = Exclude<ValueType, 'enum'>;

/**
 * Decoders by type: a value from `length` bytes of `buffer` at `at`. The numeric ones allocate nothing, except BigInts.
 */
export const DECODERS: { readonly [T in DirectType]: ValueDecoder<ValueTypes[T]> } = {
  none: () => true,
  bytes: copyOf,
  utf8: (buffer, at, length) => decodeText(buffer, at, length),
  json: (buffer, at, length) => {
    const text = decodeText(buffer, at, length);
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new HmapError('HMAP_DAMAGED', `a value is not valid JSON: ${(error as Error).message}`, { cause: error });
    }
  },
  u8: (buffer, at) => buffer.view.getUint8(at),
  i8: (buffer, at) => buffer.view.getInt8(at),
  u16: (buffer, at) => buffer.view.getUint16(at, true),
  i16: (buffer, at) => buffer.view.getInt16(at, true),
  u32: (buffer, at) => buffer.view.getUint32(at, true),
  i32: (buffer, at) => buffer.view.getInt32(at, true),
  u64: (buffer, at) => buffer.view.getBigUint64(at, true),
  i64: (buffer, at) => buffer.view.getBigInt64(at, true),
  f32: (buffer, at) => buffer.view.getFloat32(at, true),
  f64: (buffer, at) => buffer.view.getFloat64(at, true),
  u24: (buffer, at) => buffer.view.getUint16(at, true) | (buffer.view.getUint8(at + 2) << 16),
  u40: (buffer, at) => buffer.view.getUint32(at, true) + buffer.view.getUint8(at + 4) * 2 ** 32,
  u48: (buffer, at) => buffer.view.getUint32(at, true) + buffer.view.getUint16(at + 4, true) * 2 ** 32,
};

/**
 * The decoder of a table's values.
 * @param enumDecoder for values of `enum`, which lie in the file's dictionary
 */
export function valueDecoder(type: StoredType, enumDecoder?: ValueDecoder<string>): ValueDecoder<unknown> {
  if (type === 'enum') return enumDecoder!;
  if (!isStruct(type)) return DECODERS[type];
  const { fields, bytes } = structOf(type);
  const names = fields.map(({ name }) => name);
  const readers = fields.map((field) => fieldReader(field, bytes));
  return ({ view }, at) => {
    const record: Record<string, number | boolean> = {};
    for (let i = 0; i < names.length; i++) record[names[i]!] = readers[i]!(view, at);
    return record;
  };
}

/** The readers of single fields of a table's values, by name; empty unless the values are structs. */
export function fieldReaders(type: StoredType): ReadonlyMap<string, FieldReader> {
  if (!isStruct(type)) return new Map();
  const { fields, bytes } = structOf(type);
  return new Map(fields.map((field) => [field.name, fieldReader(field, bytes)]));
}
