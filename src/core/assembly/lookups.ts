// Looks a batch of keys up, in passes whose waits for memory overlap: no load of a pass waits for another one of the
// same pass, so that the processor has many under way at once. Knows where a table lies in memory; does not know files.

import * as place from '../places';
import { findFixed, findPrefixed, findVariable, findWord, valueBytes } from './records';
import { bucketOf, offsetAt, ofTable, segmentOf } from './table';
import { xxh32, xxh32Of4, xxh32Of8 } from './xxh32';

/** Bytes of a row. */
const ROW: usize = 1 << place.BATCH_SHIFT;

/** The row of key number `i` of the batch. */
function rowOf(i: u32): usize {
  return place.BATCH_ROWS + (i << place.BATCH_SHIFT);
}

/** Hashes the first `count` keys. */
export function hashKeys(count: u32): void {
  const seed = ofTable(place.SEED);
  for (let key = rowOf(0), last = rowOf(count); key < last; key += ROW) {
    const length = load<i32>(key, place.LENGTH);
    if (length >= 0) store<u32>(key, xxh32(place.KEYS + load<u32>(key, place.START), length, seed), place.HASH);
  }
}

/** Hashes `count` keys of 4 or 8 bytes that lie side by side, and says where each lies. */
export function hashWords(count: u32, width: u32): void {
  const seed = ofTable(place.SEED);
  let at: u32 = 0;
  for (let key = rowOf(0), last = rowOf(count); key < last; key += ROW, at += width) {
    const word: usize = place.KEYS + at;
    store<u32>(key, at, place.START);
    store<u32>(key, width, place.LENGTH);
    store<u32>(key, width === 4 ? xxh32Of4(load<u32>(word), seed) : xxh32Of8(load<u64>(word), seed), place.HASH);
  }
}

/** Keys of one round of passes: few enough that what they touch stays in the first cache until it is compared. */
const GROUP: u32 = 64;
/** What a processor loads into a cache at a time. */
const CACHE_LINE: u32 = 64;

/** Finds the first `count` keys, which have been hashed. What it returns keeps the loads that have no other purpose. */
export function find(count: u32): u32 {
  let touched: u32 = 0;
  for (let first: u32 = 0; first < count; first += GROUP) {
    const key = rowOf(first);
    const last = rowOf(min(first + GROUP, count));
    findLines(key, last);
    touched ^= touchLines(key, last);
    locate(key, last);
    touched ^= touchRecords(key, last);
    compare(key, last);
  }
  return touched;
}

/** For each key its segment's row, the address of its line, and the bit in it at which its bucket's offset starts. */
function findLines(key: usize, last: usize): void {
  const shardBits = ofTable(place.SHARD_BITS);
  const segmentShift = ofTable(place.SEGMENT_SHIFT);
  const hashBits = ofTable(place.HASH_BITS);
  const eighths = ofTable(place.EIGHTHS);
  const bucketShift = ofTable(place.BUCKET_SHIFT);
  const lineBytes = ofTable(place.LINE_BYTES);
  const offsetBits = ofTable(place.OFFSET_BITS);
  for (; key < last; key += ROW) {
    const hash = load<u32>(key, place.HASH);
    const segment: u32 = place.SEGMENTS + (segmentOf(hash, shardBits, segmentShift) << place.SEGMENT_ROW_SHIFT);
    const bucket = bucketOf(hash, hashBits, eighths, bucketShift);
    const lines = load<u32>(segment, place.LINES);
    // Of a segment that is not here, an address in the memory's first bytes.
    const line = lines === 0 ? 0 : lines + (bucket >> 5) * lineBytes;
    const bit = (bucket & 31) * offsetBits;
    store<u32>(key, segment, place.ROW);
    store<u32>(key, line, place.FROM);
    store<u32>(key, bit, place.TO);
    store<u32>(key, line + 4 + (bit >> 3), place.FOUND);
  }
}

/** A pass of its own: the fewer instructions stand between two loads, the more of them the processor has under way. */
function touchLines(key: usize, last: usize): u32 {
  let touched: u32 = 0;
  for (; key < last; key += ROW) {
    touched ^= load<u8>(load<u32>(key, place.FROM)) ^ load<u8>(load<u32>(key, place.FOUND));
  }
  return touched;
}

/** Where the bucket of each key lies in memory; no bytes, and no row, if that is not certain. */
function locate(key: usize, last: usize): void {
  const offsetBits = ofTable(place.OFFSET_BITS);
  const offsetMask: u32 = (1 << offsetBits) - 1;
  const unit = ofTable(place.UNIT);
  const most = ofTable(place.MOST_UNITS);
  for (; key < last; key += ROW) {
    const segment = load<u32>(key, place.ROW);
    const line = load<u32>(key, place.FROM);
    const bit = load<u32>(key, place.TO);
    const anchor = load<u32>(line);
    const from = anchor + offsetAt(line, bit, offsetMask);
    const to = anchor + offsetAt(line, bit + offsetBits, offsetMask);
    const heap = load<u32>(segment, place.HEAP);
    const isHere = line !== 0 && to - from <= most && to <= load<u32>(segment, place.UNITS);
    // A sum that has lost a bit is less than the anchor.
    const isRange = isHere && from >= anchor && from <= to;
    store<u32>(key, isRange ? segment : 0, place.ROW);
    store<u32>(key, isRange ? heap + from * unit : 0, place.FROM);
    store<u32>(key, isRange ? heap + to * unit : 0, place.TO);
  }
}

/** Each cache line of the buckets, if they have up to five: most have two or three. */
function touchRecords(key: usize, last: usize): u32 {
  let touched: u32 = 0;
  for (; key < last; key += ROW) {
    const from = load<u32>(key, place.FROM);
    const end = max(load<u32>(key, place.TO), 1) - 1;
    // Without a branch, which the processor would have to guess.
    touched ^= load<u8>(from) ^ load<u8>(end);
    touched ^= load<u8>(min(from + CACHE_LINE, end)) ^ load<u8>(min(from + 2 * CACHE_LINE, end));
    touched ^= load<u8>(min(from + 3 * CACHE_LINE, end));
  }
  return touched;
}

function compare(key: usize, last: usize): void {
  const keyWidth = ofTable(place.KEY_WIDTH);
  const valueWidth = ofTable(place.VALUE_WIDTH);
  const unit = ofTable(place.UNIT);
  for (; key < last; key += ROW) {
    const segment = load<u32>(key, place.ROW);
    const length = load<u32>(key, place.LENGTH);
    let found: i32;
    if (<i32>length < 0) {
      found = place.MISSING;
    } else if (segment === 0) {
      found = place.UNKNOWN;
    } else {
      const from = load<u32>(key, place.FROM);
      const to = load<u32>(key, place.TO);
      const wanted = place.KEYS + load<u32>(key, place.START);
      if (valueWidth === place.ANY_WIDTH) {
        found = findVariable(from, to, keyWidth, wanted, length);
        store<u32>(key, valueBytes, place.VALUE_BYTES);
      } else if (keyWidth === place.ANY_WIDTH) {
        found = findPrefixed(from, to, valueWidth, wanted, length);
      } else if (keyWidth !== length) {
        found = place.MISSING;
      } else if (length === 4) {
        found = findWord(from, to, unit, wanted);
      } else {
        found = findFixed(from, to, unit, wanted, length);
      }
      // An address of 2^31 or more is below 0 as well, but none is as high as these.
      const isFound = found !== place.MISSING && found !== place.UNKNOWN;
      if (isFound) found = <i32>(<u32>found - load<u32>(segment, place.HEAP));
    }
    store<i32>(key, found, place.FOUND);
  }
}

function valueAt(key: usize): usize {
  return load<u32>(load<u32>(key, place.ROW), place.HEAP) + load<u32>(key, place.FOUND);
}

/** The values of the first `count` keys that were found, unsigned integers of 1 to 4 bytes, as 4 bytes each. */
export function takeUnsigned(count: u32, width: u32): void {
  let out: usize = place.VALUES;
  for (let key = rowOf(0), last = rowOf(count); key < last; key += ROW, out += 4) {
    if (load<i32>(key, place.FOUND) < 0) continue;
    const at = valueAt(key);
    let value: u32;
    if (width === 4) value = load<u32>(at);
    else if (width === 2) value = load<u16>(at);
    else if (width === 1) value = load<u8>(at);
    else value = <u32>load<u16>(at) | ((<u32>load<u8>(at, 2)) << 16);
    store<u32>(out, value);
  }
}

/** Likewise signed integers of 1, 2 or 4 bytes. */
export function takeSigned(count: u32, width: u32): void {
  let out: usize = place.VALUES;
  for (let key = rowOf(0), last = rowOf(count); key < last; key += ROW, out += 4) {
    if (load<i32>(key, place.FOUND) < 0) continue;
    const at = valueAt(key);
    store<i32>(out, width === 4 ? load<i32>(at) : width === 2 ? load<i16>(at) : load<i8>(at));
  }
}

/** Likewise values of 8 bytes. */
export function takeWords(count: u32): void {
  let out: usize = place.VALUES;
  for (let key = rowOf(0), last = rowOf(count); key < last; key += ROW, out += 8) {
    if (load<i32>(key, place.FOUND) >= 0) store<u64>(out, load<u64>(valueAt(key)));
  }
}

/** Likewise unsigned integers of 5 or 6 bytes, as `f64`. */
export function takeLong(count: u32, width: u32): void {
  let out: usize = place.VALUES;
  for (let key = rowOf(0), last = rowOf(count); key < last; key += ROW, out += 8) {
    if (load<i32>(key, place.FOUND) < 0) continue;
    const at = valueAt(key);
    const high: u64 = width === 6 ? load<u16>(at, 4) : load<u8>(at, 4);
    store<f64>(out, <f64>((high << 32) | load<u32>(at)));
  }
}
