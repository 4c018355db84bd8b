// The integers that sets are built from: any of them at any time. Knows arithmetic.

/** Each odd multiple of it is another u64: "golden ratio" hashing (Knuth, The Art of Computer Programming 3, 6.4). */
export const STEP = 0x9e37_79b9_7f4a_7c15n;

/** Key number `i`, from 0. Each is odd or even by turns, and 2 is none of the first billions. */
export function keyAt(i: number): bigint {
  return BigInt.asUintN(64, 1n + BigInt(i) * STEP);
}
