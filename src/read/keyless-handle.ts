// What an open list and an open bit array have in common: their range of integers, and iteration. Does not know
// elements.

import type { KeylessSegment } from '../storage/keyless-segment.js';
import { Handle } from './handle.js';

/** Base of {@link List} and {@link BitArray}. */
export abstract class KeylessHandle extends Handle {
  /** The first integer that the file has something for. */
  get base(): number {
    return this.snapshot().header.base;
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
