// The damaged files: one for each rule that a file can break (native-notes/format.md, section 11), and what a
// verification must say of it. `npm run damaged` writes them; every-rule.test.ts holds them to this list. Knows the
// rules; does not know how they are checked.

import { join } from 'node:path';
import type { FindingCode, Section } from '../../src/index.js';
import { keyWithHash } from './collisions.js';
import { DAMAGED_ENUM } from './damaged-enum.js';
import { DAMAGED_FINGERPRINTS } from './damaged-fingerprints.js';
import { DAMAGED_KEYLESS } from './damaged-keyless.js';
import {
  canonicalParts,
  compose,
  encodeRecord,
  FIELDS,
  type Field,
  placesOf,
  type Raw,
  type RawLine,
  type RawOptions,
  type RawParts,
  type RawRecord,
  rawBucket,
  VARIABLE,
  varint,
} from './raw-table.js';
import { PACKAGE_ROOT } from './root.js';
import { oracle } from './samples.js';

export const DAMAGED_FOLDER = join(PACKAGE_ROOT, 'test/conformance/fixtures/damaged');

/** The one finding of a verification. */
export interface Expected {
  code: FindingCode;
  section: Section;
  offset: number;
  end: number;
}

export interface Damaged {
  /** File name in test/conformance/fixtures/damaged, without `.hmap`. */
  name: string;
  bytes: Buffer;
  finding: Expected;
  /** Whether opening the file checks the rule. */
  refused: boolean;
}

const ANIMALS = ['ant', 'bee', 'crow', 'dove', 'eagle', 'fox', 'goat', 'heron', 'ibis', 'jackdaw', 'kite', 'lark'];
/** Each eight times, which makes three records in a bucket of 32. */
const WORDS = ANIMALS.flatMap((word) => Array.from({ length: 8 }, (_, i) => `${word}${'s'.repeat(i)}`));

/** Records in 32 buckets, each with lengths of its own. */
function texts(options: Partial<RawOptions> = {}, choices: Parameters<typeof canonicalParts>[2] = {}): RawParts {
  const entries = WORDS.map((word, i) => [word, 'value'.repeat(i % 3)] as const);
  return canonicalParts(entries, { value: 'utf8', ...options }, choices);
}

/** The same in two segments. */
const segmented = () => texts({}, { segmentBits: 1 });

/** Fewer, so that padding of two bytes or more follows each part. */
function uneven(choices: Parameters<typeof canonicalParts>[2] = {}): RawParts {
  for (let count = WORDS.length; ; count--) {
    const entries = WORDS.slice(0, count).map((word, i) => [word, 'value'.repeat(i % 3)] as const);
    const parts = canonicalParts(entries, { value: 'utf8' }, choices);
    const { segments, indexEnd } = placesOf(parts);
    // Lines of two segments always end at a multiple of 8.
    const ends = [...(segments.length === 1 ? [indexEnd] : []), ...segments.map(({ heapEnd }) => heapEnd)];
    if (ends.every((end) => end % 8 > 0 && end % 8 < 7)) return parts;
  }
}

/** Keys and values of one length each, so that records have no prefixes. */
function numbers(): RawParts {
  const entries = WORDS.map((_, i) => [`key ${String(i).padStart(2, '0')}`, i] as const);
  return canonicalParts(entries, { value: 'u32' });
}

/** Keys that are numbers. */
function ids(): RawParts {
  return canonicalParts(
    WORDS.map((word, i) => [1000 * i, word]),
    { key: 'u32', value: 'utf8' },
  );
}

const noIds = () => canonicalParts([], { key: 'u64', value: 'utf8' });

const single = (name: string, bytes: Buffer, finding: Expected, refused = false): Damaged => ({
  name,
  bytes,
  finding,
  refused,
});

function at(code: FindingCode, section: Section, offset: number, bytes: number): Expected {
  return { code, section, offset, end: offset + bytes };
}

const headerField = (field: Field, code: FindingCode = 'HMAP_HEADER_FIELD'): Expected =>
  at(code, 'header', ...pair(FIELDS[field]));
const pair = (range: readonly [number, number]): [number, number] => [range[0], range[1]];

/** Where a record lies in the file; `prefix` and all. */
function placeOf(parts: RawParts, segment: number, bucket: number, record: number): { offset: number; end: number } {
  const before = parts.segments[segment]!.buckets.slice(0, bucket).flat();
  const own = parts.segments[segment]!.buckets[bucket]!;
  const length = (list: RawRecord[]) => list.reduce((sum, each) => sum + encodeRecord(parts, each).length, 0);
  const offset = placesOf(parts).segments[segment]!.heap + length(before) + length(own.slice(0, record));
  return { offset, end: offset + length(own.slice(record, record + 1)) };
}

/** Number `n` of the buckets of a segment that hold two records or more. */
function holder(parts: RawParts, segment: number, n: number): number {
  return [...parts.segments[segment]!.buckets.entries()].filter(([, list]) => list.length > 1)[n]![0];
}

function flipped(file: Buffer, offset: number, bits = 0xff): Buffer {
  file[offset]! ^= bits;
  return file;
}

function notATable(): Damaged[] {
  const file = compose(texts());
  const text = (name: string, damage: (latin1: string) => Buffer) =>
    single(`text-${name}`, damage(file.toString('latin1')), headerField('magic', 'HMAP_TEXT_DAMAGE'), true);
  const latin1 = (value: string) => Buffer.from(value, 'latin1');
  const none = headerField('magic', 'HMAP_NOT_A_TABLE');
  return [
    single('not-a-table', Buffer.from('This is a file of another kind.\n'.repeat(256)), none, true),
    single('not-a-table-empty', Buffer.alloc(0), none, true),
    single('not-a-table-magic', flipped(Buffer.from(file), 7, 1), none, true),
    text('crlf-to-lf', (all) => latin1(all.replaceAll('\r\n', '\n'))),
    text('lf-to-crlf', (all) => latin1(all.replaceAll('\n', '\r\n'))),
    text('bare-lf-to-crlf', (all) => latin1(all.replace(/(?<!\r)\n/g, '\r\n'))),
    text('seven-bits', (all) =>
      latin1(all.replace(/[\x80-\xff]/g, (c) => String.fromCharCode(c.charCodeAt(0) & 0x7f))),
    ),
    text('latin-1-to-utf-8', (all) => Buffer.from(all)),
    text('read-as-utf-8', (all) => Buffer.from(latin1(all).toString('utf8'))),
  ];
}

/** Each field of the header, with a value that it cannot have. */
function fields(): Damaged[] {
  const broken = (
    name: string,
    values: Partial<Record<Field, Raw>>,
    field: Field,
    code?: FindingCode,
    parts: RawParts = texts(),
  ) => single(`header-${name}`, compose({ ...parts, fields: values }), headerField(field, code), true);
  const tooLarge = 2n ** 53n;
  const size = compose(texts()).length;
  const long = canonicalParts(
    WORDS.map((word) => [word, word.repeat(10)]),
    { value: 'utf8' },
  );
  const { checksums, index } = placesOf(texts());
  return [
    broken('major-version', { majorVersion: 1 }, 'majorVersion', 'HMAP_VERSION'),
    single(
      'header-checksum',
      compose({ ...texts(), fields: { headerChecksum: 0x1234_5678 } }),
      at('HMAP_HEADER_CHECKSUM', 'header', 0, 4096),
      true,
    ),
    broken('size-small', { headerSize: 0 }, 'headerSize'),
    broken('size-large', { headerSize: 573_440 + 4096 }, 'headerSize'),
    broken('size-no-page', { headerSize: 4097 }, 'headerSize'),
    broken('size-of-other-parts', { headerSize: 8192 }, 'headerSize', undefined, long),
    broken('size-of-other-metadata', { metadataSize: 4096 }, 'headerSize'),
    broken('features', { features: 0x8000_0000 }, 'features', 'HMAP_FEATURE'),
    broken('features-of-another-layout', { features: 4 }, 'features'),
    broken('layout', { layout: 3 }, 'layout'),
    broken('features-typed-keys-not-told', { features: 0 }, 'features', undefined, ids()),
    broken('features-typed-keys-of-none', { features: 2 }, 'features'),
    broken('file-size', { fileSize: size + 8 }, 'fileSize'),
    broken('file-size-too-large', { fileSize: tooLarge }, 'fileSize'),
    broken('entries', { entries: 95 }, 'entries'),
    broken('entries-too-large', { entries: tooLarge }, 'entries'),
    broken('key-bytes-too-large', { keyBytes: tooLarge }, 'keyBytes'),
    broken('value-bytes-too-large', { valueBytes: tooLarge }, 'valueBytes'),
    broken('hash-algorithm', { hashAlgorithm: 2 }, 'hashAlgorithm'),
    broken('checksum-algorithm', { checksumAlgorithm: 0 }, 'checksumAlgorithm'),
    broken('offset-bits-few', { offsetBits: 7 }, 'offsetBits'),
    broken('offset-bits-between', { offsetBits: 25 }, 'offsetBits'),
    broken('offset-bits-many', { offsetBits: 33 }, 'offsetBits'),
    broken('index-offset', { indexOffset: index + 8 }, 'indexOffset'),
    broken('index-offset-too-large', { indexOffset: tooLarge }, 'indexOffset'),
    broken('segment-bits', { segmentBits: 13 }, 'segmentBits'),
    broken('bucket-bits', { bucketBits: 29 }, 'bucketBits'),
    broken('bucket-bits-few', { bucketBits: 4 }, 'bucketBits'),
    broken('bucket-bits-with-segment-bits', { segmentBits: 12, bucketBits: 21 }, 'bucketBits'),
    broken('bucket-bits-with-shard-bits', { shardBits: 6, bucketBits: 27 }, 'bucketBits'),
    broken('segment-bits-with-shard-bits', { shardBits: 16, segmentBits: 12 }, 'segmentBits'),
    broken('bucket-eighths-few', { bucketEighths: 4 }, 'bucketEighths'),
    broken('bucket-eighths-many', { bucketEighths: 9 }, 'bucketEighths'),
    broken('bucket-eighths-of-few-buckets', { bucketEighths: 7 }, 'bucketEighths'),
    broken('narrowed', { narrowed: 2 }, 'narrowed', undefined, numbers()),
    broken('narrowed-text', { narrowed: 1 }, 'narrowed'),
    broken('key-type', { keyType: 6 }, 'keyType'),
    broken('value-type', { valueType: 99 }, 'valueType'),
    broken('features-missing', { features: 0 }, 'features', undefined, structs()),
    broken('features-too-many', { features: 1 }, 'features'),
    broken('schema-size-none', { schemaSize: 0 }, 'schemaSize', undefined, structs()),
    broken('schema-size-large', { schemaSize: 406_000 }, 'schemaSize', undefined, structs()),
    broken('schema-size-without-a-struct', { schemaSize: 8 }, 'schemaSize'),
    broken('size-of-another-schema', { schemaSize: 5000 }, 'headerSize', undefined, structs()),
    broken('value-width-of-a-struct', { valueWidth: 8 }, 'valueWidth', undefined, structs()),
    broken('value-width-of-u24', { valueWidth: 4 }, 'valueWidth', undefined, medium()),
    broken('key-width-none', { keyWidth: 0 }, 'keyWidth'),
    broken('key-width-large', { keyWidth: 65_536 }, 'keyWidth'),
    broken('key-width-of-numbers', { keyWidth: 8 }, 'keyWidth', undefined, ids()),
    broken('key-width-of-no-numbers', { keyWidth: VARIABLE }, 'keyWidth', undefined, noIds()),
    broken('value-width-large', { valueWidth: 2 ** 30 + 1 }, 'valueWidth'),
    broken('value-width-of-a-number', { valueWidth: 8 }, 'valueWidth', undefined, numbers()),
    broken('value-width-of-a-set', { valueWidth: 1 }, 'valueWidth', undefined, sets()),
    broken('shard-bits', { shardBits: 17 }, 'shardBits'),
    broken('shard-index', { shardIndex: 1 }, 'shardIndex'),
    broken('metadata-size', { metadataSize: 65_537 }, 'metadataSize'),
    broken('checksums-offset', { checksumsOffset: checksums + 8 }, 'checksumsOffset'),
    broken('checksums-offset-too-large', { checksumsOffset: tooLarge }, 'checksumsOffset'),
    broken('checksums-size', { checksumsSize: 16 }, 'checksumsSize'),
    broken('checksums-size-too-large', { checksumsSize: tooLarge }, 'checksumsSize'),
  ];
}

function sets(): RawParts {
  return canonicalParts(
    WORDS.map((word) => [word, true]),
    { value: 'none' },
  );
}

/** Values of 70 bits: five fields of the spec's example. */
const STRUCT = 'struct(active:bool,level:u7,country:u10,score:i20,price:f32)';

const bird = (i: number) => ({ active: i % 2 === 0, level: i, country: 80 * i, score: -i, price: i / 4 });

/** A record of nothing but a number from a bit on, in hexadecimal. */
function shifted(value: bigint, by: bigint, bytes: number): string {
  return Buffer.from((value << by).toString(16).padStart(2 * bytes, '0'), 'hex')
    .reverse()
    .toString('hex');
}

function structs(): RawParts {
  const entries = WORDS.map((word, i) => [word, bird(i)] as const);
  return canonicalParts(entries, { value: STRUCT, metadata: { a: 1 } });
}

function medium(): RawParts {
  return canonicalParts(
    WORDS.map((word, i) => [word, i]),
    { value: 'u24' },
  );
}

/** Texts that are no schema. */
function schemas(): Damaged[] {
  const broken = (name: string, text: string | Buffer) => {
    const schema = Buffer.from(text as string);
    const parts = { ...structs(), schema };
    const finding = at('HMAP_HEADER_FIELD', 'header', 192 + 24 + parts.metadata.length, schema.length);
    return single(`schema-${name}`, compose(parts), finding, true);
  };
  return [
    broken('not-utf-8', Buffer.from('a\xff:u7', 'latin1')),
    broken('without-a-type', 'active,level:u7'),
    broken('type-unknown', 'active:bool,level:f16'),
    broken('of-54-bits', 'active:bool,level:u54'),
    broken('of-no-bits', 'active:bool,level:u0'),
    broken('bits-with-a-zero', 'active:bool,level:u07'),
    broken('name-twice', 'level:bool,level:u7'),
    broken('name-empty', 'active:bool,:u7'),
    broken('name-of-a-digit', 'active:bool,1:u7'),
    broken('name-proto', 'active:bool,__proto__:u7'),
    broken('name-too-long', `${'n'.repeat(101)}:u7`),
    broken('with-a-space', 'active:bool, level:u7'),
    broken('comma-at-the-end', 'active:bool,level:u7,'),
    broken('too-many-fields', Array.from({ length: 1001 }, (_, i) => `f${i}:u1`).join(',')),
  ];
}

function segmentTable(): Damaged[] {
  const columns = { offset: 0, size: 8, entries: 16 };
  const broken = (name: string, row: number, column: keyof typeof columns, value: Raw) => {
    const bytes = compose({ ...segmented(), rows: { [row]: { [column]: value } } });
    const offset = 192 + 24 * row + columns[column];
    return single(`segment-${name}`, bytes, at('HMAP_HEADER_FIELD', 'header', offset, 8), true);
  };
  const { heapEnd, heap } = placesOf(segmented()).segments[1]!;
  const fixed = compose({ ...numbers(), rows: { 0: { size: 10 * WORDS.length + 5 } } });
  return [
    broken('offset-of-the-first', 0, 'offset', 8192),
    broken('offset-of-the-second', 1, 'offset', heap + 8),
    broken('offset-not-aligned', 1, 'offset', heap + 1),
    broken('offset-too-large', 1, 'offset', 2n ** 53n),
    broken('size-large', 1, 'size', 2n ** 31n),
    broken('size-too-large', 0, 'size', 2n ** 53n),
    broken('entries-above-the-size', 1, 'entries', heapEnd - heap + 1),
    broken('entries-too-large', 0, 'entries', 2n ** 53n),
    single('segment-size-of-no-records', fixed, at('HMAP_HEADER_FIELD', 'header', 192 + columns.size, 8), true),
    single(
      'segment-entries-of-another-size',
      compose({ ...numbers(), rows: { 0: { entries: WORDS.length - 1 } } }),
      at('HMAP_HEADER_FIELD', 'header', 192 + columns.entries, 8),
      true,
    ),
    single(
      'segment-size-moves-the-index',
      compose({ ...segmented(), rows: { 1: { size: heapEnd - heap + 8 } } }),
      headerField('indexOffset'),
      true,
    ),
  ];
}

function metadata(): Damaged[] {
  const broken = (name: string, text: string | Buffer) => {
    const bytes = Buffer.from(text as string);
    const finding = at('HMAP_HEADER_FIELD', 'header', 192 + 24, bytes.length);
    return single(`metadata-${name}`, compose({ ...texts(), metadata: bytes }), finding, true);
  };
  return [
    broken('not-utf-8', Buffer.from('{"a":"\xff"}', 'latin1')),
    broken('not-json', '{"a":1'),
    broken('not-an-object', '[1]'),
    broken('byte-order-mark', '\ufeff{"a":1}'),
  ];
}

function lengths(): Damaged[] {
  const file = compose(texts());
  const long = compose(texts({ metadata: { text: 'x'.repeat(5000) } }));
  const missing = (name: string, bytes: Buffer, expected: number) =>
    single(`truncated-${name}`, bytes, at('HMAP_TRUNCATED', 'file', bytes.length, expected - bytes.length), true);
  return [
    missing('by-a-byte', file.subarray(0, -1), file.length),
    missing('in-the-magic', file.subarray(0, 5), 4096),
    missing('in-the-header', file.subarray(0, 1000), 4096),
    missing('in-a-long-header', long.subarray(0, 5000), 8192),
    missing('in-the-heap', file.subarray(0, 4600), file.length),
    single('too-long', Buffer.concat([file, Buffer.alloc(3)]), at('HMAP_TOO_LONG', 'file', file.length, 3), true),
  ];
}

function checksums(): Damaged[] {
  const parts = texts();
  const { headerEnd, checksums: offset, segments } = placesOf(parts);
  const block = at('HMAP_BLOCK_CHECKSUM', 'heap', headerEnd, offset - headerEnd);
  // A byte of a text, which stays one.
  const file = compose(parts);
  const changed = flipped(file, file.indexOf('value', segments[0]!.heap), 1);
  return [
    single(
      'checksums-sum',
      compose({ ...parts, fields: { checksumsSum: 1n } }),
      headerField('checksumsSum', 'HMAP_CHECKSUMS_SUM'),
    ),
    single('checksums-damaged', flipped(compose(parts), offset + 3), at('HMAP_CHECKSUMS_SUM', 'checksums', offset, 8)),
    single('checksums-of-another-block', compose({ ...parts, sums: { 0: 1n } }), block),
    single('block-damaged', changed, block),
  ];
}

/** Reserved bytes and padding. */
function zeros(): Damaged[] {
  const stray = Buffer.from([0, 0, 7, 0, 9]);
  const parts = uneven();
  const { segments, indexEnd, lineSize } = placesOf(parts);
  const places = segments[0]!;
  const both = uneven({ segmentBits: 1 });
  const [first] = both.segments;
  const padding = (offset: number, section: Section = 'padding', from = 2, bytes = 3) =>
    at('HMAP_PADDING', section, offset + from, bytes);
  const withSegment = (change: Partial<RawParts['segments'][number]>) =>
    compose({ ...parts, segments: [{ ...parts.segments[0]!, ...change }] });
  const short = Buffer.from([0, 7]);
  return [
    single(
      'reserved-tail',
      compose({ ...parts, fields: { reservedTail: stray } }),
      at('HMAP_RESERVED', 'header', FIELDS.reservedTail[0] + 2, 3),
    ),
    single(
      'reserved',
      compose({ ...parts, fields: { fingerprintBits: 1 } }),
      headerField('fingerprintBits', 'HMAP_RESERVED'),
    ),
    single(
      'reserved-fingerprints',
      compose({ ...parts, fields: { longFingerprints: 1 } }),
      at('HMAP_RESERVED', 'header', FIELDS.longFingerprints[0], 1),
    ),
    single(
      'reserved-for-later',
      compose({ ...parts, fields: { reservedForLater: stray } }),
      at('HMAP_RESERVED', 'header', FIELDS.reservedForLater[0] + 2, 3),
    ),
    single('padding-of-the-header', compose({ ...parts, padding: stray }), padding(192 + 24, 'header')),
    single(
      'padding-of-a-line',
      withSegment({ lines: { 0: { rest: 1 } } }),
      at('HMAP_PADDING', 'buckets', places.lines + 4 + Math.floor((33 * (lineSize - 8)) / 32), 1),
    ),
    single('padding-behind-the-index', compose({ ...parts, indexPadding: short }), padding(indexEnd, 'padding', 1, 1)),
    single('padding-behind-the-heap', withSegment({ padding: short }), padding(places.heapEnd, 'padding', 1, 1)),
    single(
      'padding-between-segments',
      compose({ ...both, segments: [{ ...first!, padding: short }, both.segments[1]!] }),
      padding(placesOf(both).segments[0]!.heapEnd, 'padding', 1, 1),
    ),
  ];
}

/** Lines of the index. */
function lines(): Damaged[] {
  // In four groups, of which the last bucket is not empty.
  const parts = canonicalParts(
    Array.from({ length: 300 }, (_, i) => [`entry ${i}`, 'x'.repeat(i % 3)]),
    { value: 'utf8' },
  );
  const places = placesOf(parts);
  const w = (places.lineSize - 8) / 4;
  const starts = [0];
  for (const bucket of parts.segments[0]!.buckets) {
    starts.push(starts.at(-1)! + Buffer.concat(bucket.map((record) => encodeRecord(parts, record))).length);
  }
  /** What the line of a group says, and bytes of it. */
  const anchor = (group: number) => starts[32 * group]!;
  const offset = (group: number, i: number) => starts[32 * group + i]! - anchor(group);
  const bytes = (group: number, from: number, to: number): Expected => {
    const line = places.segments[0]!.lines + group * places.lineSize;
    return { code: 'HMAP_BUCKET_OFFSET', section: 'buckets', offset: line + from, end: line + to };
  };
  const offsets = (group: number, from: number, to: number) =>
    bytes(group, 4 + Math.floor((from * w) / 8), 4 + Math.ceil((to * w) / 8));
  const broken = (name: string, group: number, line: RawLine, finding: Expected) =>
    single(
      `line-${name}`,
      compose({ ...parts, segments: [{ ...parts.segments[0]!, lines: { [group]: line } }] }),
      finding,
    );
  const last = (group: number) => bytes(group, 4 + Math.floor((32 * w) / 8), places.lineSize);
  return [
    broken('anchor-first-not-zero', 0, { anchor: 1 }, bytes(0, 0, 4)),
    broken('anchor-low', 2, { anchor: anchor(2) - 1 }, bytes(2, 0, 4)),
    broken('anchor-high', 1, { anchor: anchor(1) + 1 }, bytes(1, 0, 4)),
    broken('anchor-of-the-last', 3, { anchor: anchor(3) + 1 }, bytes(3, 0, 4)),
    broken('anchor-above-2-to-the-31', 1, { anchor: 2 ** 31 + 5 }, bytes(1, 0, 4)),
    broken('offset-first-not-zero', 1, { offsets: { 0: 1 } }, offsets(1, 0, 1)),
    broken('offset-falling', 2, { offsets: { 9: offset(2, 8) - 1 } }, offsets(2, 8, 10)),
    broken('offset-above-the-next', 0, { offsets: { 5: offset(0, 6) + 1 } }, offsets(0, 5, 7)),
    broken('offset-last-low', 1, { offsets: { 32: offset(1, 31) } }, last(1)),
    broken('offset-last-high', 0, { offsets: { 32: offset(0, 32) + 1 } }, last(0)),
    broken('offset-last-below-the-heap', 3, { offsets: { 32: offset(3, 31) } }, last(3)),
    broken('offset-last-above-the-heap', 3, { offsets: { 32: offset(3, 32) + 1 } }, last(3)),
  ];
}

/** Records whose lengths break a rule: those after them in their bucket cannot be found. */
function records(): Damaged[] {
  const broken = (name: string, change: (record: RawRecord) => Partial<RawRecord>, from: RawParts = texts()) => {
    const bucket = from.segments[0]!.buckets.findIndex((list) => list.length > 2);
    const list = from.segments[0]!.buckets[bucket]!;
    list[1] = { ...list[1]!, ...change(list[1]!) };
    const { offset } = placeOf(from, 0, bucket, 1);
    const { end } = placeOf(from, 0, bucket, list.length - 1);
    return single(`record-${name}`, compose(from), { code: 'HMAP_RECORD', section: 'heap', offset, end });
  };
  /** The record's lengths with one of them in other bytes. */
  const lengths = (key: Uint8Array | undefined, value: Uint8Array | undefined) => (record: RawRecord) => ({
    prefix: Buffer.concat([key ?? varint(record.key.length), value ?? varint(record.value.length)]),
  });
  const bytes = (...list: number[]) => Uint8Array.from(list);
  return [
    broken('key-length-endless', lengths(bytes(0xff, 0xff, 0xff), undefined)),
    broken('key-length-not-the-shortest', lengths(bytes(0x83, 0x00), undefined)),
    broken('key-length-of-zero-not-the-shortest', lengths(bytes(0x80, 0x00), undefined)),
    appended('key-too-long', { key: Buffer.alloc(65_536, 'k'), value: bytes() }),
    broken('value-length-endless', lengths(undefined, bytes(0xff, 0xff, 0xff, 0xff, 0xff))),
    broken('value-length-not-the-shortest', lengths(undefined, bytes(0x85, 0x80, 0x00))),
    broken('value-too-long', lengths(undefined, varint(2 ** 30 + 1))),
    broken('key-passes-its-bucket', lengths(varint(65_535), undefined)),
    broken('value-passes-its-bucket', lengths(undefined, varint(2 ** 30))),
    cutOff('key-length-cut-off', bytes(0x80)),
    cutOff('value-length-cut-off', bytes(0x00, 0x80)),
  ];

  /** A bucket that ends within the lengths of its last record. */
  function cutOff(name: string, prefix: Uint8Array): Damaged {
    return appended(name, { key: bytes(), value: bytes(), prefix });
  }

  /** One more record, whose bytes are all there. */
  function appended(name: string, record: RawRecord): Damaged {
    const parts = texts();
    const list = parts.segments[0]!.buckets[holder(parts, 0, 3)]!;
    list.push(record);
    return last(name, parts, list.length - 1);
  }

  function last(name: string, parts: RawParts, record: number): Damaged {
    return single(`record-${name}`, compose(parts), {
      code: 'HMAP_RECORD',
      section: 'heap',
      ...placeOf(parts, 0, holder(parts, 0, 3), record),
    });
  }
}

/** Records in a wrong place. */
function order(): Damaged[] {
  const misplaced = (name: string, parts: RawParts, first: [number, number], second: [number, number]) => {
    const from = [first[0], holder(parts, ...first)] as const;
    const to = [second[0], holder(parts, ...second)] as const;
    const [record] = parts.segments[from[0]]!.buckets[from[1]]!.splice(0, 1);
    parts.segments[to[0]]!.buckets[to[1]]!.splice(1, 0, record!);
    const place = placeOf(parts, ...to, 1);
    return single(name, compose(parts), { code: 'HMAP_RECORD_BUCKET', section: 'heap', ...place });
  };
  const swapped = (name: string, parts: RawParts) => {
    const bucket = parts.segments[0]!.buckets.findIndex((list) => list.length > 1);
    const list = parts.segments[0]!.buckets[bucket]!;
    list.splice(0, 2, list[1]!, list[0]!);
    const place = placeOf(parts, 0, bucket, 1);
    return single(name, compose(parts), { code: 'HMAP_RECORD_ORDER', section: 'heap', ...place });
  };
  const twice = texts();
  const double = holder(twice, 0, 1);
  const list = twice.segments[0]!.buckets[double]!;
  list.splice(1, 0, { key: list[0]!.key, value: Buffer.from('another value') });
  const colliding = canonicalParts(
    Array.from({ length: 3 }, (_, i) => [keyWithHash(0x1234_5678, 0, [i]), 'x'.repeat(i)]),
    { value: 'utf8' },
  );
  // 65 keys in the first of 32 buckets; another one so that no width is shared.
  const crowd = Array.from({ length: 65 }, (_, i) => [keyWithHash(i, 0, [i]), 'x'.repeat(i % 3)] as const);
  const crowded = canonicalParts([...crowd, ['another', '']], { value: 'utf8' });
  const { offset } = placeOf(crowded, 0, 0, 0);
  const { end } = placeOf(crowded, 0, 0, crowded.segments[0]!.buckets[0]!.length - 1);
  return [
    single('bucket-load', compose(crowded), { code: 'HMAP_BUCKET_LOAD', section: 'heap', offset, end }),
    misplaced('bucket-too-high', texts(), [0, 0], [0, 2]),
    misplaced('bucket-too-low', texts(), [0, 3], [0, 1]),
    misplaced('bucket-of-another-segment', segmented(), [0, 1], [1, 1]),
    swapped('order-of-hashes', texts()),
    swapped('order-of-keys', colliding),
    single('twice', compose(twice), {
      code: 'HMAP_RECORD_DUPLICATE',
      section: 'heap',
      ...placeOf(twice, 0, double, 1),
    }),
  ];
}

/** Values that are not of the table's type. */
function values(): Damaged[] {
  const broken = (name: string, type: RawOptions['value'], good: (i: number) => unknown, bad: string) => {
    const parts = canonicalParts(
      WORDS.map((word, i) => [word, good(i)]),
      { value: type },
    );
    const bucket = holder(parts, 0, 2);
    const list = parts.segments[0]!.buckets[bucket]!;
    list[0] = { ...list[0]!, value: Buffer.from(bad, 'hex') };
    return single(name, compose(parts), { code: 'HMAP_VALUE', section: 'heap', ...placeOf(parts, 0, bucket, 0) });
  };
  return [
    broken('value-not-utf-8', 'utf8', (i) => WORDS[i], 'ff'),
    broken('value-half-of-a-pair', 'utf8', (i) => WORDS[i], 'eda080'),
    broken('value-overlong-utf-8', 'utf8', (i) => WORDS[i], 'c080'),
    broken('value-not-json', 'json', (i) => 3 * i, Buffer.from('{"a":1').toString('hex')),
    broken('value-of-two-json-texts', 'json', (i) => 3 * i, Buffer.from('1 2').toString('hex')),
    broken('value-empty-json', 'json', (i) => 3 * i, ''),
    broken('value-json-not-utf-8', 'json', (i) => 3 * i, '22ff22'),
    broken('value-json-with-byte-order-mark', 'json', (i) => 3 * i, 'efbbbf37'),
    broken('value-f32-nan-negative', 'f32', (i) => i / 2, '0000c0ff'),
    broken('value-f32-nan-signalling', 'f32', (i) => i / 2, '0100807f'),
    broken('value-f64-nan-negative', 'f64', (i) => i / 2, '000000000000f8ff'),
    broken('value-f64-nan-payload', 'f64', (i) => i / 2, '010000000000f87f'),
    broken('value-struct-bits-behind-the-last-field', STRUCT, bird, '000000000000000040'),
    broken('value-struct-f32-nan-negative', STRUCT, bird, shifted(0xffc0_0000n, 38n, 9)),
    broken('value-struct-f32-nan-signalling', STRUCT, bird, shifted(0x7f80_0001n, 38n, 9)),
    broken(
      'value-struct-f64-nan-payload',
      'struct(on:bool,x:f64)',
      (i) => ({ on: true, x: i }),
      shifted(0x7ff8_0000_0000_0001n, 1n, 9),
    ),
    broken(
      'value-struct-f64-nan-negative',
      'struct(on:bool,x:f64)',
      (i) => ({ on: true, x: i }),
      shifted(0xfff8_0000_0000_0000n, 1n, 9),
    ),
  ];
}

/** What the header says of all records. */
function totals(): Damaged[] {
  const parts = texts();
  const [segment] = parts.segments;
  const broken = (name: string, code: FindingCode, field: Field, change: Partial<RawParts>) =>
    single(name, compose({ ...parts, ...change }), headerField(field, code));
  const keyBytes = WORDS.join('').length;
  const none = (valueType: 'bytes', choices: Parameters<typeof canonicalParts>[2]) =>
    canonicalParts([], { value: valueType }, choices);
  const same = WORDS.map((_, i) => [`key ${String(i).padStart(2, '0')}`, 'same'] as const);
  const hex = WORDS.map((word, i) => [`c0ffee${i.toString(16).padStart(2, '0')}`, word] as const);
  const width = (name: string, field: Field, wrong: RawParts) =>
    single(`width-${name}`, compose(wrong), headerField(field, 'HMAP_WIDTH'));
  const numbered = (count: number) => Array.from({ length: count }, (_, i) => [`key ${i}`, i] as const);
  const many = (choices: Parameters<typeof canonicalParts>[2]) =>
    canonicalParts(
      Array.from({ length: 300 }, (_, i) => [`key ${i}`, 'x'.repeat(i % 3)]),
      { value: 'utf8' },
      choices,
    );
  // One key, which belongs in another shard.
  const shards = canonicalParts([['a', 'b']], { value: 'utf8' });
  const own = oracle.h32Raw(Buffer.from('a'), 0) >>> 31;
  shards.shardBits = 1;
  shards.shardIndex = 1 - own;
  const inBuckets = shards.segments[0]!.buckets;
  const [record] = inBuckets.flat();
  const inShard = { offset: placesOf(shards).headerEnd, end: placesOf(shards).segments[0]!.heapEnd };
  for (const list of inBuckets) list.length = 0;
  inBuckets[rawBucket(oracle.h32Raw(Buffer.from('a'), 0), 1, 5, 8)]!.push(record!);
  const bits = (name: string, wrong: RawParts) =>
    single(name, compose(wrong), headerField('bucketBits', 'HMAP_BUCKET_BITS'));
  return [
    single(
      'entries-of-a-segment',
      compose({ ...parts, segments: [{ ...segment!, entries: 11 }] }),
      at('HMAP_ENTRIES', 'header', 192 + 16, 8),
    ),
    broken('total-key-bytes', 'HMAP_TOTALS', 'keyBytes', { fields: { keyBytes: keyBytes + 1 } }),
    broken('total-value-bytes', 'HMAP_TOTALS', 'valueBytes', { fields: { valueBytes: 1 } }),
    width('of-keys-not-told', 'keyWidth', canonicalParts(same, { value: 'utf8' }, { keyWidth: VARIABLE })),
    width('of-values-not-told', 'valueWidth', canonicalParts(same, { value: 'utf8' }, { valueWidth: VARIABLE })),
    width('of-no-keys', 'keyWidth', none('bytes', { keyWidth: 5 })),
    width(
      'of-hex-keys-not-told',
      'keyWidth',
      canonicalParts(hex, { key: 'hex', value: 'utf8' }, { keyWidth: VARIABLE }),
    ),
    width('of-no-values', 'valueWidth', none('bytes', { valueWidth: 5 })),
    bits('bucket-bits-too-few', many({ bucketBits: 6 })),
    bits('bucket-bits-too-many', many({ bucketBits: 8, eighths: 6 })),
    bits('bucket-bits-beside-segment-bits', many({ segmentBits: 1, bucketBits: 7 })),
    single(
      'bucket-eighths',
      compose(
        canonicalParts(
          numbered(700).map(([key, i]) => [key, 'x'.repeat(i % 3)] as const),
          { value: 'utf8' },
          { bucketBits: 8, eighths: 7 },
        ),
      ),
      headerField('bucketEighths', 'HMAP_BUCKET_BITS'),
    ),
    single(
      'offset-bits-too-many',
      compose({ ...texts(), offsetBits: 20 }),
      headerField('offsetBits', 'HMAP_BUCKET_BITS'),
    ),
    single(
      'narrowed-too-wide',
      compose({ ...canonicalParts(numbered(9), { value: 'u16' }), narrowed: true }),
      headerField('valueType', 'HMAP_WIDTH'),
    ),
    single('shard-of-another-index', compose(shards), { code: 'HMAP_RECORD_BUCKET', section: 'heap', ...inShard }),
  ];
}

export const DAMAGED: readonly Damaged[] = [
  ...notATable(),
  ...fields(),
  ...segmentTable(),
  ...metadata(),
  ...schemas(),
  ...lengths(),
  ...checksums(),
  ...zeros(),
  ...lines(),
  ...records(),
  ...order(),
  ...values(),
  ...totals(),
  ...DAMAGED_KEYLESS,
  ...DAMAGED_ENUM,
  ...DAMAGED_FINGERPRINTS,
];
