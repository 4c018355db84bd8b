// One lookup in a hash table, step by step: what is computed, what is read, and why each record on the way is passed.
// Knows the steps of the format (native-notes/format.md, sections 9 and 16); prints nothing. Lists and bit arrays are
// explain-keyless.ts.

import { damage, HmapError } from '../base/errors.js';
import { readBytes } from '../base/fs.js';
import { murmur3 } from '../base/murmur3.js';
import { xxh32 } from '../base/xxh32.js';
import { sum64, xxh64 } from '../base/xxh64.js';
import { showKey } from '../codec/key-text.js';
import { encodeKey, scratch } from '../codec/keys.js';
import { KEY_HASHERS } from '../codec/typed-keys.js';
import { GROUP_BUCKETS, MAX_BUCKET_RECORDS, MAX_KEY_BYTES, PAGE } from '../format/constants.js';
import { fingerprintMask, LONG_FINGERPRINT } from '../format/fingerprints.js';
import type { HashHeader } from '../format/header.js';
import { bucketCount, bucketOf, segmentOf, shardOf } from '../format/index-lines.js';
import type { AnyKey, Key } from '../format/key-types.js';
import { type HashSegment, RecordCursor } from '../storage/hash-segment.js';
import { LongFingerprints } from '../storage/long-fingerprints.js';
import { type OpenFile, withFile } from '../storage/open-file.js';
import { mappedSegments } from '../storage/scan.js';
import { explainInteger } from './explain-keyless.js';
import {
  type ComparedRecord,
  type Explanation,
  type FoundValue,
  hex32,
  microsecondsSince,
  Steps,
} from './explanation.js';
import { Footprint } from './footprint.js';

type OpenTable = OpenFile & { readonly header: HashHeader };

/**
 * Explains the lookup of a key in a table, an index in a list, or an integer in a bit array. Damage in what the lookup
 * reads is told, not thrown.
 * @throws {TypeError} when `key` has the wrong JavaScript type for the table's keys
 * @throws {HmapError} as `open` does
 */
export function explainLookup(path: string, key: AnyKey): Explanation {
  const start = performance.now();
  return withFile(path, ({ fd, header }) => {
    const openedIn = microsecondsSince(start);
    if (header.layout === 'hash') return new KeyLookup({ fd, header, path }, openedIn).explain(key);
    return explainInteger({ fd, header, path }, Number(key), openedIn);
  });
}

class KeyLookup {
  readonly #file: OpenTable;
  readonly #steps = new Steps();
  readonly #footprint: Footprint;
  readonly #records: ComparedRecord[] = [];
  #key = Buffer.alloc(0);
  #value: FoundValue | null = null;
  #found = false;

  constructor(file: OpenTable, openedIn: number) {
    this.#file = file;
    const { fd, header, path } = file;
    const { headerBytes, entries, segments } = header;
    const buckets = segments.length * bucketCount(header);
    this.#steps.list.push({ name: 'open', facts: { headerBytes, entries, buckets }, microseconds: openedIn });
    this.#footprint = new Footprint(fd, header, path);
  }

  explain(key: AnyKey): Explanation {
    const { path, header } = this.#file;
    let reason: string | null;
    try {
      reason = this.#find(key);
    } catch (error) {
      if (!(error instanceof HmapError) || error.code !== 'HMAP_DAMAGED') throw error;
      this.#found = false;
      reason = error.message;
    }
    return {
      path,
      layout: 'hash',
      key: showKey(header.keyType, this.#key),
      found: this.#found,
      reason,
      steps: this.#steps.list,
      records: this.#records,
      value: this.#value,
      pages: this.#footprint.pages,
      blocks: this.#footprint.blocks(),
    };
  }

  /** Looks the key up; returns why it was not found. */
  #find(key: AnyKey): string | null {
    const { header } = this.#file;
    const steps = this.#steps;
    this.#key = steps.take(
      'key',
      () => encoded(header, key),
      (bytes) => ({ length: bytes.length, bytes: shownBytes(bytes) }),
    );
    const { length } = this.#key;
    if (length > MAX_KEY_BYTES) return `no key has more than ${MAX_KEY_BYTES} bytes, this one has ${length}`;
    const width = header.fingerprint === null ? header.keyWidth : null;
    if (width !== null && length !== width) return `all keys of the table have ${width} bytes, this one has ${length}`;
    scratch.bytes.set(this.#key);
    const { seed } = header.hash;
    const hash = steps.take(
      'hash',
      () => xxh32(scratch.view, 0, length, seed),
      (value) => ({ algorithm: 'XXH32', seed, hash: hex32(value) }),
    );
    const { shard } = header;
    if (shard.bits > 0) {
      const index = steps.take(
        'shard',
        () => shardOf(hash, header),
        (value) => ({ shard: value, of: 2 ** shard.bits }),
      );
      if (index !== shard.index) return `its hash is of shard ${index}; this file is shard ${shard.index}`;
    }
    const number = steps.take(
      'segment',
      () => segmentOf(hash, header),
      (segment) => ({ segment, of: header.segments.length }),
    );
    const bucket = steps.take(
      'bucket',
      () => bucketOf(hash, header),
      (value) => ({ bucket: value, of: bucketCount(header) }),
    );
    return this.#inSegment(number, bucket);
  }

  #inSegment(number: number, bucket: number): string | null {
    const { fd, header, path } = this.#file;
    for (const { segment } of mappedSegments(fd, header, path, 'none', undefined, [number])) {
      const line = segment.lineAt(bucket);
      const place = segment.indexOffset + line;
      this.#footprint.touch('index', place, place + segment.lineBytes);
      const slot = bucket % GROUP_BUCKETS;
      const { start, end } = this.#steps.take(
        'index',
        () => segment.bucketRange(bucket),
        (range) => ({
          line: place,
          lineBytes: segment.lineBytes,
          slot,
          anchor: segment.anchorAt(line),
          from: segment.offsetAt(line, slot),
          to: segment.offsetAt(line, slot + 1),
          unit: segment.unit,
          start: segment.heapOffset + range.start,
          end: segment.heapOffset + range.end,
        }),
      );
      if (start === end) return `its bucket, number ${bucket} of segment ${number}, is empty`;
      // A large value at the end is read only if it is the one.
      const { heapOffset } = segment;
      this.#footprint.touch('records', heapOffset + start, heapOffset + Math.min(end, start + PAGE));
      const at = this.#steps.take(
        'records',
        () =>
          header.fingerprint === null ? this.#compare(segment, start, end) : this.#fingerprints(segment, start, end),
        () => ({ compared: this.#records.length, bytes: end - start }),
      );
      if (at === undefined) return missing(this.#records.length);
      this.#found = true;
      this.#footprint.touch('value', heapOffset + at.value, heapOffset + at.end);
      this.#value = this.#steps.take(
        'value',
        () => this.#valueOf(segment, at.value, at.end),
        ({ offset, bytes }) => ({ offset, bytes: bytes.length }),
      );
      if (header.dictionary === null) continue;
      const { bytes } = this.#value;
      const index = bytes.length === 0 ? 0 : Buffer.from(bytes).readUIntLE(0, bytes.length);
      this.#value = this.#steps.take(
        'dictionary',
        () => this.#stringOf(index),
        (string) => ({ index, offset: string.offset, bytes: string.bytes.length }),
      );
    }
    return null;
  }

  #valueOf(segment: HashSegment, at: number, end: number): FoundValue {
    const { heap, heapOffset } = segment;
    return { offset: heapOffset + at, end: heapOffset + end, bytes: Uint8Array.from(heap.bytes.subarray(at, end)) };
  }

  /** The string of `enum` that a value stands for. */
  #stringOf(index: number): FoundValue {
    const { fd, header, path } = this.#file;
    const { offset, bytes, count } = header.dictionary!;
    const told = (what: string) => damage(path, `${what} at byte ${offset}`, { offset });
    if (index >= count)
      throw told(`a value has the index ${index}, but there are only ${count} strings in the dictionary`);
    const places = offset + 4 * index;
    this.#footprint.touch('dictionary', places, places + 8);
    const pair = readBytes(fd, places, 8);
    const heap = offset + 4 * (count + 1);
    const [from, to] = [heap + pair.readUInt32LE(0), heap + pair.readUInt32LE(4)];
    if (to < from || to > offset + bytes) throw told(`the offsets of string ${index} do not fit in the dictionary`);
    this.#footprint.touch('dictionary', from, to);
    return { offset: from, end: to, bytes: readBytes(fd, from, to - from) };
  }

  /** Compares the records of a bucket; where the value of the one with the key lies. */
  #compare(segment: HashSegment, start: number, end: number): { value: number; end: number } | undefined {
    const { keyType } = this.#file.header;
    const cursor = new RecordCursor(this.#file.header);
    cursor.enter(segment, start, end);
    while (cursor.step()) {
      const { record, key, value, next } = cursor;
      const bytes = segment.heap.bytes.subarray(key, value);
      const why = difference(bytes, this.#key);
      this.#add(segment, showKey(keyType, bytes), record, next - record, why);
      if (why === null) return { value, end: next };
    }
    return undefined;
  }

  /** {@link #compare} where fingerprints take the place of keys. */
  #fingerprints(segment: HashSegment, start: number, end: number): { value: number; end: number } | undefined {
    const { fd, header } = this.#file;
    const { bits, long } = header.fingerprint!;
    const bytes = bits / 8;
    const wanted = (murmur3(scratch.view, 0, this.#key.length, header.hash.seed) & fingerprintMask(bytes)) >>> 0;
    const shown = (value: number) => `0x${value.toString(16).padStart(2 * bytes, '0')}`;
    const cursor = new RecordCursor(header);
    const found: { record: number; value: number; end: number }[] = [];
    cursor.enter(segment, start, end);
    while (cursor.step()) {
      const own = segment.heap.bytes.readUIntLE(cursor.key, bytes);
      // Those with one fingerprint lie side by side; of a set, the first is enough.
      if (found.length > 0 && (own !== wanted || header.valueType === 'none')) break;
      const why = own === wanted ? null : `the fingerprint of the key is ${shown(wanted)}`;
      this.#add(segment, shown(own), cursor.record, cursor.next - cursor.record, why);
      if (own === wanted) found.push({ record: cursor.record, value: cursor.value, end: cursor.next });
    }
    if (found.length < 2 || header.valueType === 'none') return found[0];
    xxh64(scratch.view, 0, this.#key.length);
    this.#footprint.touch('long fingerprints', long.offset, long.offset + long.bytes);
    const rows = new LongFingerprints(readBytes(fd, long.offset, long.bytes), header, header.fingerprint!);
    return found.find(({ record }) => {
      const row = rows.find(segment.number, record / segment.unit);
      const at = long.offset + row * LONG_FINGERPRINT.size;
      if (row < 0) throw segment.damaged('a record without its long fingerprint', record);
      const isIt = rows.lowAt(row) === sum64.low && rows.highAt(row) === sum64.high;
      const index = this.#records.findIndex(({ offset }) => offset === segment.heapOffset + record);
      if (!isIt) {
        const passedBecause = `its long fingerprint, at byte ${at}, is another one`;
        this.#records[index] = { ...this.#records[index]!, passedBecause };
      }
      return isIt;
    });
  }

  #add(segment: HashSegment, key: string, record: number, bytes: number, passedBecause: string | null): void {
    if (this.#records.length === MAX_BUCKET_RECORDS) {
      throw segment.damaged(`a bucket of more than ${MAX_BUCKET_RECORDS} records`, record);
    }
    this.#records.push({ key, offset: segment.heapOffset + record, bytes, passedBecause });
  }
}

/**
 * The bytes of a key.
 * @throws {TypeError} for the wrong JavaScript type
 */
function encoded({ keyType }: HashHeader, key: AnyKey): Buffer<ArrayBuffer> {
  const length = keyType === 'bytes' ? encodeKey(key as Key, 0) : KEY_HASHERS[keyType](key, 0, 0);
  if (length >= 0) return Buffer.from(scratch.bytes.subarray(0, length));
  // Too long to be a key, or no valid text; told from its bytes.
  return Buffer.from(typeof key === 'object' ? key : String(key));
}

const SHOWN = 64;

function shownBytes(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.subarray(0, SHOWN))
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');
  return bytes.length > SHOWN ? `${hex} ...` : hex;
}

/** Why one key is not the other; `null` if it is. */
function difference(own: Uint8Array, wanted: Uint8Array): string | null {
  if (own.length !== wanted.length) return `it has ${own.length} bytes, the key has ${wanted.length}`;
  const at = own.findIndex((byte, i) => byte !== wanted[i]);
  return at < 0 ? null : `byte ${at} is ${shownByte(own[at]!)}, the key has ${shownByte(wanted[at]!)}`;
}

function shownByte(byte: number): string {
  const hex = `0x${byte.toString(16).padStart(2, '0')}`;
  return byte > 0x20 && byte < 0x7f ? `${hex} (${String.fromCharCode(byte)})` : hex;
}

function missing(compared: number): string {
  return compared === 1
    ? 'the one record in its bucket has another key'
    : `none of the ${compared} records in its bucket has this key`;
}
