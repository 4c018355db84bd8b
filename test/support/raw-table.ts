// Writes .hmap files from their parts, for tests: whole ones, and such as no builder would write. Written from
// native-notes/format.md alone; knows the bytes, not the code in src. Section numbers (§) are those of format.md.

import type { KeyType, StoredType, ValueType } from '../../src/index.js';
import { oracle, TYPE_CODES } from './samples.js';

export const VARIABLE = 0xffff_ffff;
const PAGE = 4096;
const BLOCK = 65_536;
const SEGMENT_TABLE = 192;
/** §5: buckets of a line. */
const GROUP = 32;

/** §3: offset and size of each field. */
export const FIELDS = {
  magic: [0, 8],
  majorVersion: [8, 2],
  minorVersion: [10, 2],
  headerChecksum: [12, 4],
  headerSize: [16, 4],
  features: [20, 4],
  fileSize: [24, 8],
  entries: [32, 8],
  keyBytes: [40, 8],
  valueBytes: [48, 8],
  hashAlgorithm: [56, 1],
  checksumAlgorithm: [57, 1],
  offsetBits: [58, 1],
  segmentBits: [59, 1],
  bucketBits: [60, 1],
  keyType: [61, 1],
  valueType: [62, 1],
  layout: [63, 1],
  hashSeed: [64, 4],
  keyWidth: [68, 4],
  valueWidth: [72, 4],
  shardBits: [76, 1],
  bucketEighths: [77, 1],
  narrowed: [78, 1],
  fingerprintBits: [79, 1],
  shardIndex: [80, 4],
  metadataSize: [84, 4],
  checksumsOffset: [88, 8],
  checksumsSize: [96, 8],
  checksumsSum: [104, 8],
  schemaSize: [112, 4],
  reservedTail: [116, 12],
  elementBits: [116, 1],
  elementSign: [117, 1],
  spareBits: [118, 1],
  reservedByte: [119, 1],
  base: [120, 8],
  distinct: [116, 4],
  dictionarySize: [120, 8],
  indexOffset: [128, 8],
  longFingerprints: [136, 8],
  reservedForLater: [144, 48],
} as const;

export type Field = keyof typeof FIELDS;

/** §3: the columns of the segment table. */
const ROW = { offset: 0, size: 8, entries: 16 } as const;

/** An integer, or the bytes themselves. */
export type Raw = number | bigint | Uint8Array;

export interface RawRecord {
  key: Uint8Array;
  value: Uint8Array;
  /** Instead of the lengths that the widths ask for. */
  prefix?: Uint8Array;
}

export interface RawSegment {
  /** The records of each bucket, in their order. */
  buckets: RawRecord[][];
  /** Instead of the places of the buckets in the heap that these records give, of the heap, and of their number. */
  offsets?: number[];
  heap?: Uint8Array;
  entries?: number;
  /** Instead of what the places of the buckets give: lines of the index by group. */
  lines?: Record<number, RawLine>;
  /** What the padding after the heap begins with. */
  padding?: Uint8Array;
}

/** Parts of a line. */
export interface RawLine {
  anchor?: number;
  offsets?: Record<number, number>;
  /** The bits after the last offset, as a number. */
  rest?: number;
}

export interface RawParts {
  shardBits?: number;
  shardIndex?: number;
  segmentBits: number;
  bucketBits: number;
  /** Default 8. */
  eighths?: number;
  /** Default the least. */
  offsetBits?: number;
  seed: number;
  /** Default `bytes`. */
  keyType?: KeyType;
  valueType: StoredType;
  narrowed?: boolean;
  keyWidth: number;
  valueWidth: number;
  metadata: Uint8Array;
  /** §16: bits of the fingerprints that the records have as keys, and the rows of long ones. */
  fingerprintBits?: number;
  long?: RawLong[];
  /** Instead of the text of the schema that the value type gives. */
  schema?: Uint8Array;
  segments: RawSegment[];
  /**
   * Instead of what the parts give: fields of the header, columns of the segment table by row, block checksums by
   * index.
   */
  fields?: Partial<Record<Field, Raw>>;
  rows?: Record<number, Partial<Record<keyof typeof ROW, Raw>>>;
  sums?: Record<number, bigint>;
  /** What the padding after the index begins with. */
  indexPadding?: Uint8Array;
  /** What the padding of the header begins with. */
  padding?: Uint8Array;
  /**
   * §7, enum values: the distinct ones, in order; the offsets instead of those that they give; what the padding after
   * them begins with.
   */
  strings?: Uint8Array[];
  stringOffsets?: number[];
  stringPadding?: Uint8Array;
}

/** §16: a row. */
export interface RawLong {
  segment: number;
  position: number;
  hash: bigint;
}

export interface RawOptions {
  key?: KeyType;
  value: StoredType;
  seed?: number;
  metadata?: unknown;
  segmentBytes?: number;
  /** §3, shards; entries of others are left out. */
  shardBits?: number;
  shardIndex?: number;
  /** The value type is the narrowest, because `uint` was asked for. */
  narrowed?: boolean;
  /** §16 */
  fingerprint?: number;
}

/** §16, MurmurHash3_x86_32. */
export function murmur3(key: Uint8Array, seed: number): number {
  const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
  const mixed = (word: number): number => Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
  const whole = key.length - (key.length % 4);
  let hash = seed;
  for (let at = 0; at < whole; at += 4) {
    const word = Buffer.from(key).readInt32LE(at);
    hash = Math.imul(rotate(hash ^ mixed(word), 13), 5) + 0xe6546b64;
  }
  let tail = 0;
  for (let at = key.length - 1; at >= whole; at--) tail = tail * 256 + key[at]!;
  hash ^= mixed(tail) ^ key.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const align = (x: number): number => Math.ceil(x / 8) * 8;
const wholePages = (x: number): number => Math.ceil(x / PAGE) * PAGE;

/** §7: of the types that have one width. */
export const WIDTHS: Partial<Record<ValueType, number>> = {
  none: 0,
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  f32: 4,
  f64: 8,
  u24: 3,
  u40: 5,
  u48: 6,
};

/** §3: key types by their codes, and the widths of some. */
export const KEY_TYPES: readonly KeyType[] = ['bytes', 'u32', 'u64', 'i64', 'uuid', 'hex'];
const KEY_WIDTHS: Partial<Record<KeyType, number>> = { u32: 4, u64: 8, i64: 8, uuid: 16 };

/** A key of any type as the file has it. */
export type RawKey = string | number | bigint | Uint8Array;

/** §3: a key as its type has it in the file. */
export function encodeKey(type: KeyType, key: RawKey): Buffer {
  if (typeof key === 'object') return Buffer.from(key);
  if (type === 'bytes') return Buffer.from(key as string);
  if (type === 'uuid' || type === 'hex') return Buffer.from((key as string).replaceAll('-', ''), 'hex');
  return Buffer.from(encodeValue(type, key));
}

/** §7: the fields of a struct, from its text. */
function fieldsOf(type: StoredType): { name: string; type: string; bits: number }[] {
  if (!type.startsWith('struct(')) return [];
  return type
    .slice(7, -1)
    .split(',')
    .map((part) => {
      const [name, fieldType] = part.split(':') as [string, string];
      return { name, type: fieldType, bits: fieldType === 'bool' ? 1 : Number(fieldType.slice(1)) };
    });
}

function widthOf(type: StoredType): number | undefined {
  const bits = fieldsOf(type).reduce((sum, field) => sum + field.bits, 0);
  return bits > 0 ? Math.ceil(bits / 8) : WIDTHS[type as ValueType];
}

/** §7: the text of the schema. */
export const schemaOf = (parts: RawParts): Uint8Array =>
  parts.schema ?? Buffer.from(parts.valueType.startsWith('struct(') ? parts.valueType.slice(7, -1) : '');

/** §7: the bits of a field's value, as an unsigned number. */
function bitsOf(type: string, bits: number, value: unknown): bigint {
  if (!type.startsWith('f')) return BigInt.asUintN(bits, BigInt(value as number | boolean));
  const bytes = encodeValue(type as ValueType, value);
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

/** §1 */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** §7: a value as its type has it in the file. */
export function encodeValue(type: StoredType, value: unknown): Uint8Array {
  if (type.startsWith('struct(')) {
    let record = 0n;
    let from = 0n;
    for (const field of fieldsOf(type)) {
      record |= bitsOf(field.type, field.bits, (value as Record<string, unknown>)[field.name]) << from;
      from += BigInt(field.bits);
    }
    const width = widthOf(type)!;
    return Buffer.from(record.toString(16).padStart(2 * width, '0'), 'hex').reverse();
  }
  if (type === 'none') return Buffer.alloc(0);
  if (type === 'bytes') return value as Uint8Array;
  if (type === 'utf8' || type === 'enum') return Buffer.from(value as string);
  if (type === 'json') return Buffer.from(JSON.stringify(value));
  const bytes = Buffer.alloc(WIDTHS[type as ValueType]!);
  if (Number.isNaN(value)) return Buffer.from(type === 'f32' ? '0000c07f' : '000000000000f87f', 'hex');
  if (type === 'f32') bytes.writeFloatLE(value as number);
  else if (type === 'f64') bytes.writeDoubleLE(value as number);
  else {
    let rest = BigInt.asUintN(8 * bytes.length, BigInt(value as number | bigint));
    for (let i = 0; i < bytes.length; i++, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  }
  return bytes;
}

/** §10, rule 6. */
function encodeMetadata(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(encodeMetadata).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${encodeMetadata(member)}`).join(',')}}`;
}

/** §4: the top bits of what is left of a hash after its first `from` bits. Not shifts: they count modulo 32. */
function topBits(hash: number, from: number, count: number): number {
  return Math.floor(((hash * 2 ** from) % 2 ** 32) / 2 ** (32 - count));
}

/** §4: the bucket in its segment. */
export function rawBucket(hash: number, before: number, k: number, m: number): number {
  const x = (hash * 2 ** before) % 2 ** 32;
  return Math.floor((Math.floor(x / 8) * m) / 2 ** (32 - k));
}

/** §10, rule 4 */
export function rawBuckets(entries: number, n: number, s: number, fixed: boolean): { k: number; m: number } {
  const [parts, load] = entries < 2 ** 18 || fixed ? [11, 5] : [17, 4];
  for (let k = 32 - n - s; k >= 5; k--) {
    for (const m of k >= 8 ? [8, 7, 6, 5] : [8]) {
      if (parts * 2 ** s * ((m * 2 ** k) / 8) <= load * entries) return { k, m };
    }
  }
  return { k: 5, m: 8 };
}

/**
 * §10: the parts of the canonical file of entries, whose keys are distinct.
 * @param choices instead of what the rules of §10 choose
 */
export function canonicalParts(
  entries: Iterable<readonly [key: RawKey, value: unknown]>,
  options: RawOptions,
  choices: Partial<Pick<RawParts, 'segmentBits' | 'bucketBits' | 'eighths' | 'keyWidth' | 'valueWidth'>> = {},
): RawParts {
  const { key: keyType = 'bytes', value: valueType, seed = 0, metadata = {}, segmentBytes = 2 ** 31 - 1 } = options;
  const { shardBits = 0, shardIndex = 0, fingerprint = 0 } = options;
  const records = Array.from(entries, ([key, value]) => {
    const bytes = encodeKey(keyType, key);
    const stored = fingerprint === 0 ? bytes : numberBytes(murmur3(bytes, seed) % 2 ** fingerprint, fingerprint / 8);
    const hash = oracle.h32Raw(bytes, seed);
    return { key: stored, value: encodeValue(valueType, value), hash, long: oracle.h64Raw(bytes) };
  }).filter(({ hash }) => topBits(hash, 0, shardBits) === shardIndex);
  records.sort((a, b) => a.hash - b.hash || Buffer.compare(a.key, b.key));
  let strings: Uint8Array[] | undefined;
  if (valueType === 'enum') {
    const distinct = new Map(records.map(({ value }) => [Buffer.from(value).toString('hex'), value]));
    strings = [...distinct.values()].sort(Buffer.compare);
    const numbers = new Map(strings.map((value, i) => [Buffer.from(value).toString('hex'), i]));
    const width = numberWidth(strings.length);
    for (const record of records)
      record.value = numberBytes(numbers.get(Buffer.from(record.value).toString('hex'))!, width);
  }
  const shared = (lengths: number[]) => (new Set(lengths).size === 1 ? lengths[0]! : VARIABLE);
  const keyWidth =
    choices.keyWidth ??
    (fingerprint === 0 ? KEY_WIDTHS[keyType] : fingerprint / 8) ??
    (shared(records.map(({ key }) => key.length)) || VARIABLE);
  const ownWidth = strings === undefined ? widthOf(valueType) : numberWidth(strings.length);
  const valueWidth = choices.valueWidth ?? ownWidth ?? shared(records.map(({ value }) => value.length));
  const counted = ({ key, value }: RawRecord): number =>
    varint(key.length).length + key.length + value.length + (ownWidth === undefined ? varint(value.length).length : 0);
  const fits = (s: number): boolean => {
    const sizes = new Array<number>(2 ** s).fill(0);
    for (const record of records) sizes[topBits(record.hash, shardBits, s)]! += counted(record);
    return sizes.every((size) => size <= segmentBytes);
  };
  let segmentBits = choices.segmentBits ?? 0;
  while (choices.segmentBits === undefined && segmentBits < 12 && !fits(segmentBits)) segmentBits++;
  const right = rawBuckets(records.length, shardBits, segmentBits, keyWidth !== VARIABLE && valueWidth !== VARIABLE);
  const bucketBits = choices.bucketBits ?? right.k;
  const eighths = choices.eighths ?? (bucketBits === right.k ? right.m : 8);
  const segments = Array.from({ length: 2 ** segmentBits }, () => ({
    buckets: Array.from({ length: (eighths * 2 ** bucketBits) / 8 }, (): (RawRecord & { long: bigint })[] => []),
  }));
  for (const { key, value, hash, long } of records) {
    const { buckets } = segments[topBits(hash, shardBits, segmentBits)]!;
    buckets[rawBucket(hash, shardBits + segmentBits, bucketBits, eighths)]!.push({ key, value, long });
  }
  const text = encodeMetadata(metadata);
  const encoded = Buffer.from(text === '{}' ? '' : text);
  const parts = {
    shardBits,
    shardIndex,
    segmentBits,
    bucketBits,
    eighths,
    seed,
    keyType,
    valueType,
    narrowed: options.narrowed ?? false,
    keyWidth,
    valueWidth,
    metadata: encoded,
    segments,
  };
  const whole = strings === undefined ? parts : { ...parts, strings };
  if (fingerprint === 0) return whole;
  const number = ({ key }: RawRecord): number => Buffer.from(key).readUIntLE(0, key.length);
  for (const { buckets } of segments)
    for (const bucket of buckets) bucket.sort((a, b) => number(a) - number(b) || (a.long < b.long ? -1 : 1));
  const long = valueType === 'none' ? [] : segments.flatMap((segment, i) => longOf(whole, segment.buckets, i));
  return { ...whole, fingerprintBits: fingerprint, long };
}

/** §16: the rows of a segment. */
function longOf(parts: RawParts, buckets: (RawRecord & { long: bigint })[][], segment: number): RawLong[] {
  const rows: RawLong[] = [];
  let at = 0;
  for (const bucket of buckets) {
    for (const [i, record] of bucket.entries()) {
      const isShared = bucket.some(({ key }, j) => j !== i && Buffer.from(key).equals(record.key));
      if (isShared) rows.push({ segment, position: at / unitOf(parts), hash: record.long });
      at += encodeRecord(parts, record).length;
    }
  }
  return rows;
}

/** §16: the section. */
function encodeLong({ long = [] }: RawParts): Buffer {
  const bytes = Buffer.alloc(16 * long.length);
  for (const [i, { segment, position, hash }] of long.entries()) {
    bytes.writeUInt32LE(segment, 16 * i);
    bytes.writeUInt32LE(position, 16 * i + 4);
    bytes.writeBigUInt64LE(hash, 16 * i + 8);
  }
  return bytes;
}

/** §7, enum values: bytes of a number below `distinct`. */
function numberWidth(distinct: number): number {
  let width = 0;
  while (256 ** width < distinct) width++;
  return width;
}

export function numberBytes(number: number, width: number): Buffer {
  const bytes = Buffer.alloc(width);
  if (width > 0) bytes.writeUIntLE(number, 0, width);
  return bytes;
}

/** §7, enum values: the dictionary. */
function encodeStrings({ strings = [], stringOffsets }: RawParts): Buffer {
  const offsets = [0];
  for (const string of strings) offsets.push(offsets.at(-1)! + string.length);
  const index = Buffer.alloc(4 * offsets.length);
  for (const [i, offset] of (stringOffsets ?? offsets).entries()) index.writeUInt32LE(offset, 4 * i);
  return Buffer.concat([index, ...strings]);
}

/** §6 */
export function encodeRecord({ keyWidth, valueWidth }: RawParts, { key, value, prefix }: RawRecord): Buffer {
  const lengths = [
    ...(keyWidth === VARIABLE ? [varint(key.length)] : []),
    ...(valueWidth === VARIABLE ? [varint(value.length)] : []),
  ];
  return Buffer.concat([...(prefix === undefined ? lengths : [prefix]), key, value]);
}

/** §5: what offsets count. */
const unitOf = ({ keyWidth, valueWidth }: RawParts): number =>
  keyWidth === VARIABLE || valueWidth === VARIABLE ? 1 : keyWidth + valueWidth;

/** §5: where buckets start, and the last ends, in units; and the key heap. */
function encodeSegment(parts: RawParts, segment: RawSegment): { offsets: number[]; heap: Uint8Array } {
  const buckets = segment.buckets.map((records) => Buffer.concat(records.map((record) => encodeRecord(parts, record))));
  const offsets = [0];
  for (const bucket of buckets) offsets.push(offsets.at(-1)! + bucket.length / unitOf(parts));
  return { offsets: segment.offsets ?? offsets, heap: segment.heap ?? Buffer.concat(buckets) };
}

/** §10, rule 5: w */
function offsetBitsOf(parts: RawParts): number {
  if (parts.offsetBits !== undefined) return parts.offsetBits;
  let largest = 0;
  for (const segment of parts.segments) {
    const { offsets } = encodeSegment(parts, segment);
    for (let i = 0; i + 1 < offsets.length; i += GROUP) {
      largest = Math.max(largest, offsets[Math.min(offsets.length - 1, i + GROUP)]! - offsets[i]!);
    }
  }
  for (let w = 8; w <= 24; w++) if (2 ** w > largest) return w;
  return 32;
}

/** §5: bytes of a line. */
const lineSize = (w: number): number => 4 * w + 8;

/** §5: the lines of a segment. */
function encodeLines(parts: RawParts, segment: RawSegment, w: number): Buffer {
  const { offsets } = encodeSegment(parts, segment);
  const lines: Buffer[] = [];
  for (let first = 0; first + 1 < offsets.length; first += GROUP) {
    const own = segment.lines?.[first / GROUP];
    const anchor = own?.anchor ?? offsets[first]!;
    let line = BigInt.asUintN(32, BigInt(anchor));
    for (let i = 0; i <= GROUP; i++) {
      const offset = own?.offsets?.[i] ?? (offsets[first + i] ?? offsets.at(-1)!) - offsets[first]!;
      line |= BigInt.asUintN(w, BigInt(offset)) << BigInt(32 + i * w);
    }
    line |= BigInt(own?.rest ?? 0) << BigInt(32 + (GROUP + 1) * w);
    lines.push(Buffer.from(line.toString(16).padStart(2 * lineSize(w), '0'), 'hex').reverse());
  }
  return Buffer.concat(lines);
}

/** §8: the levels, each with the checksums of the pages of the one before it. */
export function sumLevels(file: Uint8Array, start: number, end: number, sums: Record<number, bigint> = {}): Buffer[] {
  const level = (bytes: Uint8Array, size: number, instead: Record<number, bigint> = {}): Buffer => {
    const buffer = Buffer.alloc(8 * Math.ceil(bytes.length / size));
    for (let i = 0; i < buffer.length / 8; i++) {
      const right = oracle.h64Raw(bytes.subarray(i * size, (i + 1) * size));
      buffer.writeBigUInt64LE(instead[i] ?? right, 8 * i);
    }
    return buffer;
  };
  const levels = [level(file.subarray(start, end), BLOCK, sums)];
  while (levels.at(-1)!.length > PAGE) levels.push(level(levels.at(-1)!, PAGE));
  return levels;
}

/** Where parts lie in the file that {@link compose} writes. */
export function placesOf(parts: RawParts): {
  headerEnd: number;
  /** Key heaps, and each segment's lines of the index. */
  segments: { heap: number; heapEnd: number; lines: number; linesEnd: number }[];
  /** Of enum values: where it starts, where the first string does, where the last ends. */
  dictionary: { start: number; heap: number; end: number };
  long: number;
  lineSize: number;
  index: number;
  indexEnd: number;
  checksums: number;
} {
  const textBytes = parts.metadata.length + schemaOf(parts).length;
  const headerEnd = wholePages(SEGMENT_TABLE + 24 * 2 ** parts.segmentBits + textBytes);
  let at = headerEnd;
  const heaps = parts.segments.map((segment) => {
    const heap = at;
    const heapEnd = heap + encodeSegment(parts, segment).heap.length;
    at = align(heapEnd);
    return { heap, heapEnd };
  });
  const count = parts.strings?.length ?? 0;
  const end = parts.strings === undefined ? at : at + encodeStrings(parts).length;
  const dictionary = { start: at, heap: at + 4 * (count + 1), end };
  const w = offsetBitsOf(parts);
  const long = align(end);
  const index = long + encodeLong(parts).length;
  let lines = index;
  const segments = heaps.map((place, i) => {
    const start = lines;
    lines += encodeLines(parts, parts.segments[i]!, w).length;
    return { ...place, lines: start, linesEnd: lines };
  });
  return {
    headerEnd,
    segments,
    dictionary,
    long,
    lineSize: lineSize(w),
    index,
    indexEnd: lines,
    checksums: align(lines),
  };
}

/** The file of these parts. Checksums are made last, so they fit whatever else is wrong. */
export function compose(parts: RawParts): Buffer {
  const places = placesOf(parts);
  const { headerEnd, checksums } = places;
  const w = offsetBitsOf(parts);
  const covered = Buffer.alloc(checksums);
  const records = parts.segments.flatMap(({ buckets }) => buckets.flat());
  const counts = parts.segments.map((segment) => segment.entries ?? segment.buckets.flat().length);
  const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);

  for (const [i, segment] of parts.segments.entries()) {
    const { heap: start, heapEnd, lines } = places.segments[i]!;
    covered.set(encodeSegment(parts, segment).heap, start);
    covered.set(segment.padding ?? [], heapEnd);
    covered.set(encodeLines(parts, segment, w), lines);
  }
  if (parts.strings !== undefined) {
    covered.set(encodeStrings(parts), places.dictionary.start);
    covered.set(parts.stringPadding ?? [], places.dictionary.end);
  }
  covered.set(encodeLong(parts), places.long);
  covered.set(parts.indexPadding ?? [], places.indexEnd);
  const levels = sumLevels(covered, headerEnd, checksums, parts.sums);
  const file = Buffer.concat([covered, ...levels]);
  for (const i of parts.segments.keys()) {
    const { heap, heapEnd } = places.segments[i]!;
    const row = SEGMENT_TABLE + 24 * i;
    const columns = { offset: heap, size: heapEnd - heap, entries: counts[i]!, ...parts.rows?.[i] };
    for (const [name, value] of Object.entries(columns)) put(file, row + ROW[name as keyof typeof ROW], 8, value);
  }

  const metadataAt = SEGMENT_TABLE + 24 * 2 ** parts.segmentBits;
  file.set(parts.metadata, metadataAt);
  const schema = schemaOf(parts);
  file.set(schema, metadataAt + parts.metadata.length);
  file.set(parts.padding ?? [], metadataAt + parts.metadata.length + schema.length);
  const fields: Partial<Record<Field, Raw>> = {
    magic: Buffer.from('89484d500d0a1a0a', 'hex'),
    majorVersion: 2,
    headerSize: headerEnd,
    features:
      (parts.valueType.startsWith('struct(') || ['u24', 'u40', 'u48'].includes(parts.valueType) ? 1 : 0) +
      ((parts.keyType ?? 'bytes') === 'bytes' ? 0 : 2) +
      (parts.valueType === 'enum' ? 16 : 0) +
      (parts.fingerprintBits === undefined ? 0 : 32),
    fileSize: file.length,
    entries: sum(counts),
    keyBytes: sum(records.map(({ key }) => key.length)),
    valueBytes: sum(records.map(({ value }) => value.length)),
    hashAlgorithm: 1,
    checksumAlgorithm: 1,
    offsetBits: w,
    shardBits: parts.shardBits ?? 0,
    shardIndex: parts.shardIndex ?? 0,
    segmentBits: parts.segmentBits,
    bucketBits: parts.bucketBits,
    bucketEighths: parts.eighths ?? 8,
    narrowed: parts.narrowed ? 1 : 0,
    indexOffset: places.index,
    keyType: KEY_TYPES.indexOf(parts.keyType ?? 'bytes'),
    valueType: parts.valueType.startsWith('struct(') ? 14 : TYPE_CODES[parts.valueType as ValueType],
    hashSeed: parts.seed,
    keyWidth: parts.keyWidth,
    valueWidth: parts.valueWidth,
    metadataSize: parts.metadata.length,
    schemaSize: schema.length,
    checksumsOffset: checksums,
    checksumsSize: file.length - checksums,
    checksumsSum: oracle.h64Raw(levels.at(-1)!),
    fingerprintBits: parts.fingerprintBits ?? 0,
    longFingerprints: parts.long?.length ?? 0,
    ...(parts.strings !== undefined && {
      distinct: parts.strings.length,
      dictionarySize: places.dictionary.end - places.dictionary.start,
    }),
    ...parts.fields,
  };
  for (const [name, value] of Object.entries(fields)) {
    const [offset, size] = FIELDS[name as Field];
    put(file, offset, size, value);
  }
  if (parts.fields?.headerChecksum === undefined) {
    const header = file.subarray(0, file.readUInt32LE(FIELDS.headerSize[0]));
    file.writeUInt32LE(oracle.h32Raw(header, 0), FIELDS.headerChecksum[0]);
  }
  return file;
}

export function put(file: Buffer, offset: number, size: number, value: Raw): void {
  if (value instanceof Uint8Array) {
    file.set(value, offset);
    return;
  }
  let rest = BigInt(value);
  for (let i = 0; i < size; i++, rest >>= 8n) file[offset + i] = Number(rest & 0xffn);
}
