// Checks every rule of the format (native-notes/format.md, section 11) and reports what breaks one. Does not repair anything.

import { closeSync } from 'node:fs';
import { compareBytes } from './bytes.js';
import { type BlockHasher, blockSums, loadChecksums } from './checksum.js';
import { HmapError, showKey, systemError } from './errors.js';
import { openForReading, readBytes, readHeader } from './file.js';
import { type Finding, Findings } from './findings.js';
import { xxh32 } from './hash.js';
import type { Header } from './header.js';
import {
  alignToPage,
  BLOCK,
  bucketArraySize,
  bucketOf,
  HEADER,
  heapStart,
  MINOR_VERSION,
  SEGMENT_ROW,
  segmentOf,
  totalBucketBits,
  VARIABLE,
} from './layout.js';
import { checkOptions, checkPath } from './options.js';
import { Pacer } from './pacer.js';
import { RecordCursor, type Segment } from './segment.js';
import { valueWidthOf } from './types.js';
import { isValueOf } from './values.js';
import { mappedSegments } from './walk.js';

export interface VerifyOptions {
  /** Most findings to list; all are counted. Default 1,000. */
  limit?: number;
  /** Called up to twenty times a second with the bytes done and the bytes there are to do. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

export interface Verification {
  path: string;
  /** No rule is broken. */
  ok: boolean;
  /** At most as many as `limit`, in the order in which they were found. */
  findings: Finding[];
  /** All findings, also those beyond the limit. */
  total: number;
  /** Records that were checked. */
  entries: number;
  fileBytes: number;
  seconds: number;
}

const READ = 16 * BLOCK;
/** Buckets between two looks at the clock. */
const STRIDE = 4096;

/** See the function of this name in deferred.ts. */
export async function verify(path: string, options: VerifyOptions = {}): Promise<Verification> {
  checkPath(path);
  checkOptions(options, ['limit', 'onProgress', 'signal']);
  const { limit = 1000, onProgress, signal } = options;
  if (!Number.isInteger(limit) || limit < 0) throw new TypeError('limit: expected an integer from 0');
  const started = performance.now();
  const findings = new Findings(limit);
  const hashes = await loadChecksums();
  const fd = openForReading(path);
  let check: Check | undefined;
  try {
    const header = headerOf(fd, path, findings);
    if (header !== undefined) {
      const total = 2 * header.checksums.offset;
      const pacer = new Pacer(signal, (done) => onProgress?.(done, total));
      check = new Check(fd, path, header, findings, hashes, pacer);
      await check.run();
    }
  } catch (error) {
    throw systemError(error, 'read', path);
  } finally {
    closeSync(fd);
  }
  return {
    path,
    ok: findings.total === 0,
    findings: findings.list,
    total: findings.total,
    entries: check?.entries ?? 0,
    fileBytes: check?.header.fileBytes ?? 0,
    seconds: (performance.now() - started) / 1000,
  };
}

/** The header, or `undefined` where it leaves nothing that could be checked further. */
function headerOf(fd: number, path: string, findings: Findings): Header | undefined {
  try {
    return readHeader(fd, path);
  } catch (error) {
    if (!(error instanceof HmapError) || !error.code.startsWith('HMAP_')) throw error;
    const wholeFile = error.code === 'HMAP_TRUNCATED' || error.code === 'HMAP_TOO_LONG';
    const at = wholeFile ? Math.min(Number(error.expected), Number(error.actual)) : (error.offset ?? 0);
    findings.add(error.code, wholeFile ? 'file' : 'header', at, error.message.replace(`${path}: `, ''));
    // What follows the end of a file that is too long does not hinder the check of what comes before.
    return error.code === 'HMAP_TOO_LONG' ? readHeader(fd, path, 'any size') : undefined;
  }
}

class Check {
  entries = 0;
  readonly header: Header;
  readonly #fd: number;
  readonly #path: string;
  readonly #findings: Findings;
  readonly #hashes: BlockHasher;
  readonly #pacer: Pacer;
  #keyBytes = 0;
  #valueBytes = 0;
  readonly #keys = new Widths();
  readonly #values = new Widths();

  constructor(fd: number, path: string, header: Header, findings: Findings, hashes: BlockHasher, pacer: Pacer) {
    this.#fd = fd;
    this.#path = path;
    this.header = header;
    this.#findings = findings;
    this.#hashes = hashes;
    this.#pacer = pacer;
  }

  async run(): Promise<void> {
    this.#checkReserved();
    await this.#checkSums();
    let index = 0;
    for (const { segment, readAhead } of mappedSegments(this.#fd, this.header, this.#path, 'none')) {
      readAhead(0, segment.bytes);
      await this.#checkSegment(segment, index++);
    }
    this.#checkTotals();
  }

  /** Bytes of the header that no field of this version claims. */
  #checkReserved(): void {
    const { header } = this;
    if (header.version.minor > MINOR_VERSION) return;
    const bytes = readBytes(this.#fd, 0, header.headerBytes);
    const metadataBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(HEADER.metadataBytes, true);
    const end = HEADER.segmentTable + SEGMENT_ROW.size * header.segments.length + metadataBytes;
    this.#zero(bytes, HEADER.reserved, HEADER.hashSeed, 0, 'HMAP_RESERVED', 'header');
    this.#zero(bytes, HEADER.reservedTail, HEADER.segmentTable, 0, 'HMAP_RESERVED', 'header');
    this.#zero(bytes, end, bytes.length, 0, 'HMAP_PADDING', 'header');
  }

  /** Reports the first byte of `[from, to)` that is not zero; `base` is the offset of `bytes` in the file. */
  #zero(
    bytes: Uint8Array,
    from: number,
    to: number,
    base: number,
    code: 'HMAP_PADDING' | 'HMAP_RESERVED',
    section: 'header' | 'padding',
  ): void {
    for (let i = from; i < to; i++) {
      if (bytes[i] === 0) continue;
      this.#findings.add(
        code,
        section,
        base + i,
        `a byte that must be zero is 0x${bytes[i]!.toString(16).padStart(2, '0')}`,
      );
      return;
    }
  }

  async #checkSums(): Promise<void> {
    const { headerBytes, checksums } = this.header;
    const stored = readBytes(this.#fd, checksums.offset, checksums.bytes);
    const sum = this.#hashes.h64Raw(stored);
    if (sum !== checksums.sum) {
      const message = `the checksum of the block checksums is ${hex(sum)}, the header says ${hex(checksums.sum)}`;
      this.#findings.add('HMAP_CHECKSUMS_SUM', 'checksums', checksums.offset, message);
    }
    const view = new DataView(stored.buffer, stored.byteOffset, stored.length);
    for (let offset = headerBytes; offset < checksums.offset; offset += READ) {
      const bytes = readBytes(this.#fd, offset, Math.min(READ, checksums.offset - offset));
      for (const [i, actual] of blockSums(this.#hashes, bytes).entries()) {
        const start = offset + i * BLOCK;
        const at = 8 * ((start - headerBytes) / BLOCK);
        const expected = at + 8 <= stored.length ? view.getBigUint64(at, true) : undefined;
        if (actual === expected) continue;
        const end = Math.min(start + BLOCK, checksums.offset);
        const message = `the checksum of the bytes [${start}, ${end}) is ${hex(actual)}, the file says ${hex(expected)}`;
        this.#findings.add('HMAP_BLOCK_CHECKSUM', this.#sectionAt(start), start, message);
      }
      await this.#pacer.pause(offset);
    }
  }

  #sectionAt(offset: number): 'buckets' | 'heap' {
    const { segments, bucketBits } = this.header;
    const segment = segments.findLast((place) => place.offset <= offset)!;
    return offset < segment.offset + heapStart(bucketBits) ? 'buckets' : 'heap';
  }

  async #checkSegment(segment: Segment, index: number): Promise<void> {
    const { header } = this;
    const place = header.segments[index]!;
    const { offsets } = segment;
    const buckets = offsets.length - 1;
    const cursor = new RecordCursor(header);
    const before = this.entries;
    const last = offsets[buckets]! >>> 0;
    if (offsets[0] !== 0) this.#badOffset(segment, 0, `the offset of the first bucket is ${offsets[0]! >>> 0}, not 0`);
    if (last !== segment.heapBytes) {
      this.#badOffset(segment, buckets, `the last offset is ${last}, the key heap has ${segment.heapBytes} bytes`);
    }
    for (let bucket = 0; bucket < buckets; bucket++) {
      const start = offsets[bucket]! >>> 0;
      const end = offsets[bucket + 1]! >>> 0;
      if (start <= end && end <= segment.heapBytes) this.#checkBucket(segment, cursor, index, bucket, start, end);
      else if (start > end)
        this.#badOffset(segment, bucket + 1, `the offset ${end} is below the one before it, ${start}`);
      if (bucket % STRIDE === 0) await this.#pacer.pause(header.checksums.offset + segment.heapOffset + start);
    }
    if (this.entries - before !== place.entries) {
      const message = `segment ${index} holds ${this.entries - before} entries, the header says ${place.entries}`;
      this.#findings.add(
        'HMAP_ENTRIES',
        'header',
        HEADER.segmentTable + SEGMENT_ROW.size * index + SEGMENT_ROW.entries,
        message,
      );
    }
    this.#checkGap(place.offset + bucketArraySize(header.bucketBits), segment.heapOffset);
    this.#checkGap(place.offset + place.bytes, alignToPage(place.offset + place.bytes));
  }

  #checkGap(from: number, to: number): void {
    this.#zero(readBytes(this.#fd, from, to - from), 0, to - from, from, 'HMAP_PADDING', 'padding');
  }

  #badOffset(segment: Segment, bucket: number, message: string): void {
    this.#findings.add('HMAP_BUCKET_OFFSET', 'buckets', segment.offset + 4 * bucket, message);
  }

  #checkBucket(
    segment: Segment,
    cursor: RecordCursor,
    index: number,
    bucket: number,
    start: number,
    end: number,
  ): void {
    cursor.enter(segment, start, end);
    const { view } = segment.heap;
    let lastHash = -1;
    let lastKey = 0;
    let lastBytes = 0;
    try {
      while (cursor.step()) {
        const { key, keyBytes } = cursor;
        const hash = xxh32(view, key, keyBytes, this.header.hash.seed) >>> 0;
        this.#checkPlace(segment, cursor, index, bucket, hash);
        if (lastHash >= 0) {
          const order = lastHash - hash || compareBytes(view, lastKey, lastBytes, view, key, keyBytes);
          if (order === 0) this.#badRecord(segment, cursor, 'HMAP_RECORD_DUPLICATE', 'is there twice');
          else if (order > 0)
            this.#badRecord(segment, cursor, 'HMAP_RECORD_ORDER', 'is not in the order of hash and key');
        }
        lastHash = hash;
        lastKey = key;
        lastBytes = keyBytes;
        this.#countRecord(segment, cursor);
      }
    } catch (error) {
      if (!(error instanceof HmapError)) throw error;
      this.#findings.add(
        'HMAP_RECORD',
        'heap',
        error.offset!,
        error.message.replace(/^.*damaged: |; run verify$/g, ''),
      );
    }
  }

  #checkPlace(segment: Segment, cursor: RecordCursor, index: number, bucket: number, hash: number): void {
    const { segmentBits, bucketBits } = this.header;
    const rightSegment = segmentOf(hash, segmentBits);
    const rightBucket = bucketOf(hash, segmentBits, bucketBits);
    if (rightSegment === index && rightBucket === bucket) return;
    const where = `lies in bucket ${bucket} of segment ${index}; its hash belongs in bucket ${rightBucket} of segment ${rightSegment}`;
    this.#badRecord(segment, cursor, 'HMAP_RECORD_BUCKET', where);
  }

  #badRecord(segment: Segment, cursor: RecordCursor, code: Finding['code'], what: string): void {
    const key = showKey(segment.heap.bytes.subarray(cursor.key, cursor.value));
    this.#findings.add(code, 'heap', segment.heapOffset + cursor.record, `the record of key ${key} ${what}`);
  }

  #countRecord(segment: Segment, cursor: RecordCursor): void {
    const { keyBytes, valueBytes } = cursor;
    this.entries++;
    this.#keyBytes += keyBytes;
    this.#valueBytes += valueBytes;
    this.#keys.add(keyBytes);
    this.#values.add(valueBytes);
    if (!isValueOf(this.header.valueType, segment.heap, cursor.value, valueBytes)) {
      this.#badRecord(segment, cursor, 'HMAP_VALUE', `has a value that is not valid ${this.header.valueType}`);
    }
  }

  #checkTotals(): void {
    const { header } = this;
    const total = (name: 'entries' | 'keyBytes' | 'valueBytes', found: number) => {
      if (found === header[name]) return;
      this.#findings.add(
        'HMAP_TOTALS',
        'header',
        HEADER[name],
        `${name} is ${header[name]} in the header, ${found} in the records`,
      );
    };
    total('entries', this.entries);
    total('keyBytes', this.#keyBytes);
    total('valueBytes', this.#valueBytes);

    const width = (name: 'keyWidth' | 'valueWidth', shared: number | null) => {
      if (header[name] === shared) return;
      const message = `${name} is ${header[name] ?? 'variable'} in the header, the records give ${shared ?? 'variable'}`;
      this.#findings.add('HMAP_WIDTH', 'header', HEADER[name], message);
    };
    width('keyWidth', this.#keys.shared || null);
    if (valueWidthOf(header.valueType) === VARIABLE) width('valueWidth', this.#values.shared);

    const bits = Math.max(0, totalBucketBits(header.entries) - header.segmentBits);
    if (header.bucketBits !== bits) {
      const message = `the bucket bits are ${header.bucketBits}, ${header.entries} entries give ${bits}`;
      this.#findings.add('HMAP_BUCKET_BITS', 'header', HEADER.bucketBits, message);
    }
  }
}

/** Whether all lengths are one. */
class Widths {
  #shared: number | null | undefined;

  add(length: number): void {
    if (this.#shared === undefined) this.#shared = length;
    else if (this.#shared !== length) this.#shared = null;
  }

  /** The length that all share; `null` where there are several, or none at all. */
  get shared(): number | null {
    return this.#shared ?? null;
  }
}

function hex(sum: bigint | undefined): string {
  return sum === undefined ? 'nothing' : `0x${sum.toString(16).padStart(16, '0')}`;
}
