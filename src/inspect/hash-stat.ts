// Measures a hash table: what each byte is spent on and how full the buckets are. Does not check it (that is verify).

import { showKey } from '../codec/key-text.js';
import { type BucketLoads, expectedLoads } from '../format/bucket-loads.js';
import type { HashHeader } from '../format/header.js';
import { hashSections } from '../format/sections.js';
import { type HashSegment, RecordCursor } from '../storage/hash-segment.js';
import { type FullBucket, type LargeEntry, type LengthSums, type TableStat, tableSections } from './table-stat.js';
import type { Top } from './top.js';

/** Buckets between two reports. */
const STRIDE = 4096;

interface Sums {
  loads: BucketLoads;
  keys: LengthSums;
  values: LengthSums;
  largest: Top<LargeEntry>;
  fullest: Top<FullBucket>;
}

/** @param report told of the bytes of the key heap that are done */
export async function measureSegment(
  header: HashHeader,
  segment: HashSegment,
  sums: Sums,
  report: (done: number) => Promise<void>,
): Promise<void> {
  const cursor = new RecordCursor(header);
  const { largest, fullest } = sums;
  // A bucket starts where the one before it ends; otherwise many could claim the same records.
  let last = 0;
  for (let bucket = 0; bucket < segment.buckets; bucket++) {
    const { start, end } = segment.bucketRange(bucket);
    const isLast = bucket + 1 === segment.buckets;
    if (start !== last || (isLast && end !== segment.heapBytes)) throw segment.damagedBucket(bucket);
    last = end;
    let records = 0;
    cursor.enter(segment, start, end);
    while (cursor.step()) {
      records++;
      sums.keys.add(cursor.keyBytes);
      sums.values.add(cursor.valueBytes);
      const bytes = cursor.next - cursor.record;
      if (bytes > largest.floor) largest.add(bytes, entryAt(header, segment, cursor, bytes));
    }
    sums.loads.add(records);
    if (records > fullest.floor) {
      const index = segment.number * segment.buckets + bucket;
      fullest.add(records, { index, records, offset: segment.heapOffset + start, bytes: end - start });
    }
    if (bucket % STRIDE === 0) await report(start);
  }
}

function entryAt(
  { keyType, fingerprint }: HashHeader,
  segment: HashSegment,
  cursor: RecordCursor,
  bytes: number,
): LargeEntry {
  cursor.need(cursor.value);
  const key = segment.heap.bytes.subarray(cursor.key, cursor.value);
  const shown = fingerprint === null ? showKey(keyType, key) : `0x${Buffer.from(key).reverse().toString('hex')}`;
  return { key: shown, offset: segment.heapOffset + cursor.record, bytes, valueBytes: cursor.valueBytes };
}

export function summary(
  path: string,
  header: HashHeader,
  { loads, keys, values, largest, fullest }: Sums,
): Omit<TableStat, 'resident'> {
  const { fileBytes, segments, index, dictionary, fingerprint } = header;
  const payloadBytes = keys.sum + values.sum;
  const long = fingerprint?.long.bytes ?? 0;
  const { heap, ...sections } = hashSections(header, segments, index.bytes, dictionary?.bytes ?? 0, long);
  return {
    path,
    header,
    entries: keys.count,
    fileBytes,
    payloadBytes,
    overheadPerEntry: keys.count === 0 ? 0 : (fileBytes - payloadBytes) / keys.count,
    sections: tableSections(sections, heap - payloadBytes, keys.sum, values.sum),
    keys: measuredBy(keys, header.keyWidth),
    values: measuredBy(values, header.valueWidth),
    bucketLoads: { ...loads.toJSON(), expected: expectedLoads(loads.buckets, loads.mean) },
    largest: header.keyWidth === null || header.valueWidth === null ? largest.items : [],
    fullest: fullest.items.filter(({ records }) => records > 0),
  };
}

/** Where all have one length, it stands in the header. */
function measuredBy(sums: LengthSums, width: number | null): TableStat['keys'] {
  return width === null ? sums.measured : { ...sums.lengths, histogram: [] };
}
