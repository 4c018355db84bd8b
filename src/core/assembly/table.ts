// What lookups and scans know of a table: its numbers, where a hash belongs, and what a line of its index says
// (native-notes/format.md, sections 4 and 5).

import * as place from '../places';

export function ofTable(field: u32): u32 {
  return load<u32>(place.TABLE + field);
}

export function segmentOf(hash: u32, shardBits: u32, segmentShift: u32): u32 {
  return ((hash << shardBits) >> 1) >> segmentShift;
}

export function bucketOf(hash: u32, hashBits: u32, eighths: u32, bucketShift: u32): u32 {
  return (((hash << hashBits) >> 3) * eighths) >> bucketShift;
}

/** The offset that starts at a bit of a line's offsets. */
export function offsetAt(line: u32, bit: u32, mask: u32): u32 {
  return (load<u32>(line + 4 + (bit >> 3)) >> (bit & 7)) & mask;
}
