// What is done to tables by hash to make hostile files of them: to their bucket arrays, key heaps and records. Knows
// the format's parts; does not know what the library makes of them.

import { anySegment, FIELD, segmentAt, segmentCount, setU64, type Trick, u64, VARIABLE } from './fuzz-fields.js';
import { BLOCK, PAGE } from './fuzz-samples.js';

/**
 * Puts a byte into the heap at `at`, an offset in the file, and moves what follows into the padding: the offsets of
 * buckets from there on, and the segment's size. `skip` is 0 where a bucket that starts there shall start after the
 * byte. Gives `false` where there is no room.
 */
function insert(bytes: Buffer, at: number, skip: number): boolean {
  for (let i = 0; i < segmentCount(bytes); i++) {
    const { row, offset, size, heap, buckets } = segmentAt(bytes, i);
    if (at < heap || at > offset + size || (offset + size) % PAGE === 0) continue;
    bytes.copyWithin(at + 1, at, offset + size);
    for (let b = 0; b <= buckets; b++) {
      const start = bytes.readUInt32LE(offset + 4 * b);
      if (heap + start >= at + skip) bytes.writeUInt32LE((start + 1) >>> 0, offset + 4 * b);
    }
    setU64(bytes, row + 8, size + 1);
    return true;
  }
  return false;
}

export const TABLE_TRICKS: Record<string, Trick> = {
  'bucket bits'(bytes, _of, random) {
    // Up to 9 the heap starts at the same place.
    bytes[FIELD.bucketBits] = random.below(4) === 0 ? random.below(33) : random.below(10);
    return undefined;
  },
  'one bucket'(bytes) {
    bytes[FIELD.bucketBits] = 0;
    for (let i = 0; i < segmentCount(bytes); i++) {
      const { row, offset, size, heap, buckets } = segmentAt(bytes, i);
      if (buckets < 1) continue;
      bytes.writeUInt32LE(0, offset);
      // What was the rest of a longer array are records now.
      bytes.writeUInt32LE(Math.max(0, size - (heap - offset)), offset + 4);
      setU64(bytes, row + 8, size);
    }
    return undefined;
  },
  seed(bytes, _of, random) {
    bytes.writeUInt32LE(random.u32(), FIELD.seed);
    return undefined;
  },
  'more segments'(bytes, _of, random) {
    const start = bytes.readUInt32LE(FIELD.headerBytes);
    const end = u64(bytes, FIELD.checksumsOffset);
    const pages = Math.floor((end - start) / PAGE);
    const bits = Math.min(random.below(7), Math.floor(Math.log2(pages)));
    if (start >= end || end > bytes.length || !(bits >= 0) || bytes.readUInt32LE(FIELD.metadataBytes) > 500)
      return undefined;
    bytes[FIELD.segmentBits] = bits;
    bytes[FIELD.bucketBits] = random.below(10);
    const cuts = random.shuffled(Array.from({ length: pages - 1 }, (_, i) => i + 1)).slice(0, 2 ** bits - 1);
    const ends = [...cuts.sort((a, b) => a - b), pages];
    let from = 0;
    for (const [i, to] of ends.entries()) {
      const row = FIELD.table + 24 * i;
      setU64(bytes, row, start + from * PAGE);
      setU64(bytes, row + 8, (to - from) * PAGE - (to - from > 1 ? random.below(PAGE) : 0));
      setU64(bytes, row + 16, i === 0 ? u64(bytes, FIELD.entries) : 0);
      from = to;
    }
    return undefined;
  },
  'an empty heap'(bytes) {
    const { row, offset, heap } = segmentAt(bytes, segmentCount(bytes) - 1);
    const blocks = Math.max(1, Math.ceil((heap - bytes.readUInt32LE(FIELD.headerBytes)) / BLOCK));
    const smaller = Buffer.concat([bytes.subarray(0, heap), Buffer.alloc(8 * blocks)]);
    setU64(smaller, row + 8, heap - offset);
    setU64(smaller, FIELD.checksumsOffset, heap);
    setU64(smaller, FIELD.checksumsBytes, 8 * blocks);
    setU64(smaller, FIELD.fileBytes, smaller.length);
    return smaller;
  },
  'all offsets'(bytes, _of, random) {
    const { offset, size, heap, buckets } = anySegment(bytes, random);
    const heapBytes = Math.max(0, offset + size - heap);
    const way = random.below(5);
    const some = [0, heapBytes, heapBytes + 1, 2 ** 31, VARIABLE];
    const list = Array.from({ length: buckets + 1 }, (_, i) => {
      if (way === 0) return random.below(heapBytes + 1);
      if (way === 1) return i % 2 === 0 ? 0 : heapBytes;
      if (way === 2) return random.pick(some);
      return Math.floor((heapBytes * i) / buckets);
    });
    if (way === 0 || way === 4) list.sort((a, b) => a - b);
    for (const [i, value] of list.entries()) bytes.writeUInt32LE(value, offset + 4 * i);
    return undefined;
  },
  'an offset'(bytes, _of, random) {
    const { offset, size, heap, buckets } = anySegment(bytes, random);
    if (buckets < 1) return undefined;
    const heapBytes = Math.max(0, offset + size - heap);
    const at = offset + 4 * random.below(buckets + 1);
    const old = bytes.readUInt32LE(at);
    const value = random.pick([
      old + 1,
      old - 1,
      old + random.below(100),
      heapBytes,
      heapBytes + 1,
      0,
      VARIABLE,
      2 ** 31,
    ]);
    bytes.writeUInt32LE(value >>> 0, at);
    return undefined;
  },
  'a record’s lengths'(bytes, of, random) {
    if (of.layout !== 'hash' || of.answers.length === 0) return undefined;
    const { at } = random.pick(of.answers);
    const varints = [
      [0x80, 0],
      [0x81, 0x80, 0],
      [0xff, 0xff, 3],
      [0x80, 0x80, 4],
      [0xff, 0xff, 0xff, 0xff, 3],
      [0xff, 0xff, 0xff, 0xff, 0x7f],
      [0xff, 0xff, 0xff, 0xff, 0xff, 1],
      // Small numbers below zero, where 32 bits have a sign.
      [random.between(0xf0, 0xff), 0xff, 0xff, 0xff, 0x7f],
      [random.below(256)],
      [bytes[at]! + random.pick([-1, 1])],
    ];
    const varint = random.pick(varints);
    if (at + varint.length <= bytes.length) bytes.set(varint, at);
    return undefined;
  },
  'a length in a longer form'(bytes, of, random) {
    if (of.layout !== 'hash' || of.answers.length === 0) return undefined;
    const { at } = random.pick(of.answers);
    if (at >= bytes.length || bytes[at]! > 0x7f || !insert(bytes, at + 1, 1)) return undefined;
    bytes[at]! |= 0x80;
    bytes[at + 1] = 0;
    return undefined;
  },
  'a gap in the heap'(bytes, _of, random) {
    const { offset, heap, buckets } = anySegment(bytes, random);
    if (buckets < 1 || heap <= offset) return undefined;
    // Before the first record, between two buckets, or after the last record.
    const bucket = random.pick([0, 0, random.below(buckets), buckets]);
    insert(bytes, heap + bytes.readUInt32LE(offset + 4 * bucket), random.pick([0, 1]));
    return undefined;
  },
  'a record over another'(bytes, of, random) {
    if (of.layout !== 'hash' || of.answers.length === 0) return undefined;
    const [a, b] = [random.pick(of.answers), random.pick(of.answers)];
    if (Math.max(a.end, b.end) > bytes.length) return undefined;
    const copy = Buffer.from(bytes.subarray(a.at, a.end));
    if (random.below(2) === 0 && a.end - a.at === b.end - b.at) bytes.copyWithin(a.at, b.at, b.end);
    copy.copy(bytes, b.at);
    return undefined;
  },
  'a value'(bytes, of, random) {
    if (of.layout !== 'hash' || of.answers.length === 0) return undefined;
    const { end, raw } = random.pick(of.answers);
    if (raw.length === 0 || end > bytes.length) return undefined;
    const at = end - 1 - random.below(raw.length);
    bytes[at] = random.pick([0, 0x0a, 0x09, 0x22, 0x5d, 0x7f, 0xc3, 0xff, random.below(256)]);
    return undefined;
  },
};
