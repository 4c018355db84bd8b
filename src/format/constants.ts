// The numbers of a header, of hash tables and of blocks: offsets, sizes and limits (native-notes/format.md). Those of
// lists and bit arrays are in keyless.ts, codes of types in value-types.ts and key-types.ts, limits of schemas in
// schema.ts. Knows nothing of files, hashing or encoding.

/** First eight bytes of a file; section 3 of the format says what each is for. */
export const MAGIC = Uint8Array.of(0x89, 0x48, 0x4d, 0x50, 0x0d, 0x0a, 0x1a, 0x0a);
export const MAJOR_VERSION = 2;
export const MINOR_VERSION = 0;
/**
 * Required-feature bits: what a reader must know to read the file. `packedValues`: structs of bit fields, and integers
 * of 3, 5 or 6 bytes. `fingerprints`: bits of a hash in place of the keys.
 */
export const FEATURES = { packedValues: 1, typedKeys: 2, list: 4, bits: 8, enumValues: 16, fingerprints: 32 } as const;
/** The bit that a layout needs, by its code: hash, list, bits. */
export const LAYOUT_FEATURES: readonly number[] = [0, FEATURES.list, FEATURES.bits];
/** Those that this code understands. */
export const KNOWN_FEATURES = Object.values(FEATURES).reduce((all, bit) => all | bit, 0);

/** The header is a multiple of this, in bytes; so is the part of the checksums that one checksum covers. */
export const PAGE = 4096;
/** Alignment of all that follows the header, in bytes. */
export const ALIGNMENT = 8;
/** Bytes that one block checksum covers. */
export const BLOCK = 65_536;
/** A width that each record states for itself. */
export const VARIABLE = 0xffff_ffff;

export const HASH_XXH32 = 1;
export const CHECKSUM_XXH64 = 1;

/** Buckets whose records one line of the index finds. */
export const GROUP_BUCKETS = 32;
/** Widths of the offsets in a line, in bits: from 8 to 24, both inclusive, or 32. */
export const LEAST_OFFSET_BITS = 8;
export const MOST_OFFSET_BITS = 24;
export const FULL_OFFSET_BITS = 32;

let end = 0;
function field(bytes: number): number {
  const offset = end;
  end += bytes;
  return offset;
}

/** Offsets of the header's fields, each derived from the one before. */
export const HEADER = {
  magic: field(8),
  major: field(2),
  minor: field(2),
  headerChecksum: field(4),
  headerBytes: field(4),
  features: field(4),
  fileBytes: field(8),
  entries: field(8),
  keyBytes: field(8),
  valueBytes: field(8),
  hashAlgorithm: field(1),
  checksumAlgorithm: field(1),
  offsetBits: field(1),
  segmentBits: field(1),
  bucketBits: field(1),
  keyType: field(1),
  valueType: field(1),
  layout: field(1),
  hashSeed: field(4),
  keyWidth: field(4),
  valueWidth: field(4),
  shardBits: field(1),
  bucketEighths: field(1),
  narrowed: field(1),
  fingerprintBits: field(1),
  shardIndex: field(4),
  metadataBytes: field(4),
  checksumsOffset: field(8),
  checksumsBytes: field(8),
  checksumsSum: field(8),
  schemaBytes: field(4),
  elementBits: field(1),
  elementSigned: field(1),
  spareBits: field(1),
  reservedOfElements: field(1),
  base: field(8),
  indexOffset: field(8),
  longFingerprints: field(8),
  reserved: field(48),
  segmentTable: field(0),
} as const;

/** Fields of the header if the values are `enum`, in the place of those of other layouts. */
export const ENUM_HEADER = { distinct: HEADER.elementBits, dictionaryBytes: HEADER.base } as const;

/** One row of the segment table. */
export const SEGMENT_ROW = { offset: 0, bytes: 8, entries: 16, size: 24 } as const;

/** Longest key, in bytes, inclusive. A build stages the length as a u16 (`STAGED` in build/hash/staged-record.ts). */
export const MAX_KEY_BYTES = 65_535;
/** Longest value, in bytes, inclusive. */
export const MAX_VALUE_BYTES = 2 ** 30;
/** Longest text (`utf8`, `json`, a string of `enum`), in bytes, inclusive: V8 makes no string of more. */
export const MAX_TEXT_BYTES = 2 ** 29 - 24;
/** Longest length prefixes of a record, in bytes: a varint of 3 bytes for the key and one of 5 for the value. */
export const MAX_PREFIX_BYTES = 8;
/** Largest segment, in bytes, inclusive: every index into one is a signed 32-bit integer. */
export const MAX_SEGMENT_BYTES = 2 ** 31 - 1;
/** Largest metadata, in bytes, inclusive. */
export const MAX_METADATA_BYTES = 65_536;
/** Segment bits, inclusive: 8 TiB in one file. Each segment costs an open something, whatever the file holds. */
export const MAX_SEGMENT_BITS = 12;
/** Shard bits, inclusive: they leave the buckets of a segment enough of the hash. */
export const MAX_SHARD_BITS = 16;
/** Bucket bits of a segment, inclusive: a group at least. */
export const MIN_BUCKET_BITS = 5;
export const MAX_BUCKET_BITS = 28;
/** From this many bucket bits on, their number of groups is a multiple of 8, so that each eighth of it is whole. */
export const EIGHTHS_FROM_BITS = 8;
export const HASH_BITS = 32;

/** Rounds up to where a section may start. */
export function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Size of the header for `2 ** segmentBits` segments and `textBytes` bytes of metadata and schema. */
export function headerSize(segmentBits: number, textBytes: number): number {
  return Math.ceil((HEADER.segmentTable + SEGMENT_ROW.size * 2 ** segmentBits + textBytes) / PAGE) * PAGE;
}

/** Bytes of the smallest index that can tell `count` things apart; 0 for one thing or none. */
export function indexWidth(count: number): number {
  let width = 0;
  while (256 ** width < count) width++;
  return width;
}

/** Size of a dictionary of `count` distinct values, `bytes` bytes in all. */
export function dictionarySize(count: number, bytes: number): number {
  return 4 * (count + 1) + bytes;
}

/** Number of blocks between the header and the end of what the block checksums cover. */
export function blockCount(headerBytes: number, end: number): number {
  return Math.ceil((end - headerBytes) / BLOCK);
}

/**
 * Most records that a writer allows in a bucket, inclusive (format, section 10). With keys that nobody chose to
 * collide, the odds are more than 10^35 to one that no bucket of a full file exceeds it (Poisson's distribution).
 */
export const MAX_BUCKET_RECORDS = 64;

/**
 * Seeds that a writer tries one after the other if none is given (format, section 10): multiples of 2^32 divided by the
 * golden ratio, which differ in many bits.
 */
export const SEEDS: readonly number[] = Array.from({ length: 8 }, (_, i) => Math.imul(i, 0x9e37_79b9) >>> 0);

/**
 * How a file finds what is asked for: by hash, by index, or by bit. A layout's code in the header is its position here.
 */
export const LAYOUTS = ['hash', 'list', 'bits'] as const;

export type Layout = (typeof LAYOUTS)[number];
