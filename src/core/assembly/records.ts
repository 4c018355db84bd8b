// Finds a key among the records of a bucket. Knows records; whatever their bytes are, it reads nothing outside the
// bucket.

import { ANY_WIDTH, MISSING, UNKNOWN } from '../places';

/** Bytes of a key, at most. */
export const MOST_KEY: u32 = 65_535;

/** Bytes that are loaded at a time. */
const WORD: u32 = 8;

/** Which bits of the word that ends with a key are the key's. */
function tailMask(length: u32): u64 {
  if (length >= WORD) return u64.MAX_VALUE;
  return length === 0 ? 0 : u64.MAX_VALUE << (64 - 8 * length);
}

/** Whether two runs of bytes, of which the last {@link WORD} are the same, are the same from the start on. */
function startSame(a: usize, b: usize, length: u32): bool {
  if (length <= WORD) return true;
  const last = length - WORD;
  for (let at: u32 = 0; at < last; at += WORD) if (load<u64>(a + at) !== load<u64>(b + at)) return false;
  return true;
}

/** Bytes of a varint of that value. */
export function varintBytes(value: u32): u32 {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}

/** A number that no varint of four bytes has; larger than any length. */
export const BAD: u32 = 0xffff_ffff;

/** The varint at a place, of two bytes or more; {@link BAD} if it has five, is cut off, or too long for its value. */
export function varintAt(at: usize, end: usize): u32 {
  let value: u32 = 0;
  for (let shift: u32 = 0; shift < 28 && at < end; shift += 7) {
    const byte: u32 = load<u8>(at++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return byte === 0 && shift > 0 ? BAD : value;
  }
  return BAD;
}

/**
 * Keys with a length before them, values of one width. Returns the address of the value, or a number below 0. There are
 * {@link WORD} bytes before each address, in the memory.
 *
 * A key is told from others by its length and its last word, in one comparison: which one of the records it is, the
 * processor cannot guess, and each wrong guess costs as much as a record.
 */
export function findPrefixed(at: usize, end: usize, valueWidth: u32, key: usize, length: u32): i32 {
  const mask = tailMask(length);
  const tail = load<u64>(key + length - WORD);
  while (at < end) {
    let keyBytes: u32 = load<u8>(at);
    if (keyBytes > 0x7f) {
      keyBytes = varintAt(at, end);
      if (keyBytes > MOST_KEY) return UNKNOWN;
      at += varintBytes(keyBytes);
    } else {
      at++;
    }
    if (keyBytes + valueWidth > <u32>(end - at)) return UNKNOWN;
    const other = load<u64>(min(at + length, end) - WORD);
    const differs = ((other ^ tail) & mask) | (keyBytes ^ length);
    if (differs === 0 && startSame(at, key, length)) return <i32>(at + length);
    at += keyBytes + valueWidth;
  }
  return MISSING;
}

/** Keys of 4 bytes, values of one width. */
export function findWord(at: usize, end: usize, stride: u32, key: usize): i32 {
  const word = load<u32>(key);
  for (; at < end; at += stride) if (load<u32>(at) === word) return <i32>(at + 4);
  return MISSING;
}

/** Keys of one width, and values of one width. */
export function findFixed(at: usize, end: usize, stride: u32, key: usize, length: u32): i32 {
  const mask = tailMask(length);
  const tail = load<u64>(key + length - WORD);
  for (; at < end; at += stride) {
    const differs = (load<u64>(at + length - WORD) ^ tail) & mask;
    if (differs === 0 && startSame(at, key, length)) return <i32>(at + length);
  }
  return MISSING;
}

/** Values with a length before them; {@link valueBytes} has that of the one that was found. */
export function findVariable(at: usize, end: usize, keyWidth: u32, key: usize, length: u32): i32 {
  const mask = tailMask(length);
  const tail = load<u64>(key + length - WORD);
  while (at < end) {
    let keyBytes = keyWidth;
    if (keyBytes === ANY_WIDTH) {
      keyBytes = varintAt(at, end);
      if (keyBytes > MOST_KEY) return UNKNOWN;
      at += varintBytes(keyBytes);
    }
    const bytes = varintAt(at, end);
    if (bytes === BAD) return UNKNOWN;
    at += varintBytes(bytes);
    if (keyBytes + bytes > <u32>(end - at)) return UNKNOWN;
    const other = load<u64>(min(at + length, end) - WORD);
    const differs = ((other ^ tail) & mask) | (keyBytes ^ length);
    if (differs === 0 && startSame(at, key, length)) {
      valueBytes = bytes;
      return <i32>(at + length);
    }
    at += keyBytes + bytes;
  }
  return MISSING;
}

export let valueBytes: u32 = 0;
