// Which parts of a file are in memory. Knows where the sections lie; does not read them.

import type { Header } from '../format/header.js';
import { type Residency, residencyOf } from '../mapping/residency.js';
import type { ResidentBytes } from './table-stat.js';

/** Parts of {@link ResidentBytes.map}. */
const PARTS = 256;

/** Bytes of a file up to which its pages are asked for, inclusive: each costs a byte, and a moment for each part. */
export const RESIDENCY_LIMIT: number = 2 ** 36;

/** What of an open file is in memory now; `null` if the system does not say, or the file has too many pages. */
export function residentBytes(fd: number, header: Header): ResidentBytes | null {
  if (header.fileBytes > RESIDENCY_LIMIT) return null;
  const { fileBytes, headerBytes, segments, dictionary, fingerprint, index, checksums } = header;
  const residency = residencyOf(fd, fileBytes);
  if (residency === undefined) return null;
  const within = (offset: number, bytes: number) => bytesWithin(residency, offset, Math.min(offset + bytes, fileBytes));
  const last = segments.at(-1)!;
  const heap = segments[0]!.offset;
  const place = (part: { readonly offset: number; readonly bytes: number } | null | undefined) =>
    part ? within(part.offset, part.bytes) : 0;
  const each = Math.max(residency.pageBytes, Math.ceil(fileBytes / PARTS));
  const map = Array.from({ length: Math.ceil(fileBytes / each) }, (_, i) => {
    const bytes = Math.min(each, fileBytes - i * each);
    return Math.round((1000 * within(i * each, bytes)) / bytes) / 1000;
  });
  return {
    total: within(0, fileBytes),
    header: within(0, headerBytes),
    heap: within(heap, last.offset + last.bytes - heap),
    buckets: place(index),
    dictionary: place(dictionary),
    fingerprints: place(fingerprint?.long),
    checksums: place(checksums),
    map,
  };
}

/** Bytes of `[from, end)` that are in memory. */
function bytesWithin({ pageBytes, pages }: Residency, from: number, end: number): number {
  let bytes = 0;
  for (let page = Math.floor(from / pageBytes); page * pageBytes < end; page++) {
    if (pages[page] === 0) continue;
    bytes += Math.min(end, (page + 1) * pageBytes) - Math.max(from, page * pageBytes);
  }
  return bytes;
}
