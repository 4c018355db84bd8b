// The fields of a file's header, for making hostile ones, and its checksums put right. Knows where fields are; does not
// know what is done to them.

import type { Random } from '../support/random.js';
import { oracle } from '../support/samples.js';
import { BLOCK, PAGE, type Sample } from './fuzz-samples.js';

/** Something done to a file; gives the new bytes where there are other ones. */
export type Trick = (bytes: Buffer, of: Sample, random: Random) => Buffer | undefined;

/** Offsets of fields of the header. */
export const FIELD = {
  minor: 10,
  headerBytes: 16,
  features: 20,
  fileBytes: 24,
  entries: 32,
  keyBytes: 40,
  valueBytes: 48,
  hashAlgorithm: 56,
  offsetBits: 58,
  segmentBits: 59,
  bucketBits: 60,
  keyType: 61,
  valueType: 62,
  layout: 63,
  seed: 64,
  keyWidth: 68,
  valueWidth: 72,
  shardBits: 76,
  bucketEighths: 77,
  narrowed: 78,
  fingerprintBits: 79,
  shardIndex: 80,
  metadataBytes: 84,
  checksumsOffset: 88,
  checksumsBytes: 96,
  checksumsSum: 104,
  schemaBytes: 112,
  elementBits: 116,
  elementSign: 117,
  spareBits: 118,
  base: 120,
  distinct: 116,
  dictionarySize: 120,
  indexOffset: 128,
  longFingerprints: 136,
  tail: 112,
  table: 192,
} as const;

export const VARIABLE = 2 ** 32 - 1;

/** Sizes that have gone wrong in other programs. */
export const SIZES = [0, 1, PAGE, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 48, 2 ** 53 - 1];

export const align = (x: number): number => Math.ceil(x / 8) * 8;

/** A u64, as large as it is. */
export function u64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

export function setU64(bytes: Buffer, at: number, value: number): void {
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), at);
}

/** Puts all checksums right, as far as the header's fields let it know where they are. */
export function repair(bytes: Buffer): void {
  if (bytes.length < PAGE) return;
  const stated = bytes.readUInt32LE(FIELD.headerBytes);
  const headerBytes = stated >= PAGE && stated % PAGE === 0 && stated <= bytes.length ? stated : PAGE;
  const offset = u64(bytes, FIELD.checksumsOffset);
  if (offset > headerBytes && offset <= bytes.length) {
    let [from, to, piece, at] = [headerBytes, offset, BLOCK, offset];
    for (;;) {
      const sums = Math.min(Math.ceil((to - from) / piece), Math.floor((bytes.length - at) / 8));
      for (let i = 0; i < sums; i++) {
        const start = from + i * piece;
        bytes.writeBigUInt64LE(oracle.h64Raw(bytes.subarray(start, Math.min(start + piece, to))), at + 8 * i);
      }
      [from, to, piece, at] = [at, at + 8 * sums, PAGE, at + 8 * sums];
      if (8 * sums <= PAGE) break;
    }
    bytes.writeBigUInt64LE(oracle.h64Raw(bytes.subarray(from, to)), FIELD.checksumsSum);
  }
  bytes.writeUInt32LE(0, 12);
  bytes.writeUInt32LE(oracle.h32Raw(bytes.subarray(0, headerBytes), 0), 12);
}

export function segmentCount(bytes: Buffer): number {
  return Math.min(2 ** Math.min(12, bytes[FIELD.segmentBits]!), Math.floor((PAGE - FIELD.table) / 24));
}

/** A segment of a table by hash as the header says, with its heap and its lines within the bytes that there are. */
export interface HashPlace {
  row: number;
  heap: number;
  size: number;
  /** Where its lines start; bits of an offset; lines. */
  lines: number;
  bits: number;
  groups: number;
}

export function segmentAt(bytes: Buffer, i: number): HashPlace {
  const row = FIELD.table + 24 * i;
  const heap = Math.min(u64(bytes, row), bytes.length);
  const size = Math.min(u64(bytes, row + 8), bytes.length - heap);
  const bits = Math.max(1, Math.min(32, bytes[FIELD.offsetBits]!));
  const line = 4 * bits + 8;
  const buckets = (bytes[FIELD.bucketEighths]! * 2 ** Math.min(28, bytes[FIELD.bucketBits]!)) / 8;
  const each = Math.floor(buckets / 32);
  const lines = Math.min(u64(bytes, FIELD.indexOffset) + i * each * line, bytes.length);
  return { row, heap, size, lines, bits, groups: Math.min(each, Math.floor((bytes.length - lines) / line), 5000) };
}

/** Where the buckets of a segment start, and the last ends, as its lines say. */
export function boundsOf(bytes: Buffer, { lines, bits, groups }: HashPlace): number[] {
  const bounds: number[] = [];
  const size = 4 * bits + 8;
  for (let group = 0; group < groups; group++) {
    const at = lines + group * size;
    const line = BigInt(
      `0x${Buffer.from(bytes.subarray(at, at + size))
        .reverse()
        .toString('hex')}`,
    );
    const anchor = Number(BigInt.asUintN(32, line));
    for (let slot = 0; slot < 33; slot++) {
      if (slot === 32 && group + 1 < groups) break;
      bounds.push(anchor + Number(BigInt.asUintN(bits, line >> BigInt(32 + slot * bits))));
    }
  }
  return bounds;
}

/** Writes the lines that say this, as far as their bits do. */
export function setBounds(bytes: Buffer, { lines, bits, groups }: HashPlace, bounds: readonly number[]): void {
  const size = 4 * bits + 8;
  for (let group = 0; group < groups; group++) {
    const anchor = bounds[32 * group]!;
    let line = BigInt.asUintN(32, BigInt(anchor));
    for (let slot = 0; slot < 33; slot++) {
      const offset = BigInt.asUintN(bits, BigInt(bounds[32 * group + slot]! - anchor));
      line |= offset << BigInt(32 + slot * bits);
    }
    bytes.set(Buffer.from(line.toString(16).padStart(2 * size, '0'), 'hex').reverse(), lines + group * size);
  }
}

/** A segment of any layout. */
export function placeAt(bytes: Buffer, i: number): { row: number; offset: number; size: number } {
  const { row, heap, size } = segmentAt(bytes, i);
  return { row, offset: heap, size };
}

export function anySegment(bytes: Buffer, random: Random) {
  return segmentAt(bytes, random.below(segmentCount(bytes)));
}
