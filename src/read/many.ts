// Many keys at once: what each question about them gives back. Knows values and arrays of them; how a batch of keys is
// found is batch.ts and core-batch.ts.

import { isTypedArray, isUint8Array } from 'node:util/types';
import { kindOf } from '../base/options.js';
import type { ValueDecoder } from '../codec/decode-value.js';
import type { KeyHasher } from '../codec/typed-keys.js';
import { type CoreReason, type CoreReasonCode, coreIn, whyNoCore } from '../core/core.js';
import type { HashHeader } from '../format/header.js';
import { KEY_ARRAYS, type Key, type KeyType } from '../format/key-types.js';
import type { NumericArray, StoredType } from '../format/value-types.js';
import type { HashSegment } from '../storage/hash-segment.js';
import { Batch } from './batch.js';
import { CoreBatch } from './core-batch.js';
import { FingerprintLookup } from './fingerprint-lookup.js';
import type { Lookup } from './lookup.js';
import { apart, needArrayFor, numbersIn } from './numeric-arrays.js';

/** Returns the bytes of a value, for users. */
export type ValueView = (segment: HashSegment, at: number, length: number) => Uint8Array;

/** Keys that lie side by side in memory as the core takes them. */
type KeyWords = Uint32Array | BigUint64Array | BigInt64Array;

/**
 * Keys as an array.
 * @throws {TypeError} if they are not an iterable of keys
 */
export function listOf<T>(keys: Iterable<T>): ArrayLike<T> {
  const iterable = typeof keys === 'object' && keys !== null && Symbol.iterator in keys;
  if (!iterable || isUint8Array(keys)) throw new TypeError('keys: expected an iterable of keys');
  if (isTypedArray(keys)) return keys as unknown as ArrayLike<T>;
  // A copy: the elements of an array may be accessors, which could reload the table between two lookups.
  return [...keys];
}

/**
 * What is written for a key that is not there. Throws as `Table.getManyInto` does.
 * @param type of the values
 */
export function checkInto(
  type: StoredType,
  keys: ArrayLike<unknown>,
  out: NumericArray,
  missing: number | bigint | undefined,
): number | bigint {
  needArrayFor(type, out, keys.length);
  const none = out instanceof BigInt64Array || out instanceof BigUint64Array ? 0n : 0;
  if (missing !== undefined && typeof missing !== typeof none)
    throw new TypeError(`missing: expected a ${typeof none}, got ${kindOf(missing)}`);
  return missing ?? none;
}

/** Answers of one snapshot. Each method throws as `Table.get` does. */
export class Many<V> {
  readonly #lookup: Lookup;
  readonly #header: HashHeader;
  readonly #hash: KeyHasher | undefined;
  readonly #decode: ValueDecoder<V>;
  #batch: Batch | CoreBatch | undefined;
  #reason: CoreReason | undefined;

  /** @param hash encodes typed keys; `undefined` for strings and bytes */
  constructor(lookup: Lookup, header: HashHeader, hash: KeyHasher | undefined, decode: ValueDecoder<V>) {
    this.#lookup = lookup;
    this.#header = header;
    this.#hash = hash;
    this.#decode = decode;
  }

  /** Why the core does not do it; `undefined` if it does. Settled when it is first asked. */
  get coreReason(): CoreReason | undefined {
    this.#batch ??= this.#newBatch();
    return this.#reason;
  }

  values(keys: ArrayLike<unknown>): (V | undefined)[] {
    const values = new Array<V | undefined>(keys.length).fill(undefined);
    const lookup = this.#lookup;
    const decode = this.#decode;
    for (let first = 0; first < keys.length; ) {
      const { batch, count } = this.#found(keys, first);
      for (let i = 0; i < count; i++) {
        const at = batch.find(lookup, i);
        if (at >= 0) values[first + i] = decode(lookup.segment.heap, at, lookup.valueBytes);
      }
      first += count;
    }
    return values;
  }

  views(keys: ArrayLike<unknown>, view: ValueView): (Uint8Array | undefined)[] {
    const views = new Array<Uint8Array | undefined>(keys.length).fill(undefined);
    const lookup = this.#lookup;
    for (let first = 0; first < keys.length; ) {
      const { batch, count } = this.#found(keys, first);
      for (let i = 0; i < count; i++) {
        const at = batch.find(lookup, i);
        if (at >= 0) views[first + i] = view(lookup.segment, at, lookup.valueBytes);
      }
      first += count;
    }
    return views;
  }

  /** For each key 1 or 0. */
  has(keys: ArrayLike<unknown>): Uint8Array {
    const has = new Uint8Array(keys.length);
    for (let first = 0; first < keys.length; ) {
      const { batch, count } = this.#found(keys, first);
      for (let i = 0; i < count; i++) if (batch.find(this.#lookup, i) >= 0) has[first + i] = 1;
      first += count;
    }
    return has;
  }

  /** See `Table.getManyInto`. */
  into(list: ArrayLike<unknown>, out: NumericArray, missing: number | bigint | undefined): number {
    const none = checkInto(this.#header.valueType, list, out, missing);
    return this.#into(apart(list, out), out, none);
  }

  /** @returns how many of the keys the table has */
  #into(keys: ArrayLike<unknown>, out: NumericArray, missing: number | bigint): number {
    const numbers = numbersIn(this.#header.valueType)!;
    const lookup = this.#lookup;
    const decode = this.#decode as ValueDecoder<number | bigint>;
    // An array takes either numbers or BigInts; which, the caller has checked.
    const target = out as { [i: number]: number | bigint };
    let found = 0;
    for (let first = 0; first < keys.length; ) {
      const { batch, count } = this.#found(keys, first);
      const areThere = batch instanceof CoreBatch && batch.takeValues(numbers, count, out, first);
      for (let i = 0; i < count; i++) {
        if (areThere && batch.isFound(i)) {
          found++;
          continue;
        }
        const at = batch.find(lookup, i);
        if (at >= 0) found++;
        target[first + i] = at < 0 ? missing : decode(lookup.segment.heap, at, lookup.valueBytes);
      }
      first += count;
    }
    return found;
  }

  /** Takes the next batch of keys, and finds them. */
  #found(keys: ArrayLike<unknown>, first: number): { batch: Batch | CoreBatch; count: number } {
    const lookup = this.#lookup;
    this.#batch ??= this.#newBatch();
    const batch = this.#batch;
    const count = this.#take(batch, keys, first);
    batch.load(lookup, count);
    return { batch, count };
  }

  #newBatch(): Batch | CoreBatch {
    const lookup = this.#lookup;
    const { memory } = lookup.segment;
    if (lookup instanceof FingerprintLookup)
      return this.#without('HMAP_FINGERPRINT', 'the core does not know fingerprints');
    if (memory === undefined)
      return this.#without('HMAP_OUTSIDE_MEMORY', 'the file is not mapped into a WebAssembly memory');
    const why = whyNoCore();
    if (why !== undefined) return this.#without(why.code, why.message, why.cause);
    const core = coreIn(memory);
    if (core === undefined) return this.#without('HMAP_NO_WEBASSEMBLY', 'there is no room for the core');
    return new CoreBatch(lookup, this.#header, core);
  }

  #without(code: CoreReasonCode, message: string, cause?: unknown): Batch {
    this.#reason = cause === undefined ? { code, message } : { code, message, cause };
    return new Batch();
  }

  #take(batch: Batch | CoreBatch, keys: ArrayLike<unknown>, first: number): number {
    const hash = this.#hash;
    if (hash === undefined) return batch.take(this.#lookup, keys as ArrayLike<Key>, first);
    if (batch instanceof CoreBatch && areWords(keys, this.#header.keyType)) return batch.takeWords(keys, first);
    return batch.takeTyped(this.#lookup, keys, first, hash);
  }
}

function areWords(keys: ArrayLike<unknown>, type: KeyType): keys is KeyWords {
  return isTypedArray(keys) && keys[Symbol.toStringTag] === KEY_ARRAYS[type];
}
