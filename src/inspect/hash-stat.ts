// Measures a table by hash: what each byte is spent on and how full the buckets are. Does not judge it (that is verify).

import type { Pacer } from '../base/pacer.js';
import type { BucketLoads } from '../format/bucket-loads.js';
import { bucketArraySize, heapStart } from '../format/constants.js';
import type { Header } from '../format/header.js';
import { RecordCursor, type Segment } from '../storage/hash-segment.js';
import type { LengthSums, TableStat } from './table-stat.js';

const STRIDE = 4096;

interface Sums {
  loads: BucketLoads;
  keys: LengthSums;
  values: LengthSums;
}

export async function measureSegment(header: Header, segment: Segment, sums: Sums, pacer: Pacer): Promise<void> {
  const { offsets } = segment;
  const cursor = new RecordCursor(header);
  for (let bucket = 0; bucket + 1 < offsets.length; bucket++) {
    const { start, end } = segment.bucketRange(bucket);
    let records = 0;
    cursor.enter(segment, start, end);
    while (cursor.step()) {
      records++;
      sums.keys.add(cursor.keyBytes);
      sums.values.add(cursor.valueBytes);
    }
    sums.loads.add(records);
    if (bucket % STRIDE === 0) await pacer.pause(segment.heapOffset + start);
  }
}

export function summary(path: string, header: Header, { loads, keys, values }: Sums): TableStat {
  const { fileBytes, headerBytes, segments, bucketBits, checksums } = header;
  const payloadBytes = keys.sum + values.sum;
  const heap = segments.reduce((sum, { bytes }) => sum + bytes - heapStart(bucketBits), 0);
  const buckets = segments.length * bucketArraySize(bucketBits);
  const dictionary = header.dictionary?.bytes ?? 0;
  const used = headerBytes + buckets + heap + dictionary + checksums.bytes;
  return {
    path,
    header,
    entries: keys.count,
    fileBytes,
    payloadBytes,
    overheadPerEntry: keys.count === 0 ? 0 : (fileBytes - payloadBytes) / keys.count,
    sections: {
      header: headerBytes,
      buckets,
      prefixes: heap - payloadBytes,
      keys: keys.sum,
      values: values.sum,
      dictionary,
      checksums: checksums.bytes,
      padding: fileBytes - used,
    },
    keys: keys.lengths,
    values: values.lengths,
    bucketLoads: loads.toJSON(),
  };
}
