// Keys and values of every kind, and the order in which a file must hold them. Knows the format's rules, not the
// library's code.

import xxhash, { type XXHashAPI } from 'xxhash-wasm';
import type { ValueType, ValueTypes } from '../../src/index.js';
import type { Random } from './random.js';

/** An independent XXH32 and XXH64. */
export const oracle: XXHashAPI = await xxhash();

export const VALUE_TYPES = [
  'none',
  'bytes',
  'utf8',
  'json',
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'u64',
  'i64',
  'f32',
  'f64',
  'u24',
  'u40',
  'u48',
  'enum',
] as const satisfies readonly ValueType[];

/** §7: what a header stores for each. */
export const TYPE_CODES: { readonly [T in ValueType]: number } = {
  ...(Object.fromEntries(VALUE_TYPES.slice(0, 14).map((type, i) => [type, i])) as { [T in ValueType]: number }),
  u24: 16,
  u40: 17,
  u48: 18,
  enum: 15,
};

/** Smallest and largest value of each integer type, inclusive. */
export const RANGES = {
  u8: [0, 255],
  i8: [-128, 127],
  u16: [0, 65_535],
  i16: [-32_768, 32_767],
  u32: [0, 4_294_967_295],
  i32: [-2_147_483_648, 2_147_483_647],
  u24: [0, 16_777_215],
  u40: [0, 1_099_511_627_775],
  u48: [0, 281_474_976_710_655],
  u64: [0n, 18_446_744_073_709_551_615n],
  i64: [-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
} as const;

/** Values at the edges of each type. */
export const EXTREMES: { readonly [T in ValueType]: readonly ValueTypes[T][] } = {
  none: [true],
  bytes: [new Uint8Array(0), Uint8Array.of(0), Uint8Array.of(255, 0, 128), new Uint8Array(200).fill(7)],
  utf8: ['', '\0', 'a', 'é', '€', '\u{1f600}', '\ufeffwith a BOM', '\ufffd', 'x'.repeat(128), 'ü\n\r\t"\\'],
  json: [
    null,
    true,
    false,
    0,
    -1.5e300,
    '',
    '\ud800 lone',
    [],
    {},
    [[[[[]]]]],
    { a: [1, { b: null, ä: 'ö' }], '': [{}], ['__proto__']: 1 },
  ],
  u8: [0, 1, 127, 128, 255],
  i8: [-128, -1, 0, 127],
  u16: [0, 255, 256, 65_535],
  i16: [-32_768, -1, 0, 32_767],
  u32: [0, 2_147_483_647, 2_147_483_648, 4_294_967_295],
  i32: [-2_147_483_648, -1, 0, 2_147_483_647],
  u24: [0, 65_535, 65_536, 8_388_608, 16_777_215],
  u40: [0, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 - 1],
  u48: [0, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 2 ** 48 - 1],
  u64: [0n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n],
  i64: [-(2n ** 63n), -(2n ** 53n) - 1n, -1n, 0n, 2n ** 63n - 1n],
  f32: [0, -0, 1.5, -2, Number.NaN, Infinity, -Infinity, 2 ** -149, (2 - 2 ** -23) * 2 ** 127],
  f64: [0, -0, 0.1, -1e300, Number.NaN, Infinity, -Infinity, Number.MIN_VALUE, Number.MAX_VALUE],
  enum: ['', '\0', 'a', 'aa', 'é', '€', '\u{1f600}', '\ufeffwith a BOM', '\ufffd', 'x'.repeat(128), 'ü\n\r\t"\\'],
};

const MAKERS: { readonly [T in ValueType]: (random: Random) => ValueTypes[T] } = {
  none: () => true,
  bytes: (random) => random.bytes(random.below(20)),
  utf8: (random) => random.text(random.below(20), 'abc é€\u0000'),
  json: (random) => ({ n: random.below(1000), list: [random.text(random.below(5)), null, { deep: random.u32() }] }),
  u8: (random) => random.below(256),
  i8: (random) => random.between(-128, 127),
  u16: (random) => random.below(65_536),
  i16: (random) => random.between(-32_768, 32_767),
  u32: (random) => random.u32(),
  i32: (random) => random.u32() | 0,
  u24: (random) => random.below(2 ** 24),
  u40: (random) => random.below(2 ** 8) * 2 ** 32 + random.u32(),
  u48: (random) => random.below(2 ** 16) * 2 ** 32 + random.u32(),
  u64: (random) => (BigInt(random.u32()) << 32n) | BigInt(random.u32()),
  i64: (random) => BigInt.asIntN(64, (BigInt(random.u32()) << 32n) | BigInt(random.u32())),
  f32: (random) => Math.fround((random.u32() - 2 ** 31) / 1e5),
  f64: (random) => (random.u32() - 2 ** 31) / 1e5,
  enum: (random) => `value ${random.below(300)}`,
};

/** A value of the type, one in four of them an extreme. */
export function sampleOf<T extends ValueType>(type: T, random: Random): ValueTypes[T] {
  return random.below(4) === 0 ? random.pick(EXTREMES[type]) : MAKERS[type](random);
}

export const KEY_KINDS = ['mixed', 'one length', 'prefixes', 'non-ASCII', 'words'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/** `count` different keys. */
export function keysOf(kind: KeyKind, count: number, random: Random): string[] {
  const keys = new Set<string>();
  if (kind === 'mixed') {
    const special = [
      '',
      '\0',
      '\0\0',
      'a\0b',
      'é',
      'key',
      '\u{1f600}',
      '\ufffd',
      '\ufeffkey',
      '\uffff',
      'k'.repeat(300),
    ];
    for (const key of random.shuffled(special).slice(0, count)) keys.add(key);
  }
  const width = random.between(3, 9);
  const letters = 'é€ä\u{1f600}ß漢字a'.match(/./gu)!;
  for (let i = 0; keys.size < count; i++) {
    if (kind === 'mixed') keys.add(random.text(random.between(1, i % 10 === 0 ? 300 : 24)));
    else if (kind === 'one length') keys.add(i.toString(36).padStart(width, '_'));
    else if (kind === 'prefixes') keys.add('p'.repeat(i % 200) + (i < 200 ? '' : Math.floor(i / 200)));
    else if (kind === 'non-ASCII')
      keys.add(Array.from({ length: random.between(1, 9) }, () => random.pick(letters)).join(''));
    else keys.add(`word ${i}`);
  }
  return [...keys];
}

/** Keys in the order in which a file holds them: by hash, then by bytes. */
export function fileOrder<K extends string | Uint8Array>(keys: Iterable<K>, seed = 0): K[] {
  const rows = Array.from(keys, (key) => {
    const bytes = Buffer.from(key as string);
    return { key, bytes, hash: oracle.h32Raw(bytes, seed) };
  });
  rows.sort((a, b) => a.hash - b.hash || Buffer.compare(a.bytes, b.bytes));
  return rows.map(({ key }) => key);
}
