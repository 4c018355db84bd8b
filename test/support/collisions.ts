// Makes keys with a chosen XXH32, by running the hash backwards. Independent of src/base/xxh32.ts. The algorithm and
// its constants: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md

const PRIME2 = 0x85ebca77;
const PRIME3 = 0xc2b2ae3d;
const PRIME4 = 0x27d4eb2f;
const PRIME5 = 0x165667b1;

/** Inverse of an odd number modulo 2^32, by Newton's iteration: each step doubles the bits that are right. */
function inverse(odd: number): number {
  let x = odd;
  for (let i = 0; i < 5; i++) x = Math.imul(x, 2 - Math.imul(odd, x));
  return x;
}

const INVERSE2 = inverse(PRIME2);
const INVERSE3 = inverse(PRIME3);
const INVERSE4 = inverse(PRIME4);

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

/** The state before the final mixing that ends in `hash`. */
function beforeAvalanche(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, INVERSE3);
  h ^= (h >>> 13) ^ (h >>> 26);
  h = Math.imul(h, INVERSE2);
  return h ^ (h >>> 15) ^ (h >>> 30);
}

/**
 * The one key of `words` followed by a last word that has the hash.
 * @param words at most two little-endian words to start with: a key of 4, 8 or 12 bytes comes out
 */
export function keyWithHash(hash: number, seed: number, words: readonly number[]): Uint8Array {
  const key = new DataView(new ArrayBuffer(4 * words.length + 4));
  let h = (seed + PRIME5 + key.byteLength) | 0;
  for (const [i, word] of words.entries()) {
    key.setUint32(4 * i, word, true);
    h = (h + Math.imul(word, PRIME3)) | 0;
    h = Math.imul(rotateLeft(h, 17), PRIME4);
  }
  const last = rotateLeft(Math.imul(beforeAvalanche(hash), INVERSE4), 15);
  key.setUint32(4 * words.length, Math.imul(last - h, INVERSE3), true);
  return new Uint8Array(key.buffer);
}

/** `count` different strings of eight ASCII characters that all have the hash. */
export function collidingStrings(count: number, hash: number, seed: number): string[] {
  const strings: string[] = [];
  for (let i = 0; strings.length < count; i++) {
    const word = (0x61 + (i & 15)) | ((0x61 + ((i >> 4) & 15)) << 8) | ((0x61 + ((i >> 8) & 15)) << 16) | 0x6b00_0000;
    const key = keyWithHash(hash, seed, [word + ((i >> 12) << 24)]);
    if (key.every((byte) => byte < 0x80)) strings.push(Buffer.from(key).toString('latin1'));
  }
  return strings;
}
