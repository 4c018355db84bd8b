// Takes rows of a database into a build: their values have types of their own. Knows columns and the types of values;
// does not know where rows come from.

import { isUtf8 } from 'node:buffer';
import { type BuildValueType, ByteBuffer, isStruct, ValueError } from '../../src/internal.js';
import { type ChosenColumns, chooseColumns } from './columns.js';
import type { EntrySink } from './entry-sink.js';
import { isMissing, type ReadOptions, WHOLE } from './read-options.js';
import { fieldNames, structFromJson } from './struct-text.js';

/** A value as it stands in a row. */
type RowValue = unknown;

const NO_VALUE = new ByteBuffer(0);
/** Bytes of a key that needs no memory of its own. */
const LONGEST_KEY = 3000;

/** What of the columns is key and value, if nobody has said so: of two columns one, of more the whole row. */
function withOwnColumns(options: ReadOptions, names: readonly string[], type: BuildValueType): ReadOptions {
  const isSet = type === 'none';
  if (isSet || isStruct(type) || options.value !== undefined || options.values !== undefined) return options;
  const { key } = options;
  const others = names.filter((name, i) => name !== key && String(i + 1) !== key);
  if (key === undefined || others.length === names.length) return options;
  return { ...options, value: others.length === 1 ? others[0]! : WHOLE };
}

/** Names of the columns that have to be read. */
export function namesRead({ keys, value, fields, members }: ChosenColumns, names: readonly string[]): string[] {
  const columns = [...keys, ...(fields ?? members?.map(([, column]) => column) ?? (value < 0 ? [] : [value]))];
  return names.filter((_, column) => columns.includes(column));
}

/** The columns that are chosen from those that there are. */
export function chooseOf(sink: EntrySink, options: ReadOptions, names: readonly string[]): ChosenColumns {
  const chosen = chooseColumns(withOwnColumns(options, names, sink.valueType), names, true, sink.valueType);
  if (names.length > chosen.most) {
    throw new TypeError(`--key-column: choose the columns of keys and values; the columns are ${names.join(', ')}`);
  }
  if (chosen.last >= names.length) {
    throw new TypeError(`--value-column: there is no column ${chosen.last + 1}; the columns are ${names.join(', ')}`);
  }
  return chosen;
}

/** Adds rows to a build. */
export class TypedRowTaker {
  readonly #sink: EntrySink;
  readonly #chosen: ChosenColumns;
  readonly #join: Buffer;
  readonly #told: string;
  readonly #type: BuildValueType;
  /** Names of the fields of a struct. */
  readonly #fields: readonly string[] | undefined;
  /** Whether a text is read as a number. */
  readonly #isNumeric: boolean;
  /** Where the text of a key stands. */
  readonly #key = new ByteBuffer(LONGEST_KEY);
  readonly #json: ReadonlySet<number>;
  /** Whether rows without a key are left out. */
  readonly #isSkipped: boolean;

  /**
   * @param told what the rows are, for people
   * @param json columns whose texts are JSON
   */
  constructor(
    sink: EntrySink,
    options: ReadOptions,
    chosen: ChosenColumns,
    names: readonly string[],
    told: string,
    json: ReadonlySet<number> = new Set(),
  ) {
    this.#json = json;
    this.#isSkipped = options.missing === 'skip';
    this.#sink = sink;
    this.#chosen = chosen;
    this.#join = Buffer.from(options.join ?? '');
    this.#told = told;
    this.#type = sink.valueType;
    this.#fields = fieldNames(sink.valueType);
    this.#isNumeric = NUMERIC.test(String(sink.valueType));
    sink.tell(`${told}: ${chosen.told}`, names);
  }

  /** @param row its number, from 1 */
  take(values: readonly RowValue[], row: number): void {
    const sink = this.#sink;
    const { keys, value, fields, members } = this.#chosen;
    if (this.#isSkipped && keys.some((column) => isMissing(values[column]))) {
      sink.leaveOut();
      return;
    }
    const first = values[keys[0]!];
    let key = this.#key;
    let keyBytes: number;
    if (keys.length === 1 && typeof first === 'string' && first.length <= LONGEST_KEY / 3) {
      keyBytes = key.bytes.write(first, 0);
    } else {
      key = new ByteBuffer(keys.length === 1 ? this.#keyOf(first, row) : this.#joined(values, row));
      keyBytes = key.size;
    }
    if (this.#type === 'none') {
      sink.text(key, 0, keyBytes, NO_VALUE, 0, 0, row);
      return;
    }
    const found =
      fields !== undefined
        ? this.#struct(fields, values)
        : members !== undefined
          ? Object.fromEntries(members.map(([name, column]) => [name, this.#at(values, column, row)]))
          : this.#at(values, value, row);
    if (isMissing(found) && sink.missing(key, 0, keyBytes, row)) return;
    this.#value(key, keyBytes, found, row);
  }

  /** The fields of a struct; `null` if one is missing. */
  #struct(fields: readonly number[], values: readonly RowValue[]): RowValue {
    if (fields.some((column) => isMissing(values[column]))) return null;
    return Object.fromEntries(fields.map((column, i) => [this.#fields![i]!, values[column]]));
  }

  #at(values: readonly RowValue[], column: number, row: number): RowValue {
    const value = values[column];
    if (typeof value !== 'string' || !this.#json.has(column)) return value;
    try {
      JSON.parse(value);
    } catch {
      const shown = JSON.stringify(value.slice(0, 60));
      throw this.#sink.malformed(row, `expected JSON in a column of that type, found ${shown}`);
    }
    return new RawJson(value);
  }

  #value(key: ByteBuffer, keyBytes: number, value: RowValue, row: number): void {
    const sink = this.#sink;
    const type = this.#type;
    if (type === 'json' && hasBig(value)) {
      const text = new ByteBuffer(Buffer.from(jsonText(value)));
      sink.text(key, 0, keyBytes, text, 0, text.size, row);
    } else if (typeof value === 'string' && this.#isNumeric) {
      const text = new ByteBuffer(Buffer.from(value));
      sink.text(key, 0, keyBytes, text, 0, text.size, row);
    } else {
      const make = () => (isStruct(type) ? structFromJson(type, fieldsOf(value)) : valueFor(type, value));
      sink.value(key, make, row, keyBytes);
    }
  }

  #keyOf(value: RowValue, row: number): Uint8Array {
    if (typeof value === 'string') return Buffer.from(value);
    if (typeof value === 'bigint' || Number.isSafeInteger(value)) return Buffer.from(String(value));
    if (value instanceof Uint8Array) {
      const { keyType } = this.#sink;
      // The text of such a key is what a build reads.
      return keyType === 'hex' || keyType === 'uuid' ? Buffer.from(Buffer.from(value).toString('hex')) : value;
    }
    const found = value === null || value === undefined ? 'nothing' : JSON.stringify(value);
    throw this.#sink.malformed(row, `expected the key to be text, bytes or an integer, found ${found} (${this.#told})`);
  }

  #joined(values: readonly RowValue[], row: number): Uint8Array {
    const parts = this.#chosen.keys.map((column) => this.#keyOf(values[column], row));
    return Buffer.concat(parts.flatMap((part, i) => (i === 0 ? [part] : [this.#join, part])));
  }
}

/** A value that stands as a JSON text. */
class RawJson {
  constructor(readonly text: string) {}
}

const NUMERIC = /^(?:uint|[uif]\d+)$/;

/** A value as the encoder of its type wants it. */
function valueFor(type: string, value: RowValue): unknown {
  if (value === null || value === undefined) {
    if (type === 'json') return null;
    throw new ValueError('HMAP_VALUE_INVALID', `${type}, a value (--missing says what to do without)`, null);
  }
  switch (type) {
    case 'json':
      return plain(value);
    case 'bytes':
      return value instanceof Uint8Array ? value : Buffer.from(textFor(type, value));
    case 'utf8':
    case 'enum':
      return textFor(type, value);
    case 'u64':
    case 'i64':
      return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
    default:
      return typeof value === 'bigint' || typeof value === 'boolean' ? Number(value) : value;
  }
}

function textFor(type: string, value: RowValue): string {
  if (typeof value === 'string') return value;
  if (value instanceof RawJson) return value.text;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array && isUtf8(value)) return Buffer.from(value).toString();
  throw new ValueError('HMAP_VALUE_INVALID', `${type}, text or a number`, value);
}

/** Fields of a struct: integers as numbers. */
function fieldsOf(value: RowValue): unknown {
  const entries = Object.entries(value as Record<string, unknown>);
  return Object.fromEntries(entries.map(([name, item]) => [name, typeof item === 'bigint' ? Number(item) : item]));
}

/** Whether JSON needs more digits than a number has, or there are texts of it. */
function hasBig(value: RowValue): boolean {
  if (typeof value === 'bigint' || value instanceof RawJson) return true;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Date) return false;
  return Object.values(value).some(hasBig);
}

/** A value that `JSON.stringify` takes. */
function plain(value: RowValue): unknown {
  if (value instanceof Uint8Array) {
    throw new ValueError('HMAP_VALUE_INVALID', 'json, which has no bytes; choose --value bytes', value);
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
}

/** The JSON text of a value with integers of any size. */
function jsonText(value: RowValue): string {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof RawJson) return value.text;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array) {
    return JSON.stringify(plain(value)) ?? 'null';
  }
  return `{${Object.entries(value)
    .map(([name, item]) => `${JSON.stringify(name)}:${jsonText(item)}`)
    .join(',')}}`;
}
