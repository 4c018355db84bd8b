// What an open list and an open bit array have in common: their range of integers, and iteration. Does not know
// elements.

import type { KeylessSegment } from '../storage/keyless-segment.js';
import { Handle } from './handle.js';
import { numbersOf } from './numeric-arrays.js';

/** Base of {@link List} and {@link BitArray}. */
export abstract class KeylessHandle extends Handle {
  /** The first integer that the file has something for. */
  get base(): number {
    return this.snapshot().header.base;
  }

  /**
   * @internal {@link numbersOf} of an open file.
   * @throws {HmapError} `HMAP_CLOSED`, also if what yields the numbers closes the file
   */
  protected numbers(name: string, numbers: Iterable<number>): ArrayLike<number> {
    this.snapshot();
    const list = numbersOf(name, numbers);
    this.snapshot();
    return list;
  }

  /**
   * @internal Goes through the segments of the current snapshot, and stays with it after a reload. Throws at once if the file is
   * closed.
   */
  protected each<R>(
    take: (segment: KeylessSegment, first: number) => Generator<R, void>,
  ): Generator<R, undefined, unknown> {
    this.snapshot();
    return this.#steps(take);
  }

  *#steps<R>(take: (segment: KeylessSegment, first: number) => Generator<R, void>): Generator<R, undefined, unknown> {
    const snapshot = this.snapshot();
    const { base, perSegment } = snapshot.header;
    snapshot.retain();
    try {
      for (let i = 0; i < snapshot.keyless.length; i++) {
        for (const step of take(snapshot.keyless.at(i), base + i * perSegment)) {
          yield step;
          this.snapshot();
        }
      }
    } finally {
      snapshot.release();
    }
  }
}

/** Where in a file with that base an integer is, from 0 to 2^32 - 1; infinite for what is nowhere there. */
export function placeOf(integer: unknown, base: number): number {
  if (typeof integer !== 'number') return Number.POSITIVE_INFINITY;
  const at = integer - base;
  return at >>> 0 === at ? at : Number.POSITIVE_INFINITY;
}
