// Measures a hash table: what each byte is spent on and how full the buckets are. Does not check it (that is verify).

import type { BucketLoads } from '../format/bucket-loads.js';
import type { HashHeader } from '../format/header.js';
import { hashSections } from '../format/sections.js';
import { type HashSegment, RecordCursor } from '../storage/hash-segment.js';
import { type LengthSums, type TableStat, tableSections } from './table-stat.js';

/** Buckets between two reports. */
const STRIDE = 4096;

interface Sums {
  loads: BucketLoads;
  keys: LengthSums;
  values: LengthSums;
}

/** @param report told of the bytes of the key heap that are done */
export async function measureSegment(
  header: HashHeader,
  segment: HashSegment,
  sums: Sums,
  report: (done: number) => Promise<void>,
): Promise<void> {
  const cursor = new RecordCursor(header);
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
    }
    sums.loads.add(records);
    if (bucket % STRIDE === 0) await report(start);
  }
}

export function summary(path: string, header: HashHeader, { loads, keys, values }: Sums): TableStat {
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
    keys: keys.lengths,
    values: values.lengths,
    bucketLoads: loads.toJSON(),
  };
}
