// Encodes a key and hashes it, for lookups: a short ASCII string in one pass over its characters. Does not know tables.

import { PRIMES, xxh32 } from '../base/xxh32.js';
import type { Key } from '../format/key-types.js';
import { encodeKey, encodeText, NATIVE_ENCODE, scratch } from './keys.js';

// Local copies: V8 folds them (native-notes/performance.md); 10 ns a lookup here.
const [PRIME1, PRIME2, PRIME3, PRIME4, PRIME5] = PRIMES;
const { bytes, view } = scratch;

/** The hash of the key that {@link hashKey} took last, a signed 32-bit integer. */
export const keyHash = { value: 0 };

/**
 * Writes a key into the scratch buffer from offset `at` and returns its length in bytes, as `encodeKey` does; if that
 * is not negative, {@link keyHash} then holds its hash. Allocates nothing for ASCII strings below 64 characters.
 * @throws {TypeError} when `key` is neither a string nor a Uint8Array
 */
export function hashKey(key: Key, at: number, seed: number): number {
  let length: number;
  if (typeof key === 'string') {
    if (key.length < NATIVE_ENCODE && hashAscii(key, at, seed)) return key.length;
    length = encodeText(key, at);
  } else {
    length = encodeKey(key, at);
  }
  if (length >= 0) keyHash.value = xxh32(view, at, length, seed);
  return length;
}

/**
 * {@link xxh32} of a string's characters as bytes, which it also writes into the scratch buffer; `false`, and neither
 * is usable, if one is not ASCII. A third faster than encoding first and hashing afterwards, which reads every byte
 * back from memory.
 */
function hashAscii(text: string, start: number, seed: number): boolean {
  const length = text.length;
  let i = 0;
  let codes = 0;
  let hash: number;
  if (length >= 16) {
    let a = (seed + PRIME1 + PRIME2) | 0;
    let b = (seed + PRIME2) | 0;
    let c = seed | 0;
    let d = (seed - PRIME1) | 0;
    const lastStripe = length - 16;
    do {
      let w = text.charCodeAt(i);
      let x = text.charCodeAt(i + 1);
      let y = text.charCodeAt(i + 2);
      let z = text.charCodeAt(i + 3);
      codes |= w | x | y | z;
      let word = w | (x << 8) | (y << 16) | (z << 24);
      view.setInt32(start + i, word, true);
      word = (a + Math.imul(word, PRIME2)) | 0;
      a = Math.imul((word << 13) | (word >>> 19), PRIME1);

      w = text.charCodeAt(i + 4);
      x = text.charCodeAt(i + 5);
      y = text.charCodeAt(i + 6);
      z = text.charCodeAt(i + 7);
      codes |= w | x | y | z;
      word = w | (x << 8) | (y << 16) | (z << 24);
      view.setInt32(start + i + 4, word, true);
      word = (b + Math.imul(word, PRIME2)) | 0;
      b = Math.imul((word << 13) | (word >>> 19), PRIME1);

      w = text.charCodeAt(i + 8);
      x = text.charCodeAt(i + 9);
      y = text.charCodeAt(i + 10);
      z = text.charCodeAt(i + 11);
      codes |= w | x | y | z;
      word = w | (x << 8) | (y << 16) | (z << 24);
      view.setInt32(start + i + 8, word, true);
      word = (c + Math.imul(word, PRIME2)) | 0;
      c = Math.imul((word << 13) | (word >>> 19), PRIME1);

      w = text.charCodeAt(i + 12);
      x = text.charCodeAt(i + 13);
      y = text.charCodeAt(i + 14);
      z = text.charCodeAt(i + 15);
      codes |= w | x | y | z;
      word = w | (x << 8) | (y << 16) | (z << 24);
      view.setInt32(start + i + 12, word, true);
      word = (d + Math.imul(word, PRIME2)) | 0;
      d = Math.imul((word << 13) | (word >>> 19), PRIME1);
      i += 16;
    } while (i <= lastStripe);
    hash = ((a << 1) | (a >>> 31)) + ((b << 7) | (b >>> 25)) + ((c << 12) | (c >>> 20)) + ((d << 18) | (d >>> 14));
  } else {
    hash = seed + PRIME5;
  }
  hash = (hash + length) | 0;
  for (const lastWord = length - 4; i <= lastWord; i += 4) {
    const w = text.charCodeAt(i);
    const x = text.charCodeAt(i + 1);
    const y = text.charCodeAt(i + 2);
    const z = text.charCodeAt(i + 3);
    codes |= w | x | y | z;
    const word = w | (x << 8) | (y << 16) | (z << 24);
    view.setInt32(start + i, word, true);
    hash = (hash + Math.imul(word, PRIME3)) | 0;
    hash = Math.imul((hash << 17) | (hash >>> 15), PRIME4);
  }
  for (; i < length; i++) {
    const code = text.charCodeAt(i);
    codes |= code;
    bytes[start + i] = code;
    hash = (hash + Math.imul(code, PRIME5)) | 0;
    hash = Math.imul((hash << 11) | (hash >>> 21), PRIME1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME3);
  keyHash.value = hash ^ (hash >>> 16);
  return codes < 0x80;
}
