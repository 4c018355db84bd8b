// XXH32, as src/base/xxh32.ts has it, of bytes in memory.

const PRIME1: u32 = 0x9e3779b1;
const PRIME2: u32 = 0x85ebca77;
const PRIME3: u32 = 0xc2b2ae3d;
const PRIME4: u32 = 0x27d4eb2f;
const PRIME5: u32 = 0x165667b1;

function round(lane: u32, word: u32): u32 {
  return rotl<u32>(lane + word * PRIME2, 13) * PRIME1;
}

function mixed(hash: u32): u32 {
  hash = (hash ^ (hash >> 15)) * PRIME2;
  hash = (hash ^ (hash >> 13)) * PRIME3;
  return hash ^ (hash >> 16);
}

export function xxh32(at: usize, length: u32, seed: u32): u32 {
  const end = at + length;
  let hash: u32;
  if (length >= 16) {
    let a = seed + PRIME1 + PRIME2;
    let b = seed + PRIME2;
    let c = seed;
    let d = seed - PRIME1;
    const lastStripe = end - 16;
    do {
      a = round(a, load<u32>(at));
      b = round(b, load<u32>(at, 4));
      c = round(c, load<u32>(at, 8));
      d = round(d, load<u32>(at, 12));
      at += 16;
    } while (at <= lastStripe);
    hash = rotl<u32>(a, 1) + rotl<u32>(b, 7) + rotl<u32>(c, 12) + rotl<u32>(d, 18);
  } else {
    hash = seed + PRIME5;
  }
  hash += length;
  for (; at + 4 <= end; at += 4) hash = rotl<u32>(hash + load<u32>(at) * PRIME3, 17) * PRIME4;
  for (; at < end; at++) hash = rotl<u32>(hash + <u32>load<u8>(at) * PRIME5, 11) * PRIME1;
  return mixed(hash);
}

/** {@link xxh32} of 4 bytes. */
export function xxh32Of4(word: u32, seed: u32): u32 {
  return mixed(rotl<u32>(seed + PRIME5 + 4 + word * PRIME3, 17) * PRIME4);
}

/** {@link xxh32} of 8 bytes. */
export function xxh32Of8(words: u64, seed: u32): u32 {
  let hash = rotl<u32>(seed + PRIME5 + 8 + <u32>words * PRIME3, 17) * PRIME4;
  hash = rotl<u32>(hash + <u32>(words >> 32) * PRIME3, 17) * PRIME4;
  return mixed(hash);
}
