// Key types: names, codes and widths. Knows nothing of how keys are written or read.

import { VARIABLE } from './constants.js';

/** What a table's keys are, by name, as iteration gives them. */
export interface KeyTypes {
  bytes: Uint8Array;
  u32: number;
  u64: bigint;
  i64: bigint;
  /** Lower case, `01234567-89ab-cdef-0123-456789abcdef`. */
  uuid: string;
  /** An even number of hexadecimal digits, lower case. */
  hex: string;
}

export type KeyType = keyof KeyTypes;

/** A type whose keys are not given as bytes. */
export type TypedKey = Exclude<KeyType, 'bytes'>;

/** The typed array in which keys of a type lie side by side, where there is one. */
export const KEY_ARRAYS: { readonly [T in KeyType]?: string } = {
  u32: 'Uint32Array',
  u64: 'BigUint64Array',
  i64: 'BigInt64Array',
};

/** The form of the keys that a table accepts and returns. `string`: keys of type `bytes`, decoded as UTF-8. */
export type KeyForm = 'string' | KeyType;

/** What iteration yields, by form. */
export type KeyOf<F extends KeyForm> = F extends KeyType ? KeyTypes[F] : string;

/** Any key that iteration yields. */
export type AnyKey = Key | number | bigint;

/**
 * What lookups take if iteration yields `K`: BigInts also as safe integers, strings also as bytes if the keys are
 * bytes.
 */
export type KeyArgument<K> = K | (K extends bigint ? bigint | number : K extends number ? number : Key);

/** What the header stores for each type: its position in this list. */
export const KEY_TYPES = ['bytes', 'u32', 'u64', 'i64', 'uuid', 'hex'] as const satisfies readonly KeyType[];

export const KEY_FORMS: readonly KeyForm[] = ['string', ...KEY_TYPES];

const WIDTHS: Record<KeyType, number> = { bytes: VARIABLE, u32: 4, u64: 8, i64: 8, uuid: 16, hex: VARIABLE };

/** Bytes of each key of the type, or {@link VARIABLE} if any length is allowed. */
export function keyWidthOf(type: KeyType): number {
  return WIDTHS[type];
}

/** The type of the keys that a form shows. */
export function keyTypeOf(form: KeyForm): KeyType {
  return form === 'string' ? 'bytes' : form;
}

/** What a key may be given as. A string stands for its UTF-8 bytes. */
export type Key = string | Uint8Array;
