// Refuses what a format of lines cannot carry, so that a dump is never a one-way door. Knows what the readers do to a line.

import type { ByteBuffer } from '../../src/base/bytes.js';
import { HmapError } from '../../src/base/errors.js';
import { showKeyOf } from '../../src/codec/key-text.js';
import type { KeyType } from '../../src/format/key-types.js';
import type { RecordCursor } from '../../src/storage/hash-segment.js';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;

/** @param tabs whether a tab separates fields */
export function lineGuard(format: string, tabs: boolean, keyType: KeyType) {
  // A typed key is plain text, and so nothing after it is at the start.
  let first = keyType === 'bytes';
  const refuse = (heap: ByteBuffer, cursor: RecordCursor, what: string): never => {
    const key = showKeyOf(keyType, heap.bytes.subarray(cursor.key, cursor.value));
    const message = `the entry of key ${key} has ${what}, which the format '${format}' cannot carry; use jsonl, csv or cdb`;
    throw new HmapError('HMAP_NOT_REPRESENTABLE', message);
  };
  return {
    /** Checks a field of the record at `cursor` that other fields or a line end follow. */
    field({ bytes }: ByteBuffer, at: number, length: number, heap: ByteBuffer, cursor: RecordCursor): void {
      for (let i = at; i < at + length; i++) {
        const byte = bytes[i]!;
        if (byte === LF) refuse(heap, cursor, 'a line end');
        if (byte === TAB && tabs) refuse(heap, cursor, 'a tab');
      }
      // The readers take a CR at the end of a line for a part of the line's end, and a byte order mark at the start for no part of it.
      if (length > 0 && bytes[at + length - 1] === CR) refuse(heap, cursor, 'a carriage return at the end');
      if (first && length >= 3 && bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf) {
        refuse(heap, cursor, 'a byte order mark at the start');
      }
      first = false;
    },
  };
}
