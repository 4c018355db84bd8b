// Counts and sums over the entries of an input as they pass, in memory that does not grow with them. Knows value texts
// and JSON; knows no format and no representation.

import { isUtf8 } from 'node:buffer';
import { type ByteBuffer, keyTooLong, MAX_KEY_BYTES, type Pacer, type RecordSink } from '../../src/internal.js';
import { canonicalJson } from '../formats/exact-json.js';
import { numberText } from '../formats/numbers.js';
import { bytesFromJson } from '../formats/text.js';
import { type Facts, LengthSums, type Lengths, type Range } from './facts.js';
import { redisString, redisValue, type SqliteValue, sqliteCell, v8Number, v8String } from './rivals.js';

/** What the values of an input are: none, text as it stands, or JSON texts. */
export type ValueSource = 'none' | 'bytes' | 'json';

/** Distinct values are counted up to so many, and so many characters of them. */
const MOST_DISTINCT = 2 ** 20;
const MOST_DISTINCT_CHARACTERS = 2 ** 25;

/** Longer text is not taken for a number. */
const MOST_DIGITS = 40;
const INTEGER = /^(?:0|-?[1-9]\d{0,39})$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const HEX = /^(?:[0-9a-f]{2})+$/;

/**
 * The one decimal form of an integer as a number, or as a BigInt where a number cannot hold it; `undefined` for all
 * other text.
 */
export function integerOf(text: string): number | bigint | undefined {
  if (!INTEGER.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

class IntegerRange {
  #least: number | bigint = Number.POSITIVE_INFINITY;
  #most: number | bigint = Number.NEGATIVE_INFINITY;

  add(value: number | bigint): void {
    if (value < this.#least) this.#least = value;
    if (value > this.#most) this.#most = value;
  }

  /** `undefined` without integers. */
  get range(): Range | undefined {
    return this.#least > this.#most ? undefined : { least: BigInt(this.#least), most: BigInt(this.#most) };
  }
}

/** Counts distinct strings, and gives up where they are too many to keep. */
export class Distinct {
  #seen: Set<string> | undefined = new Set();
  #characters = 0;
  readonly #most: number;

  constructor(most = MOST_DISTINCT) {
    this.#most = most;
  }

  /** @param text with one character for each byte */
  add(text: string): void {
    if (this.#seen === undefined || this.#seen.has(text)) return;
    this.#characters += text.length;
    if (this.#seen.size === this.#most || this.#characters > MOST_DISTINCT_CHARACTERS) this.#seen = undefined;
    // A copy: a piece of a longer text would keep all of that.
    else this.#seen.add(Buffer.from(text, 'latin1').toString('latin1'));
  }

  get result(): { count: number; bytes: number } | undefined {
    return this.#seen && { count: this.#seen.size, bytes: this.#characters };
  }
}

/** What text takes as a string of V8; bytes that are not UTF-8 count as one character each. */
function stringCost(bytes: Buffer, ascii: boolean, utf8: boolean): number {
  if (ascii || !utf8) return v8String(bytes.length, true);
  const text = bytes.toString();
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return v8String(text.length, false);
  return v8String(text.length, true);
}

function isAscii(bytes: Buffer): boolean {
  let bits = 0;
  for (let i = 0; i < bytes.length; i++) bits |= bytes[i]!;
  return bits < 0x80;
}

/** One value as the rivals would hold it. */
interface Seen {
  /** As text, in bytes. */
  text: number;
  integer: number | bigint | undefined;
  real: boolean;
}

/** Where a reader puts entries that are to be planned for, not built. */
export class Survey implements RecordSink {
  readonly valueType: ValueSource;
  /** Keys are looked at as they stand. */
  readonly keyType = 'bytes';
  entries = 0;
  readonly #pacer: Pacer | undefined;
  readonly #distinct: Distinct | undefined;
  readonly #keys = new LengthSums();
  readonly #keyRange = new IntegerRange();
  readonly #hex = new LengthSums();
  #keysInteger = true;
  #keysInOrder = true;
  #nextKey: number | undefined;
  #keysUuid = true;
  #keysHex = true;
  readonly #text = new LengthSums();
  readonly #json = new LengthSums();
  readonly #range = new IntegerRange();
  readonly #holds = {
    none: true,
    bytes: true,
    utf8: true,
    json: true,
    numbers: true,
    bigs: true,
    f32: true,
    f64: true,
  };
  readonly #seen: Seen = { text: 0, integer: undefined, real: false };
  #keyStrings = 0;
  #valueStrings = 0;
  #valueNumbers = 0;
  #redisKeys = 0;
  #redisValues = 0;
  // What a table of SQLite takes where all values are text, and where all are numbers.
  readonly #textCells = { cells: 0, overflowPages: 0 };
  readonly #numberCells = { cells: 0, overflowPages: 0 };

  constructor(valueType: ValueSource, pacer?: Pacer) {
    this.valueType = valueType;
    this.#distinct = valueType !== 'none' ? new Distinct() : undefined;
    this.#pacer = pacer;
  }

  /** See {@link RecordSink.add}. */
  add(key: ByteBuffer, keyAt: number, keyBytes: number, value: ByteBuffer, valueAt: number, valueBytes: number): void {
    const keyPart = key.bytes.subarray(keyAt, keyAt + keyBytes);
    if (keyBytes > MAX_KEY_BYTES) throw keyTooLong(keyPart);
    this.entries++;
    this.#addKey(keyPart);
    if (this.valueType === 'none') {
      this.#addCell(this.#textCells, keyBytes, 'none');
      return;
    }
    const valuePart = value.bytes.subarray(valueAt, valueAt + valueBytes);
    if (this.valueType === 'json') this.#addJson(valuePart.toString());
    else this.#addText(valuePart);
    const { text, integer, real } = this.#seen;
    this.#redisValues += redisValue(text, integer);
    this.#addCell(this.#textCells, keyBytes, { text });
    this.#addCell(this.#numberCells, keyBytes, integer !== undefined ? { integer } : real ? 'real' : { text });
  }

  pause(): Promise<void> | undefined {
    return this.#pacer?.pause(this.entries);
  }

  #addCell(sums: { cells: number; overflowPages: number }, keyBytes: number, value: SqliteValue): void {
    const { bytes, overflowPages } = sqliteCell(keyBytes, value);
    sums.cells += bytes;
    sums.overflowPages += overflowPages;
  }

  #addKey(bytes: Buffer): void {
    const length = bytes.length;
    this.#keys.add(length);
    this.#redisKeys += redisString(length);
    const ascii = isAscii(bytes);
    this.#keyStrings += stringCost(bytes, ascii, ascii || isUtf8(bytes));
    if (!(this.#keysInteger || this.#keysUuid || this.#keysHex)) return;
    const text = bytes.toString('latin1');
    if (this.#keysInteger) {
      const integer = integerOf(text);
      if (integer === undefined) this.#keysInteger = false;
      else this.#keyRange.add(integer);
      if (this.#nextKey !== undefined && integer !== this.#nextKey) this.#keysInOrder = false;
      this.#nextKey = typeof integer === 'number' ? integer + 1 : undefined;
    }
    this.#keysUuid &&= UUID.test(text);
    this.#keysHex &&= HEX.test(text);
    if (this.#keysHex) this.#hex.add(length / 2);
  }

  /** A value that stands as text: a type holds it where it prints the same text. */
  #addText(bytes: Buffer): void {
    const holds = this.#holds;
    const seen = this.#seen;
    const ascii = isAscii(bytes);
    const utf8 = ascii || isUtf8(bytes);
    holds.none &&= bytes.length === 0;
    holds.utf8 &&= utf8;
    this.#text.add(bytes.length);
    this.#valueStrings += stringCost(bytes, ascii, utf8);
    seen.text = bytes.length;
    seen.integer = undefined;
    seen.real = false;
    const numeric = ascii && bytes.length > 0 && bytes.length <= MOST_DIGITS;
    const text = numeric || this.#distinct !== undefined ? bytes.toString('latin1') : '';
    this.#distinct?.add(text);
    if (numeric) this.#addNumber(text);
    else this.#noNumber();
    holds.bigs &&= seen.integer !== undefined;
    if (!holds.json) return;
    this.#json.add(bytes.length);
    if (typeof seen.integer !== 'number') holds.json = utf8 && isCanonicalJson(bytes.toString());
  }

  #addNumber(text: string): void {
    const holds = this.#holds;
    const integer = integerOf(text);
    if (integer === undefined) holds.numbers = false;
    else this.#range.add(integer);
    this.#seen.integer = integer;
    const number = Number(text);
    const isReal = typeof integer === 'number' || (text !== '' && numberText(number) === text);
    this.#seen.real = isReal;
    holds.f64 &&= isReal;
    holds.f32 &&= isReal && Object.is(Math.fround(number), number);
    this.#valueNumbers += v8Number(integer ?? number);
  }

  #noNumber(): void {
    this.#holds.numbers = false;
    this.#holds.f32 = false;
    this.#holds.f64 = false;
  }

  /** A value that stands as JSON: a type holds it where `hmap dump` writes the same JSON. */
  #addJson(json: string): void {
    const holds = this.#holds;
    const seen = this.#seen;
    const value: unknown = JSON.parse(json);
    const length = Buffer.byteLength(json);
    this.#json.add(length);
    holds.none &&= value === true;
    seen.integer = undefined;
    seen.real = false;
    if (typeof value === 'number') this.#addNumber(json);
    else this.#noNumber();
    const raw = typeof value === 'string' && !value.isWellFormed() ? undefined : bytesFromJson(value);
    const text = raw !== undefined && (typeof value === 'string' || !isUtf8(raw)) ? raw : undefined;
    holds.bytes &&= text !== undefined;
    holds.utf8 &&= typeof value === 'string' && text !== undefined;
    const big = typeof value === 'string' ? integerOf(value) : undefined;
    holds.bigs &&= big !== undefined;
    if (big !== undefined) {
      this.#range.add(big);
      this.#valueNumbers += v8Number(BigInt(big));
      seen.integer = big;
    }
    const bytes = text === undefined ? Buffer.from(json) : Buffer.from(text.buffer, text.byteOffset, text.length);
    this.#text.add(bytes.length);
    this.#distinct?.add(bytes.toString('latin1'));
    const ascii = isAscii(bytes);
    this.#valueStrings += stringCost(bytes, ascii, ascii || isUtf8(bytes));
    seen.text = bytes.length;
  }

  get facts(): Facts {
    const some = this.entries > 0;
    const holds = { ...this.#holds };
    if (!some) {
      // Every type holds no values; the default type of the format stands for all.
      for (const name of Object.keys(holds) as (keyof typeof holds)[]) holds[name] = name === this.#kept;
    }
    const numeric = holds.numbers || holds.bigs || holds.f64;
    const lengths = (sums: LengthSums): Lengths => ({ ...sums });
    return {
      entries: this.entries,
      keys: {
        lengths: lengths(this.#keys),
        integers: this.#keysInteger ? this.#keyRange.range : undefined,
        inOrder: this.#keysInOrder,
        uuid: some && this.#keysUuid,
        hex: some && this.#keysHex ? lengths(this.#hex) : undefined,
      },
      values:
        this.valueType === 'none'
          ? undefined
          : {
              text: lengths(this.#text),
              json: lengths(this.#json),
              integers: holds.numbers || holds.bigs ? this.#range.range : undefined,
              holds,
              distinct: this.#distinct?.result,
            },
      rivals: {
        keyStrings: this.#keyStrings,
        valueStrings: this.#valueStrings,
        valueNumbers: this.#valueNumbers,
        sqlite: numeric && this.valueType !== 'none' ? this.#numberCells : this.#textCells,
        redis: { keys: this.#redisKeys, values: this.#redisValues },
      },
    };
  }

  get #kept(): 'utf8' | 'json' {
    return this.valueType === 'json' ? 'json' : 'utf8';
  }
}

function isCanonicalJson(text: string): boolean {
  try {
    return canonicalJson(text) === text;
  } catch {
    return false;
  }
}
