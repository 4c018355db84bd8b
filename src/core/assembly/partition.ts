// Puts the staged records of a partition into the order of the format, and lays them out as a key heap, as Sorter and
// SegmentWriter do (src/build/hash). Knows staged records; does not know files.

import * as place from '../write-places';
import { compareBytes, copySteps, STEP } from './bytes';
import { varintBytes } from './records';
import { bucketOf, segmentOf } from './table';

/** Classes of more records are not sorted here: someone may have chosen them. */
const INSERTION: u32 = 24;
/** Of a staged record. */
const KEY_BYTES: u32 = 4;
const VALUE_BYTES: u32 = 6;

function ofState(field: u32): u32 {
  return load<u32>(field);
}

function valueBytesAt(record: u32): u32 {
  const fixed = ofState(place.STAGED_VALUE);
  return fixed === place.ANY_WIDTH ? load<u32>(record, VALUE_BYTES) : fixed;
}

/**
 * Sorts the first `count` records by hash, then by key.
 * @param consumed top bits of the hash that all share
 * @param digitBits by how many of the next bits they are parted first, from 1
 */
export function sortRecords(count: u32, consumed: u32, digitBits: u32): u32 {
  const records = ofState(place.RECORDS);
  const positions = ofState(place.POSITIONS);
  const hashes = ofState(place.HASHES);
  const order = ofState(place.ORDER);
  const ends = ofState(place.ENDS);
  const head = ofState(place.HEAD);
  const large = ofState(place.LARGE_VALUE);
  const shift = 32 - digitBits;
  const classes: u32 = 1 << digitBits;
  memory.fill(ends, 0, classes << 2);
  let at: u32 = 0;
  for (let i: u32 = 0; i < count << 2; i += 4) {
    const record = records + at;
    const hash = load<u32>(record);
    store<u32>(positions + i, at);
    store<u32>(hashes + i, hash);
    const end = ends + (((hash << consumed) >> shift) << 2);
    store<u32>(end, load<u32>(end) + 1);
    const valueBytes = valueBytesAt(record);
    const isAway = ofState(place.STAGED_VALUE) === place.ANY_WIDTH && valueBytes >= large;
    at += head + load<u16>(record, KEY_BYTES) + (isAway ? place.POSITION_BYTES : valueBytes);
  }
  let sum: u32 = 0;
  for (let end = ends; end < ends + (classes << 2); end += 4) {
    const size = load<u32>(end);
    if (size > INSERTION) return place.NOT_SORTED;
    store<u32>(end, sum);
    sum += size;
  }
  // Each class's start moves to its end as it fills.
  for (let i: u32 = 0; i < count; i++) {
    const end = ends + (((load<u32>(hashes + (i << 2)) << consumed) >> shift) << 2);
    const to = load<u32>(end);
    store<u32>(order + (to << 2), i);
    store<u32>(end, to + 1);
  }
  let start: u32 = 0;
  for (let end = ends; end < ends + (classes << 2); end += 4) {
    const last = load<u32>(end);
    for (let i = start + 1; i < last; i++) insert(order, start, i);
    start = last;
  }
  for (let i: u32 = 1; i < count; i++) {
    const a = load<u32>(order + ((i - 1) << 2));
    const b = load<u32>(order + (i << 2));
    if (load<u32>(hashes + (a << 2)) === load<u32>(hashes + (b << 2)) && compare(a, b) === 0) return place.SAME_KEYS;
  }
  return place.ALL_DIFFER;
}

/** Puts number `i` of the order among those from `start` on. */
function insert(order: u32, start: u32, i: u32): void {
  const moving = load<u32>(order + (i << 2));
  let j = i;
  for (; j > start; j--) {
    const before = load<u32>(order + ((j - 1) << 2));
    if (compare(before, moving) <= 0) break;
    store<u32>(order + (j << 2), before);
  }
  store<u32>(order + (j << 2), moving);
}

/** Orders two records: below 0, 0 for the same key, or above 0. */
function compare(a: u32, b: u32): i32 {
  const hashes = ofState(place.HASHES);
  const x = load<u32>(hashes + (a << 2));
  const y = load<u32>(hashes + (b << 2));
  if (x !== y) return x < y ? -1 : 1;
  const positions = ofState(place.POSITIONS);
  const p = ofState(place.RECORDS) + load<u32>(positions + (a << 2));
  const q = ofState(place.RECORDS) + load<u32>(positions + (b << 2));
  const head = ofState(place.HEAD);
  return compareBytes(p + head, load<u16>(p, KEY_BYTES), q + head, load<u16>(q, KEY_BYTES));
}

/**
 * Lays out the records from number `from` of the order up to `count`, exclusive. Returns the number of the first one
 * that it leaves: one of another segment, one whose value lies elsewhere, or one for which there is no room.
 */
export function layRecords(from: u32, count: u32): u32 {
  const records = ofState(place.RECORDS);
  const positions = ofState(place.POSITIONS);
  const hashes = ofState(place.HASHES);
  const order = ofState(place.ORDER);
  const head = ofState(place.HEAD);
  const isVariable = ofState(place.STAGED_VALUE) === place.ANY_WIDTH;
  const large = ofState(place.LARGE_VALUE);
  const shardBits = ofState(place.SHARD_BITS);
  const segmentShift = ofState(place.SEGMENT_SHIFT);
  const hashBits = ofState(place.HASH_BITS);
  const eighths = ofState(place.EIGHTHS);
  const bucketShift = ofState(place.BUCKET_SHIFT);
  const firstBucket = ofState(place.SEGMENT) * ofState(place.BUCKETS);
  const keyWidth = ofState(place.KEY_WIDTH);
  const valueWidth = ofState(place.VALUE_WIDTH);
  const outEnd = ofState(place.OUT_END);
  let out = ofState(place.OUT);
  let nextBucket = ofState(place.NEXT_BUCKET);
  let event = ofState(place.EVENTS);
  let i = from;
  for (; i < count; i++) {
    const index = load<u32>(order + (i << 2)) << 2;
    const hash = load<u32>(hashes + index);
    if (segmentOf(hash, shardBits, segmentShift) !== ofState(place.SEGMENT)) break;
    const record = records + load<u32>(positions + index);
    const keyBytes: u32 = load<u16>(record, KEY_BYTES);
    const valueBytes = isVariable ? load<u32>(record, VALUE_BYTES) : valueWidth;
    if (isVariable && valueBytes >= large) break;
    const bytes = keyBytes + valueBytes;
    if (out + bytes + 2 * STEP > outEnd) break;
    const bucket = firstBucket + bucketOf(hash, hashBits, eighths, bucketShift);
    if (bucket >= nextBucket) {
      store<u32>(event, bucket);
      store<u32>(event, out, 4);
      store<u32>(event, i, 8);
      event += place.EVENT_BYTES;
      nextBucket = bucket + 1;
    }
    if (keyWidth === place.ANY_WIDTH) out = storeVarint(out, keyBytes);
    if (valueWidth === place.ANY_WIDTH) out = storeVarint(out, valueBytes);
    // Key and value lie side by side in both places.
    copySteps(out, record + head, bytes);
    out += bytes;
  }
  store<u32>(place.OUT, out);
  store<u32>(place.NEXT_BUCKET, nextBucket);
  store<u32>(place.EVENT_COUNT, (event - ofState(place.EVENTS)) / place.EVENT_BYTES);
  return i;
}

/** A number below 2^28. */
function storeVarint(to: u32, value: u32): u32 {
  if (value < 0x80) {
    store<u8>(to, value);
    return to + 1;
  }
  const bytes = varintBytes(value);
  for (let i: u32 = 1; i < bytes; i++) {
    store<u8>(to++, value | 0x80);
    value >>= 7;
  }
  store<u8>(to, value);
  return to + 1;
}
