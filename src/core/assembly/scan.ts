// Checks whole groups of a segment by the rules of the format (native-notes/format.md, section 11): the line, and each
// record. Knows what is right; of what is wrong it only says in which group that is.

import * as place from '../places';
import { compareBytes } from './bytes';
import { BAD, MOST_KEY, varintAt, varintBytes } from './records';
import { bucketOf, offsetAt, ofTable, segmentOf } from './table';
import { isValue, numberAt } from './values';
import { xxh32, xxh32Of4, xxh32Of8 } from './xxh32';

/** Buckets of a group, and records of a bucket at most. */
const GROUP: u32 = 32;
const MOST_RECORDS: u32 = 64;

/** What a group adds to the totals, if all of it is right. */
let records: u32 = 0;
let keyBytesHere: u64 = 0;
let valueBytesHere: u64 = 0;
let leastKey: u32 = 0;
let mostKey: u32 = 0;
let leastValue: u32 = 0;
let mostValue: u32 = 0;
let largest: u64 = 0;

/**
 * Checks the groups from `group` on, up to `end`, exclusive; returns the first one that is not right, or `end`. Stops
 * earlier, at a group's end, after `mostBytes` of records.
 * @param groups of the segment
 */
export function scan(segment: u32, group: u32, end: u32, groups: u32, mostBytes: u32): u32 {
  const row: u32 = place.SEGMENTS + (segment << place.SEGMENT_ROW_SHIFT);
  const lineBytes = ofTable(place.LINE_BYTES);
  const units = load<u32>(row, place.UNITS);
  const unit = ofTable(place.UNIT);
  let line = load<u32>(row, place.LINES) + group * lineBytes;
  let bytes: u32 = 0;
  while (group < end && bytes < mostBytes) {
    const expected = load<u32>(place.EXPECTED);
    const size = sizeOf(line);
    if (size === BAD || load<u32>(line) !== expected || expected > units || size > units - expected) break;
    const next = expected + size;
    if (next !== (group + 1 === groups ? units : load<u32>(line + lineBytes))) break;
    if (!isGroup(row, line, segment, group)) break;
    commit(size);
    store<u32>(place.EXPECTED, next);
    bytes += size * unit;
    line += lineBytes;
    group++;
  }
  return group;
}

function offsetOf(line: u32, slot: u32, bits: u32): u32 {
  return offsetAt(line, slot * bits, (1 << bits) - 1);
}

/** Units of the group of a line; {@link BAD} if its offsets do not rise from 0, or it has other bits behind them. */
function sizeOf(line: u32): u32 {
  const bits = ofTable(place.OFFSET_BITS);
  let before = offsetOf(line, 0, bits);
  if (before !== 0) return BAD;
  for (let slot: u32 = 1; slot <= GROUP; slot++) {
    const offset = offsetOf(line, slot, bits);
    if (offset < before) return BAD;
    before = offset;
  }
  const used = (GROUP + 1) * bits;
  const end = line + ofTable(place.LINE_BYTES);
  let at = line + 4 + (used >> 3);
  if (load<u8>(at) >> (used & 7) !== 0) return BAD;
  for (at++; at < end; at++) if (load<u8>(at) !== 0) return BAD;
  return before;
}

function isGroup(row: u32, line: u32, segment: u32, group: u32): bool {
  const bits = ofTable(place.OFFSET_BITS);
  const unit = ofTable(place.UNIT);
  const start = load<u32>(row, place.HEAP) + load<u32>(line) * unit;
  records = 0;
  keyBytesHere = valueBytesHere = largest = 0;
  leastKey = leastValue = u32.MAX_VALUE;
  mostKey = mostValue = 0;
  let from = start;
  for (let slot: u32 = 0; slot < GROUP; slot++) {
    const to = start + offsetOf(line, slot + 1, bits) * unit;
    if (!isBucket(from, to, segment, group * GROUP + slot)) return false;
    from = to;
  }
  return true;
}

/** Whether the records of a bucket are right, each in its place. Counts them. */
function isBucket(at: u32, end: u32, segment: u32, bucket: u32): bool {
  const seed = ofTable(place.SEED);
  const keyWidth = ofTable(place.KEY_WIDTH);
  const valueWidth = ofTable(place.VALUE_WIDTH);
  const check = ofTable(place.VALUE_CHECK);
  const shardBits = ofTable(place.SHARD_BITS);
  const shard = ofTable(place.SHARD);
  const segmentShift = ofTable(place.SEGMENT_SHIFT);
  const hashBits = ofTable(place.HASH_BITS);
  const eighths = ofTable(place.EIGHTHS);
  const bucketShift = ofTable(place.BUCKET_SHIFT);
  let bucketRecords: u32 = 0;
  let lastHash: u32 = 0;
  let lastKey: u32 = 0;
  let lastBytes: u32 = 0;
  while (at < end) {
    let keyBytes = keyWidth;
    if (keyBytes === place.ANY_WIDTH) {
      keyBytes = load<u8>(at);
      if (keyBytes > 0x7f) keyBytes = varintAt(at, end);
      if (keyBytes > MOST_KEY) return false;
      at += varintBytes(keyBytes);
    }
    let valueBytes = valueWidth;
    if (valueBytes === place.ANY_WIDTH) {
      valueBytes = varintAt(at, end);
      if (valueBytes === BAD) return false;
      at += varintBytes(valueBytes);
    }
    if (at > end || keyBytes + valueBytes > end - at) return false;
    const hash =
      keyBytes === 8
        ? xxh32Of8(load<u64>(at), seed)
        : keyBytes === 4
          ? xxh32Of4(load<u32>(at), seed)
          : xxh32(at, keyBytes, seed);
    if ((hash >> 1) >> (31 - shardBits) !== shard) return false;
    if (segmentOf(hash, shardBits, segmentShift) !== segment) return false;
    if (bucketOf(hash, hashBits, eighths, bucketShift) !== bucket) return false;
    if (bucketRecords > 0 && hash <= lastHash) {
      if (hash < lastHash || compareBytes(lastKey, lastBytes, at, keyBytes) >= 0) return false;
    }
    lastHash = hash;
    lastKey = at;
    lastBytes = keyBytes;
    if (++bucketRecords > MOST_RECORDS) return false;
    leastKey = min(leastKey, keyBytes);
    mostKey = max(mostKey, keyBytes);
    leastValue = min(leastValue, valueBytes);
    mostValue = max(mostValue, valueBytes);
    keyBytesHere += keyBytes;
    valueBytesHere += valueBytes;
    at += keyBytes;
    if (check !== place.ANY_VALUE) {
      if (check === place.LARGEST_VALUE) largest = max(largest, numberAt(at, valueBytes));
      else if (!isValue(check, at, valueBytes)) return false;
    }
    at += valueBytes;
  }
  records += bucketRecords;
  return true;
}

function add(to: usize, what: u64): void {
  store<u64>(to, load<u64>(to) + what);
}

/** Adds a group to the totals. */
function commit(size: u32): void {
  store<u32>(place.MOST_IN_GROUP, max(load<u32>(place.MOST_IN_GROUP), size));
  store<u32>(place.LEAST_KEY, min(load<u32>(place.LEAST_KEY), leastKey));
  store<u32>(place.MOST_KEY, max(load<u32>(place.MOST_KEY), mostKey));
  store<u32>(place.LEAST_VALUE, min(load<u32>(place.LEAST_VALUE), leastValue));
  store<u32>(place.MOST_VALUE, max(load<u32>(place.MOST_VALUE), mostValue));
  store<u64>(place.LARGEST, max(load<u64>(place.LARGEST), largest));
  add(place.RECORDS, records);
  add(place.KEY_BYTES, keyBytesHere);
  add(place.ALL_VALUE_BYTES, valueBytesHere);
}
