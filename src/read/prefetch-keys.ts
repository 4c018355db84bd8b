// Which buckets the lookups of keys will read, for prefetch.ts. Knows keys and one file.

import { hashKey, keyHash } from '../codec/hash-key.js';
import type { KeyHasher } from '../codec/typed-keys.js';
import type { Key } from '../format/key-types.js';
import type { Lookup } from './lookup.js';
import { type BucketPlace, prefetch } from './prefetch.js';
import type { Snapshot } from './snapshot.js';

/**
 * See `Table.prefetch`.
 * @param hash encodes typed keys; `undefined` for strings and bytes
 * @param isCurrent whether someone still needs it
 */
export async function prefetchKeys(
  { file, mapping }: Snapshot,
  lookup: Lookup,
  keys: readonly unknown[],
  hash: KeyHasher | undefined,
  isCurrent: () => boolean,
): Promise<void> {
  const places = function* (): Generator<BucketPlace, void> {
    for (const key of keys) {
      const length = hash === undefined ? hashKey(key as Key, 0, lookup.seed) : hash(key, 0, lookup.seed);
      if (length < 0) continue;
      yield { segment: lookup.segmentOf(keyHash.value), bucket: lookup.bucketOf(keyHash.value) };
    }
  };
  if (mapping.takesAdvice) await prefetch(file, places(), isCurrent);
  // What is no key is refused in any case.
  else for (const _ of places());
}
