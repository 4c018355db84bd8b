// Sets of integers that are stored as a bit array or by hash, whichever file is smaller: compared with a Set, and with
// both files as they are built without being chosen. Knows the public API, and the arithmetic of sizes.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { hashSize, bitsSize as predictedBits } from '../../src/build/keyless/integer-set-size.js';
import {
  type BuildProgress,
  type BuildSummary,
  build,
  IntegerSet,
  type Metadata,
  open,
  verify,
} from '../../src/index.js';
import { keyWithHash } from '../support/collisions.js';
import { hmapError, misuse } from '../support/errors.js';
import { type Call, intercept } from '../support/faults.js';
import { Random } from '../support/random.js';
import { contentOf, failure, openFilesIn, temporaryFolder } from '../support/temp.js';

const MOST = Number.MAX_SAFE_INTEGER;

interface Shape {
  segmentBytes?: number;
  metadata?: Metadata;
  memory?: number;
}

/** Asks a set in every way. */
function assertIs(set: IntegerSet, model: ReadonlySet<number>): void {
  assert.equal(set.size, model.size);
  const values = [...set];
  assert.deepEqual([...set.values()], values);
  const sorted = values.toSorted((a, b) => a - b);
  assert.deepEqual(
    sorted,
    [...model].toSorted((a, b) => a - b),
  );
  if (set.layout === 'bits') assert.deepEqual(values, sorted);
  const asked: number[] = [];
  for (const integer of [...model, 0, -0, 1, -1, 2 ** 31, 2 ** 32, -(2 ** 31), -(2 ** 32), MOST, -MOST]) {
    for (const near of [integer, integer - 1, integer + 1, integer + 2 ** 32, integer + 0.5]) {
      if (set.has(near) !== model.has(near)) assert.fail(`has(${near}) is ${set.has(near)}`);
      asked.push(near);
    }
  }
  asked.push(Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60);
  const expected = asked.map((integer) => Number(model.has(integer)));
  assert.deepEqual([...set.hasMany(asked)], expected);
  assert.deepEqual([...set.hasMany(Float64Array.from(asked))], expected);
  for (const none of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53, -(2 ** 53), 2 ** 64])
    assert.equal(set.has(none), false);
}

/** What `build` makes of each form, where it can; the smaller of the two is to be chosen. */
async function bothForms(folder: string, integers: readonly number[], shape: Shape = {}) {
  const distinct = [...new Set(integers)].map((integer) => integer + 0);
  let [least, greatest] = [0, -1];
  if (distinct.length > 0) {
    [least, greatest] = [MOST, -MOST];
    for (const integer of distinct) [least, greatest] = [Math.min(least, integer), Math.max(greatest, integer)];
  }
  const u32 = distinct.every((integer) => integer >= 0 && integer < 2 ** 32);
  const [bits, hash] = [join(folder, 'as-bits.hmap'), join(folder, 'as-hash.hmap')];
  const few = greatest - least < 2 ** 27;
  const asBits = few && (await build(bits, distinct, { ...shape, layout: 'bits', base: least }));
  const asHash = u32
    ? await build(hash, distinct, { ...shape, value: 'none', key: 'u32' })
    : await build(hash, distinct, { ...shape, value: 'none', key: 'i64' });
  const [bitsSize, hashSize] = [asBits ? asBits.fileBytes : Infinity, asHash.fileBytes];
  assertPredicted([least, greatest], shape, bitsSize, asHash, u32 ? 4 : 8);
  const layout = bitsSize <= hashSize ? 'bits' : 'hash';
  return {
    bits,
    hash,
    bitsBytes: bitsSize,
    hashBytes: hashSize,
    layout,
    path: layout === 'bits' ? bits : hash,
    distinct,
  } as const;
}

/** Holds what the sizes are reckoned to be to what they are. */
function assertPredicted(
  range: readonly [number, number],
  { segmentBytes = 2 ** 31 - 1, metadata }: Shape,
  bits: number,
  { entries, fileBytes, segments }: BuildSummary,
  keyBytes: number,
): void {
  const limits = { segmentBytes, textBytes: metadata === undefined ? 0 : JSON.stringify(metadata).length };
  const reckoned = predictedBits(...range, limits);
  if (bits < Infinity) assert.equal(reckoned, bits);
  const { least, most } = hashSize(entries, keyBytes, limits);
  assert.ok(least <= fileBytes && most >= fileBytes, `${fileBytes} of [${least}, ${most}]`);
  // Offsets of 8 bits hold nearly every group.
  if (segments === 1 && entries < 10_000) assert.equal(least, fileBytes);
}

/** Builds a set, holds its file to the smaller of the two forms, byte for byte, and gives the form. */
async function assertChosen(folder: string, integers: readonly number[], shape: Shape = {}) {
  const path = join(folder, 'set.hmap');
  const forms = await bothForms(folder, integers, shape);
  const summary = await build(path, integers, { layout: 'auto', ...shape });
  const { distinct, layout } = forms;
  assert.equal(
    summary.layout,
    layout,
    `${summary.layout} of ${forms.bitsBytes} as bits and ${forms.hashBytes} by hash`,
  );
  assert.deepEqual(
    [summary.path, summary.entries, summary.duplicates, summary.fileBytes],
    [path, distinct.length, integers.length - distinct.length, statSync(path).size],
  );
  assert.ok(readFileSync(path).equals(readFileSync(forms.path)), 'the file is another one than that of this form');
  return { ...forms, summary, file: path };
}

/** Distinct integers of which the first and the last are those of the range. */
function drawn(random: Random, count: number, least: number, length: number): number[] {
  const found = new Set([least, least + length - 1]);
  while (found.size < count) found.add(least + random.below(length));
  return random.shuffled(found);
}

describe('sets of integers in the smaller form', () => {
  test('as a Set is, over many densities and bases', async (t) => {
    const folder = temporaryFolder(t);
    const random = new Random(1);
    const forms = { bits: 0, hash: 0 };
    for (const count of [2, 60, 1000, 7000]) {
      for (const each of [1, 8, 40, 54, 60, 85, 95, 110, 4000]) {
        const base = random.pick([0, -5, 1_000_000, 2 ** 32 - 100, -(2 ** 40), MOST - 30_000_000]);
        const integers = drawn(random, count, base, Math.max(count, count * each));
        const repeats = Array.from({ length: random.below(count) }, () => random.pick(integers));
        const { layout, file } = await assertChosen(folder, random.shuffled([...integers, ...repeats]));
        forms[layout]++;
        using set = open(file, { layout: 'auto' });
        assert.equal(set.layout, layout);
        assertIs(set, new Set(integers));
        assert.deepEqual((await verify(file)).findings, []);
      }
    }
    assert.ok(forms.bits > 8 && forms.hash > 8, JSON.stringify(forms));
  });

  test('where both are as large it is the bit array; one bit more, or one integer less, decides', async (t) => {
    const folder = temporaryFolder(t);
    const random = new Random(2);
    const shapes: Shape[] = [{}, { metadata: { text: 'x'.repeat(5000) } }];
    let same = 0;
    for (const [number, count] of [1200, 4100, 5000, 12_000].entries()) {
      for (const least of [7, -7]) {
        const shape = shapes[number % 2]!;
        const at = async (length: number) => assertChosen(folder, drawn(random, count, least, length), shape);
        const { hashBytes } = await at(5000 + count);
        // The longest bit array that is not larger than the other file, to the last bit.
        const limits = {
          segmentBytes: 2 ** 31 - 1,
          textBytes: number % 2 === 0 ? 0 : JSON.stringify(shape.metadata).length,
        };
        let length = 32;
        while (predictedBits(0, length + 31, limits) <= hashBytes) length += 32;
        const equal = await at(length);
        if (equal.bitsBytes === equal.hashBytes) same++;
        assert.ok(
          equal.bitsBytes <= equal.hashBytes && equal.bitsBytes >= equal.hashBytes - 8,
          `${count} from ${least}`,
        );
        assert.equal(equal.layout, 'bits');
        const more = await at(length + 1);
        assert.ok(more.bitsBytes > more.hashBytes && more.bitsBytes <= more.hashBytes + 16);
        assert.equal(more.layout, 'hash');
        assert.equal((await at(length - 32)).layout, 'bits');
      }
    }
    assert.ok(same > 0, 'some are of one size');
  });

  test('of several segments, which may have fewer buckets than one', async (t) => {
    const folder = temporaryFolder(t);
    const random = new Random(8);
    for (const greatest of [251_500, 253_500, 256_000]) {
      const integers = new Set([-1, greatest]);
      while (integers.size < 3840) integers.add(random.below(greatest));
      await assertChosen(folder, [...integers], { segmentBytes: 4096 });
    }
  });

  test('repeats count once, on either side', async (t) => {
    const folder = temporaryFolder(t);
    const random = new Random(3);
    // With all repeats the bit array would be the smaller one; of what is distinct it is the larger one.
    const few = drawn(random, 1000, 0, 200_000);
    const many = random.shuffled([...few, ...few, ...few, ...few, ...few, ...few, ...few]);
    assert.equal((await assertChosen(folder, many)).layout, 'hash');
    assert.equal((await assertChosen(folder, drawn(random, 7000, 0, 200_000))).layout, 'bits');
    assert.equal((await assertChosen(folder, new Array(50_000).fill(-3))).layout, 'bits');
  });

  const edges: [name: string, integers: number[], key?: 'u32' | 'i64'][] = [
    ['nothing', []],
    ['zero', [0]],
    ['minus zero', [-0, 0]],
    ['the greatest', [MOST]],
    ['the least', [-MOST]],
    ['both ends, with more than 2^53 bits between', [-MOST, MOST], 'i64'],
    ['both ends of u32', [0, 2 ** 32 - 1], 'u32'],
    ['one above u32', [2 ** 32, 5], 'i64'],
    ['one below u32', [2 ** 31, -1], 'i64'],
    ['2^53 - 1 bits', [1, MOST], 'i64'],
    ['some far apart', [-(2 ** 50), -1, 0, 2 ** 32, 2 ** 40 + 1, MOST - 1], 'i64'],
  ];
  for (const [name, integers, key] of edges) {
    test(`edge: ${name}`, async (t) => {
      const { file, layout } = await assertChosen(temporaryFolder(t), integers);
      using set = open(file, { layout: 'auto', check: 'full' });
      assertIs(set, new Set(integers));
      assert.equal(layout, key === undefined ? 'bits' : 'hash');
      if (key !== undefined) assert.equal(set.header.keyType, key);
    });
  }

  test('of several segments, where how keys spread decides on the size', async (t) => {
    const folder = temporaryFolder(t);
    const random = new Random(4);
    const seen = { bits: 0, hash: 0 };
    const segmentBytes = 4096;
    for (const count of [900, 3000, 9000]) {
      for (const each of [4, 30, 60, 90, 110, 130, 150, 170, 400]) {
        const integers = drawn(random, count, each % 2 === 0 ? 0 : -9, count * each);
        const found = await assertChosen(folder, integers, { segmentBytes });
        seen[found.layout]++;
        assert.ok(found.layout === 'hash' || found.summary.segments > 1 || count * each <= 32_768);
        using set = open(found.file, { layout: 'auto' });
        assertIs(set, new Set(integers));
      }
    }
    assert.ok(seen.bits > 5 && seen.hash > 5, JSON.stringify(seen));
    // More segments of bits than there may be.
    const far = drawn(random, 4000, 0, 2 ** 28);
    assert.equal((await assertChosen(folder, far, { segmentBytes })).layout, 'hash');
    assert.equal(predictedBits(0, 2 ** 27, { segmentBytes, textBytes: 0 }), Infinity);
  });

  test('with little memory integers go to the temporary file, and bits are made piece by piece', async (t) => {
    const folder = temporaryFolder(t);
    const random = new Random(5);
    const memory = 2 ** 20;
    // More than two mebibytes of bits.
    const close = drawn(random, 400_000, -3, 18_000_000);
    for (let i = 0; i < 70_000; i++) close.push(close[i]!);
    const bits = join(folder, 'bits.hmap');
    // A turn for other work would ask once more.
    t.mock.method(performance, 'now', () => 0);
    const [short, ample] = [abortedAt(Number.POSITIVE_INFINITY), abortedAt(Number.POSITIVE_INFINITY)];
    const asBits = await build(bits, close, { layout: 'auto', memory, signal: short.signal });
    assert.deepEqual([asBits.layout, asBits.entries, asBits.duplicates], ['bits', 400_000, 70_000]);
    assert.ok(asBits.spilledBytes > 8 * 400_000);
    await build(join(folder, 'ample.hmap'), close, { layout: 'auto', signal: ample.signal });
    assert.ok(readFileSync(bits).equals(readFileSync(join(folder, 'ample.hmap'))));
    // Each piece is made from all integers: once to count, and once more to be written.
    assert.equal(short.asked() - ample.asked(), 5 * Math.ceil(close.length / 2 ** 16));
    await build(join(folder, 'expected.hmap'), close, { layout: 'bits', base: -3 });
    assert.ok(readFileSync(bits).equals(readFileSync(join(folder, 'expected.hmap'))));
    const wide = drawn(random, 100_000, -3, 2 ** 45);
    const { layout, summary } = await assertChosen(folder, wide, { memory });
    assert.equal(layout, 'hash');
    // As integers, and once more as keys.
    assert.ok(summary.spilledBytes > 8 * 100_000);
  });

  test('keys that were chosen to share a bucket make a build take another seed', async (t) => {
    const folder = temporaryFolder(t);
    const random = new Random(6);
    const flood = Array.from({ length: 65 }, (_, i) => Buffer.from(keyWithHash(i, 0, [])).readUInt32LE());
    const { layout, summary } = await assertChosen(folder, [...flood, ...drawn(random, 900, 0, 2 ** 32 - 1)]);
    assert.equal(layout, 'hash');
    assert.notEqual(summary.seed, 0);
  });

  test('takes what comes in its time, keeps metadata, and does not replace where it must not', async (t) => {
    const folder = temporaryFolder(t);
    for (const apart of [1, 2 ** 33]) {
      const path = join(folder, `${apart}.hmap`);
      const integers = Array.from({ length: 3000 }, (_, i) => apart * (i - 1500));
      const come = async function* () {
        for (const integer of integers) yield integer;
      };
      const metadata = { made: { by: 'test' } };
      await build(path, come(), { layout: 'auto', metadata, overwrite: false });
      using set = open(path, { layout: 'auto' });
      assertIs(set, new Set(integers));
      assert.deepEqual(set.header.metadata, metadata);
      const refused = await failure(folder, () => build(path, [1], { layout: 'auto', overwrite: false }));
      hmapError('HMAP_OUTPUT_EXISTS')(refused);
      const taken = join(folder, `taken-${apart}.hmap`);
      const late = function* () {
        yield* integers;
        writeFileSync(taken, 'mine');
      };
      await assert.rejects(build(taken, late(), { layout: 'auto', overwrite: false }), hmapError('HMAP_OUTPUT_EXISTS'));
      assert.equal(readFileSync(taken, 'utf8'), 'mine');
    }
  });

  test('a relative path is where it was when the build began', async (t) => {
    const folder = temporaryFolder(t);
    const before = process.cwd();
    t.after(() => process.chdir(before));
    process.chdir(folder);
    const leave = function* () {
      yield* [5, 2 ** 40];
      process.chdir(before);
    };
    const { path } = await build('set.hmap', leave(), { layout: 'auto' });
    assert.equal(path, join(folder, 'set.hmap'));
    assert.deepEqual(readdirSync(folder), ['set.hmap']);
  });

  test('summaries state the layout of every build', async (t) => {
    const path = join(temporaryFolder(t), 'any.hmap');
    const layouts = [
      await build(path, ['a'], { value: 'none' }),
      await build(path, [1], { layout: 'list', value: 'u1' }),
      await build(path, [1], { layout: 'bits' }),
    ].map(({ layout }) => layout);
    assert.deepEqual(layouts, ['hash', 'list', 'bits']);
  });

  test('progress moves on, and never back', async (t) => {
    const folder = temporaryFolder(t);
    const total = 300_000;
    // So that each pause is one that reports.
    let clock = 0;
    t.mock.method(performance, 'now', () => {
      clock += 60;
      return clock;
    });
    for (const apart of [3, 2 ** 33]) {
      const told: BuildProgress[] = [];
      const integers = Array.from({ length: total }, (_, i) => apart * i);
      const onProgress = (progress: BuildProgress) => told.push(progress);
      await build(join(folder, 'set.hmap'), integers, { layout: 'auto', memory: 2 ** 20, onProgress });
      assert.ok(told.some(({ phase }) => phase === 'read') && told.some(({ phase }) => phase === 'write'));
      for (const [i, { phase, entries, total: all }] of told.entries()) {
        assert.ok(phase === 'read' ? all === undefined : entries <= all! && all === total);
        const last = told[i - 1];
        if (last === undefined) continue;
        assert.ok(last.phase === phase ? last.entries <= entries : last.phase === 'read', JSON.stringify(told));
      }
    }
  });
});

describe('what cannot be put into a set of integers', () => {
  test('is named, and nothing is left', async (t) => {
    const folder = temporaryFolder(t);
    await build(join(folder, 'set.hmap'), [1], { layout: 'auto' });
    const cases: [value: unknown, code: 'HMAP_VALUE_INVALID' | 'HMAP_VALUE_RANGE'][] = [
      ['5', 'HMAP_VALUE_INVALID'],
      [5n, 'HMAP_VALUE_INVALID'],
      [null, 'HMAP_VALUE_INVALID'],
      [0.5, 'HMAP_VALUE_RANGE'],
      [Number.NaN, 'HMAP_VALUE_RANGE'],
      [2 ** 53, 'HMAP_VALUE_RANGE'],
      [-(2 ** 53), 'HMAP_VALUE_RANGE'],
    ];
    for (const [value, code] of cases) {
      const act = () => build(join(folder, 'set.hmap'), [2, value as number], { layout: 'auto' });
      hmapError(code, { actual: value })(await failure(folder, act));
    }
  });

  test('options of other layouts are refused, in both directions', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'set.hmap');
    for (const option of ['base', 'length', 'value', 'key', 'seed', 'duplicates']) {
      const act = () => build(path, [1], { layout: 'auto', [option]: 0 } as never);
      misuse(new RegExp(`^options: '${option}' is not known`))((await failure(folder, act)) as TypeError);
    }
    misuse(/^entries: /)((await failure(folder, () => build(path, 5 as never, { layout: 'auto' }))) as TypeError);
    await build(path, [1], { layout: 'auto' });
    assert.throws(() => open(path, { layout: 'auto', key: 'u32' } as never), misuse(/^key: .*'auto'/));
    assert.throws(() => open(path, { layout: 'auto', value: 'none' } as never), misuse(/^value: .*'auto'/));
    assert.throws(() => open(path, { layout: 'automatic' } as never), misuse(/^layout: .*auto/));
  });
});

/** A signal that is aborted when it is asked for the `nth` time. */
function abortedAt(nth: number): { signal: AbortSignal; asked(): number } {
  const { signal } = new AbortController();
  let asked = 0;
  signal.throwIfAborted = () => {
    if (++asked === nth) throw new Error('enough');
  };
  return { signal, asked: () => asked };
}

describe('a build that ends early leaves all as it was', () => {
  for (const [name, apart] of [
    ['bits', 2],
    ['hash', 2 ** 20 + 1],
  ] as const) {
    test(`stopped at any time: ${name}`, async (t) => {
      const folder = temporaryFolder(t);
      const path = join(folder, 'set.hmap');
      await build(path, [1], { layout: 'auto' });
      const integers = Array.from({ length: 70_000 }, (_, i) => apart * i);
      const run = (signal: AbortSignal) =>
        build(join(folder, 'set.hmap'), integers, { layout: 'auto', memory: 2 ** 20, signal });
      const before = readFileSync(path);
      const whole = abortedAt(Number.POSITIVE_INFINITY);
      assert.equal((await run(whole.signal)).layout, name);
      await build(path, [1], { layout: 'auto' });
      assert.ok(whole.asked() > Math.floor(integers.length / 1024) + 4);
      // The first is asked before anything is made; those in between while integers come in.
      const reading = Math.floor(integers.length / 1024);
      for (let nth = 1; nth <= whole.asked(); nth += nth > 2 && nth < reading ? 13 : 1) {
        const error = await failure(folder, () => run(abortedAt(nth).signal));
        assert.equal((error as Error).message, 'enough', `${nth} of ${whole.asked()}`);
      }
      assert.ok(readFileSync(path).equals(before));
    });
  }

  test('whichever call of the file system fails', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'set.hmap');
    const calls: Call[] = ['openSync', 'writeSync', 'readSync', 'fsync', 'renameSync', 'ftruncateSync'];
    for (const apart of [2, 2 ** 33]) {
      const integers = Array.from({ length: 40_000 }, (_, i) => apart * i);
      for (const call of calls) {
        let nth = 0;
        for (let whole = false; !whole; ) {
          nth++;
          await build(path, [1], { layout: 'auto' });
          const before = contentOf(folder);
          let count = 0;
          const stop = intercept([call], (_, args, go) => {
            if (++count !== nth) return go(...args);
            const error = Object.assign(new Error('made to fail'), { code: 'EIO', errno: -1, syscall: call });
            if (call === 'fsync') return setImmediate(args.at(-1) as (error: Error) => void, error);
            throw error;
          });
          let failed: unknown;
          try {
            await build(path, integers, { layout: 'auto', memory: 2 ** 20 });
          } catch (error) {
            failed = error;
          }
          stop();
          whole = count < nth;
          assert.deepEqual(openFilesIn(folder), [], `${call} ${nth}`);
          const there = await isThere(path, integers);
          if (failed === undefined) {
            assert.ok(there);
            continue;
          }
          assert.equal(whole, false);
          hmapError('EIO' as 'ENOENT')(failed);
          // What fails last is to make the new name durable.
          if (there) assert.deepEqual(readdirSync(folder), ['set.hmap']);
          else assert.deepEqual(contentOf(folder), before, `${call} ${nth}`);
        }
      }
    }
  });
});

async function isThere(path: string, integers: readonly number[]): Promise<boolean> {
  using set = open(path, { layout: 'auto' });
  return set.size === integers.length;
}

describe('an open set of integers', () => {
  test('takes files that were built as one of the forms, and no others', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'set.hmap');
    await build(path, [3, 9], { layout: 'bits', base: -5, length: 100 });
    using bits = open(path, { layout: 'auto', check: 'full' });
    assertIs(bits, new Set([3, 9]));
    await build(path, [3n, -9n], { value: 'none', key: 'i64' });
    using hashed = open(path, { layout: 'auto' });
    assertIs(hashed, new Set([3, -9]));
    const refused: [make: () => Promise<unknown>, code: 'HMAP_LAYOUT' | 'HMAP_KEY_TYPE' | 'HMAP_VALUE_TYPE'][] = [
      [() => build(path, [1], { layout: 'list', value: 'u7' }), 'HMAP_LAYOUT'],
      [() => build(path, ['1'], { value: 'none' }), 'HMAP_KEY_TYPE'],
      [() => build(path, [1n], { value: 'none', key: 'u64' }), 'HMAP_KEY_TYPE'],
      [() => build(path, ['01'], { value: 'none', key: 'hex' }), 'HMAP_KEY_TYPE'],
      [() => build(path, [[1, 1]], { value: 'u8', key: 'u32' }), 'HMAP_VALUE_TYPE'],
    ];
    for (const [make, code] of refused) {
      await make();
      assert.throws(() => open(path, { layout: 'auto' }), hmapError(code, { path }));
      assert.throws(() => hashed.reload(), hmapError(code));
      assertIs(hashed, new Set([3, -9]));
    }
  });

  test('keys that no number holds are not found, and end an iteration', async (t) => {
    const path = join(temporaryFolder(t), 'set.hmap');
    await build(path, [2n ** 60n], { value: 'none', key: 'i64' });
    using set = open(path, { layout: 'auto' });
    assert.equal(set.has(2 ** 60), false);
    assert.throws(() => [...set], hmapError('HMAP_KEY_INVALID', { path, key: 2n ** 60n }));
  });

  test('it switches to a newer version of the other form; an iteration continues over the old one', async (t) => {
    const path = join(temporaryFolder(t), 'set.hmap');
    const versions = [
      [1, 2, 3],
      [5, -(2 ** 40)],
      [2 ** 31, 0, 7],
      [4, 5],
    ];
    await build(path, versions[0]!, { layout: 'auto' });
    const set = open(path, { layout: 'auto' });
    const layouts: string[] = [set.layout];
    assert.equal(set.reload(), false);
    for (const [i, version] of versions.entries()) {
      if (i === 0) continue;
      const iteration = set.values();
      const first = iteration.next().value!;
      await build(path, version, { layout: 'auto' });
      assert.equal(set.reload(), true);
      layouts.push(set.layout);
      assertIs(set, new Set(version));
      assert.deepEqual([first, ...iteration].toSorted(), versions[i - 1]!.toSorted());
    }
    assert.deepEqual(layouts, ['bits', 'hash', 'hash', 'bits']);
    const [iteration, later] = [set.values(), set.values()];
    assert.equal(iteration.next().value, 4);
    await build(path, [2 ** 50, 1], { layout: 'auto' });
    set.reload();
    const hashed = set.values();
    hashed.next();
    assert.deepEqual([...later], [2 ** 50, 1].toSorted(orderOf(set)));
    set.close();
    assert.deepEqual([set.closed, set.layout], [true, 'hash']);
    for (const ask of [
      () => set.has(1),
      () => set.hasMany([]),
      () => set.has('1' as never),
      () => set.size,
      () => set.values(),
      () => set[Symbol.iterator](),
      () => iteration.next(),
      () => hashed.next(),
      () => set.reload(),
      () => set.residentBytes(),
    ]) {
      assert.throws(ask, hmapError('HMAP_CLOSED'));
    }
    set.close();
  });

  test('refuses what is not a number, and says what it is', async (t) => {
    const path = join(temporaryFolder(t), 'set.hmap');
    for (const integers of [[1], [1, -(2 ** 40)]]) {
      await build(path, integers, { layout: 'auto' });
      using set = open(path, { layout: 'auto' });
      for (const wrong of ['1', 1n, null, undefined, {}]) {
        assert.throws(() => set.has(wrong as never), misuse(/^integer: expected a number, got /));
        assert.throws(() => set.hasMany([1, wrong as never]), misuse(/^integers: expected numbers, got /));
      }
      assert.ok(set instanceof IntegerSet);
      assert.equal(Object.prototype.toString.call(set), '[object IntegerSet]');
      assert.deepEqual([set.path, set.size], [path, integers.length]);
    }
  });

  for (const mapping of ['auto', 'copy'] as const) {
    test(`a watched set follows as it grows from one form to the other: ${mapping}`, async (t) => {
      const path = join(temporaryFolder(t), 'set.hmap');
      await build(path, [1], { layout: 'auto' });
      const seen = await watched(t, path, mapping);
      for (const [integers, layout] of [
        [[1, 2 ** 40], 'hash'],
        [[1, 2, 3, 4], 'bits'],
      ] as const) {
        const reloaded = seen.next();
        await build(path, integers, { layout: 'auto' });
        const set = await reloaded;
        assert.equal(set.layout, layout);
        assertIs(set, new Set(integers));
      }
    });
  }
});

/** Puts integers in the order in which a set has them. */
function orderOf(set: IntegerSet): (a: number, b: number) => number {
  const order = [...set];
  return (a, b) => order.indexOf(a) - order.indexOf(b);
}

async function watched(t: TestContext, path: string, mapping: 'auto' | 'copy') {
  let take: (set: IntegerSet) => void = () => {};
  const set = open(path, {
    layout: 'auto',
    mapping,
    warm: 'all',
    check: 'full',
    watch: { interval: 10 },
    onReload: (reloaded) => take(reloaded),
  });
  t.after(() => set.close());
  // The watch does not keep a process alive by itself.
  const alive = setInterval(() => {}, 1000);
  t.after(() => clearInterval(alive));
  return {
    next: () =>
      new Promise<IntegerSet>((resolve) => {
        take = (reloaded) => {
          assert.equal(reloaded, set);
          resolve(reloaded);
        };
      }),
  };
}
