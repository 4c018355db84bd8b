// Finds a key in a remote file: its line of the index, then the records of its bucket (native-notes/format.md, sections 4 to 6);
// by a fingerprint it is found in find-fingerprint.ts. Knows records; does not know values.

import { FULL_OFFSET_BITS, GROUP_BUCKETS, VARIABLE } from '../format/constants.js';
import type { HashHeader } from '../format/header.js';
import { bucketOf, indexSize, lineSize, offsetUnit, segmentOf, shardOf } from '../format/index-lines.js';
import type { FileRange } from './cells.js';
import { damaged, type HashedKey, Records } from './records.js';
import type { RemoteFile } from './remote-file.js';
import type { Stop } from './shared-work.js';

/** Where the line of a key's bucket lies; `undefined` for a key of another shard. */
export function lineOf(header: HashHeader, { hash }: HashedKey): FileRange | undefined {
  // A fingerprint may be that of any key.
  if (header.fingerprint === null && shardOf(hash, header) !== header.shard.index) return undefined;
  const { index } = header;
  const line = lineSize(index.offsetBits);
  const group = Math.floor(bucketOf(hash, header) / GROUP_BUCKETS);
  const from = index.offset + segmentOf(hash, header) * indexSize(header, index.offsetBits) + group * line;
  return { from, end: from + line };
}

/**
 * Where the records of a key's bucket lie, by its line.
 * @throws {HmapError} `HMAP_DAMAGED`
 */
export function bucketRange(file: RemoteFile, { hash }: HashedKey, line: Uint8Array): FileRange {
  const { header } = file;
  const { offsetBits } = header.index;
  const view = new DataView(line.buffer, line.byteOffset, line.byteLength);
  const anchor = view.getUint32(0, true);
  const offset = (slot: number) => {
    const bit = slot * offsetBits;
    const word = view.getUint32(4 + (bit >>> 3), true);
    return anchor + (offsetBits === FULL_OFFSET_BITS ? word : (word >>> (bit & 7)) & (2 ** offsetBits - 1));
  };
  const slot = bucketOf(hash, header) % GROUP_BUCKETS;
  const segment = header.segments[segmentOf(hash, header)]!;
  const unit = offsetUnit(header.keyWidth ?? VARIABLE, header.valueWidth ?? VARIABLE);
  const [from, end] = [offset(slot) * unit, offset(slot + 1) * unit];
  if (from > end || end > segment.bytes) throw damaged(file, 'a bucket has offsets that do not fit', segment.offset);
  return { from: segment.offset + from, end: segment.offset + end };
}

/**
 * Where the value of a key lies; `undefined` if it is not in its bucket. Reads nothing but the bucket, and of large buckets
 * only what lies before the value.
 * @throws {HmapError} `HMAP_DAMAGED`
 */
export async function valuePlace(
  file: RemoteFile,
  key: HashedKey,
  bucket: FileRange,
  stop: Stop,
): Promise<FileRange | undefined> {
  const { fingerprint } = file.header;
  const records = new Records(file, bucket, stop);
  if (fingerprint === null) {
    while (await records.step()) if (await records.hasKey(key.bytes)) return records.value;
    return undefined;
  }
  // Few tables have them: a page loads the code when it opens one.
  const { fingerprintPlace } = await import('./find-fingerprint.js');
  return fingerprintPlace(file, key, records, stop);
}
