// What is done to lists and bit arrays to make hostile files of them, and to make such of other files. Knows section 15
// of the format; does not know what the library makes of it.

import type { Random } from '../support/random.js';
import { align, FIELD, segmentCount, setU64, type Trick, u64, VARIABLE } from './fuzz-fields.js';
import { PAGE } from './fuzz-samples.js';

const OFFSETS = [1, 2];
const LIST_TYPES = [1, 2, 12, 13, 19];
const PACKED = 19;
const MOST = 2 ** 53 - 1;

/** Any number of bits that elements may have, often at an edge. */
function widthIn(random: Random): number {
  return random.below(3) === 0 ? random.pick([1, 7, 8, 16, 25, 26, 31, 32, 33, 52, 53]) : random.between(1, 53);
}

/** Says that the elements are of another type; their width then. */
function setType(bytes: Buffer, type: number, random: Random): number {
  const packed = type === PACKED;
  const bits = packed ? widthIn(random) : type === 12 ? 32 : type === 13 ? 64 : 0;
  bytes[FIELD.valueType] = type;
  bytes[FIELD.elementBits] = packed ? bits : 0;
  bytes[FIELD.elementSign] = packed ? random.below(2) : 0;
  bytes.writeUInt32LE(packed ? 0 : bits > 0 ? bits / 8 : VARIABLE, FIELD.valueWidth);
  bytes[FIELD.spareBits] = 0;
  return bits;
}

/** Says what the one segment holds, and of how many bytes it is. */
function setSegment(bytes: Buffer, size: number, entries: number, valueBytes: number): void {
  setU64(bytes, FIELD.table + 8, size);
  setU64(bytes, FIELD.table + 16, entries);
  setU64(bytes, FIELD.entries, entries);
  setU64(bytes, FIELD.valueBytes, valueBytes);
}

/** Makes a list of the one segment, which reaches up to `end` at most, of as many elements as fit. */
function asList(bytes: Buffer, start: number, end: number, type: number, random: Random): void {
  const bits = setType(bytes, type, random);
  const total = end - start;
  if (bits > 0) {
    const count = Math.floor(((total - 8) * 8) / bits);
    const data = Math.ceil((count * bits) / 8);
    setSegment(bytes, data + 8, count, data);
    return;
  }
  const most = Math.floor((total - 8) / 4);
  const count = random.pick([0, 1, random.below(2000), most]);
  const data = align(4 * (count + 1));
  if (data > total) return;
  setSegment(bytes, total, count, total - data);
  if (random.below(3) > 0 && start + data <= bytes.length) writeOffsets(bytes, start, count, total - data, random);
}

/** Offsets of the elements of one segment: rising ones, or such as no writer writes. */
function writeOffsets(bytes: Buffer, start: number, count: number, heap: number, random: Random): void {
  const way = random.below(4);
  const some = [0, heap, heap + 1, 2 ** 31, VARIABLE];
  const list = Array.from({ length: count + 1 }, () => (way === 3 ? random.pick(some) : random.below(heap + 1)));
  if (way < 2) list.sort((a, b) => a - b);
  if (way < 2) [list[0], list[count]] = [0, heap];
  for (const [i, value] of list.entries()) bytes.writeUInt32LE(value, start + 4 * i);
}

/** Makes a bit array of the one segment, of as many bits as fit. */
function asBits(bytes: Buffer, total: number, random: Random): void {
  for (const field of [FIELD.valueType, FIELD.elementBits, FIELD.elementSign]) bytes[field] = 0;
  bytes.writeUInt32LE(0, FIELD.valueWidth);
  // Counts take a page for each 2,048 * 1,024 bits.
  const data = 4 * Math.floor((total - align(Math.ceil(total / 64))) / 4);
  if (data < 0) return;
  const spare = data === 0 ? 0 : random.below(32);
  const counts = Math.max(1, Math.ceil((8 * data - spare) / 2048));
  bytes[FIELD.spareBits] = spare;
  setSegment(bytes, align(4 * counts) + data, random.below(8 * data + 1 - spare), data);
}

/** A segment's place, kept within the bytes that there are. */
function placeOf(bytes: Buffer, i: number): { row: number; offset: number; end: number } {
  const row = FIELD.table + 24 * i;
  const offset = Math.min(u64(bytes, row), bytes.length);
  return { row, offset, end: Math.min(offset + u64(bytes, row + 8), bytes.length) };
}

/** Where the index lies of the segment that a row describes. */
function indexOf(bytes: Buffer, i: number): { offset: number; count: number; heap: number } | undefined {
  const { row, offset, end } = placeOf(bytes, i);
  const isBits = bytes[FIELD.layout] === 2;
  if (!isBits && !OFFSETS.includes(bytes[FIELD.valueType]!)) return undefined;
  // Of a bit array nothing says it but the size, about 260 bytes for each count.
  const count = isBits ? Math.max(1, Math.ceil((end - offset - 8) / 260)) : u64(bytes, row + 16) + 1;
  if (!(offset + 4 * count <= end)) return undefined;
  return { offset, count, heap: Math.max(0, end - offset - align(4 * count)) };
}

export const KEYLESS_TRICKS: Record<string, Trick> = {
  'element bits'(bytes, _of, random) {
    bytes[FIELD.elementBits] = random.pick([0, 1, 53, 54, 64, 255, random.between(1, 53)]);
    return undefined;
  },
  'a list of another type'(bytes, _of, random) {
    if (bytes[FIELD.layout] !== 1 || bytes[FIELD.segmentBits] !== 0) return undefined;
    const { offset, end } = placeOf(bytes, 0);
    if (end - offset >= 8) asList(bytes, offset, end, random.pick(LIST_TYPES), random);
    return undefined;
  },
  sign(bytes, _of, random) {
    bytes[FIELD.elementSign] = random.below(4) === 0 ? random.below(256) : bytes[FIELD.elementSign]! ^ 1;
    return undefined;
  },
  'text and bytes'(bytes) {
    if (OFFSETS.includes(bytes[FIELD.valueType]!)) bytes[FIELD.valueType] = bytes[FIELD.valueType] === 1 ? 2 : 1;
    return undefined;
  },
  'spare bits'(bytes, _of, random) {
    bytes[FIELD.spareBits] = random.below(4) === 0 ? random.below(256) : random.below(32);
    return undefined;
  },
  base(bytes, _of, random) {
    const length = u64(bytes, FIELD.entries);
    const near = MOST - length + random.between(-2, 2);
    const any = BigInt.asIntN(64, (BigInt(random.u32()) << 32n) | BigInt(random.u32()));
    const some = [0, -1, 1, 7, MOST, -MOST, MOST + 1, -MOST - 1, near, -length, 2 ** 31, 2 ** 32, -(2 ** 32)];
    bytes.writeBigInt64LE(random.below(8) === 0 ? any : BigInt(random.pick(some)), FIELD.base);
    return undefined;
  },
  'an offset, or a count'(bytes, _of, random) {
    const index = indexOf(bytes, random.below(segmentCount(bytes)));
    if (index === undefined) return undefined;
    for (let i = random.pick([1, 1, 2, 10]); i > 0; i--) {
      const at =
        index.offset + 4 * random.pick([0, index.count - 1, random.below(index.count), random.below(index.count)]);
      const old = bytes.readUInt32LE(at);
      const { heap } = index;
      const some = [old + 1, old - 1, old + random.below(100), heap, heap + 1, 0, VARIABLE, 2 ** 31, 2 ** 31 - 1];
      bytes.writeUInt32LE(random.pick(some) >>> 0, at);
    }
    return undefined;
  },
  'all offsets, or counts'(bytes, _of, random) {
    const index = indexOf(bytes, random.below(segmentCount(bytes)));
    if (index !== undefined) writeOffsets(bytes, index.offset, index.count - 1, index.heap, random);
    return undefined;
  },
  'ones of a segment'(bytes, _of, random) {
    const { row, offset, end } = placeOf(bytes, random.below(segmentCount(bytes)));
    const old = u64(bytes, row + 16);
    const count = Math.max(0, random.pick([0, old + 1, old - 1, 2 * old, random.below(8 * (end - offset) + 1)]));
    setU64(bytes, row + 16, count);
    setU64(bytes, FIELD.entries, Math.max(0, u64(bytes, FIELD.entries) - old + count));
    return undefined;
  },
  'left-over bits'(bytes, _of, random) {
    const { offset, end } = placeOf(bytes, random.below(segmentCount(bytes)));
    for (let i = random.between(1, 4); i > 0 && end > offset + 16; i--)
      bytes[end - 1 - random.below(12)] = random.below(256);
    return undefined;
  },
  'one element more or less'(bytes, _of, random) {
    const last = placeOf(bytes, segmentCount(bytes) - 1);
    const more = random.pick([-8, -1, 1, 8, 32]);
    const bits = bytes[FIELD.elementBits]!;
    const count = Math.max(0, u64(bytes, last.row + 16) + more);
    const total = Math.max(0, u64(bytes, FIELD.entries) + more);
    setU64(bytes, last.row + 16, count);
    setU64(bytes, FIELD.entries, total);
    if (bits === 0) return undefined;
    const data = Math.ceil((count * bits) / 8);
    setU64(bytes, FIELD.valueBytes, Math.max(0, u64(bytes, FIELD.valueBytes) + data + 8 - (last.end - last.offset)));
    setU64(bytes, last.row + 8, data + 8);
    return undefined;
  },
  'another layout'(bytes, _of, random) {
    const start = bytes.readUInt32LE(FIELD.headerBytes);
    const end = u64(bytes, FIELD.checksumsOffset);
    if (start !== PAGE || end <= start || end > bytes.length) return undefined;
    const layout = random.between(1, 2);
    bytes[FIELD.layout] = layout;
    bytes.writeUInt32LE(layout === 1 ? 4 : 8, FIELD.features);
    const { hashAlgorithm, offsetBits, segmentBits, bucketBits, keyType } = FIELD;
    const { shardBits, bucketEighths, narrowed } = FIELD;
    for (const field of [hashAlgorithm, offsetBits, segmentBits, bucketBits, keyType, shardBits]) bytes[field] = 0;
    for (const field of [bucketEighths, narrowed]) bytes[field] = 0;
    bytes.writeUInt32LE(0, FIELD.shardIndex);
    setU64(bytes, FIELD.indexOffset, 0);
    setU64(bytes, FIELD.keyBytes, 0);
    for (const field of [FIELD.seed, FIELD.keyWidth, FIELD.metadataBytes, FIELD.schemaBytes])
      bytes.writeUInt32LE(0, field);
    setU64(bytes, FIELD.table, start);
    if (layout === 1)
      asList(bytes, start, end - random.pick([0, 0, random.below(100)]), random.pick(LIST_TYPES), random);
    else asBits(bytes, end - start, random);
    return undefined;
  },
};
