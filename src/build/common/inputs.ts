// What users hand to a build, by the layout: entries, and the options of layouts without keys. Types alone, so that the
// declarations that users get need no builder; options of tables are in options.ts.

import type { KeyArgument, KeyForm, KeyOf } from '../../format/key-types.js';
import type { ListType, NumericArray, ValueChoice, ValueOf } from '../../format/value-types.js';
import type { CommonOptions } from './options.js';

/** What can be built from: pairs of key and value, or bare keys for a set. */
export type Entry<T extends ValueChoice, F extends KeyForm = 'bytes'> = T extends 'none'
  ? KeyArgument<KeyOf<F>> | readonly [key: KeyArgument<KeyOf<F>>, value?: true | undefined]
  : readonly [key: KeyArgument<KeyOf<F>>, value: ValueOf<T>];

/** The typed array that holds keys of each type side by side. */
interface KeyColumns {
  u32: Uint32Array;
  u64: BigUint64Array;
  i64: BigInt64Array;
}

/**
 * Many entries at once, as two columns: number `i` of each is an entry. They must stay as they are until the build has
 * taken them: until the next ones are asked for, or the build is done.
 */
export interface EntryColumns<T extends ValueChoice = ValueChoice, F extends keyof KeyColumns = keyof KeyColumns> {
  readonly keys: KeyColumns[F];
  /** Numbers, each of which must be a value of the type, or BigInts for `u64` and `i64`. Nothing for a set. */
  readonly values?: T extends 'none' ? undefined : NumericArray;
}

/** Common options of layouts without keys. */
export interface KeylessBuildOptions extends CommonOptions {
  /** The first integer; default 0. */
  base?: number;
}

/** How a list is built, from bare values in their order. */
export interface ListBuildOptions<T extends ListType = ListType> extends KeylessBuildOptions {
  layout: 'list';
  /** Type of the elements: packed integers `u1` to `u53` and `i1` to `i53`, `f32`, `f64`, `utf8` or `bytes`. */
  value: T;
}

/** How a bit array is built, from integers in any order; duplicates are ignored. */
export interface BitsBuildOptions extends KeylessBuildOptions {
  layout: 'bits';
  /** How many integers, from `base` on, could be in the set. Default: up to the largest integer in the set. */
  length?: number;
}

/**
 * How a set of integers is built from integers in any order, in the form whose file is smaller; duplicates are ignored.
 */
export interface IntegerSetBuildOptions extends CommonOptions {
  layout: 'auto';
}
