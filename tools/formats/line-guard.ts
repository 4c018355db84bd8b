// Refuses what a format of lines cannot carry, so that a dump can always be read back. Knows what the readers do to a
// line.

import { HmapError, type KeyType } from '../../src/index.js';
import { type ByteSlice, showKey } from '../../src/internal.js';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const MARK = [0xef, 0xbb, 0xbf];

/**
 * What keeps a field from being read back as it is; `undefined` if nothing does.
 * @param tabs whether a tab separates fields
 * @param first whether the field is the first of the output
 */
export function obstacleIn({ buffer, at, length }: ByteSlice, tabs: boolean, first: boolean): string | undefined {
  const { bytes } = buffer;
  for (let i = at; i < at + length; i++) {
    if (bytes[i] === LF) return 'a line end';
    if (bytes[i] === TAB && tabs) return 'a tab';
  }
  // The readers take a CR before a line end as a part of it, and skip a byte order mark at the start of the input.
  if (length > 0 && bytes[at + length - 1] === CR) return 'a carriage return at the end';
  const marked = first && length >= MARK.length && MARK.every((byte, i) => bytes[at + i] === byte);
  return marked ? 'a byte order mark at the start' : undefined;
}

/** The error for something that a format cannot carry. */
export function notRepresentable(subject: string, obstacle: string, format: string, others: string): HmapError {
  const message = `${subject} has ${obstacle}, which the format '${format}' cannot carry; use ${others}`;
  return new HmapError('HMAP_NOT_REPRESENTABLE', message);
}

/** @param tabs whether a tab separates fields */
export function lineGuard(format: string, tabs: boolean, keyType: KeyType) {
  // A typed key is plain text, and so what follows it is not at the start.
  let first = keyType === 'bytes';
  return {
    /** Checks a field of the entry with that key. */
    field(slice: ByteSlice, key: ByteSlice): void {
      const obstacle = obstacleIn(slice, tabs, first);
      first = false;
      if (obstacle === undefined) return;
      const shown = showKey(keyType, key.buffer.bytes.subarray(key.at, key.at + key.length));
      throw notRepresentable(`the entry with key ${shown}`, obstacle, format, 'jsonl, csv or cdb');
    },
  };
}
