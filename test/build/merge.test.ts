// Merging: the result is the file that a build of the entries that stay would make, whichever way they come together.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import {
  type BuildOptions,
  build,
  type KeyForm,
  type MergeInput,
  type MergeOptions,
  type MergeRole,
  type MergeSummary,
  merge,
  open,
  type ValueChoice,
  verify,
} from '../../src/index.js';
import { hmapError, misuse } from '../support/errors.js';
import { Random } from '../support/random.js';
import { oracle } from '../support/samples.js';
import { buildShard } from '../support/shards.js';
import { failure, temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
const out = join(folder, 'out.hmap');
let names = 0;

type Options = BuildOptions<ValueChoice, KeyForm>;
type Entries = Map<string | number, unknown>;

async function table(entries: Entries, options: Options): Promise<string> {
  const path = join(folder, `${names++}.hmap`);
  await buildTable(path, entries, options);
  return path;
}

async function buildTable(path: string, entries: Entries, options: Options): Promise<void> {
  const all = options.value === 'none' ? entries.keys() : entries;
  await build(path, all as Iterable<never>, options as BuildOptions<'u32', 'string'>);
}

/** Holds the result of a merge to the file that a build of these entries makes. */
async function assertMerged(
  inputs: readonly MergeInput[],
  expected: Entries,
  built: Options,
  options: MergeOptions = {},
): Promise<MergeSummary> {
  const summary = await merge(inputs, out, options);
  const want = join(folder, 'want.hmap');
  await buildTable(want, expected, { seed: summary.seed, ...built });
  if (!readFileSync(out).equals(readFileSync(want))) {
    const { findings } = await verify(out);
    assert.fail(`another file than a build makes; ${findings[0]?.message ?? 'it is a valid one'}`);
  }
  assert.equal(summary.entries, expected.size);
  assert.equal(summary.fileBytes, readFileSync(out).length);
  return summary;
}

const numbers = (from: number, to: number, value: (i: number) => unknown = (i) => i): Entries =>
  new Map(Array.from({ length: to - from }, (_, i) => [`key ${from + i}`, value(from + i)]));

const VALUES = [
  'none',
  'utf8',
  'bytes',
  'json',
  'u8',
  'u32',
  'uint',
  'enum',
  'f64',
  'i64',
  'struct(a:bool,b:u7)',
] as const;

function sample(type: (typeof VALUES)[number], random: Random): unknown {
  const x = random.below(40);
  switch (type) {
    case 'none':
      return true;
    case 'utf8':
      return 'v'.repeat(random.below(4));
    case 'bytes':
      return Buffer.alloc(random.below(3) === 0 ? 300 : 2, x);
    case 'json':
      return { x };
    case 'u8':
      return x;
    case 'u32':
      return x * 1_000_000;
    case 'uint':
      return random.below(30) === 0 ? random.u32() : x;
    case 'enum':
      return `value ${random.below(200) === 0 ? x * 7 : x % 5}`;
    case 'f64':
      return x / 3;
    case 'i64':
      return BigInt(x) - 20n;
    default:
      return { a: x % 2 === 1, b: x };
  }
}

describe('merging', () => {
  test('makes the file that a build of all entries would, whatever the types, the sizes and the roles', async () => {
    const random = new Random(28);
    const ways = { buckets: 0, records: 0 };
    for (let round = 0; round < 250; round++) {
      const value = random.pick(VALUES);
      const key = random.pick(['string', 'u32', 'hex'] as const);
      const range = random.pick([10, 300, 4000]);
      const isFixed = random.below(2) === 1;
      const keyOf = (): string | number => {
        const k = random.below(range);
        if (key === 'u32') return k;
        return isFixed
          ? String(k).padStart(6, '0')
          : key === 'hex'
            ? `${k}`.padStart(k % 2 === 0 ? 4 : 6, '0')
            : `k${k}`;
      };
      const segmentBytes = random.below(3) === 0 ? { segmentBytes: 4096 } : {};
      const duplicates = random.pick(['last', 'first'] as const);
      const expected: Entries = new Map();
      const inputs: MergeInput[] = [];
      const files = random.between(1, 4);
      for (let i = 0; i < files; i++) {
        const role: MergeRole = i === 0 ? 'entries' : random.pick(['entries', 'changes', 'removals']);
        const most = i === 0 ? 2 * range : random.below(3) === 0 ? range : Math.ceil(range / 50);
        const entries: Entries = new Map(
          Array.from({ length: random.below(most) }, () => [keyOf(), sample(value, random)]),
        );
        const seed = random.below(12) === 0 ? { seed: random.below(5) } : {};
        const own = role === 'removals' ? 'none' : value;
        const path = await table(entries, { value: own, key, ...segmentBytes, ...seed });
        inputs.push(role === 'entries' && random.below(2) === 0 ? path : { path, as: role });
        for (const [name, one] of entries) {
          if (role === 'removals') expected.delete(name);
          else if (!expected.has(name) || role === 'changes' || duplicates === 'last') expected.set(name, one);
        }
      }
      const summary = await assertMerged(
        inputs,
        expected,
        { value, key, ...segmentBytes },
        { duplicates, ...segmentBytes },
      );
      ways[summary.by]++;
    }
    assert.ok(ways.buckets > 50 && ways.records > 50, JSON.stringify(ways));
  });

  test('copies the buckets of a large file, and counts what becomes of the entries', async () => {
    const large = await table(numbers(0, 50_000), { value: 'u32' });
    const changes = await table(
      numbers(49_990, 50_010, (i) => 2 * i),
      { value: 'u32' },
    );
    const removals = await table(
      new Map([
        ['key 5', 1],
        ['key 49995', 1],
        ['nothing', 1],
      ]),
      { value: 'none' },
    );
    const expected = new Map([...numbers(0, 50_000), ...numbers(49_990, 50_010, (i) => 2 * i)]);
    expected.delete('key 5');
    expected.delete('key 49995');
    const summary = await assertMerged([large, changes, { path: removals, as: 'removals' }], expected, {
      value: 'u32',
    });
    const { by, replaced, removed, missing, reseeded } = summary;
    assert.deepEqual(
      { by, replaced, removed, missing, reseeded },
      { by: 'buckets', replaced: 10, removed: 2, missing: 1, reseeded: 0 },
    );
  });

  test('chooses another form where the entries that stay need one', async () => {
    const base = numbers(0, 2000, (i) => i % 200);
    const path = await table(base, { value: 'uint' });
    const wider = await table(new Map([['large', 70_000]]), { value: 'uint' });
    assert.equal(
      (await assertMerged([path, wider], new Map([...base, ['large', 70_000]]), { value: 'uint' })).valueType,
      'u24',
    );
    // The only value that needs three bytes goes again.
    const large = await table(new Map([...base, ['large', 70_000]]), { value: 'uint' });
    const gone = await table(new Map([['large', 1]]), { value: 'none' });
    const narrow = await assertMerged([large, { path: gone, as: 'removals' }], base, { value: 'uint' });
    assert.equal(narrow.valueType, 'u8');
    // The only key of another length goes, and the last entry with a string.
    const odd: Entries = new Map([...numbers(1000, 3000, (i) => `v${i % 3}`), ['odd', 'rare'] as [string, unknown]]);
    const enums = await table(odd, { value: 'enum' });
    const oddKey = await table(new Map([['odd', 1]]), { value: 'none' });
    odd.delete('odd');
    await assertMerged([enums, { path: oddKey, as: 'removals' }], odd, { value: 'enum' });
    // More buckets: the count of a build passes a step.
    const more = numbers(2000, 2300, (i) => i % 200);
    await assertMerged([path, await table(more, { value: 'uint' })], new Map([...base, ...more]), { value: 'uint' });
  });

  test('takes a type that was chosen together with one that followed from the values', async () => {
    const chosen = await table(new Map([['a', 1]]), { value: 'u32' });
    const narrowed = await table(new Map([['b', 2]]), { value: 'uint' });
    await assertMerged(
      [chosen, narrowed],
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
      { value: 'u32' },
    );
    await assertMerged(
      [narrowed, chosen],
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
      { value: 'u32' },
    );
  });

  test('of nothing, of one entry, and of one file', async () => {
    const empty = await table(new Map(), { value: 'utf8' });
    const one = await table(new Map([['', '']]), { value: 'utf8' });
    await assertMerged([empty], new Map(), { value: 'utf8' });
    await assertMerged([empty, empty], new Map(), { value: 'utf8' });
    await assertMerged([empty, one], new Map([['', '']]), { value: 'utf8' });
    await assertMerged([one, { path: await table(new Map([['', 1]]), { value: 'none' }), as: 'removals' }], new Map(), {
      value: 'utf8',
    });
  });

  test('replaces one of its inputs, keeps the metadata of the first, and takes other', async () => {
    const first = await table(numbers(0, 10), { value: 'u32', metadata: { made: 'first' } });
    const second = await table(numbers(5, 20), { value: 'u32', metadata: { made: 'second' } });
    await merge([first, second], first);
    const opened = open(first, { value: 'u32' });
    assert.deepEqual([opened.size, opened.header.metadata], [20, { made: 'first' }]);
    opened.close();
    await merge([first, second], out, { metadata: { made: 'both' } });
    const both = open(out);
    assert.deepEqual(both.header.metadata, { made: 'both' });
    both.close();
  });

  test('takes the next seed where keys that collide under one come together', async () => {
    // Each file has forty of the keys, which is no more than a bucket may hold.
    const keys: string[] = [];
    for (let i = 0; keys.length < 80; i++) {
      if (oracle.h32(`flood ${i}`, 0) < 2 ** 22) keys.push(`flood ${i}`);
    }
    const half = (from: number): Entries =>
      new Map([
        ...keys.slice(from, from + 40).map((key, i) => [key, i] as const),
        ...numbers(25 * from, 25 * from + 1000),
      ]);
    const [a, b] = [half(0), half(40)];
    const summary = await assertMerged(
      [await table(a, { value: 'u32' }), await table(b, { value: 'u32' })],
      new Map([...a, ...b]),
      { value: 'u32' },
    );
    assert.deepEqual([summary.seed, summary.reseeded], [0x9e37_79b9, 2]);
    const seeded = [await table(a, { value: 'u32', seed: 0 }), await table(b, { value: 'u32', seed: 0 })];
    assert.equal((await merge(seeded, out)).seed, 0x9e37_79b9);
  });

  test('builds files of other seeds anew', async () => {
    const [a, b] = [numbers(0, 3000), numbers(2500, 4000, (i) => 3 * i)];
    const paths = [await table(a, { value: 'u32', seed: 5 }), await table(b, { value: 'u32', seed: 9 })];
    const summary = await assertMerged(paths, new Map([...a, ...b]), { value: 'u32' });
    assert.deepEqual([summary.reseeded, summary.seed], [2, 0]);
    const same = await assertMerged([paths[0]!, paths[0]!], a, { value: 'u32', seed: 5 });
    assert.deepEqual([same.reseeded, same.seed], [0, 5]);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });

  test('of shards with the same index makes that shard', async () => {
    const pairs = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => [`key ${from + i}`, from + i] as const);
    const shard = { index: 5, bits: 3 };
    const shardOf = async (name: string, from: number, to: number) => {
      const path = join(folder, `shard-${name}.hmap`);
      await buildShard(path, pairs(from, to), { value: 'u32' }, shard);
      return path;
    };
    const [most, all] = [await shardOf('most', 0, 4000), await shardOf('all', 0, 4400)];
    for (const [by, first, second] of [
      ['records', most, await shardOf('third', 3000, 4400)],
      ['buckets', all, await shardOf('few', 4300, 4400)],
    ] as const) {
      const summary = await merge([first, second], out);
      assert.equal(summary.by, by);
      assert.ok(readFileSync(out).equals(readFileSync(all)), by);
      const opened = open(out, { value: 'u32' });
      assert.equal(summary.entries, opened.size);
      opened.close();
    }
    const other = join(folder, 'shard-other.hmap');
    await buildShard(other, pairs(0, 100), { value: 'u32' }, { index: 4, bits: 3 });
    await assert.rejects(merge([most, other], out), hmapError('HMAP_LAYOUT', { message: /shard 4 of 8/ }));
  });

  test('refuses what does not go together, and leaves everything as it was', async () => {
    const base = await table(numbers(0, 100), { value: 'u32' });
    const refused = async (
      inputs: readonly MergeInput[],
      code: Parameters<typeof hmapError>[0],
      options: MergeOptions = {},
    ) => {
      hmapError(code)(await failure(folder, () => merge(inputs, base, options)));
    };
    await refused([base, await table(new Map([['a', 'x']]), { value: 'utf8' })], 'HMAP_VALUE_TYPE');
    await refused([base, await table(new Map([[1, 1]]), { value: 'u32', key: 'u32' })], 'HMAP_KEY_TYPE');
    await refused([base, await table(new Map([['a', 1]]), { value: 'u32', fingerprint: 16 })], 'HMAP_FINGERPRINT');
    await refused([base, join(folder, 'missing.hmap')], 'ENOENT');
    await refused([base, base], 'HMAP_DUPLICATE_KEY', { duplicates: 'error' });
    await refused([base], 'HMAP_OUTPUT_EXISTS', { overwrite: false });
    const list = join(folder, 'list.hmap');
    await build(list, [1, 2], { layout: 'list', value: 'u7' });
    await refused([base, list], 'HMAP_LAYOUT');
    await assert.rejects(merge([], base), misuse(/^inputs: /));
    await assert.rejects(merge([{ path: base, as: 'removals' }], base), misuse(/^inputs: /));
    await assert.rejects(merge([{ path: base, as: 'other' as 'entries' }], base), misuse(/^as: /));
    await assert.rejects(merge([base], base, { duplicates: 'collect' as 'last' }), misuse(/^duplicates: /));
    await assert.rejects(merge([base], base, { check: 'full' as 'touch' }), misuse(/^check: /));
    await assert.rejects(merge([base], base, { seed: 1 } as MergeOptions), misuse(/^options: 'seed'/));
  });

  test('finds damage in any block of any input, and leaves everything as it was', async () => {
    const large = await table(numbers(0, 40_000), { value: 'u32' });
    const small = await table(numbers(100, 120), { value: 'u32' });
    const file = readFileSync(large);
    const { checksums } = open(large).header;
    const damaged = join(folder, 'damaged.hmap');
    for (const offset of [4096, 4096 + 65_536, 300_000, checksums.offset - 5]) {
      const copy = Buffer.from(file);
      copy[offset]! ^= 1;
      writeFileSync(damaged, copy);
      for (const inputs of [
        [damaged, small],
        [damaged, large],
        [small, damaged],
      ]) {
        hmapError('HMAP_DAMAGED')(await failure(folder, () => merge(inputs, out)));
      }
    }
  });

  test('stops when it is told to, and reports progress', async () => {
    const large = await table(numbers(0, 200_000), { value: 'u32' });
    const signal = AbortSignal.abort(new Error('enough'));
    assert.match(String(await failure(folder, () => merge([large], out, { signal }))), /enough/);
    const seen: string[] = [];
    // Told every 50 ms, which this takes several times.
    await merge(Array(8).fill(large), out, { onProgress: ({ phase }) => seen.push(phase) });
    assert.ok(seen.length > 0);
    for (const phase of seen) assert.ok(phase === 'read' || phase === 'write');
  });
});
