// Keys as text: as messages show them, and as the tools read them. Knows the key types; does not know tables.

import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { ByteBuffer } from '../base/bytes.js';
import { HmapError } from '../base/errors.js';
import { MAX_KEY_BYTES } from '../format/constants.js';
import type { AnyKey, KeyType, TypedKey } from '../format/key-types.js';
import { INTEGER_RANGES } from '../format/value-types.js';
import { TOO_LONG } from './keys.js';
import { KEY_DECODERS, KEY_HASHERS, NO_KEY } from './typed-keys.js';

/** Describes the keys of a type, for messages. */
export function describeType(type: TypedKey): string {
  if (type === 'uuid') return 'a UUID such as 01234567-89ab-cdef-0123-456789abcdef';
  if (type === 'hex') return `an even number of hexadecimal digits, at most ${2 * MAX_KEY_BYTES}`;
  const [least, most] = INTEGER_RANGES[type]!;
  return `an integer from ${least} to ${most}`;
}

const SHOWN = 60;

/**
 * The error for something that is not a key of the type.
 * @param why what the type's {@link KeyHasher} returned
 * @param where the start of the message, and the line of the input, if there are any
 */
export function badTypedKey(type: TypedKey, key: AnyKey, why: number, where = '', line?: number): HmapError {
  const text = String(key);
  const quoted = typeof key === 'string' ? JSON.stringify(text.slice(0, SHOWN)) : text.slice(0, SHOWN);
  const expected = describeType(type);
  const message = `${where}the key ${quoted}${text.length > SHOWN ? '...' : ''} is not a valid ${type}: expected ${expected}`;
  const code = why === TOO_LONG ? 'HMAP_KEY_TOO_LONG' : 'HMAP_KEY_INVALID';
  const data = { expected, key: typeof key === 'string' ? text.slice(0, 100) : key };
  return new HmapError(code, message, line === undefined ? data : { ...data, line });
}

/** The key that a text represents, for {@link KEY_HASHERS}; `undefined` for text that is not an integer. */
export function keyFromText(type: TypedKey, text: string): AnyKey | undefined {
  if (type === 'uuid' || type === 'hex') return text;
  if (!/^[+-]?\d{1,40}$/.test(text)) return undefined;
  return type === 'u32' ? Number(text) : BigInt(text.replace(/^\+/, ''));
}

/**
 * Writes the key that stands as text into the scratch buffer at 0 and returns its length.
 * @throws {HmapError} `HMAP_KEY_INVALID` if it is not a key of the type
 */
export function encodeKeyText(type: TypedKey, text: string, where?: string, line?: number): number {
  const key = keyFromText(type, text);
  const length = key === undefined ? NO_KEY : KEY_HASHERS[type](key, 0, 0);
  if (length < 0) throw badTypedKey(type, text, length, where, line);
  return length;
}

/** A key of any type as error data has it. */
export function keyForError(type: KeyType, key: Uint8Array): AnyKey {
  return type === 'bytes' ? bytesForError(key) : KEY_DECODERS[type](new ByteBuffer(key), 0, key.length);
}

/** Shows a key of any type in a message, as `showBytes` shows bytes. */
export function showKey(type: KeyType, key: Uint8Array): string {
  if (type === 'bytes') return showBytes(key);
  const cut = key.length > SHOWN / 2;
  const text = KEY_DECODERS[type](
    new ByteBuffer(cut ? key.subarray(0, SHOWN / 2) : key),
    0,
    Math.min(key.length, SHOWN / 2),
  );
  return cut ? `${text}... (${key.length} bytes)` : String(text);
}

/** A key as error data has it: text if it is UTF-8. */
export function bytesForError(key: Uint8Array): string | Uint8Array {
  return isUtf8(key) ? Buffer.from(key).toString() : Uint8Array.from(key);
}

/**
 * Shows a key in a message: quoted text if it is short UTF-8, otherwise hexadecimal; about 80 characters at most,
 * without control characters.
 */
export function showBytes(key: Uint8Array): string {
  const cut = key.length > 60;
  const bytes = cut ? key.subarray(0, 60) : key;
  let text: string;
  try {
    text = JSON.stringify(new TextDecoder('utf-8', { fatal: !cut, ignoreBOM: true }).decode(bytes));
  } catch {
    text = `0x${Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 32)).toString('hex')}`;
  }
  // JSON escapes only the first 32; a terminal may obey others.
  text = text.replace(/\p{Cc}/gu, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
  return cut ? `${text}... (${key.length} bytes)` : text;
}
