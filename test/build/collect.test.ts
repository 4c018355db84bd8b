// `duplicates: 'collect'`: the value of each key is the array of all that it had, in the order of the input, however the
// entries are cut into partitions.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { type BuildOptions, build, open, verify } from '../../src/index.js';
import { hmapError, misuse } from '../support/errors.js';
import { Random } from '../support/random.js';
import { contentOf, temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
let count = 0;
const fresh = () => join(folder, `${count++}.hmap`);
const MIB = 2 ** 20;

type Entries = (readonly [string, unknown])[];

function modelOf(entries: Entries): Map<string, unknown[]> {
  const model = new Map<string, unknown[]>();
  for (const [key, value] of entries) {
    const values = model.get(key);
    if (values === undefined) model.set(key, [value]);
    else values.push(value);
  }
  return model;
}

/** Builds, holds the table to its model and to the table that a build of the arrays makes, and returns its bytes. */
async function assertCollected(entries: Entries, options: Partial<BuildOptions<'json'>> = {}): Promise<Buffer> {
  const model = modelOf(entries);
  const [path, plain] = [fresh(), fresh()];
  const summary = await build(path, entries, { memory: MIB, ...options, value: 'json', duplicates: 'collect' });
  assert.equal(summary.entries, model.size);
  assert.equal(summary.duplicates, entries.length - model.size);
  assert.ok((await verify(path)).ok);
  const table = open(path, { check: 'full' });
  assert.deepEqual(new Map(table), model);
  await build(plain, model, { memory: MIB, ...options, value: 'json' });
  const bytes = readFileSync(path);
  assert.ok(bytes.equals(readFileSync(plain)), 'the same file as that of the arrays');
  return bytes;
}

function anyEntries(random: Random, entries: number, keys: number, length: number): Entries {
  return Array.from({ length: entries }, (_, i) => {
    const value = random.pick([i, random.text(random.below(length)), { i }, null, [i, true], -0.5]);
    return [`key ${random.below(keys)}`, value];
  });
}

describe('values that are collected', () => {
  test('no entry, one, and one key many times', async () => {
    await assertCollected([]);
    await assertCollected([['a', 1]]);
    await assertCollected([['a', null]]);
    await assertCollected(Array.from({ length: 1000 }, (_, i) => ['a', i]));
  });

  for (const [title, entries, keys, length] of [
    ['few of them', 100, 60, 20],
    ['many, most with several values', 20_000, 3000, 30],
    ['many, most with one', 20_000, 200_000, 30],
  ] as const) {
    test(title, async () => {
      await assertCollected(anyEntries(new Random(entries + keys), entries, keys, length));
    });
  }

  test('more than memory holds, in partitions and segments', async () => {
    const entries = anyEntries(new Random(3), 60_000, 20_000, 100);
    const bytes = await assertCollected(entries, { segmentBytes: 2 ** 18 });
    // Memory decides nothing.
    assert.ok(bytes.equals(await assertCollected(entries, { segmentBytes: 2 ** 18, memory: 64 * MIB })));
  });

  test('one key with more values than memory holds', async () => {
    const text = 'x'.repeat(500);
    const entries: Entries = Array.from({ length: 6000 }, (_, i) => [
      i % 100 === 0 ? `other ${i}` : 'hot',
      `${i} ${text}`,
    ]);
    await assertCollected(entries);
  });

  test('values that are too large to be staged, and those that become so', async () => {
    const random = new Random(9);
    const entries: Entries = Array.from({ length: 60 }, (_, i) => [
      `key ${i % 7}`,
      random.text(i % 9 === 0 ? 200_000 : 9000),
    ]);
    await assertCollected(entries);
  });

  test('the order of the input decides', async () => {
    const entries: Entries = [
      ['a', 1],
      ['a', 2],
    ];
    assert.ok(!(await assertCollected(entries)).equals(await assertCollected(entries.toReversed())));
  });

  test('keys of each type', async () => {
    const path = fresh();
    const options = { value: 'json', duplicates: 'collect', key: 'u32' } as const;
    await build(path, [[7, 'x'] as const, [8, 'y'] as const, [7, 'z'] as const], options);
    assert.deepEqual(open(path, { key: 'u32' }).get(7), ['x', 'z']);
    const prints = fresh();
    await build(prints, [['a', 1] as const, ['a', 2] as const], { ...options, key: 'bytes', fingerprint: 16 });
    assert.deepEqual(open(prints, { fingerprint: true }).get('a'), [1, 2]);
  });

  test('are of type json', async () => {
    const before = contentOf(folder);
    for (const value of ['utf8', 'none', 'u32'] as const) {
      await assert.rejects(
        build(fresh(), [], { value, duplicates: 'collect' }),
        misuse(/^duplicates: 'collect'.*json/),
      );
    }
    assert.deepEqual(contentOf(folder), before);
  });

  test('a value that cannot be stored ends the build', async () => {
    const entries = [['a', 1] as const, ['a', 1n] as const];
    const options = { value: 'json', duplicates: 'collect' } as const;
    await assert.rejects(build(fresh(), entries as never, options), hmapError('HMAP_VALUE_INVALID', { key: 'a' }));
  });
});
