// Runs of bytes in memory.

/** Bytes that are copied at a time. */
export const STEP: u32 = 16;

/** Copies by whole steps: fewer than {@link STEP} bytes more are read, and written over. */
export function copySteps(to: usize, from: usize, length: u32): void {
  for (let at: u32 = 0; at < length; at += STEP) v128.store(to + at, v128.load(from + at));
}

/** Orders two runs of bytes as unsigned bytes, the shorter first if one begins the other: below 0, 0 or above 0. */
export function compareBytes(a: usize, aBytes: u32, b: usize, bBytes: u32): i32 {
  const shared = min(aBytes, bBytes);
  for (let i: u32 = 0; i < shared; i++) {
    const difference = <i32>load<u8>(a + i) - <i32>load<u8>(b + i);
    if (difference !== 0) return difference;
  }
  return <i32>aBytes - <i32>bBytes;
}
