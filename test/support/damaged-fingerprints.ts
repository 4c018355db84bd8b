// The damaged files of fingerprints in place of keys: one for each rule of section 16 of native-notes/format.md. Knows
// the rules; does not know how they are checked.

import type { FindingCode } from '../../src/index.js';
import type { Damaged } from './damaged.js';
import { damagedField } from './damaged-field.js';
import {
  canonicalParts,
  compose,
  encodeRecord,
  type Field,
  placesOf,
  type Raw,
  type RawLong,
  type RawParts,
} from './raw-table.js';

const ROW = 16;

/** Records of which some share their fingerprint with another one of their bucket. */
const numbers = (): RawParts =>
  canonicalParts(
    Array.from({ length: 900 }, (_, i) => [`key ${i}`, i]),
    { value: 'u16', fingerprint: 8 },
  );

const set = (): RawParts =>
  canonicalParts(
    Array.from({ length: 20 }, (_, i) => [`key ${i}`, true]),
    { value: 'none', fingerprint: 16 },
  );

function field(name: string, values: Partial<Record<Field, Raw>>, told: Field, parts = numbers()): Damaged {
  return damagedField(`fingerprints-${name}`, parts, values, told);
}

/** @param change gives the rows, and which bytes `[offset, end)` of the section are wrong then */
function rows(
  name: string,
  change: (rows: RawLong[], parts: RawParts) => { long: RawLong[]; range: readonly [offset: number, end: number] },
): Damaged {
  const parts = numbers();
  const { long, range } = change([...parts.long!], parts);
  const bytes = compose({ ...parts, long });
  const { long: offset } = placesOf(parts);
  const section = 'fingerprints' as const;
  const finding = { code: 'HMAP_FINGERPRINT', section, offset: offset + range[0], end: offset + range[1] } as const;
  return { name: `fingerprints-${name}`, bytes, finding, refused: false };
}

/** @param row number of the row that is left out, from the end if it is negative */
function missing(name: string, row: number): Damaged {
  const parts = numbers();
  const gone = parts.long!.at(row)!;
  const long = parts.long!.filter((each) => each !== gone);
  const size = encodeRecord(parts, parts.segments[0]!.buckets.flat()[0]!).length;
  const offset = placesOf(parts).segments[0]!.heap + size * gone.position;
  const finding = { code: 'HMAP_FINGERPRINT' as FindingCode, section: 'heap' as const, offset, end: offset + size };
  return { name: `fingerprints-${name}`, bytes: compose({ ...parts, long }), finding, refused: false };
}

/** The records of a bucket in the wrong order. */
function order(): Damaged {
  const parts = set();
  const { buckets } = parts.segments[0]!;
  const index = buckets.findIndex((bucket) => bucket.length > 1);
  buckets[index]!.reverse();
  const before = buckets.slice(0, index).flat().length + buckets[index]!.length - 1;
  const offset = placesOf(parts).segments[0]!.heap + 2 * before;
  const finding = { code: 'HMAP_RECORD_ORDER', section: 'heap', offset, end: offset + 2 } as const;
  return { name: 'fingerprints-order', bytes: compose(parts), finding, refused: false };
}

export const DAMAGED_FINGERPRINTS: readonly Damaged[] = [
  field('features-of-packed-values', { features: 33 }, 'features'),
  field('bits-none', { fingerprintBits: 0 }, 'fingerprintBits'),
  field('bits-between', { fingerprintBits: 12 }, 'fingerprintBits'),
  field('bits-too-many', { fingerprintBits: 40 }, 'fingerprintBits'),
  field('key-width-of-other-bits', { fingerprintBits: 16 }, 'keyWidth'),
  field('key-width-variable', { keyWidth: 0xffff_ffff }, 'keyWidth'),
  field('long-more-than-entries', { longFingerprints: 901 }, 'longFingerprints'),
  field('long-without-values', { longFingerprints: 1 }, 'longFingerprints', set()),
  field('long-beyond-2-to-the-53', { longFingerprints: 2n ** 53n }, 'longFingerprints'),
  field('long-that-move-the-index', { longFingerprints: 1 }, 'indexOffset'),
  order(),
  missing('without-a-row', 3),
  missing('without-the-last-row', -1),
  rows('row-of-another-record', (long) => {
    long[1] = { ...long[1]!, position: long[1]!.position + 1 };
    return { long, range: [ROW, ROW + 8] };
  }),
  rows('row-of-another-segment', (long) => {
    long[2] = { ...long[2]!, segment: 1 };
    return { long, range: [2 * ROW, 2 * ROW + 8] };
  }),
  rows('row-of-the-last-record', (long) => {
    const last = long.length - 1;
    long[last] = { ...long[last]!, position: 2 ** 32 - 1 };
    return { long, range: [last * ROW, last * ROW + 8] };
  }),
  rows('row-of-no-record', (long) => {
    long.splice(2, 0, { segment: 0, position: long[1]!.position + 1, hash: 5n });
    return { long, range: [2 * ROW, 2 * ROW + 8] };
  }),
  rows('row-twice', (long) => {
    long.splice(2, 0, { ...long[1]! });
    return { long, range: [2 * ROW, 2 * ROW + 8] };
  }),
  rows('rows-too-many', (long) => {
    const { length } = long;
    long.push({ segment: 0, position: 899, hash: 5n }, { segment: 9, position: 1, hash: 5n });
    return { long, range: [length * ROW, (length + 2) * ROW] };
  }),
  rows('long-ones-falling', (long) => {
    [long[0]!.hash, long[1]!.hash] = [long[1]!.hash, long[0]!.hash];
    return { long, range: [ROW + 8, 2 * ROW] };
  }),
  rows('long-ones-equal', (long) => {
    long[1]!.hash = long[0]!.hash;
    return { long, range: [ROW + 8, 2 * ROW] };
  }),
];
