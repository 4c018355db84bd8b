// Encodes and parses the metadata of a header (native-notes/format.md, sections 3 and 10). Knows JSON; does not know
// where it lies.

import { TextDecoder } from 'node:util';
import { HmapError } from '../base/errors.js';
import { jsonLoss } from '../base/json.js';
import { oneLine } from '../base/one-line.js';
import { kindOf } from '../base/options.js';
import { MAX_METADATA_BYTES } from './constants.js';

/** JSON that belongs to the user of a table. */
export type Metadata = { readonly [name: string]: unknown };

/** The object that a header's metadata is; `undefined` if it is not an object. */
export function parseMetadata(bytes: Uint8Array): Metadata | undefined {
  if (bytes.length === 0) return {};
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    return isPlain(value) ? (value as Metadata) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Metadata as the canonical file holds it: compact JSON with the names of each object in order; no bytes for an empty
 * object.
 */
export function encodeMetadata(metadata: Metadata): Uint8Array {
  const text = canonicalJson(asJson(metadata));
  const bytes = Buffer.from(text === '{}' ? '' : text);
  if (bytes.length > MAX_METADATA_BYTES) {
    const message = `the metadata takes ${bytes.length} bytes, the maximum is ${MAX_METADATA_BYTES}`;
    throw new HmapError('HMAP_METADATA_TOO_LARGE', message, { expected: MAX_METADATA_BYTES, actual: bytes.length });
  }
  return bytes;
}

function asJson(metadata: Metadata): object {
  let value: unknown;
  try {
    if (isPlain(metadata)) {
      const text = JSON.stringify(metadata);
      const loss = jsonLoss(metadata, text);
      if (loss !== undefined) throw new TypeError(`expected ${loss.expected}, got ${kindOf(loss.actual)}`);
      value = JSON.parse(text);
    }
  } catch (error) {
    throw new TypeError(`metadata: ${oneLine((error as Error).message)}`, { cause: error });
  }
  // An object may become something else in JSON: a Date becomes a string.
  if (!isPlain(value)) throw new TypeError('metadata: expected a plain object');
  return value;
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Not a replacer for JSON.stringify: an object always yields names that look like integers first, in numeric order.
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonicalJson((value as Metadata)[name])}`).join(',')}}`;
}
