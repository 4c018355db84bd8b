// Whether bytes are a value of a type, as a writer leaves it (native-notes/format.md, section 7). Knows nothing of
// records or files.

import { isUtf8 } from 'node:buffer';
import type { ByteBuffer } from '../base/bytes.js';
import { MAX_TEXT_BYTES } from '../format/constants.js';
import { isStruct, structOf } from '../format/schema.js';
import type { StoredType, ValueType } from '../format/value-types.js';
import { NAN32, NAN64, recordChecker } from './bit-fields.js';

export type ValueCheck = (buffer: ByteBuffer, at: number, length: number) => boolean;

/**
 * Returns a check that bytes are a value of the type; `verify` runs it on each value. Widths, and indexes of `enum`,
 * are checked elsewhere.
 */
export function valueCheck(type: StoredType): ValueCheck {
  if (!isStruct(type)) return (buffer, at, length) => isValueOf(type, buffer, at, length);
  const check = recordChecker(structOf(type));
  return ({ view }, at) => check(view, at);
}

function isValueOf(type: ValueType, buffer: ByteBuffer, at: number, length: number): boolean {
  const { view } = buffer;
  if (type === 'f32') return !Number.isNaN(view.getFloat32(at, true)) || view.getUint32(at, true) === NAN32;
  if (type === 'f64') return !Number.isNaN(view.getFloat64(at, true)) || view.getBigUint64(at, true) === NAN64;
  if (type !== 'utf8' && type !== 'json') return true;
  if (length > MAX_TEXT_BYTES) return false;
  const bytes = buffer.bytes.subarray(at, at + length);
  if (!isUtf8(bytes)) return false;
  if (type === 'utf8') return true;
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}
