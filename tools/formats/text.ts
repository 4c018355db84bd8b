// Values and typed keys as text: how TSV, CSV and cdb carry them, and how they are printed. Knows their types; knows no
// format.

import { isUtf8 } from 'node:buffer';
import type { KeyType, StoredType } from '../../src/index.js';
import {
  type BuildValueType,
  ByteBuffer,
  type ByteSlice,
  checkValueLength,
  DECODERS,
  INTEGER_RANGES,
  isStruct,
  KEY_DECODERS,
  type ValueEncoder,
  ValueError,
} from '../../src/internal.js';
import type { Output } from '../terminal/output.js';
import { JsonCompactor } from './compact-json.js';
import { canonicalJson, ExactJson } from './exact-json.js';
import { finite, numberJson, numberText, parseFloating, parseInteger, type TextPrinter } from './numbers.js';
import { inOneString } from './one-string.js';
import { structFromJson, structPrinter } from './struct-text.js';

/** Encodes the value that stands as text in `[at, end)`. */
export type TextEncoding = (buffer: ByteBuffer, at: number, end: number, out: ByteSlice) => void;

const ZERO = 0x30;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export function textEncoding(type: BuildValueType, encode: ValueEncoder): TextEncoding {
  // Not as Latin-1, although numbers need no more: what is no number is shown in an error.
  const text = (buffer: ByteBuffer, at: number, end: number) => buffer.bytes.toString('utf8', at, end);
  const bare = (buffer: ByteBuffer, at: number, end: number, out: ByteSlice) => {
    checkValueLength(type, end - at);
    out.buffer = buffer;
    out.at = at;
    out.length = end - at;
  };
  if (isStruct(type)) {
    return (buffer, at, end, out) => {
      if (!isUtf8(buffer.bytes.subarray(at, end))) {
        throw new ValueError('HMAP_VALUE_INVALID', 'a JSON object, valid UTF-8', text(buffer, at, end));
      }
      encode(structFromJson(type, parseJson(buffer.bytes.toString('utf8', at, end))), out);
    };
  }
  switch (type) {
    case 'none':
      return (buffer, at, end, out) => {
        if (end > at)
          throw new ValueError('HMAP_VALUE_INVALID', 'no value (the table is a set)', text(buffer, at, end));
        encode(true, out);
      };
    case 'bytes':
      return bare;
    case 'utf8':
    case 'enum':
      return (buffer, at, end, out) => {
        checkValueLength(type, end - at);
        if (!isUtf8(buffer.bytes.subarray(at, end))) {
          throw new ValueError('HMAP_VALUE_INVALID', `${type}, valid UTF-8`, text(buffer, at, end));
        }
        bare(buffer, at, end, out);
      };
    case 'json': {
      const compactor = new JsonCompactor();
      return (buffer, at, end, out) => {
        checkValueLength(type, end - at);
        if (isCanonicalScalar(buffer.bytes, at, end)) {
          bare(buffer, at, end, out);
          return;
        }
        const compacted = compactor.compact(buffer.bytes, at, end);
        if (compacted >= 0) {
          out.buffer = compactor.output;
          out.at = 0;
          out.length = compacted;
          return;
        }
        if (!isUtf8(buffer.bytes.subarray(at, end))) {
          throw new ValueError('HMAP_VALUE_INVALID', 'json, valid UTF-8', text(buffer, at, end));
        }
        encodeJson(buffer.bytes.toString('utf8', at, end), encode, out);
      };
    }
    case 'f32':
    case 'f64':
      return (buffer, at, end, out) => encode(parseFloating(text(buffer, at, end), type), out);
    case 'u64':
    case 'i64':
      return (buffer, at, end, out) => encode(parseBig(type, text(buffer, at, end)), out);
    default:
      return (buffer, at, end, out) => {
        const short = smallInteger(buffer.bytes, at, end);
        encode(short >= 0 ? short : Number(parseBig(type, text(buffer, at, end))), out);
      };
  }
}

/** Up to 15 digits, which a double holds exactly, read without making a string; -1 for anything else. */
export function smallInteger(bytes: Uint8Array, at: number, end: number): number {
  const digits = end - at;
  if (digits === 0 || digits > 15) return -1;
  let value = 0;
  for (let i = at; i < end; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Whether bytes are a JSON string of printable ASCII without escapes: what is between its quotes is its text. */
export function isPlainJsonString(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < 2 || bytes[at] !== QUOTE || bytes[end - 1] !== QUOTE) return false;
  for (let i = at + 1; i < end - 1; i++) {
    const byte = bytes[i]!;
    if (byte < 0x20 || byte >= 0x80 || byte === QUOTE || byte === BACKSLASH) return false;
  }
  return true;
}

/** Whether bytes are a JSON text that `JSON.stringify` would write in the same way: a plain string, or a few digits. */
function isCanonicalScalar(bytes: Uint8Array, at: number, end: number): boolean {
  if (bytes[at] === QUOTE) return isPlainJsonString(bytes, at, end);
  return isPlainInteger(bytes, at, end);
}

/** Whether bytes are up to 15 digits without a leading zero. */
export function isPlainInteger(bytes: Uint8Array, at: number, end: number): boolean {
  return smallInteger(bytes, at, end) >= 0 && (bytes[at] !== ZERO || end - at === 1);
}

/** Whether values may be integers that a double does not hold. */
export const isBig = (type: unknown): boolean => type === 'u64' || type === 'i64';

function parseBig(type: BuildValueType, text: string): bigint {
  return parseInteger(text, () => {
    const [least, most] = INTEGER_RANGES[type]!;
    return `${type}, an integer from ${least} to ${most}`;
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notJson(text);
  }
}

function notJson(text: string): ValueError {
  return new ValueError('HMAP_VALUE_INVALID', 'json, valid JSON', text);
}

/** A `json` value from its text, with all digits of its integers. */
function encodeJson(text: string, encode: ValueEncoder, out: ByteSlice): void {
  let exact: ExactJson | undefined;
  try {
    exact = ExactJson.parse(text);
  } catch {
    throw notJson(text);
  }
  if (exact === undefined) encode(parseJson(text), out);
  else encodeExact(exact, exact.value, encode, out);
}

/** A part of a text with integers that JavaScript would round, as a `json` value. */
export function encodeExact(exact: ExactJson, part: unknown, encode: ValueEncoder, out: ByteSlice): void {
  encode(part, out);
  const text = out.buffer.bytes.toString('utf8', out.at, out.at + out.length);
  out.buffer = new ByteBuffer(Buffer.from(exact.unmarked(text)));
  out.at = 0;
  out.length = out.buffer.size;
}

/**
 * A value from a JSON Lines record, in the form that its type needs: large integers and special numbers are strings
 * there.
 */
export function valueFromJson(type: BuildValueType, value: unknown): unknown {
  if (isStruct(type)) return structFromJson(type, value);
  switch (type) {
    case 'json':
    case 'utf8':
    case 'enum':
      return value;
    case 'none':
      return value === undefined || value === null ? true : value;
    case 'bytes':
      return bytesFromJson(value) ?? noBytes(value);
    case 'f32':
    case 'f64':
      if (typeof value === 'number') return finite(value, type, value);
      return typeof value === 'string' ? parseFloating(value, type) : value;
    case 'u64':
    case 'i64':
      if (typeof value === 'string') return parseBig(type, value);
      if (typeof value !== 'number') return value;
      if (Number.isSafeInteger(value)) return BigInt(value);
      throw new ValueError('HMAP_VALUE_INVALID', `${type}, an integer (beyond 2^53 as a string)`, value);
    default:
      return typeof value === 'string' ? Number(parseBig(type, value)) : value;
  }
}

function noBytes(value: unknown): never {
  const expected =
    typeof value === 'string'
      ? 'text without unpaired surrogates, or {"base64": "..."}'
      : 'a string or {"base64": "..."}';
  throw new ValueError('HMAP_VALUE_INVALID', `bytes, ${expected}`, value);
}

/** Bytes from a string, or from `{"base64": "..."}`; `undefined` for anything else. */
export function bytesFromJson(value: unknown): Uint8Array | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? Buffer.from(value) : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const { base64, ...rest } = value as { base64?: unknown };
  if (typeof base64 !== 'string' || Object.keys(rest).length > 0) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  return bytes.toString('base64') === base64 ? bytes : undefined;
}

/**
 * The text of a typed key in a JSON Lines record; `undefined` for a number that has lost digits, and for what is not a
 * key.
 */
export function keyFromJson(key: unknown): Uint8Array | undefined {
  if (typeof key === 'string') return key.isWellFormed() ? Buffer.from(key) : undefined;
  return Number.isSafeInteger(key) || typeof key === 'bigint' ? Buffer.from(String(key)) : undefined;
}

export function textPrinter(type: StoredType): TextPrinter {
  if (isStruct(type)) return structPrinter(type);
  switch (type) {
    case 'none':
      return () => {};
    case 'bytes':
    case 'utf8':
    case 'enum':
      return (heap, at, length, out) => out.bytes(heap, at, length);
    case 'json':
      return (heap, at, length, out) => printJson(heap, at, length, out);
    case 'f32':
    case 'f64': {
      const decode = DECODERS[type];
      return (heap, at, length, out) => out.latin1(numberText(decode(heap, at, length)));
    }
    case 'u64':
    case 'i64':
      return printBig(type);
    default: {
      const decode = DECODERS[type];
      return (heap, at, length, out) => out.integer(decode(heap, at, length));
    }
  }
}

/** Prints integers of 64 bits. */
function printBig(type: 'u64' | 'i64'): TextPrinter {
  const decode = DECODERS[type];
  return (heap, at, length, out) => {
    const high = heap.view.getInt32(at + 4, true);
    // Below 2^53, a number holds it.
    if (high >= 0 && high < 2 ** 21) out.integer(high * 2 ** 32 + heap.view.getUint32(at, true));
    else out.latin1(String(decode(heap, at, length)));
  };
}

export function keyPrinter(type: KeyType): TextPrinter {
  if (type === 'bytes') return (heap, at, length, out) => out.bytes(heap, at, length);
  // They lie in the file as values of these types do.
  if (type === 'u32' || type === 'u64' || type === 'i64') return textPrinter(type);
  const decode = KEY_DECODERS[type];
  return (heap, at, length, out) => out.latin1(String(decode(heap, at, length)));
}

/** JSON on one line. What this project writes has no line ends; other writers may. */
function printJson(heap: ByteBuffer, at: number, length: number, out: Output): void {
  const bytes = heap.bytes.subarray(at, at + length);
  if (bytes.includes(0x0a) || bytes.includes(0x0d) || bytes.includes(0x09)) {
    out.text(onOneLine(bytes.toString()));
  } else {
    out.bytes(heap, at, length);
  }
}

function onOneLine(json: string): string {
  try {
    return canonicalJson(json);
  } catch {
    // Nested deeper than V8 can go, or not JSON, which `verify` reports. In a JSON text these stand between its
    // parts alone.
    return json.replace(/[\t\n\r]/g, ' ');
  }
}

/** A value as a JSON text. */
export function jsonPrinter(type: StoredType): TextPrinter {
  if (isStruct(type)) return structPrinter(type);
  switch (type) {
    case 'json':
      return printJson;
    case 'bytes':
    case 'utf8':
    case 'enum':
      return printJsonText;
    case 'none':
      return (_heap, _at, _length, out) => out.ascii('true');
    case 'u64':
    case 'i64': {
      const print = printBig(type);
      return (heap, at, length, out) => {
        out.ascii('"');
        print(heap, at, length, out);
        out.ascii('"');
      };
    }
    case 'f32':
    case 'f64': {
      const decode = DECODERS[type];
      return (heap, at, length, out) => out.latin1(numberJson(decode(heap, at, length)));
    }
    default:
      return textPrinter(type);
  }
}

/** A key as a JSON text. */
export function jsonKeyPrinter(type: KeyType): TextPrinter {
  if (type === 'bytes') return printJsonText;
  if (type === 'u32' || type === 'u64' || type === 'i64') return jsonPrinter(type);
  const decode = KEY_DECODERS[type];
  return (heap, at, length, out) => out.latin1(`"${decode(heap, at, length)}"`);
}

function printJsonText(heap: ByteBuffer, at: number, length: number, out: Output): void {
  if (!out.quoted(heap, at, length)) out.text(jsonOfBytes(heap.bytes.subarray(at, at + length)));
}

/** A JSON string where the bytes are UTF-8, else `{"base64": "..."}`. */
export function jsonOfBytes(bytes: Buffer): string {
  return inOneString(bytes.length, 'jsonl', () =>
    isUtf8(bytes) ? JSON.stringify(bytes.toString()) : JSON.stringify({ base64: bytes.toString('base64') }),
  );
}
