// Tests the arithmetic of plans (tools/plan): built files are what was predicted, part by part; and what cannot be
// built yet adds up.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { ByteBuffer } from '../../src/base/bytes.js';
import { withBuilder } from '../../src/build/build.js';
import { indexWidth } from '../../src/format/constants.js';
import { type KeyForm, type ListType, stat, type ValueType } from '../../src/index.js';
import { buildKeylessFrom } from '../../tools/commands/keyless.js';
import { HashEntrySink } from '../../tools/formats/entry-sink.js';
import type { FormatName } from '../../tools/formats/format.js';
import { loadFormat } from '../../tools/formats/formats.js';
import {
  type Facts,
  HELD_BY_NONE,
  LengthSums,
  lengthsOf,
  type Range,
  type ValueFacts,
} from '../../tools/plan/facts.js';
import { elementBits, type Representation, representations } from '../../tools/plan/predict.js';
import {
  jemallocClass,
  redisString,
  redisValue,
  rivals,
  sqliteCell,
  v8Dictionary,
  v8Number,
  v8OrderedTable,
  v8String,
} from '../../tools/plan/rivals.js';
import { Distinct, integerOf, Survey } from '../../tools/plan/survey.js';
import { Random } from '../support/random.js';
import { PACKAGE_ROOT } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';
import { NO_COLUMNS } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
let names = 0;

type Form = ConstructorParameters<typeof Survey>[0];

const FORM: Record<FormatName, Form> = {
  tsv: 'bytes',
  csv: 'bytes',
  cdb: 'bytes',
  json: 'json',
  jsonl: 'json',
  lines: 'none',
};

async function* whole(text: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text as string);
}

async function factsOf(format: FormatName, text: string | Uint8Array): Promise<Facts> {
  const survey = new Survey(FORM[format]);
  await (await loadFormat(format)).read(whole(text), new HashEntrySink(survey, 'input'), NO_COLUMNS);
  return survey.facts;
}

/** Builds a file of each representation and holds it to what was predicted. Returns their names. */
async function assertBuilt(format: FormatName, text: string, only?: readonly string[]): Promise<string[]> {
  const facts = await factsOf(format, text);
  const found = representations(facts);
  const { read } = await loadFormat(format);
  for (const { name, options, parts, total } of found) {
    if (only !== undefined && !only.includes(name)) continue;
    const path = join(folder, `${names++}.hmap`);
    const value = options[options.indexOf('--value') + 1] as ValueType;
    if (options[0] === '--layout') {
      await buildKeyless(path, format, text, options);
      await assertParts(path, { ...parts, total }, name);
      continue;
    }
    const key = options[0] === '--key' ? (options[1] as KeyForm) : 'bytes';
    await withBuilder(path, { value, key, memory: 2 ** 24 }, (builder) =>
      read(whole(text), new HashEntrySink(builder, 'input'), {
        ...NO_COLUMNS,
        ...(value === 'none' && format === 'tsv' && { key: '1' }),
      }),
    );
    assert.equal(facts.entries, await assertParts(path, { ...parts, total }, name));
  }
  // Typed keys are built and compared, too, but each type of values has its row with bare keys.
  return found.map(({ name }) => name).filter((name) => !/ keys|^list|^bits/.test(name));
}

/** A list or a bit array, by the options that the plan prints. */
async function buildKeyless(path: string, format: FormatName, text: string, options: readonly string[]): Promise<void> {
  const option = (name: string) => (options.includes(name) ? options[options.indexOf(name) + 1] : undefined);
  const base = Number(option('--base') ?? 0);
  const wanted =
    option('--layout') === 'bits'
      ? ({ layout: 'bits', base } as const)
      : ({ layout: 'list', value: option('--value') as ListType, base } as const);
  const input = { path: 'input', pieces: () => whole(text) };
  await buildKeylessFrom(path, wanted, input, 'input', format, NO_COLUMNS);
}

async function assertParts(path: string, predicted: Record<string, number>, name: string): Promise<number> {
  const { sections, fileBytes, entries } = await stat(path);
  const { prefixes, dictionary, fingerprints, ...others } = sections;
  const values = sections.values + dictionary;
  const keys = sections.keys + fingerprints;
  assert.deepEqual(predicted, { ...others, keys, values, lengths: prefixes, total: fileBytes }, name);
  return entries;
}

const words = readFileSync(join(PACKAGE_ROOT, 'node_modules/word-list/words.txt'), 'utf8').split('\n');

const tsv = (count: number, key: (i: number) => string, value: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => `${key(i)}\t${value(i)}\n`).join('');

const INTEGERS_16 = ['u16', 'u24', 'u40', 'u48', 'u32', 'i32', 'u64', 'i64', 'f32', 'f64', 'utf8', 'json', 'bytes'];
/** Whatever is text is also one of some distinct strings. */
const maps = (types: readonly string[]) =>
  [...types, ...(types.includes('utf8') ? ['enum'] : [])].map((type) => `map, ${type}`).sort();

describe('built files are what was predicted, to the byte', () => {
  test('English words and their ranks, 0 to 46,461', async () => {
    for (const count of [0, 1, 100, 46_461]) {
      const every = Math.floor(words.length / Math.max(count, 1));
      const found = await assertBuilt(
        'tsv',
        tsv(count, (i) => words[i * every]!, String),
        count > 1000 ? ['map, u16', 'map, utf8', 'map, f64', 'map, enum'] : undefined,
      );
      if (count === 46_461) assert.deepEqual(found.toSorted(), maps(INTEGERS_16));
      if (count === 0) assert.deepEqual(found.toSorted(), maps(['utf8']));
    }
  });

  test('300,000 made-up keys of one length, values of several', async () => {
    const random = new Random(7);
    const text = tsv(
      300_000,
      (i) => `k${String(i).padStart(9, '0')}`,
      () => random.text(random.between(0, 40)),
    );
    assert.deepEqual(await assertBuilt('tsv', text, ['map, utf8']), ['map, utf8', 'map, bytes', 'map, enum']);
  });

  test('lists and bit arrays', async () => {
    const random = new Random(13);
    for (const [base, count, value] of [
      [0, 46_461, () => String(random.below(65_536))],
      [7, 3000, () => String(random.between(-5, 200))],
      [-3, 1, () => '1'],
      [0, 5000, () => String(random.below(1000) / 4)],
      [100, 700, () => random.text(random.below(20))],
    ] as const) {
      const text = tsv(count, (i) => String(base + i), value);
      const facts = await factsOf('tsv', text);
      const lists = representations(facts).filter(({ name }) => name.startsWith('list'));
      assert.ok(lists.length > 0);
      await assertBuilt(
        'tsv',
        text,
        lists.map(({ name }) => name),
      );
    }
    for (const least of [0, 1000, -50]) {
      const lines = random.shuffled(Array.from({ length: 3000 }, (_, i) => least + 3 * i));
      await assertBuilt('lines', lines.map((line) => `${line}\n`).join(''), ['bits']);
    }
    const jumbled = await factsOf('tsv', '1\ta\n0\tb\n');
    assert.ok(
      !representations(jumbled).some(({ name }) => name.startsWith('list')),
      'a list takes its values in order',
    );
  });

  test('many keys of few values', async () => {
    const random = new Random(17);
    for (const [entries, count] of [
      [1000, 1],
      [40_000, 256],
      [40_000, 257],
    ] as const) {
      const values = Array.from({ length: count }, (_, i) => `value ${i} ${random.text(random.below(30))}`);
      const text = tsv(
        entries,
        (i) => `key ${i}`,
        (i) => values[i % count]!,
      );
      assert.equal((await assertBuilt('tsv', text))[0], 'map, enum', 'the smallest');
    }
  });

  test('a set of lines', async () => {
    assert.deepEqual(await assertBuilt('lines', `${words.slice(0, 20_000).join('\n')}\n`), ['set']);
  });

  test('keys and values of every length, long ones too', async () => {
    const random = new Random(11);
    const text = tsv(
      3000,
      (i) => `${i}-${random.text(random.pick([0, 1, 120, 127, 128, 300, 20_000]))}`,
      (i) => (i % 1000 === 0 ? random.text(70_000) : random.text(random.below(200))),
    );
    await assertBuilt('tsv', text);
  });

  test('each type of values at its edges', async () => {
    const cases: [text: string[], fitting: string[]][] = [
      [
        ['', ''],
        ['set', 'map, bytes', 'map, enum', 'map, utf8'],
      ],
      [['ab', 'cd'], maps(['utf8', 'bytes'])],
      [['0', '255'], maps(['u8', 'i16', ...INTEGERS_16])],
      [['-128', '127'], maps(['i8', 'i16', 'i32', 'i64', 'f32', 'f64', 'utf8', 'json', 'bytes'])],
      [['-129', '127'], maps(['i16', 'i32', 'i64', 'f32', 'f64', 'utf8', 'json', 'bytes'])],
      [['0', '65536'], maps(INTEGERS_16.filter((type) => type !== 'u16'))],
      [['0', '16777217'], maps(['u40', 'u48', 'u32', 'i32', 'u64', 'i64', 'f64', 'utf8', 'json', 'bytes'])],
      [['0', '2147483648'], maps(['u40', 'u48', 'u32', 'u64', 'i64', 'f32', 'f64', 'utf8', 'json', 'bytes'])],
      [['0', '9007199254740993'], maps(['u64', 'i64', 'utf8', 'json', 'bytes'])],
      [['0', '18446744073709551615'], maps(['u64', 'utf8', 'json', 'bytes'])],
      [['0', '18446744073709551616'], maps(['utf8', 'json', 'bytes'])],
      [['0.5', '-0'], maps(['f32', 'f64', 'utf8', 'bytes'])],
      [['0.1', '1e+21'], maps(['f64', 'utf8', 'json', 'bytes'])],
      [['NaN', 'Infinity'], maps(['f32', 'f64', 'utf8', 'bytes'])],
      [['007', '1'], maps(['utf8', 'bytes'])],
      [['+7', '1'], maps(['utf8', 'bytes'])],
      [['1e3', '1'], maps(['utf8', 'bytes'])],
      [['{"a":1}', 'null'], maps(['utf8', 'json', 'bytes'])],
      [['{"a": 1}', 'null'], maps(['utf8', 'bytes'])],
      [['ä', '€'], maps(['utf8', 'bytes'])],
    ];
    for (const [values, fitting] of cases) {
      const found = await assertBuilt(
        'tsv',
        tsv(values.length, String, (i) => values[i]!),
      );
      assert.deepEqual(found.toSorted(), fitting.toSorted(), values.join(' '));
    }
  });

  test('json lines: a type holds what it prints as the same JSON', async () => {
    const cases: [values: string[], fitting: string[]][] = [
      [['1', '2'], maps(['u8', 'i8', 'u16', 'i16', 'u24', 'u32', 'i32', 'u40', 'u48', 'f32', 'f64', 'json'])],
      [['"1"', '"2"'], maps(['u64', 'i64', 'utf8', 'bytes', 'json'])],
      [['1', '"2"'], maps(['json'])],
      [['1.5', '2'], maps(['f32', 'f64', 'json'])],
      [['"a\\n"', '"€"'], maps(['utf8', 'bytes', 'json'])],
      [['"a"', '"\\ud800"'], maps(['json'])],
      [['{"base64":"/w=="}', '"a"'], maps(['bytes', 'json'])],
      [['{"base64":"YQ=="}', '"a"'], maps(['json'])],
      [
        ['true', 'true'],
        ['map, json', 'set'],
      ],
      [['true', 'null'], ['map, json']],
      [['[1, 2]', '{}'], ['map, json']],
    ];
    for (const [values, fitting] of cases) {
      const text = values.map((value, i) => `{"key":"${i}","value":${value}}\n`).join('');
      assert.deepEqual((await assertBuilt('jsonl', text)).toSorted(), fitting.toSorted(), values.join(' '));
    }
  });

  test('bytes that are no text', async () => {
    const facts = await factsOf('cdb', Buffer.from('+1,2:k->\xff\x00\n\n', 'latin1'));
    assert.deepEqual(
      representations(facts).map(({ name }) => name),
      ['map, bytes'],
    );
  });
});

test('a file of several segments is within 1 percent of what was predicted', async () => {
  const survey = new Survey('bytes');
  const path = join(folder, `${names++}.hmap`);
  const segmentBytes = 2 ** 20;
  await withBuilder(path, { value: 'u32', segmentBytes }, async (builder) => {
    const feeds = [new HashEntrySink(survey, ''), new HashEntrySink(builder, '')];
    for (let i = 0; i < 300_000; i++) {
      const line = new ByteBuffer(Buffer.from(`${(i * 7919) % 1_000_003}-${i}${i}`));
      for (const feed of feeds) feed.text(line, 0, line.size, line, line.size - 1, line.size, i);
    }
  });
  const found = representations(survey.facts, { segmentLimit: segmentBytes }).find(({ name }) => name === 'map, u32')!;
  const { fileBytes, header, sections } = await stat(path);
  assert.ok(header.segments.length >= 4);
  assert.ok(Math.abs(found.total / fileBytes - 1) < 0.01, `${found.total} and ${fileBytes}`);
  assert.deepEqual(
    [found.parts.lengths, found.parts.keys, found.parts.values],
    [sections.prefixes, sections.keys, sections.values],
  );
});

/** Facts as a survey would find them. */
function made(entries: number, keys: Partial<Facts['keys']>, values?: Partial<ValueFacts>): Facts {
  const text = lengthsOf(entries, 3);
  return {
    entries,
    keys: { lengths: lengthsOf(entries, 10), integers: undefined, inOrder: true, uuid: false, hex: undefined, ...keys },
    values:
      values === undefined
        ? undefined
        : {
            text,
            json: text,
            integers: undefined,
            distinct: undefined,
            ...values,
            holds: { ...HELD_BY_NONE, ...values.holds },
          },
    rivals: {
      keyStrings: 0,
      valueStrings: 0,
      valueNumbers: 0,
      sqlite: { cells: 0, overflowPages: 0 },
      redis: { keys: 0, values: 0 },
    },
  };
}

const range = (least: number | bigint, most: number | bigint): Range => ({ least: BigInt(least), most: BigInt(most) });

function one(facts: Facts, name: string): Representation {
  const found = representations(facts).filter((each) => each.name === name);
  assert.equal(found.length, 1, name);
  return found[0]!;
}

const numbers = { numbers: true } as ValueFacts['holds'];

describe('arithmetic', () => {
  test('u24, u40, u48', () => {
    const widths = (most: bigint) =>
      representations(made(1000, {}, { holds: numbers, integers: range(0, most) }))
        .filter(({ name }) => /^map, u(24|40|48)$/.test(name))
        .map(({ name, parts }) => [name, parts.values]);
    const [u24, u40, u48] = [3, 5, 6].map((bytes) => [`map, u${8 * bytes}`, bytes * 1000]);
    assert.deepEqual(widths(2n ** 24n - 1n), [u24, u40, u48]);
    assert.deepEqual(widths(2n ** 24n), [u40, u48]);
    assert.deepEqual(widths(2n ** 40n - 1n), [u40, u48]);
    assert.deepEqual(widths(2n ** 48n - 1n), [u48]);
    assert.deepEqual(widths(2n ** 48n), []);
  });

  test('typed keys take their width and no prefix', () => {
    const set = (keys: Partial<Facts['keys']>) =>
      representations(made(1000, keys))
        .filter(({ name }) => name.startsWith('set, '))
        .map(({ name, parts }) => [name, parts.keys, parts.lengths]);
    const [u32, u64, i64] = [4, 8, 8].map((bytes, i) => [`set, ${['u32', 'u64', 'i64'][i]} keys`, bytes * 1000, 0]);
    assert.deepEqual(set({ integers: range(0, 2n ** 32n - 1n) }), [u32, u64, i64]);
    assert.deepEqual(
      set({ integers: range(0, 2n ** 32n) }).filter(([name]) => !String(name).startsWith('bits')),
      [u64, i64],
    );
    assert.deepEqual(set({ integers: range(-1, 5) }), [i64]);
    assert.deepEqual(set({ integers: range(0, 2n ** 63n) }), [u64]);
    assert.deepEqual(set({ uuid: true }), [['set, uuid keys', 16_000, 0]]);
    assert.deepEqual(set({ hex: lengthsOf(1000, 20) }), [['set, hex keys', 20_000, 0]]);
    const several = new LengthSums();
    for (let i = 0; i < 1000; i++) several.add(i % 2 === 0 ? 4 : 200);
    assert.deepEqual(set({ hex: several }), [['set, hex keys', 102_000, 1500]]);
    assert.deepEqual(one(made(1000, { integers: range(0, 9999) }), 'set, u32 keys').options, [
      '--key',
      'u32',
      '--value',
      'none',
    ]);
  });

  test('enum: an index of whole bytes, and the distinct strings once', () => {
    assert.deepEqual(
      [0, 1, 2, 256, 257, 65_536, 65_537, 2 ** 24, 2 ** 24 + 1].map(indexWidth),
      [0, 0, 1, 1, 2, 2, 3, 3, 4],
    );
    const facts = (count: number) =>
      made(100_000, {}, { holds: { utf8: true } as ValueFacts['holds'], distinct: { count, bytes: 8 * count } });
    const { parts } = one(facts(300), 'map, enum');
    assert.equal(parts.values, 2 * 100_000 + 4 * 301 + 8 * 300);
    assert.equal(one(facts(256), 'map, enum').parts.values, 100_000 + 4 * 257 + 8 * 256);
  });

  test('list: bits without gaps; keys take nothing', () => {
    const list = (least: number, most: number) =>
      one(
        made(46_461, { integers: range(5, 46_465) }, { holds: numbers, integers: range(least, most) }),
        'list, packed integers',
      );
    const { parts, total } = list(0, 65_535);
    assert.deepEqual(parts, {
      header: 4096,
      buckets: 0,
      lengths: 0,
      keys: 0,
      values: 92_922,
      checksums: 16,
      padding: 14,
    });
    assert.equal(total, 4096 + 92_936 + 16);
    assert.equal(list(0, 1).parts.values, Math.ceil(46_461 / 8));
    assert.equal(list(-1, 0).parts.values, Math.ceil(46_461 / 8));
    assert.equal(list(-2, 3).parts.values, Math.ceil((3 * 46_461) / 8));
    const gap = made(10, { integers: range(0, 10) }, { holds: numbers, integers: range(0, 1) });
    assert.ok(!representations(gap).some(({ name }) => name.startsWith('list')));
    const texts = made(10, { integers: range(0, 9) }, { holds: { utf8: true } as ValueFacts['holds'] });
    assert.deepEqual([one(texts, 'list, utf8').parts.buckets, one(texts, 'list, utf8').parts.values], [44, 30]);
  });

  test('elements have the least bits that hold the range', () => {
    for (let bits = 1; bits <= 53; bits++) {
      const most = 2n ** BigInt(bits) - 1n;
      assert.deepEqual(elementBits(range(0, most)), { bits, signed: false });
      const half = 2n ** BigInt(bits - 1);
      assert.deepEqual(elementBits(range(-half, half - 1n)), { bits, signed: true });
    }
    assert.equal(elementBits(range(0, 2n ** 53n)), undefined);
    assert.deepEqual(elementBits(range(-1, 1)), { bits: 2, signed: true });
  });

  test('bit array: one bit an integer, and a u32 for each 2,048', () => {
    const bits = (least: number, most: number) => one(made(100, { integers: range(least, most) }), 'bits').parts;
    assert.deepEqual([bits(0, 2047).values, bits(0, 2047).buckets], [256, 4]);
    assert.deepEqual([bits(0, 2048).values, bits(0, 2048).buckets], [260, 8]);
    assert.deepEqual([bits(1000, 1031).values, bits(1000, 1032).values], [4, 8]);
    assert.ok(!representations(made(2, { integers: range(0, 2n ** 60n) })).some(({ name }) => name === 'bits'));
  });
});

describe('a survey finds', () => {
  const keysOf = async (...keys: string[]) => (await factsOf('lines', `${keys.join('\n')}\n`)).keys;

  test('keys that are integers, UUIDs, hexadecimal', async () => {
    assert.deepEqual((await keysOf('-3', '18446744073709551616', '12')).integers, range(-3, 2n ** 64n));
    for (const other of ['012', '+1', '1.0', ' 1', '', '-0', 'a']) {
      assert.equal((await keysOf('1', other)).integers, undefined, other);
    }
    const uuid = '01234567-89ab-cdef-0123-456789abcdef';
    assert.equal((await keysOf(uuid)).uuid, true);
    assert.equal((await keysOf(uuid, uuid.toUpperCase())).uuid, false);
    assert.equal((await keysOf(uuid, uuid.replaceAll('-', ''))).uuid, false);
    const hex = (await keysOf('00ff', 'abcdef'))?.hex;
    assert.deepEqual({ ...hex }, { bytes: 5, shortest: 2, longest: 3, prefixes: 2 });
    for (const other of ['abc', 'AB', '', 'xy']) assert.equal((await keysOf('00', other)).hex, undefined, other);
  });

  test('integers of one form only', () => {
    assert.deepEqual(['0', '-7', '9007199254740991'].map(integerOf), [0, -7, 9007199254740991]);
    assert.equal(integerOf('9007199254740992'), 9007199254740992n);
    assert.deepEqual(['', '-0', '00', '1 ', '0x1', '1'.repeat(41)].map(integerOf), Array(6).fill(undefined));
  });

  test('distinct values, up to a limit', async () => {
    const text = tsv(1000, String, (i) => `v${i % 10}`);
    assert.deepEqual((await factsOf('tsv', text)).values!.distinct, { count: 10, bytes: 20 });
    const distinct = new Distinct(3);
    for (const value of ['a', 'b', 'a', 'c', 'c']) distinct.add(value);
    assert.deepEqual(distinct.result, { count: 3, bytes: 3 });
    distinct.add('d');
    distinct.add('a');
    assert.equal(distinct.result, undefined);
  });

  test('a key that is too long', async () => {
    await assert.rejects(factsOf('lines', `${'k'.repeat(65_536)}\n`), { code: 'HMAP_KEY_TOO_LONG', line: 1 });
  });
});

describe('rivals', () => {
  test("V8's strings, numbers and tables", () => {
    const strings = [0, 1, 2, 8, 9].map((units) => [v8String(units, true), v8String(units, false)]);
    assert.deepEqual(strings, [
      [0, 0],
      [0, 24],
      [24, 24],
      [24, 32],
      [32, 40],
    ]);
    const smalls = [0, -(2 ** 31), 2 ** 31 - 1].map(v8Number);
    assert.deepEqual(smalls, [0, 0, 0]);
    assert.deepEqual([2 ** 31, 0.5, -0, Number.NaN, 5n].map(v8Number), [16, 16, 16, 16, 24]);
    // Four entries, two buckets, three fields each, three numbers; the table's header and the Map itself.
    assert.equal(v8OrderedTable(0, 3), 32 + 16 + 8 * (3 + 2 + 12));
    assert.equal(v8OrderedTable(5, 2), 32 + 16 + 8 * (3 + 4 + 16));
    assert.equal(v8Dictionary(5), 24 + 16 + 8 * (6 + 24) + 64);
    assert.equal(v8Dictionary(6), 24 + 16 + 8 * (6 + 48) + 128);
  });

  test("SQLite's cells", () => {
    assert.deepEqual(sqliteCell(5, 'none'), { bytes: 2 + 1 + 2 + 5, overflowPages: 0 });
    const sizes = [0, 1, 127, 128, 32_768, 2 ** 23, 2 ** 31, 2 ** 47, 2n ** 63n - 1n, -128, -129];
    const bodies = sizes.map((size) => sqliteCell(5, { integer: size }).bytes - 11);
    assert.deepEqual(bodies, [0, 0, 1, 2, 3, 4, 6, 8, 8, 1, 2]);
    assert.equal(sqliteCell(57, 'real').bytes, 2 + 1 + 3 + 57 + 8);
    assert.equal(sqliteCell(5, { text: 58 }).bytes, 2 + 1 + 4 + 63);
    assert.deepEqual(sqliteCell(5, { text: 993 }), { bytes: 2 + 2 + 1002, overflowPages: 0 });
    assert.deepEqual(sqliteCell(5, { text: 994 }), { bytes: 2 + 2 + 489 + 4, overflowPages: 1 });
  });

  test("Redis' strings and values, in jemalloc's classes", () => {
    assert.deepEqual(
      [1, 8, 9, 24, 64, 65, 80, 81, 128, 129, 160, 161, 256, 257].map(jemallocClass),
      [8, 8, 16, 24, 64, 80, 80, 96, 128, 160, 160, 192, 256, 320],
    );
    assert.deepEqual([6, 7, 31, 38, 255, 256].map(redisString), [8, 16, 40, 48, 320, 320]);
    assert.deepEqual(
      [0, 9999, 10_000, -1, 2n ** 63n].map((integer) => redisValue(4, integer)),
      [0, 0, 16, 16, 24],
    );
    assert.deepEqual(
      [44, 45].map((bytes) => redisValue(bytes, undefined)),
      [64, 16 + 56],
    );
  });

  test('the whole is the sum of what the entries take', async () => {
    const facts = await factsOf('tsv', 'key one\t12345\nkeyä\t1.5\n');
    const [map, object, sqlite, redis] = rivals(facts);
    assert.equal(map!.bytes, v8OrderedTable(2, 3) + 24 + 24 + 0 + 16);
    assert.equal(object!.bytes, v8Dictionary(2) + 24 + 24 + 0 + 16);
    assert.equal(sqlite!.bytes, 8192);
    assert.equal(redis!.bytes, 8 * 4 + 24 * 2 + 16 + 8 + 16 + 24);
    assert.match(rivals(await factsOf('lines', 'a\n'))[0]!.name, /Set/);
    assert.match(rivals(made(2 ** 24 + 1, {}, {}))[0]!.name, /^2 JS Maps/);
  });
});
