// Has the operating system read parts of a mapped file ahead, in the background. Knows how much may be asked for at a
// time; does not know what the parts are.

import type { ByteRange, Mapping } from '../mapping/mapping.js';

/** Bytes that are asked for between two looks at the clock. */
const STEP = 4 * 2 ** 20;
/** Milliseconds that one turn may take: to ask may wait until the disk has room for more requests. */
const TURN = 4;

/**
 * Asks for ranges of the mapping's views, a little at once and the rest in turns between other work, which end when the
 * mapping is closed and do not keep the process alive.
 * @param ranges by view; `offset` is in the view
 */
export function warmUp(mapping: Mapping, ranges: readonly (ByteRange & { readonly view: number })[]): void {
  const steps = pieces(ranges);
  const turn = (): void => {
    const end = performance.now() + TURN;
    do {
      const step = steps.next();
      if (step.done || !mapping.takesAdvice) return;
      const { view, offset, length } = step.value;
      mapping.advise('willneed', view, offset, length);
    } while (performance.now() < end);
    setTimeout(turn, 1).unref();
  };
  turn();
}

function* pieces<R extends ByteRange>(ranges: readonly R[]): Generator<R, void> {
  for (const range of ranges) {
    for (let done = 0; done < range.length; done += STEP) {
      yield { ...range, offset: range.offset + done, length: Math.min(STEP, range.length - done) };
    }
  }
}
