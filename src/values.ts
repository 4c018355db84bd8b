// Encodes and decodes single values by type (native-notes/format.md, section 7). Knows nothing of records or files.

import { isUtf8 } from 'node:buffer';
import { Block } from './bytes.js';
import { HmapError, type HmapErrorCode } from './errors.js';
import type { KeyType } from './key-types.js';
import { kindOf } from './keys.js';
import { MAX_VALUE_BYTES } from './layout.js';
import { decodeText } from './text.js';
import { keyForUserOf, showKeyOf } from './typed-keys.js';
import { INTEGER_RANGES, type ValueType, type ValueTypes } from './types.js';

/** A value in bytes: `length` bytes of `block` from `at`. Valid until the next value is encoded. */
export interface EncodedValue {
  block: Block;
  at: number;
  length: number;
}

export type ValueEncoder = (value: unknown, out: EncodedValue) => void;

/** Why a value cannot be stored; the builder adds the key to it. */
export class ValueError extends Error {
  constructor(
    readonly code: HmapErrorCode,
    readonly expected: string,
    readonly actual: unknown,
  ) {
    super(`expected ${expected}, got ${show(actual)}`);
  }

  /** The error as users see it. */
  forKey(key: Uint8Array, line?: number, keyType: KeyType = 'bytes'): HmapError {
    const where = line === undefined ? '' : `line ${line}: `;
    const data = { expected: this.expected, actual: this.actual, key: keyForUserOf(keyType, key) };
    const message = `${where}the value of key ${showKeyOf(keyType, key)}: ${this.message}`;
    return new HmapError(this.code, message, line === undefined ? data : { ...data, line });
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

function outOfRange(type: ValueType, actual: unknown): never {
  const [least, most] = INTEGER_RANGES[type]!;
  throw new ValueError('HMAP_VALUE_RANGE', `${type}, an integer from ${least} to ${most}`, actual);
}

/** Refuses a value above the limit; `bytes` is its length. */
export function checkValueLength(bytes: number): void {
  if (bytes > MAX_VALUE_BYTES) {
    throw new ValueError('HMAP_VALUE_TOO_LONG', `at most ${MAX_VALUE_BYTES} bytes`, bytes);
  }
}

/** NaNs are written with one pattern each, so that the same entries make the same file. */
const NAN32 = 0x7fc0_0000;
const NAN64 = 0x7ff8_0000_0000_0000n;

/** Makes the encoder of one value type. It reuses its memory: use one encoder for one build. */
export function valueEncoder(type: ValueType): ValueEncoder {
  const scratch = new Block(4096);
  const { view } = scratch;
  const number = (bytes: number, write: (value: number) => void): ValueEncoder => {
    return (value, out) => {
      if (typeof value !== 'number') invalid(`${type}, a number`, value);
      write(value);
      out.block = scratch;
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
      out.block = scratch;
      out.at = 0;
      out.length = 8;
    };
  };
  switch (type) {
    case 'none':
      return (value, out) => {
        if (value !== true && value !== undefined) invalid('true or nothing (the table is a set)', value);
        out.block = scratch;
        out.at = 0;
        out.length = 0;
      };
    case 'bytes':
      return bytesEncoder();
    case 'utf8':
      return textEncoder(scratch, (value) => (typeof value === 'string' ? value : invalid('utf8, a string', value)));
    case 'json':
      return textEncoder(scratch, jsonText);
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
    case 'u64':
      return big((value) => view.setBigUint64(0, value, true));
    case 'i64':
      return big((value) => view.setBigInt64(0, value, true));
    case 'f32':
      return number(4, (value) => {
        if (Number.isNaN(value)) view.setUint32(0, NAN32, true);
        else if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) {
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

function bytesEncoder(): ValueEncoder {
  const scratch = new Block(4096);
  return (value, out) => {
    if (!(value instanceof Uint8Array)) invalid('bytes, a Uint8Array', value);
    checkValueLength(value.length);
    if (value.length <= scratch.size) {
      scratch.bytes.set(value);
      out.block = scratch;
    } else {
      out.block = new Block(value);
    }
    out.at = 0;
    out.length = value.length;
  };
}

function textEncoder(scratch: Block, textOf: (value: unknown) => string): ValueEncoder {
  const encoder = new TextEncoder();
  return (value, out) => {
    const text = textOf(value);
    out.at = 0;
    if (3 * text.length <= scratch.size) {
      out.block = scratch;
      out.length = encoder.encodeInto(text, scratch.bytes).written;
    } else {
      out.length = Buffer.byteLength(text);
      checkValueLength(out.length);
      out.block = new Block(Buffer.from(text));
    }
    if (out.length !== text.length && !text.isWellFormed()) invalid('text without half surrogate pairs', value);
  };
}

function jsonText(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    invalid(`a value that JSON can hold (${why})`, value);
  }
  return text ?? invalid('a value that JSON can hold', value);
}

export type ValueDecoder<V> = (block: Block, at: number, length: number) => V;

/** Decoders by type: a value from `length` bytes of `block` at `at`. The numeric ones allocate nothing but a BigInt. */
export const DECODERS: { readonly [T in ValueType]: ValueDecoder<ValueTypes[T]> } = {
  none: () => true,
  bytes: (block, at, length) => block.plain.slice(at, at + length),
  utf8: (block, at, length) => decodeText(block, at, length),
  json: (block, at, length) => {
    const text = decodeText(block, at, length);
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new HmapError('HMAP_DAMAGED', `a value is not valid JSON: ${(error as Error).message}`, { cause: error });
    }
  },
  u8: (block, at) => block.view.getUint8(at),
  i8: (block, at) => block.view.getInt8(at),
  u16: (block, at) => block.view.getUint16(at, true),
  i16: (block, at) => block.view.getInt16(at, true),
  u32: (block, at) => block.view.getUint32(at, true),
  i32: (block, at) => block.view.getInt32(at, true),
  u64: (block, at) => block.view.getBigUint64(at, true),
  i64: (block, at) => block.view.getBigInt64(at, true),
  f32: (block, at) => block.view.getFloat32(at, true),
  f64: (block, at) => block.view.getFloat64(at, true),
};

/** Whether bytes are a value of the type; what `verify` holds each value to. Fixed widths are checked elsewhere. */
export function isValueOf(type: ValueType, block: Block, at: number, length: number): boolean {
  const { view } = block;
  if (type === 'f32') return !Number.isNaN(view.getFloat32(at, true)) || view.getUint32(at, true) === NAN32;
  if (type === 'f64') return !Number.isNaN(view.getFloat64(at, true)) || view.getBigUint64(at, true) === NAN64;
  if (type !== 'utf8' && type !== 'json') return true;
  const bytes = block.bytes.subarray(at, at + length);
  if (!isUtf8(bytes)) return false;
  if (type === 'utf8') return true;
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}
