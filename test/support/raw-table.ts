// Writes .hmap files from their parts, for tests: whole ones, and such as no builder would write. Written from
// native-notes/format.md alone; knows the bytes, not the code in src. Section numbers (§) are those of format.md.

import type { KeyType, StoredType, ValueType } from '../../src/index.js';
import { oracle, TYPE_CODES } from './samples.js';

export const VARIABLE = 0xffff_ffff;
const PAGE = 4096;
const BLOCK = 65_536;
const SEGMENT_TABLE = 128;

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
  bucketEncoding: [58, 1],
  segmentBits: [59, 1],
  bucketBits: [60, 1],
  keyType: [61, 1],
  valueType: [62, 1],
  layout: [63, 1],
  hashSeed: [64, 4],
  keyWidth: [68, 4],
  valueWidth: [72, 4],
  shardBits: [76, 4],
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
  /** Instead of the bucket array and the key heap that these records give, and of their number. */
  offsets?: number[];
  heap?: Uint8Array;
  entries?: number;
  /** What the padding of the bucket array, and that after the segment, begins with. */
  arrayPadding?: Uint8Array;
  padding?: Uint8Array;
}

export interface RawParts {
  segmentBits: number;
  bucketBits: number;
  seed: number;
  /** Default `bytes`. */
  keyType?: KeyType;
  valueType: StoredType;
  keyWidth: number;
  valueWidth: number;
  metadata: Uint8Array;
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

export interface RawOptions {
  key?: KeyType;
  value: StoredType;
  seed?: number;
  metadata?: unknown;
  segmentBytes?: number;
}

const align = (x: number): number => Math.ceil(x / PAGE) * PAGE;

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

/**
 * §10: the parts of the canonical file of entries, whose keys are distinct.
 * @param choices instead of what the rules of §10 choose
 */
export function canonicalParts(
  entries: Iterable<readonly [key: RawKey, value: unknown]>,
  options: RawOptions,
  choices: Partial<Pick<RawParts, 'segmentBits' | 'bucketBits' | 'keyWidth' | 'valueWidth'>> = {},
): RawParts {
  const { key: keyType = 'bytes', value: valueType, seed = 0, metadata = {}, segmentBytes = 2 ** 31 - 1 } = options;
  const records = Array.from(entries, ([key, value]) => {
    const bytes = encodeKey(keyType, key);
    return { key: bytes, value: encodeValue(valueType, value), hash: oracle.h32Raw(bytes, seed) };
  });
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
    choices.keyWidth ?? KEY_WIDTHS[keyType] ?? (shared(records.map(({ key }) => key.length)) || VARIABLE);
  const ownWidth = strings === undefined ? widthOf(valueType) : numberWidth(strings.length);
  const valueWidth = choices.valueWidth ?? ownWidth ?? shared(records.map(({ value }) => value.length));
  let t = 0;
  while (t < 32 && 2 * 2 ** (t + 1) <= records.length) t++;

  const bucketsOf = (s: number): number => choices.bucketBits ?? Math.max(0, t - s);
  // Not shifts: they take their count modulo 32.
  const segmentOf = (hash: number, s: number): number => Math.floor(hash / 2 ** (32 - s));
  const counted = ({ key, value }: RawRecord): number =>
    varint(key.length).length + key.length + value.length + (ownWidth === undefined ? varint(value.length).length : 0);
  const fits = (s: number): boolean => {
    const sizes = new Array<number>(2 ** s).fill(align(4 * (2 ** bucketsOf(s) + 1)));
    for (const record of records) sizes[segmentOf(record.hash, s)]! += counted(record);
    return sizes.every((size) => size <= segmentBytes);
  };
  let segmentBits = choices.segmentBits ?? 0;
  while (choices.segmentBits === undefined && segmentBits < 12 && !fits(segmentBits)) segmentBits++;
  const bucketBits = bucketsOf(segmentBits);
  const segments = Array.from({ length: 2 ** segmentBits }, () => ({
    buckets: Array.from({ length: 2 ** bucketBits }, (): RawRecord[] => []),
  }));
  for (const { key, value, hash } of records) {
    const index = segmentOf(hash, segmentBits + bucketBits);
    segments[Math.floor(index / 2 ** bucketBits)]!.buckets[index % 2 ** bucketBits]!.push({ key, value });
  }
  const text = encodeMetadata(metadata);
  const encoded = Buffer.from(text === '{}' ? '' : text);
  const parts = {
    segmentBits,
    bucketBits,
    seed,
    keyType,
    valueType,
    keyWidth,
    valueWidth,
    metadata: encoded,
    segments,
  };
  return strings === undefined ? parts : { ...parts, strings };
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

/** §5: the bucket array and the key heap. */
function encodeSegment(parts: RawParts, segment: RawSegment): { offsets: number[]; heap: Uint8Array } {
  const buckets = segment.buckets.map((records) => Buffer.concat(records.map((record) => encodeRecord(parts, record))));
  const offsets = [0];
  for (const bucket of buckets) offsets.push(offsets.at(-1)! + bucket.length);
  return { offsets: segment.offsets ?? offsets, heap: segment.heap ?? Buffer.concat(buckets) };
}

/** Where parts lie in the file that {@link compose} writes. */
export function placesOf(parts: RawParts): {
  headerEnd: number;
  segments: { array: number; arrayEnd: number; heap: number; heapEnd: number; end: number }[];
  /** Of enum values: where it starts, where the first string does, where the last ends. */
  dictionary: { start: number; heap: number; end: number };
  checksums: number;
} {
  const headerEnd = align(SEGMENT_TABLE + 24 * 2 ** parts.segmentBits + parts.metadata.length + schemaOf(parts).length);
  let at = headerEnd;
  const segments = parts.segments.map((segment) => {
    const { offsets, heap } = encodeSegment(parts, segment);
    const array = at;
    const arrayEnd = array + 4 * offsets.length;
    const start = align(arrayEnd);
    const heapEnd = start + heap.length;
    at = align(heapEnd);
    return { array, arrayEnd, heap: start, heapEnd, end: at };
  });
  const count = parts.strings?.length ?? 0;
  const end = parts.strings === undefined ? at : at + encodeStrings(parts).length;
  return { headerEnd, segments, dictionary: { start: at, heap: at + 4 * (count + 1), end }, checksums: align(end) };
}

/** The file of these parts. Checksums are made last, so they fit whatever else is wrong. */
export function compose(parts: RawParts): Buffer {
  const places = placesOf(parts);
  const { headerEnd, checksums } = places;
  const blocks = Math.ceil((checksums - headerEnd) / BLOCK);
  const file = Buffer.alloc(checksums + 8 * blocks);
  const records = parts.segments.flatMap(({ buckets }) => buckets.flat());
  const counts = parts.segments.map((segment) => segment.entries ?? segment.buckets.flat().length);
  const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);

  for (const [i, segment] of parts.segments.entries()) {
    const { array, arrayEnd, heap: start, heapEnd } = places.segments[i]!;
    const { offsets, heap } = encodeSegment(parts, segment);
    for (const [bucket, offset] of offsets.entries()) file.writeUInt32LE(offset, array + 4 * bucket);
    file.set(segment.arrayPadding ?? [], arrayEnd);
    file.set(heap, start);
    file.set(segment.padding ?? [], heapEnd);
    const row = SEGMENT_TABLE + 24 * i;
    const columns = { offset: array, size: heapEnd - array, entries: counts[i]!, ...parts.rows?.[i] };
    for (const [name, value] of Object.entries(columns)) put(file, row + ROW[name as keyof typeof ROW], 8, value);
  }
  if (parts.strings !== undefined) {
    file.set(encodeStrings(parts), places.dictionary.start);
    file.set(parts.stringPadding ?? [], places.dictionary.end);
  }
  for (let i = 0; i < blocks; i++) {
    const start = headerEnd + i * BLOCK;
    const right = oracle.h64Raw(file.subarray(start, Math.min(start + BLOCK, checksums)));
    file.writeBigUInt64LE(parts.sums?.[i] ?? right, checksums + 8 * i);
  }

  const metadataAt = SEGMENT_TABLE + 24 * 2 ** parts.segmentBits;
  file.set(parts.metadata, metadataAt);
  const schema = schemaOf(parts);
  file.set(schema, metadataAt + parts.metadata.length);
  file.set(parts.padding ?? [], metadataAt + parts.metadata.length + schema.length);
  const fields: Partial<Record<Field, Raw>> = {
    magic: Buffer.from('89484d500d0a1a0a', 'hex'),
    majorVersion: 1,
    headerSize: headerEnd,
    features:
      (parts.valueType.startsWith('struct(') || ['u24', 'u40', 'u48'].includes(parts.valueType) ? 1 : 0) +
      ((parts.keyType ?? 'bytes') === 'bytes' ? 0 : 2) +
      (parts.valueType === 'enum' ? 16 : 0),
    fileSize: file.length,
    entries: sum(counts),
    keyBytes: sum(records.map(({ key }) => key.length)),
    valueBytes: sum(records.map(({ value }) => value.length)),
    hashAlgorithm: 1,
    checksumAlgorithm: 1,
    bucketEncoding: 1,
    segmentBits: parts.segmentBits,
    bucketBits: parts.bucketBits,
    keyType: KEY_TYPES.indexOf(parts.keyType ?? 'bytes'),
    valueType: parts.valueType.startsWith('struct(') ? 14 : TYPE_CODES[parts.valueType as ValueType],
    hashSeed: parts.seed,
    keyWidth: parts.keyWidth,
    valueWidth: parts.valueWidth,
    metadataSize: parts.metadata.length,
    schemaSize: schema.length,
    checksumsOffset: checksums,
    checksumsSize: 8 * blocks,
    checksumsSum: oracle.h64Raw(file.subarray(checksums)),
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
