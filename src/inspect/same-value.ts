// Whether a value of one table and a value of another are the same, whatever types hold them. Knows types; does not know
// tables.

import { isDeepStrictEqual } from 'node:util';
import { ByteBuffer, type ByteSlice } from '../base/bytes.js';
import { DECODERS, valueDecoder } from '../codec/decode-value.js';
import type { Header } from '../format/header.js';
import { packedInteger } from '../format/schema.js';

/** What of a header says how its values are to be read. */
export type ValueForm = Pick<Header, 'valueType' | 'layout'>;

/** Compares two values where they lie; those of `enum` are their strings. */
export type SameValue = (a: ByteSlice, b: ByteSlice) => boolean;

/** Types whose values are compared as bytes. */
const BYTES: readonly string[] = ['bytes', 'utf8', 'enum'];

/**
 * How values of these two are compared: by their bytes where they have one type, otherwise by what a program would get.
 * Numbers are the same if they are equal, whatever their types; strings if their bytes are.
 */
export function sameValue(a: ValueForm, b: ValueForm): SameValue {
  // Elements that are numbers come as doubles, whatever their type.
  const areAlike = a.valueType === b.valueType && isNumeric(a) === isNumeric(b);
  if (areAlike || (BYTES.includes(a.valueType) && BYTES.includes(b.valueType))) return sameBytes;
  const [first, second] = [readerOf(a), readerOf(b)];
  return (x, y) => isSame(first(x), second(y));
}

function sameBytes(a: ByteSlice, b: ByteSlice): boolean {
  return (
    a.length === b.length && a.buffer.bytes.compare(b.buffer.bytes, b.at, b.at + b.length, a.at, a.at + a.length) === 0
  );
}

function readerOf({ valueType, layout }: ValueForm): (value: ByteSlice) => unknown {
  // Elements of a list that are numbers come as such.
  if (layout === 'list' && !BYTES.includes(valueType)) return ({ buffer, at }) => buffer.view.getFloat64(at, true);
  if (BYTES.includes(valueType)) return ({ buffer, at, length }) => textOf(buffer, at, length);
  if (valueType === 'json') return (value) => readJson(value);
  const decode = valueDecoder(valueType as Parameters<typeof valueDecoder>[0]);
  return ({ buffer, at, length }) => decode(buffer, at, length);
}

function textOf(buffer: ByteBuffer, at: number, length: number): string | Uint8Array {
  return DECODERS.utf8(buffer, at, length);
}

const INTEGER = /^-?\d{16,}$/;

/** A JSON value; one that is an integer with all of its digits. */
function readJson({ buffer, at, length }: ByteSlice): unknown {
  const text = buffer.bytes.toString('utf8', at, at + length);
  return INTEGER.test(text) ? BigInt(text) : DECODERS.json(buffer, at, length);
}

function isSame(a: unknown, b: unknown): boolean {
  const areNumbers = [a, b].every((value) => typeof value === 'number' || typeof value === 'bigint');
  if (!areNumbers) return isDeepStrictEqual(a, b);
  // biome-ignore lint/suspicious/noDoubleEquals: a number and a BigInt may be equal
  return a == b || (Number.isNaN(a) && Number.isNaN(b));
}

/** The value of a list of numbers as {@link SameValue} takes it. */
export class NumberSlice implements ByteSlice {
  buffer: ByteBuffer = new ByteBuffer(8);
  at = 0;
  length = 8;

  set(value: number): this {
    this.buffer.view.setFloat64(0, value, true);
    return this;
  }
}

/** Whether the elements are numbers, which come as {@link NumberSlice}. */
export function isNumeric({ valueType, layout }: ValueForm): boolean {
  return layout === 'list' && (packedInteger(valueType) !== undefined || valueType === 'f32' || valueType === 'f64');
}
