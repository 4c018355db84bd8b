// Whether bytes are a value, for the types of which the core knows that (native-notes/format.md, section 7).

import * as place from '../places';

/** The one pattern that a NaN has. Without the sign, the bits of all NaNs are above those of infinity. */
const NAN32: u32 = 0x7fc0_0000;
const NAN64: u64 = 0x7ff8_0000_0000_0000;
const INFINITY32: u32 = 0x7f80_0000;
const INFINITY64: u64 = 0x7ff0_0000_0000_0000;
/** Bytes of a text, at most. */
const MOST_TEXT: u32 = (1 << 29) - 24;

/** @param check one of the numbers of `VALUE_CHECK` */
export function isValue(check: u32, at: usize, length: u32): bool {
  if (check === place.ANY_VALUE || check === place.LARGEST_VALUE) return true;
  if (check === place.F32_VALUE) {
    const bits = load<u32>(at);
    return bits << 1 <= INFINITY32 << 1 || bits === NAN32;
  }
  if (check === place.F64_VALUE) {
    const bits = load<u64>(at);
    return bits << 1 <= INFINITY64 << 1 || bits === NAN64;
  }
  return length <= MOST_TEXT && isUtf8(at, at + length);
}

/** An unsigned integer of 1 to 6 bytes. */
export function numberAt(at: usize, width: u32): u64 {
  let value: u64 = 0;
  for (let i = width; i > 0; i--) value = (value << 8) | load<u8>(at + i - 1);
  return value;
}

function isTail(at: usize, end: usize): bool {
  return at < end && (load<u8>(at) & 0xc0) === 0x80;
}

/** Well-formed UTF-8, as table 3-7 of the Unicode standard has it. */
export function isUtf8(at: usize, end: usize): bool {
  while (at < end) {
    if (at + 8 <= end && ((load<u32>(at) | load<u32>(at, 4)) & 0x8080_8080) === 0) {
      at += 8;
      continue;
    }
    const first: u32 = load<u8>(at++);
    if (first < 0x80) continue;
    if (first < 0xc2 || first > 0xf4) return false;
    if (!isTail(at, end)) return false;
    const second: u32 = load<u8>(at++);
    if (first < 0xe0) continue;
    if (!isTail(at, end)) return false;
    at++;
    if (first < 0xf0) {
      if (first === 0xe0 && second < 0xa0) return false;
      if (first === 0xed && second > 0x9f) return false;
      continue;
    }
    if (!isTail(at, end)) return false;
    at++;
    if (first === 0xf0 && second < 0x90) return false;
    if (first === 0xf4 && second > 0x8f) return false;
  }
  return true;
}
