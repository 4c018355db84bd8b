// The fields of files without keys: lists and bit arrays (native-notes/format.md, sections 3 and 15). Knows bytes and
// rules; does not know files, nor what the elements mean.

import { MAX_U64 } from '../base/bytes.js';
import {
  align,
  CHECKSUM_XXH64,
  HEADER,
  headerSize,
  LAYOUT_FEATURES,
  LAYOUTS,
  MAX_SEGMENT_BITS,
  MAX_SEGMENT_BYTES,
  SEGMENT_ROW,
  VARIABLE,
} from './constants.js';
import type { KeylessHeader, SegmentPlace } from './header.js';
import type { HeaderFields, StatedSums } from './header-fields.js';
import {
  bitsOfSize,
  countIn,
  dataBytes,
  dataStart,
  GROUP,
  type KeylessForm,
  keylessSegmentSize,
  MOST_ELEMENTS,
  RUN_BITS,
} from './keyless.js';
import { MAX_FIELD_BITS } from './schema.js';
import { codeOf, type ListType, PACKED, type PackedType } from './value-types.js';

/** How elements lie and what they are. */
interface ElementType extends KeylessForm {
  readonly valueType: ListType | 'none';
  /** In bytes, or VARIABLE. */
  readonly valueWidth: number;
}

interface Elements extends ElementType {
  /** The first integer, or index. */
  readonly base: number;
}

const LIST_TYPES = new Map<number, ElementType>([
  [codeOf('bytes'), { kind: 'offsets', bits: 0, valueWidth: VARIABLE, valueType: 'bytes' }],
  [codeOf('utf8'), { kind: 'offsets', bits: 0, valueWidth: VARIABLE, valueType: 'utf8' }],
  [codeOf('f32'), { kind: 'fixed', bits: 32, valueWidth: 4, valueType: 'f32' }],
  [codeOf('f64'), { kind: 'fixed', bits: 64, valueWidth: 8, valueType: 'f64' }],
]);

const BITS: ElementType = { kind: 'bits', bits: 1, valueWidth: 0, valueType: 'none' };

/** @param fileBytes the file's exact size; `undefined` for a block device, which states none */
export function parseKeylessHeader(
  fields: HeaderFields,
  layout: 'list' | 'bits',
  fileBytes: number | undefined,
): KeylessHeader | undefined {
  const features = fields.u32(HEADER.features);
  if (!fields.is('features', LAYOUT_FEATURES[LAYOUTS.indexOf(layout)]!, features)) return undefined;
  const stated = fields.sums();
  const elements = layout === 'bits' ? parseBits(fields) : parseElements(fields);
  const fits = hasNoKeys(fields, stated);
  if (elements === undefined || !fits) return undefined;
  const segmentBits = fields.u8(HEADER.segmentBits);
  const size = headerSize(segmentBits, fields.u32(HEADER.metadataBytes));
  if (!fields.is('headerBytes', size, fields.bytes.length)) return undefined;
  const table = parseSegments(fields, elements, stated.valueBytes);
  if (table === undefined) return undefined;
  const { segments, length, each } = table;
  const entries = segments.reduce((sum, segment) => sum + segment.entries, 0);
  const tail = fields.tail(stated, entries, segments, table.end);
  if (tail === undefined || !fields.fileSize(fileBytes, tail.fileBytes)) return undefined;
  const { valueType, valueWidth } = elements;
  // The two parsers below make sure that the type of the elements goes with the layout.
  return {
    version: fields.version(),
    headerBytes: fields.bytes.length,
    features,
    fileBytes: tail.fileBytes,
    entries,
    keyBytes: 0,
    valueBytes: stated.valueBytes,
    layout,
    hash: { algorithm: 'none', seed: 0 },
    segmentBits,
    bucketBits: 0,
    eighths: 0,
    index: null,
    narrowed: false,
    keyType: 'bytes',
    fingerprint: null,
    valueType,
    base: elements.base,
    length,
    perSegment: each,
    keyWidth: 0,
    valueWidth: valueWidth === VARIABLE ? null : valueWidth,
    shard: { index: 0, bits: 0 },
    segments,
    dictionary: null,
    checksums: tail.checksums,
    metadata: tail.metadata,
  } as KeylessHeader;
}

/** Whether the fields that are the same in every file without keys are valid. */
function hasNoKeys(fields: HeaderFields, stated: StatedSums): boolean {
  const fits = [
    fields.is('hashAlgorithm', 0, fields.u8(HEADER.hashAlgorithm)),
    fields.is('checksumAlgorithm', CHECKSUM_XXH64, fields.u8(HEADER.checksumAlgorithm)),
    fields.is('offsetBits', 0, fields.u8(HEADER.offsetBits)),
    fields.atMost('segmentBits', MAX_SEGMENT_BITS, fields.u8(HEADER.segmentBits)),
    fields.is('bucketBits', 0, fields.u8(HEADER.bucketBits)),
    fields.is('bucketEighths', 0, fields.u8(HEADER.bucketEighths)),
    fields.is('narrowed', 0, fields.u8(HEADER.narrowed)),
    isZero(fields, 'indexOffset', fields.u64('indexOffset')),
    fields.is('shardBits', 0, fields.u8(HEADER.shardBits)),
    fields.is('shardIndex', 0, fields.u32(HEADER.shardIndex)),
    fields.atMost('keyType', 0, fields.u8(HEADER.keyType)),
    isZero(fields, 'keyBytes', stated.keyBytes),
    fields.metadataSize(),
  ];
  return !fits.includes(false);
}

/** Whether a u64 is 0; one that no field may have has been noted. */
function isZero(fields: HeaderFields, name: 'keyBytes' | 'indexOffset', value: number): boolean {
  return value < MAX_U64 && fields.is(name, 0, value);
}

function parseBits(fields: HeaderFields): Elements | undefined {
  const code = fields.u8(HEADER.valueType);
  if (!fields.need(code === codeOf('none'), 'valueType', '0', code)) return undefined;
  const spare = fields.u8(HEADER.spareBits);
  return withBase(fields, BITS, [
    fields.is('elementBits', 0, fields.u8(HEADER.elementBits)),
    fields.is('elementSigned', 0, fields.u8(HEADER.elementSigned)),
    fields.need(spare < 32, 'spareBits', 'at most 31', spare),
  ]);
}

function parseElements(fields: HeaderFields): Elements | undefined {
  const code = fields.u8(HEADER.valueType);
  const bits = fields.u8(HEADER.elementBits);
  const signed = fields.u8(HEADER.elementSigned);
  if (code === PACKED) {
    const name = `${signed === 1 ? 'i' : 'u'}${bits}` as PackedType;
    return withBase(fields, { kind: 'fixed', bits, valueWidth: 0, valueType: name }, [
      fields.need(bits >= 1 && bits <= MAX_FIELD_BITS, 'elementBits', `1 to ${MAX_FIELD_BITS}`, bits),
      fields.need(signed <= 1, 'elementSigned', '0 or 1', signed),
      fields.is('spareBits', 0, fields.u8(HEADER.spareBits)),
    ]);
  }
  const type = LIST_TYPES.get(code);
  const expected = `one of ${[...LIST_TYPES.keys(), PACKED].join(', ')}`;
  if (!fields.need(type !== undefined, 'valueType', expected, code) || type === undefined) return undefined;
  return withBase(fields, type, [
    fields.is('elementBits', 0, bits),
    fields.is('elementSigned', 0, signed),
    fields.is('spareBits', 0, fields.u8(HEADER.spareBits)),
  ]);
}

/** Checks the fields that all files without keys have; `own` are the checks of those that differ. */
function withBase(fields: HeaderFields, type: ElementType, own: readonly boolean[]): Elements | undefined {
  const stated = fields.view.getBigInt64(HEADER.base, true);
  const base = Number(stated);
  const fits = [
    ...own,
    fields.is('keyWidth', 0, fields.u32(HEADER.keyWidth)),
    fields.is('hashSeed', 0, fields.u32(HEADER.hashSeed)),
    fields.is('valueWidth', type.valueWidth, fields.u32(HEADER.valueWidth)),
    fields.need(Number.isSafeInteger(base) && BigInt(base) === stated, 'base', 'a safe integer', stated),
  ];
  return fits.includes(false) ? undefined : { ...type, base };
}

/** The segments of a file, and how many elements they hold. */
interface Segments {
  readonly segments: SegmentPlace[];
  /** Where the last segment's padding ends. */
  readonly end: number;
  /** Elements of a full segment. */
  readonly each: number;
  /** Integers, from the base on, that the file covers. */
  readonly length: number;
}

/** `undefined` if the rows leave open where elements lie. */
function parseSegments(fields: HeaderFields, form: Elements, valueBytes: number): Segments | undefined {
  const { kind } = form;
  const segmentBits = fields.u8(HEADER.segmentBits);
  const count = 2 ** segmentBits;
  const full = kind === 'bits' ? fullBits(fields, form, count, valueBytes) : fullElements(fields, form, count);
  if (full === undefined) return undefined;
  const { each } = full;
  let { length } = full;

  const segments: SegmentPlace[] = [];
  let end = fields.bytes.length;
  let [before, used, data] = [each, 0, 0];
  for (let i = 0; i < count; i++) {
    const offset = fields.rowU64(i, SEGMENT_ROW.offset);
    const bytes = fields.rowU64(i, SEGMENT_ROW.bytes);
    const entries = fields.rowU64(i, SEGMENT_ROW.entries);
    const elements = kind === 'bits' ? countIn(i, each, length) : entries;
    const inOrder = kind === 'bits' || (entries <= each && (entries === 0 || before === each));
    const expected = () => (before === each ? `with at most ${each} elements` : 'with no elements');
    const placed = fields.row(offset === end, i, SEGMENT_ROW.offset, () => `at ${end}`, offset);
    const counted = placed && fields.row(inOrder, i, SEGMENT_ROW.entries, expected, entries);
    if (!counted) return undefined;
    const least = kind === 'offsets' ? dataStart(form, elements) : keylessSegmentSize(form, elements);
    const most = kind === 'offsets' ? MAX_SEGMENT_BYTES : Math.min(least, MAX_SEGMENT_BYTES);
    const fits = bytes >= least && bytes <= most;
    if (!fields.row(fits, i, SEGMENT_ROW.bytes, () => `of ${least} to ${most} bytes`, bytes)) return undefined;
    const holds = () => `with at most ${elements} entries`;
    if (!fields.row(entries <= elements, i, SEGMENT_ROW.entries, holds, entries)) return undefined;
    segments.push({ offset, bytes, entries });
    end = align(offset + bytes);
    before = elements;
    if (elements > 0) used = i + 1;
    data += kind === 'offsets' ? bytes - least : dataBytes(form, elements);
    if (kind !== 'bits') length += entries;
  }
  const needed = count === 1 || used > count / 2;
  if (!fields.need(needed, 'segmentBits', `for ${used} segments with elements`, segmentBits)) return undefined;
  const even = kind !== 'offsets' || each === Math.ceil(length / count);
  if (!fields.row(even, 0, SEGMENT_ROW.entries, () => 'the same in every segment', each)) return undefined;
  if (kind === 'bits' && count > 1 && each % RUN_BITS !== 0) return undefined;
  if (valueBytes < MAX_U64) fields.need(valueBytes === data, 'valueBytes', data, valueBytes);
  const last = form.base + Math.max(0, length - 1);
  const reachable = Number.isSafeInteger(last);
  if (!fields.need(reachable, 'base', 'a safe integer for each element', form.base)) return undefined;
  return { segments, end, each, length };
}

type Full = Pick<Segments, 'each' | 'length'>;

/** Bits of a full segment, and of the file. */
function fullBits(fields: HeaderFields, form: KeylessForm, count: number, valueBytes: number): Full | undefined {
  // A sum that no field may hold has been noted.
  if (valueBytes >= MAX_U64) return undefined;
  const spare = fields.u8(HEADER.spareBits);
  const length = 8 * valueBytes - spare;
  const rounded = valueBytes % 4 === 0 && spare <= 8 * valueBytes && length < MAX_U64;
  if (!fields.need(rounded, 'valueBytes', 'whole words that hold the spare bits', valueBytes)) return undefined;
  const bytes = fields.rowU64(0, SEGMENT_ROW.bytes);
  const each = count === 1 ? length : bitsOfSize(form, bytes);
  fields.row(each !== undefined, 0, SEGMENT_ROW.bytes, () => 'with whole runs of bits', bytes);
  if (each === undefined) return undefined;
  const most = Math.min(count * each, count * MOST_ELEMENTS);
  if (!fields.need(length <= most, 'valueBytes', `at most ${most} bits`, valueBytes)) return undefined;
  return { each, length };
}

/** Elements of a full segment of a list; how many the file has follows from all rows. */
function fullElements(fields: HeaderFields, { kind }: KeylessForm, count: number): Full | undefined {
  const each = fields.rowU64(0, SEGMENT_ROW.entries);
  const fits = (count === 1 || kind === 'offsets' || each % GROUP === 0) && each <= MOST_ELEMENTS;
  const expected = () => `with at most ${MOST_ELEMENTS} elements in groups of ${GROUP}`;
  return fields.row(fits, 0, SEGMENT_ROW.entries, expected, each) ? { each, length: 0 } : undefined;
}
