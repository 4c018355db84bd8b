// A Map from `key<TAB>number` lines, as a program that has no table would fill it.

import { readDecimal, readLines } from './lines.js';

/** Each key is a string of its own: pieces of one large string would keep all of it. */
export function readMap(tsv: string): Map<string, number> {
  const map = new Map<string, number>();
  readLines(tsv, (bytes, start, keyEnd, end) => {
    map.set(bytes.toString('latin1', start, keyEnd), readDecimal(bytes, keyEnd + 1, end));
  });
  return map;
}
