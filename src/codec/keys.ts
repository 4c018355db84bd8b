// Turns the keys that callers pass into bytes. Knows UTF-8 and the key limit; does not know tables.

import { TextEncoder } from 'node:util';
import { isUint8Array } from 'node:util/types';
import { ByteBuffer } from '../base/bytes.js';
import { kindOf } from '../base/options.js';
import { MAX_KEY_BYTES } from '../format/constants.js';
import type { Key } from '../format/key-types.js';

/** Room for one key at any offset below {@link SCRATCH_FILL}: a code unit takes at most three bytes. */
export const SCRATCH_FILL = 65_536;
/**
 * Encoded keys. One for each thread is enough: nothing that uses it yields to other code between encoding and
 * comparing.
 */
export const scratch = new ByteBuffer(SCRATCH_FILL + 3 * MAX_KEY_BYTES);

const encoder = new TextEncoder();

/** For strings of at least this many code units, one native call is faster than the loop. */
export const NATIVE_ENCODE = 64;

/** {@link encodeKey} of a string longer than any key. */
export const TOO_LONG = -1;
/** {@link encodeKey} of a string without a UTF-8 form: it contains half of a surrogate pair. */
export const NOT_UNICODE = -2;

/**
 * Writes a key into {@link scratch} from offset `at` and returns its length in bytes, or a negative number if it cannot
 * be a key. Allocates nothing for ASCII strings below 64 characters.
 * @throws {TypeError} when `key` is neither a string nor a Uint8Array
 */
export function encodeKey(key: Key, at: number): number {
  if (typeof key === 'string') {
    const length = key.length;
    if (length < NATIVE_ENCODE) {
      const bytes = scratch.bytes;
      let codes = 0;
      for (let i = 0; i < length; i++) {
        const code = key.charCodeAt(i);
        codes |= code;
        bytes[at + i] = code;
      }
      if (codes < 0x80) return length;
    }
    return encodeText(key, at);
  }
  // The second, for arrays of another realm (Jest, vm), costs more.
  if (!(key instanceof Uint8Array) && !isUint8Array(key))
    throw new TypeError(`key: expected a string or a Uint8Array, got ${kindOf(key)}`);
  if (key.length > MAX_KEY_BYTES) return TOO_LONG;
  scratch.bytes.set(key, at);
  return key.length;
}

/** {@link encodeKey} of any string, at the cost of a native call. */
export function encodeText(key: string, at: number): number {
  if (key.length > MAX_KEY_BYTES) return TOO_LONG;
  const target = scratch.bytes.subarray(at, at + 3 * key.length);
  const { written } = encoder.encodeInto(key, target);
  // An encoder replaces half a surrogate pair, which would make different strings the same key.
  if (written !== key.length && !key.isWellFormed()) return NOT_UNICODE;
  return written <= MAX_KEY_BYTES ? written : TOO_LONG;
}
