// Writes files that claim gigabytes and take no room on the disk.

import { truncateSync, writeFileSync } from 'node:fs';
import { headerSize } from '../../src/format/constants.js';
import { indexSize } from '../../src/format/index-lines.js';
import { sumTreeSize } from '../../src/format/sum-tree.js';
import { writeHashHeader } from '../../src/format/write-header.js';

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
