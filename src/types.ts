// Value types: names, codes and widths. Knows nothing of how values are written or read.

import { VARIABLE } from './layout.js';
import { MOST_ELEMENT_BITS } from './plain-layout.js';

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

/** What the header stores for elements that are packed into bits; how many bits they have is said elsewhere. */
export const PACKED = 19;

// biome-ignore format: a range is one line
type ElementBits = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 | 17 | 18 | 19 | 20 | 21 | 22 | 23 | 24 | 25 | 26 | 27 | 28 | 29 | 30 | 31 | 32 | 33 | 34 | 35 | 36 | 37 | 38 | 39 | 40 | 41 | 42 | 43 | 44 | 45 | 46 | 47 | 48 | 49 | 50 | 51 | 52 | 53;

/** Integers of 1 to 53 bits, without a sign or with one. */
export type PackedType = `${'u' | 'i'}${ElementBits}`;

/** What the elements of a list are. */
export type ListType = PackedType | 'f32' | 'f64' | 'utf8' | 'bytes';

/** An element as a program has it. */
export type ListValue<T extends ListType> = T extends 'utf8' ? string : T extends 'bytes' ? Uint8Array : number;

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

/** Bits and sign of a packed type by its name; `undefined` for any other name. */
export function packedOf(name: unknown): { readonly bits: number; readonly signed: boolean } | undefined {
  const match = typeof name === 'string' ? /^([ui])([1-9]\d?)$/.exec(name) : null;
  if (match === null || Number(match[2]) > MOST_ELEMENT_BITS) return undefined;
  return { bits: Number(match[2]), signed: match[1] === 'i' };
}

/** Smallest and largest value, inclusive, of packed elements. */
export function packedRange(bits: number, signed: boolean): readonly [number, number] {
  return signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
}

export function isListType(name: unknown): name is ListType {
  return packedOf(name) !== undefined || ['f32', 'f64', 'utf8', 'bytes'].includes(name as string);
}
