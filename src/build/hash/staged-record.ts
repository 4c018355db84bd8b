// The form in which a build holds a record between reading and writing. Does not know where records are held, nor the file's format.

import { readU48, readU64 } from '../../base/bytes.js';
import type { KeyType } from '../../format/key-types.js';

/** Layout of a held record: its hash, the length of its key, the length of its value (where these vary), then key and value. */
export const STAGED = { hash: 0, keyBytes: 4, valueBytes: 6, headFixed: 6, headVariable: 10 } as const;
// V8 folds constants that a module keeps to itself into its code; what is exported or imported it loads anew each time.
const { keyBytes: KEY_BYTES, valueBytes: VALUE_BYTES, headFixed: HEAD_FIXED, headVariable: HEAD_VARIABLE } = STAGED;
/** Bytes that stand in for a large value: its position in the spill file. */
export const POSITION = 8;

/** What a held record is, by the kinds of keys and values. */
export interface StagedLayout {
  /** What the key's bytes stand for. */
  readonly keyType: KeyType;
  /** In bytes, or `undefined` where values differ in length. */
  readonly fixedValue: number | undefined;
  /** Values of this many bytes or more lie in the spill file by themselves. Only where values differ in length. */
  readonly largeValue: number;
  /** How large the dictionary of `enum` values may be, in bytes; of other values there is none. */
  readonly mostDictionary?: number | undefined;
}

/** Bytes before the key of a held record. */
export function headBytes(staged: StagedLayout): number {
  return staged.fixedValue === undefined ? HEAD_VARIABLE : HEAD_FIXED;
}

/** Bytes that a held record takes after its head and key. */
function stagedValueSize(staged: StagedLayout, view: DataView, at: number): number {
  if (staged.fixedValue !== undefined) return staged.fixedValue;
  const bytes = view.getUint32(at + VALUE_BYTES, true);
  return bytes >= staged.largeValue ? POSITION : bytes;
}

export function stagedSize(staged: StagedLayout, view: DataView, at: number): number {
  return headBytes(staged) + view.getUint16(at + KEY_BYTES, true) + stagedValueSize(staged, view, at);
}

/** What {@link EntryStats.addNarrowed} is told of a held record. */
export function stagedNarrowed(type: 'uint' | 'enum', staged: StagedLayout, view: DataView, at: number): number {
  // How large an index will be shows when all values are there.
  return type === 'uint' ? readU48(view, stagedValueAt(staged, view, at)) : 0;
}

/** Where the value of a held record lies. */
export function stagedValueAt(staged: StagedLayout, view: DataView, at: number): number {
  return at + headBytes(staged) + view.getUint16(at + KEY_BYTES, true);
}

/** Where a large value lies in the spill file, from the offset of what stands in for it. */
export function largeValuePosition(view: DataView, at: number): number {
  return readU64(view, at);
}
