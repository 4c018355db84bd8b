// XXH32, the hash of keys. Knows nothing of tables.
// The algorithm and its constants: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md

const PRIME1 = 0x9e3779b1 | 0;
const PRIME2 = 0x85ebca77 | 0;
const PRIME3 = 0xc2b2ae3d | 0;
const PRIME4 = 0x27d4eb2f | 0;
const PRIME5 = 0x165667b1 | 0;
/** The constants of XXH32, as signed 32-bit integers. */
export const PRIMES = [PRIME1, PRIME2, PRIME3, PRIME4, PRIME5] as const;

/**
 * XXH32 of `length` bytes from `start`, as a signed 32-bit integer (`>>> 0` gives the usual unsigned one). Allocates
 * nothing.
 *
 * It is written here because a call into WebAssembly costs three times the hash of a short key; the tests compare it
 * with xxhash-wasm.
 */
export function xxh32(view: DataView, start: number, length: number, seed: number): number {
  const end = start + length;
  let at = start;
  let hash: number;
  if (length >= 16) {
    let a = (seed + PRIME1 + PRIME2) | 0;
    let b = (seed + PRIME2) | 0;
    let c = seed | 0;
    let d = (seed - PRIME1) | 0;
    const lastStripe = end - 16;
    let lane: number;
    do {
      lane = (a + Math.imul(view.getInt32(at, true), PRIME2)) | 0;
      a = Math.imul((lane << 13) | (lane >>> 19), PRIME1);
      lane = (b + Math.imul(view.getInt32(at + 4, true), PRIME2)) | 0;
      b = Math.imul((lane << 13) | (lane >>> 19), PRIME1);
      lane = (c + Math.imul(view.getInt32(at + 8, true), PRIME2)) | 0;
      c = Math.imul((lane << 13) | (lane >>> 19), PRIME1);
      lane = (d + Math.imul(view.getInt32(at + 12, true), PRIME2)) | 0;
      d = Math.imul((lane << 13) | (lane >>> 19), PRIME1);
      at += 16;
    } while (at <= lastStripe);
    hash = ((a << 1) | (a >>> 31)) + ((b << 7) | (b >>> 25)) + ((c << 12) | (c >>> 20)) + ((d << 18) | (d >>> 14));
  } else {
    hash = seed + PRIME5;
  }
  hash = (hash + length) | 0;
  for (const lastWord = end - 4; at <= lastWord; at += 4) {
    hash = (hash + Math.imul(view.getInt32(at, true), PRIME3)) | 0;
    hash = Math.imul((hash << 17) | (hash >>> 15), PRIME4);
  }
  for (; at < end; at++) {
    hash = (hash + Math.imul(view.getUint8(at), PRIME5)) | 0;
    hash = Math.imul((hash << 11) | (hash >>> 21), PRIME1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME3);
  return hash ^ (hash >>> 16);
}
