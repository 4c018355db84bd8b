// The header's fields of files without keys (native-notes/format.md, sections 3 and 15): lists and bit arrays. Knows bytes and rules; does not know
// files, nor what the elements mean.

import { MAX_U64, readU64 } from '../base/bytes.js';
import { alignToPage, HEADER, type Layout, MAX_SEGMENT_BYTES, SEGMENT_ROW, VARIABLE } from './constants.js';
import type { Need, SegmentPlace } from './header.js';
import {
  bitsOfSize,
  COUNTED,
  countIn,
  dataBytes,
  dataStart,
  GROUP,
  type KeylessForm,
  keylessSegmentSize,
  MOST_ELEMENTS,
} from './keyless.js';
import { MAX_FIELD_BITS } from './schema.js';
import { PACKED, type PackedType, VALUE_TYPES, type ValueType } from './value-types.js';

/** What the header of a file says of its elements. */
export interface ElementFields extends KeylessForm {
  readonly valueType: ValueType | PackedType;
  /** In bytes, or VARIABLE. */
  readonly valueWidth: number;
  readonly signed: boolean;
  /** The first integer, or index. */
  readonly base: number;
}

const LIST_CODES = new Map<number, Pick<ElementFields, 'kind' | 'bits' | 'valueWidth'>>([
  [VALUE_TYPES.indexOf('bytes'), { kind: 'offsets', bits: 0, valueWidth: VARIABLE }],
  [VALUE_TYPES.indexOf('utf8'), { kind: 'offsets', bits: 0, valueWidth: VARIABLE }],
  [VALUE_TYPES.indexOf('f32'), { kind: 'fixed', bits: 32, valueWidth: 4 }],
  [VALUE_TYPES.indexOf('f64'), { kind: 'fixed', bits: 64, valueWidth: 8 }],
]);

/** Checks and gives what the header says of the elements; `undefined` where that leaves open how they lie. */
export function examineElements(view: DataView, layout: Layout, need: Need): ElementFields | undefined {
  const code = view.getUint8(HEADER.valueType);
  const bits = view.getUint8(HEADER.elementBits);
  const signed = view.getUint8(HEADER.elementSigned);
  const valueWidth = view.getUint32(HEADER.valueWidth, true);
  const packed = layout === 'list' && code === PACKED;
  const name = `${signed === 1 ? 'i' : 'u'}${bits}` as PackedType;
  const of: Omit<ElementFields, 'signed' | 'base'> | undefined =
    layout === 'bits'
      ? code === 0
        ? { kind: 'bits', bits: 1, valueWidth: 0, valueType: 'none' }
        : undefined
      : packed
        ? { kind: 'fixed', bits, valueWidth: 0, valueType: name }
        : LIST_CODES.has(code)
          ? { ...LIST_CODES.get(code)!, valueType: VALUE_TYPES[code]! }
          : undefined;
  const expected = layout === 'bits' ? '0' : `one of ${[...LIST_CODES.keys(), PACKED].join(', ')}`;
  if (!need(of !== undefined, 'valueType', expected, code) || of === undefined) return undefined;
  const big = view.getBigInt64(HEADER.base, true);
  const base = Number(big);
  const zero = (field: 'keyWidth' | 'hashSeed' | 'spareBits' | 'elementBits' | 'elementSigned', actual: number) =>
    need(actual === 0, field, 0, actual);
  const spare = view.getUint8(HEADER.spareBits);
  const fits = [
    zero('keyWidth', view.getUint32(HEADER.keyWidth, true)),
    zero('hashSeed', view.getUint32(HEADER.hashSeed, true)),
    need(valueWidth === of.valueWidth, 'valueWidth', of.valueWidth, valueWidth),
    packed
      ? need(bits >= 1 && bits <= MAX_FIELD_BITS, 'elementBits', `1 to ${MAX_FIELD_BITS}`, bits)
      : zero('elementBits', bits),
    packed ? need(signed <= 1, 'elementSigned', '0 or 1', signed) : zero('elementSigned', signed),
    layout === 'bits' ? need(spare < 32, 'spareBits', 'at most 31', spare) : zero('spareBits', spare),
    need(Number.isSafeInteger(base) && BigInt(base) === big, 'base', 'a safe integer', big),
  ];
  return fits.includes(false) ? undefined : { ...of, signed: signed === 1, base };
}

/** The segments of a file, and how many elements they hold; `undefined` where they leave open where elements lie. */
export interface KeylessSegments {
  readonly segments: SegmentPlace[];
  readonly end: number;
  /** Elements of a full segment. */
  readonly each: number;
  /** Integers, from the base on, that the file has something for. */
  readonly length: number;
}

export function examineSegments(
  view: DataView,
  segmentBits: number,
  form: ElementFields,
  valueBytes: number,
  need: Need,
): KeylessSegments | undefined {
  const { kind } = form;
  const count = 2 ** segmentBits;
  const row = (i: number) => HEADER.segmentTable + SEGMENT_ROW.size * i;
  const field = (fits: boolean, expected: string, actual: number, i: number, at: number): boolean =>
    fits || need(false, 'segmentTable', `segment ${i} ${expected}`, actual, row(i) + at, row(i) + at + 8);
  const entriesOf = (i: number) => readU64(view, row(i) + SEGMENT_ROW.entries);
  const bytesOf = (i: number) => readU64(view, row(i) + SEGMENT_ROW.bytes);

  let each: number;
  let length = 0;
  if (kind === 'bits') {
    // A sum that no field may hold has been told.
    if (valueBytes >= MAX_U64) return undefined;
    const spare = view.getUint8(HEADER.spareBits);
    length = 8 * valueBytes - spare;
    const rounded = valueBytes % 4 === 0 && spare <= 8 * valueBytes && length < MAX_U64;
    if (!need(rounded, 'valueBytes', 'whole words that hold the spare bits', valueBytes)) return undefined;
    const full = count === 1 ? length : bitsOfSize(form, bytesOf(0));
    if (!field(full !== undefined, 'with whole runs of bits', bytesOf(0), 0, SEGMENT_ROW.bytes)) return undefined;
    each = full!;
    const most = Math.min(count * each, count * MOST_ELEMENTS);
    if (!need(length <= most, 'valueBytes', `at most ${most} bits`, valueBytes)) return undefined;
  } else {
    each = entriesOf(0);
    const grouped = count === 1 || kind === 'offsets' || each % GROUP === 0;
    const most = MOST_ELEMENTS;
    if (!field(grouped && each <= most, `with at most ${most} elements in groups of ${GROUP}`, each, 0, 16))
      return undefined;
  }

  const segments: SegmentPlace[] = [];
  let end = view.byteLength;
  let [before, used, data] = [each, 0, 0];
  for (let i = 0; i < count; i++) {
    const offset = readU64(view, row(i) + SEGMENT_ROW.offset);
    const bytes = bytesOf(i);
    const entries = entriesOf(i);
    const elements = kind === 'bits' ? countIn(i, each, length) : entries;
    const inOrder = kind === 'bits' || (entries <= each && (entries === 0 || before === each));
    const expected = before === each ? `with at most ${each} elements` : 'with no elements';
    const placed = field(offset === end, `at ${end}`, offset, i, SEGMENT_ROW.offset);
    const counted = placed && field(inOrder, expected, entries, i, SEGMENT_ROW.entries);
    if (!counted) return undefined;
    const least = kind === 'offsets' ? dataStart(form, elements) : keylessSegmentSize(form, elements);
    const most = kind === 'offsets' ? MAX_SEGMENT_BYTES : Math.min(least, MAX_SEGMENT_BYTES);
    if (!field(bytes >= least && bytes <= most, `of ${least} to ${most} bytes`, bytes, i, SEGMENT_ROW.bytes)) {
      return undefined;
    }
    if (!field(entries <= elements, `with at most ${elements} entries`, entries, i, SEGMENT_ROW.entries)) {
      return undefined;
    }
    segments.push({ offset, bytes, entries });
    end = alignToPage(offset + bytes);
    before = elements;
    if (elements > 0) used = i + 1;
    data += kind === 'offsets' ? bytes - least : dataBytes(form, elements);
    if (kind !== 'bits') length += entries;
  }
  if (count > 1 && !need(used > count / 2, 'segmentBits', `for ${used} segments with elements`, segmentBits)) {
    return undefined;
  }
  if (kind === 'offsets' && !field(each === Math.ceil(length / count), `of an equal part`, each, 0, 16))
    return undefined;
  if (kind === 'bits' && count > 1 && each % COUNTED !== 0) return undefined;
  if (valueBytes < MAX_U64) need(valueBytes === data, 'valueBytes', data, valueBytes);
  const last = form.base + Math.max(0, length - 1);
  if (!need(Number.isSafeInteger(last), 'base', 'a safe integer for each element', form.base)) return undefined;
  return { segments, end, each, length };
}
