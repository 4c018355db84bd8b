// The form of a record between reading and writing. Does not know where records are kept, nor the file's format.

import { readU48, readU64 } from '../../base/bytes.js';
import type { HashHeader } from '../../format/header.js';
import { type KeyType, keyWidthOf } from '../../format/key-types.js';

/**
 * Layout of a staged record: its hash, the length of its key, the length of its value (if these vary), then key and
 * value.
 */
export const STAGED = { hash: 0, keyBytes: 4, valueBytes: 6, headFixed: 6, headVariable: 10 } as const;
// Local copies: V8 folds them (native-notes/performance.md).
const { keyBytes: KEY_BYTES, valueBytes: VALUE_BYTES, headFixed: HEAD_FIXED, headVariable: HEAD_VARIABLE } = STAGED;
/** Bytes that stand in for a large value: its position in the spill file. */
export const POSITION = 8;

/** Which records are staged and, by the types of keys and values, what they look like. */
export interface StagedLayout {
  /** The shard whose records are staged; the others are left out. */
  readonly shard: HashHeader['shard'];
  /** The type of the keys. */
  readonly keyType: KeyType;
  /** Bytes of the fingerprint that the file has in place of a key; 0 if it has the keys. */
  readonly fingerprintBytes: number;
  /** In bytes, or `undefined` if values differ in length. */
  readonly fixedValue: number | undefined;
  /** Values of this many bytes or more lie in the spill file by themselves. Only if values differ in length. */
  readonly largeValue: number;
  /** How large the dictionary of `enum` values may be, in bytes; only for them. */
  readonly mostDictionary?: number | undefined;
}

/** Bytes that the file has for a key of so many. */
export function storedKeyBytes(staged: StagedLayout, keyBytes: number): number {
  return staged.fingerprintBytes || keyBytes;
}

/** The width that all keys in the file have, whatever they are; VARIABLE if there is none. */
export function storedKeyWidth(staged: StagedLayout): number {
  return staged.fingerprintBytes || keyWidthOf(staged.keyType);
}

/** Bytes before the key of a staged record. */
export function headBytes(staged: StagedLayout): number {
  return staged.fixedValue === undefined ? HEAD_VARIABLE : HEAD_FIXED;
}

/** Bytes that a staged record takes after its head and key. */
function stagedValueSize(staged: StagedLayout, view: DataView, at: number): number {
  if (staged.fixedValue !== undefined) return staged.fixedValue;
  const bytes = view.getUint32(at + VALUE_BYTES, true);
  return bytes >= staged.largeValue ? POSITION : bytes;
}

export function stagedSize(staged: StagedLayout, view: DataView, at: number): number {
  return headBytes(staged) + view.getUint16(at + KEY_BYTES, true) + stagedValueSize(staged, view, at);
}

/** What {@link EntryStats.addNarrowed} needs to know of a staged record. */
export function stagedNarrowed(type: 'uint' | 'enum', staged: StagedLayout, view: DataView, at: number): number {
  // The width of an index is known only once all values are there.
  return type === 'uint' ? readU48(view, stagedValueAt(staged, view, at)) : 0;
}

/** Where the value of a staged record lies. */
export function stagedValueAt(staged: StagedLayout, view: DataView, at: number): number {
  return at + headBytes(staged) + view.getUint16(at + KEY_BYTES, true);
}

/** Where a large value lies in the spill file, from the offset of its stand-in. */
export function largeValuePosition(view: DataView, at: number): number {
  return readU64(view, at);
}
