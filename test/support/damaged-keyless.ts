// The damaged lists and bit arrays: one for each rule of section 15 of native-notes/format.md. Knows the rules; does
// not know how they are checked.

import type { FindingCode, Section } from '../../src/index.js';
import type { Damaged, Expected } from './damaged.js';
import { bitsPart, composeKeyless, keylessPlaces, offsetsPart, packedPart, type RawKeyless } from './raw-keyless.js';
import { FIELDS, type Field, type Raw, VARIABLE } from './raw-table.js';

const VALUES = [0, 1, 127, 64, 5, 99, 3, 2, 80, 7, 11];
const TEXTS = ['ant', '', 'bee', 'crow', 'dové'];
const ONES = [0, 5, 31, 32, 2047, 2048, 2049, 4100];

/** §15: a list of `u7`. */
const packed = (): RawKeyless => ({
  segments: [packedPart(7, VALUES)],
  fields: { features: 4, layout: 1, valueType: 19, elementBits: 7, valueBytes: 10 },
});

const segmented = (): RawKeyless => ({
  segments: [packedPart(7, VALUES.slice(0, 8)), packedPart(7, VALUES.slice(8))],
  fields: { features: 4, layout: 1, valueType: 19, elementBits: 7, valueBytes: 10 },
});

const texts = (): RawKeyless => ({
  segments: [offsetsPart(TEXTS.map((text) => Buffer.from(text)))],
  fields: { features: 4, layout: 1, valueType: 2, valueWidth: VARIABLE, valueBytes: 15 },
});

/** Whose offsets do not end at a multiple of 8. */
const fewTexts = (): RawKeyless => ({
  segments: [offsetsPart(['ant', 'bee'].map((text) => Buffer.from(text)))],
  fields: { features: 4, layout: 1, valueType: 2, valueWidth: VARIABLE, valueBytes: 6 },
});

const floats = (): RawKeyless => ({
  segments: [packedPart(32, [0x3f80_0000, 0x7fc0_0000])],
  fields: { features: 4, layout: 1, valueType: 12, valueWidth: 4, valueBytes: 8 },
});

const bits = (): RawKeyless => ({
  segments: [bitsPart(4110, ONES)],
  fields: { features: 8, layout: 2, valueBytes: 516, spareBits: 18 },
});

const segmentedBits = (): RawKeyless => ({
  segments: [bitsPart(2048, [1, 2]), bitsPart(40, [3])],
  fields: { features: 8, layout: 2, valueBytes: 264, spareBits: 24 },
});

/** The whole files, which nothing is wrong with. */
export const WHOLE_KEYLESS = { packed, segmented, texts, floats, bits, segmentedBits } as const;

function at(code: FindingCode, section: Section, offset: number, bytes: number): Expected {
  return { code, section, offset, end: offset + bytes };
}

function field(name: string, raw: RawKeyless, fields: RawKeyless['fields'], told: Field, code?: FindingCode): Damaged {
  const bytes = composeKeyless({ ...raw, fields: { ...raw.fields, ...fields } });
  const finding = at(code ?? 'HMAP_HEADER_FIELD', 'header', ...([...FIELDS[told]] as [number, number]));
  return { name: `plain-${name}`, bytes, finding, refused: code === undefined };
}

function row(
  name: string,
  raw: RawKeyless,
  segment: number,
  column: 'offset' | 'size' | 'entries',
  value: Raw,
): Damaged {
  const bytes = composeKeyless({ ...raw, rows: { [segment]: { [column]: value } } });
  const offset = 192 + 24 * segment + { offset: 0, size: 8, entries: 16 }[column];
  return { name: `plain-${name}`, bytes, finding: at('HMAP_HEADER_FIELD', 'header', offset, 8), refused: true };
}

/** A whole file with other bytes in a segment, from `offset` on in the index or the elements. */
function inside(
  name: string,
  raw: RawKeyless,
  where: 'index' | 'elements',
  offset: number,
  value: readonly number[],
  [code, from, length]: [FindingCode, number, number],
): Damaged {
  raw.segments[0]![where].set(value, offset);
  const { start, elements } = keylessPlaces(raw)[0]!;
  const section = where === 'index' ? 'buckets' : 'heap';
  const base = where === 'index' ? start : elements;
  const finding = at(code, section, base + from, length);
  return { name: `plain-${name}`, bytes: composeKeyless(raw), finding, refused: false };
}

function padding(name: string, raw: RawKeyless, from: 'index' | 'segment'): Damaged {
  const { start, end } = keylessPlaces(raw)[0]!;
  const part = raw.segments[0]!;
  if (from === 'index') part.index[part.indexEnd + 2] = 7;
  else part.padding = Uint8Array.of(0, 0, 7);
  const offset = (from === 'index' ? start + part.indexEnd : end) + 2;
  return {
    name: `plain-${name}`,
    bytes: composeKeyless(raw),
    finding: at('HMAP_PADDING', 'padding', offset, 1),
    refused: false,
  };
}

const tooLarge = 2n ** 53n;

export const DAMAGED_KEYLESS: readonly Damaged[] = [
  field('features-of-no-layout', packed(), { features: 0 }, 'features'),
  field('features-of-both', packed(), { features: 12 }, 'features'),
  field('layout-of-other-features', packed(), { features: 8 }, 'features'),
  field('hash-algorithm', packed(), { hashAlgorithm: 1 }, 'hashAlgorithm'),
  field('offset-bits', packed(), { offsetBits: 8 }, 'offsetBits'),
  field('bucket-eighths', packed(), { bucketEighths: 8 }, 'bucketEighths'),
  field('narrowed', packed(), { narrowed: 1 }, 'narrowed'),
  field('shard-bits', packed(), { shardBits: 1 }, 'shardBits'),
  field('shard-index', packed(), { shardIndex: 1 }, 'shardIndex'),
  field('index-offset', packed(), { indexOffset: 4096 }, 'indexOffset'),
  field('index-offset-too-large', packed(), { indexOffset: 2n ** 60n }, 'indexOffset'),
  field('key-bytes-too-large', packed(), { keyBytes: 2n ** 60n }, 'keyBytes'),
  field('bucket-bits', packed(), { bucketBits: 1 }, 'bucketBits'),
  field('hash-seed', packed(), { hashSeed: 1 }, 'hashSeed'),
  field('key-bytes', packed(), { keyBytes: 1 }, 'keyBytes'),
  field('key-width', packed(), { keyWidth: VARIABLE }, 'keyWidth'),
  field('value-type', packed(), { valueType: 8 }, 'valueType'),
  field('value-type-of-bits', bits(), { valueType: 2 }, 'valueType'),
  field('value-width', packed(), { valueWidth: 1 }, 'valueWidth'),
  field('value-width-of-texts', texts(), { valueWidth: 3 }, 'valueWidth'),
  field('value-bytes', packed(), { valueBytes: 11 }, 'valueBytes'),
  field('value-bytes-of-texts', texts(), { valueBytes: 16 }, 'valueBytes'),
  field('value-bytes-of-bits', bits(), { valueBytes: 517 }, 'valueBytes'),
  field('value-bytes-too-large', bits(), { valueBytes: tooLarge }, 'valueBytes'),
  field('element-bits-none', packed(), { elementBits: 0 }, 'elementBits'),
  field('element-bits-many', packed(), { elementBits: 54 }, 'elementBits'),
  field('element-bits-of-texts', texts(), { elementBits: 7 }, 'elementBits'),
  field('element-sign', packed(), { elementSign: 2 }, 'elementSign'),
  field('element-sign-of-bits', bits(), { elementSign: 1 }, 'elementSign'),
  field('spare-bits', bits(), { spareBits: 32 }, 'spareBits'),
  field('spare-bits-of-a-list', packed(), { spareBits: 1 }, 'spareBits'),
  field('base', packed(), { base: tooLarge }, 'base'),
  field('base-of-the-last', packed(), { base: 2n ** 53n - 5n }, 'base'),
  field('base-below', bits(), { base: BigInt.asUintN(64, -(2n ** 53n)) }, 'base'),
  field('entries', packed(), { entries: 12 }, 'entries'),
  field('reserved', packed(), { reservedByte: 1 }, 'reservedByte', 'HMAP_RESERVED'),
  row('offset', packed(), 0, 'offset', 8192),
  row('size-of-packed', packed(), 0, 'size', 19),
  row('size-of-texts', texts(), 0, 'size', 20),
  row('size-of-bits', bits(), 0, 'size', 16 + 520),
  row('size-of-many-bits', segmentedBits(), 0, 'size', 8 + 257),
  row('entries-no-group', segmented(), 0, 'entries', 7),
  row('entries-too-many', segmented(), 1, 'entries', 9),
  row('entries-of-bits', bits(), 0, 'entries', 4111),
  {
    ...field('segments-without-elements', segmented(), {}, 'segmentBits'),
    bytes: composeKeyless({ ...segmented(), segments: [packedPart(7, VALUES.slice(0, 8)), packedPart(7, [])] }),
  },
  inside('left-over-bits', packed(), 'elements', 9, [0x80 | (VALUES[10]! >> 1)], ['HMAP_PADDING', 9, 1]),
  inside('behind-the-elements', packed(), 'elements', 12, [1], ['HMAP_PADDING', 12, 1]),
  inside('left-over-bits-of-bits', bits(), 'elements', 514, [1], ['HMAP_PADDING', 514, 1]),
  inside('nan', floats(), 'elements', 4, [1], ['HMAP_VALUE', 4, 4]),
  inside('text', texts(), 'elements', 13, [0xff], ['HMAP_VALUE', 10, 5]),
  inside('first-offset', texts(), 'index', 0, [1], ['HMAP_BUCKET_OFFSET', 0, 4]),
  inside('falling-offset', texts(), 'index', 8, [9], ['HMAP_BUCKET_OFFSET', 8, 8]),
  inside('last-offset', texts(), 'index', 20, [14], ['HMAP_BUCKET_OFFSET', 20, 4]),
  inside('count', bits(), 'index', 4, [6], ['HMAP_COUNT', 4, 4]),
  {
    ...row('ones', { ...bits(), fields: { ...bits().fields, entries: 9 } }, 0, 'entries', 9),
    finding: at('HMAP_ENTRIES', 'header', 192 + 16, 8),
    refused: false,
  },
  padding('padding-of-the-index', fewTexts(), 'index'),
  padding('padding-of-the-counts', bits(), 'index'),
  padding('padding-behind', packed(), 'segment'),
];
