// Finds a key among the records of a bucket that have fingerprints in place of keys (native-notes/format.md, section 16). Knows
// records; does not know values.

import { murmur3 } from '../base/murmur3.js';
import { sum64, xxh64 } from '../base/xxh64.js';
import { VARIABLE } from '../format/constants.js';
import { fingerprintMask, LONG_FINGERPRINT } from '../format/fingerprints.js';
import { offsetUnit, segmentOf } from '../format/index-lines.js';
import type { FileRange } from './cells.js';
import { damaged, type HashedKey, type Records } from './records.js';
import type { RemoteFile } from './remote-file.js';
import type { Stop } from './shared-work.js';

/**
 * Where the value of a key lies; `undefined` if its fingerprint is not in the bucket.
 * @throws {HmapError} `HMAP_DAMAGED`
 */
export async function fingerprintPlace(
  file: RemoteFile,
  key: HashedKey,
  records: Records,
  stop: Stop,
): Promise<FileRange | undefined> {
  const {
    fingerprint,
    hash: { seed },
  } = file.header;
  const { long, bits } = fingerprint!;
  const bytes = bits / 8;
  const keyView = new DataView(key.bytes.buffer, key.bytes.byteOffset, key.bytes.byteLength);
  const wanted = murmur3(keyView, 0, key.bytes.length, seed | 0) & fingerprintMask(bytes);
  const little = Uint8Array.from({ length: bytes }, (_, i) => wanted >>> (8 * i));
  const found: { value: FileRange; at: number }[] = [];
  while (await records.step()) {
    if (await records.hasKey(little)) found.push({ value: records.value, at: records.at });
    else if (found.length > 0) break;
  }
  if (found.length < 2 || long.count === 0) return found[0]?.value;
  xxh64(keyView, 0, key.bytes.length);
  const { low, high } = sum64;
  const row = await firstRow(file, key, found[0]!.at, stop);
  const from = long.offset + row * LONG_FINGERPRINT.size;
  const range = { from, end: from + found.length * LONG_FINGERPRINT.size };
  if (range.end > long.offset + long.bytes) throw damaged(file, 'records without their long fingerprints', from);
  const [rows] = await file.read([range], stop);
  const view = new DataView(rows!.buffer, rows!.byteOffset, rows!.byteLength);
  for (const [i, { value }] of found.entries()) {
    const at = i * LONG_FINGERPRINT.size + LONG_FINGERPRINT.hash;
    if (view.getInt32(at, true) === low && view.getInt32(at + 4, true) === high) return value;
  }
  return undefined;
}

/** The row of the record that starts at `at` in the file, by halves; each step reads a row. */
async function firstRow(file: RemoteFile, { hash }: HashedKey, at: number, stop: Stop): Promise<number> {
  const { header } = file;
  const { long } = header.fingerprint!;
  const segment = segmentOf(hash, header);
  const unit = offsetUnit(header.keyWidth ?? VARIABLE, header.valueWidth ?? VARIABLE);
  const position = (at - header.segments[segment]!.offset) / unit;
  let low = 0;
  for (let high = long.count; low < high; ) {
    const middle = Math.floor((low + high) / 2);
    const from = long.offset + middle * LONG_FINGERPRINT.size;
    const [row] = await file.read([{ from, end: from + LONG_FINGERPRINT.size }], stop);
    const view = new DataView(row!.buffer, row!.byteOffset, row!.byteLength);
    const order =
      view.getUint32(LONG_FINGERPRINT.segment, true) - segment ||
      view.getUint32(LONG_FINGERPRINT.position, true) - position;
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  throw damaged(file, 'a record without its long fingerprint', at);
}
