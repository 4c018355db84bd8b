// Checks the options that callers give. Knows what a good message is; does not know what any option means.

import { isUtf8 } from 'node:buffer';
import { fileURLToPath } from 'node:url';
import { isUint8Array } from 'node:util/types';
import { nearest } from './nearest.js';

/** A path as `node:fs` takes it: a string, a URL of the scheme `file:`, or a Buffer of UTF-8. */
export type FilePath = string | URL | Uint8Array;

/**
 * A path as a string.
 * @throws {TypeError} for what cannot be a path
 */
export function pathOf(path: unknown): string {
  let text = path;
  if (isUint8Array(path)) {
    if (!isUtf8(path)) throw new TypeError('path: expected UTF-8, got other bytes; a relative path may avoid them');
    text = Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString();
  } else if (typeof path === 'object' && path !== null && 'href' in path && 'protocol' in path) {
    try {
      text = fileURLToPath(path as URL);
    } catch (cause) {
      throw new TypeError(`path: expected a URL of a file, got ${String(path.href)}`, { cause });
    }
  }
  if (typeof text !== 'string' || text === '' || text.includes('\0')) {
    throw new TypeError('path: expected a string that is not empty and has no zero byte, a URL or a Buffer');
  }
  return text;
}

/**
 * Refuses unknown options, and names the nearest known one; and `null`, which would pass for an option that is not
 * given in one place, and not in another.
 * @throws {TypeError}
 */
export function checkOptions(options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('options: expected an object');
  for (const [name, value] of Object.entries(options)) {
    if (known.includes(name)) {
      if (value === null) throw new TypeError(`${name}: expected a value, or no option of this name, got null`);
      continue;
    }
    const near = nearest(name, known);
    const hint = near === undefined ? `the options are ${known.join(', ')}` : `did you mean '${near}'?`;
    throw new TypeError(`options: '${name}' is not known; ${hint}`);
  }
}

/**
 * The options, without what other code has put into `Object.prototype`: a caller has given none of that.
 */
export function ownOptions<T>(options: T): T {
  if (typeof options !== 'object' || options === null) return options;
  let isPolluted = false;
  for (const _ in Object.prototype) isPolluted = true;
  if (!isPolluted) return options;
  const own = Object.create(null) as Record<string, unknown>;
  for (const name in options) {
    if (!(name in Object.prototype) || Object.hasOwn(options, name)) own[name] = options[name];
  }
  return own as T;
}

/**
 * Returns `value` if it is one of `choices`.
 * @throws {TypeError} naming the option
 */
export function oneOf<T>(name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  const hint = typeof value === 'string' ? nearest(value, choices.map(String)) : undefined;
  const meant = hint === undefined ? '' : `; did you mean '${hint}'?`;
  throw new TypeError(`${name}: expected one of ${choices.join(', ')}, got ${String(value)}${meant}`);
}

/** Names the kind of a value, for messages. */
export function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
}
