// Makes hostile files: damage as nature does not do it, with all checksums put right afterwards, so that nothing but the rules themselves
// can notice it. Knows the format's fields; does not know what the library makes of them.

import type { Input, MakeInput } from './fuzz-damage.js';
import { aim, mutate } from './fuzz-damage.js';
import { BLOCK, PAGE, type Sample } from './fuzz-samples.js';
import type { Random } from './random.js';
import { oracle } from './samples.js';

const VARIABLE = 2 ** 32 - 1;
/** By the code of the value type; `undefined` where any will do. */
const WIDTHS = [0, undefined, undefined, undefined, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, undefined, undefined, 3, 5, 6];
/** The types that need the first feature bit. */
const PACKED = [14, 16, 17, 18];

/** Offsets of fields of the header. */
const FIELD = {
  minor: 10,
  headerBytes: 16,
  features: 20,
  fileBytes: 24,
  entries: 32,
  keyBytes: 40,
  valueBytes: 48,
  segmentBits: 59,
  bucketBits: 60,
  valueType: 62,
  layout: 63,
  seed: 64,
  keyWidth: 68,
  valueWidth: 72,
  metadataBytes: 84,
  checksumsOffset: 88,
  checksumsBytes: 96,
  checksumsSum: 104,
  tail: 112,
  table: 128,
} as const;

const align = (x: number): number => Math.ceil(x / PAGE) * PAGE;

/** A u64, as large as it is. */
function u64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

function setU64(bytes: Buffer, at: number, value: number): void {
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), at);
}

/** Puts all checksums right, as far as the header's fields let it know where they are. */
export function repair(bytes: Buffer): void {
  if (bytes.length < PAGE) return;
  const stated = bytes.readUInt32LE(FIELD.headerBytes);
  const headerBytes = stated >= PAGE && stated % PAGE === 0 && stated <= bytes.length ? stated : PAGE;
  const offset = u64(bytes, FIELD.checksumsOffset);
  if (offset > headerBytes && offset <= bytes.length) {
    const blocks = Math.min(Math.ceil((offset - headerBytes) / BLOCK), Math.floor((bytes.length - offset) / 8));
    for (let i = 0; i < blocks; i++) {
      const start = headerBytes + i * BLOCK;
      bytes.writeBigUInt64LE(oracle.h64Raw(bytes.subarray(start, Math.min(start + BLOCK, offset))), offset + 8 * i);
    }
    const sums = bytes.subarray(offset, Math.min(bytes.length, offset + u64(bytes, FIELD.checksumsBytes)));
    bytes.writeBigUInt64LE(oracle.h64Raw(sums), FIELD.checksumsSum);
  }
  bytes.writeUInt32LE(0, 12);
  bytes.writeUInt32LE(oracle.h32Raw(bytes.subarray(0, headerBytes), 0), 12);
}

/** Something done to a file; gives the new bytes where there are other ones. */
type Trick = (bytes: Buffer, of: Sample, random: Random) => Buffer | undefined;

function segmentCount(bytes: Buffer): number {
  return Math.min(2 ** Math.min(12, bytes[FIELD.segmentBits]!), Math.floor((PAGE - FIELD.table) / 24));
}

/** A segment as the table says, with its bucket array and heap within the bytes that there are. */
function segmentAt(
  bytes: Buffer,
  i: number,
): { row: number; offset: number; size: number; heap: number; buckets: number } {
  const row = FIELD.table + 24 * i;
  const offset = Math.min(u64(bytes, row), bytes.length);
  const size = Math.min(u64(bytes, row + 8), bytes.length - offset);
  const bits = Math.min(28, bytes[FIELD.bucketBits]!);
  const array = 4 * (2 ** bits + 1);
  const room = Math.floor((bytes.length - offset) / 4) - 1;
  return { row, offset, size, heap: Math.min(offset + align(array), bytes.length), buckets: Math.min(2 ** bits, room) };
}

function anySegment(bytes: Buffer, random: Random) {
  return segmentAt(bytes, random.below(segmentCount(bytes)));
}

/**
 * Puts a byte into the heap at `at`, an offset in the file, and moves what follows into the padding: the offsets of buckets from there on, and
 * the segment's size. `skip` is 0 where a bucket that starts there shall start behind the byte. Gives `false` where there is no room.
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

/** Sizes that have gone wrong in other programs. */
const SIZES = [0, 1, PAGE, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 48, 2 ** 53 - 1];

const TRICKS: Record<string, Trick> = {
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
  'type and widths'(bytes, _of, random) {
    const type = random.below(4) === 0 ? bytes[FIELD.valueType]! : random.below(WIDTHS.length);
    bytes[FIELD.valueType] = type;
    bytes[FIELD.features] = (bytes[FIELD.features]! & 0xfe) | (PACKED.includes(type) ? 1 : 0);
    const some = [VARIABLE, VARIABLE, 0, 1, 2, 3, 4, 7, 8, 9, 100, 65_535, 65_536, 2 ** 30, 2 ** 30 + 1];
    const fits = random.below(6) > 0;
    bytes.writeUInt32LE((fits ? WIDTHS[type] : undefined) ?? random.pick(some), FIELD.valueWidth);
    if (random.below(2) === 0) bytes.writeUInt32LE(random.pick(some), FIELD.keyWidth);
    return undefined;
  },
  seed(bytes, _of, random) {
    bytes.writeUInt32LE(random.u32(), FIELD.seed);
    return undefined;
  },
  entries(bytes, _of, random) {
    const { row, size } = anySegment(bytes, random);
    const count = random.pick([0, 1, random.below(size + 1), size, ...SIZES]);
    const others = u64(bytes, FIELD.entries) - u64(bytes, row + 16);
    setU64(bytes, row + 16, count);
    setU64(bytes, FIELD.entries, Math.max(0, others + count));
    return undefined;
  },
  totals(bytes, _of, random) {
    const field = random.pick([FIELD.keyBytes, FIELD.valueBytes]);
    setU64(bytes, field, random.pick([...SIZES, u64(bytes, field) + 1]));
    return undefined;
  },
  'a field of sizes'(bytes, _of, random) {
    const { row } = anySegment(bytes, random);
    const { fileBytes, checksumsOffset, checksumsBytes } = FIELD;
    const field = random.pick([fileBytes, checksumsOffset, checksumsBytes, row, row + 8, row + 16]);
    const old = u64(bytes, field);
    setU64(bytes, field, random.pick([...SIZES, old + PAGE, Math.max(0, old - PAGE), old + 1, 2 * old]));
    return undefined;
  },
  'a field that few files have'(bytes, _of, random) {
    bytes[random.pick([FIELD.minor, FIELD.layout, FIELD.tail + random.below(16)])] = random.below(256);
    return undefined;
  },
  'metadata size'(bytes, _of, random) {
    const behind = FIELD.table + 24 * segmentCount(bytes);
    const room = Math.max(0, PAGE - behind);
    const text = random.pick([
      '{"a":[[[[1]]]]}',
      '{}',
      '[]',
      '{"a":1',
      '\ufeff{}',
      '{"__proto__":{"length":1}}',
      'null',
    ]);
    const size = random.pick([Buffer.byteLength(text), random.below(room + 1), room, 65_536, 65_537, VARIABLE]);
    bytes.writeUInt32LE(size, FIELD.metadataBytes);
    bytes.write(text, behind);
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
  'segment size'(bytes, _of, random) {
    const { row, size } = anySegment(bytes, random);
    const least = Math.max(PAGE, size - ((size + PAGE - 1) % PAGE));
    setU64(bytes, row + 8, random.pick([least, align(size), random.between(least, Math.max(least, align(size)))]));
    return undefined;
  },
  'segments that overlap'(bytes, _of, random) {
    const [a, b] = [anySegment(bytes, random), anySegment(bytes, random)];
    const field = random.pick([0, 8]);
    setU64(bytes, a.row + field, u64(bytes, b.row + field));
    return undefined;
  },
  'pages put in'(bytes, _of, random) {
    const { row, offset, size } = segmentAt(bytes, segmentCount(bytes) - 1);
    const more = PAGE * random.between(1, 20);
    const end = align(offset + size);
    if (end > bytes.length) return undefined;
    const filling = random.below(2) === 0 ? Buffer.alloc(more) : Buffer.alloc(more, Buffer.from(random.bytes(40)));
    const blocks = Math.max(1, Math.ceil((end + more - bytes.readUInt32LE(FIELD.headerBytes)) / BLOCK));
    const larger = Buffer.concat([bytes.subarray(0, end), filling, Buffer.alloc(8 * blocks)]);
    setU64(larger, row + 8, end + more - offset - random.below(PAGE));
    setU64(larger, FIELD.checksumsOffset, end + more);
    setU64(larger, FIELD.checksumsBytes, 8 * blocks);
    setU64(larger, FIELD.fileBytes, larger.length);
    return larger;
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
    if (of.answers.length === 0) return undefined;
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
    if (of.answers.length === 0) return undefined;
    const { at } = random.pick(of.answers);
    if (at >= bytes.length || bytes[at]! > 0x7f || !insert(bytes, at + 1, 1)) return undefined;
    bytes[at]! |= 0x80;
    bytes[at + 1] = 0;
    return undefined;
  },
  'a gap in the heap'(bytes, _of, random) {
    const { offset, heap, buckets } = anySegment(bytes, random);
    if (buckets < 1 || heap <= offset) return undefined;
    // Before the first record, between two buckets, or behind the last record.
    const bucket = random.pick([0, 0, random.below(buckets), buckets]);
    insert(bytes, heap + bytes.readUInt32LE(offset + 4 * bucket), random.pick([0, 1]));
    return undefined;
  },
  'entries of segments'(bytes, _of, random) {
    const [a, b] = [anySegment(bytes, random).row + 16, anySegment(bytes, random).row + 16];
    const moved = random.below(1 + Math.min(u64(bytes, a), 1000));
    setU64(bytes, a, u64(bytes, a) - moved);
    setU64(bytes, b, Math.min(u64(bytes, b) + moved, 2 ** 53 - 1));
    return undefined;
  },
  'bytes behind the checksums'(bytes, _of, random) {
    const more = random.pick([8, 8, 1, PAGE, -8]);
    const changed = more > 0 ? Buffer.concat([bytes, Buffer.alloc(more)]) : Buffer.from(bytes.subarray(0, more));
    setU64(changed, FIELD.fileBytes, changed.length);
    const sums = u64(bytes, FIELD.checksumsBytes) + more;
    if (random.below(2) === 0) setU64(changed, FIELD.checksumsBytes, Math.max(0, Math.min(sums, 2 ** 53 - 1)));
    return changed;
  },
  'a record over another'(bytes, of, random) {
    if (of.answers.length === 0) return undefined;
    const [a, b] = [random.pick(of.answers), random.pick(of.answers)];
    if (Math.max(a.end, b.end) > bytes.length) return undefined;
    const copy = Buffer.from(bytes.subarray(a.at, a.end));
    if (random.below(2) === 0 && a.end - a.at === b.end - b.at) bytes.copyWithin(a.at, b.at, b.end);
    copy.copy(bytes, b.at);
    return undefined;
  },
  'a value'(bytes, of, random) {
    if (of.answers.length === 0) return undefined;
    const { end, raw } = random.pick(of.answers);
    if (raw.length === 0 || end > bytes.length) return undefined;
    const at = end - 1 - random.below(raw.length);
    bytes[at] = random.pick([0, 0x0a, 0x09, 0x22, 0x5d, 0x7f, 0xc3, 0xff, random.below(256)]);
    return undefined;
  },
  'the whole heap'(bytes, of, random) {
    const { start, end } = aim(of, random, ['key heap', 'padding', 'bucket array']);
    const fill = random.pick([0, 1, 0x7f, 0x80, 0x81, 0xff, undefined]);
    for (let at = start; at < Math.min(end, bytes.length); at++) bytes[at] = fill ?? random.below(256);
    return undefined;
  },
  'any bytes'(bytes, of, random) {
    for (let i = random.pick([1, 1, 2, 5, 20]); i > 0; i--) {
      const { start, end } = aim(of, random, ['bucket array', 'padding', 'key heap', 'metadata']);
      if (end <= bytes.length) mutate(bytes, start, end, random);
    }
    return undefined;
  },
  'any bytes of the header'(bytes, _of, random) {
    mutate(bytes, FIELD.headerBytes, FIELD.table + 24 * segmentCount(bytes), random);
    return undefined;
  },
};

const NAMES = Object.keys(TRICKS);

/** One trick, or a few on top of each other; some of the files that come out are whole again. */
export const hostile: MakeInput = (samples, random): Input => {
  const of = random.pick(samples);
  let bytes = Buffer.from(of.bytes);
  const what: string[] = [];
  for (let i = random.pick([1, 1, 2, 3]); i > 0; i--) {
    const name = random.pick(NAMES);
    bytes = (TRICKS[name]!(bytes, of, random) as Buffer<ArrayBuffer> | undefined) ?? bytes;
    what.push(name);
  }
  repair(bytes);
  return { bytes, of, what: what.join(', ') };
};
