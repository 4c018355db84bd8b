// Shards: what a table is divided into is what builds of the shards make, and joining them gives the table again, byte for
// byte.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { joinShards, writeShard } from '../../src/build/merge/shards.js';
import { type BuildOptions, build, stat, type ValueChoice, verify } from '../../src/index.js';
import { hmapError, misuse } from '../support/errors.js';
import { oracle } from '../support/samples.js';
import { buildShard, type Pairs } from '../support/shards.js';
import { failure, temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
const at = (name: string) => join(folder, name);

const KINDS: [name: string, value: 'u32' | 'utf8' | 'uint' | 'enum', pairs: Pairs, options?: Partial<BuildOptions>][] =
  [
    ['numbers', 'u32', Array.from({ length: 5000 }, (_, i) => [`key ${i}`, i])],
    ['texts', 'utf8', Array.from({ length: 5000 }, (_, i) => [`${'k'.repeat(i % 9)}${i}`, 'v'.repeat(i % 300)])],
    [
      'widths of their own',
      'uint',
      Array.from({ length: 5000 }, (_, i) => [`key ${i}`, i % 100 === 3 ? 70_000 * i : i % 200]),
    ],
    [
      'strings of their own',
      'enum',
      Array.from({ length: 4000 }, (_, i) => [`key ${i}`, `value ${i % 37 === 0 ? i : i % 5}`]),
    ],
    [
      'segments',
      'utf8',
      Array.from({ length: 3000 }, (_, i) => [`key ${i}`, 'v'.repeat(i % 50)]),
      { segmentBytes: 4096 },
    ],
    ['another seed', 'u32', Array.from({ length: 1000 }, (_, i) => [`key ${i}`, i]), { seed: 77 }],
    [
      'few',
      'u32',
      [
        ['a', 1],
        ['b', 2],
      ],
    ],
    ['nothing', 'utf8', []],
  ];

async function table(
  name: string,
  value: ValueChoice,
  pairs: Pairs,
  options: Partial<BuildOptions> = {},
): Promise<string> {
  const path = at(`${name}.hmap`);
  await build(path, pairs as readonly (readonly [string, never])[], { ...options, value } as BuildOptions<'u32'>);
  return path;
}

async function shardsOf(path: string, bits: number, options = {}): Promise<string[]> {
  const paths: string[] = [];
  for (let index = 0; index < 2 ** bits; index++) {
    paths.push(at(`shard-${bits}-${index}.hmap`));
    await writeShard(path, paths[index]!, { index, bits }, options);
  }
  return paths;
}

describe('dividing a table into shards', () => {
  for (const [name, value, pairs, options = {}] of KINDS) {
    test(`${name}: each is the file that a build of it makes, and together they are the table`, async () => {
      const path = await table(name, value, pairs, options);
      const { segmentBytes } = options;
      const limit = segmentBytes === undefined ? {} : { segmentBytes };
      for (const bits of [0, 1, 4]) {
        const paths = await shardsOf(path, bits, limit);
        for (const [index, shard] of paths.entries()) {
          const own = at('own.hmap');
          await buildShard(own, pairs, { ...options, value } as BuildOptions<'u32'>, { index, bits });
          assert.ok(readFileSync(shard).equals(readFileSync(own)), `shard ${index} of ${2 ** bits}`);
        }
        const joined = at('joined.hmap');
        const { entries } = await joinShards(paths.toReversed(), joined, limit);
        assert.equal(entries, pairs.length);
        assert.ok(readFileSync(joined).equals(readFileSync(path)), `joined from ${2 ** bits}`);
      }
    });
  }

  test('shards can be divided, and joined to a larger shard', async () => {
    const path = await table('twice', 'u32', KINDS[0]![2]);
    const four = await shardsOf(path, 2);
    const halves: string[] = [];
    for (const index of [0, 1]) {
      halves.push(at(`half-${index}.hmap`));
      await writeShard(four[3]!, halves[index]!, { index, bits: 1 });
    }
    const eight = await shardsOf(path, 3);
    for (const index of [0, 1]) assert.ok(readFileSync(halves[index]!).equals(readFileSync(eight[6 + index]!)));
    await joinShards(halves, at('quarter.hmap'));
    assert.ok(readFileSync(at('quarter.hmap')).equals(readFileSync(four[3]!)));
    assert.deepEqual((await stat(at('quarter.hmap'))).header.shard, { index: 3, bits: 2 });
    assert.deepEqual((await verify(four[1]!)).findings, []);
  });

  test('refuses shards that make no whole, and leaves everything as it was', async () => {
    const path = await table('whole', 'u32', KINDS[0]![2]);
    const four = await shardsOf(path, 2);
    const other = await table('other', 'u32', KINDS[0]![2], { seed: 5 });
    await writeShard(other, at('other-seed.hmap'), { index: 1, bits: 2 });
    const out = at('out.hmap');
    const refused = async (paths: string[], message: RegExp) =>
      hmapError('HMAP_LAYOUT', { message })(await failure(folder, () => joinShards(paths, out)));
    await refused([four[0]!, four[1]!, four[3]!], /shard 2 of 4 is missing/);
    await refused([four[1]!, four[2]!, four[3]!], /shard 0 of 4 is missing/);
    await refused([four[0]!, four[1]!, four[2]!], /shard 3 of 4 is missing/);
    await refused([four[0]!, four[1]!, four[1]!, four[3]!], /shard 1 is there twice/);
    await refused([four[1]!, four[2]!], /shard 0 of 4 is missing/);
    await refused([four[0]!, at('other-seed.hmap'), four[2]!, four[3]!], /it is shard 1 of 4 with seed 5/);
    await assert.rejects(joinShards([], out), misuse(/^paths: /));
    await assert.rejects(writeShard(four[0]!, out, { index: 0, bits: 15 }), misuse(/^shards: expected at most 16384/));
  });

  test('names the shard in which too many keys would share a bucket', async () => {
    // In the whole table these keys are spread over several buckets; in their shard, which has few others, they are not.
    const keys: string[] = [];
    for (let i = 0; keys.length < 100; i++) if (oracle.h32(`flood ${i}`, 0) < 2 ** 19) keys.push(`flood ${i}`);
    const rest = Array.from({ length: 60_000 }, (_, i) => `other ${i}`).filter((key) => oracle.h32(key, 0) >= 2 ** 26);
    const pairs = [...keys, ...rest].map((key, i) => [key, i] as const);
    const path = await table('flooded', 'u32', pairs, { seed: 0 });
    const error = await failure(folder, () => writeShard(path, at('flooded-0.hmap'), { index: 0, bits: 6 }));
    hmapError('HMAP_BUCKET_LOAD', {
      message: /^shard 0 of 64: \d+ or more keys share a bucket, .* such as 2654435769/,
    })(error);
  });
});
