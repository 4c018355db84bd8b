// Writes a header (native-notes/format.md, section 3). Knows bytes; does not know where its numbers come from.

import { ByteBuffer, writeU64 } from '../base/bytes.js';
import {
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
import { type DictionaryPlace, featuresOf, type HashHeader, headerChecksum, type SegmentPlace } from './header.js';
import { KEY_TYPES, type KeyType } from './key-types.js';
import { isStruct, packedInteger, structOf } from './schema.js';
import { type BuildValueType, codeOf, type ListType, PACKED, type PackedType, type StoredType } from './value-types.js';

/** What every builder knows of a finished file; the rest of the header follows from it. */
interface CommonParts {
  readonly entries: number;
  readonly valueBytes: number;
  readonly segmentBits: number;
  /** In bytes, or VARIABLE. */
  readonly valueWidth: number;
  readonly segments: readonly SegmentPlace[];
  readonly checksums: { readonly offset: number; readonly bytes: number; readonly sum: bigint };
  /** From {@link encodeMetadata}. */
  readonly metadata: Uint8Array;
}

/** Of a hash table. */
export interface HashParts extends CommonParts {
  readonly keyBytes: number;
  readonly seed: number;
  readonly bucketBits: number;
  readonly eighths: number;
  readonly index: HashHeader['index'];
  /** Zero bits of the only file. */
  readonly shard: HashHeader['shard'];
  readonly keyType: KeyType;
  /** In bytes, or VARIABLE. */
  readonly keyWidth: number;
  readonly valueType: StoredType;
  readonly narrowed: boolean;
  /** Of `enum`. */
  readonly dictionary: Pick<DictionaryPlace, 'count' | 'bytes'> | undefined;
  /** In place of keys: their bits, and the number of long ones. */
  readonly fingerprint: { readonly bits: number; readonly long: number } | undefined;
}

/** Of a list or a bit array. */
export interface KeylessParts extends CommonParts {
  readonly layout: 'list' | 'bits';
  readonly base: number;
  readonly valueType: ListType | 'none';
  readonly spareBits: number;
}

/** The text of the schema, which follows the metadata; empty unless the type is a struct. */
export function schemaBytesOf(type: BuildValueType): Uint8Array {
  return Buffer.from(isStruct(type) ? structOf(type).text : '');
}

/** The bytes of the header of a hash table. */
export function writeHashHeader(parts: HashParts): Uint8Array {
  const schema = schemaBytesOf(parts.valueType);
  const { bytes, view } = start(parts, schema);
  view.setUint32(HEADER.features, featuresOf(parts.keyType, parts.valueType, parts.fingerprint !== undefined), true);
  view.setUint8(HEADER.layout, LAYOUTS.indexOf('hash'));
  writeU64(view, HEADER.keyBytes, parts.keyBytes);
  view.setUint8(HEADER.hashAlgorithm, HASH_XXH32);
  view.setUint8(HEADER.offsetBits, parts.index.offsetBits);
  writeU64(view, HEADER.indexOffset, parts.index.offset);
  view.setUint8(HEADER.bucketBits, parts.bucketBits);
  view.setUint8(HEADER.bucketEighths, parts.eighths);
  view.setUint8(HEADER.shardBits, parts.shard.bits);
  view.setUint32(HEADER.shardIndex, parts.shard.index, true);
  view.setUint8(HEADER.narrowed, parts.narrowed ? 1 : 0);
  view.setUint8(HEADER.keyType, KEY_TYPES.indexOf(parts.keyType));
  view.setUint8(HEADER.valueType, codeOf(parts.valueType));
  view.setUint32(HEADER.hashSeed, parts.seed, true);
  view.setUint32(HEADER.keyWidth, parts.keyWidth, true);
  view.setUint32(HEADER.schemaBytes, schema.length, true);
  if (parts.fingerprint !== undefined) {
    view.setUint8(HEADER.fingerprintBits, parts.fingerprint.bits);
    writeU64(view, HEADER.longFingerprints, parts.fingerprint.long);
  }
  if (parts.dictionary !== undefined) {
    view.setUint32(ENUM_HEADER.distinct, parts.dictionary.count, true);
    writeU64(view, ENUM_HEADER.dictionaryBytes, parts.dictionary.bytes);
  }
  return seal(bytes, view);
}

/** The bytes of the header of a list or a bit array. */
export function writeKeylessHeader(parts: KeylessParts): Uint8Array {
  const { bytes, view } = start(parts, new Uint8Array(0));
  const layout = LAYOUTS.indexOf(parts.layout);
  view.setUint32(HEADER.features, LAYOUT_FEATURES[layout]!, true);
  view.setUint8(HEADER.layout, layout);
  const packed = packedInteger(parts.valueType);
  if (packed === undefined) {
    view.setUint8(HEADER.valueType, codeOf(parts.valueType as Exclude<typeof parts.valueType, PackedType>));
  } else {
    view.setUint8(HEADER.valueType, PACKED);
    view.setUint8(HEADER.elementBits, packed.bits);
    view.setUint8(HEADER.elementSigned, packed.signed ? 1 : 0);
  }
  view.setUint8(HEADER.spareBits, parts.spareBits);
  view.setBigInt64(HEADER.base, BigInt(parts.base), true);
  return seal(bytes, view);
}

/** A header with the fields that every layout has. */
function start(parts: CommonParts, schema: Uint8Array): ByteBuffer {
  const header = new ByteBuffer(headerSize(parts.segmentBits, parts.metadata.length + schema.length));
  const { bytes, view } = header;
  bytes.set(MAGIC, HEADER.magic);
  view.setUint16(HEADER.major, MAJOR_VERSION, true);
  view.setUint16(HEADER.minor, MINOR_VERSION, true);
  view.setUint32(HEADER.headerBytes, bytes.length, true);
  writeU64(view, HEADER.fileBytes, parts.checksums.offset + parts.checksums.bytes);
  writeU64(view, HEADER.entries, parts.entries);
  writeU64(view, HEADER.valueBytes, parts.valueBytes);
  view.setUint8(HEADER.checksumAlgorithm, CHECKSUM_XXH64);
  view.setUint8(HEADER.segmentBits, parts.segmentBits);
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
  bytes.set(schema, row + parts.metadata.length);
  return header;
}

/** Adds the checksum, the last field to be known. */
function seal(bytes: Uint8Array, view: DataView): Uint8Array {
  view.setUint32(HEADER.headerChecksum, headerChecksum(bytes), true);
  return bytes;
}
