// Measures a file: what each byte is spent on and how full the buckets are. Does not judge it (that is verify).

import { withFileAsync } from './file.js';
import type { Header } from './header.js';
import { bucketArraySize, heapStart } from './layout.js';
import { BucketLoads } from './loads.js';
import { checkOptions, checkPath } from './options.js';
import { Pacer } from './pacer.js';
import { RecordCursor, type Segment } from './segment.js';
import { measureElements, plainSummary } from './stat-plain.js';
import { mappedSegments } from './walk.js';

export interface StatOptions {
  /** Called up to twenty times a second with the bytes done and the bytes there are to do. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** Sizes are in bytes. */
export interface TableStat {
  path: string;
  header: Header;
  entries: number;
  fileBytes: number;
  /** Sum of the lengths of all keys and values. */
  payloadBytes: number;
  /** Bytes of the file beyond the payload, for each entry; 0 without entries. */
  overheadPerEntry: number;
  /** What the file's bytes are spent on. They add up to `fileBytes`. */
  sections: {
    header: number;
    /** The bucket arrays; the offsets of a list, the counts of a bit array. */
    buckets: number;
    /** Length prefixes of keys and values. */
    prefixes: number;
    keys: number;
    values: number;
    /** The distinct values of `enum`. */
    dictionary: number;
    checksums: number;
    padding: number;
  };
  /** Lengths of keys, and of values; zeros without entries. */
  keys: Lengths;
  values: Lengths;
  bucketLoads: { buckets: number; mean: number; longest: number; histogram: number[] };
}

export interface Lengths {
  shortest: number;
  longest: number;
  mean: number;
}

const STRIDE = 4096;

/** See the function of this name in deferred.ts. */
export async function stat(path: string, options: StatOptions = {}): Promise<TableStat> {
  checkPath(path);
  checkOptions(options, ['onProgress', 'signal']);
  return withFileAsync(path, async ({ fd, header }) => {
    const pacer = new Pacer(options.signal, (done) => options.onProgress?.(done, header.fileBytes));
    if (header.layout !== 'hash') {
      const values = new LengthSums();
      await measureElements(fd, path, header, pacer, (length) => values.add(length));
      return plainSummary(path, header, values.lengths);
    }
    const sums = { loads: new BucketLoads(), keys: new LengthSums(), values: new LengthSums() };
    for (const { segment, readAhead } of mappedSegments(fd, header, path, 'touch')) {
      readAhead(0, segment.bytes);
      await measureSegment(header, segment, sums, pacer);
    }
    return summary(path, header, sums);
  });
}

interface Sums {
  loads: BucketLoads;
  keys: LengthSums;
  values: LengthSums;
}

async function measureSegment(header: Header, segment: Segment, sums: Sums, pacer: Pacer): Promise<void> {
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

class LengthSums {
  shortest = Number.POSITIVE_INFINITY;
  longest = 0;
  sum = 0;
  count = 0;

  add(length: number): void {
    if (length < this.shortest) this.shortest = length;
    if (length > this.longest) this.longest = length;
    this.sum += length;
    this.count++;
  }

  get lengths(): Lengths {
    if (this.count === 0) return { shortest: 0, longest: 0, mean: 0 };
    return { shortest: this.shortest, longest: this.longest, mean: this.sum / this.count };
  }
}

function summary(path: string, header: Header, { loads, keys, values }: Sums): TableStat {
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
