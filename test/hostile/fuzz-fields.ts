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
  bucketEncoding: 58,
  segmentBits: 59,
  bucketBits: 60,
  keyType: 61,
  valueType: 62,
  layout: 63,
  seed: 64,
  keyWidth: 68,
  valueWidth: 72,
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
  tail: 112,
  table: 128,
} as const;

export const VARIABLE = 2 ** 32 - 1;

/** Sizes that have gone wrong in other programs. */
export const SIZES = [0, 1, PAGE, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 48, 2 ** 53 - 1];

export const align = (x: number): number => Math.ceil(x / PAGE) * PAGE;

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

export function segmentCount(bytes: Buffer): number {
  return Math.min(2 ** Math.min(12, bytes[FIELD.segmentBits]!), Math.floor((PAGE - FIELD.table) / 24));
}

/** A segment as the table says, with its bucket array and heap within the bytes that there are. */
export function segmentAt(
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

export function anySegment(bytes: Buffer, random: Random) {
  return segmentAt(bytes, random.below(segmentCount(bytes)));
}
