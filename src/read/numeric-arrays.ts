// Typed arrays as a place for values: which arrays hold all values of a type, and in what form the core hands these
// over. Does not know tables.

import { isTypedArray } from 'node:util/types';
import { kindOf } from '../base/options.js';
import { packedInteger } from '../format/schema.js';
import {
  INTEGER_RANGES,
  type ListType,
  type NumericArray,
  packedRange,
  type StoredType,
  valueWidthOf,
} from '../format/value-types.js';

/** The integers that each array holds exactly, both ends included. */
const RANGES: Readonly<Record<string, readonly [least: number, most: number]>> = {
  Int8Array: [-(2 ** 7), 2 ** 7 - 1],
  Uint8Array: [0, 2 ** 8 - 1],
  Uint8ClampedArray: [0, 2 ** 8 - 1],
  Int16Array: [-(2 ** 15), 2 ** 15 - 1],
  Uint16Array: [0, 2 ** 16 - 1],
  Int32Array: [-(2 ** 31), 2 ** 31 - 1],
  Uint32Array: [0, 2 ** 32 - 1],
  Float32Array: [-(2 ** 24), 2 ** 24],
  Float64Array: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};
/** Of the types that are no integers in a program's numbers. */
const ARRAYS: Readonly<Record<string, readonly string[]>> = {
  f32: ['Float32Array', 'Float64Array'],
  f64: ['Float64Array'],
  u64: ['BigUint64Array'],
  i64: ['BigInt64Array'],
};

/** The arrays that hold all values of a type; none if the values are no numbers. */
function arraysFor(type: StoredType | ListType): readonly string[] {
  const named = ARRAYS[type];
  if (named !== undefined) return named;
  const range = INTEGER_RANGES[type as keyof typeof INTEGER_RANGES] ?? rangeOfPacked(type);
  if (range === undefined) return [];
  return Object.keys(RANGES).filter((name) => RANGES[name]![0] <= range[0] && range[1] <= RANGES[name]![1]);
}

function rangeOfPacked(type: StoredType | ListType): readonly [number, number] | undefined {
  const packed = packedInteger(type);
  return packed && packedRange(packed.bits, packed.signed);
}

/**
 * Checks that an array holds `count` values of a type.
 * @throws {TypeError} if it is no array for them, or they are no numbers; a RangeError if it is too short
 */
export function needArrayFor(type: StoredType | ListType, out: unknown, count: number): asserts out is NumericArray {
  const arrays = arraysFor(type);
  if (arrays.length === 0) throw new TypeError(`getManyInto: the values are ${type}, not numbers`);
  const name = isTypedArray(out) ? out[Symbol.toStringTag] : typeof out;
  if (!arrays.includes(name)) {
    throw new TypeError(`out: for values of ${type}, expected ${arrays.join(' or ')}, got ${name}`);
  }
  const { length } = out as NumericArray;
  if (length < count) throw new RangeError(`out: expected at least ${count} elements, one for each key, got ${length}`);
}

/**
 * Numbers as an array. Whatever code yields them has run when it returns; that all are numbers, the caller checks.
 * @param name for the message
 * @throws {TypeError} if they are not an iterable
 */
export function numbersOf(name: string, numbers: Iterable<number>): ArrayLike<number> {
  if (typeof numbers !== 'object' || numbers === null || !(Symbol.iterator in numbers)) {
    throw new TypeError(`${name}: expected an iterable of numbers, got ${kindOf(numbers)}`);
  }
  return isTypedArray(numbers) ? (numbers as unknown as ArrayLike<number>) : [...numbers];
}

/** A list that does not change when `out` is written to, before it has all been read. */
export function apart<T>(list: ArrayLike<T>, out: NumericArray): ArrayLike<T> {
  return isTypedArray(list) && list.buffer === out.buffer ? (list.slice() as unknown as ArrayLike<T>) : list;
}

/** How the core hands over the values of a type: by which of its functions, of how many bytes, and as what. */
export interface Numbers {
  readonly take: 'takeUnsigned' | 'takeSigned' | 'takeWords' | 'takeLong';
  readonly width: number;
  readonly as: new (buffer: ArrayBufferLike, at: number, length: number) => NumericArray;
}

/** `undefined` if it does not. */
export function numbersIn(type: StoredType): Numbers | undefined {
  const width = valueWidthOf(type);
  switch (type) {
    case 'u8':
    case 'u16':
    case 'u24':
    case 'u32':
      return { take: 'takeUnsigned', width, as: Uint32Array };
    case 'i8':
    case 'i16':
    case 'i32':
      return { take: 'takeSigned', width, as: Int32Array };
    case 'f32':
      return { take: 'takeUnsigned', width, as: Float32Array };
    case 'u40':
    case 'u48':
      return { take: 'takeLong', width, as: Float64Array };
    case 'f64':
      return { take: 'takeWords', width, as: Float64Array };
    case 'u64':
      return { take: 'takeWords', width, as: BigUint64Array };
    case 'i64':
      return { take: 'takeWords', width, as: BigInt64Array };
    default:
      return undefined;
  }
}
