// What a plan is made from: counts and sums over the entries of an input. Knows no format, no representation and no
// arithmetic of files.

import { varintSize } from '../../src/internal.js';

/** Sums over the lengths of keys, or of values, in bytes. */
export interface Lengths {
  readonly bytes: number;
  readonly shortest: number;
  readonly longest: number;
  /** What a length prefix on each would take. */
  readonly prefixes: number;
}

export class LengthSums implements Lengths {
  bytes = 0;
  shortest = Number.POSITIVE_INFINITY;
  longest = 0;
  prefixes = 0;

  add(length: number): void {
    this.bytes += length;
    this.prefixes += varintSize(length);
    if (length < this.shortest) this.shortest = length;
    if (length > this.longest) this.longest = length;
  }
}

/** `count` things of `width` bytes each. */
export function lengthsOf(count: number, width: number): Lengths {
  return { bytes: count * width, shortest: width, longest: width, prefixes: count * varintSize(width) };
}

/** From the least to the most, inclusive. */
export interface Range {
  readonly least: bigint;
  readonly most: bigint;
}

/** What the keys are. */
export interface KeyFacts {
  readonly lengths: Lengths;
  /** Where all keys are integers in their one decimal form. */
  readonly integers: Range | undefined;
  /** Whether each key is the integer after the one before it. */
  readonly inOrder: boolean;
  /** Whether all keys are UUIDs in lower case with hyphens. */
  readonly uuid: boolean;
  /** Lengths of the bytes, where all keys are pairs of hexadecimal digits in lower case. */
  readonly hex: Lengths | undefined;
}

/** What the values are; a representation that prints each of them as it was holds them without loss. */
export interface ValueFacts {
  /** Lengths as `bytes` and `utf8` hold them. */
  readonly text: Lengths;
  /** Lengths as `json` holds them. */
  readonly json: Lengths;
  /** Where all values are integers. */
  readonly integers: Range | undefined;
  readonly holds: {
    readonly none: boolean;
    readonly bytes: boolean;
    readonly utf8: boolean;
    readonly json: boolean;
    /** The integer types that are numbers. */
    readonly numbers: boolean;
    /** `u64` and `i64`. */
    readonly bigs: boolean;
    readonly f32: boolean;
    readonly f64: boolean;
  };
  /** Distinct values, where they were counted and were not too many. */
  readonly distinct: { readonly count: number; readonly bytes: number } | undefined;
}

/** Values that no type holds. */
export const HELD_BY_NONE: ValueFacts['holds'] = {
  none: false,
  bytes: false,
  utf8: false,
  json: false,
  numbers: false,
  bigs: false,
  f32: false,
  f64: false,
};

/** Sums of what each entry takes elsewhere (rivals.ts). */
export interface RivalFacts {
  /** V8's strings of the keys, and of the values. */
  readonly keyStrings: number;
  readonly valueStrings: number;
  /** V8's numbers of the values; those that fit into a pointer take nothing. */
  readonly valueNumbers: number;
  readonly sqlite: { readonly cells: number; readonly overflowPages: number };
  readonly redis: { readonly keys: number; readonly values: number };
}

export interface Facts {
  readonly entries: number;
  readonly keys: KeyFacts;
  /** `undefined` for a set. */
  readonly values: ValueFacts | undefined;
  readonly rivals: RivalFacts;
}
