// How a table is described to the core: the numbers that its lookups and scans need, and where segments lie. Knows
// headers and places; does not know what the core does with them.

import type { Core } from '../core/core.js';
import * as place from '../core/places.js';
import { VARIABLE } from '../format/constants.js';
import type { HashHeader } from '../format/header.js';
import { hashShifts, lineSize, offsetUnit } from '../format/index-lines.js';
import type { HashSegment } from './hash-segment.js';

/** Describes a table of which the core does not know any segment yet. Segments are described one by one. */
export function describeTable({ bytes, words }: Core, header: HashHeader): void {
  const { shard, segmentBits, eighths, bucketBits, index } = header;
  const shifts = hashShifts(shard.bits, segmentBits, bucketBits);
  const keyWidth = header.keyWidth ?? VARIABLE;
  const valueWidth = header.valueWidth ?? VARIABLE;
  // What is left there is another table's.
  bytes.fill(0, place.SEGMENTS, place.SEGMENTS + (header.segments.length << place.SEGMENT_ROW_SHIFT));
  const set = (field: number, value: number) => {
    words[(place.TABLE + field) / 4] = value;
  };
  set(place.SEED, header.hash.seed);
  set(place.SHARD_BITS, shard.bits);
  set(place.SEGMENT_SHIFT, shifts.segment);
  set(place.HASH_BITS, shifts.before);
  set(place.EIGHTHS, eighths);
  set(place.BUCKET_SHIFT, shifts.bucket);
  set(place.LINE_BYTES, lineSize(index.offsetBits));
  set(place.OFFSET_BITS, index.offsetBits);
  set(place.UNIT, offsetUnit(keyWidth, valueWidth));
  set(place.KEY_WIDTH, keyWidth);
  set(place.VALUE_WIDTH, valueWidth);
  set(place.SHARD, shard.index);
}

/** The segment's bytes lie in the core's memory, so that their places there are their addresses. */
export function describeSegment({ words }: Core, { number, index, heap, units }: HashSegment): void {
  const row = place.SEGMENTS + (number << place.SEGMENT_ROW_SHIFT);
  words[(row + place.LINES) / 4] = index.byteOffset;
  words[(row + place.HEAP) / 4] = heap.array.byteOffset;
  words[(row + place.UNITS) / 4] = units;
}
