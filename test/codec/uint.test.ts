// Values of the type uint: the file has the narrowest type that holds all of them, however it was built.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type BuildOptions, build, open, verify } from '../../src/index.js';
import { collidingStrings } from '../support/collisions.js';
import { hmapError } from '../support/errors.js';
import { assertIs } from '../support/model.js';
import { buildInParts } from '../support/parallel-build.js';
import { Random } from '../support/random.js';
import { oracle } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';
import { assertSameFile, fine } from '../support/tools.js';

const folder = temporaryFolder({ after });
let files = 0;
const fresh = () => join(folder, `${files++}.hmap`);

type Pairs = [key: string, value: number][];

/** Holds what `uint` makes to what the named type makes. */
async function assertNarrow(
  entries: Pairs,
  type: 'u8' | 'u16' | 'u24' | 'u32' | 'u40' | 'u48',
  options: Partial<BuildOptions> = {},
  kept: Pairs = entries,
) {
  const [uint, named] = [fresh(), fresh()];
  const summary = await build(uint, entries, { ...options, value: 'uint' });
  const other = await build(named, kept, { ...options, value: type });
  assert.equal(summary.valueType, type);
  const file = readFileSync(named);
  // All that tells them apart: the header says which type was asked for.
  file[78] = 1;
  file.writeUInt32LE(0, 12);
  file.writeUInt32LE(oracle.h32Raw(file.subarray(0, file.readUInt32LE(16)), 0), 12);
  assertSameFile(uint, file, type);
  for (const name of ['entries', 'payloadBytes', 'fileBytes'] as const) assert.equal(summary[name], other[name], name);
  return { path: uint, summary };
}

const EDGES = [
  ['u8', 0, 255],
  ['u16', 256, 65_535],
  ['u24', 65_536, 2 ** 24 - 1],
  ['u32', 2 ** 24, 2 ** 32 - 1],
  ['u40', 2 ** 32, 2 ** 40 - 1],
  ['u48', 2 ** 40, 2 ** 48 - 1],
] as const;

describe('the narrowest type', () => {
  for (const [type, least, most] of EDGES) {
    test(type, async () => {
      for (const largest of [least, most]) {
        const entries: Pairs = Array.from({ length: 100 }, (_, i) => [`key ${i}`, Math.floor((largest * i) / 99)]);
        const { path } = await assertNarrow(entries, type);
        assert.deepEqual((await verify(path)).findings, []);
        assertIs(open(path, { value: 'uint' }), new Map(entries));
      }
    });
  }

  test('of an empty table is u8', async () => {
    await assertNarrow([], 'u8');
  });

  test('is that of the entries that are kept', async () => {
    const entries: Pairs = [
      ['a', 5],
      ['b', 2 ** 40],
      ['b', 7],
      ['c', 300],
    ];
    const kept = (index: number) => entries.filter((_, i) => i !== index);
    await assertNarrow(entries, 'u16', { duplicates: 'last' }, kept(1));
    await assertNarrow(entries, 'u48', { duplicates: 'first' }, kept(2));
    await assert.rejects(build(fresh(), entries, { value: 'uint' }), hmapError('HMAP_DUPLICATE_KEY', { key: 'b' }));
  });
});

describe('however it is built', () => {
  const random = new Random(4);
  const entries: Pairs = Array.from({ length: 150_000 }, (_, i) => [
    `${random.text(random.below(12))} ${i}`,
    random.below(2 ** 20),
  ]);

  test('with a temporary file', async () => {
    const { summary } = await assertNarrow(entries, 'u24', { memory: 2 ** 20 });
    assert.ok(summary.spilledBytes > 0);
  });

  test('with duplicates in a temporary file', async () => {
    const twice: Pairs = [...entries, ...entries.map(([key]): [string, number] => [key, 2 ** 33])];
    await assertNarrow(twice, 'u24', { memory: 2 ** 20, duplicates: 'first' }, entries);
    await assertNarrow(twice, 'u40', { memory: 2 ** 20, duplicates: 'last' }, twice.slice(entries.length));
  });

  test('by several threads, the largest value in any of them', async () => {
    const [one, two, three] = [entries.slice(0, 10_000), entries.slice(10_000, 30_000), entries.slice(30_000, 40_000)];
    const large: Pairs = [['large', 2 ** 39]];
    for (const parts of [
      [one, two, three],
      [[...one, ...large], two],
      [one, [...two, ...large], three],
    ] as Pairs[][]) {
      const { path } = await assertNarrow(
        parts.flat(),
        parts.flat().some(([, value]) => value > 2 ** 24) ? 'u40' : 'u24',
      );
      for (const options of [
        {},
        { segmentBytes: 2 ** 18 },
        { memory: 16 * 2 ** 20 },
        { duplicates: 'last' as const },
      ]) {
        const threaded = fresh();
        const summary = await buildInParts(threaded, parts, { ...options, value: 'uint' });
        assert.equal(summary.valueType, open(path).header.valueType);
        const single = 'segmentBytes' in options ? fresh() : path;
        if (single !== path) await build(single, parts.flat(), { ...options, value: 'uint' });
        assertSameFile(threaded, readFileSync(single), JSON.stringify(options));
      }
    }
  });

  test('in several segments, whose bounds are those of the narrow values', async () => {
    for (const segmentBytes of [2 ** 16, 2 ** 18])
      await assertNarrow(entries.slice(0, 20_000), 'u24', { segmentBytes });
  });

  test('with another seed than the first', async () => {
    const { summary } = await assertNarrow(
      collidingStrings(100, 0x1234_5678, 0).map((key, i): [string, number] => [key, i * 1000]),
      'u24',
    );
    assert.notEqual(summary.seed, 0);
  });
});

describe('what is refused', () => {
  for (const [value, code] of [
    [2 ** 48, 'HMAP_VALUE_RANGE'],
    [-1, 'HMAP_VALUE_RANGE'],
    [0.5, 'HMAP_VALUE_RANGE'],
    [Number.NaN, 'HMAP_VALUE_RANGE'],
    [5n, 'HMAP_VALUE_INVALID'],
    ['5', 'HMAP_VALUE_INVALID'],
  ] as const) {
    test(String(value), async () => {
      const wrong = build(fresh(), [['k', value as number]], { value: 'uint' });
      await assert.rejects(wrong, hmapError(code, { key: 'k', message: /uint/ }));
    });
  }
});

describe('a table that was opened for uint', () => {
  test('switches to a version of another width; a table opened for the type does not', async () => {
    const path = fresh();
    await build(path, [['k', 5]], { value: 'uint' });
    const [any, narrow] = [open(path, { value: 'uint' }), open(path, { value: 'u8' })];
    await build(path, [['k', 70_000]], { value: 'uint' });
    assert.equal(any.reload(), true);
    assert.deepEqual(
      [any.get('k'), any.getMany(['k']), [...any.values()], any.header.valueType],
      [70_000, [70_000], [70_000], 'u24'],
    );
    assert.throws(() => narrow.reload(), hmapError('HMAP_VALUE_TYPE'));
    assert.equal(narrow.get('k'), 5);
  });

  test('an iteration continues over the version with which it began', async () => {
    const path = fresh();
    const entries: Pairs = Array.from({ length: 50 }, (_, i) => [`key ${i}`, i]);
    await build(path, entries, { value: 'uint' });
    const table = open(path, { value: 'uint' });
    const expected = [...table];
    const walk = table.entries();
    const values = table.values();
    const begun = [walk.next().value, values.next().value];
    await build(path, [['k', 70_000]], { value: 'uint' });
    assert.equal(table.reload(), true);
    assert.deepEqual([begun[0], ...walk], expected);
    assert.deepEqual(
      [begun[1], ...values],
      expected.map(([, value]) => value),
    );
    table.close();
  });

  test('is undefined for other types', async () => {
    const path = fresh();
    await build(path, [['k', 5]], { value: 'i8' });
    assert.throws(
      () => open(path, { value: 'uint' }),
      hmapError('HMAP_VALUE_TYPE', { expected: 'uint', actual: 'i8' }),
    );
  });
});

describe('the tool', () => {
  test('says which type it has chosen', async () => {
    const path = fresh();
    const ran = await fine(['build', '-f', 'tsv', '--value', 'uint', '-', path], { input: 'a\t1\nb\t65536\n' });
    assert.match(ran.stderr, /2 entries of u24/);
    assert.equal((await fine(['get', path, 'b'])).stdout, '65536\n');
  });
});
