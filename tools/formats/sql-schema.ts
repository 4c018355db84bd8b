// A table as SQL has it: which columns its entries become, and what each of their values is. Knows types; writes nothing.

import { isUtf8 } from 'node:buffer';
import { HmapError, type KeyType, type StoredType } from '../../src/index.js';
import { type ByteSlice, DECODERS, fieldReader, isStruct, KEY_DECODERS, structOf } from '../../src/internal.js';

/** A value of SQLite. Integers have at most 64 bits, and a sign. */
export type SqlValue = string | number | bigint | Uint8Array;

/** What a scan is at. */
export interface SqlPlace {
  readonly key: ByteSlice;
  readonly value: ByteSlice;
}

export interface SqlColumn {
  readonly name: string;
  /** As `create table` has it. A reader takes text of a type with `JSON` in it for a JSON text. */
  readonly type: string;
  /** Whether numbers are reals, also where they have no fraction. */
  readonly isReal?: boolean;
  of(place: SqlPlace): SqlValue;
}

const MOST_INTEGER = 2n ** 63n - 1n;

/** The columns of a hash table: the key, and the value or its fields. */
export function sqlColumns({ keyType, valueType }: { keyType: KeyType; valueType: StoredType }): SqlColumn[] {
  const key: SqlColumn = { name: 'key', type: keyColumn(keyType), of: keyReader(keyType) };
  if (valueType === 'none') return [key];
  if (!isStruct(valueType)) return [key, { name: 'value', ...valueColumn(valueType) }];
  const { fields, bytes } = structOf(valueType);
  // SQLite's names are the same in either case.
  const taken = new Set(['key']);
  const columns = fields.map((field): SqlColumn => {
    if (taken.has(field.name.toLowerCase())) {
      throw notSql(`the field '${field.name}' has the name of another column`);
    }
    taken.add(field.name.toLowerCase());
    const read = fieldReader(field, bytes);
    const isReal = field.kind === 'float';
    const of = ({ value }: SqlPlace) => numberOf(read(value.buffer.view, value.at), isReal);
    return { name: field.name, type: isReal ? 'REAL' : 'INTEGER', isReal, of };
  });
  return [key, ...columns];
}

function keyColumn(type: KeyType): string {
  if (type === 'bytes') return 'BLOB';
  return type === 'uuid' || type === 'hex' ? 'TEXT' : 'INTEGER';
}

function keyReader(type: KeyType): SqlColumn['of'] {
  if (type === 'bytes') return ({ key }) => textOrBytes(bytesOf(key));
  const decode = KEY_DECODERS[type];
  return ({ key }) => integerOf(decode(key.buffer, key.at, key.length) as string | number | bigint);
}

function valueColumn(type: Exclude<StoredType, `struct(${string}`>): Omit<SqlColumn, 'name'> {
  switch (type) {
    case 'bytes':
      return { type: 'BLOB', of: ({ value }) => bytesOf(value) };
    case 'utf8':
    case 'enum':
      return { type: 'TEXT', of: ({ value }) => bytesOf(value).toString() };
    case 'json':
      return { type: 'JSON TEXT', of: ({ value }) => bytesOf(value).toString() };
    case 'f32':
    case 'f64': {
      const decode = DECODERS[type];
      return {
        type: 'REAL',
        isReal: true,
        of: ({ value }) => numberOf(decode(value.buffer, value.at, value.length), true),
      };
    }
    default: {
      const decode = DECODERS[type as 'u64'];
      return { type: 'INTEGER', of: ({ value }) => integerOf(decode(value.buffer, value.at, value.length)) };
    }
  }
}

function bytesOf({ buffer, at, length }: ByteSlice): Buffer {
  return buffer.bytes.subarray(at, at + length);
}

/** Text where the bytes are UTF-8. */
function textOrBytes(bytes: Buffer): string | Uint8Array {
  return isUtf8(bytes) ? bytes.toString() : bytes;
}

function integerOf(value: string | number | bigint): SqlValue {
  if (typeof value === 'bigint' && value > MOST_INTEGER) throw notSql(`the integer ${value} is larger than 2^63 - 1`);
  return value;
}

/** A number that SQLite keeps as it is. */
function numberOf(value: number | boolean, isReal: boolean): number {
  if (!isReal) return Number(value);
  if (Number.isNaN(value)) throw notSql('NaN is NULL there');
  if (Object.is(value, -0)) throw notSql('-0 is 0 there');
  return value as number;
}

function notSql(what: string): HmapError {
  return new HmapError('HMAP_NOT_REPRESENTABLE', `${what}, which SQLite cannot carry; use jsonl`);
}

/** An identifier of SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The statement that makes a table of columns. */
export function createTable(
  table: string,
  columns: readonly { readonly name: string; readonly type: string }[],
): string {
  const list = columns.map(
    ({ name, type }, i) => `${identifier(name)} ${type} ${i === 0 ? 'PRIMARY KEY' : 'NOT NULL'}`,
  );
  return `CREATE TABLE ${identifier(table)} (${list.join(', ')}) WITHOUT ROWID`;
}
