// What a header says, as types, and what its readers and its writer share (native-notes/format.md, section 3). Reads no
// header and writes none.

import { ByteBuffer } from '../base/bytes.js';
import type { HmapErrorCode } from '../base/errors.js';
import { xxh32 } from '../base/xxh32.js';
import { FEATURES, HEADER } from './constants.js';
import type { KeyType } from './key-types.js';
import type { Metadata } from './metadata.js';
import { type ListType, type StoredType, valueFeatures } from './value-types.js';

/** A segment's place in the file; offset and size in bytes. */
export interface SegmentPlace {
  readonly offset: number;
  readonly bytes: number;
  readonly entries: number;
}

/** The distinct values' place in the file, in bytes, and their number. */
export interface DictionaryPlace {
  readonly offset: number;
  readonly bytes: number;
  readonly count: number;
}

/** Fingerprints, which are stored in place of keys. */
export interface FingerprintPlace {
  /** Of each: 8, 16, 24 or 32. */
  readonly bits: number;
  /** The probability that a key which nobody chose, and which is not in the table, seems to be in it; at most this. */
  readonly falsePositiveRate: number;
  /** Where the long ones are, in bytes, and their number: see storage/long-fingerprints.ts. */
  readonly long: { readonly offset: number; readonly bytes: number; readonly count: number };
}

/** What the header of every layout says. Sizes and offsets are in bytes. */
interface CommonHeader {
  readonly version: { readonly major: number; readonly minor: number };
  readonly headerBytes: number;
  readonly features: number;
  readonly fileBytes: number;
  readonly entries: number;
  /** Sum of the lengths of all keys. */
  readonly keyBytes: number;
  /** Sum of the lengths of all values. */
  readonly valueBytes: number;
  readonly segmentBits: number;
  /** A segment has `eighths / 8` times 2 to the power of `bucketBits` buckets; both are 0 without keys. */
  readonly bucketBits: number;
  readonly eighths: number;
  /**
   * `base` is the first integer of a list or a bit array, `length` the number of its integers, `perSegment` the number
   * of those in a full segment; all are 0 in hash tables.
   */
  readonly base: number;
  readonly length: number;
  readonly perSegment: number;
  /** The length that all keys (or values) share, or `null` if each record states its own; without keys 0. */
  readonly keyWidth: number | null;
  readonly valueWidth: number | null;
  /** This file is shard `index` of 2 to the power of `bits`. */
  readonly shard: { readonly index: number; readonly bits: number };
  readonly segments: readonly SegmentPlace[];
  readonly checksums: { readonly offset: number; readonly bytes: number; readonly sum: bigint };
  readonly metadata: Metadata;
}

/** The header of a hash table. */
export interface HashHeader extends CommonHeader {
  readonly layout: 'hash';
  readonly hash: { readonly algorithm: 'xxh32'; readonly seed: number };
  /** Where the lines are that say where records lie: one after the other, each with offsets of so many bits. */
  readonly index: { readonly offset: number; readonly bytes: number; readonly offsetBits: number };
  readonly keyType: KeyType;
  /** A type's name, or the text of the schema: `struct(active:bool,level:u7)`. */
  readonly valueType: StoredType;
  /** Whether the type is the narrowest for the values, because it was built as `uint`. */
  readonly narrowed: boolean;
  /** Where the distinct values are, and how many; `null` unless the values are `enum`. */
  readonly dictionary: DictionaryPlace | null;
  /** What stands for the keys; `null` if the keys themselves are stored. */
  readonly fingerprint: FingerprintPlace | null;
}

/** What lists and bit arrays, which store no keys, have in common. */
interface CommonKeylessHeader extends CommonHeader {
  readonly hash: { readonly algorithm: 'none'; readonly seed: number };
  readonly index: null;
  readonly narrowed: false;
  readonly keyType: 'bytes';
  readonly dictionary: null;
  readonly fingerprint: null;
}

/** The header of a list. */
export interface ListHeader extends CommonKeylessHeader {
  readonly layout: 'list';
  /** Type of the elements, such as `u7`. */
  readonly valueType: ListType;
}

/** The header of a bit array. */
export interface BitsHeader extends CommonKeylessHeader {
  readonly layout: 'bits';
  readonly valueType: 'none';
}

export type KeylessHeader = ListHeader | BitsHeader;

/** Everything in a header; `layout` says which of the three kinds it is. */
export type Header = HashHeader | ListHeader | BitsHeader;

/** A rule that a header breaks. */
export interface HeaderFault {
  readonly code: HeaderCode;
  readonly message: string;
  /** Range of the field in the file, `end` exclusive. */
  readonly offset: number;
  readonly end: number;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** Where the field that begins at `offset`, before the segment table, ends; exclusive. */
export function fieldEnd(offset: number): number {
  return Object.values(HEADER).find((next) => next > offset)!;
}

/** Exactly the features that a file needs. */
export function featuresOf(keyType: KeyType, valueType: StoredType | 'struct', hasFingerprints: boolean): number {
  const keys = (keyType === 'bytes' ? 0 : FEATURES.typedKeys) | (hasFingerprints ? FEATURES.fingerprints : 0);
  return keys | valueFeatures(valueType);
}

/** XXH32 of the header with the checksum's own bytes taken as zero, unsigned. */
export function headerChecksum(header: Uint8Array): number {
  const copy = new ByteBuffer(new Uint8Array(header));
  copy.view.setUint32(HEADER.headerChecksum, 0, true);
  return xxh32(copy.view, 0, copy.size, 0) >>> 0;
}

/** Codes of the rules that a header can break. Opening a file throws the first one met; a verification reports each. */
export const HEADER_CODES = [
  'HMAP_NOT_A_TABLE',
  'HMAP_TEXT_DAMAGE',
  'HMAP_VERSION',
  'HMAP_FEATURE',
  'HMAP_HEADER_CHECKSUM',
  'HMAP_HEADER_FIELD',
  'HMAP_TRUNCATED',
  'HMAP_TOO_LONG',
] as const satisfies readonly HmapErrorCode[];

export type HeaderCode = (typeof HEADER_CODES)[number];
