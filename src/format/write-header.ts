// Writes a header (native-notes/format.md, section 3). Knows bytes; does not know how anything in the file came about.

import { ByteBuffer, writeU64 } from '../base/bytes.js';
import {
  BUCKETS_U32,
  CHECKSUM_XXH64,
  ENUM_HEADER,
  HASH_XXH32,
  HEADER,
  headerSize,
  LAYOUT_FEATURES,
  LAYOUTS,
  MAGIC,
  MAJOR_VERSION,
  MINOR_VERSION,
  SEGMENT_ROW,
} from './constants.js';
import { type DictionaryPlace, featuresOf, headerChecksum, type SegmentPlace } from './header.js';
import { KEY_TYPES, type KeyType } from './key-types.js';
import { isStruct, structOf } from './schema.js';
import { type BuildValueType, codeOf, PACKED, type PackedType, packedOf, type StoredType } from './value-types.js';

/** What a builder knows of a finished file; the rest of the header follows from it. */
export interface HeaderParts {
  readonly entries: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly seed: number;
  readonly segmentBits: number;
  readonly bucketBits: number;
  readonly keyType: KeyType;
  readonly valueType: StoredType | PackedType;
  /** Without it, a table by hash. */
  readonly plain?: { readonly layout: 'list' | 'bits'; readonly base: number; readonly spareBits: number };
  /** In bytes, or VARIABLE. */
  readonly keyWidth: number;
  readonly valueWidth: number;
  readonly segments: readonly SegmentPlace[];
  /** Of `enum`. */
  readonly dictionary?: Pick<DictionaryPlace, 'count' | 'bytes'> | undefined;
  readonly checksums: { readonly offset: number; readonly bytes: number; readonly sum: bigint };
  /** From {@link encodeMetadata}. */
  readonly metadata: Uint8Array;
}

/** The text of the schema that stands behind the metadata; none but for a struct. */
export function schemaBytesOf(type: BuildValueType): Uint8Array {
  return Buffer.from(isStruct(type) ? structOf(type).text : '');
}

/** The bytes of a header. */
export function writeHeader(parts: HeaderParts): Uint8Array {
  const schema = schemaBytesOf(parts.valueType as StoredType);
  const { bytes, view } = new ByteBuffer(headerSize(parts.segmentBits, parts.metadata.length + schema.length));
  bytes.set(MAGIC, HEADER.magic);
  view.setUint16(HEADER.major, MAJOR_VERSION, true);
  view.setUint16(HEADER.minor, MINOR_VERSION, true);
  view.setUint32(HEADER.headerBytes, bytes.length, true);
  writeU64(view, HEADER.fileBytes, parts.checksums.offset + parts.checksums.bytes);
  writeU64(view, HEADER.entries, parts.entries);
  writeU64(view, HEADER.keyBytes, parts.keyBytes);
  writeU64(view, HEADER.valueBytes, parts.valueBytes);
  const { plain } = parts;
  const layoutCode = plain === undefined ? 0 : LAYOUTS.indexOf(plain.layout);
  const ofTypes = plain === undefined ? featuresOf(parts.keyType, parts.valueType as StoredType) : 0;
  view.setUint32(HEADER.features, LAYOUT_FEATURES[layoutCode]! | ofTypes, true);
  view.setUint8(HEADER.layout, layoutCode);
  view.setUint8(HEADER.hashAlgorithm, plain === undefined ? HASH_XXH32 : 0);
  view.setUint8(HEADER.checksumAlgorithm, CHECKSUM_XXH64);
  view.setUint8(HEADER.bucketEncoding, plain === undefined ? BUCKETS_U32 : 0);
  view.setUint8(HEADER.segmentBits, parts.segmentBits);
  view.setUint8(HEADER.bucketBits, parts.bucketBits);
  view.setUint8(HEADER.keyType, KEY_TYPES.indexOf(parts.keyType));
  const packed = plain?.layout === 'list' ? packedOf(parts.valueType) : undefined;
  view.setUint8(HEADER.valueType, packed === undefined ? codeOf(parts.valueType as StoredType) : PACKED);
  if (packed !== undefined) {
    view.setUint8(HEADER.elementBits, packed.bits);
    view.setUint8(HEADER.elementSigned, packed.signed ? 1 : 0);
  }
  if (plain !== undefined) {
    view.setUint8(HEADER.spareBits, plain.spareBits);
    view.setBigInt64(HEADER.base, BigInt(plain.base), true);
  }
  if (parts.dictionary !== undefined) {
    view.setUint32(ENUM_HEADER.distinct, parts.dictionary.count, true);
    writeU64(view, ENUM_HEADER.dictionaryBytes, parts.dictionary.bytes);
  }
  view.setUint32(HEADER.hashSeed, parts.seed, true);
  view.setUint32(HEADER.keyWidth, parts.keyWidth, true);
  view.setUint32(HEADER.valueWidth, parts.valueWidth, true);
  view.setUint32(HEADER.metadataBytes, parts.metadata.length, true);
  writeU64(view, HEADER.checksumsOffset, parts.checksums.offset);
  writeU64(view, HEADER.checksumsBytes, parts.checksums.bytes);
  view.setBigUint64(HEADER.checksumsSum, parts.checksums.sum, true);
  view.setUint32(HEADER.schemaBytes, schema.length, true);
  let row = HEADER.segmentTable;
  for (const segment of parts.segments) {
    writeU64(view, row + SEGMENT_ROW.offset, segment.offset);
    writeU64(view, row + SEGMENT_ROW.bytes, segment.bytes);
    writeU64(view, row + SEGMENT_ROW.entries, segment.entries);
    row += SEGMENT_ROW.size;
  }
  bytes.set(parts.metadata, row);
  bytes.set(schema, row + parts.metadata.length);
  view.setUint32(HEADER.headerChecksum, headerChecksum(bytes), true);
  return bytes;
}
