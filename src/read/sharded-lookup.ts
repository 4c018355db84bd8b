// Finds keys in a table of several shards: the top bits of the hash say in which. Knows shards; how one is searched is
// lookup.ts.

import { isTypedArray } from 'node:util/types';
import { HmapError } from '../base/errors.js';
import type { ValueDecoder } from '../codec/decode-value.js';
import { hashKey, keyHash } from '../codec/hash-key.js';
import type { KeyHasher } from '../codec/typed-keys.js';
import type { CoreReason } from '../core/core.js';
import { HASH_BITS } from '../format/constants.js';
import type { Key } from '../format/key-types.js';
import { shardText } from '../format/manifest.js';
import type { NumericArray, StoredType } from '../format/value-types.js';
import { Lookup } from './lookup.js';
import { checkInto, Many, type ValueView } from './many.js';
import { type Part, partOf } from './part.js';
import type { ShardedSnapshot } from './sharded-snapshot.js';

/** {@link Lookup} of a table in shards; besides {@link find} it has no use. */
export class ShardedLookup<V> extends Lookup {
  /** `undefined` for a shard that is not there. */
  readonly parts: readonly (Part<V> | undefined)[];
  readonly #path: string;
  readonly #shift: number;
  /** Where the last {@link find} looked. */
  #part: Part<V>;

  /** @param path for messages */
  constructor({ shards }: ShardedSnapshot, path: string) {
    const parts = shards.map((shard) => shard && partOf<V>(shard));
    const first = parts.find((part) => part !== undefined)!;
    super(first.header, first.snapshot.segments);
    this.parts = parts;
    this.#part = first;
    this.#path = path;
    this.#shift = HASH_BITS - 1 - Math.log2(parts.length);
  }

  override find(at: number, length: number, hash: number): number {
    const part = this.part(hash);
    const { lookup } = part;
    const found = lookup.find(at, length, hash);
    this.#part = part;
    this.segment = lookup.segment;
    this.valueBytes = lookup.valueBytes;
    return found;
  }

  /** Decodes what the last {@link find} found. */
  readonly decode: ValueDecoder<V> = (heap, at, length) => this.#part.decode(heap, at, length);

  /** {@link decode} for views. */
  readonly view: ValueView = (segment, at, length) => this.#part.view(segment, at, length);

  /**
   * The shard of a hash.
   * @throws {HmapError} `HMAP_NO_SHARD` if it is not there
   */
  part(hash: number): Part<V> {
    const index = (hash >>> 1) >>> this.#shift;
    const part = this.parts[index];
    if (part !== undefined) return part;
    const name = shardText({ index, bits: Math.log2(this.parts.length) });
    const message = `${this.#path}: the key lies in ${name}, which was not there when the table was opened`;
    throw new HmapError('HMAP_NO_SHARD', message, { path: this.#path, actual: name });
  }

  /**
   * Keys by the shards in which they lie, each with its place in the list; those that can be in none are left out.
   * @param hash encodes typed keys; `undefined` for strings and bytes
   */
  divide(keys: ArrayLike<unknown>, hash: KeyHasher | undefined): Map<Part<V>, number[]> {
    const divided = new Map<Part<V>, number[]>();
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      const length = hash === undefined ? hashKey(key as Key, 0, this.seed) : hash(key, 0, this.seed);
      if (length < 0) continue;
      const part = this.part(keyHash.value);
      const places = divided.get(part);
      if (places === undefined) divided.set(part, [i]);
      else places.push(i);
    }
    return divided;
  }
}

/** What a table has of its shards, in place of the {@link Part} of a file. */
export function shardedOf<V>(
  snapshot: ShardedSnapshot,
  path: string,
): Pick<Part<V>, 'decode' | 'view'> & { lookup: Lookup } {
  const lookup = new ShardedLookup<V>(snapshot, path);
  return { lookup, decode: lookup.decode, view: lookup.view };
}

/** Many keys at once, in a table of shards; see {@link Many}. */
export class ShardedMany<V> {
  readonly #lookup: ShardedLookup<V>;
  readonly #hash: KeyHasher | undefined;
  readonly #many = new Map<Part<V>, Many<V>>();

  /** @param hash encodes typed keys; `undefined` for strings and bytes */
  constructor(lookup: ShardedLookup<V>, hash: KeyHasher | undefined) {
    this.#lookup = lookup;
    this.#hash = hash;
  }

  /** Of the first shard that has one. */
  get coreReason(): CoreReason | undefined {
    for (const part of this.#lookup.parts) {
      const reason = part && this.#of(part).coreReason;
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  values(keys: ArrayLike<unknown>): (V | undefined)[] {
    const values = new Array<V | undefined>(keys.length).fill(undefined);
    this.#each(keys, (part, own, places) => {
      const found = this.#of(part).values(own);
      for (const [i, at] of places.entries()) values[at] = found[i];
    });
    return values;
  }

  views(keys: ArrayLike<unknown>): (Uint8Array | undefined)[] {
    const views = new Array<Uint8Array | undefined>(keys.length).fill(undefined);
    this.#each(keys, (part, own, places) => {
      const found = this.#of(part).views(own, part.view);
      for (const [i, at] of places.entries()) views[at] = found[i];
    });
    return views;
  }

  has(keys: ArrayLike<unknown>): Uint8Array {
    const has = new Uint8Array(keys.length);
    this.#each(keys, (part, own, places) => {
      const found = this.#of(part).has(own);
      for (const [i, at] of places.entries()) has[at] = found[i]!;
    });
    return has;
  }

  /** @param type of the values of all shards */
  into(keys: ArrayLike<unknown>, out: NumericArray, missing: number | bigint | undefined, type: StoredType): number {
    const none = checkInto(type, keys, out, missing);
    // First all, since the keys may lie in the memory that is written to.
    const divided = [...this.#divided(keys)];
    const target = out as { [i: number]: number | bigint };
    for (let i = 0; i < keys.length; i++) target[i] = none;
    let found = 0;
    for (const { part, own, places } of divided) {
      const values = new (out.constructor as new (length: number) => NumericArray)(own.length);
      found += this.#of(part).into(own, values, none);
      for (const [i, at] of places.entries()) target[at] = values[i]!;
    }
    return found;
  }

  #each(
    keys: ArrayLike<unknown>,
    act: (part: Part<V>, own: ArrayLike<unknown>, places: readonly number[]) => void,
  ): void {
    for (const { part, own, places } of this.#divided(keys)) act(part, own, places);
  }

  *#divided(keys: ArrayLike<unknown>) {
    for (const [part, places] of this.#lookup.divide(keys, this.#hash))
      yield { part, places, own: chosen(keys, places) };
  }

  #of(part: Part<V>): Many<V> {
    let many = this.#many.get(part);
    if (many === undefined) {
      many = new Many(part.lookup, part.header, this.#hash, part.decode);
      this.#many.set(part, many);
    }
    return many;
  }
}

/** Some of the keys; of a typed array, in one of its kind. */
function chosen(keys: ArrayLike<unknown>, places: readonly number[]): ArrayLike<unknown> {
  const own = isTypedArray(keys)
    ? new (keys.constructor as new (length: number) => { [i: number]: unknown; length: number })(places.length)
    : new Array<unknown>(places.length);
  for (let i = 0; i < places.length; i++) own[i] = keys[places[i]!];
  return own;
}
