// Bit arrays against a Set of integers: asking, rank and select, iteration, refusals, reload. Knows the public API.

import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { BitArray, type BitsBuildOptions, build, open, stat, verify } from '../../src/index.js';
import { ReferenceKeyless } from '../conformance/reference-keyless.js';
import { WHOLE_KEYLESS } from '../support/damaged-keyless.js';
import { hmapError, misuse } from '../support/errors.js';
import { Random } from '../support/random.js';
import { bitsPart, composeKeyless } from '../support/raw-keyless.js';
import { oracle } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';
import { failure, hmapErrorOf } from './failures.js';

/** Holds a bit array to a set in every way of asking. */
function assertIs(bits: BitArray, set: ReadonlySet<number>, base: number, length: number): void {
  const ones = [...set].sort((a, b) => a - b);
  assert.deepEqual([bits.size, bits.count(), bits.length, bits.base], [set.size, set.size, length, base]);
  assert.deepEqual([...bits], ones);
  assert.deepEqual([...bits.values()], ones);
  const all = Array.from({ length: length + 4 }, (_, i) => base - 2 + i);
  for (let round = 0; round < 2; round++) {
    let rank = 0;
    const ranks: number[] = [];
    for (let i = base - 2; i < base + length + 2; i++) {
      if (bits.has(i) !== set.has(i)) assert.fail(`has(${i})`);
      if (bits.rank(i) !== rank) assert.fail(`rank(${i}) is ${bits.rank(i)}, not ${rank}`);
      ranks.push(rank);
      if (set.has(i)) rank++;
    }
    assert.deepEqual([...bits.rankMany(all)], ranks);
    assert.deepEqual([...bits.rankMany(Float64Array.from(all).subarray(2, -2))], ranks.slice(2, -2));
    assert.deepEqual(
      [...bits.hasMany(Float64Array.from(all))],
      all.map((i) => Number(set.has(i))),
    );
    for (const [k, one] of ones.entries()) if (bits.select(k) !== one) assert.fail(`select(${k})`);
  }
  for (const none of [-1, ones.length, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    assert.equal(bits.select(none), undefined);
  for (const none of [base - 1, base + length, base + 0.5, Number.NaN, 2 ** 60, -(2 ** 32)])
    assert.equal(bits.has(none), false);
  assert.equal(bits.rank(Number.POSITIVE_INFINITY), set.size);
  assert.equal(bits.rank(Number.NEGATIVE_INFINITY), 0);
  if (ones.length > 0) assert.equal(bits.rank(ones[0]! + 0.5), 1);
}

describe('bit arrays', () => {
  const shapes: [string, number, number, Partial<BitsBuildOptions>][] = [
    ['nothing', 0, 0, {}],
    ['one bit', 1, 1, {}],
    ['a word', 32, 12, {}],
    ['a word and a bit', 33, 12, { base: -20 }],
    ['a run', 2048, 700, {}],
    ['a run and a bit', 2049, 700, { base: 2 ** 50 }],
    ['all ones', 5000, 100_000, {}],
    ['few ones', 60_000, 9, { base: -30_000 }],
    ['two segments', 40_000, 20_000, { segmentBytes: 4096 }],
    ['five of eight segments', 150_000, 30_000, { segmentBytes: 4096, base: 5 }],
    ['segments without ones', 150_000, 2, { segmentBytes: 4096 }],
  ];
  for (const [number, [name, length, draws, options]] of shapes.entries()) {
    test(`${name}: as a set is`, async (t) => {
      const path = join(temporaryFolder(t), 'bits.hmap');
      const random = new Random(number);
      const base = options.base ?? 0;
      const drawn = Array.from({ length: draws }, () => base + random.below(Math.max(1, length)));
      const integers = length === 0 ? [] : drawn;
      const set = new Set(integers);
      async function* later() {
        yield* integers;
      }
      const input = number % 2 === 0 ? integers : later();
      const summary = await build(path, input, { layout: 'bits', length, ...options });
      assert.deepEqual([summary.entries, summary.duplicates], [set.size, integers.length - set.size]);
      const { findings, entries, fileBytes } = await verify(path);
      assert.deepEqual([findings, entries, fileBytes], [[], set.size, summary.fileBytes]);
      for (const check of ['touch', 'header', 'full'] as const) {
        const bits = open(path, { layout: 'bits', check });
        assert.ok(bits instanceof BitArray);
        assertIs(bits, set, base, length);
        bits.close();
      }
      const reference = new ReferenceKeyless(path);
      assert.deepEqual(reference.check(), []);
      assert.deepEqual(
        reference.values(),
        [...set].sort((a, b) => a - b),
      );
      const { sections } = await stat(path);
      assert.equal(
        Object.values(sections).reduce((sum, bytes) => sum + bytes, 0),
        fileBytes,
      );
    });
  }

  test('the length is up to the largest integer where none is given', async (t) => {
    const path = join(temporaryFolder(t), 'bits.hmap');
    await build(path, [7, 3, 7, 90], { layout: 'bits', base: 2 });
    const bits = open(path, { layout: 'bits' });
    assertIs(bits, new Set([3, 7, 90]), 2, 89);
    bits.close();
  });

  test('the file is what a writer made from the spec alone writes', async (t) => {
    const path = join(temporaryFolder(t), 'bits.hmap');
    const ones = [4100, 0, 5, 31, 32, 2047, 2048, 2049];
    await build(path, ones, { layout: 'bits', length: 4110 });
    assert.ok(readFileSync(path).equals(composeKeyless(WHOLE_KEYLESS.bits())));
  });

  test('the order of the integers does not matter to the file', async (t) => {
    const folder = temporaryFolder(t);
    const random = new Random(3);
    const integers = Array.from({ length: 3000 }, () => random.below(50_000));
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    await build(one, integers, { layout: 'bits' });
    await build(two, new Set(random.shuffled(integers)), { layout: 'bits' });
    assert.ok(readFileSync(one).equals(readFileSync(two)));
  });
});

describe('what is refused', () => {
  test('integers that are none, or outside; nothing is left', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.hmap');
    const cases: [unknown, string, Partial<BitsBuildOptions>][] = [
      ['5', 'HMAP_VALUE_INVALID', {}],
      [5n, 'HMAP_VALUE_INVALID', {}],
      [0.5, 'HMAP_VALUE_RANGE', {}],
      [Number.NaN, 'HMAP_VALUE_RANGE', {}],
      [-1, 'HMAP_VALUE_RANGE', {}],
      [2 ** 53, 'HMAP_VALUE_RANGE', {}],
      [9, 'HMAP_VALUE_RANGE', { base: 10 }],
      [20, 'HMAP_VALUE_RANGE', { base: 10, length: 10 }],
      [2 ** 23, 'ENOMEM', { memory: 2 ** 20 }],
    ];
    for (const [wrong, code, options] of cases) {
      const integers = [options.base ?? 0, wrong] as number[];
      hmapErrorOf(await failure(folder, () => build(path, integers, { layout: 'bits', ...options })), code);
    }
    const large = { layout: 'bits', memory: 2 ** 20, length: 2 ** 23 + 1 } as const;
    hmapErrorOf(await failure(folder, () => build(path, [], large)), 'ENOMEM', /memory/);
    await build(path, [2 ** 23 - 1], { layout: 'bits', memory: 2 ** 20 });
    await assert.rejects(build(path, [], { layout: 'bits', length: -1 }), misuse(/^length: /));
    await assert.rejects(build(path, [], { layout: 'bits', value: 'u8' } as never), misuse(/^options: 'value' /));
  });

  test('what is not a number, and everything once it is closed', async (t) => {
    const path = join(temporaryFolder(t), 'bits.hmap');
    await build(path, [1, 2], { layout: 'bits' });
    const bits = open(path, { layout: 'bits' });
    for (const wrong of ['1', 1n, null, undefined]) {
      assert.throws(() => bits.has(wrong as never), misuse(/^integer: /));
      assert.throws(() => bits.rank(wrong as never), misuse(/^integer: /));
      assert.throws(() => bits.select(wrong as never), misuse(/^k: /));
    }
    assert.throws(() => bits.rank(Number.NaN), misuse(/^integer: /));
    for (const wrong of ['1', 1n, null, undefined, { valueOf: () => 1 }]) {
      assert.throws(() => bits.hasMany([1, wrong as never]), misuse(/^integer: /));
      assert.throws(() => bits.rankMany([1, wrong as never]), misuse(/^integer: /));
    }
    assert.throws(() => bits.rankMany([1, Number.NaN]), misuse(/^integer: /));
    assert.throws(() => bits.rankMany(1 as never), misuse(/^integers: /));
    assert.throws(() => bits.hasMany('1' as never), misuse(/^integers: /));
    const values = bits.values();
    assert.equal(values.next().value, 1);
    const closing = (function* () {
      yield 1;
      bits.close();
    })();
    assert.throws(() => bits.rankMany(closing), hmapError('HMAP_CLOSED'));
    for (const ask of [
      () => bits.has(1),
      () => bits.rank(1),
      () => bits.hasMany([]),
      () => bits.rankMany([]),
      () => bits.select(0),
      () => bits.count(),
      () => bits.size,
      () => bits.length,
      () => bits.values(),
      () => values.next(),
      () => bits.reload(),
    ]) {
      assert.throws(ask, hmapError('HMAP_CLOSED'));
    }
  });
});

test('it switches to a newer version; an iteration continues over the old one', async (t) => {
  const path = join(temporaryFolder(t), 'bits.hmap');
  await build(path, [1, 5000], { layout: 'bits' });
  const bits = open(path, { layout: 'bits' });
  const before = bits.values();
  assert.equal(before.next().value, 1);
  await build(path, [3, 40], { layout: 'bits', base: 2 });
  assert.equal(bits.reload(), true);
  assertIs(bits, new Set([3, 40]), 2, 39);
  assert.deepEqual([...before], [5000]);
  bits.close();
});

test('a damaged block is reported when it is asked for', async (t) => {
  const path = join(temporaryFolder(t), 'bits.hmap');
  const integers = Array.from({ length: 1_000_000 }, (_, i) => 2 * i);
  await build(path, integers, { layout: 'bits' });
  const bytes = readFileSync(path);
  // 977 counts take 3,908 bytes; the bits begin after 3,912.
  bytes[4096 + 65_536 + 100]! ^= 4;
  writeFileSync(path, bytes);
  const bits = open(path, { layout: 'bits' });
  const range = { offset: 4096 + 65_536, end: 4096 + 2 * 65_536 };
  const inBlock = (65_536 - 3912 + 100) * 8;
  assert.equal(bits.has(4), true);
  assert.equal(bits.rank(1001), 501);
  assert.equal(bits.select(700_000), 1_400_000);
  for (const ask of [
    () => bits.has(inBlock),
    () => bits.rank(inBlock),
    () => bits.hasMany([4, inBlock]),
    () => bits.rankMany([1001, inBlock]),
    // In the first word after a count: no other is read.
    () => bits.rank(241 * 2048 + 5),
    () => bits.select(inBlock / 2),
    () => [...bits],
  ]) {
    assert.throws(ask, hmapError('HMAP_DAMAGED', range));
  }
  bits.close();
});

test('ones after the last bit are none of the set, whatever the file says', async (t) => {
  const path = join(temporaryFolder(t), 'bits.hmap');
  // 33 bits in two words, of which the last is one; the row counts it, and one more that lies after.
  const part = bitsPart(33, [1, 32, 40]);
  writeFileSync(
    path,
    composeKeyless({ segments: [part], fields: { features: 8, layout: 2, valueBytes: 8, spareBits: 31 } }),
  );
  const { findings } = await verify(path);
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['HMAP_ENTRIES', 'HMAP_PADDING'],
  );
  using bits = open(path, { layout: 'bits' });
  const given: number[] = [];
  const go = () => {
    for (const integer of bits) given.push(integer);
  };
  assert.throws(go, hmapError('HMAP_DAMAGED', { message: /run 0 has 2 ones, its count says 3/ }));
  assert.deepEqual(given, [1, 32]);
  assert.deepEqual([bits.select(0), bits.select(1)], [1, 32]);
  assert.equal(bits.has(40), false);
  assert.throws(() => bits.select(2), hmapError('HMAP_DAMAGED', { message: /fewer ones than its count says/ }));
});

test('a step over a gibibyte without ones costs a few touches of memory', (t) => {
  // Sparse: the first bit, and the last.
  const path = join(temporaryFolder(t), 'bits.hmap');
  const length = 2 ** 32 - 2 ** 25;
  const runs = length / 2048;
  const dataStart = Math.ceil((4 * runs) / 8) * 8;
  const size = dataStart + length / 8;
  const [sums, levels] = [4096 + size, [8 * Math.ceil(size / 65_536)]];
  while (levels.at(-1)! > 4096) levels.push(8 * Math.ceil(levels.at(-1)! / 4096));
  const all = levels.reduce((sum, level) => sum + level, 0);
  const parts = bitsPart(33, [0, 32]);
  const header = composeKeyless({
    segments: [parts],
    fields: { features: 8, layout: 2, valueBytes: 8, spareBits: 31 },
  }).subarray(0, 4096);
  header[118] = 0;
  const fields = { 24: sums + all, 32: 2, 48: length / 8, 88: sums, 96: all, 192: 4096, 200: size, 208: 2 };
  for (const [at, number] of Object.entries(fields)) header.writeBigUInt64LE(BigInt(number), Number(at));
  header.writeUInt32LE(0, 12);
  header.writeUInt32LE(oracle.h32Raw(header, 0), 12);
  const fd = openSync(path, 'w');
  writeSync(fd, header, 0, 4096, 0);
  writeSync(fd, Buffer.alloc(4 * runs).fill(Buffer.of(1, 0, 0, 0), 4), 0, 4 * runs, 4096);
  writeSync(fd, Buffer.of(1), 0, 1, 4096 + dataStart);
  writeSync(fd, Buffer.of(0x80), 0, 1, 4096 + size - 1);
  ftruncateSync(fd, sums + all);
  closeSync(fd);
  using bits = open(path, { layout: 'bits', check: 'header' });
  const started = performance.now();
  assert.deepEqual([...bits], [0, length - 1]);
  const ms = performance.now() - started;
  assert.ok(ms < 200, `${ms} ms`);
});
