// Writes files that are large and take no room on the disk.

import { closeSync, ftruncateSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { xxh32 } from '../../src/base/xxh32.js';
import { align, headerSize } from '../../src/format/constants.js';
import { bucketOf, indexSize, lineSize, segmentOf } from '../../src/format/index-lines.js';
import { sumTreeSize } from '../../src/format/sum-tree.js';
import { writeHashHeader } from '../../src/format/write-header.js';
import { inspectKey } from '../../src/index.js';

/**
 * Writes a sparse file with a whole header, that claims `2 ** segmentBits` segments of almost 2 GiB without entries.
 * @returns the bytes of its sections
 */
export function writeSparseTable(file: string, segmentBits: number): number {
  const headerBytes = headerSize(segmentBits, 0);
  const bytes = 2 ** 31 - 4096;
  const segments = Array.from({ length: 2 ** segmentBits }, (_, i) => ({
    offset: headerBytes + i * bytes,
    bytes,
    entries: 0,
  }));
  const at = headerBytes + segments.length * bytes;
  const buckets = { bucketBits: 5, eighths: 8 };
  const index = { offset: at, bytes: segments.length * indexSize(buckets, 8), offsetBits: 8 };
  const offset = at + index.bytes;
  const checksums = { offset, bytes: sumTreeSize(headerBytes, offset), sum: 0n };
  const counts = { entries: 0, keyBytes: 0, valueBytes: 0, seed: 0, ...buckets, index };
  const shard = { index: 0, bits: 0 };
  const widths = { keyType: 'bytes', valueType: 'bytes', keyWidth: 0xffff_ffff, valueWidth: 0xffff_ffff } as const;
  const metadata = new Uint8Array(0);
  const dictionary = undefined;
  const fingerprint = undefined;
  writeFileSync(
    file,
    writeHashHeader({
      ...counts,
      ...widths,
      shard,
      narrowed: false,
      segmentBits,
      segments,
      dictionary,
      fingerprint,
      checksums,
      metadata,
    }),
  );
  truncateSync(file, offset + checksums.bytes);
  return segments.length * bytes + index.bytes;
}

/**
 * Writes a sparse file with one entry, 'a', whose value is `length` zeros. The checksums of its blocks are wrong.
 */
export function writeLongValue(file: string, valueType: 'bytes' | 'utf8' | 'json', length: number): void {
  const headerBytes = headerSize(0, 0);
  const bytes = 1 + length;
  const buckets = { bucketBits: 5, eighths: 8 };
  const at = align(headerBytes + bytes);
  const index = { offset: at, bytes: indexSize(buckets, 8), offsetBits: 8 };
  const offset = align(at + index.bytes);
  const header = writeHashHeader({
    ...{ entries: 1, keyBytes: 1, valueBytes: length, seed: 0, ...buckets, index },
    ...{ keyType: 'bytes', valueType, keyWidth: 1, valueWidth: length },
    shard: { index: 0, bits: 0 },
    narrowed: false,
    segmentBits: 0,
    segments: [{ offset: headerBytes, bytes, entries: 1 }],
    dictionary: undefined,
    fingerprint: undefined,
    checksums: { offset, bytes: sumTreeSize(headerBytes, offset), sum: 0n },
    metadata: new Uint8Array(0),
  });
  const fd = openSync(file, 'w');
  writeSync(fd, header);
  writeSync(fd, 'a', headerBytes);
  ftruncateSync(fd, offset + sumTreeSize(headerBytes, offset));
  // Offsets count records: all buckets after the key's start after the one that there is.
  const line = Buffer.alloc(lineSize(8));
  const bucket = inspectKey(file, 'a').bucket!.index;
  line.fill(1, 4 + bucket + 1);
  writeSync(fd, line, 0, line.length, at);
  closeSync(fd);
}

/**
 * Writes a sparse file of 4 GiB with 256 keys of `u32` in four segments, and values of 16 MiB of which only the first
 * four bytes are not zero. The checksums of its blocks are wrong.
 * @returns those bytes, as a number, of each key
 */
export function writeWideTable(file: string): Map<number, number> {
  const valueBytes = 2 ** 24;
  const unit = 4 + valueBytes;
  const division = { shard: { index: 0, bits: 0 }, segmentBits: 2, bucketBits: 5, eighths: 8 };
  const keys = Array.from({ length: 256 }, (_, i) => {
    const key = Math.imul(i, 0x9e37_79b1) >>> 0;
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(key);
    return { key, bytes, hash: xxh32(new DataView(bytes.buffer, bytes.byteOffset, 4), 0, 4, 0) >>> 0 };
  }).sort((a, b) => a.hash - b.hash);
  const headerBytes = headerSize(2, 0);
  let at = headerBytes;
  const parts = [0, 1, 2, 3].map((number) => {
    const records = keys.filter(({ hash }) => segmentOf(hash, division) === number);
    const place = { offset: at, bytes: records.length * unit, entries: records.length };
    at = align(at + place.bytes);
    return { records, place };
  });
  const index = { offset: at, bytes: 4 * indexSize(division, 8), offsetBits: 8 };
  const offset = align(at + index.bytes);
  const fd = openSync(file, 'w');
  const header = writeHashHeader({
    ...{ entries: 256, keyBytes: 1024, valueBytes: 256 * valueBytes, seed: 0, ...division, index },
    ...{ keyType: 'u32', valueType: 'bytes', keyWidth: 4, valueWidth: valueBytes },
    narrowed: false,
    segments: parts.map(({ place }) => place),
    dictionary: undefined,
    fingerprint: undefined,
    checksums: { offset, bytes: sumTreeSize(headerBytes, offset), sum: 0n },
    metadata: new Uint8Array(0),
  });
  writeSync(fd, header);
  ftruncateSync(fd, offset + sumTreeSize(headerBytes, offset));
  const values = new Map<number, number>();
  for (const [number, { records, place }] of parts.entries()) {
    const line = Buffer.alloc(lineSize(8));
    for (const [i, { key, bytes, hash }] of records.entries()) {
      const value = Buffer.alloc(4);
      value.writeUInt32LE(hash);
      values.set(key, hash);
      writeSync(fd, Buffer.concat([bytes, value]), 0, 8, place.offset + i * unit);
      for (let slot = bucketOf(hash, division) + 1; slot <= 32; slot++) line[4 + slot]!++;
    }
    writeSync(fd, line, 0, line.length, index.offset + number * line.length);
  }
  closeSync(fd);
  return values;
}
