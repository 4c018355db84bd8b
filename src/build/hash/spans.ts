// Cuts a file into spans that threads can write side by side. Pure arithmetic: knows no bytes and no threads.

import { varintSize } from '../../base/bytes.js';
import { align, EIGHTHS_FROM_BITS, MIN_BUCKET_BITS, VARIABLE } from '../../format/constants.js';
import type { SegmentPlace } from '../../format/header.js';
import { bucketCount } from '../../format/index-lines.js';
import type { Shape } from '../../format/shape.js';
import { type BuildValueType, valueWidthOf } from '../../format/value-types.js';
import type { Start } from './bucket-writer.js';
import type { EntryStats } from './entry-stats.js';

/** Partitions `[first, end)`, which fill whole buckets of the file, up to bucket `endBucket`, exclusive. */
export interface Span {
  readonly first: number;
  readonly end: number;
  readonly start: Start;
  readonly endBucket: number;
}

/** Where everything will lie; known before a byte is written, as long as no entry is dropped. */
export interface FileLayout {
  readonly segments: readonly SegmentPlace[];
  /** Where the last key heap's padding ends. */
  readonly end: number;
  readonly spans: readonly Span[];
}

/**
 * Lays a file out as at most `parts` spans of about equal size. `undefined` if partitions and segments or buckets do
 * not divide each other: in small files, and in files of very many segments.
 * @param counts records of each partition; partitions are by the top bits of the hash, their number a power of two
 */
export function layOut(
  shape: Shape,
  stats: EntryStats,
  valueType: BuildValueType,
  counts: Float64Array,
  headerBytes: number,
  parts: number,
): FileLayout | undefined {
  const { segmentBits, bucketBits } = shape;
  const partitions = counts.length;
  const segmentCount = 2 ** segmentBits;
  const perSegment = partitions / segmentCount;
  // A partition has whole eighths of the buckets of a segment.
  const most = 2 ** (bucketBits - (EIGHTHS_FROM_BITS - MIN_BUCKET_BITS));
  if (perSegment < 1 || perSegment > most || stats.bytesByHash.length < partitions) return undefined;
  const heaps = heapBytes(shape, stats, valueType, counts);
  const total = heaps.reduce((sum, bytes) => sum + bytes, 0);
  const bucketsEach = bucketCount(shape) / perSegment;

  const segments: SegmentPlace[] = [];
  const spans: Span[] = [];
  let offset = headerBytes;
  let done = 0;
  let first = 0;
  let start: Start = { bucket: 0, segmentOffset: offset, heapBytes: 0 };
  for (let from = 0; from < partitions; from += perSegment) {
    let heap = 0;
    let entries = 0;
    for (let partition = from; partition < from + perSegment; partition++) {
      if (done >= ((spans.length + 1) * total) / parts && partition > first) {
        spans.push({ first, end: partition, start, endBucket: partition * bucketsEach });
        first = partition;
        start = { bucket: partition * bucketsEach, segmentOffset: offset, heapBytes: heap };
      }
      heap += heaps[partition]!;
      done += heaps[partition]!;
      entries += counts[partition]!;
    }
    segments.push({ offset, bytes: heap, entries });
    offset = align(offset + heap);
  }
  spans.push({ first, end: partitions, start, endBucket: partitions * bucketsEach });
  return { segments, end: offset, spans };
}

/** Bytes of the key heap that the records of each partition take. */
function heapBytes(shape: Shape, stats: EntryStats, valueType: BuildValueType, counts: Float64Array): Float64Array {
  const { keyWidth, valueWidth } = shape;
  // The sums count both prefixes of each record (format, section 10); a shared width makes a prefix vanish.
  const keyPrefix = keyWidth === VARIABLE ? 0 : varintSize(keyWidth);
  const valuePrefix = valueWidth === VARIABLE || valueWidthOf(valueType) !== VARIABLE ? 0 : varintSize(valueWidth);
  const run = stats.bytesByHash.length / counts.length;
  return counts.map((count, partition) => {
    let bytes = 0;
    for (let i = partition * run; i < (partition + 1) * run; i++) bytes += stats.bytesByHash[i]!;
    return bytes - count * (keyPrefix + valuePrefix);
  });
}
