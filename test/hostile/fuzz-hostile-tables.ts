// What is done to tables by hash to make hostile files of them: to their lines, key heaps and records. Knows
// the format's parts; does not know what the library makes of them.

import {
  anySegment,
  boundsOf,
  FIELD,
  segmentAt,
  segmentCount,
  setBounds,
  setU64,
  type Trick,
  u64,
  VARIABLE,
} from './fuzz-fields.js';

/**
 * Puts a byte into the heap at `at`, an offset in the file, and moves what follows into the padding: the places of
 * buckets from there on, and the segment's size. `skip` is 0 where a bucket that starts there shall start after the
 * byte. Gives `false` where there is no room.
 */
function insert(bytes: Buffer, at: number, skip: number): boolean {
  for (let i = 0; i < segmentCount(bytes); i++) {
    const place = segmentAt(bytes, i);
    const { row, heap, size } = place;
    if (at < heap || at > heap + size || (heap + size) % 8 === 0) continue;
    bytes.copyWithin(at + 1, at, heap + size);
    const moved = boundsOf(bytes, place).map((start) => (heap + start >= at + skip ? start + 1 : start));
    setBounds(bytes, place, moved);
    setU64(bytes, row + 8, size + 1);
    return true;
  }
  return false;
}

export const TABLE_TRICKS: Record<string, Trick> = {
  'bucket bits'(bytes, _of, random) {
    bytes[FIELD.bucketBits] = random.below(4) === 0 ? random.below(33) : random.between(5, 12);
    if (random.below(2) === 0) bytes[FIELD.bucketEighths] = random.pick([8, 8, 5, 6, 7, 4, 9, 0]);
    return undefined;
  },
  'offset bits'(bytes, _of, random) {
    bytes[FIELD.offsetBits] = random.pick([7, 8, 9, 11, 12, 16, 24, 25, 32, 33]);
    return undefined;
  },
  'all in one bucket'(bytes, _of, random) {
    for (let i = 0; i < segmentCount(bytes); i++) {
      const place = segmentAt(bytes, i);
      const bounds = boundsOf(bytes, place);
      const bucket = random.below(Math.max(1, bounds.length - 1));
      const end = bounds.at(-1) ?? 0;
      setBounds(
        bytes,
        place,
        bounds.map((_, at) => (at <= bucket ? 0 : end)),
      );
    }
    return undefined;
  },
  'another shard'(bytes, _of, random) {
    const bits = random.pick([1, 1, 2, 5, 16, 17]);
    bytes[FIELD.shardBits] = bits;
    bytes.writeUInt32LE(random.below(2 ** Math.min(16, bits)), FIELD.shardIndex);
    return undefined;
  },
  narrowed(bytes) {
    bytes[FIELD.narrowed]! ^= 1;
    return undefined;
  },
  seed(bytes, _of, random) {
    bytes.writeUInt32LE(random.u32(), FIELD.seed);
    return undefined;
  },
  'more segments'(bytes, _of, random) {
    // The heap is cut; each part has the lines that there are, which are those of other buckets.
    const { heap, size } = segmentAt(bytes, 0);
    const bits = random.between(1, 3);
    if (bytes[FIELD.segmentBits] !== 0 || bytes.readUInt32LE(FIELD.metadataBytes) > 500) return undefined;
    const k = bytes[FIELD.bucketBits]!;
    if (k - bits < 5 || bytes[FIELD.bucketEighths] !== 8) return undefined;
    bytes[FIELD.segmentBits] = bits;
    bytes[FIELD.bucketBits] = k - bits;
    const cuts = Array.from({ length: 2 ** bits - 1 }, () => 8 * random.below(Math.floor(size / 8) + 1));
    const ends = [...cuts.sort((a, b) => a - b), size];
    let from = 0;
    for (const [i, to] of ends.entries()) {
      const row = FIELD.table + 24 * i;
      setU64(bytes, row, heap + from);
      setU64(bytes, row + 8, to - from);
      setU64(bytes, row + 16, i === 0 ? u64(bytes, FIELD.entries) : 0);
      from = to;
    }
    return undefined;
  },
  'an empty heap'(bytes) {
    const last = segmentAt(bytes, segmentCount(bytes) - 1);
    const start = u64(bytes, FIELD.indexOffset);
    if (start <= last.heap || start > bytes.length) return undefined;
    // What follows the heap moves there.
    const smaller = Buffer.concat([bytes.subarray(0, last.heap), bytes.subarray(start)]);
    const less = smaller.length - bytes.length;
    setU64(smaller, last.row + 8, 0);
    for (const field of [FIELD.indexOffset, FIELD.checksumsOffset, FIELD.fileBytes]) {
      setU64(smaller, field, Math.max(0, u64(bytes, field) + less));
    }
    return smaller;
  },
  'all offsets'(bytes, _of, random) {
    const place = anySegment(bytes, random);
    const units = boundsOf(bytes, place).at(-1) ?? 0;
    const count = 32 * place.groups;
    const way = random.below(5);
    const some = [0, units, units + 1, 2 ** 31, VARIABLE];
    const list = Array.from({ length: count + 1 }, (_, i) => {
      if (way === 0) return random.below(units + 1);
      if (way === 1) return i % 2 === 0 ? 0 : units;
      if (way === 2) return random.pick(some);
      return Math.floor((units * i) / count);
    });
    if (way === 0 || way === 4) list.sort((a, b) => a - b);
    setBounds(bytes, place, list);
    return undefined;
  },
  'an offset'(bytes, _of, random) {
    const place = anySegment(bytes, random);
    const bounds = boundsOf(bytes, place);
    if (bounds.length === 0) return undefined;
    const at = random.below(bounds.length);
    const [old, units] = [bounds[at]!, bounds.at(-1)!];
    const changed = [old + 1, old - 1, old + random.below(100), units, units + 1, 0, VARIABLE, 2 ** 31];
    bounds[at] = random.pick(changed);
    setBounds(bytes, place, bounds);
    return undefined;
  },
  'an anchor'(bytes, _of, random) {
    const { lines, bits, groups } = anySegment(bytes, random);
    if (groups === 0) return undefined;
    const at = lines + random.below(groups) * (4 * bits + 8);
    const old = bytes.readUInt32LE(at);
    const value = random.pick([old + 1, old - 1, old + random.below(1000), 0, 2 ** 31 - 1, 2 ** 31, VARIABLE]);
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
    const place = anySegment(bytes, random);
    const bounds = boundsOf(bytes, place);
    if (bounds.length === 0) return undefined;
    // Before the first record, between two buckets, or after the last record.
    const bucket = random.pick([0, 0, random.below(bounds.length), bounds.length - 1]);
    insert(bytes, place.heap + bounds[bucket]!, random.pick([0, 1]));
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
