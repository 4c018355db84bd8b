// Lines of a data set drawn at random, for processes that look up a few keys. Knows the source's lines; does not know
// tables.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { Random } from './generate.js';

/** Longer than any two lines. */
const WINDOW = 4096;

export interface Line {
  readonly key: string;
  readonly value: number;
}

/** `count` lines of a file of `key<TAB>number` lines, each the first that starts after a random place. */
export function sampleLines(tsv: string, count: number, seed: number): Line[] {
  const random = new Random(seed);
  const bytes = Buffer.alloc(WINDOW);
  const fd = openSync(tsv, 'r');
  try {
    const size = fstatSync(fd).size;
    return Array.from({ length: count }, () => {
      const place = Math.floor(random.fraction() * Math.max(1, size - WINDOW));
      const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, WINDOW, place));
      const [key, value] = text.split('\n', 2)[1]!.split('\t');
      return { key: key!, value: Number(value) };
    });
  } finally {
    closeSync(fd);
  }
}
