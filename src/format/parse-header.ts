// Parses and checks a header (native-notes/format.md, section 3); writing one is header-writer.ts. Knows bytes; does not know files or records.

import { ByteBuffer, MAX_U64, readU64 } from '../base/bytes.js';
import {
  alignToPage,
  BUCKETS_U32,
  blockCount,
  CHECKSUM_XXH64,
  dictionarySize,
  ENUM_HEADER,
  HASH_BITS,
  HASH_XXH32,
  HEADER,
  headerSize,
  heapStart,
  indexWidth,
  KNOWN_FEATURES,
  LAYOUT_FEATURES,
  LAYOUTS,
  MAX_BUCKET_BITS,
  MAX_KEY_BYTES,
  MAX_METADATA_BYTES,
  MAX_SEGMENT_BITS,
  MAX_SEGMENT_BYTES,
  MAX_VALUE_BYTES,
  SEGMENT_ROW,
  VARIABLE,
} from './constants.js';
import {
  type DictionaryPlace,
  featuresOf,
  fieldEnd,
  type Header,
  type HeaderCode,
  type HeaderFault,
  headerChecksum,
  type Need,
  type SegmentPlace,
} from './header.js';
import { KEY_TYPES, keyWidthOf } from './key-types.js';
import { parseMetadata } from './metadata.js';
import { examineElements, examineSegments } from './parse-keyless-header.js';
import { refuse } from './preamble.js';
import { MAX_SCHEMA_BYTES, parseSchema, SchemaError, type Struct, structText } from './schema.js';
import { type BuildValueType, type StoredType, typeOfCode, valueWidthOf } from './value-types.js';

/**
 * Parses and checks a whole header. Costs as much as the header is long, whatever the size of the file.
 * @param bytes the header, as long as {@link checkPreamble} said
 * @param fileBytes the file's exact size; `undefined` where it has none of its own (a block device)
 * @throws {HmapError} naming the first field that does not fit
 */
export function parseHeader(bytes: Uint8Array, fileBytes: number | undefined, path: string): Header {
  const header = examineHeader(bytes, fileBytes, ({ code, message, offset, expected, actual }) =>
    refuse(code, path, message, offset, expected, actual),
  );
  // What leaves no header has been refused.
  return header!;
}

/**
 * {@link parseHeader} that goes on behind a fault as far as what follows can still be told. What can be worked out from other fields is put
 * right in the result, so that one fault shows once.
 * @param note told of each fault, in the order in which section 11 of the format checks; may throw
 * @returns `undefined` where the faults leave open where the segments are, or what is in them
 */
export function examineHeader(
  bytes: Uint8Array,
  fileBytes: number | undefined,
  note: (fault: HeaderFault) => void,
): Header | undefined {
  const { view } = new ByteBuffer(bytes);
  const stated = view.getUint32(HEADER.headerChecksum, true);
  const computed = headerChecksum(bytes);
  const fault = (code: HeaderCode, message: string, offset: number, expected: unknown, actual: unknown) =>
    note({ code, message, offset, end: fieldEnd(offset), expected, actual });
  if (stated !== computed) {
    const message = 'the header is damaged: its checksum does not fit';
    fault('HMAP_HEADER_CHECKSUM', message, HEADER.headerChecksum, computed, stated);
  }
  const features = view.getUint32(HEADER.features, true);
  if ((features & ~KNOWN_FEATURES) !== 0) {
    const message = `the file needs features that this version does not have (bits 0x${features.toString(16)})`;
    fault('HMAP_FEATURE', message, HEADER.features, KNOWN_FEATURES, features);
    return undefined;
  }

  const need: Need = (fits, name, expected, actual, offset = HEADER[name as keyof typeof HEADER], end) => {
    if (fits) return true;
    const message = `the header's ${name} is ${actual}, expected ${expected}`;
    note({ code: 'HMAP_HEADER_FIELD', message, offset, end: end ?? fieldEnd(offset), expected, actual });
    return false;
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

  const layoutCode = bytes[HEADER.layout]!;
  const layout = LAYOUTS[layoutCode];
  // What the other fields mean depends on the layout.
  if (layout === undefined) upTo('layout', LAYOUTS.length - 1, layoutCode);
  if (layout === undefined) return undefined;
  const keyed = layout === 'hash';
  if (!keyed && !is('features', LAYOUT_FEATURES[layoutCode]!, features)) return undefined;
  const statedFileBytes = size('fileBytes');
  const statedEntries = size('entries');
  const keyBytes = size('keyBytes');
  const valueBytes = size('valueBytes');
  const segmentBits = bytes[HEADER.segmentBits]!;
  const bucketBits = bytes[HEADER.bucketBits]!;
  const keyCode = bytes[HEADER.keyType]!;
  const keyType = KEY_TYPES[keyCode];
  const keyTypeWidth = keyType === undefined ? VARIABLE : keyWidthOf(keyType);
  const valueCode = bytes[HEADER.valueType]!;
  const elements = keyed ? undefined : examineElements(view, layout, need);
  const namedType = keyed ? typeOfCode(valueCode) : elements?.valueType;
  const ownWidth = namedType === undefined || namedType === 'struct' || namedType === 'enum' || !keyed;
  const typeWidth = ownWidth ? VARIABLE : valueWidthOf(namedType as BuildValueType);
  const schemaBytes = keyed ? view.getUint32(HEADER.schemaBytes, true) : 0;
  const keyWidth = view.getUint32(HEADER.keyWidth, true);
  const valueWidth = view.getUint32(HEADER.valueWidth, true);
  const metadataBytes = view.getUint32(HEADER.metadataBytes, true);
  // Segment bits that do not fit are told by themselves.
  const hashBits = segmentBits > MAX_SEGMENT_BITS ? HASH_BITS : HASH_BITS - segmentBits;
  const mostBucketBits = Math.min(MAX_BUCKET_BITS, hashBits);
  const keyWidthFits = keyWidth === VARIABLE || (keyWidth >= 1 && keyWidth <= MAX_KEY_BYTES);
  const valueWidthFits = valueWidth === VARIABLE || valueWidth <= MAX_VALUE_BYTES;
  const fits = [
    is('hashAlgorithm', keyed ? HASH_XXH32 : 0, bytes[HEADER.hashAlgorithm]!),
    is('checksumAlgorithm', CHECKSUM_XXH64, bytes[HEADER.checksumAlgorithm]!),
    is('bucketEncoding', keyed ? BUCKETS_U32 : 0, bytes[HEADER.bucketEncoding]!),
    upTo('segmentBits', MAX_SEGMENT_BITS, segmentBits),
    upTo('bucketBits', keyed ? mostBucketBits : 0, bucketBits),
    upTo('keyType', keyed ? KEY_TYPES.length - 1 : 0, keyCode),
    !keyed || need(namedType !== undefined, 'valueType', 'a value type of this version', valueCode),
    !keyed ||
      (keyTypeWidth !== VARIABLE
        ? is('keyWidth', keyTypeWidth, keyWidth)
        : need(keyWidthFits, 'keyWidth', `1 to ${MAX_KEY_BYTES}`, keyWidth)),
    !keyed ||
      (typeWidth !== VARIABLE
        ? is('valueWidth', typeWidth, valueWidth)
        : need(valueWidthFits, 'valueWidth', 'at most 2^30', valueWidth)),
    keyed || is('keyBytes', 0, keyBytes),
    is('shardBits', 0, view.getUint32(HEADER.shardBits, true)),
    is('shardIndex', 0, view.getUint32(HEADER.shardIndex, true)),
    upTo('metadataBytes', MAX_METADATA_BYTES, metadataBytes),
    namedType === 'struct'
      ? need(
          schemaBytes >= 1 && schemaBytes <= MAX_SCHEMA_BYTES,
          'schemaBytes',
          `1 to ${MAX_SCHEMA_BYTES}`,
          schemaBytes,
        )
      : is('schemaBytes', 0, schemaBytes),
  ];
  if (keyType === undefined || namedType === undefined || fits.includes(false)) return undefined;
  // Those of the other layouts have been held to the layout.
  if (keyed) is('features', featuresOf(keyType, namedType as StoredType | 'struct'), features);
  if (!is('headerBytes', headerSize(segmentBits, metadataBytes + schemaBytes), bytes.length)) return undefined;

  const plain = elements && examineSegments(view, segmentBits, elements, valueBytes, need);
  const table = keyed ? parseSegments(view, segmentBits, bucketBits, need) : plain;
  if (table === undefined) return undefined;
  const { segments } = table;
  const entries = segments.reduce((sum, segment) => sum + segment.entries, 0);
  const dictionary = namedType === 'enum' ? examineDictionary(view, table.end, entries, need) : null;
  if (dictionary === undefined) return undefined;
  const checksumsOffset = dictionary === null ? table.end : alignToPage(dictionary.offset + dictionary.bytes);
  // Infinite ones have been told already.
  if (statedEntries < MAX_U64) is('entries', entries, statedEntries);
  const statedOffset = size('checksumsOffset');
  if (statedOffset !== checksumsOffset) {
    if (statedOffset < MAX_U64) is('checksumsOffset', checksumsOffset, statedOffset);
    return undefined;
  }
  const checksumsBytes = 8 * blockCount(bytes.length, checksumsOffset);
  const statedChecksumsBytes = size('checksumsBytes');
  if (statedChecksumsBytes < MAX_U64) is('checksumsBytes', checksumsBytes, statedChecksumsBytes);
  const rightFileBytes = checksumsOffset + checksumsBytes;
  if (statedFileBytes < MAX_U64) is('fileBytes', rightFileBytes, statedFileBytes);

  const metadataOffset = HEADER.segmentTable + SEGMENT_ROW.size * segments.length;
  const schemaOffset = metadataOffset + metadataBytes;
  const metadata = parseMetadata(bytes.subarray(metadataOffset, schemaOffset));
  if (metadata === undefined) {
    const code = 'HMAP_HEADER_FIELD';
    const message = 'the metadata is not a JSON object';
    note({
      code,
      message,
      offset: metadataOffset,
      end: schemaOffset,
      expected: 'a JSON object',
      actual: 'other bytes',
    });
  }
  let valueType: StoredType;
  if (namedType === 'struct') {
    const schemaEnd = schemaOffset + schemaBytes;
    const struct = readSchema(bytes.subarray(schemaOffset, schemaEnd));
    if (typeof struct === 'string') {
      const message = `the schema of the values is not possible: ${struct}`;
      const place = { offset: schemaOffset, end: schemaEnd };
      note({ code: 'HMAP_HEADER_FIELD', message, ...place, expected: 'a schema', actual: struct });
      return undefined;
    }
    if (!is('valueWidth', struct.bytes, valueWidth)) return undefined;
    valueType = structText(struct);
  } else {
    valueType = namedType as StoredType;
  }
  if (fileBytes !== undefined && fileBytes !== rightFileBytes) {
    const short = fileBytes < rightFileBytes;
    const found = `${fileBytes} bytes, the header says ${rightFileBytes}`;
    const message = short ? `the file is cut short: ${found}` : `the file is too long: ${found}`;
    fault(short ? 'HMAP_TRUNCATED' : 'HMAP_TOO_LONG', message, HEADER.fileBytes, rightFileBytes, fileBytes);
    if (short) return undefined;
  }
  return {
    version: { major: view.getUint16(HEADER.major, true), minor: view.getUint16(HEADER.minor, true) },
    headerBytes: bytes.length,
    features,
    fileBytes: rightFileBytes,
    entries,
    keyBytes,
    valueBytes,
    layout,
    hash: { algorithm: keyed ? 'xxh32' : 'none', seed: view.getUint32(HEADER.hashSeed, true) },
    segmentBits,
    bucketBits,
    bucketEncoding: keyed ? 'u32' : 'none',
    keyType,
    valueType: valueType as StoredType,
    base: elements?.base ?? 0,
    length: plain?.length ?? 0,
    perSegment: plain?.each ?? 0,
    keyWidth: keyWidth === VARIABLE ? null : keyWidth,
    valueWidth: valueWidth === VARIABLE ? null : valueWidth,
    shard: { index: 0, bits: 0 },
    segments,
    dictionary,
    checksums: {
      offset: checksumsOffset,
      bytes: checksumsBytes,
      sum: view.getBigUint64(HEADER.checksumsSum, true),
    },
    metadata: metadata ?? {},
  };
}

/** The schema that a text gives, or why it gives none. */
function readSchema(bytes: Uint8Array): Struct | string {
  try {
    // Bytes that are no UTF-8 become U+FFFD, which is in no name and in no type.
    return parseSchema(Buffer.from(bytes).toString());
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return error.message;
  }
}

/** The segment table, and where the block checksums start; `undefined` behind a row that does not fit: the next ones depend on it. */
function parseSegments(
  view: DataView,
  segmentBits: number,
  bucketBits: number,
  need: Need,
): { segments: SegmentPlace[]; end: number } | undefined {
  const segments: SegmentPlace[] = [];
  const least = heapStart(bucketBits);
  let end = view.byteLength;
  for (let i = 0; i < 2 ** segmentBits; i++) {
    const row = HEADER.segmentTable + SEGMENT_ROW.size * i;
    const offset = readU64(view, row + SEGMENT_ROW.offset);
    const bytes = readU64(view, row + SEGMENT_ROW.bytes);
    const entries = readU64(view, row + SEGMENT_ROW.entries);
    const field = (fits: boolean, expected: string, actual: number, at: number) =>
      fits || need(false, 'segmentTable', `segment ${i} ${expected}`, actual, row + at, row + at + 8);
    const placed = field(offset === end, `at ${end}`, offset, SEGMENT_ROW.offset);
    const fits = bytes >= least && bytes <= MAX_SEGMENT_BYTES;
    const sized = field(fits, `of ${least} to ${MAX_SEGMENT_BYTES} bytes`, bytes, SEGMENT_ROW.bytes);
    // A record has at least one byte.
    const counted = !sized || field(entries <= bytes, `with at most ${bytes} entries`, entries, SEGMENT_ROW.entries);
    if (!placed || !sized || !counted) return undefined;
    segments.push({ offset, bytes, entries });
    end = alignToPage(offset + bytes);
  }
  return { segments, end };
}

/**
 * Checks and gives where the dictionary is; `undefined` where that is left open.
 * @param offset where it starts in the file
 * @param entries of the file, by its segments
 */
function examineDictionary(view: DataView, offset: number, entries: number, need: Need): DictionaryPlace | undefined {
  const { distinct, dictionaryBytes } = ENUM_HEADER;
  const count = view.getUint32(distinct, true);
  const bytes = readU64(view, dictionaryBytes);
  const width = view.getUint32(HEADER.valueWidth, true);
  // Each is the value of an entry, and each entry has one.
  const counted = entries === 0 ? '0' : `1 to ${entries}`;
  const isCount = count <= entries && count > 0 === entries > 0;
  if (!need(isCount, 'distinct', counted, count, distinct, distinct + 4)) return undefined;
  const least = dictionarySize(count, 0);
  const isSize = bytes >= least && bytes <= MAX_SEGMENT_BYTES;
  const fits = [
    need(width === indexWidth(count), 'valueWidth', indexWidth(count), width),
    need(isSize, 'dictionaryBytes', `${least} to ${MAX_SEGMENT_BYTES}`, bytes, dictionaryBytes, dictionaryBytes + 8),
  ];
  return fits.includes(false) ? undefined : { offset, bytes, count };
}
