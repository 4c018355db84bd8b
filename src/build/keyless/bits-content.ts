// The content of a bit array's file: its words, and the number of ones before each run of words. Does not know where
// the words come from.

import { popcount } from '../../base/bytes.js';
import { capacityOf, countIn, type KeylessForm, RUN_WORDS } from '../../format/keyless.js';
import type { KeylessContent } from './keyless-builder.js';

const BITS: KeylessForm = { kind: 'bits', bits: 1 };

/** Words between two turns while a file is written. */
const STRIDE = 2 ** 20;

export interface BitsSource {
  /** Bits, and how many of them are ones. */
  readonly length: number;
  readonly ones: number;
  readonly duplicates: number;
  readonly segmentBytes: number;
  /** Asked for each word of 32 bits once, in order. */
  wordAt(word: number): number;
  /** Called before each run of {@link RUN_WORDS} words, with the index of its first word; its promise is awaited. */
  ready?(word: number): Promise<void> | undefined;
  pause(): Promise<void> | undefined;
}

export function bitsContent(source: BitsSource): KeylessContent {
  const { length, ones: all, duplicates, segmentBytes } = source;
  const words = Math.ceil(length / 32);
  const each = capacityOf(BITS, segmentBytes);
  const segments = Math.max(1, Math.ceil(length / each));
  const counts = Array.from({ length: segments }, (_, i) => countIn(i, each, length));
  return {
    entries: all,
    duplicates,
    valueType: 'none',
    valueWidth: 0,
    spareBits: 32 * words - length,
    bytes: 4 * words,
    counts,
    write: async ({ index, elements }, i) => {
      const first = (i * each) / 32;
      const count = Math.ceil((counts[i] ?? 0) / 32);
      let ones = 0;
      if (count === 0) index.u32(0);
      for (let at = 0; at < count; at++) {
        if (at % RUN_WORDS === 0) {
          const coming = source.ready?.(first + at);
          if (coming !== undefined) await coming;
          index.u32(ones);
        }
        const word = source.wordAt(first + at);
        ones += popcount(word);
        elements.u32(word >>> 0);
        if (at % STRIDE === STRIDE - 1) await source.pause();
      }
      return { data: 4 * count, entries: ones };
    },
  };
}
