// Keys that occur more than once: an error, or the first or the last of them, by the option.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type BuildOptions, build, open } from '../../src/index.js';
import { runModule } from '../support/child.js';
import { collidingStrings } from '../support/collisions.js';
import { hmapError } from '../support/errors.js';
import { Random } from '../support/random.js';
import { keysOf, sampleOf } from '../support/samples.js';
import { assertFails, assertSame, buildAny, fileOf, MIB, type Pair, scratchPath } from './build-cases.js';

describe('duplicates', () => {
  const keep = (entries: Iterable<Pair>, policy: 'first' | 'last'): Map<string, unknown> => {
    const model = new Map<string, unknown>();
    for (const [key, value] of entries) {
      const name = Buffer.from(key as string).toString('latin1');
      if (policy === 'last' || !model.has(name)) model.set(name, value);
    }
    return model;
  };

  /** Holds both policies to the file that is built of the entries that they keep. */
  async function assertKeeps(entries: readonly Pair[], options: BuildOptions): Promise<void> {
    for (const duplicates of ['first', 'last'] as const) {
      const kept = keep(entries, duplicates);
      const pairs = [...kept].map(([key, value]) => [Buffer.from(key, 'latin1'), value]);
      const expected = await fileOf(pairs, { ...options, memory: 8 * MIB });
      const { file, summary } = await fileOf(entries, { ...options, duplicates });
      assertSame(file, expected.file, duplicates);
      assert.equal(summary.duplicates, entries.length - kept.size);
      assert.equal(summary.entries, kept.size);
      assert.deepEqual(summary.sections, expected.summary.sections);
      assert.deepEqual(summary.bucketLoads, expected.summary.bucketLoads);
    }
  }

  test('are an error that names the key, unless told otherwise', async (t) => {
    const cases: [Pair[], string | Uint8Array][] = [
      [
        [
          ['a', 1],
          ['b', 2],
          ['a', 1],
        ],
        'a',
      ],
      [
        [
          ['é', 1],
          [Buffer.from('é'), 2],
        ],
        'é',
      ],
      [
        [
          ['', 1],
          ['', 2],
        ],
        '',
      ],
      [
        [
          [Uint8Array.of(0xff), 1],
          [Uint8Array.of(0xff), 2],
        ],
        Uint8Array.of(0xff),
      ],
      [[...keysOf('words', 1500, new Random(0)).map((key) => [key, 0] as const), ['word 1234', 1]], 'word 1234'],
      [
        collidingStrings(30, 7, 0).flatMap((key, i) =>
          i === 29
            ? [
                [key, 0],
                [key, 1],
              ]
            : [[key, 0]],
        ) as Pair[],
        collidingStrings(30, 7, 0)[29]!,
      ],
    ];
    for (const [entries, key] of cases) {
      for (const options of [{ value: 'u8' }, { value: 'u8', duplicates: 'error', memory: MIB }]) {
        const check = hmapError('HMAP_DUPLICATE_KEY', { key, message: /more than once/ });
        await assertFails(t, (path) => buildAny(path, entries, options), check);
      }
    }
  });

  test('first and last keep the first and the last', async () => {
    const random = new Random(20);
    for (const type of ['u32', 'utf8', 'json', 'f64'] as const) {
      const keys = keysOf('mixed', 300, random);
      const entries = Array.from({ length: 1000 }, () => [random.pick(keys), sampleOf(type, random)] as const);
      await assertKeeps(entries, { value: type });
    }
    const summary = await build(
      scratchPath,
      [
        ['a', 1],
        ['a', 2],
        ['a', 3],
        ['b', 4],
      ],
      { value: 'u8', duplicates: 'first' },
    );
    assert.equal(summary.duplicates, 2);
    const table = open(scratchPath);
    assert.deepEqual([table.get('a'), table.get('b'), table.size], [1, 4, 2]);
    table.close();
  });

  test('the order of the input holds through the temporary file, and for large values', async () => {
    const random = new Random(21);
    const keys = keysOf('words', 400, random);
    const block = random.bytes(60_000);
    const entries = Array.from({ length: 6000 }, (_, i) => {
      const start = random.below(9000);
      return [random.pick(keys), block.subarray(start, start + (i % 200 === 0 ? 50_000 : random.below(1000)))] as const;
    });
    await assertKeeps(entries, { value: 'bytes' });
  });

  test('whose removal changes the shape of the file', async () => {
    const numbers = (count: number) => Array.from({ length: count }, (_, i) => [`key ${i % 40}`, i] as const);
    for (const count of [41, 63, 64, 65, 127, 128, 500, 5000]) await assertKeeps(numbers(count), { value: 'u32' });
    const first = [
      ['a', 'x'],
      ['b', 'y'],
      ['a', 'longer'],
      ['b', ''],
    ] as const;
    await assertKeeps(first, { value: 'utf8' });
    await assertKeeps([...first].reverse(), { value: 'utf8' });
    await fileOf(first, { value: 'utf8', duplicates: 'first' });
    const table = open(scratchPath);
    assert.equal(table.header.valueWidth, 1, 'a width that only the kept values share');
    table.close();
    await assertKeeps(
      [
        ['a', ''],
        ['a', 'b'],
      ],
      { value: 'utf8' },
    );
    const segmented = Array.from({ length: 600 }, (_, i) => [`key ${i % 150}`, 'v'.repeat(i % 100)] as const);
    await assertKeeps(segmented, { value: 'utf8', segmentBytes: 4096 });
    const spilled = Array.from(
      { length: 9000 },
      (_, i) => [`key ${i % 3000}`, 'v'.repeat(i < 6000 ? 300 : 200)] as const,
    );
    await assertKeeps(spilled, { value: 'utf8', segmentBytes: 65_536 });
  });

  test('many of one key', async () => {
    const random = new Random(22);
    const one = Array.from({ length: 30_000 }, (_, i) => ['the key', i] as const);
    await assertKeeps(one, { value: 'u32' });
    const mixed = [...one.slice(0, 10_000), ...keysOf('words', 300, random).map((key) => [key, random.u32()] as const)];
    await assertKeeps(random.shuffled(mixed), { value: 'u32' });
    const colliding = collidingStrings(5, 99, 0);
    await assertKeeps(
      Array.from({ length: 8000 }, (_, i) => [colliding[(i * 7) % 5]!, i] as const),
      { value: 'u32' },
    );
  });

  test('that pass the limit of a segment only before they are dropped', async () => {
    const entries = Array.from({ length: 20 }, (_, i) => ['the key', `${i}`.padEnd(2000)] as const);
    await assertKeeps(entries, { value: 'utf8', segmentBytes: 4096 });
  });
});

describe('more records of one key than memory holds', () => {
  const script = `
    const [, path, duplicates] = process.argv;
    const text = 'x'.repeat(200);
    const entries = function* () { for (let i = 0; i < 400_000; i++) yield ['the same key', text + i]; };
    const before = process.memoryUsage().rss;
    try {
      const { entries: count } = await hmap.build(path, entries(), { value: 'utf8', duplicates, memory: 2 ** 20 });
      console.log(count, hmap.open(path).get('the same key').slice(200));
    } catch (error) {
      console.log(error.code, error.key);
    }
    console.log(process.resourceUsage().maxRSS * 1024 - before);`;
  const told = { first: '1 0', last: '1 399999', error: 'HMAP_DUPLICATE_KEY the same key' };
  for (const [duplicates, expected] of Object.entries(told)) {
    test(`take no more memory than others, with '${duplicates}'`, async (t) => {
      const { stdout, ...outcome } = await runModule(script, [scratchPath, duplicates], { seconds: 60 });
      assert.deepEqual(outcome, { status: 0, signal: null, stderr: '' });
      const [answer, grown] = stdout.trim().split('\n');
      assert.equal(answer, expected);
      t.diagnostic(`${Math.round(Number(grown) / 2 ** 20)} MiB`);
      assert.ok(Number(grown) < 100 * 2 ** 20, `${grown} bytes`);
    });
  }
});
