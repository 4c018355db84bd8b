// Tests of shards: files that hold the entries whose hashes begin with some bits. They are made by the builder's inner
// part, since no option asks for them yet.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { build, inspectKey, open, stat, verify } from '../../src/index.js';
import { ReferenceReader } from '../conformance/reference-reader.js';
import { collidingStrings } from '../support/collisions.js';
import { hmapError } from '../support/errors.js';
import { fixturePath } from '../support/fixtures.js';
import { Random } from '../support/random.js';
import { canonicalParts, compose, type RawOptions } from '../support/raw-table.js';
import { oracle } from '../support/samples.js';
import { buildShard, SHARD_FIXTURE } from '../support/shards.js';
import { failure, temporaryFolder } from '../support/temp.js';
import { assertSameFile } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);

const shardOf = (key: string, bits: number, seed = 0) => Math.floor(oracle.h32(key, seed) / 2 ** (32 - bits));

describe('a shard', () => {
  for (const [name, options, count, bits] of [
    ['of numbers', { value: 'u32' }, 3000, 2],
    ['of texts, in segments', { value: 'utf8', segmentBytes: 8192 }, 3000, 1],
    ['of many shards', { value: 'utf8' }, 300, 7],
    ['of narrow integers', { value: 'uint' }, 2000, 3],
    ['of distinct values', { value: 'enum' }, 2000, 2],
  ] as const) {
    test(`${name} is the canonical file of its own entries`, async () => {
      const random = new Random(count + bits);
      const seed = random.u32();
      const value = (i: number) =>
        options.value === 'utf8' || options.value === 'enum' ? `text ${i % 90}` : options.value === 'uint' ? i % 90 : i;
      const entries = Array.from({ length: count }, (_, i) => [`key ${i}`, value(i)] as const);
      const found = new Map<string, unknown>();
      for (const index of [...new Set([0, 1, 2 ** bits - 1])]) {
        const path = join(folder, `${index}.hmap`);
        const shard = { index, bits };
        const summary = await buildShard(path, random.shuffled(entries), { ...options, seed }, shard);
        const own = entries.filter(([key]) => shardOf(key, bits, seed) === index);
        assert.equal(summary.entries, own.length);
        const type = options.value === 'uint' ? 'u8' : options.value;
        const raw: RawOptions = { ...options, value: type, seed, shardBits: bits, shardIndex: index };
        assertSameFile(path, compose(canonicalParts(entries, { ...raw, narrowed: options.value === 'uint' })));
        assert.deepEqual((await verify(path)).findings, []);
        assert.deepEqual(new ReferenceReader(path).check(), []);
        assert.equal((await stat(path)).entries, own.length);
        using table = open(path);
        assert.deepEqual(table.header.shard, shard);
        for (const [key, expected] of entries) {
          const isOwn = shardOf(key, bits, seed) === index;
          assert.equal(table.get(key), isOwn ? expected : undefined, key);
          assert.equal(inspectKey(path, key).record !== undefined, isOwn);
        }
        assert.deepEqual(
          table.getMany(entries.map(([key]) => key)),
          entries.map(([key, expected]) => (shardOf(key, bits, seed) === index ? expected : undefined)),
        );
        for (const [key, each] of table) found.set(key, each);
      }
      if (2 ** bits <= 2) assert.equal(found.size, count);
    });
  }

  test('as the golden file has it', async () => {
    const { name, entries, options, shard } = SHARD_FIXTURE;
    const path = join(folder, 'golden.hmap');
    await buildShard(path, entries, options, shard);
    assertSameFile(fixturePath(`${name}.hmap`), readFileSync(path));
    assert.deepEqual(new ReferenceReader(path).check(), []);
    assert.ok(new ReferenceReader(path).header.entries > 200);
  });

  test('widths depend on nothing outside it', async () => {
    // Keys of one length in shard 1, of several in shard 0.
    const keys = Array.from({ length: 400 }, (_, i) => (i % 3 === 0 ? `long key ${i}` : `${100 + i}`));
    const entries = keys.filter((key) => shardOf(key, 1) === 0 || key.length === 3).map((key) => [key, 7] as const);
    const widths = [];
    for (const index of [0, 1]) {
      const path = join(folder, `width-${index}.hmap`);
      await buildShard(path, entries, { value: 'u32' }, { index, bits: 1 });
      using table = open(path);
      widths.push(table.header.keyWidth);
    }
    assert.deepEqual(widths, [null, 3]);
  });

  test('whose first seed does not hold fails: another one would make other shards', async () => {
    const place = temporaryFolder(nodeTest);
    const keys = collidingStrings(70, 5, 0);
    const entries = keys.map((key) => [key, 1] as const);
    const path = join(place, 'crowded.hmap');
    const error = await failure(place, () => buildShard(path, entries, { value: 'u32' }, { index: 0, bits: 1 }));
    hmapError('HMAP_BUCKET_LOAD', { expected: 64, actual: 70 })(error);
  });

  test('all of them, put together, are the entries of the whole file in its order', async () => {
    const entries = Array.from({ length: 2000 }, (_, i) => [`key ${i}`, i] as const);
    const whole = join(folder, 'whole.hmap');
    await build(whole, entries, { value: 'u32' });
    const parts: [string, unknown][] = [];
    for (let index = 0; index < 8; index++) {
      const path = join(folder, `part-${index}.hmap`);
      await buildShard(path, entries, { value: 'u32' }, { index, bits: 3 });
      using table = open(path);
      parts.push(...table);
    }
    using table = open(whole);
    assert.deepEqual(parts, [...table]);
    assert.equal(readFileSync(whole)[76], 0);
  });
});
