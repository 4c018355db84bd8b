// Value types: names, codes and widths. Knows nothing of how values are written or read.

import { VARIABLE } from './layout.js';

/** What a table's values are, by name. */
export interface ValueTypes {
  /** A set: `get` gives `true`. */
  none: true;
  bytes: Uint8Array;
  utf8: string;
  /** Anything that JSON can hold. */
  json: unknown;
  u8: number;
  i8: number;
  u16: number;
  i16: number;
  u32: number;
  i32: number;
  u64: bigint;
  i64: bigint;
  f32: number;
  f64: number;
}

export type ValueType = keyof ValueTypes;

/** What the header stores for each type: its position in this list. */
export const VALUE_TYPES = [
  'none',
  'bytes',
  'utf8',
  'json',
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'u64',
  'i64',
  'f32',
  'f64',
] as const satisfies readonly ValueType[];

const WIDTHS: Record<ValueType, number> = {
  none: 0,
  bytes: VARIABLE,
  utf8: VARIABLE,
  json: VARIABLE,
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  f32: 4,
  f64: 8,
};

/** Bytes of each value of the type, or {@link VARIABLE}. */
export function valueWidthOf(type: ValueType): number {
  return WIDTHS[type];
}

/** Smallest and largest value (inclusive) of the integer types. */
export const INTEGER_RANGES: Partial<Record<ValueType, readonly [bigint, bigint]>> = Object.fromEntries(
  [8, 16, 32, 64].flatMap((bits) => [
    [`u${bits}`, [0n, 2n ** BigInt(bits) - 1n]],
    [`i${bits}`, [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n]],
  ]),
);

export function isValueType(name: unknown): name is ValueType {
  return typeof name === 'string' && Object.hasOwn(WIDTHS, name);
}
