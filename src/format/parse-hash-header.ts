// The fields of a hash table (native-notes/format.md, sections 3 and 7). Knows bytes and rules; does not know files
// or records.

import { MAX_U64, readU64 } from '../base/bytes.js';
import {
  align,
  CHECKSUM_XXH64,
  dictionarySize,
  EIGHTHS_FROM_BITS,
  ENUM_HEADER,
  FEATURES,
  FULL_OFFSET_BITS,
  HASH_BITS,
  HASH_XXH32,
  HEADER,
  headerSize,
  indexWidth,
  LEAST_OFFSET_BITS,
  MAX_BUCKET_BITS,
  MAX_KEY_BYTES,
  MAX_SEGMENT_BITS,
  MAX_SEGMENT_BYTES,
  MAX_SHARD_BITS,
  MAX_VALUE_BYTES,
  MIN_BUCKET_BITS,
  MOST_OFFSET_BITS,
  SEGMENT_ROW,
  VARIABLE,
} from './constants.js';
import { FINGERPRINT_BITS, falsePositiveRate, isFingerprintBits, LONG_FINGERPRINT } from './fingerprints.js';
import {
  type DictionaryPlace,
  type FingerprintPlace,
  featuresOf,
  type HashHeader,
  type SegmentPlace,
} from './header.js';
import type { HeaderFields } from './header-fields.js';
import { type Division, indexSize, offsetUnit } from './index-lines.js';
import { KEY_TYPES, type KeyType, keyWidthOf } from './key-types.js';
import { MAX_SCHEMA_BYTES, parseSchema, SchemaError, type Struct, structText } from './schema.js';
import { isUint, type StoredType, typeOfCode, type ValueType, valueWidthOf } from './value-types.js';

interface HashFields extends Division {
  readonly offsetBits: number;
  readonly narrowed: boolean;
  readonly keyType: KeyType;
  /** `struct` if the schema says the rest. */
  readonly valueType: ValueType | 'struct';
  readonly schemaBytes: number;
  /** In bytes, or VARIABLE. */
  readonly keyWidth: number;
  readonly valueWidth: number;
  /** 0 if the keys themselves are stored. */
  readonly fingerprintBits: number;
}

/** @param fileBytes the file's exact size; `undefined` for a block device, which states none */
export function parseHashHeader(fields: HeaderFields, fileBytes: number | undefined): HashHeader | undefined {
  const stated = fields.sums();
  const own = parseFields(fields);
  if (own === undefined) return undefined;
  const { shard, segmentBits, bucketBits, eighths, keyType, keyWidth, valueWidth, schemaBytes, narrowed } = own;
  const textBytes = fields.u32(HEADER.metadataBytes) + schemaBytes;
  if (!fields.is('headerBytes', headerSize(segmentBits, textBytes), fields.bytes.length)) return undefined;
  const table = parseSegments(fields, own);
  if (table === undefined) return undefined;
  const { segments } = table;
  const entries = segments.reduce((sum, segment) => sum + segment.entries, 0);
  const dictionary = own.valueType === 'enum' ? parseDictionary(fields, table.end, entries) : null;
  if (dictionary === undefined) return undefined;
  const afterValues = dictionary === null ? table.end : align(dictionary.offset + dictionary.bytes);
  const fingerprint = own.fingerprintBits === 0 ? null : parseFingerprints(fields, own, afterValues, entries);
  if (fingerprint === undefined) return undefined;
  const start = fingerprint === null ? afterValues : fingerprint.long.offset + fingerprint.long.bytes;
  const index = parseIndex(fields, own, start);
  if (index === undefined) return undefined;
  const tail = fields.tail(stated, entries, segments, align(index.offset + index.bytes));
  if (tail === undefined) return undefined;
  const valueType = own.valueType === 'struct' ? structType(fields, own, segments.length) : own.valueType;
  if (valueType === undefined || !fields.fileSize(fileBytes, tail.fileBytes)) return undefined;
  return {
    version: fields.version(),
    headerBytes: fields.bytes.length,
    features: fields.u32(HEADER.features),
    fileBytes: tail.fileBytes,
    entries,
    keyBytes: stated.keyBytes,
    valueBytes: stated.valueBytes,
    layout: 'hash',
    hash: { algorithm: 'xxh32', seed: fields.u32(HEADER.hashSeed) },
    segmentBits,
    bucketBits,
    eighths,
    index,
    keyType,
    valueType,
    narrowed,
    base: 0,
    length: 0,
    perSegment: 0,
    keyWidth: keyWidth === VARIABLE ? null : keyWidth,
    valueWidth: valueWidth === VARIABLE ? null : valueWidth,
    shard,
    segments,
    dictionary,
    fingerprint,
    checksums: tail.checksums,
    metadata: tail.metadata,
  };
}

function parseFields(fields: HeaderFields): HashFields | undefined {
  const offsetBits = fields.u8(HEADER.offsetBits);
  const segmentBits = fields.u8(HEADER.segmentBits);
  const bucketBits = fields.u8(HEADER.bucketBits);
  const eighths = fields.u8(HEADER.bucketEighths);
  const shard = { bits: fields.u8(HEADER.shardBits), index: fields.u32(HEADER.shardIndex) };
  const keyCode = fields.u8(HEADER.keyType);
  const keyType = KEY_TYPES[keyCode];
  const valueCode = fields.u8(HEADER.valueType);
  const valueType = typeOfCode(valueCode);
  const narrowed = fields.u8(HEADER.narrowed);
  const schemaBytes = fields.u32(HEADER.schemaBytes);
  const keyWidth = fields.u32(HEADER.keyWidth);
  const valueWidth = fields.u32(HEADER.valueWidth);
  const hasFingerprints = (fields.u32(HEADER.features) & FEATURES.fingerprints) !== 0;
  const fingerprintBits = hasFingerprints ? fields.u8(HEADER.fingerprintBits) : 0;
  // What is left of the hash; invalid bits are reported below.
  const shardBits = Math.min(shard.bits, MAX_SHARD_BITS);
  const segmentMost = Math.min(MAX_SEGMENT_BITS, HASH_BITS - MIN_BUCKET_BITS - shardBits);
  const bucketMost = Math.min(MAX_BUCKET_BITS, HASH_BITS - shardBits - Math.min(segmentBits, segmentMost));
  const bucketFits = bucketBits >= MIN_BUCKET_BITS && bucketBits <= bucketMost;
  const eighthsLeast = bucketBits < EIGHTHS_FROM_BITS ? 8 : 5;
  const offsetFits =
    (offsetBits >= LEAST_OFFSET_BITS && offsetBits <= MOST_OFFSET_BITS) || offsetBits === FULL_OFFSET_BITS;
  const fits = [
    fields.is('hashAlgorithm', HASH_XXH32, fields.u8(HEADER.hashAlgorithm)),
    fields.is('checksumAlgorithm', CHECKSUM_XXH64, fields.u8(HEADER.checksumAlgorithm)),
    fields.need(offsetFits, 'offsetBits', '8 to 24, or 32', offsetBits),
    fields.atMost('shardBits', MAX_SHARD_BITS, shard.bits),
    fields.atMost('shardIndex', 2 ** shardBits - 1, shard.index),
    fields.atMost('segmentBits', segmentMost, segmentBits),
    fields.need(bucketFits, 'bucketBits', `${MIN_BUCKET_BITS} to ${bucketMost}`, bucketBits),
    fields.need(eighths >= eighthsLeast && eighths <= 8, 'bucketEighths', `${eighthsLeast} to 8`, eighths),
    fields.atMost('keyType', KEY_TYPES.length - 1, keyCode),
    fields.need(valueType !== undefined, 'valueType', 'a value type of this version', valueCode),
    !hasFingerprints || isBits(fields, fingerprintBits),
    isKeyWidth(fields, keyType, keyWidth, fingerprintBits),
    isValueWidth(fields, valueType, valueWidth),
    fields.atMost('narrowed', isUint(valueType) ? 1 : 0, narrowed),
    fields.metadataSize(),
    isSchemaSize(fields, valueType, schemaBytes),
  ];
  if (keyType === undefined || valueType === undefined || fits.includes(false)) return undefined;
  fields.is('features', featuresOf(keyType, valueType, hasFingerprints), fields.u32(HEADER.features));
  return {
    offsetBits,
    shard,
    segmentBits,
    bucketBits,
    eighths,
    keyType,
    valueType,
    narrowed: narrowed === 1,
    schemaBytes,
    keyWidth,
    valueWidth,
    fingerprintBits,
  };
}

function isBits(fields: HeaderFields, bits: number): boolean {
  return fields.need(isFingerprintBits(bits), 'fingerprintBits', FINGERPRINT_BITS.join(' or '), bits);
}

function isKeyWidth(fields: HeaderFields, type: KeyType | undefined, width: number, fingerprintBits: number): boolean {
  // Wrong bits have been reported.
  if (isFingerprintBits(fingerprintBits)) return fields.is('keyWidth', fingerprintBits / 8, width);
  if (fingerprintBits !== 0) return true;
  const expected = type === undefined ? VARIABLE : keyWidthOf(type);
  if (expected !== VARIABLE) return fields.is('keyWidth', expected, width);
  if (width === VARIABLE || (width >= 1 && width <= MAX_KEY_BYTES)) return true;
  return fields.need(false, 'keyWidth', `1 to ${MAX_KEY_BYTES}`, width);
}

function isValueWidth(fields: HeaderFields, type: ValueType | 'struct' | undefined, width: number): boolean {
  // The width of a struct follows from its schema, that of `enum` from the number of distinct values.
  const expected = type === undefined || type === 'struct' || type === 'enum' ? VARIABLE : valueWidthOf(type);
  if (expected !== VARIABLE) return fields.is('valueWidth', expected, width);
  return fields.need(width === VARIABLE || width <= MAX_VALUE_BYTES, 'valueWidth', 'at most 2^30', width);
}

function isSchemaSize(fields: HeaderFields, type: ValueType | 'struct' | undefined, bytes: number): boolean {
  if (type !== 'struct') return fields.is('schemaBytes', 0, bytes);
  return fields.need(bytes >= 1 && bytes <= MAX_SCHEMA_BYTES, 'schemaBytes', `1 to ${MAX_SCHEMA_BYTES}`, bytes);
}

/**
 * The segment table, and where the last segment's padding ends; `undefined` after a row that does not fit, since the
 * next ones depend on it.
 */
function parseSegments(
  fields: HeaderFields,
  { segmentBits, keyWidth, valueWidth }: HashFields,
): { segments: SegmentPlace[]; end: number } | undefined {
  const segments: SegmentPlace[] = [];
  const fixed = keyWidth !== VARIABLE && valueWidth !== VARIABLE;
  // Of records of several lengths, each has at least one byte.
  const unit = offsetUnit(keyWidth, valueWidth);
  let end = fields.bytes.length;
  for (let i = 0; i < 2 ** segmentBits; i++) {
    const offset = fields.rowU64(i, SEGMENT_ROW.offset);
    const bytes = fields.rowU64(i, SEGMENT_ROW.bytes);
    const entries = fields.rowU64(i, SEGMENT_ROW.entries);
    const placed = fields.row(offset === end, i, SEGMENT_ROW.offset, () => `at ${end}`, offset);
    const fits = bytes <= MAX_SEGMENT_BYTES && bytes % unit === 0;
    const multiple = unit === 1 ? '' : `, a multiple of ${unit}`;
    const range = () => `of at most ${MAX_SEGMENT_BYTES} bytes${multiple}`;
    const sized = fields.row(fits, i, SEGMENT_ROW.bytes, range, bytes);
    const most = bytes / unit;
    const enough = fixed ? entries === most : entries <= most;
    const number = () => `with ${fixed ? '' : 'at most '}${most} entries`;
    const counted = !sized || fields.row(enough, i, SEGMENT_ROW.entries, number, entries);
    if (!placed || !sized || !counted) return undefined;
    segments.push({ offset, bytes, entries });
    end = align(offset + bytes);
  }
  return { segments, end };
}

/**
 * Where the index is; `undefined` if the header states another place.
 * @param offset where it starts in the file
 */
function parseIndex(fields: HeaderFields, own: HashFields, offset: number): HashHeader['index'] | undefined {
  const stated = fields.u64('indexOffset');
  if (stated !== offset) {
    if (stated < MAX_U64) fields.is('indexOffset', offset, stated);
    return undefined;
  }
  const { offsetBits, segmentBits } = own;
  return { offset, bytes: 2 ** segmentBits * indexSize(own, offsetBits), offsetBits };
}

/**
 * Where the dictionary of `enum` values is (section 7); `undefined` if the fields leave that open.
 * @param offset where it starts in the file
 * @param entries of the file, by its segments
 */
function parseDictionary(fields: HeaderFields, offset: number, entries: number): DictionaryPlace | undefined {
  const { distinct, dictionaryBytes } = ENUM_HEADER;
  const count = fields.view.getUint32(distinct, true);
  const bytes = readU64(fields.view, dictionaryBytes);
  const width = fields.u32(HEADER.valueWidth);
  // Each is the value of an entry, and each entry has one.
  const counted = entries === 0 ? '0' : `1 to ${entries}`;
  const isCount = count <= entries && count > 0 === entries > 0;
  if (!fields.need(isCount, 'distinct', counted, count, distinct, distinct + 4)) return undefined;
  const least = dictionarySize(count, 0);
  const isSize = bytes >= least && bytes <= MAX_SEGMENT_BYTES;
  const range = `${least} to ${MAX_SEGMENT_BYTES}`;
  const fits = [
    fields.need(width === indexWidth(count), 'valueWidth', indexWidth(count), width),
    fields.need(isSize, 'dictionaryBytes', range, bytes, dictionaryBytes, dictionaryBytes + 8),
  ];
  return fits.includes(false) ? undefined : { offset, bytes, count };
}

/**
 * The fingerprints in place of keys (section 16); `undefined` if the number of long ones cannot be.
 * @param offset where the long ones start in the file
 * @param entries of the file, by its segments
 */
function parseFingerprints(
  fields: HeaderFields,
  own: HashFields,
  offset: number,
  entries: number,
): FingerprintPlace | undefined {
  const count = readU64(fields.view, HEADER.longFingerprints);
  // Without values, nothing depends on which of two keys it is.
  const most = own.valueType === 'none' ? 0 : Math.min(entries, Math.floor(MAX_SEGMENT_BYTES / LONG_FINGERPRINT.size));
  if (!fields.atMost('longFingerprints', most, count)) return undefined;
  const bits = own.fingerprintBits;
  const long = { offset, bytes: count * LONG_FINGERPRINT.size, count };
  return { bits, falsePositiveRate: falsePositiveRate(entries, own, bits), long };
}

/** The type that the schema describes; `undefined` if it describes none. */
function structType(fields: HeaderFields, own: HashFields, segments: number): StoredType | undefined {
  const start = fields.metadataEnd(segments);
  const end = start + own.schemaBytes;
  const struct = readSchema(fields.bytes.subarray(start, end));
  if (typeof struct === 'string') {
    const message = `the schema of the values is invalid: ${struct}`;
    fields.fault('HMAP_HEADER_FIELD', message, start, 'a schema', struct, end);
    return undefined;
  }
  return fields.is('valueWidth', struct.bytes, own.valueWidth) ? structText(struct) : undefined;
}

/** The schema that a text describes, or why it describes none. */
function readSchema(bytes: Uint8Array): Struct | string {
  try {
    // Bytes that are not UTF-8 become U+FFFD, which no name and no type contains.
    return parseSchema(Buffer.from(bytes).toString());
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return error.message;
  }
}
