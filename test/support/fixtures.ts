// The golden files: what each holds and how it is built. `npm run fixtures` writes them; golden-files.test.ts holds
// every later build to them.

import { join } from 'node:path';
import {
  type AnyKey,
  type BitsBuildOptions,
  type BuildOptions,
  type KeyForm,
  type KeyOf,
  type ListBuildOptions,
  type ListType,
  type MappingKind,
  open,
  type Table,
  type ValueChoice,
  type ValueType,
} from '../../src/index.js';
import { fileHeader } from '../../src/storage/open-file.js';
import { keyWithHash } from './collisions.js';
import { PACKAGE_ROOT } from './root.js';

export function fixturePath(name: string): string {
  return join(PACKAGE_ROOT, 'test/conformance/fixtures', name);
}

export interface Fixture {
  /** File name in test/conformance/fixtures, without `.hmap`. */
  readonly name: string;
  readonly options: BuildOptions<ValueChoice>;
  readonly entries: readonly (readonly [key: AnyKey, value: unknown])[];
}

function fixture(name: string, options: BuildOptions<ValueChoice>, entries: Fixture['entries']): Fixture {
  return { name, options, entries };
}

function numbered<V>(count: number, key: (i: number) => AnyKey, value: (i: number) => V) {
  return Array.from({ length: count }, (_, i) => [key(i), value(i)] as const);
}

/** A value of the fixture `struct`, from its fields in their order. */
function record(...values: readonly (number | boolean)[]): Record<string, number | boolean> {
  const names = ['active', 'level', 'country', 'score', 'price', 'größe', '$low', 'x-y_1', 'last'];
  return Object.fromEntries(names.map((name, i) => [name, values[i]!]));
}

/** Values at the ends of each numeric type's range, and in between. */
const NUMBERS: Partial<Record<ValueType, readonly unknown[]>> = {
  u8: [0, 1, 255],
  i8: [-128, 0, 127],
  u16: [0, 65_535],
  i16: [-32_768, 32_767],
  u32: [0, 1, 4_294_967_295],
  i32: [-2_147_483_648, 2_147_483_647],
  u64: [0n, 2n ** 53n + 1n, 2n ** 64n - 1n],
  i64: [-(2n ** 63n), -1n, 2n ** 63n - 1n],
  u24: [0, 65_536, 16_777_215],
  u40: [0, 2 ** 32, 2 ** 40 - 1],
  u48: [0, 2 ** 40, 2 ** 48 - 1],
  f32: [0, -0, 0.5, Number.NaN, Number.POSITIVE_INFINITY],
  f64: [0, -0, 0.1, Number.NaN, Number.NEGATIVE_INFINITY, Number.MAX_VALUE],
};

export const FIXTURES: readonly Fixture[] = [
  fixture('empty', { value: 'utf8' }, []),
  fixture('example', { value: 'u16', metadata: { made: 'by hand' } }, [
    ['apple', 1],
    ['fig', 2],
    ['kiwi', 65_535],
    ['pear', 513],
  ]),
  fixture('one-empty-key', { value: 'none' }, [['', true]]),
  fixture(
    'set',
    { value: 'none' },
    numbered(
      100,
      (i) => `member ${i}`,
      () => true,
    ),
  ),
  fixture(
    'keys-of-one-length',
    { value: 'u32', seed: 7 },
    numbered(
      200,
      (i) => `key-${String(i).padStart(4, '0')}`,
      (i) => i * 3,
    ),
  ),
  fixture(
    'keys-and-values-of-one-length',
    { value: 'bytes' },
    numbered(
      50,
      (i) => Uint8Array.of(i, 255 - i),
      (i) => Uint8Array.of(i, i, i),
    ),
  ),
  fixture('text', { value: 'utf8', seed: 0xffff_ffff }, [
    ['', 'the empty key'],
    ['empty value', ''],
    ['nul\0in the key', 'nul\0in the value'],
    ['ключ', 'значение'],
    ['🗝', '🔑'],
    ['k'.repeat(127), 'v'.repeat(127)],
    ['k'.repeat(128), 'v'.repeat(128)],
    ['k'.repeat(20_000), 'v'.repeat(20_000)],
  ]),
  fixture(
    'binary-keys',
    { value: 'bytes' },
    numbered(
      64,
      (i) => Uint8Array.of(0xff, i, 0),
      (i) => new Uint8Array(i).fill(i),
    ),
  ),
  fixture('json', { value: 'json', metadata: { b: [1, { z: 1, a: 2 }], 10: 'ten', 9: 'nine' } }, [
    ['null', null],
    ['nested', { a: [1, 2, { b: 'c' }], d: true }],
    ['text', 'with "quotes" and \n line ends'],
    ['number', -1.5e300],
  ]),
  fixture(
    'collisions',
    { value: 'u32' },
    numbered(
      40,
      (i) => keyWithHash(0x1234_5678, 0, [i]),
      (i) => i,
    ),
  ),
  fixture(
    'segments',
    { value: 'utf8', segmentBytes: 12_288 },
    numbered(
      500,
      (i) => `segmented key ${i}`,
      (i) => `value ${'x'.repeat(i % 40)}`,
    ),
  ),
  fixture('empty-u32-keys', { key: 'u32', value: 'utf8' }, []),
  fixture('u32-keys', { key: 'u32', value: 'utf8' }, [
    [0, 'zero'],
    [1, 'one'],
    [0x0403_0201, 'bytes in order'],
    [2 ** 31, 'beyond i32'],
    [2 ** 32 - 1, 'the last'],
  ]),
  fixture(
    'u64-keys',
    { key: 'u64', value: 'u32', seed: 3 },
    [0n, 1n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n].map((key, i) => [key, i]),
  ),
  fixture(
    'i64-keys',
    { key: 'i64', value: 'none' },
    [0n, -1n, -(2n ** 63n), 2n ** 63n - 1n, 0x0807_0605_0403_0201n].map((key) => [key, true]),
  ),
  fixture(
    'uuid-keys',
    { key: 'uuid', value: 'u8' },
    numbered(
      20,
      (i) => `${String(i).padStart(8, '0')}-89ab-cdef-0123-456789abcdef`,
      (i) => i,
    ),
  ),
  fixture('hex-keys', { key: 'hex', value: 'u8' }, [
    ['', 0],
    ['00', 1],
    ['deadbeef', 2],
    ['0123456789abcdef', 3],
  ]),
  fixture('hex-keys-of-one-length', { key: 'hex', value: 'json' }, [
    ['00ff', null],
    ['c0de', [1]],
  ]),
  fixture(
    'struct',
    {
      value: {
        struct: {
          active: 'bool',
          level: 'u7',
          country: 'u10',
          score: 'i20',
          price: 'f32',
          größe: 'u53',
          $low: 'i53',
          'x-y_1': 'f64',
          last: 'i1',
        },
      },
      metadata: { made: 'of bits' },
    },
    [
      ['zero', record(false, 0, 0, 0, 0, 0, 0, 0, 0)],
      ['ones', record(true, 127, 1023, -1, 1.5, 2 ** 53 - 1, -1, -0, -1)],
      ['least', record(false, 1, 512, -(2 ** 19), -0, 1, -(2 ** 52), -Infinity, 0)],
      ['most', record(true, 64, 1, 2 ** 19 - 1, Infinity, 2 ** 52, 2 ** 52 - 1, Number.MAX_VALUE, 0)],
      ['NaN', record(true, 5, 300, 1234, Number.NaN, 2 ** 32 + 1, -(2 ** 32) - 1, Number.NaN, -1)],
    ],
  ),
  fixture('struct-of-one-bit', { value: { struct: { on: 'bool' } } }, [
    ['off', { on: false }],
    ['on', { on: true }],
  ]),
  fixture(
    'uint',
    { value: 'uint' },
    numbered(
      100,
      (i) => `key ${i}`,
      (i) => i * 1000,
    ),
  ),
  fixture('enum-empty', { value: 'enum' }, []),
  fixture('enum-of-one', { value: 'enum' }, [
    ['a', 'the same'],
    ['b', 'the same'],
  ]),
  fixture('enum', { value: 'enum', key: 'u32', metadata: { made: 'of few' } }, [
    [1, 'zwei'],
    [2, ''],
    [3, 'drei\n'],
    [4, 'zwei'],
    [5, '三'],
    [6, '\ufeff'],
    [7, 'zwei'],
    [8, '\u{1f600}'],
    [9, 'drei'],
  ]),
  fixture(
    'enum-of-two-bytes-in-segments',
    { value: 'enum', segmentBytes: 12_288 },
    numbered(
      900,
      (i) => `key ${i}`,
      (i) => `value ${i % 300}`,
    ),
  ),
  fixture('fingerprints-empty', { value: 'utf8', fingerprint: 8 }, []),
  fixture(
    'fingerprints-set',
    { value: 'none', fingerprint: 16 },
    numbered(
      300,
      (i) => `user${i}@example.org`,
      () => true,
    ),
  ),
  fixture(
    'fingerprints-8-bits',
    { value: 'u16', key: 'u32', fingerprint: 8, seed: 5 },
    numbered(
      1000,
      (i) => i * 7,
      (i) => i,
    ),
  ),
  fixture(
    'fingerprints-8-bits-in-segments',
    { value: 'utf8', fingerprint: 8, segmentBytes: 8192, metadata: { made: 'without keys' } },
    numbered(
      1100,
      (i) => `key ${i}`,
      (i) => `value ${'x'.repeat(i % 30)}`,
    ),
  ),
  fixture(
    'fingerprints-24-bits',
    { value: 'uint', key: 'hex', fingerprint: 24 },
    numbered(
      50,
      (i) => i.toString(16).padStart(40, '0'),
      (i) => i * 100,
    ),
  ),
  fixture(
    'fingerprints-32-bits',
    { value: 'enum', key: 'i64', fingerprint: 32 },
    numbered(
      60,
      (i) => BigInt(i) - 30n,
      (i) => `kind ${i % 7}`,
    ),
  ),
  ...Object.entries(NUMBERS).map(([type, values]) =>
    fixture(
      type,
      { value: type as ValueType },
      values.map((value, i) => [`${type} ${i}`, value] as const),
    ),
  ),
];

/** Opens a table of whichever kind; a table with fingerprints refuses what needs keys. */
export function openEither<K extends KeyForm>(
  path: string,
  options: { key?: K; mapping?: MappingKind } = {},
): Table<unknown, KeyOf<K>> {
  const { fingerprint } = fileHeader(path);
  const opened = fingerprint === null ? open(path, options) : open(path, { ...options, fingerprint: true });
  return opened as Table<unknown, KeyOf<K>>;
}

/** A golden list, or bit array. */
export interface KeylessFixture {
  readonly name: string;
  readonly options: ListBuildOptions | BitsBuildOptions;
  readonly values: readonly unknown[];
  readonly segments: number;
}

function list(
  name: string,
  value: ListType,
  values: readonly unknown[],
  more: Partial<ListBuildOptions> = {},
  segments = 1,
) {
  return { name: `list-${name}`, options: { layout: 'list' as const, value, ...more }, values, segments };
}

function bits(name: string, values: readonly number[], more: Partial<BitsBuildOptions> = {}, segments = 1) {
  return { name: `bits-${name}`, options: { layout: 'bits' as const, ...more }, values, segments };
}

const numbers = (count: number, value: (i: number) => number) => Array.from({ length: count }, (_, i) => value(i));

export const KEYLESS_FIXTURES: readonly KeylessFixture[] = [
  list('empty', 'u7', []),
  list('u1', 'u1', [1, 0, 0, 1, 1, 1, 0, 1, 1, 0, 1]),
  list('u7', 'u7', [0, 1, 127, 64, 5, 99, 3, 2, 80], { base: -4, metadata: { made: 'by hand' } }),
  list('i20', 'i20', [-524_288, -1, 0, 1, 524_287]),
  list('u31', 'u31', [0, 2 ** 31 - 1, 5, 2 ** 30]),
  list('u53', 'u53', [0, 2 ** 53 - 1, 2 ** 52, 2 ** 32, 2 ** 32 - 1]),
  list('i53', 'i53', [-(2 ** 52), 2 ** 52 - 1, -1, 0, -(2 ** 32)]),
  list('f32', 'f32', NUMBERS.f32!),
  list('f64', 'f64', NUMBERS.f64!),
  list('utf8', 'utf8', ['', 'one', '', 'zwei', '三', '\ufeff\n']),
  list('bytes', 'bytes', [Uint8Array.of(255, 0), new Uint8Array(0), Uint8Array.of(1)]),
  list(
    'u20-in-segments',
    'u20',
    numbers(8200, (i) => (i * 127) % 2 ** 20),
    { segmentBytes: 8192 },
    4,
  ),
  list(
    'utf8-in-segments',
    'utf8',
    numbers(700, (i) => i).map((i) => `value ${'x'.repeat(i % 40)}`),
    { segmentBytes: 4096 },
    8,
  ),
  bits('empty', []),
  bits('none-of-some', [], { length: 33 }),
  bits('few', [7, 3, 3, -2, 40], { base: -5 }),
  bits('padded', [0, 31, 32, 2047, 2048, 4095, 9000], { length: 10_000 }),
  bits(
    'in-segments',
    numbers(9000, (i) => (i * i) % 90_000),
    { segmentBytes: 4096, base: 0 },
    4,
  ),
];
