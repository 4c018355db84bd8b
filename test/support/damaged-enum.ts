// The damaged files of enum values: one for each rule of section 7 of native-notes/format.md that is theirs. Knows the
// rules; does not know how they are checked.

import type { FindingCode } from '../../src/index.js';
import type { Damaged } from './damaged.js';
import { damagedField } from './damaged-field.js';
import { canonicalParts, compose, type Field, numberBytes, placesOf, type Raw, type RawParts } from './raw-table.js';

const KINDS = ['', 'bird', 'fish', 'hoofed', 'insect'];

/** Fifteen records, three of each string. */
const kinds = (): RawParts =>
  canonicalParts(
    Array.from({ length: 15 }, (_, i) => [`animal ${i}`, KINDS[i % 5]]),
    { value: 'enum' },
  );

const none = (): RawParts => canonicalParts([], { value: 'enum' });

function field(name: string, values: Partial<Record<Field, Raw>>, told: Field, parts = kinds()): Damaged {
  return damagedField(`enum-${name}`, parts, values, told);
}

/** @param range from the start of the dictionary, or of its strings */
function inside(
  name: string,
  code: FindingCode,
  from: 'start' | 'heap',
  range: readonly [offset: number, end: number],
  change: Partial<RawParts>,
): Damaged {
  const parts = { ...kinds(), ...change };
  const origin = placesOf(parts).dictionary[from];
  const finding = { code, section: 'dictionary', offset: origin + range[0], end: origin + range[1] } as const;
  return { name: `enum-${name}`, bytes: compose(parts), finding, refused: false };
}

const strings = (...list: string[]) => list.map((string) => Buffer.from(string));
/** With another number for one string: so it is that of no record. */
function unused(): RawParts {
  const parts = kinds();
  for (const record of parts.segments[0]!.buckets.flat()) {
    if (record.value[0] === 3) record.value = numberBytes(2, 1);
  }
  return parts;
}

/** The one record of a string has an invalid number: that no record has the string then is not reported as well. */
function numbers(): Damaged {
  const parts = canonicalParts(
    KINDS.map((kind, i) => [`animal ${i}`, kind]),
    { value: 'enum' },
  );
  const bucket = parts.segments[0]!.buckets.findIndex((list) => list.length > 0);
  const record = parts.segments[0]!.buckets[bucket]![0]!;
  record.value = numberBytes(5, 1);
  const offset = placesOf(parts).segments[0]!.heap;
  // Keys of one length have no prefix.
  const end = offset + record.key.length + 1;
  const finding = { code: 'HMAP_VALUE', section: 'heap', offset, end } as const;
  return { name: 'enum-number-too-large', bytes: compose(parts), finding, refused: false };
}

function padding(): Damaged {
  const parts = { ...kinds(), stringPadding: Uint8Array.of(0, 7, 0, 9) };
  const { end } = placesOf(parts).dictionary;
  const finding = { code: 'HMAP_PADDING', section: 'padding', offset: end + 1, end: end + 4 } as const;
  return { name: 'enum-padding-behind-the-dictionary', bytes: compose(parts), finding, refused: false };
}

const SIZE = 4 * 6 + KINDS.join('').length;

export const DAMAGED_ENUM: readonly Damaged[] = [
  field('features-missing', { features: 0 }, 'features'),
  field('features-of-packed-values', { features: 17 }, 'features'),
  field('distinct-none', { distinct: 0, valueWidth: 0 }, 'distinct'),
  field('distinct-more-than-entries', { distinct: 16 }, 'distinct'),
  field('distinct-without-entries', { distinct: 1 }, 'distinct', none()),
  field('value-width-too-large', { valueWidth: 2 }, 'valueWidth'),
  field('value-width-too-small', { valueWidth: 0 }, 'valueWidth'),
  field('value-width-variable', { valueWidth: 0xffff_ffff }, 'valueWidth'),
  field('dictionary-size-too-small', { dictionarySize: 23 }, 'dictionarySize'),
  field('dictionary-size-too-large', { dictionarySize: 2 ** 31 }, 'dictionarySize'),
  field('dictionary-size-beyond-2-to-the-53', { dictionarySize: 2n ** 53n }, 'dictionarySize'),
  field('dictionary-size-that-moves-the-index', { dictionarySize: SIZE + 8 }, 'indexOffset'),
  inside('dictionary-size-of-more', 'HMAP_BUCKET_OFFSET', 'start', [20, 24], { fields: { dictionarySize: SIZE + 3 } }),
  inside('offset-first-not-zero', 'HMAP_BUCKET_OFFSET', 'start', [0, 4], { stringOffsets: [1, 0, 4, 8, 14, 20] }),
  inside('offset-falling', 'HMAP_BUCKET_OFFSET', 'start', [8, 16], { stringOffsets: [0, 0, 9, 8, 14, 20] }),
  inside('offset-last-too-small', 'HMAP_BUCKET_OFFSET', 'start', [20, 24], { stringOffsets: [0, 0, 4, 8, 14, 19] }),
  inside('offset-last-too-large', 'HMAP_BUCKET_OFFSET', 'start', [20, 24], { stringOffsets: [0, 0, 4, 8, 14, 21] }),
  inside('string-not-utf-8', 'HMAP_VALUE', 'heap', [14, 20], {
    strings: [...strings('', 'bird', 'fish', 'hoofed'), Buffer.from('insec\xff', 'latin1')],
  }),
  inside('order', 'HMAP_DICTIONARY', 'heap', [4, 14], { strings: strings('', 'bird', 'hoofed', 'fish', 'insect') }),
  inside('order-of-a-beginning', 'HMAP_DICTIONARY', 'heap', [0, 6], { strings: strings('', 'birds', 'b', 'c', 'd') }),
  inside('twice', 'HMAP_DICTIONARY', 'start', [8, 20], { strings: strings('', 'bird', 'fish', 'fish', 'insect') }),
  inside('twice-empty', 'HMAP_DICTIONARY', 'start', [0, 12], { strings: strings('', '', 'fish', 'hoofed', 'insect') }),
  inside('unused', 'HMAP_DICTIONARY', 'start', [12, 20], unused()),
  numbers(),
  padding(),
];
