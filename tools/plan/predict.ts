// The bytes that a file of each representation has, by part, before it is built. Pure arithmetic over facts: knows no input and no rival.
//
// A representation is one row of the lists below.

import {
  alignToPage,
  blockCount,
  bucketArraySize,
  dictionarySize,
  headerSize,
  heapStart,
  indexWidth,
  MAX_SEGMENT_BYTES,
  MAX_WRITTEN_SEGMENT_BITS,
  PAGE,
  VARIABLE,
} from '../../src/format/constants.js';
import { shapeOf } from '../../src/format/shape.js';
import { INTEGER_RANGES, type ValueType, valueWidthOf } from '../../src/format/value-types.js';
import { type Facts, type Lengths, lengthsOf, type Range, type ValueFacts } from './facts.js';

/** What a file's bytes are spent on, in bytes; as `hmap stat` has it. */
export interface Parts {
  readonly header: number;
  /** Bucket array, or the index of a bit array. */
  readonly buckets: number;
  /** Lengths of keys and values, or the offsets of a list. */
  readonly lengths: number;
  readonly keys: number;
  /** Those of `enum` with their dictionary. */
  readonly values: number;
  readonly checksums: number;
  readonly padding: number;
}

export const PART_NAMES = ['header', 'buckets', 'lengths', 'keys', 'values', 'checksums', 'padding'] as const;

export interface Representation {
  readonly name: string;
  /** What `hmap build` is told to make it. */
  readonly options: readonly string[];
  readonly parts: Parts;
  readonly total: number;
}

interface KeyForm {
  readonly name: string;
  /** Lengths of the keys in this form, where it holds all of them. */
  lengths(facts: Facts): Lengths | undefined;
}

interface ValueForm {
  readonly name: string;
  /** In bytes, or VARIABLE. */
  width(values: ValueFacts): number;
  /** Lengths of the values in this form, where it holds all of them. */
  lengths(values: ValueFacts, entries: number): Lengths | undefined;
  /** Bytes of values beside the records. */
  extra?(values: ValueFacts): number;
}

interface Layout {
  readonly name: string;
  options(facts: Facts): readonly string[];
  /** The parts of the one section between header and checksums, where the layout holds the entries. */
  section(facts: Facts): Partial<Parts> | undefined;
}

const within = (range: Range | undefined, least: bigint, most: bigint) =>
  range !== undefined && range.least >= least && range.most <= most;

/** Bits that hold the range, and whether they are signed; `undefined` above 53, the most that a number holds. */
export function elementBits({ least, most }: Range): { bits: number; signed: boolean } | undefined {
  const signed = least < 0n;
  for (let bits = 1; bits <= 53; bits++) {
    const [low, high] = signed
      ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n]
      : [0n, 2n ** BigInt(bits) - 1n];
    if (least >= low && most <= high) return { bits, signed };
  }
  return undefined;
}

const typedKey = (name: string, width: number, holds: (facts: Facts) => boolean): KeyForm => ({
  name,
  lengths: (facts) => (holds(facts) ? lengthsOf(facts.entries, width) : undefined),
});

const KEY_FORMS: readonly KeyForm[] = [
  { name: 'bytes', lengths: ({ keys }) => keys.lengths },
  typedKey('u32', 4, ({ keys }) => within(keys.integers, ...INTEGER_RANGES.u32!)),
  typedKey('u64', 8, ({ keys }) => within(keys.integers, ...INTEGER_RANGES.u64!)),
  typedKey('i64', 8, ({ keys }) => within(keys.integers, ...INTEGER_RANGES.i64!)),
  typedKey('uuid', 16, ({ keys }) => keys.uuid),
  { name: 'hex', lengths: ({ keys }) => keys.hex },
];

/** A type of one width. */
function fixed(name: ValueType, holds: (values: ValueFacts) => boolean): ValueForm {
  const width = valueWidthOf(name);
  const lengths: ValueForm['lengths'] = (values, entries) => (holds(values) ? lengthsOf(entries, width) : undefined);
  return { name, width: () => width, lengths };
}

function integer(name: ValueType, kind: 'numbers' | 'bigs' = 'numbers'): ValueForm {
  return fixed(name, (values) => values.holds[kind] && within(values.integers, ...INTEGER_RANGES[name]!));
}

function narrow(bytes: number): ValueForm {
  const most = 2n ** BigInt(8 * bytes) - 1n;
  return {
    name: `u${8 * bytes}`,
    width: () => bytes,
    lengths: (values, entries) =>
      values.holds.numbers && within(values.integers, 0n, most) ? lengthsOf(entries, bytes) : undefined,
  };
}

function variable(name: 'utf8' | 'json' | 'bytes', of: 'text' | 'json'): ValueForm {
  const lengths: ValueForm['lengths'] = (values) => (values.holds[name] ? values[of] : undefined);
  return { name, width: () => VARIABLE, lengths };
}

/** In the order in which one is recommended where several are as small. */
const VALUE_FORMS: readonly ValueForm[] = [
  fixed('none', ({ holds }) => holds.none),
  variable('utf8', 'text'),
  variable('json', 'json'),
  variable('bytes', 'text'),
  integer('u8'),
  integer('i8'),
  integer('u16'),
  integer('i16'),
  narrow(3),
  integer('u32'),
  integer('i32'),
  narrow(5),
  narrow(6),
  integer('u64', 'bigs'),
  integer('i64', 'bigs'),
  fixed('f32', ({ holds }) => holds.f32),
  fixed('f64', ({ holds }) => holds.f64),
  {
    name: 'enum',
    width: ({ distinct }) => indexWidth(distinct!.count),
    lengths: ({ distinct, holds }, entries) =>
      distinct !== undefined && holds.utf8 ? lengthsOf(entries, indexWidth(distinct.count)) : undefined,
    extra: ({ distinct }) => dictionarySize(distinct!.count, distinct!.bytes),
  },
];

/** Whether the keys are the integers from the least to the most, each once, in that order, as a list takes them. */
function isSequence({ entries, keys }: Facts): boolean {
  const range = keys.integers;
  return (
    keys.inOrder && range !== undefined && range.most - range.least + 1n === BigInt(entries) && isBase(range.least)
  );
}

/** Whether a list or a bit array may begin there. */
const isBase = (least: bigint) => least >= -(2n ** 53n) + 1n && least < 2n ** 52n;

const baseOf = ({ keys }: Facts) => (keys.integers!.least === 0n ? [] : ['--base', String(keys.integers!.least)]);

const list = (
  name: string,
  section: (values: ValueFacts, entries: number) => Partial<Parts> | undefined,
  typeOf: (values: ValueFacts) => string = () => name,
): Layout => ({
  name: `list, ${name}`,
  options: (facts) => ['--layout', 'list', '--value', typeOf(facts.values!), ...baseOf(facts)],
  section: (facts) =>
    facts.values !== undefined && isSequence(facts) ? section(facts.values, facts.entries) : undefined,
});

/** Bits of a bit array that one number of its index counts. */
const INDEXED_BITS = 2048n;
/** Zeros behind the elements of one width, in bytes. */
const BEHIND = 8;

const LAYOUTS: readonly Layout[] = [
  list(
    'packed integers',
    ({ holds, integers }, entries) => {
      const element = holds.numbers && integers !== undefined ? elementBits(integers) : undefined;
      return element && { values: Math.ceil((element.bits * entries) / 8), padding: BEHIND };
    },
    ({ integers }) => {
      const { bits, signed } = elementBits(integers!)!;
      return `${signed ? 'i' : 'u'}${bits}`;
    },
  ),
  list('f32', ({ holds }, entries) => (holds.f32 ? { values: 4 * entries, padding: BEHIND } : undefined)),
  list('f64', ({ holds }, entries) => (holds.f64 ? { values: 8 * entries, padding: BEHIND } : undefined)),
  list('utf8', ({ holds, text }, entries) =>
    holds.utf8 ? { buckets: 4 * (entries + 1), values: text.bytes } : undefined,
  ),
  {
    name: 'bits',
    options: (facts) => ['--layout', 'bits', ...baseOf(facts)],
    section: ({ values, keys: { integers } }) => {
      if (values !== undefined || integers === undefined || !isBase(integers.least)) return undefined;
      const bits = integers.most - integers.least + 1n;
      if (bits > 2n ** 48n) return undefined;
      return { values: 4 * Number((bits + 31n) / 32n), buckets: 4 * Number((bits + INDEXED_BITS - 1n) / INDEXED_BITS) };
    },
  },
];

/** Every representation that holds the entries without loss, the smallest first. */
export function representations(facts: Facts, { segmentLimit = MAX_SEGMENT_BYTES } = {}): Representation[] {
  const found: Representation[] = [];
  const set = facts.values === undefined;
  for (const key of KEY_FORMS) {
    const keys = key.lengths(facts);
    if (keys === undefined) continue;
    const keyed = key.name === 'bytes' ? [] : ['--key', key.name];
    for (const value of VALUE_FORMS) {
      const values = valuesOf(value, facts);
      if (values === undefined) continue;
      const names = [value.name === 'none' ? 'set' : 'map', ...keyed.slice(1).map((name) => `${name} keys`)];
      if (value.name !== 'none') names.push(value.name);
      const width = set ? 0 : value.width(facts.values);
      const extra = set ? 0 : (value.extra?.(facts.values) ?? 0);
      const parts = hashParts(facts.entries, keys, values, width, extra, segmentLimit);
      const options = [...keyed, '--value', value.name];
      found.push(made(names.join(', '), options, parts));
    }
  }
  for (const { name, options, section } of LAYOUTS) {
    const parts = section(facts);
    if (parts !== undefined) found.push(made(name, options(facts), sectionParts(parts)));
  }
  // Whole pages make small files equal: then less in them comes first, and where that is equal, too, the order of the lists stands.
  const used = ({ total, parts }: Representation) => total - parts.padding;
  return found.sort((a, b) => a.total - b.total || used(a) - used(b));
}

function valuesOf(form: ValueForm, { values, entries }: Facts): Lengths | undefined {
  if (values !== undefined) return form.lengths(values, entries);
  return form.name === 'none' ? lengthsOf(entries, 0) : undefined;
}

function made(name: string, options: readonly string[], parts: Parts): Representation {
  return { name, options, parts, total: PART_NAMES.reduce((sum, part) => sum + parts[part], 0) };
}

/** Exact for a file of one segment; where there are more, keys are taken to spread evenly over them, and padding to be half a page each. */
function hashParts(
  entries: number,
  keys: Lengths,
  values: Lengths,
  valueWidth: number,
  extra: number,
  segmentLimit: number,
): Parts {
  const most = keys.prefixes + keys.bytes + values.bytes + (valueWidth === VARIABLE ? values.prefixes : 0);
  const classes = 2 ** MAX_WRITTEN_SEGMENT_BITS;
  const sums = {
    entries,
    keyBytes: keys.bytes,
    valueBytes: values.bytes,
    shortestKey: keys.shortest,
    longestKey: keys.longest,
    shortestValue: values.shortest,
    longestValue: values.longest,
    bytesByHash: new Float64Array(classes).fill(most / classes),
  };
  const shape = shapeOf(sums, valueWidth, segmentLimit);
  const segments = 2 ** shape.segmentBits;
  const lengths =
    (shape.keyWidth === VARIABLE ? keys.prefixes : 0) + (shape.valueWidth === VARIABLE ? values.prefixes : 0);
  const heap = lengths + keys.bytes + values.bytes;
  const arrays = bucketArraySize(shape.bucketBits);
  return finished({
    header: headerSize(shape.segmentBits, 0),
    buckets: segments * arrays,
    lengths,
    keys: keys.bytes,
    values: values.bytes + extra,
    padding:
      segments * (heapStart(shape.bucketBits) - arrays) +
      (segments === 1 ? alignToPage(heap) - heap : (segments * PAGE) / 2) +
      (alignToPage(extra) - extra),
  });
}

/** A file of one segment with an index, if any, and elements. */
function sectionParts({ buckets = 0, values = 0, padding: behind = 0 }: Partial<Parts>): Parts {
  const padding = alignToPage(buckets) - buckets + alignToPage(values + behind) - values;
  return finished({ header: headerSize(0, 0), buckets, lengths: 0, keys: 0, values, padding });
}

function finished(parts: Omit<Parts, 'checksums'>): Parts {
  const { header, buckets, lengths, keys, values, padding } = parts;
  const end = header + buckets + lengths + keys + values + padding;
  return { header, buckets, lengths, keys, values, checksums: 8 * blockCount(header, end), padding };
}
