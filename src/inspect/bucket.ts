// Shows where single records lie: one bucket, or the bucket of a key. For the dump tool, and for people who write a
// reader.

import { ByteBuffer } from '../base/bytes.js';
import { HmapError, noKeys } from '../base/errors.js';
import { type FilePath, pathOf } from '../base/options.js';
import { xxh32 } from '../base/xxh32.js';
import { encodeKey, scratch } from '../codec/keys.js';
import { KEY_HASHERS } from '../codec/typed-keys.js';
import { MAX_BUCKET_RECORDS } from '../format/constants.js';
import type { HashHeader, Header } from '../format/header.js';
import { bucketCount, bucketOf, segmentOf, shardOf } from '../format/index-lines.js';
import type { AnyKey, Key } from '../format/key-types.js';
import { readDictionary } from '../storage/dictionary.js';
import { type HashSegment, RecordCursor } from '../storage/hash-segment.js';
import { withFile } from '../storage/open-file.js';
import { mappedSegments } from '../storage/scan.js';

/**
 * A record and where its parts lie, as byte offsets in the file. Key, value and bytes are copies; the value of an
 * `enum` is its index.
 */
export interface RecordView {
  /** XXH32 of the key, unsigned. */
  hash: number;
  /** First byte of the record; the length prefixes, if any, start here. */
  offset: number;
  keyOffset: number;
  valueOffset: number;
  /** Where the value ends, exclusive. */
  end: number;
  key: Uint8Array;
  value: Uint8Array;
  /** All bytes of the record, prefixes included. */
  bytes: Uint8Array;
}

/** A bucket: its line in the index, and its records. */
export interface BucketView {
  header: HashHeader;
  /** Index of the segment, and of the bucket in it. */
  segment: number;
  bucket: number;
  /** Index of the bucket over all segments. */
  index: number;
  /** Byte offset in the file of the bucket's line in the index, and of its records, `[start, end)`. */
  lineOffset: number;
  start: number;
  end: number;
  records: RecordView[];
}

/**
 * The bucket with an index in [0, number of buckets of all segments).
 * @throws {RangeError} for another index
 * @throws {HmapError} as `open` does, and `HMAP_DAMAGED` if the bucket does not fit
 */
export function inspectBucket(file: FilePath, index: number): BucketView {
  const path = pathOf(file);
  return withFile(path, ({ fd, header }) => {
    needHash(header, path, 'showing single records');
    const each = bucketCount(header);
    const buckets = 2 ** header.segmentBits * each;
    if (!Number.isInteger(index) || index < 0 || index >= buckets) {
      throw new RangeError(`bucket: expected an integer from 0 to ${buckets - 1}, got ${index}`);
    }
    return readBucket(fd, path, header, Math.floor(index / each), index % each);
  });
}

/**
 * The bucket in which a key lies, or would lie, and the key's record if the table has it. Throws as {@link
 * inspectBucket} does.
 * @throws {TypeError} when `key` has the wrong JavaScript type for the table's keys
 */
export function inspectKey(
  file: FilePath,
  key: AnyKey,
): { bucket: BucketView | undefined; record: RecordView | undefined } {
  const path = pathOf(file);
  return withFile(path, ({ fd, header }) => {
    needHash(header, path, 'showing single records');
    const { keyType } = header;
    const length = keyType === 'bytes' ? encodeKey(key as Key, 0) : KEY_HASHERS[keyType](key, 0, 0);
    if (length < 0) return { bucket: undefined, record: undefined };
    const hash = xxh32(scratch.view, 0, length, header.hash.seed);
    const wanted = Buffer.from(scratch.bytes.subarray(0, length));
    if (shardOf(hash, header) !== header.shard.index) return { bucket: undefined, record: undefined };
    const bucket = readBucket(fd, path, header, segmentOf(hash, header), bucketOf(hash, header));
    return { bucket, record: bucket.records.find((record) => wanted.equals(record.key)) };
  });
}

function readBucket(fd: number, path: string, header: HashHeader, segmentIndex: number, bucket: number): BucketView {
  for (const { segment } of mappedSegments(fd, header, path, 'none', undefined, [segmentIndex])) {
    const { start, end } = segment.bucketRange(bucket);
    const cursor = new RecordCursor(header);
    cursor.enter(segment, start, end);
    const records: RecordView[] = [];
    // A view of a record takes a thousand bytes of memory, even if the record has one byte: so their number is limited.
    const most = MAX_BUCKET_RECORDS;
    while (cursor.step()) {
      if (records.length === most) throw segment.damaged(`a bucket of more than ${most} records`, start);
      records.push(recordAt(segment, cursor, header));
    }
    return {
      header,
      segment: segmentIndex,
      bucket,
      index: segmentIndex * bucketCount(header) + bucket,
      lineOffset: segment.indexOffset + segment.lineAt(bucket),
      start: segment.heapOffset + start,
      end: segment.heapOffset + end,
      records,
    };
  }
  throw new RangeError(`there is no segment ${segmentIndex}`);
}

function recordAt(segment: HashSegment, cursor: RecordCursor, header: Header): RecordView {
  const { heap, heapOffset } = segment;
  const copy = (from: number, to: number) => Uint8Array.from(heap.bytes.subarray(from, to));
  return {
    hash: xxh32(heap.view, cursor.key, cursor.keyBytes, header.hash.seed) >>> 0,
    offset: heapOffset + cursor.record,
    keyOffset: heapOffset + cursor.key,
    valueOffset: heapOffset + cursor.value,
    end: heapOffset + cursor.next,
    key: copy(cursor.key, cursor.value),
    value: copy(cursor.value, cursor.next),
    bytes: copy(cursor.record, cursor.next),
  };
}

/** @throws {HmapError} `HMAP_LAYOUT` if the file is not a hash table, which `what` needs */
function needHash(header: Header, path: string, what: string): asserts header is HashHeader {
  const { layout } = header;
  if (header.fingerprint !== null) throw noKeys(path, 'show single records');
  if (layout === 'hash') return;
  const message = `${path}: ${what} is for the layout 'hash'; this file has the layout '${layout}'`;
  throw new HmapError('HMAP_LAYOUT', message, { path, expected: 'hash', actual: layout });
}

/**
 * What the indexes in records of `enum` values stand for, as bytes; reads the dictionary once.
 * @throws {HmapError} as `open` does; `HMAP_DAMAGED` for an index that stands for nothing
 */
export function enumValues(path: string): (index: Uint8Array) => Uint8Array {
  return withFile(path, ({ fd, header }) => {
    needHash(header, path, 'looking up distinct values');
    const dictionary = readDictionary(fd, header, path, 'none');
    return (index) => dictionary?.bytesAt(new ByteBuffer(index), 0) ?? index;
  });
}
