// The fields of a hash table (native-notes/format.md, sections 3 and 7). Knows bytes and rules; does not know files
// or records.

import { readU64 } from '../base/bytes.js';
import {
  alignToPage,
  BUCKETS_U32,
  CHECKSUM_XXH64,
  dictionarySize,
  ENUM_HEADER,
  HASH_BITS,
  HASH_XXH32,
  HEADER,
  headerSize,
  heapStart,
  indexWidth,
  MAX_BUCKET_BITS,
  MAX_KEY_BYTES,
  MAX_SEGMENT_BITS,
  MAX_SEGMENT_BYTES,
  MAX_VALUE_BYTES,
  SEGMENT_ROW,
  VARIABLE,
} from './constants.js';
import { type DictionaryPlace, featuresOf, type HashHeader, type SegmentPlace } from './header.js';
import type { HeaderFields } from './header-fields.js';
import { KEY_TYPES, type KeyType, keyWidthOf } from './key-types.js';
import { MAX_SCHEMA_BYTES, parseSchema, SchemaError, type Struct, structText } from './schema.js';
import { type StoredType, typeOfCode, type ValueType, valueWidthOf } from './value-types.js';

interface HashFields {
  readonly segmentBits: number;
  readonly bucketBits: number;
  readonly keyType: KeyType;
  /** `struct` if the schema says the rest. */
  readonly valueType: ValueType | 'struct';
  readonly schemaBytes: number;
  /** In bytes, or VARIABLE. */
  readonly keyWidth: number;
  readonly valueWidth: number;
}

/** @param fileBytes the file's exact size; `undefined` for a block device, which states none */
export function parseHashHeader(fields: HeaderFields, fileBytes: number | undefined): HashHeader | undefined {
  const stated = fields.sums();
  const own = parseFields(fields);
  if (own === undefined) return undefined;
  const { segmentBits, bucketBits, keyType, keyWidth, valueWidth, schemaBytes } = own;
  const textBytes = fields.u32(HEADER.metadataBytes) + schemaBytes;
  if (!fields.is('headerBytes', headerSize(segmentBits, textBytes), fields.bytes.length)) return undefined;
  const table = parseSegments(fields, own);
  if (table === undefined) return undefined;
  const { segments } = table;
  const entries = segments.reduce((sum, segment) => sum + segment.entries, 0);
  const dictionary = own.valueType === 'enum' ? parseDictionary(fields, table.end, entries) : null;
  if (dictionary === undefined) return undefined;
  const end = dictionary === null ? table.end : alignToPage(dictionary.offset + dictionary.bytes);
  const tail = fields.tail(stated, entries, segments, end);
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
    bucketEncoding: 'u32',
    keyType,
    valueType,
    base: 0,
    length: 0,
    perSegment: 0,
    keyWidth: keyWidth === VARIABLE ? null : keyWidth,
    valueWidth: valueWidth === VARIABLE ? null : valueWidth,
    shard: { index: 0, bits: 0 },
    segments,
    dictionary,
    checksums: tail.checksums,
    metadata: tail.metadata,
  };
}

function parseFields(fields: HeaderFields): HashFields | undefined {
  const segmentBits = fields.u8(HEADER.segmentBits);
  const bucketBits = fields.u8(HEADER.bucketBits);
  const keyCode = fields.u8(HEADER.keyType);
  const keyType = KEY_TYPES[keyCode];
  const valueCode = fields.u8(HEADER.valueType);
  const valueType = typeOfCode(valueCode);
  const schemaBytes = fields.u32(HEADER.schemaBytes);
  const keyWidth = fields.u32(HEADER.keyWidth);
  const valueWidth = fields.u32(HEADER.valueWidth);
  // Invalid segment bits are reported below.
  const hashBits = segmentBits > MAX_SEGMENT_BITS ? HASH_BITS : HASH_BITS - segmentBits;
  const fits = [
    fields.is('hashAlgorithm', HASH_XXH32, fields.u8(HEADER.hashAlgorithm)),
    fields.is('checksumAlgorithm', CHECKSUM_XXH64, fields.u8(HEADER.checksumAlgorithm)),
    fields.is('bucketEncoding', BUCKETS_U32, fields.u8(HEADER.bucketEncoding)),
    fields.atMost('segmentBits', MAX_SEGMENT_BITS, segmentBits),
    fields.atMost('bucketBits', Math.min(MAX_BUCKET_BITS, hashBits), bucketBits),
    fields.atMost('keyType', KEY_TYPES.length - 1, keyCode),
    fields.need(valueType !== undefined, 'valueType', 'a value type of this version', valueCode),
    isKeyWidth(fields, keyType, keyWidth),
    isValueWidth(fields, valueType, valueWidth),
    ...fields.shardAndMetadata(),
    isSchemaSize(fields, valueType, schemaBytes),
  ];
  if (keyType === undefined || valueType === undefined || fits.includes(false)) return undefined;
  fields.is('features', featuresOf(keyType, valueType), fields.u32(HEADER.features));
  return { segmentBits, bucketBits, keyType, valueType, schemaBytes, keyWidth, valueWidth };
}

function isKeyWidth(fields: HeaderFields, type: KeyType | undefined, width: number): boolean {
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
  { segmentBits, bucketBits }: HashFields,
): { segments: SegmentPlace[]; end: number } | undefined {
  const segments: SegmentPlace[] = [];
  const least = heapStart(bucketBits);
  let end = fields.bytes.length;
  for (let i = 0; i < 2 ** segmentBits; i++) {
    const offset = fields.rowU64(i, SEGMENT_ROW.offset);
    const bytes = fields.rowU64(i, SEGMENT_ROW.bytes);
    const entries = fields.rowU64(i, SEGMENT_ROW.entries);
    const placed = fields.row(offset === end, i, SEGMENT_ROW.offset, () => `at ${end}`, offset);
    const fits = bytes >= least && bytes <= MAX_SEGMENT_BYTES;
    const sized = fields.row(fits, i, SEGMENT_ROW.bytes, () => `of ${least} to ${MAX_SEGMENT_BYTES} bytes`, bytes);
    // A record has at least one byte.
    const counted =
      !sized || fields.row(entries <= bytes, i, SEGMENT_ROW.entries, () => `with at most ${bytes} entries`, entries);
    if (!placed || !sized || !counted) return undefined;
    segments.push({ offset, bytes, entries });
    end = alignToPage(offset + bytes);
  }
  return { segments, end };
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
