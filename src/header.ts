// Parses, checks and writes a header (native-notes/format.md, section 3). Knows bytes; does not know files or records.

import { Block, readU64, writeU64 } from './bytes.js';
import { HmapError, type HmapErrorCode } from './errors.js';
import { xxh32 } from './hash.js';
import {
  alignToPage,
  BUCKETS_U32,
  blockCount,
  CHECKSUM_XXH64,
  HASH_BITS,
  HASH_XXH32,
  HEADER,
  headerSize,
  heapStart,
  KEY_BYTES,
  KNOWN_FEATURES,
  MAGIC,
  MAJOR_VERSION,
  MAX_BUCKET_BITS,
  MAX_KEY_BYTES,
  MAX_METADATA_BYTES,
  MAX_SEGMENT_BITS,
  MAX_SEGMENT_BYTES,
  MAX_U64,
  MAX_VALUE_BYTES,
  MINOR_VERSION,
  PAGE,
  SEGMENT_ROW,
  VARIABLE,
} from './layout.js';
import { VALUE_TYPES, type ValueType, valueWidthOf } from './types.js';

/** A segment's place in the file; offset and size in bytes. */
export interface SegmentPlace {
  readonly offset: number;
  readonly bytes: number;
  readonly entries: number;
}

/** JSON that belongs to the user of a table. */
export type Metadata = { readonly [name: string]: unknown };

/** All that a header says. Sizes and offsets are in bytes. */
export interface Header {
  readonly version: { readonly major: number; readonly minor: number };
  readonly headerBytes: number;
  readonly features: number;
  readonly fileBytes: number;
  readonly entries: number;
  /** Sum of the lengths of all keys. */
  readonly keyBytes: number;
  /** Sum of the lengths of all values. */
  readonly valueBytes: number;
  readonly hash: { readonly algorithm: 'xxh32'; readonly seed: number };
  readonly segmentBits: number;
  /** Buckets of one segment are 2 to this power. */
  readonly bucketBits: number;
  readonly bucketEncoding: 'u32';
  readonly valueType: ValueType;
  /** Length that all keys share, or `null` where each record states its own. */
  readonly keyWidth: number | null;
  readonly valueWidth: number | null;
  /** This file is shard `index` of 2 to the power of `bits`. */
  readonly shard: { readonly index: number; readonly bits: number };
  readonly segments: readonly SegmentPlace[];
  readonly checksums: { readonly offset: number; readonly bytes: number; readonly sum: bigint };
  readonly metadata: Metadata;
}

/** Headers above this are refused unread: it holds the largest segment table and the largest metadata. */
export const MAX_HEADER_BYTES = headerSize(MAX_SEGMENT_BITS, MAX_METADATA_BYTES);

function refuse(
  code: HmapErrorCode,
  path: string,
  message: string,
  offset: number,
  expected: unknown,
  actual: unknown,
): never {
  throw new HmapError(code, `${path}: ${message}`, { path, offset, expected, actual });
}

/**
 * Checks the start of a file and returns the size of its header, so that a caller knows how much to read.
 * @param start the first {@link PAGE} bytes of the file, or all of a shorter one
 * @param fileBytes the file's size
 */
export function checkPreamble(start: Uint8Array, fileBytes: number, path: string): number {
  const { view } = new Block(start);
  checkMagic(start, path);
  if (start.length < PAGE) {
    const found = `${start.length} bytes, the header needs ${PAGE}`;
    refuse('HMAP_TRUNCATED', path, `the file is cut short: ${found}`, start.length, PAGE, start.length);
  }
  const major = view.getUint16(HEADER.major, true);
  if (major !== MAJOR_VERSION) {
    const message = `format version ${major} is not known; this program reads version ${MAJOR_VERSION}`;
    refuse('HMAP_VERSION', path, message, HEADER.major, MAJOR_VERSION, major);
  }
  const bytes = view.getUint32(HEADER.headerBytes, true);
  if (bytes < PAGE || bytes % PAGE !== 0 || bytes > MAX_HEADER_BYTES) {
    refuse('HMAP_HEADER_FIELD', path, `the header size ${bytes} is not possible`, HEADER.headerBytes, PAGE, bytes);
  }
  if (bytes > fileBytes) {
    const message = `the file is cut short: ${fileBytes} bytes, the header needs ${bytes}`;
    refuse('HMAP_TRUNCATED', path, message, fileBytes, bytes, fileBytes);
  }
  return bytes;
}

/** What the magic becomes, in hexadecimal: CRLF to LF, each LF to CRLF, each bare LF to CRLF, seven bits, Latin-1 to UTF-8, read as UTF-8. */
const TEXT_DAMAGE = [
  '89484d500a1a0a',
  '89484d500d0d0a1a',
  '89484d500d0a1a0d',
  '09484d500d0a1a0a',
  'c289484d500d0a',
  'efbfbd484d50',
];

function checkMagic(start: Uint8Array, path: string): void {
  if (start.length >= MAGIC.length && MAGIC.every((byte, i) => start[i] === byte)) return;
  const found = Buffer.from(start.subarray(0, MAGIC.length));
  const expected = Buffer.from(MAGIC).toString('hex');
  const actual = found.toString('hex');
  if (start.length === 0) refuse('HMAP_NOT_A_TABLE', path, 'the file is empty', 0, expected, actual);
  if (TEXT_DAMAGE.some((sign) => actual.startsWith(sign))) {
    const message = 'the file was damaged by a transfer in text mode; copy it again as binary';
    refuse('HMAP_TEXT_DAMAGE', path, message, 0, expected, actual);
  }
  if (start.length < MAGIC.length && MAGIC.subarray(0, start.length).every((byte, i) => start[i] === byte)) {
    const message = `the file is cut short: ${start.length} bytes`;
    refuse('HMAP_TRUNCATED', path, message, start.length, PAGE, start.length);
  }
  refuse('HMAP_NOT_A_TABLE', path, 'not an hmap file', 0, expected, actual);
}

/**
 * Parses and checks a whole header. Costs as much as the header is long, whatever the size of the file.
 * @param bytes the header, as long as {@link checkPreamble} said
 * @param fileBytes the file's exact size; `undefined` where it has none of its own (a block device)
 * @throws {HmapError} naming the first field that does not fit
 */
export function parseHeader(bytes: Uint8Array, fileBytes: number | undefined, path: string): Header {
  const { view } = new Block(bytes);
  const stated = view.getUint32(HEADER.headerChecksum, true);
  const computed = headerChecksum(bytes);
  if (stated !== computed) {
    const message = 'the header is damaged: its checksum does not fit';
    refuse('HMAP_HEADER_CHECKSUM', path, message, HEADER.headerChecksum, computed, stated);
  }
  const features = view.getUint32(HEADER.features, true);
  if ((features & ~KNOWN_FEATURES) !== 0) {
    const message = `the file needs features that this version does not have (bits 0x${features.toString(16)})`;
    refuse('HMAP_FEATURE', path, message, HEADER.features, KNOWN_FEATURES, features);
  }

  const need: Need = (fits, name, expected, actual, offset = HEADER[name]) => {
    if (fits) return;
    const message = `the header's ${name} is ${actual}, expected ${expected}`;
    refuse('HMAP_HEADER_FIELD', path, message, offset, expected, actual);
  };
  const is = (name: keyof typeof HEADER, expected: number, actual: number) =>
    need(actual === expected, name, expected, actual);
  const upTo = (name: keyof typeof HEADER, most: number, actual: number) =>
    need(actual <= most, name, `at most ${most}`, actual);
  const size = (name: keyof typeof HEADER): number => {
    const value = readU64(view, HEADER[name]);
    need(value < MAX_U64, name, 'below 2^53', value);
    return value;
  };

  const statedFileBytes = size('fileBytes');
  const entries = size('entries');
  const keyBytes = size('keyBytes');
  const valueBytes = size('valueBytes');
  is('hashAlgorithm', HASH_XXH32, bytes[HEADER.hashAlgorithm]!);
  is('checksumAlgorithm', CHECKSUM_XXH64, bytes[HEADER.checksumAlgorithm]!);
  is('bucketEncoding', BUCKETS_U32, bytes[HEADER.bucketEncoding]!);
  const segmentBits = bytes[HEADER.segmentBits]!;
  upTo('segmentBits', MAX_SEGMENT_BITS, segmentBits);
  const bucketBits = bytes[HEADER.bucketBits]!;
  upTo('bucketBits', Math.min(MAX_BUCKET_BITS, HASH_BITS - segmentBits), bucketBits);
  is('keyType', KEY_BYTES, bytes[HEADER.keyType]!);
  const valueCode = bytes[HEADER.valueType]!;
  upTo('valueType', VALUE_TYPES.length - 1, valueCode);
  const valueType = VALUE_TYPES[valueCode]!;

  const keyWidth = view.getUint32(HEADER.keyWidth, true);
  need(
    keyWidth === VARIABLE || (keyWidth >= 1 && keyWidth <= MAX_KEY_BYTES),
    'keyWidth',
    `1 to ${MAX_KEY_BYTES}`,
    keyWidth,
  );
  const valueWidth = view.getUint32(HEADER.valueWidth, true);
  const typeWidth = valueWidthOf(valueType);
  if (typeWidth !== VARIABLE) is('valueWidth', typeWidth, valueWidth);
  else need(valueWidth === VARIABLE || valueWidth <= MAX_VALUE_BYTES, 'valueWidth', 'at most 2^30', valueWidth);
  is('shardBits', 0, view.getUint32(HEADER.shardBits, true));
  is('shardIndex', 0, view.getUint32(HEADER.shardIndex, true));

  const metadataBytes = view.getUint32(HEADER.metadataBytes, true);
  upTo('metadataBytes', MAX_METADATA_BYTES, metadataBytes);
  is('headerBytes', headerSize(segmentBits, metadataBytes), bytes.length);

  const { segments, end } = parseSegments(view, segmentBits, bucketBits, need);
  const inSegments = segments.reduce((sum, segment) => sum + segment.entries, 0);
  is('entries', inSegments, entries);
  const checksumsOffset = size('checksumsOffset');
  is('checksumsOffset', end, checksumsOffset);
  const checksumsBytes = size('checksumsBytes');
  is('checksumsBytes', 8 * blockCount(bytes.length, checksumsOffset), checksumsBytes);
  is('fileBytes', checksumsOffset + checksumsBytes, statedFileBytes);

  const metadata = parseMetadata(bytes, HEADER.segmentTable + SEGMENT_ROW.size * segments.length, metadataBytes, path);
  if (fileBytes !== undefined && fileBytes !== statedFileBytes) {
    const short = fileBytes < statedFileBytes;
    const found = `${fileBytes} bytes, the header says ${statedFileBytes}`;
    const message = short ? `the file is cut short: ${found}` : `the file is too long: ${found}`;
    refuse(short ? 'HMAP_TRUNCATED' : 'HMAP_TOO_LONG', path, message, HEADER.fileBytes, statedFileBytes, fileBytes);
  }
  return {
    version: { major: view.getUint16(HEADER.major, true), minor: view.getUint16(HEADER.minor, true) },
    headerBytes: bytes.length,
    features,
    fileBytes: statedFileBytes,
    entries,
    keyBytes,
    valueBytes,
    hash: { algorithm: 'xxh32', seed: view.getUint32(HEADER.hashSeed, true) },
    segmentBits,
    bucketBits,
    bucketEncoding: 'u32',
    valueType,
    keyWidth: keyWidth === VARIABLE ? null : keyWidth,
    valueWidth: valueWidth === VARIABLE ? null : valueWidth,
    shard: { index: 0, bits: 0 },
    segments,
    checksums: {
      offset: checksumsOffset,
      bytes: checksumsBytes,
      sum: view.getBigUint64(HEADER.checksumsSum, true),
    },
    metadata,
  };
}

/** Refuses a field that does not fit; `offset` where it is not the field's own. */
type Need = (fits: boolean, name: keyof typeof HEADER, expected: unknown, actual: unknown, offset?: number) => void;

function parseSegments(
  view: DataView,
  segmentBits: number,
  bucketBits: number,
  need: Need,
): { segments: SegmentPlace[]; end: number } {
  const segments: SegmentPlace[] = [];
  let end = view.byteLength;
  for (let i = 0; i < 2 ** segmentBits; i++) {
    const row = HEADER.segmentTable + SEGMENT_ROW.size * i;
    const offset = readU64(view, row + SEGMENT_ROW.offset);
    const bytes = readU64(view, row + SEGMENT_ROW.bytes);
    const entries = readU64(view, row + SEGMENT_ROW.entries);
    need(offset === end, 'segmentTable', `segment ${i} at ${end}`, offset, row + SEGMENT_ROW.offset);
    const least = heapStart(bucketBits);
    const fits = bytes >= least && bytes <= MAX_SEGMENT_BYTES;
    need(
      fits,
      'segmentTable',
      `segment ${i} of ${least} to ${MAX_SEGMENT_BYTES} bytes`,
      bytes,
      row + SEGMENT_ROW.bytes,
    );
    const most = `segment ${i} with at most ${bytes} entries`;
    need(entries <= bytes, 'segmentTable', most, entries, row + SEGMENT_ROW.entries);
    segments.push({ offset, bytes, entries });
    end = alignToPage(offset + bytes);
  }
  return { segments, end };
}

function parseMetadata(bytes: Uint8Array, offset: number, length: number, path: string): Metadata {
  if (length === 0) return {};
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      bytes.subarray(offset, offset + length),
    );
    const value: unknown = JSON.parse(text);
    if (isPlain(value)) return value as Metadata;
  } catch {
    // Falls through to the one refusal below.
  }
  return refuse('HMAP_HEADER_FIELD', path, 'the metadata is not a JSON object', offset, 'a JSON object', 'other bytes');
}

/** XXH32 of the header with the checksum's own bytes taken as zero, unsigned. */
export function headerChecksum(header: Uint8Array): number {
  const copy = new Block(Uint8Array.from(header));
  copy.view.setUint32(HEADER.headerChecksum, 0, true);
  return xxh32(copy.view, 0, copy.size, 0) >>> 0;
}

/** What a builder knows of a finished file; the rest of the header follows from it. */
export interface HeaderParts {
  readonly entries: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly seed: number;
  readonly segmentBits: number;
  readonly bucketBits: number;
  readonly valueType: ValueType;
  /** In bytes, or VARIABLE. */
  readonly keyWidth: number;
  readonly valueWidth: number;
  readonly segments: readonly SegmentPlace[];
  readonly checksums: { readonly offset: number; readonly bytes: number; readonly sum: bigint };
  /** From {@link encodeMetadata}. */
  readonly metadata: Uint8Array;
}

/** The bytes of a header. */
export function writeHeader(parts: HeaderParts): Uint8Array {
  const { bytes, view } = new Block(headerSize(parts.segmentBits, parts.metadata.length));
  bytes.set(MAGIC, HEADER.magic);
  view.setUint16(HEADER.major, MAJOR_VERSION, true);
  view.setUint16(HEADER.minor, MINOR_VERSION, true);
  view.setUint32(HEADER.headerBytes, bytes.length, true);
  writeU64(view, HEADER.fileBytes, parts.checksums.offset + parts.checksums.bytes);
  writeU64(view, HEADER.entries, parts.entries);
  writeU64(view, HEADER.keyBytes, parts.keyBytes);
  writeU64(view, HEADER.valueBytes, parts.valueBytes);
  view.setUint8(HEADER.hashAlgorithm, HASH_XXH32);
  view.setUint8(HEADER.checksumAlgorithm, CHECKSUM_XXH64);
  view.setUint8(HEADER.bucketEncoding, BUCKETS_U32);
  view.setUint8(HEADER.segmentBits, parts.segmentBits);
  view.setUint8(HEADER.bucketBits, parts.bucketBits);
  view.setUint8(HEADER.keyType, KEY_BYTES);
  view.setUint8(HEADER.valueType, VALUE_TYPES.indexOf(parts.valueType));
  view.setUint32(HEADER.hashSeed, parts.seed, true);
  view.setUint32(HEADER.keyWidth, parts.keyWidth, true);
  view.setUint32(HEADER.valueWidth, parts.valueWidth, true);
  view.setUint32(HEADER.metadataBytes, parts.metadata.length, true);
  writeU64(view, HEADER.checksumsOffset, parts.checksums.offset);
  writeU64(view, HEADER.checksumsBytes, parts.checksums.bytes);
  view.setBigUint64(HEADER.checksumsSum, parts.checksums.sum, true);
  let row = HEADER.segmentTable;
  for (const segment of parts.segments) {
    writeU64(view, row + SEGMENT_ROW.offset, segment.offset);
    writeU64(view, row + SEGMENT_ROW.bytes, segment.bytes);
    writeU64(view, row + SEGMENT_ROW.entries, segment.entries);
    row += SEGMENT_ROW.size;
  }
  bytes.set(parts.metadata, row);
  view.setUint32(HEADER.headerChecksum, headerChecksum(bytes), true);
  return bytes;
}

/** Metadata as the canonical file holds it: compact JSON with the names of each object in order; nothing for no members. */
export function encodeMetadata(metadata: Metadata): Uint8Array {
  const text = canonicalJson(asJson(metadata));
  const bytes = Buffer.from(text === '{}' ? '' : text);
  if (bytes.length > MAX_METADATA_BYTES) {
    const message = `the metadata takes ${bytes.length} bytes, the most is ${MAX_METADATA_BYTES}`;
    throw new HmapError('HMAP_METADATA_TOO_LARGE', message, { expected: MAX_METADATA_BYTES, actual: bytes.length });
  }
  return bytes;
}

function asJson(metadata: Metadata): object {
  let value: unknown;
  try {
    value = isPlain(metadata) ? JSON.parse(JSON.stringify(metadata)) : undefined;
  } catch (error) {
    throw new TypeError(`metadata: ${(error as Error).message.replace(/\s*\n\s*/g, ' ')}`, { cause: error });
  }
  // An object may well be none as JSON, as a Date is.
  if (!isPlain(value)) throw new TypeError('metadata: expected a plain object');
  return value;
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Not a replacer for JSON.stringify: an object always yields names that look like integers first, in numeric order.
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonicalJson((value as Metadata)[name])}`).join(',')}}`;
}
