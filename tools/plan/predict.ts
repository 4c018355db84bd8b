// The bytes that a file of each representation has, by part, before it is built. Pure arithmetic over facts: knows no
// input and no rival.
//
// A representation is one row of the lists below.

import type { ValueType } from '../../src/index.js';
import {
  dictionarySize,
  FINGERPRINT_BITS,
  INTEGER_RANGES,
  indexWidth,
  type KeylessForm,
  MAX_SEGMENT_BYTES,
  predictKeylessSections,
  predictTable,
  VARIABLE,
  valueWidthOf,
} from '../../src/internal.js';
import { type Facts, type Lengths, lengthsOf, type Range, type ValueFacts } from './facts.js';

/** What a file's bytes are spent on, in bytes; as `hmap stat` has it. */
export interface Parts {
  readonly header: number;
  /** The index of a table or of a bit array. */
  readonly buckets: number;
  /** Lengths of keys and values, or the offsets of a list. */
  readonly lengths: number;
  /** Or fingerprints in their place. */
  readonly keys: number;
  /** Those of `enum` with their dictionary. */
  readonly values: number;
  readonly checksums: number;
  readonly padding: number;
}

export const PART_NAMES = ['header', 'buckets', 'lengths', 'keys', 'values', 'checksums', 'padding'] as const;

export interface Representation {
  readonly name: string;
  /** The options of `hmap build` that make it. */
  readonly options: readonly string[];
  readonly parts: Parts;
  readonly total: number;
}

/** A table with fingerprints in place of keys. */
export interface Fingerprinted extends Representation {
  readonly falsePositiveRate: number;
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

/** Elements without keys: how they lie, how many there are, and their bytes. */
interface Elements {
  readonly form: KeylessForm;
  readonly count: number;
  readonly bytes: number;
}

interface Layout {
  readonly name: string;
  options(facts: Facts): readonly string[];
  /** What the layout stores of the entries, if it holds all of them. */
  elements(facts: Facts): Elements | undefined;
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
  elements: (values: ValueFacts, entries: number) => Elements | undefined,
  typeOf: (values: ValueFacts) => string = () => name,
): Layout => ({
  name: `list, ${name}`,
  options: (facts) => ['--layout', 'list', '--value', typeOf(facts.values!), ...baseOf(facts)],
  elements: (facts) =>
    facts.values !== undefined && isSequence(facts) ? elements(facts.values, facts.entries) : undefined,
});

/** Elements of `bits` bits each. */
const fixedElements = (bits: number, count: number): Elements => ({
  form: { kind: 'fixed', bits },
  count,
  bytes: Math.ceil((bits * count) / 8),
});

const LAYOUTS: readonly Layout[] = [
  list(
    'packed integers',
    ({ holds, integers }, entries) => {
      const element = holds.numbers && integers !== undefined ? elementBits(integers) : undefined;
      return element && fixedElements(element.bits, entries);
    },
    ({ integers }) => {
      const { bits, signed } = elementBits(integers!)!;
      return `${signed ? 'i' : 'u'}${bits}`;
    },
  ),
  list('f32', ({ holds }, entries) => (holds.f32 ? fixedElements(32, entries) : undefined)),
  list('f64', ({ holds }, entries) => (holds.f64 ? fixedElements(64, entries) : undefined)),
  list('utf8', ({ holds, text }, entries) =>
    holds.utf8 ? { form: { kind: 'offsets', bits: 0 }, count: entries, bytes: text.bytes } : undefined,
  ),
  {
    name: 'bits',
    options: (facts) => ['--layout', 'bits', ...baseOf(facts)],
    elements: ({ values, keys: { integers } }) => {
      if (values !== undefined || integers === undefined || !isBase(integers.least)) return undefined;
      const bits = integers.most - integers.least + 1n;
      if (bits > 2n ** 48n) return undefined;
      return { form: { kind: 'bits', bits: 1 }, count: Number(bits), bytes: 4 * Number((bits + 31n) / 32n) };
    },
  },
];

/** Every representation that holds the entries without loss, the smallest first. */
export function representations(facts: Facts, { segmentLimit = MAX_SEGMENT_BYTES } = {}): Representation[] {
  const found: Representation[] = [];
  for (const key of KEY_FORMS) {
    const keys = key.lengths(facts);
    if (keys === undefined) continue;
    const keyed = key.name === 'bytes' ? [] : ['--key', key.name];
    for (const value of VALUE_FORMS) {
      const values = valuesOf(value, facts);
      if (values === undefined) continue;
      const names = [value.name === 'none' ? 'set' : 'map', ...keyed.slice(1).map((name) => `${name} keys`)];
      if (value.name !== 'none') names.push(value.name);
      const { parts } = hashParts(facts, keys, value, values, segmentLimit);
      const options = [...keyed, '--value', value.name];
      found.push(made(names.join(', '), options, parts));
    }
  }
  for (const { name, options, elements } of LAYOUTS) {
    const stored = elements(facts);
    if (stored === undefined) continue;
    const sections = predictKeylessSections(stored.form, stored.count, stored.bytes);
    found.push(made(name, options(facts), partsOf(sections, 0, 0, stored.bytes)));
  }
  // Whole pages make small files equal: then less in them comes first, and where that is equal, too, the order of the
  // lists stands.
  const used = ({ total, parts }: Representation) => total - parts.padding;
  return found.sort((a, b) => a.total - b.total || used(a) - used(b));
}

/** The smallest table with fingerprints of so many bits, for each number of bits that there can be. */
export function fingerprinted(facts: Facts, { segmentLimit = MAX_SEGMENT_BYTES } = {}): Fingerprinted[] {
  return FINGERPRINT_BITS.map((bits) => {
    const found: Fingerprinted[] = [];
    for (const value of VALUE_FORMS) {
      const values = valuesOf(value, facts);
      if (values === undefined) continue;
      const keys = lengthsOf(facts.entries, bits / 8);
      const { parts, falsePositiveRate } = hashParts(facts, keys, value, values, segmentLimit, bits);
      const names = [value.name === 'none' ? 'set' : `map, ${value.name}`, `fingerprints of ${bits} bits`];
      const options = ['--fingerprint', String(bits), '--value', value.name];
      found.push({ ...made(names.join(', '), options, parts), falsePositiveRate });
    }
    return found.reduce((least, one) => (one.total < least.total ? one : least));
  });
}

function valuesOf(form: ValueForm, { values, entries }: Facts): Lengths | undefined {
  if (values !== undefined) return form.lengths(values, entries);
  return form.name === 'none' ? lengthsOf(entries, 0) : undefined;
}

function made(name: string, options: readonly string[], parts: Parts): Representation {
  return { name, options, parts, total: PART_NAMES.reduce((sum, part) => sum + parts[part], 0) };
}

function hashParts(
  { entries, values: facts }: Facts,
  keys: Lengths,
  form: ValueForm,
  values: Lengths,
  segmentLimit: number,
  fingerprintBits?: number,
): { parts: Parts; falsePositiveRate: number } {
  const valueWidth = facts === undefined ? 0 : form.width(facts);
  const dictionary = facts === undefined ? 0 : (form.extra?.(facts) ?? 0);
  const table = { entries, keys, values, valueWidth, dictionary, segmentLimit };
  const { sections, prefixes, falsePositiveRate } = predictTable({
    ...table,
    ...(fingerprintBits !== undefined && { fingerprintBits }),
  });
  const parts = partsOf(sections, prefixes, keys.bytes + sections.fingerprints, values.bytes + dictionary);
  return { parts, falsePositiveRate };
}

/** The parts of a file with these sections: what is in the heap and the dictionary, instead of them. */
function partsOf(
  { header, buckets, checksums, padding }: ReturnType<typeof predictKeylessSections>,
  lengths: number,
  keys: number,
  values: number,
): Parts {
  return { header, buckets, lengths, keys, values, checksums, padding };
}
