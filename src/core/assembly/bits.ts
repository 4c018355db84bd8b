// Counts ones of a bit array before given bits. Knows words and counts where they lie; does not know files.

import * as place from '../places';

/** Of a run, of which the count says how many ones are before it: `RUN_BITS` of src/format/keyless.ts. */
const RUN_SHIFT: u32 = 11;
const RUN_BYTES_SHIFT: u32 = 8;

/**
 * Puts in place of each of `count` bits, counted from a segment's first one, how many ones the segment has before it.
 * First it touches all that is needed, so that the waits for memory overlap; what it returns keeps these loads.
 * @param words the segment's bits; `counts` a u32 for each run of them
 */
export function rankBits(count: u32, words: usize, counts: usize): u32 {
  let touched: u32 = 0;
  const end: usize = place.RANKS + (count << 2);
  for (let at: usize = place.RANKS; at < end; at += 4) {
    const bit = load<u32>(at);
    const run = bit >> RUN_SHIFT;
    touched ^= load<u32>(counts + (run << 2));
    // A run has four cache lines; the last is that of the bit.
    const last = words + ((bit >> 5) << 2);
    for (let line = words + (run << RUN_BYTES_SHIFT); line < last; line += 64) touched ^= load<u32>(line);
    touched ^= load<u32>(last);
  }
  for (let at: usize = place.RANKS; at < end; at += 4) {
    const bit = load<u32>(at);
    const run = bit >> RUN_SHIFT;
    let ones = load<u32>(counts + (run << 2));
    let word = words + (run << RUN_BYTES_SHIFT);
    const last = words + ((bit >> 5) << 2);
    for (; word + 4 < last; word += 8) ones += <u32>popcnt<u64>(load<u64>(word));
    if (word < last) ones += popcnt<u32>(load<u32>(word));
    ones += popcnt<u32>(load<u32>(last) & ((1 << (bit & 31)) - 1));
    store<u32>(at, ones);
  }
  return touched;
}
