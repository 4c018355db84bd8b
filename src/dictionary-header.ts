// What the header says of the distinct values of `enum` (native-notes/format.md, section 7). Knows fields; does not know the section itself.

import { readU64 } from './bytes.js';
import type { DictionaryPlace, Need } from './header-types.js';
import { dictionarySize, ENUM_HEADER, HEADER, indexWidth, MAX_SEGMENT_BYTES } from './layout.js';

/**
 * Checks and gives where the dictionary is; `undefined` where that is left open.
 * @param offset where it starts in the file
 * @param entries of the file, by its segments
 */
export function examineDictionary(
  view: DataView,
  offset: number,
  entries: number,
  need: Need,
): DictionaryPlace | undefined {
  const { distinct, dictionaryBytes } = ENUM_HEADER;
  const count = view.getUint32(distinct, true);
  const bytes = readU64(view, dictionaryBytes);
  const width = view.getUint32(HEADER.valueWidth, true);
  // Each is the value of an entry, and each entry has one.
  const counted = entries === 0 ? '0' : `1 to ${entries}`;
  const isCount = count <= entries && count > 0 === entries > 0;
  if (!need(isCount, 'distinct', counted, count, distinct, distinct + 4)) return undefined;
  const least = dictionarySize(count, 0);
  const isSize = bytes >= least && bytes <= MAX_SEGMENT_BYTES;
  const fits = [
    need(width === indexWidth(count), 'valueWidth', indexWidth(count), width),
    need(isSize, 'dictionaryBytes', `${least} to ${MAX_SEGMENT_BYTES}`, bytes, dictionaryBytes, dictionaryBytes + 8),
  ];
  return fits.includes(false) ? undefined : { offset, bytes, count };
}
