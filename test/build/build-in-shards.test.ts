// Builds in shards (`shards`): each file is the one that dividing the table makes, however many there are and however
// little memory; the folder is taken up as a whole, or stays as it was.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { temporaryName } from '../../src/build/common/leftovers.js';
import { writeShard } from '../../src/build/merge/shards.js';
import { type BuildOptions, build, open } from '../../src/index.js';
import { collidingStrings } from '../support/collisions.js';
import { hmapError, misuse } from '../support/errors.js';
import { buildInParts } from '../support/parallel-build.js';
import { Random } from '../support/random.js';
import { buildShard } from '../support/shards.js';
import { contentOf, failure, openFilesIn, temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
const at = (name: string) => join(folder, name);
const STRUCT = 'struct(on:bool,level:u20)';

type Pairs = readonly (readonly [string, unknown])[];

const numbers = (count: number, value: (i: number) => unknown): Pairs =>
  Array.from({ length: count }, (_, i) => [`key ${i}`, value(i)]);

const CASES: [name: string, shards: number, pairs: Pairs, options: Partial<BuildOptions>][] = [
  ['one shard', 1, numbers(500, (i) => i), { value: 'u32' }],
  ['numbers', 8, numbers(5000, (i) => i), { value: 'u32' }],
  ['widths of their own', 4, numbers(4000, (i) => (i % 900 === 3 ? 70_000 * i : i % 200)), { value: 'uint' as never }],
  ['strings of their own', 8, numbers(4000, (i) => `value ${i % 37 === 0 ? i : i % 5}`), { value: 'enum' }],
  ['fields', 4, numbers(3000, (i) => ({ on: i % 2 === 0, level: i })), { value: STRUCT as never }],
  ['several segments', 4, numbers(6000, (i) => 'v'.repeat(i % 50)), { value: 'utf8', segmentBytes: 4096 }],
  ['fingerprints', 8, numbers(4000, (i) => i), { value: 'u32', fingerprint: 8 }],
  [
    'the last of each key',
    8,
    [...numbers(3000, (i) => i), ...numbers(2000, (i) => -i)],
    { value: 'i32', duplicates: 'last' },
  ],
  [
    'all of each key',
    4,
    [...numbers(900, (i) => i), ...numbers(700, (i) => [i])],
    { value: 'json', duplicates: 'collect' },
  ],
  ['another seed, and metadata', 2, numbers(800, (i) => i), { value: 'u32', seed: 77, metadata: { made: 'here' } }],
  // In 1 MiB there are 2^5 partitions: the shards are found by parting these.
  ['more shards than parts of memory', 512, numbers(20_000, (i) => i), { value: 'u32', memory: 2 ** 20 }],
  ['more than memory', 4, numbers(60_000, (i) => `text ${'v'.repeat(i % 90)}`), { value: 'utf8', memory: 2 ** 20 }],
  ['large values', 4, numbers(200, (i) => 'v'.repeat(i % 9 === 0 ? 90_000 : i)), { value: 'utf8', memory: 2 ** 20 }],
  ['more strings than memory', 4, numbers(50_000, (i) => `s${i % 700}`), { value: 'enum', memory: 2 ** 20 }],
  ['nothing', 4, [], { value: 'utf8' }],
];

describe('a build in shards', () => {
  for (const [name, shards, pairs, options] of CASES) {
    test(name, async () => {
      const entries = new Random(7).shuffled(pairs);
      const given = options.duplicates === undefined ? entries : pairs;
      const out = at(name);
      const summary = await build(out, given as never, { ...options, shards } as BuildOptions<'u32'>);
      const { files, seed, entries: total } = JSON.parse(readFileSync(join(out, 'table.hmaps.json'), 'utf8'));
      assert.equal(files.length, shards);
      assert.deepEqual([summary.path, summary.shards, summary.seed], [out, shards, options.seed ?? 0]);
      assert.deepEqual([summary.entries, seed], [total, options.seed ?? 0]);
      assert.equal(summary.entries + summary.duplicates, pairs.length);
      assert.deepEqual(
        readdirSync(out).toSorted(),
        ['table.hmaps.json', ...files.map((file: { name: string }) => file.name)].toSorted(),
      );
      const whole = at('whole.hmap');
      const [bits, limit] = [Math.log2(shards), options.segmentBytes === undefined ? {} : { segmentBytes: 4096 }];
      await build(whole, given as never, options as BuildOptions<'u32'>);
      let bytes = 0;
      // Of many shards, some: each is a build of its own.
      for (const [index, file] of files.entries()) {
        bytes += file.bytes;
        if (shards > 16 && index % 73 !== 0) continue;
        if (options.fingerprint === undefined) {
          await writeShard(whole, at('one.hmap'), { index, bits }, limit);
        } else {
          await buildShard(at('one.hmap'), given as never, options as never, { index, bits });
        }
        assert.ok(readFileSync(at('one.hmap')).equals(readFileSync(join(out, file.name))), `shard ${index}`);
      }
      assert.equal(summary.fileBytes, bytes);
      assert.equal(
        Object.values(summary.sections).reduce((sum, size) => sum + size),
        bytes,
      );
      assert.equal(
        summary.bucketLoads.histogram.reduce((sum, buckets) => sum + buckets),
        summary.bucketLoads.buckets,
      );
      assert.deepEqual(openFilesIn(out), []);
    });
  }

  test('by several threads, each of which reads a part', async () => {
    const pairs = numbers(6000, (i) => `value ${i % 90}`) as readonly (readonly [string, string])[];
    for (const value of ['utf8', 'enum'] as const) {
      await build(at('one-thread'), pairs, { value, shards: 8 });
      await buildInParts(at('threads'), [pairs.slice(0, 2500), pairs.slice(2500)], {
        value,
        shards: 8,
        memory: 2 ** 26,
      });
      assert.deepEqual(contentOf(at('threads')), contentOf(at('one-thread')));
    }
  });

  test('a folder is replaced as a whole, or not at all', async () => {
    const out = at('replaced');
    await build(out, numbers(1000, (i) => i) as never, { value: 'u32', shards: 4 });
    const first = contentOf(out);
    const again = { value: 'u32', shards: 4, overwrite: false } as const;
    const exists = hmapError('HMAP_OUTPUT_EXISTS', { path: out });
    await assert.rejects(build(out, [['a', 1]], again), exists);
    const twice = [...numbers(1000, (i) => 2 * i), ['key 7', 1]] as never;
    await assert.rejects(build(out, twice, { value: 'u32', shards: 4 }), hmapError('HMAP_DUPLICATE_KEY'));
    const stopping = new AbortController();
    const { signal } = stopping;
    const stopped = build(out, numbers(9000, (i) => i) as never, {
      ...{ value: 'u32', shards: 512, memory: 2 ** 20, signal },
      onProgress: ({ phase, entries }) => phase === 'write' && entries > 0 && stopping.abort(),
    });
    await assert.rejects(stopped, { name: 'AbortError' });
    assert.deepEqual(contentOf(out), first);
    assert.deepEqual(openFilesIn(out), []);
    await build(out, numbers(1000, (i) => i + 1) as never, { value: 'u32', shards: 2 });
    assert.equal(readdirSync(out).length, 3, 'the shards of the table before are gone');
  });

  test('a shard whose keys share a bucket is named, with a seed to try', async (t) => {
    const keys = collidingStrings(65, 0x1234_5678, 0);
    const own = temporaryFolder(t);
    const out = join(own, 'out');
    const pairs = keys.map((key, i) => [key, i] as const);
    await build(out, [['a', 1]], { value: 'u32', shards: 2 });
    const error = await failure(own, () => build(out, pairs, { value: 'u32', shards: 2 }));
    hmapError('HMAP_BUCKET_LOAD', { expected: 64, actual: 65 })(error);
    assert.match(
      String(error),
      /shard [01] of 2: with the seed 0, 65 or more keys .* another seed, such as 2654435769/,
    );
    await build(out, pairs, { value: 'u32', shards: 2, seed: 2_654_435_769 });
  });

  test('two at once in one folder: one of them is there, whole', async () => {
    const out = at('both');
    for (let round = 0; round < 5; round++) {
      const versions = [1, 2].map((n) => numbers(3000, (i) => n * i + round) as never);
      const ended = await Promise.allSettled(versions.map((pairs) => build(out, pairs, { value: 'u32', shards: 16 })));
      assert.ok(ended.some(({ status }) => status === 'fulfilled'));
      using table = open(out, { value: 'u32', check: 'full' });
      const factor = (table.get('key 1')! - round) as 1 | 2;
      assert.ok(factor === 1 || factor === 2);
      for (let i = 0; i < 3000; i++) assert.equal(table.get(`key ${i}`), factor * i + round);
    }
  });

  test('leaves the files of others alone, and what a killed build has left is removed', async () => {
    const out = at('others');
    await build(out, numbers(10, (i) => i) as never, { value: 'u32', shards: 2 });
    writeFileSync(join(out, '1-of-2-deadbeef.hmap'), 'mine');
    // Of a process that is gone, in the place of this one.
    const ended = spawnSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).stdout.trim();
    const name = temporaryName('shard').replace(String(process.pid), ended);
    for (const left of [name, `${name}.spill`, `.${name}.${name.slice('.shard.'.length)}`])
      writeFileSync(join(out, left), 'x');
    await build(out, numbers(10, (i) => 2 * i) as never, { value: 'u32', shards: 2 });
    assert.deepEqual(
      readdirSync(out)
        .filter((each) => !/^[01]-of-2-(?!dead)/.test(each))
        .toSorted(),
      ['1-of-2-deadbeef.hmap', 'table.hmaps.json'],
    );
    // One that fails makes no folder.
    const never = join(at('new'), 'deep');
    await assert.rejects(
      build(
        never,
        [
          ['a', 1],
          ['a', 2],
        ],
        { value: 'u32', shards: 2 },
      ),
      hmapError('HMAP_DUPLICATE_KEY'),
    );
    assert.ok(!readdirSync(folder).includes('new'));
  });

  test('refuses what is no number of shards', async () => {
    for (const shards of [0, 3, -4, 1.5, 2 ** 17, '4', null]) {
      await assert.rejects(
        build(at('never'), [], { value: 'u32', shards: shards as number }),
        misuse(/^shards: expected a power of two/),
      );
    }
    await assert.rejects(
      build(at('never'), [], { value: 'u32', shards: 2, seed: 'random' }),
      misuse(/^seed: expected one number/),
    );
    assert.ok(!readdirSync(folder).includes('never'));
  });
});
