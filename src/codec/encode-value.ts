// Encodes single values by type (native-notes/format.md, section 7), and says why one cannot be stored. Knows nothing
// of records or files.

import { TextEncoder } from 'node:util';
import { isNativeError, isUint8Array } from 'node:util/types';
import { ByteBuffer, type ByteSlice, LOOSE, writeU64 } from '../base/bytes.js';
import { HmapError, type HmapErrorCode } from '../base/errors.js';
import { type JsonLoss, jsonLoss } from '../base/json.js';
import { kindOf } from '../base/options.js';
import { MAX_TEXT_BYTES, MAX_VALUE_BYTES } from '../format/constants.js';
import type { KeyType } from '../format/key-types.js';
import { type Field, isStruct, type Struct, structOf } from '../format/schema.js';
import { type BuildValueType, INTEGER_RANGES } from '../format/value-types.js';
import { NAN32, NAN64, writeField } from './bit-fields.js';
import { keyForError, showKey } from './key-text.js';

/** Puts a value's bytes into `out`, where they are valid until the next value is encoded. */
export type ValueEncoder = (value: unknown, out: ByteSlice) => void;

/** Why a value cannot be stored; the builder adds the key. */
export class ValueError extends Error {
  constructor(
    readonly code: HmapErrorCode,
    readonly expected: string,
    readonly actual: unknown,
  ) {
    super(`expected ${expected}, got ${show(actual)}`);
  }

  /** The error as users see it. */
  forKey(key: Uint8Array, keyType: KeyType): HmapError {
    const data = { expected: this.expected, actual: this.actual, key: keyForError(keyType, key) };
    return new HmapError(this.code, `the value of key ${showKey(keyType, key)}: ${this.message}`, data);
  }
}

function show(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  return kindOf(value);
}

function invalid(expected: string, actual: unknown): never {
  throw new ValueError('HMAP_VALUE_INVALID', expected, actual);
}

function outOfRange(type: BuildValueType, actual: unknown): never {
  const [least, most] = INTEGER_RANGES[type]!;
  throw new ValueError('HMAP_VALUE_RANGE', `${type}, an integer from ${least} to ${most}`, actual);
}

/** Refuses a value of a type that is too long; `bytes` is its length. */
export function checkValueLength(type: BuildValueType, bytes: number): void {
  const most = type === 'bytes' ? MAX_VALUE_BYTES : MAX_TEXT_BYTES;
  if (bytes > most) {
    throw new ValueError('HMAP_VALUE_TOO_LONG', `${type} of at most ${most} bytes`, bytes);
  }
}

/** Returns the encoder of a value type. It reuses its memory: use one encoder for one build. */
export function valueEncoder(type: BuildValueType): ValueEncoder {
  if (isStruct(type)) return structEncoder(structOf(type));
  const scratch = new ByteBuffer(4096);
  const { view } = scratch;
  const number = (bytes: number, write: (value: number) => void): ValueEncoder => {
    return (value, out) => {
      if (typeof value !== 'number') invalid(`${type}, a number`, value);
      write(value);
      out.buffer = scratch;
      out.at = 0;
      out.length = bytes;
    };
  };
  const integer = (bytes: number, write: (value: number) => void): ValueEncoder => {
    const [least, most] = INTEGER_RANGES[type]!.map(Number) as [number, number];
    return number(bytes, (value) => {
      if (!(value >= least && value <= most && Number.isInteger(value))) outOfRange(type, value);
      write(value);
    });
  };
  const big = (write: (value: bigint) => void): ValueEncoder => {
    const [least, most] = INTEGER_RANGES[type]!;
    return (value, out) => {
      if (typeof value !== 'bigint') invalid(`${type}, a BigInt`, value);
      if (value < least || value > most) outOfRange(type, value);
      write(value);
      out.buffer = scratch;
      out.at = 0;
      out.length = 8;
    };
  };
  switch (type) {
    case 'none':
      return (value, out) => {
        if (value !== true && value !== undefined) invalid('true or nothing (the table is a set)', value);
        out.buffer = scratch;
        out.at = 0;
        out.length = 0;
      };
    case 'bytes':
      return bytesEncoder();
    case 'utf8':
    case 'enum':
      return textEncoder(type, scratch, (value) =>
        typeof value === 'string' ? value : invalid(`${type}, a string`, value),
      );
    case 'json':
      return textEncoder(type, scratch, jsonText);
    case 'u8':
      return integer(1, (value) => view.setUint8(0, value));
    case 'i8':
      return integer(1, (value) => view.setInt8(0, value));
    case 'u16':
      return integer(2, (value) => view.setUint16(0, value, true));
    case 'i16':
      return integer(2, (value) => view.setInt16(0, value, true));
    case 'u32':
      return integer(4, (value) => view.setUint32(0, value, true));
    case 'i32':
      return integer(4, (value) => view.setInt32(0, value, true));
    case 'u24':
      return integer(3, (value) => view.setUint32(0, value, true));
    case 'u40':
      return integer(5, (value) => writeU64(view, 0, value));
    case 'u48':
    case 'uint':
      return integer(6, (value) => writeU64(view, 0, value));
    case 'u64':
      return big((value) => view.setBigUint64(0, value, true));
    case 'i64':
      return big((value) => view.setBigInt64(0, value, true));
    case 'f32':
      return number(4, (value) => {
        if (Number.isNaN(value)) view.setUint32(0, NAN32, true);
        else if (passesSingle(value)) {
          throw new ValueError('HMAP_VALUE_RANGE', 'f32, a number that it can hold', value);
        } else view.setFloat32(0, value, true);
      });
    case 'f64':
      return number(8, (value) => {
        if (Number.isNaN(value)) view.setBigUint64(0, NAN64, true);
        else view.setFloat64(0, value, true);
      });
  }
}

/** Whether a finite number is too large for f32. */
function passesSingle(value: number): boolean {
  return Number.isFinite(value) && !Number.isFinite(Math.fround(value));
}

function structEncoder({ fields, bytes }: Struct): ValueEncoder {
  // Copies of whole words read a few bytes past the record.
  const scratch = new ByteBuffer(bytes + LOOSE);
  const { view } = scratch;
  const checks = fields.map(fieldCheck);
  return (value, out) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
      invalid('an object with the fields of the schema', value);
    }
    const record = value as Record<string, unknown>;
    const names = Object.keys(record);
    scratch.bytes.fill(0);
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!;
      if (!Object.hasOwn(record, field.name)) invalid(`the field '${field.name}' (${field.type})`, value);
      writeField(field, view, 0, checks[i]!(record[field.name]));
    }
    if (names.length !== fields.length) {
      const unknown = names.find((name) => !fields.some((field) => field.name === name));
      if (unknown !== undefined) invalid(`only fields of the schema, not '${unknown}'`, value);
    }
    out.buffer = scratch;
    out.at = 0;
    out.length = bytes;
  };
}

/** Returns a function that checks a field's value and returns it as a number. */
function fieldCheck({ name, type, kind, bits }: Field): (value: unknown) => number {
  const where = `the field '${name}' to be ${type}`;
  if (kind === 'bool') {
    return (value) => (typeof value === 'boolean' ? Number(value) : invalid(`${where}, true or false`, value));
  }
  const least = kind === 'signed' ? -(2 ** (bits - 1)) : 0;
  const most = kind === 'signed' ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  const isFloat = kind === 'float';
  const isSingle = type === 'f32';
  return (value) => {
    if (typeof value !== 'number') return invalid(`${where}, a number`, value);
    if (isFloat) {
      if (!isSingle || !passesSingle(value)) return value;
      throw new ValueError('HMAP_VALUE_RANGE', `${where}, a number that it can hold`, value);
    }
    if (value >= least && value <= most && Number.isInteger(value)) return value;
    throw new ValueError('HMAP_VALUE_RANGE', `${where}, an integer from ${least} to ${most}`, value);
  };
}

function bytesEncoder(): ValueEncoder {
  const scratch = new ByteBuffer(4096);
  return (value, out) => {
    if (!isUint8Array(value)) invalid('bytes, a Uint8Array', value);
    checkValueLength('bytes', value.length);
    if (value.length <= scratch.size) {
      scratch.bytes.set(value);
      out.buffer = scratch;
    } else {
      out.buffer = new ByteBuffer(value);
    }
    out.at = 0;
    out.length = value.length;
  };
}

function textEncoder(type: BuildValueType, scratch: ByteBuffer, textOf: (value: unknown) => string): ValueEncoder {
  const encoder = new TextEncoder();
  return (value, out) => {
    const text = textOf(value);
    out.at = 0;
    if (3 * text.length <= scratch.size) {
      out.buffer = scratch;
      out.length = encoder.encodeInto(text, scratch.bytes).written;
    } else {
      out.length = Buffer.byteLength(text);
      checkValueLength(type, out.length);
      out.buffer = new ByteBuffer(Buffer.from(text));
    }
    if (out.length !== text.length && !text.isWellFormed()) invalid('text without unpaired surrogates', value);
  };
}

function jsonText(value: unknown): string {
  let text: string | undefined;
  let loss: JsonLoss | undefined;
  try {
    text = JSON.stringify(value);
    loss = text === undefined ? undefined : jsonLoss(value, text);
  } catch (error) {
    const why = isNativeError(error) ? error.message : String(error);
    invalid(`a value that JSON can hold (${why})`, value);
  }
  if (loss !== undefined) {
    const code = typeof loss.actual === 'number' ? 'HMAP_VALUE_RANGE' : 'HMAP_VALUE_INVALID';
    throw new ValueError(code, `json, ${loss.expected}`, loss.actual);
  }
  return text ?? invalid('a value that JSON can hold', value);
}
