// What the files hold that fuzzing damages, beside the golden ones: what these do not have. Some differ in one thing
// alone, so that their files can be mixed. Knows options and entries; does not know files. A new form of file needs
// some of its own here, and its line in fuzz-samples.ts.

import type {
  AnyKey,
  BitsBuildOptions,
  BuildOptions,
  ListBuildOptions,
  ListType,
  ValueChoice,
} from '../../src/index.js';
import { Random } from '../support/random.js';

/** A table by hash. */
export interface TableContent {
  name: string;
  options: BuildOptions<ValueChoice>;
  entries: readonly (readonly [key: AnyKey, value: unknown])[];
}

/** A list, or a bit array. */
export interface KeylessContent {
  name: string;
  options: ListBuildOptions | BitsBuildOptions;
  values: readonly unknown[];
}

function table(
  name: string,
  options: BuildOptions<ValueChoice>,
  count: number,
  key: (i: number) => AnyKey,
  value: (i: number) => unknown,
): TableContent {
  return { name, options, entries: Array.from({ length: count }, (_, i) => [key(i), value(i)] as const) };
}

const words = (i: number) => `word ${i}${'.'.repeat(i % 7)}`;
const fixed = (i: number) => `k${i}`.padEnd(8, '-');

function tables(random: Random): TableContent[] {
  const numbers = () => random.u32();
  const texts = () => random.text(200);
  const runs = (i: number) => random.bytes(i % 80);
  const segments = { value: 'bytes', segmentBytes: 30_000 } as const;
  return [
    table('numbers', { value: 'u32' }, 400, words, numbers),
    table('numbers, a later version', { value: 'u32' }, 400, words, numbers),
    table('numbers, other keys', { value: 'u32' }, 400, (i) => words(i).replace('word', 'werd'), numbers),
    table('numbers, a seed', { value: 'u32', seed: 7 }, 400, words, numbers),
    table('keys of one length', { value: 'u32' }, 300, fixed, numbers),
    table('keys of one length, a later version', { value: 'u32' }, 300, fixed, numbers),
    table('keys of one length, text', { value: 'utf8' }, 100, fixed, (i) => random.text(i % 40)),
    table('keys of one length, a set', { value: 'none' }, 300, fixed, () => true),
    table('blocks', { value: 'utf8' }, 1500, words, texts),
    table('blocks, a later version', { value: 'utf8' }, 1500, words, texts),
    table('blocks of numbers', { value: 'u64' }, 12_000, fixed, (i) => BigInt(i) << 20n),
    table('a value larger than a block', { value: 'utf8' }, 20, words, (i) => 'v'.repeat(i === 7 ? 150_000 : i)),
    table('segments and blocks', { ...segments, metadata: { name: 'fuzz' } }, 1200, words, runs),
    table('segments and blocks, a later version', { ...segments, metadata: { name: 'fuzy' } }, 1200, words, runs),
    table('much metadata', { value: 'i16', metadata: { text: 'm'.repeat(9000) } }, 30, words, (i) => 0 - i),
    table('two entries', { value: 'json' }, 2, words, (i) => ({ i, text: 'tab\tand line\nend' })),
  ];
}

/** Fingerprints in place of keys; of 8 bits, so that some are shared. */
function fingerprints(random: Random): TableContent[] {
  const numbers = () => random.u32();
  const segments = { value: 'bytes', segmentBytes: 30_000, fingerprint: 8 } as const;
  return [
    table('fingerprints', { value: 'u32', fingerprint: 8 }, 900, words, numbers),
    table('fingerprints, a later version', { value: 'u32', fingerprint: 8 }, 900, words, numbers),
    table('fingerprints, a set', { value: 'none', fingerprint: 16 }, 900, words, () => true),
    table('fingerprints, text', { value: 'utf8', fingerprint: 8 }, 900, fixed, (i) => random.text(i % 60)),
    table(
      'fingerprints, typed keys',
      { value: 'u8', key: 'u32', fingerprint: 24 },
      500,
      (i) => 3 * i,
      (i) => i % 256,
    ),
    table('fingerprints in segments and blocks', segments, 3000, words, (i) => random.bytes(i % 80)),
  ];
}

/** Values of fields, and numbers of 3, 5 and 6 bytes. */
function packedValues(random: Random): TableContent[] {
  const active = { struct: { active: 'bool', level: 'u7', country: 'u10', score: 'i20', price: 'f32' } } as const;
  const person = () => ({
    active: random.below(2) === 0,
    level: random.below(128),
    country: random.below(1024),
    score: random.between(-(2 ** 19), 2 ** 19 - 1),
    price: Math.fround(random.u32() / 1e5),
  });
  const odd = { struct: { low: 'i53', high: 'u53', double: 'f64', few: 'i3', one: 'u1', mid: 'i31' } } as const;
  const wide = () => random.below(2 ** 21) * 2 ** 32 + random.u32();
  const fields = () => ({
    low: wide() - 2 ** 52,
    high: wide(),
    double: random.u32() / 3e5,
    few: random.between(-4, 3),
    one: random.below(2),
    mid: random.u32() % 2 ** 30,
  });
  return [
    table('a struct', { value: active }, 300, words, person),
    table('a struct, a later version', { value: active }, 300, words, person),
    table('a struct of odd fields in segments', { value: odd, segmentBytes: 12_288 }, 500, fixed, fields),
    table('a struct of odd fields, later', { value: odd, segmentBytes: 12_288 }, 500, fixed, fields),
    table('blocks of structs', { value: active }, 8000, fixed, person),
    table('a struct of one byte', { value: { struct: { a: 'u3', b: 'i4', c: 'bool' } } }, 200, words, (i) => ({
      a: i % 8,
      b: (i % 16) - 8,
      c: i % 3 === 0,
    })),
    table('uint of 5 bytes', { value: 'uint' }, 300, words, () => random.below(2 ** 8) * 2 ** 32 + random.u32()),
    table('uint of 3 bytes', { value: 'uint', metadata: { m: 1 } }, 300, fixed, () => random.below(2 ** 24)),
    table('numbers of 3 bytes', { value: 'u24' }, 300, fixed, () => random.below(2 ** 24)),
    table('numbers of 6 bytes', { value: 'u48' }, 300, fixed, () => random.below(2 ** 16) * 2 ** 32 + random.u32()),
  ];
}

/** Of few distinct strings: none, one, and numbers of one and two bytes. */
function enumValues(random: Random): TableContent[] {
  const of = (count: number) => {
    const kinds = Array.from({ length: count }, (_, i) => `${random.text(i % 30, 'abc é€')}${i}`);
    return (i: number) => (i < count ? kinds[i]! : random.pick(kinds));
  };
  const enums = { value: 'enum' } as const;
  const some = (i: number) => Math.imul(i + 1, 0x9e37_79b1) >>> 0;
  return [
    table('nine kinds', enums, 300, words, of(9)),
    table('nine kinds, a later version', enums, 300, words, of(9)),
    table('one kind', enums, 50, words, of(1)),
    table('kinds of u32 keys', { ...enums, key: 'u32' }, 300, some, of(200)),
    table('300 kinds in segments', { ...enums, segmentBytes: 12_288, metadata: { m: 1 } }, 900, words, of(300)),
    table(
      '300 kinds in segments, a later version',
      { ...enums, segmentBytes: 12_288, metadata: { m: 2 } },
      900,
      words,
      of(300),
    ),
    table('blocks of kinds', enums, 9000, fixed, of(6000)),
    table('blocks of kinds, a later version', enums, 9000, fixed, of(6000)),
  ];
}

function typedKeys(random: Random): TableContent[] {
  const numbers = () => random.u32();
  const some = (i: number) => Math.imul(i + 1, 0x9e37_79b1) >>> 0;
  const big = (i: number) => (BigInt(some(i)) << 32n) | BigInt(i);
  const uuid = (i: number) => `${some(i).toString(16).padStart(8, '0')}-89ab-4def-8123-${String(i).padStart(12, '0')}`;
  const hex = (i: number) =>
    some(i)
      .toString(16)
      .padStart(8, '0')
      .repeat(1 + (i % 5));
  const point = { struct: { x: 'i12', y: 'i12' } } as const;
  return [
    table('u32 keys', { key: 'u32', value: 'u32' }, 300, some, numbers),
    table('u32 keys, a later version', { key: 'u32', value: 'u32' }, 300, some, numbers),
    table('u32 keys, a seed', { key: 'u32', value: 'u32', seed: 7 }, 300, some, numbers),
    table('blocks of u32 keys', { key: 'u32', value: 'u64' }, 10_000, some, big),
    table('u64 keys in segments', { key: 'u64', value: 'utf8', segmentBytes: 12_288 }, 500, big, (i) =>
      random.text(i % 40),
    ),
    table('u64 keys', { key: 'u64', value: 'u16' }, 200, big, (i) => i),
    table(
      'i64 keys',
      { key: 'i64', value: 'u16' },
      200,
      (i) => BigInt.asIntN(64, big(i)),
      (i) => i,
    ),
    table(
      'i64 keys, a set',
      { key: 'i64', value: 'none' },
      300,
      (i) => BigInt.asIntN(64, big(i)),
      () => true,
    ),
    table('uuid keys', { key: 'uuid', value: point }, 200, uuid, (i) => ({ x: i, y: 0 - i })),
    table('uuid keys, a later version', { key: 'uuid', value: point }, 200, uuid, (i) => ({ x: 0 - i, y: i })),
    table('hex keys', { key: 'hex', value: 'bytes' }, 200, hex, (i) => random.bytes(i % 30)),
    table(
      'hex keys of one length',
      { key: 'hex', value: 'u24' },
      200,
      (i) => hex(5 * i),
      () => random.below(2 ** 24),
    ),
  ];
}

/** All tables by hash. */
export function tableContents(): TableContent[] {
  return [
    ...tables(new Random(77)),
    ...packedValues(new Random(78)),
    ...fingerprints(new Random(81)),
    ...enumValues(new Random(82)),
    ...typedKeys(new Random(79)),
  ];
}

function list(
  name: string,
  value: ListType,
  count: number,
  element: (i: number) => unknown,
  more: Partial<ListBuildOptions> = {},
): KeylessContent {
  return {
    name,
    options: { layout: 'list', value, ...more },
    values: Array.from({ length: count }, (_, i) => element(i)),
  };
}

function bits(name: string, values: readonly number[], more: Partial<BitsBuildOptions> = {}): KeylessContent {
  return { name, options: { layout: 'bits', ...more }, values };
}

function lists(random: Random): KeylessContent[] {
  /** Any integer of so many bits. */
  const unsigned = (width: number) => () => (random.below(2 ** 21) * 2 ** 32 + random.u32()) % 2 ** width;
  const signed = (width: number) => () => unsigned(width)() - 2 ** (width - 1);
  const texts = (i: number) => random.text(i % 40, 'abc é€');
  const far = { base: -(2 ** 53 - 1) };
  return [
    list('u1', 'u1', 2000, unsigned(1)),
    list('u7', 'u7', 500, unsigned(7), { base: -4 }),
    list('u7, a later version', 'u7', 500, unsigned(7), { base: -4 }),
    list('i7', 'i7', 500, signed(7), { base: 1000 }),
    list('i20 in segments', 'i20', 9000, signed(20), { segmentBytes: 4096, base: 7 }),
    list('i20 in segments, a later version', 'i20', 9000, signed(20), { segmentBytes: 4096, base: 7 }),
    list('i29', 'i29', 300, signed(29)),
    list('u31', 'u31', 300, unsigned(31)),
    list('u32', 'u32', 300, unsigned(32), { base: 2 ** 53 - 300 }),
    list('u33 in segments', 'u33', 6000, unsigned(33), { segmentBytes: 4096, metadata: { m: 1 } }),
    list('i47', 'i47', 300, signed(47), far),
    list('u53', 'u53', 300, unsigned(53)),
    list('i53', 'i53', 300, signed(53)),
    list('blocks of u27', 'u27', 45_000, unsigned(27)),
    list('blocks of u27, a later version', 'u27', 45_000, unsigned(27)),
    list('f32', 'f32', 500, (i) => (i % 50 === 0 ? Number.NaN : Math.fround(random.u32() / 1e5))),
    list('f64 in segments', 'f64', 1500, (i) => (i % 50 === 0 ? Number.NaN : random.u32() / 1e5), {
      segmentBytes: 4096,
    }),
    list('utf8', 'utf8', 500, texts),
    list('utf8, other texts', 'utf8', 500, texts, { base: -250 }),
    list('utf8 in segments', 'utf8', 1500, texts, { segmentBytes: 12_288, ...far }),
    list('blocks of bytes', 'bytes', 3000, (i) => random.bytes(i % 90)),
    list('blocks of offsets', 'utf8', 34_000, (i) => 'xy'.slice(i % 3)),
    list('bytes in segments', 'bytes', 900, (i) => random.bytes(i % 30), { segmentBytes: 12_288 }),
  ];
}

function bitArrays(random: Random): KeylessContent[] {
  /** Integers in `[0, length)`, about one in `of`. */
  const some = (length: number, of: number) => Array.from({ length }, (_, i) => i).filter(() => random.below(of) === 0);
  const moved = (values: readonly number[], base: number) => values.map((value) => value + base);
  return [
    bits('few', some(10_000, 50), { length: 10_000 }),
    bits('few, a later version', some(10_000, 50), { length: 10_000 }),
    bits('many', some(9001, 2), { length: 9001 }),
    bits('from a base', moved(some(5000, 3), -2500), { base: -2500, length: 5000 }),
    bits('from the least base', moved(some(3000, 3), -(2 ** 53 - 1)), { base: -(2 ** 53 - 1), length: 3000 }),
    bits('segments', some(90_000, 10), { segmentBytes: 4096, length: 90_000 }),
    bits('segments, a later version', some(90_000, 10), { segmentBytes: 4096, length: 90_000 }),
    bits('segments from a base', moved(some(70_000, 40), 99), { segmentBytes: 4096, length: 70_000, base: 99 }),
    bits('blocks', some(1_200_000, 30), { length: 1_200_000 }),
    bits('blocks, a later version', some(1_200_000, 30), { length: 1_200_000 }),
    bits('one bit', [0]),
    bits('all of a word', moved(some(32, 1), 5), { base: 5 }),
  ];
}

/** All lists and bit arrays. */
export function keylessContents(): KeylessContent[] {
  return [...lists(new Random(80)), ...bitArrays(new Random(81))];
}
