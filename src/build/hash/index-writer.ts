// Writes what follows the records of a hash table, once all of them are written: the index (native-notes/format.md,
// section 5), and before it the long fingerprints (section 16). Does not know records.

import type { BlockHasher } from '../../base/block-hasher.js';
import { HmapError } from '../../base/errors.js';
import { writeAll } from '../../base/fs.js';
import { FULL_OFFSET_BITS, GROUP_BUCKETS, MAX_SEGMENT_BYTES } from '../../format/constants.js';
import { LONG_FINGERPRINT } from '../../format/fingerprints.js';
import type { HashHeader } from '../../format/header.js';
import { bucketCount, lineSize, offsetBitsFor } from '../../format/index-lines.js';
import type { Shape } from '../../format/shape.js';
import type { BlockSums } from '../common/block-sums.js';
import { type HeldBytes, HeldBytesReader } from '../common/held-bytes.js';
import { SectionWriter } from '../common/section-writer.js';
import type { SpillFile } from '../common/spill-file.js';
import { BucketSizesReader } from './bucket-sizes.js';

/** What the index of a file is written with. */
export interface IndexTask {
  readonly fd: number;
  readonly hashes: BlockHasher;
  readonly sums: BlockSums;
  readonly spill: SpillFile;
  /** Gives other work a turn, and may throw to stop. */
  readonly turn: () => Promise<void> | undefined;
}

/**
 * Writes the rows of long fingerprints from `offset` on.
 * @param held the rows of all buckets, in order
 * @returns their number, and where the next section starts
 */
export function writeLongFingerprints(
  task: IndexTask,
  held: readonly HeldBytes[],
  offset: number,
): { count: number; end: number } {
  let end = offset;
  for (const piece of new HeldBytesReader(held, task.spill).rest()) {
    if (piece.length === 0) continue;
    writeAll(task.fd, piece, end);
    task.sums.take(task.hashes, piece, end);
    end += piece.length;
  }
  const bytes = end - offset;
  if (bytes > MAX_SEGMENT_BYTES) {
    const message = `the fingerprints of ${bytes / LONG_FINGERPRINT.size} keys are shared in their buckets; take more bits`;
    const expected = Math.floor(MAX_SEGMENT_BYTES / LONG_FINGERPRINT.size);
    throw new HmapError('HMAP_FINGERPRINT', message, { expected, actual: bytes / LONG_FINGERPRINT.size });
  }
  return { count: bytes / LONG_FINGERPRINT.size, end };
}

/** Groups between two turns of other work. */
const STRIDE = 4096;

/**
 * Writes the lines of all segments from `offset` on.
 * @param held the sizes of all buckets, in order
 */
export async function writeIndex(
  task: IndexTask,
  shape: Shape,
  held: readonly HeldBytes[],
  offset: number,
): Promise<HashHeader['index']> {
  const segments = 2 ** shape.segmentBits;
  const groups = bucketCount(shape) / GROUP_BUCKETS;
  const largest = await largestGroup(new BucketSizesReader(held, task.spill), segments * groups, task.turn);
  const offsetBits = offsetBitsFor(largest);
  const bytes = segments * groups * lineSize(offsetBits);
  const out = new SectionWriter(task.fd, bytes, task.sums, task.hashes);
  out.start(offset, 0);
  const sizes = new BucketSizesReader(held, task.spill);
  for (let segment = 0; segment < segments; segment++) {
    let end = 0;
    for (let group = 0; group < groups; group++) {
      end += writeLine(out, sizes, end, offsetBits);
      if (group % STRIDE === 0) await task.turn();
    }
  }
  out.finish();
  return { offset, bytes, offsetBits };
}

async function largestGroup(sizes: BucketSizesReader, groups: number, turn: IndexTask['turn']): Promise<number> {
  let largest = 0;
  for (let group = 0; group < groups; group++) {
    let size = 0;
    for (let bucket = 0; bucket < GROUP_BUCKETS; bucket++) size += sizes.next();
    if (size > largest) largest = size;
    if (group % STRIDE === 0) await turn();
  }
  return largest;
}

/** Writes the line of a group that starts at `anchor`, and returns the size of the group. */
function writeLine(out: SectionWriter, sizes: BucketSizesReader, anchor: number, offsetBits: number): number {
  const bytes = lineSize(offsetBits);
  out.reserve(bytes);
  const { view } = out.buffer;
  let at = out.used;
  out.used += bytes;
  view.setUint32(at, anchor, true);
  at += 4;
  if (offsetBits === FULL_OFFSET_BITS) return writeFullLine(view, at, sizes);
  let offset = 0;
  // Bits that do not fill a byte yet: at most 7, and 24 more fit.
  let rest = 0;
  let bits = 0;
  for (let bucket = 0; ; bucket++) {
    rest |= offset << bits;
    bits += offsetBits;
    for (; bits >= 8; bits -= 8, rest >>>= 8) view.setUint8(at++, rest);
    if (bucket === GROUP_BUCKETS) break;
    offset += sizes.next();
  }
  for (; at < out.used; at++, rest >>>= 8) view.setUint8(at, rest);
  return offset;
}

/** {@link writeLine} of offsets of 32 bits, after the anchor. */
function writeFullLine(view: DataView, start: number, sizes: BucketSizesReader): number {
  let offset = 0;
  for (let bucket = 0; bucket < GROUP_BUCKETS; bucket++) {
    view.setUint32(start + 4 * bucket, offset, true);
    offset += sizes.next();
  }
  view.setUint32(start + 4 * GROUP_BUCKETS, offset, true);
  return offset;
}
