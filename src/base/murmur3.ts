// MurmurHash3_x86_32. Knows nothing of what the bytes are for. The algorithm, by Austin Appleby, in the public domain:
// https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp

const { imul } = Math;

const C1 = 0xcc9e2d51 | 0;
const C2 = 0x1b873593;
const ADDED = 0xe6546b64 | 0;
const MIX1 = 0x85ebca6b | 0;
const MIX2 = 0xc2b2ae35 | 0;

/** The hash of `length` bytes from `start`, as a signed 32-bit integer. Allocates nothing. */
export function murmur3(view: DataView, start: number, length: number, seed: number): number {
  let hash = seed | 0;
  const end = start + (length & ~3);
  let at = start;
  for (; at < end; at += 4) {
    const word = imul(view.getInt32(at, true), C1);
    hash ^= imul((word << 15) | (word >>> 17), C2);
    hash = (imul((hash << 13) | (hash >>> 19), 5) + ADDED) | 0;
  }
  const rest = length & 3;
  if (rest > 0) {
    let word = view.getUint8(at);
    if (rest > 1) word |= view.getUint8(at + 1) << 8;
    if (rest > 2) word |= view.getUint8(at + 2) << 16;
    word = imul(word, C1);
    hash ^= imul((word << 15) | (word >>> 17), C2);
  }
  hash ^= length;
  hash = imul(hash ^ (hash >>> 16), MIX1);
  hash = imul(hash ^ (hash >>> 13), MIX2);
  return hash ^ (hash >>> 16);
}
