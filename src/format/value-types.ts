// Value types: names, codes and widths. Knows nothing of how values are written or read.

import { oneOf } from '../base/options.js';
import { FEATURES, indexWidth, VARIABLE } from './constants.js';
import {
  checkStruct,
  type FieldBits,
  type InProgram,
  isStruct,
  packedInteger,
  type StructText,
  type StructType,
  structOf,
} from './schema.js';

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
  u24: number;
  u40: number;
  u48: number;
  /** One of few distinct strings, each of which the file has once. */
  enum: string;
}

/** A typed array of numbers, or of BigInts. */
export type NumericArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

export type ValueType = keyof ValueTypes;

/** What a table's values are: a type's name, or the text of a schema. */
export type StoredType = ValueType | StructText;

/**
 * What a builder holds values as: `uint` becomes the narrowest of {@link UINTS} that holds all of them when the file is
 * written.
 */
export type BuildValueType = StoredType | 'uint';

/** What callers may name. */
export type ValueChoice = BuildValueType | StructType;

/** The JavaScript type of the values of each value type. */
export type ValueOf<T extends ValueChoice> = T extends ValueType
  ? ValueTypes[T]
  : T extends 'uint'
    ? number
    : T extends StructType<infer S>
      ? // RecordOf<S>, spelled out so that editors show the fields.
        { -readonly [N in keyof S]: InProgram<S[N]> }
      : Record<string, number | boolean>;

/** What the header stores for each type. */
const CODES: Record<ValueType, number> = {
  none: 0,
  bytes: 1,
  utf8: 2,
  json: 3,
  u8: 4,
  i8: 5,
  u16: 6,
  i16: 7,
  u32: 8,
  i32: 9,
  u64: 10,
  i64: 11,
  f32: 12,
  f64: 13,
  u24: 16,
  u40: 17,
  u48: 18,
  enum: 15,
};
export const STRUCT_CODE = 14;

export const VALUE_TYPES = Object.keys(CODES) as readonly ValueType[];
const TYPES_BY_CODE = new Map<number, ValueType | 'struct'>([
  ...VALUE_TYPES.map((type) => [CODES[type], type] as const),
  [STRUCT_CODE, 'struct'],
]);

/** What `uint` may become, the narrowest first. */
export const UINTS = ['u8', 'u16', 'u24', 'u32', 'u40', 'u48'] as const satisfies readonly ValueType[];

/** Whether `uint` may become the type. */
export function isUint(type: string | undefined): type is (typeof UINTS)[number] {
  return (UINTS as readonly (string | undefined)[]).includes(type);
}

/** The narrowest of {@link UINTS} that holds all numbers up to `largest`. */
function uintFor(largest: number): (typeof UINTS)[number] {
  return UINTS.find((type) => largest < 2 ** (8 * WIDTHS[type]))!;
}

/**
 * Whether a builder keeps the values in more bytes than it writes in the end: the final width depends on all values.
 */
export function isNarrowed(type: BuildValueType): type is 'uint' | 'enum' {
  return type === 'uint' || type === 'enum';
}

/**
 * Bytes of each value in the file, for types of {@link isNarrowed}.
 * @param largest the largest value; for `enum` the largest index, or -1 without entries
 */
export function narrowWidth(type: 'uint' | 'enum', largest: number): number {
  return type === 'uint' ? WIDTHS[uintFor(largest)] : indexWidth(largest + 1);
}

export function codeOf(type: StoredType): number {
  return isStruct(type) ? STRUCT_CODE : CODES[type];
}

/** The type of a code; `struct` if the schema says the rest. */
export function typeOfCode(code: number): ValueType | 'struct' | undefined {
  return TYPES_BY_CODE.get(code);
}

/** Required features of files with such values. */
export function valueFeatures(type: StoredType | 'struct'): number {
  if (type === 'enum') return FEATURES.enumValues;
  return type === 'u24' || type === 'u40' || type === 'u48' || type.startsWith('struct') ? FEATURES.packedValues : 0;
}

/**
 * A value type as a caller names it, in the form in which it is used.
 * @throws {TypeError} naming the option
 */
export function checkValueType(value: ValueChoice): BuildValueType {
  const isSchema =
    typeof value === 'string' ? isStruct(value) : typeof value === 'object' && value !== null && 'struct' in value;
  if (isSchema) return checkStruct(value as StructType | StructText);
  return oneOf<BuildValueType>('value', value as BuildValueType, [...VALUE_TYPES, 'uint']);
}

/** What the header stores for elements that are packed into bits; how many bits they have is said elsewhere. */
export const PACKED = 19;

/** Integers of 1 to 53 bits, without a sign or with one. */
export type PackedType = `${'u' | 'i'}${FieldBits}`;

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
  u24: 3,
  u40: 5,
  u48: 6,
  // The number that a builder assigns to a string.
  enum: 4,
};

/** Bytes of each value of the type, or {@link VARIABLE}; as a builder holds them, see {@link isNarrowed}. */
export function valueWidthOf(type: BuildValueType): number {
  if (type === 'uint') return WIDTHS.u48;
  return isStruct(type) ? structOf(type).bytes : WIDTHS[type];
}

/** Smallest and largest value (inclusive) of the integer types. */
export const INTEGER_RANGES: Partial<Record<BuildValueType, readonly [bigint, bigint]>> = {
  ...Object.fromEntries(
    [8, 16, 32, 64].flatMap((bits) => [
      [`u${bits}`, [0n, 2n ** BigInt(bits) - 1n]],
      [`i${bits}`, [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n]],
    ]),
  ),
  u24: [0n, 2n ** 24n - 1n],
  u40: [0n, 2n ** 40n - 1n],
  u48: [0n, 2n ** 48n - 1n],
  uint: [0n, 2n ** 48n - 1n],
};

/** Smallest and largest value, inclusive, of packed elements. */
export function packedRange(bits: number, signed: boolean): readonly [number, number] {
  return signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
}

export function isListType(name: unknown): name is ListType {
  return packedInteger(name) !== undefined || ['f32', 'f64', 'utf8', 'bytes'].includes(name as string);
}

/** The types of {@link isListType}, for messages. */
export const LIST_TYPES = 'u1 to u53, i1 to i53, f32, f64, utf8 or bytes';

/**
 * The type of a list's elements as a caller names it.
 * @throws {TypeError} naming the option
 */
export function checkListType(value: unknown): ListType {
  if (isListType(value)) return value;
  throw new TypeError(`value: expected ${LIST_TYPES}, got ${String(value)}`);
}
