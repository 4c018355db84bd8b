// Keys that are numbers, UUIDs or hexadecimal digits: from what a caller gives to bytes and their hash, and back
// (native-notes/format.md, section 3). Knows the key types and the scratch buffer; does not know tables.

import { isUint8Array } from 'node:util/types';
import type { ByteBuffer } from '../base/bytes.js';
import { kindOf } from '../base/options.js';
import { PRIMES, xxh32 } from '../base/xxh32.js';
import { MAX_KEY_BYTES } from '../format/constants.js';
import type { AnyKey, TypedKey } from '../format/key-types.js';
import { keyHash } from './hash-key.js';
import { scratch, TOO_LONG } from './keys.js';

// Local copy: V8 folds it (native-notes/performance.md).
const [, PRIME2, PRIME3, PRIME4, PRIME5] = PRIMES;
const { bytes, view } = scratch;
const hashed = keyHash;

/** Right JavaScript type, not a valid key: out of range, or malformed. */
export const NO_KEY = -3;

/**
 * Writes a key into the scratch buffer from offset `at` and returns its length in bytes, or a negative number if it
 * cannot be a key; if it can, {@link keyHash} then holds its hash.
 * @throws {TypeError} when `key` has the wrong JavaScript type for keys of the type
 */
export type KeyHasher = (key: unknown, at: number, seed: number) => number;

const MOST_U64 = 2n ** 64n - 1n;
const LEAST_I64 = -(2n ** 63n);
const MOST_I64 = 2n ** 63n - 1n;
const WORD = 2 ** 32;

/** Hashes the keys of each type, in one pass if they are numbers. Allocates nothing. */
export const KEY_HASHERS: Readonly<Record<TypedKey, KeyHasher>> = {
  u32: hashU32,
  u64: hashU64,
  i64: hashI64,
  uuid: hashUuid,
  hex: hashHex,
};

function wrong(expected: string, key: unknown): TypeError {
  return new TypeError(`key: expected ${expected}, got ${isUint8Array(key) ? 'bytes' : kindOf(key)}`);
}

function hashU32(key: unknown, at: number, seed: number): number {
  if (typeof key !== 'number') throw wrong('a number', key);
  if (key >>> 0 !== key) return NO_KEY;
  const word = key | 0;
  view.setInt32(at, word, true);
  let hash = (seed + PRIME5 + 4 + Math.imul(word, PRIME3)) | 0;
  hash = Math.imul((hash << 17) | (hash >>> 15), PRIME4);
  hash = Math.imul(hash ^ (hash >>> 15), PRIME2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME3);
  hashed.value = hash ^ (hash >>> 16);
  return 4;
}

/** The hash of two words, which it also writes. */
function hashWords(low: number, high: number, at: number, seed: number): number {
  view.setInt32(at, low, true);
  view.setInt32(at + 4, high, true);
  let hash = (seed + PRIME5 + 8 + Math.imul(low, PRIME3)) | 0;
  hash = Math.imul((hash << 17) | (hash >>> 15), PRIME4);
  hash = (hash + Math.imul(high, PRIME3)) | 0;
  hash = Math.imul((hash << 17) | (hash >>> 15), PRIME4);
  hash = Math.imul(hash ^ (hash >>> 15), PRIME2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME3);
  hashed.value = hash ^ (hash >>> 16);
  return 8;
}

function hashU64(key: unknown, at: number, seed: number): number {
  if (typeof key === 'bigint') {
    if (key < 0n || key > MOST_U64) return NO_KEY;
    view.setBigUint64(at, key, true);
    return hashWords(view.getInt32(at, true), view.getInt32(at + 4, true), at, seed);
  }
  if (typeof key !== 'number') throw wrong('a BigInt or a number', key);
  if (!Number.isSafeInteger(key) || key < 0) return NO_KEY;
  return hashWords(key | 0, Math.floor(key / WORD) | 0, at, seed);
}

function hashI64(key: unknown, at: number, seed: number): number {
  if (typeof key === 'bigint') {
    if (key < LEAST_I64 || key > MOST_I64) return NO_KEY;
    view.setBigInt64(at, key, true);
    return hashWords(view.getInt32(at, true), view.getInt32(at + 4, true), at, seed);
  }
  if (typeof key !== 'number') throw wrong('a BigInt or a number', key);
  if (!Number.isSafeInteger(key)) return NO_KEY;
  return hashWords(key | 0, Math.floor(key / WORD) | 0, at, seed);
}

/** Where the digits of each of a UUID's 16 bytes start, and where its hyphens are. */
const UUID_DIGITS = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const;
const UUID_HYPHENS = [8, 13, 18, 23] as const;
const UUID_TEXT = 36;
const UUID_BYTES = 16;
const HYPHEN = 0x2d;

function hashUuid(key: unknown, at: number, seed: number): number {
  if (typeof key !== 'string') throw wrong('a string', key);
  if (key.length !== UUID_TEXT) return NO_KEY;
  for (const hyphen of UUID_HYPHENS) if (key.charCodeAt(hyphen) !== HYPHEN) return NO_KEY;
  let all = 0;
  for (let i = 0; i < UUID_BYTES; i++) {
    const byte = byteAt(key, UUID_DIGITS[i]!);
    all |= byte;
    bytes[at + i] = byte;
  }
  if (all < 0) return NO_KEY;
  hashed.value = xxh32(view, at, UUID_BYTES, seed);
  return UUID_BYTES;
}

function hashHex(key: unknown, at: number, seed: number): number {
  if (typeof key !== 'string') throw wrong('a string', key);
  const length = key.length / 2;
  if (!Number.isInteger(length)) return NO_KEY;
  if (length > MAX_KEY_BYTES) return TOO_LONG;
  let all = 0;
  for (let i = 0; i < length; i++) {
    const byte = byteAt(key, 2 * i);
    all |= byte;
    bytes[at + i] = byte;
  }
  if (all < 0) return NO_KEY;
  hashed.value = xxh32(view, at, length, seed);
  return length;
}

/** The byte for which two hexadecimal digits stand; negative if either is not a digit. */
function byteAt(text: string, i: number): number {
  return (digit(text.charCodeAt(i)) << 4) | digit(text.charCodeAt(i + 1));
}

function digit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  // Upper case to lower case; what is not a letter does not become a digit.
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** The key that `length` bytes of `buffer` at `at` are, in its type. */
export const KEY_DECODERS: Readonly<Record<TypedKey, (buffer: ByteBuffer, at: number, length: number) => AnyKey>> = {
  u32: ({ view: from }, at) => from.getUint32(at, true),
  u64: ({ view: from }, at) => from.getBigUint64(at, true),
  i64: ({ view: from }, at) => from.getBigInt64(at, true),
  uuid: (buffer, at) => {
    const all = buffer.bytes.toString('hex', at, at + UUID_BYTES);
    return `${all.slice(0, 8)}-${all.slice(8, 12)}-${all.slice(12, 16)}-${all.slice(16, 20)}-${all.slice(20)}`;
  },
  hex: (buffer, at, length) => buffer.bytes.toString('hex', at, at + length),
};
