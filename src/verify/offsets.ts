// Checks offsets that divide a heap into elements: those of a list, and of distinct values. Does not know what the
// elements are.

/** Elements between two yields. */
const STRIDE = 2 ** 16;

/** Called with a range of wrong offsets, `[from, to)`, by their numbers. */
export type BadOffset = (from: number, to: number, message: string) => void;

/**
 * Goes through the offsets of `count` elements and of their end: the first is 0, they never fall, the last is the size
 * of the heap. An element is given to `take` if both its offsets can be trusted; so one broken offset is reported
 * once. Yields its position in the heap.
 */
export function* checkOffsets(
  index: Int32Array,
  count: number,
  heapBytes: number,
  bad: BadOffset,
  take: (at: number, start: number, length: number) => void,
): Generator<number, void> {
  const first = index[0]! >>> 0;
  const last = index[count]! >>> 0;
  const lastFits = last === heapBytes;
  if (first !== 0) bad(0, 1, `the offset of the first element is ${first}, not 0`);
  if (!lastFits) bad(count, count + 1, `the last offset is ${last}, the elements have ${heapBytes} bytes`);
  let fell = first !== 0;
  for (let at = 0; at < count; at++) {
    const start = index[at]! >>> 0;
    const end = index[at + 1]! >>> 0;
    // If the first or the last offset is wrong, the one beside it is not to blame for a wrong order.
    const reliable = (at > 0 || first === 0) && (at + 1 < count || lastFits);
    const falls = reliable && start > end;
    if (falls) bad(at, at + 2, `the offset ${end} is below the one before it, ${start}`);
    const next = at + 2 <= count && (at + 2 < count || lastFits) ? index[at + 2]! >>> 0 : Number.POSITIVE_INFINITY;
    if (reliable && !fell && !falls && end <= next && end <= heapBytes) take(at, start, end - start);
    fell = falls;
    if (at % STRIDE === 0) yield Math.min(start, heapBytes);
  }
}
