// Numbers as text. Knows how they are written; knows no value types.

import { type ByteBuffer, ValueError } from '../../src/internal.js';
import type { Output } from '../terminal/output.js';

const NUMBER = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const SPECIAL = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

/** An integer as text, of so few digits that reading it is cheap; also as programs write it that know only reals. */
export const INTEGER = /^[+-]?\d{1,40}(?:\.0*)?$/;

/** @param expected what the error says was expected if the text is not an integer */
export function parseInteger(text: string, expected: () => string): bigint {
  if (INTEGER.test(text)) return BigInt(text.replace(/^\+/, '').split('.', 1)[0]!);
  throw new ValueError('HMAP_VALUE_INVALID', expected(), text);
}

/** @param what what a message calls the number */
export function parseFloating(text: string, what: string): number {
  const special = SPECIAL.get(text);
  if (special !== undefined) return special;
  if (!NUMBER.test(text)) throw new ValueError('HMAP_VALUE_INVALID', `${what}, a number`, text);
  return finite(Number(text), what, text);
}

/** Refuses what a text makes of a number that is too large for a double. */
export function finite(value: number, what: string, actual: unknown): number {
  if (Number.isFinite(value)) return value;
  throw new ValueError('HMAP_VALUE_RANGE', `${what}, a number that it can hold`, actual);
}

/** A number so that reading it gives the same number: `String` loses the sign of a zero. */
export function numberText(value: number | bigint): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** A number as a JSON text; as a string if JSON has no such number. */
export function numberJson(value: number): string {
  return Number.isFinite(value) ? numberText(value) : `"${value}"`;
}

/** Prints keys or values as text. */
export type TextPrinter = (heap: ByteBuffer, at: number, length: number, out: Output) => void;
