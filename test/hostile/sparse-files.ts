// Makes files of gigabytes to terabytes that take no room on the disk: headers whose checksums are right and whose
// counts are as hostile as they can be, with a few bytes written where lookups come by. Knows where sections lie.

import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { align, headerSize } from '../../src/format/constants.js';
import { LONG_FINGERPRINT } from '../../src/format/fingerprints.js';
import { indexSize, lineSize } from '../../src/format/index-lines.js';
import type { KeyType } from '../../src/format/key-types.js';
import { formOf, keylessSegmentSize } from '../../src/format/keyless.js';
import { sumTreeSize } from '../../src/format/sum-tree.js';
import type { ListType, StoredType } from '../../src/format/value-types.js';
import { writeHashHeader, writeKeylessHeader } from '../../src/format/write-header.js';
import type { Random } from '../support/random.js';

const VARIABLE = 0xffff_ffff;
const GIB = 2 ** 30;
/** What file systems have room for as holes, and verify for checksums: it holds 8 bytes for each block of 64 KiB. */
const MOST = 2 ** 41;
/** A value of a gibibyte is right, but copying it takes seconds and as much memory. */
const LONG_VALUE = 2 ** 24;
const LONGEST = 2 ** 31 - 1;

export interface SparseFile {
  readonly layout: 'hash' | 'list' | 'bits';
  readonly fingerprint: boolean;
  readonly keyType: KeyType;
  readonly base: number;
  readonly length: number;
  readonly fileBytes: number;
  /** What was made, for a person who has to look into it. */
  readonly what: string;
}

const KEY_TYPES: readonly KeyType[] = ['bytes', 'u32', 'u64', 'i64', 'uuid', 'hex'];
const KEY_WIDTHS: Partial<Record<KeyType, number>> = { u32: 4, u64: 8, i64: 8, uuid: 16 };
const VALUE_TYPES: readonly StoredType[] = ['none', 'bytes', 'utf8', 'json', 'u8', 'u32', 'u64', 'f64', 'u24', 'enum'];
const VALUE_WIDTHS: Partial<Record<StoredType, number>> = { none: 0, u8: 1, u32: 4, u64: 8, f64: 8, u24: 3 };
const LIST_TYPES: readonly ListType[] = ['u1', 'u8', 'u13', 'i29', 'u32', 'u53', 'f64', 'utf8', 'bytes'];

/** How many segments, and of how many bytes each. */
function sizes(random: Random): { segmentBits: number; bytes: number } {
  const segmentBits = random.pick([0, 0, 0, 1, 2, 4, 7, 10, 12]);
  const bytes = random.pick([4096, 2 ** 20, GIB, LONGEST - 7, LONGEST, random.between(1, LONGEST)]);
  return { segmentBits, bytes: Math.min(bytes, Math.floor(MOST / 2 ** segmentBits)) };
}

export function writeSparse(path: string, random: Random): SparseFile {
  return random.below(3) > 0 ? writeHash(path, random) : writeKeyless(path, random);
}

function writeHash(path: string, random: Random): SparseFile {
  const { segmentBits, bytes: wanted } = sizes(random);
  const count = 2 ** segmentBits;
  const bits = random.below(4) === 0 ? random.pick([8, 16, 24, 32]) : 0;
  const keyType = random.pick(KEY_TYPES);
  const valueType = random.pick(VALUE_TYPES);
  const keyWidth = bits > 0 ? bits / 8 : (KEY_WIDTHS[keyType] ?? random.pick([VARIABLE, VARIABLE, 0, 3, 16, 65_535]));
  const dictionary =
    valueType === 'enum' ? { count: random.pick([1, 200, 70_000, 2 ** 24, 2 ** 31]), bytes: 0 } : undefined;
  if (dictionary !== undefined) dictionary.bytes = 4 * (dictionary.count + 1) + random.pick([0, dictionary.count, GIB]);
  const enumWidth = dictionary === undefined ? undefined : Math.ceil(Math.log2(dictionary.count) / 8);
  const valueWidth = VALUE_WIDTHS[valueType] ?? enumWidth ?? random.pick([VARIABLE, VARIABLE, 0, 20, LONG_VALUE]);
  const isFixed = keyWidth !== VARIABLE && valueWidth !== VARIABLE;
  const unit = isFixed ? keyWidth + valueWidth : 1;
  const bytes = unit === 0 ? 0 : Math.max(1, Math.floor(wanted / unit)) * unit;
  const least = (keyWidth === VARIABLE ? 1 : keyWidth) + (valueWidth === VARIABLE ? 1 : valueWidth);
  const each = isFixed ? bytes / Math.max(1, unit) : Math.floor(bytes / Math.max(1, least));
  const buckets = { bucketBits: random.pick([5, 7, 8, 12, 20, segmentBits > 4 ? 10 : 28]), eighths: 8 };
  const offsetBits = random.pick([8, 12, 16, 24, 32]);
  const headerBytes = headerSize(segmentBits, 0);
  let end = headerBytes;
  const segments = Array.from({ length: count }, () => {
    const place = { offset: end, bytes, entries: each };
    end = align(end + bytes);
    return place;
  });
  const afterValues = dictionary === undefined ? end : align(end + dictionary.bytes);
  const long = bits > 0 ? random.pick([0, 0, 1, 1000, Math.min(2 ** 31, each)]) : 0;
  const lines = afterValues + LONG_FINGERPRINT.size * long;
  const index = { offset: lines, bytes: count * indexSize(buckets, offsetBits), offsetBits };
  const sums = align(index.offset + index.bytes);
  const entries = each * count;
  const header = writeHashHeader({
    ...{ entries, keyBytes: 0, valueBytes: 0, seed: random.pick([0, random.u32()]), ...buckets, index },
    keyBytes: keyWidth === VARIABLE ? 0 : entries * keyWidth,
    valueBytes: valueWidth === VARIABLE ? 0 : entries * valueWidth,
    ...{ keyType, keyWidth, valueType, valueWidth, segmentBits, segments, dictionary },
    shard: { index: 0, bits: 0 },
    narrowed: false,
    fingerprint: bits > 0 ? { bits, long } : undefined,
    checksums: { offset: sums, bytes: sumTreeSize(headerBytes, sums), sum: 0n },
    metadata: new Uint8Array(0),
  });
  const fileBytes = sums + sumTreeSize(headerBytes, sums);
  const places = segments.flatMap(({ offset }) => [offset, Math.max(offset, offset + bytes - 40)]);
  const line = lineSize(offsetBits);
  for (let i = 0; i < 40; i++) places.push(lines + line * random.below(Math.max(1, Math.floor(index.bytes / line))));
  if (dictionary !== undefined) places.push(end, end + 4 * dictionary.count);
  if (long > 0) places.push(afterValues);
  fill(path, header, fileBytes, places, random, line);
  const what = `hash, ${count} segments of ${bytes} bytes, ${JSON.stringify({ keyType, keyWidth, valueType, valueWidth, bits, long, offsetBits, ...buckets, dictionary })}`;
  return { layout: 'hash', fingerprint: bits > 0, keyType, base: 0, length: 0, fileBytes, what };
}

function writeKeyless(path: string, random: Random): SparseFile {
  const layout = random.pick(['list', 'bits'] as const);
  const { segmentBits, bytes: wanted } = sizes(random);
  const valueType = layout === 'bits' ? 'none' : random.pick(LIST_TYPES);
  const form = formOf({ layout, valueType });
  const count = 2 ** segmentBits;
  // Elements of a full segment, and bytes of those that have lengths of their own.
  const each =
    form.kind === 'offsets'
      ? Math.min(random.pick([8, 1000, 2 ** 20, 2 ** 28]), MOST / count / 16)
      : Math.max(8, Math.floor((8 * wanted) / Math.max(1, form.bits) / 2048) * 2048);
  const data = form.kind === 'offsets' ? Math.max(0, Math.min(wanted, LONGEST - 4 * each - 16)) : undefined;
  const length = each * count;
  const headerBytes = headerSize(segmentBits, 0);
  let end = headerBytes;
  const segments = Array.from({ length: count }, () => {
    const place = { offset: end, bytes: keylessSegmentSize(form, each, data), entries: each };
    end = align(end + place.bytes);
    return place;
  });
  const base = random.pick([0, -5, -(2 ** 53 - 1), 2 ** 53 - 1 - length]);
  const valueWidth = layout === 'bits' ? 0 : form.kind === 'offsets' ? VARIABLE : valueType === 'f64' ? 8 : 0;
  const header = writeKeylessHeader({
    ...{ layout, base, valueType, valueWidth, segmentBits, segments },
    entries: length,
    valueBytes:
      layout === 'bits' ? 0 : form.kind === 'offsets' ? (data ?? 0) * count : Math.ceil((length * form.bits) / 8),
    spareBits: 0,
    checksums: { offset: end, bytes: sumTreeSize(headerBytes, end), sum: 0n },
    metadata: new Uint8Array(0),
  });
  const fileBytes = end + sumTreeSize(headerBytes, end);
  const places = segments.flatMap(({ offset, bytes }) => [offset, offset + bytes - 40]);
  fill(path, header, fileBytes, places, random, 64);
  const what = `${layout} of ${valueType}, ${count} segments of ${each} elements, base ${base}`;
  return { layout, fingerprint: false, keyType: 'bytes', base, length, fileBytes, what };
}

const WORDS = [0, 1, 2, 0x7f, 0x80, 0xff, 4096, 2 ** 16, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** Writes the header, makes the hole, and writes a few words at some of the places. */
function fill(
  path: string,
  header: Uint8Array,
  bytes: number,
  places: readonly number[],
  random: Random,
  run: number,
): void {
  const fd = openSync(path, 'w');
  try {
    writeSync(fd, header);
    ftruncateSync(fd, bytes);
    for (let i = 0; i < 30; i++) {
      const at = random.pick(places);
      const piece = Buffer.alloc(run);
      for (let word = 0; word + 4 <= run; word += 4) {
        piece.writeUInt32LE(random.below(3) > 0 ? random.pick(WORDS) : random.u32(), word);
      }
      if (random.below(3) === 0) piece.set(random.bytes(run));
      if (at + run <= bytes && at >= header.length) writeSync(fd, piece, 0, run, at);
    }
  } finally {
    closeSync(fd);
  }
}
