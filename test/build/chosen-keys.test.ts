// Tests tables of keys that were chosen to share a bucket: the builder takes another seed, or refuses; lookups stay
// bounded.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type BuildOptions, build, type Entry, open, type ValueType, verify } from '../../src/index.js';
import { collidingStrings } from '../support/collisions.js';
import { hmapError } from '../support/errors.js';
import { Random } from '../support/random.js';
import { oracle } from '../support/samples.js';
import { failure, temporaryFolder } from '../support/temp.js';
import { fine, hmap } from '../support/tools.js';

/** The list of the format's section 10. */
const SEEDS = [
  0, 2_654_435_769, 1_013_904_242, 3_668_340_011, 2_027_808_484, 387_276_957, 3_041_712_726, 1_401_181_199,
];

/** Keys whose hash begins with `bits` zeros under each of the seeds: found by trying, as an attacker would. */
function floodingKeys(count: number, bits: number, seeds: readonly number[], start: string): string[] {
  const keys: string[] = [];
  for (let i = 0; keys.length < count; i++) {
    const key = `${start}${i.toString(36)}`;
    if (seeds.every((seed) => oracle.h32(key, seed) < 2 ** (32 - bits))) keys.push(key);
  }
  return keys;
}

/** 2,000 entries, so 896 buckets, `count` of them in the first one under the seeds. */
function flooded(count: number, seeds: readonly number[]): [string, number][] {
  const keys = floodingKeys(count, 10, seeds, 'flood-');
  for (let i = 0; keys.length < 2000; i++) {
    const key = `other-${i}`;
    if (!seeds.some((seed) => oracle.h32(key, seed) < 2 ** 23)) keys.push(key);
  }
  return keys.map((key, i) => [key, i]);
}

async function assertHolds(path: string, entries: readonly (readonly [string, unknown])[], seed: number) {
  assert.deepEqual((await verify(path)).findings, []);
  using table = open(path);
  assert.equal(table.header.hash.seed, seed);
  for (const [key, value] of entries) assert.deepEqual(table.get(key), value);
  assert.equal(table.size, entries.length);
}

describe('keys that were chosen to share a bucket', () => {
  test('a table of as many as a bucket may hold keeps seed 0', async (t) => {
    const path = join(temporaryFolder(t), 'table.hmap');
    const entries = flooded(64, [0]);
    const { bucketLoads, seed } = await build(path, entries, { value: 'u32' });
    assert.equal(bucketLoads.longest, 64);
    assert.equal(seed, 0);
    await assertHolds(path, entries, 0);
  });

  for (const [name, options] of Object.entries<Partial<BuildOptions>>({
    'in memory': {},
    spilled: { memory: 2 ** 20 },
    'in several segments': { segmentBytes: 16_384 },
  })) {
    test(`one more takes the next seed, and the same bytes whatever the order, ${name}`, async (t) => {
      const folder = temporaryFolder(t);
      const path = join(folder, 'table.hmap');
      const entries = flooded(65, [0]);
      const { bucketLoads, seed } = await build(path, entries, { value: 'u32', ...options });
      assert.ok(bucketLoads.longest <= 64);
      assert.equal(seed, SEEDS[1]);
      await assertHolds(path, entries, SEEDS[1]!);
      const again = join(folder, 'again.hmap');
      await build(again, new Random(1).shuffled(entries), { value: 'u32', ...options });
      assert.ok(readFileSync(again).equals(readFileSync(path)));
    });
  }

  test('seeds are tried in order', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'table.hmap');
    // In one bucket under both: some hundred thousand tries a key for an attacker, so a smaller table.
    const keys = floodingKeys(65, 5, SEEDS.slice(0, 2), 'f');
    const entries = keys.map((key, i) => [key, i] as const);
    const { seed } = await build(path, entries, { value: 'u32' });
    assert.ok(SEEDS.indexOf(seed) >= 0);
    await assertHolds(path, entries, seed);
    for (const tried of SEEDS.slice(0, SEEDS.indexOf(seed))) {
      const error = await failure(folder, () => build(path, entries, { value: 'u32', seed: tried }));
      hmapError('HMAP_BUCKET_LOAD', { expected: 64 })(error);
    }
  });

  test('values of their own length, some so large that they lie in the temporary file', async (t) => {
    const path = join(temporaryFolder(t), 'table.hmap');
    const random = new Random(2);
    const entries = flooded(100, [0]).map(([key], i) => [key, random.text(i % 200 === 0 ? 100_000 : i % 90)] as const);
    const { seed, spilledBytes } = await build(path, entries, { value: 'utf8', memory: 2 ** 20 });
    assert.equal(seed, SEEDS[1]);
    assert.ok(spilledBytes > 2 ** 20);
    await assertHolds(path, entries, SEEDS[1]!);
  });

  test('with several threads', async (t) => {
    const path = join(temporaryFolder(t), 'table.hmap');
    const keys = floodingKeys(70, 14, [0], 'flood-');
    for (let i = 0; keys.length < 40_000; i++) keys.push(`other-${i}`);
    const value = Buffer.alloc(2000, 'v');
    const { seed, bucketLoads } = await build(
      path,
      keys.map((key) => [key, value] as const),
      { value: 'bytes' },
    );
    assert.equal(seed, SEEDS[1]);
    assert.ok(bucketLoads.longest <= 64);
    assert.deepEqual((await verify(path)).findings, []);
  });

  for (const duplicates of ['first', 'last'] as const) {
    test(`one key many times is none of that, keeping the ${duplicates}`, async (t) => {
      const path = join(temporaryFolder(t), 'table.hmap');
      const entries = Array.from({ length: 1000 }, (_, i) => ['same', i] as const);
      const { seed } = await build(path, entries, { value: 'u32', duplicates });
      assert.equal(seed, 0);
      await assertHolds(path, [['same', duplicates === 'first' ? 0 : 999]], 0);
    });

    test(`the order of entries with one key outlives a change of seed, keeping the ${duplicates}`, async (t) => {
      const path = join(temporaryFolder(t), 'table.hmap');
      const once = flooded(80, [0]);
      const often = [...once, ...once.map(([key, value]) => [key, value + 10_000] as [string, number])];
      await build(path, often, { value: 'u32', duplicates, memory: 2 ** 20 });
      await assertHolds(path, duplicates === 'first' ? once : often.slice(once.length), SEEDS[1]!);
    });
  }

  test('a seed that was asked for is kept or refused, never changed; nothing is lost', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'table.hmap');
    const entries = flooded(65, [7]);
    writeFileSync(path, 'old');
    const error = await failure(folder, () => build(path, entries, { value: 'u32', seed: 7 }));
    hmapError('HMAP_BUCKET_LOAD', { expected: 64, actual: 65, message: /seed 7.*the seed 'random' helps/ })(error);
    await build(path, entries, { value: 'u32', seed: 8 });
    await assertHolds(path, entries, 8);
  });

  test('a seed that is drawn is another one each time, and holds keys that were chosen for others', async (t) => {
    const path = join(temporaryFolder(t), 'table.hmap');
    const entries = flooded(65, [0]);
    const seeds = new Set<number>();
    for (let round = 0; round < 3; round++) {
      const { seed } = await build(path, entries, { value: 'u32', seed: 'random' });
      await assertHolds(path, entries, seed);
      seeds.add(seed);
    }
    assert.equal(seeds.size, 3);
    // What it was makes the same file again.
    const file = readFileSync(path);
    await build(path, entries, { value: 'u32', seed: [...seeds][2]! });
    assert.ok(readFileSync(path).equals(file));
  });

  test('keys that collide under every seed, as XXH32 has them, are refused; nothing is lost', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'table.hmap');
    writeFileSync(path, 'old');
    const keys = collidingStrings(5000, 99, 0);
    const entries: Entry<ValueType>[] = keys.map((key, i) => [key, i]);
    const error = await failure(folder, () => build(path, entries as Entry<'u32'>[], { value: 'u32' }));
    hmapError('HMAP_BUCKET_LOAD', { expected: 64, message: /each of 8 seeds.*the seed 'random' helps/ })(error);
    const drawn = await failure(folder, () => build(path, entries as Entry<'u32'>[], { value: 'u32', seed: 'random' }));
    hmapError('HMAP_BUCKET_LOAD', { expected: 64, message: /with the seed \d+, / })(drawn);
  });

  test('from the tool', async (t) => {
    const folder = temporaryFolder(t);
    const entries = flooded(65, [0]);
    writeFileSync(join(folder, 'in.tsv'), entries.map(([key, value]) => `${key}\t${value}\n`).join(''));
    const args = ['build', '--value', 'u32', 'in.tsv', 'out.hmap'];
    const { stdout } = await fine([...args, '--json'], { cwd: folder });
    assert.equal(JSON.parse(stdout).seed, SEEDS[1]);
    await assertHolds(join(folder, 'out.hmap'), entries, SEEDS[1]!);
    const drawn = JSON.parse((await fine([...args, '--json', '--force', '--seed', 'random'], { cwd: folder })).stdout);
    await assertHolds(join(folder, 'out.hmap'), entries, drawn.seed);
    const refused = await hmap([...args, '--force', '--seed', '0'], { cwd: folder });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /^hmap: with the seed 0, 65 or more keys share a bucket; the maximum is 64\. .*\n$/);
  });
});
