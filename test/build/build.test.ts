// Tests building: one file for one set of entries, whatever the way; and nothing at all when something is wrong.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type BuildOptions,
  type BuildProgress,
  type BuildSummary,
  build,
  type HmapError,
  type Key,
  open,
  type ValueType,
} from '../../src/index.js';
import { runModule } from '../support/child.js';
import { collidingStrings, keyWithHash } from '../support/collisions.js';
import { hmapError, misuse } from '../support/errors.js';
import { WORKING } from '../support/mappings.js';
import { assertIs } from '../support/model.js';
import { Random } from '../support/random.js';
import { EXTREMES, keysOf, oracle, RANGES, sampleOf, VALUE_TYPES } from '../support/samples.js';
import { contentOf, failure, openFilesIn, temporaryFolder } from '../support/temp.js';

const MIB = 2 ** 20;
const shared = temporaryFolder(nodeTest);
const scratchPath = join(shared, 'table.hmap');

type Pair = readonly [key: Key, value: unknown];
type Input = Iterable<unknown> | AsyncIterable<unknown>;

/** `build` for arguments of any kind; with the least memory unless the options say otherwise, which saves the making of it. */
function buildAny(path: string, entries: unknown, options: unknown): Promise<BuildSummary> {
  const given = typeof options === 'object' && options !== null ? { memory: MIB, ...options } : options;
  return build(path, entries as Iterable<never>, given as BuildOptions);
}

/** The file of some entries, and what its build says. */
async function fileOf(entries: Input, options: BuildOptions): Promise<{ file: Buffer; summary: BuildSummary }> {
  const summary = await buildAny(scratchPath, entries, options);
  assert.deepEqual(readdirSync(shared), ['table.hmap'], 'a build leaves its file and nothing else');
  assert.deepEqual(openFilesIn(shared), []);
  const file = readFileSync(scratchPath);
  assertSums(file);
  return { file, summary };
}

/** Holds the block checksums to what the bytes give, as section 8 of the format has it. */
function assertSums(file: Buffer): void {
  const start = file.readUInt32LE(16);
  const end = Number(file.readBigUInt64LE(88));
  assert.equal(file.readBigUInt64LE(104), oracle.h64Raw(file.subarray(end)));
  for (let at = start, sum = end; at < end; at += 65_536, sum += 8) {
    const block = file.subarray(at, Math.min(end, at + 65_536));
    assert.equal(file.readBigUInt64LE(sum), oracle.h64Raw(block), `the block at ${at} of ${file.length}`);
  }
}

async function bytesOf(entries: Input, options: BuildOptions): Promise<Buffer> {
  return (await fileOf(entries, options)).file;
}

function assertSame(actual: Buffer, expected: Buffer, what: string): void {
  assert.ok(actual.equals(expected), `${what}: ${actual.length} bytes, expected ${expected.length} other ones`);
}

interface Scope {
  after(remove: () => void): void;
}

/** Folders of assertFails, one for each test. */
const failing = new WeakMap<Scope, string>();
const PLACES = ['new.hmap', 'old.hmap'];
let turn = 0;

/** Runs a build that must fail, in the place of an old file and where there is none. */
async function assertFails(
  t: Scope,
  act: (path: string) => Promise<unknown>,
  check: (error: unknown) => void,
  places = PLACES,
): Promise<void> {
  let folder = failing.get(t);
  if (folder === undefined) {
    folder = temporaryFolder(t);
    failing.set(t, folder);
    await buildAny(join(folder, 'old.hmap'), [['old', 1]], { value: 'u8' });
  }
  for (const name of places) {
    const path = join(folder, name);
    check(await failure(folder, () => act(path)));
  }
}

/** One of many builds that must fail: in turn in the place of an old file and where there is none. */
function assertRefuses(t: Scope, entries: unknown, options: unknown, check: (error: unknown) => void): Promise<void> {
  return assertFails(t, (path) => buildAny(path, entries, options), check, [PLACES[turn++ % 2]!]);
}

async function* slowly<T>(items: Iterable<T>): AsyncGenerator<T> {
  let i = 0;
  for (const item of items) {
    if (i++ % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    yield item;
  }
}

function textsOf(count: number, random: Random, longest: number): Map<string, string> {
  const long = random.text(longest);
  return new Map(keysOf('mixed', count, random).map((key) => [key, long.slice(0, random.below(longest))]));
}

describe('one file for one set of entries', () => {
  test('whatever their order', async () => {
    const random = new Random(1);
    for (const type of VALUE_TYPES) {
      const entries = keysOf('mixed', 400, random).map((key) => [key, sampleOf(type, random)] as const);
      const expected = await bytesOf(entries, { value: type });
      assertSame(await bytesOf([...entries].reverse(), { value: type }), expected, `${type}, reversed`);
      assertSame(await bytesOf(random.shuffled(entries), { value: type }), expected, `${type}, shuffled`);
    }
  });

  test('whatever their order, for any small set', async () => {
    const points = fc.nat({ max: 0x10_ffff }).filter((point) => point < 0xd800 || point > 0xdfff);
    const keys = fc.oneof(
      fc.string({ maxLength: 4 }),
      fc.array(points, { minLength: 1, maxLength: 200 }).map((codes) => String.fromCodePoint(...codes)),
    );
    const entries = fc.uniqueArray(fc.tuple(keys, fc.string({ maxLength: 9 })), {
      selector: ([key]) => key,
      maxLength: 60,
    });
    const property = fc.asyncProperty(entries, fc.nat(), async (list, seed) => {
      const model = new Map(list);
      const expected = await bytesOf(list, { value: 'utf8' });
      assertSame(await bytesOf(new Random(seed).shuffled(list), { value: 'utf8' }), expected, 'shuffled');
      const table = open(scratchPath);
      assertIs(table, model);
      table.close();
    });
    await fc.assert(property, { seed: 2, numRuns: 25 });
  });

  test('whatever memory there is', async () => {
    const random = new Random(3);
    const texts = textsOf(3000, random, 400);
    texts.set('large', 'x'.repeat(100_000)).set('larger', 'y'.repeat(3_000_000)).set('largest key'.padEnd(65_535), 'z');
    const numbers = new Map(keysOf('words', 3000, random).map((key) => [key, random.u32()]));
    const inputs: [Map<string, unknown>, ValueType][] = [
      [texts, 'utf8'],
      [numbers, 'u32'],
    ];
    for (const [entries, value] of inputs) {
      const expected = await bytesOf(entries, { value });
      // Odd sizes too, for which parts of the memory are no round numbers.
      for (const memory of [MIB + 1, 3_333_333, 8_500_001.5, 12_345_679, 23_456_789, 100 * MIB]) {
        assertSame(
          await bytesOf(random.shuffled(entries), { value, memory }),
          expected,
          `${value} with ${memory} bytes`,
        );
      }
      await build(scratchPath, entries as Iterable<never>, { value });
      assertSame(readFileSync(scratchPath), expected, `${value} with the default`);
    }
  });

  test('whatever they come as', async () => {
    const random = new Random(4);
    const map = textsOf(500, random, 50);
    const expected = await bytesOf(map, { value: 'utf8' });
    const generator = function* () {
      yield* map;
    };
    const table = join(shared, 'table.hmap');
    const inputs: Record<string, () => Input> = {
      array: () => [...map],
      'arrays with more in them': () => [...map].map(([key, value]) => [key, value, 'not looked at']),
      iterator: () => map.entries(),
      generator,
      'async generator': () => slowly(map),
      'readable stream': () => ReadableStream.from(map) as unknown as AsyncIterable<unknown>,
      'keys as bytes': () => [...map].map(([key, value]) => [Buffer.from(key), value]),
      'an open table, replaced by itself': () => open(table, { value: 'utf8' }),
    };
    for (const [name, input] of Object.entries(inputs)) {
      assertSame(await bytesOf(input(), { value: 'utf8' }), expected, name);
    }
  });

  test('a set: keys, or pairs with true or nothing', async () => {
    const keys = keysOf('mixed', 300, new Random(5));
    const expected = await bytesOf(keys, { value: 'none' });
    assertSame(await bytesOf(new Set(keys), { value: 'none' }), expected, 'Set');
    assertSame(await bytesOf(slowly(keys), { value: 'none' }), expected, 'async');
    assertSame(
      await bytesOf(
        keys.map((key) => Buffer.from(key)),
        { value: 'none' },
      ),
      expected,
      'bytes',
    );
    assertSame(
      await bytesOf(
        keys.map((key) => [key]),
        { value: 'none' },
      ),
      expected,
      '[key]',
    );
    assertSame(
      await bytesOf(
        keys.map((key) => [key, true]),
        { value: 'none' },
      ),
      expected,
      '[key, true]',
    );
    assertSame(
      await bytesOf(
        keys.map((key) => [key, undefined]),
        { value: 'none' },
      ),
      expected,
      '[key, undefined]',
    );
  });

  test('memory that the caller uses again is copied in time', async () => {
    const random = new Random(6);
    const long = random.bytes(70_000);
    const entries = Array.from(
      { length: 300 },
      (_, i) => [Buffer.from(`key ${i}`), long.slice(0, i * i * 0.7)] as const,
    );
    const expected = await bytesOf(entries, { value: 'bytes' });
    const reusing = function* () {
      const pair: unknown[] = [];
      const key = Buffer.alloc(100);
      const value = Buffer.alloc(70_000);
      for (const [k, v] of entries) {
        key.set(k);
        value.set(v);
        pair[0] = key.subarray(0, k.length);
        pair[1] = value.subarray(0, v.length);
        yield pair;
        key.fill(255);
        value.fill(255);
      }
    };
    assertSame(await bytesOf(reusing(), { value: 'bytes' }), expected, 'one buffer');
  });

  test('the seed changes the file, and any u32 is one', async () => {
    const random = new Random(7);
    const model = textsOf(200, random, 20);
    const files = new Set<string>();
    const seeds = [undefined, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
    for (const seed of seeds) {
      files.add(
        (await bytesOf(model, seed === undefined ? { value: 'utf8' } : { value: 'utf8', seed })).toString('hex'),
      );
      const table = open(scratchPath);
      assert.equal(table.header.hash.seed, seed ?? 0);
      assertIs(table, model, seed ?? 0);
      table.close();
    }
    assert.equal(files.size, seeds.length);
  });

  test('values that call into tables while they are encoded', async (t) => {
    const path = join(temporaryFolder(t), 'other.hmap');
    await build(path, [['another key', 1]], { value: 'u8' });
    const other = open(path);
    const value = { toJSON: () => ({ found: other.get('another key') }) };
    await buildAny(
      scratchPath,
      [
        ['a', value],
        ['bb', value],
      ],
      { value: 'json' },
    );
    other.close();
    const table = open(scratchPath);
    assert.deepEqual(
      new Map(table),
      new Map([
        ['a', { found: 1 }],
        ['bb', { found: 1 }],
      ]),
    );
    table.close();
  });
});

describe('more entries than memory', () => {
  test('go through a temporary file and come out the same', async () => {
    const random = new Random(10);
    const texts = textsOf(20_000, random, 300);
    const small = await fileOf(texts, { value: 'utf8', memory: MIB });
    const large = await fileOf(random.shuffled(texts), { value: 'utf8', memory: 64 * MIB });
    assert.ok(small.summary.spilledBytes > 2 * MIB, `${small.summary.spilledBytes} bytes spilled`);
    assert.equal(large.summary.spilledBytes, 0);
    assertSame(small.file, large.file, 'spilled');
    const { path, spilledBytes, seconds, ...same } = small.summary;
    for (const [name, value] of Object.entries(same))
      assert.deepEqual(large.summary[name as keyof typeof same], value, name);
  });

  test('20 MiB with 1 MiB of memory', async () => {
    const random = new Random(11);
    const filler = random.text(2000);
    const entries = function* () {
      for (let i = 0; i < 40_000; i++) yield [`key ${i}`, filler.slice(0, 100 + (i % 800))] as const;
    };
    const small = await fileOf(entries(), { value: 'utf8' });
    assert.ok(small.summary.payloadBytes > 20 * MIB * 0.95, `${small.summary.payloadBytes} bytes of payload`);
    assert.ok(small.summary.spilledBytes > 2 * small.summary.payloadBytes, 'partitions must be parted once more');
    const large = await fileOf(entries(), { value: 'utf8', memory: 256 * MIB });
    assertSame(small.file, large.file, 'parted');
  });

  test('progress is told while entries are read and while they are written', async () => {
    const pauses = [1000, 5000, 9000, 20_000];
    const entries = function* () {
      for (let i = 0; i <= 20_000; i++) {
        if (pauses.includes(i)) for (const end = performance.now() + 60; performance.now() < end; );
        if (i < 20_000) yield [`key ${i}`, i] as const;
      }
    };
    const progress: BuildProgress[] = [];
    await buildAny(scratchPath, entries(), {
      value: 'u32',
      onProgress: (step: BuildProgress) => progress.push({ ...step }),
    });
    const phases = progress.map(({ phase }) => phase);
    assert.ok(phases.filter((phase) => phase === 'read').length >= 3, phases.join());
    assert.ok(phases.includes('write'));
    assert.equal(phases.lastIndexOf('read') + 1, phases.indexOf('write'), 'reading comes before writing');
    for (const [i, { phase, entries: done, total }] of progress.entries()) {
      assert.equal(total, phase === 'read' ? undefined : 20_000);
      assert.ok(Number.isInteger(done) && done >= 0 && done <= 20_000);
      const last = progress[i - 1];
      if (last?.phase === phase) assert.ok(done >= last.entries, 'progress goes forward');
    }
    assert.ok(
      progress[0]!.entries >= 1000 && progress[0]!.entries < 5000,
      `${progress[0]!.entries} after the first pause`,
    );
  });

  test('hashes that share many of their top bits are parted bit by bit', async () => {
    const random = new Random(12);
    const filler = random.bytes(44_000);
    // Few enough for one bucket. The first is more than is read at once when a partition is parted.
    for (const [shared, least, hashes] of [
      [22, 40_000, () => (0x1234_5400 | random.below(1024)) >>> 0],
      [31, 30_000, () => 0xffff_fffe + random.below(2)],
      [32, 30_000, () => 0],
    ] as const) {
      const entries: Pair[] = Array.from({ length: 60 }, (_, i) => [
        keyWithHash(hashes(), 0, [i, random.u32()].slice(0, 1 + (i % 2))),
        filler.subarray(0, least + 50 * i),
      ]);
      entries.push(...keysOf('words', 100, random).map((key) => [key, filler.subarray(0, key.length)] as const));
      const small = await fileOf(entries, { value: 'bytes' });
      assert.ok(small.summary.spilledBytes > small.summary.payloadBytes, `${shared} bits`);
      assertSame(
        small.file,
        await bytesOf(random.shuffled(entries), { value: 'bytes', memory: 64 * MIB }),
        `${shared} bits`,
      );
      const table = open(scratchPath, { value: 'bytes' });
      for (const [key, value] of entries) assert.ok(Buffer.compare(table.get(key)!, value as Uint8Array) === 0);
      table.close();
    }
  });

  test('the largest records that are held whole, many of them and all in one place', async () => {
    const random = new Random(14);
    const filler = random.text(65_535);
    // With 1 MiB values from 32 KiB on lie in the temporary file by themselves.
    const entries = Array.from({ length: 40 }, (_, i) => {
      const key = `${i} ${filler}`.slice(0, 65_535 - (i % 3));
      return [key, filler.slice(0, 32_767 - (i % 5))] as const;
    });
    const { file, summary } = await fileOf(entries, { value: 'utf8' });
    assert.ok(summary.spilledBytes > 2 * MIB, `${summary.spilledBytes} bytes spilled`);
    assertSame(file, await bytesOf(random.shuffled(entries), { value: 'utf8', memory: 64 * MIB }), 'large records');
    const table = open(scratchPath);
    assertIs(table, new Map(entries));
    table.close();
    for (const one of entries.slice(0, 3)) {
      assertSame(
        await bytesOf([one], { value: 'utf8' }),
        await bytesOf([one], { value: 'utf8', memory: 64 * MIB }),
        'one',
      );
    }
    const around = [32_766, 32_767, 32_768, 32_769].map((length) => [`${length}`, filler.slice(0, length)] as const);
    const both = [...random.shuffled([...entries, ...around])];
    assertSame(
      await bytesOf(both, { value: 'utf8' }),
      await bytesOf(both, { value: 'utf8', memory: 64 * MIB }),
      'both',
    );
  });

  test('many large values', async () => {
    const random = new Random(13);
    const block = random.bytes(200_000);
    const entries = Array.from(
      { length: 60 },
      (_, i) => [`value ${i}`, block.subarray(i * 50, 30_000 + i * 2500)] as const,
    );
    const small = await fileOf(entries, { value: 'bytes' });
    assert.ok(small.summary.spilledBytes > 4 * MIB);
    assertSame(
      small.file,
      await bytesOf(random.shuffled(entries), { value: 'bytes', memory: 64 * MIB }),
      'large values',
    );
    const table = open(scratchPath, { value: 'bytes' });
    for (const [key, value] of entries) assert.ok(Buffer.compare(table.get(key)!, value) === 0, key);
    table.close();
  });
});

/** Segment bits of a canonical file, computed as section 10 of the format says. */
function segmentBitsOf(model: ReadonlyMap<string, string>, limit: number, seed: number): number {
  const varint = (value: number) => (value < 128 ? 1 : value < 16_384 ? 2 : 3);
  let total = 0;
  while (2 * 2 ** (total + 1) <= model.size) total++;
  for (let bits = 0; ; bits++) {
    const heaps = new Array<number>(2 ** bits).fill(0);
    for (const [key, value] of model) {
      const [k, v] = [Buffer.byteLength(key), Buffer.byteLength(value)];
      heaps[Math.floor(oracle.h32(key, seed) / 2 ** (32 - bits))]! += varint(k) + k + varint(v) + v;
    }
    const array = Math.ceil((4 * (2 ** Math.max(0, total - bits) + 1)) / 4096) * 4096;
    if (array + Math.max(...heaps) <= limit) return bits;
  }
}

describe('several segments', () => {
  for (const [count, longest, limit] of [
    [3000, 30, 8192],
    [3000, 300, 65_536],
    [3000, 300, 8192],
    [100, 3000, 16_384],
    [12_000, 8, 50_000],
    [9, 3900, 8192],
  ] as const) {
    test(`${count} values of up to ${longest} bytes in segments of ${limit}`, async () => {
      const random = new Random(count);
      const seed = random.u32();
      const model = textsOf(count, random, longest);
      const { file, summary } = await fileOf(model, { value: 'utf8', segmentBytes: limit, seed });
      for (const mapping of WORKING) {
        const table = open(scratchPath, { mapping });
        assert.ok(table.header.segments.length > 1);
        assert.equal(table.header.segmentBits, segmentBitsOf(model, limit, seed));
        assert.equal(table.header.segments.length, summary.segments);
        assert.ok(table.header.segments.every(({ bytes }) => bytes <= limit));
        assertIs(table, model, seed);
        table.close();
      }
      const options = { value: 'utf8', segmentBytes: limit, seed, memory: 64 * MIB } as const;
      assertSame(await bytesOf(random.shuffled(model), options), file, 'shuffled');
    });
  }

  test('segments without entries, first, last and between', async () => {
    for (const tops of [[1], [2], [3, 4], [1, 6], [0, 7]]) {
      const model = new Map(
        tops.flatMap((top) =>
          [0, 1, 2].map(
            (i) => [collidingStrings(4, ((top << 29) | (i << 26)) >>> 0, 0)[i]!, 'x'.repeat(3000 + i)] as const,
          ),
        ),
      );
      const { summary } = await fileOf(model, { value: 'utf8', segmentBytes: 8192 });
      assert.ok(summary.segments > tops.length, `${summary.segments} segments`);
      const table = open(scratchPath);
      assert.ok(table.header.segments.some(({ entries }) => entries === 0));
      assertIs(table, model);
      table.close();
    }
  });

  test('the limit holds to the byte, with both lengths of a record counted', async (t) => {
    const varint = (value: number) => (value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4);
    for (const keyBytes of [0, 127, 128, 16_383, 16_384, 65_535]) {
      for (const valueBytes of [4000, 16_383, 16_384, 2_097_151, 2_097_152]) {
        // A bucket array of one page, and one record.
        const limit = 4096 + varint(keyBytes) + keyBytes + varint(valueBytes) + valueBytes;
        if (limit <= 8192) continue;
        const entries = [['k'.repeat(keyBytes), new Uint8Array(valueBytes)]];
        const { summary } = await fileOf(entries, { value: 'bytes', segmentBytes: limit });
        assert.equal(summary.segments, 1);
        const options = { value: 'bytes', segmentBytes: limit - 1 };
        const error = await failure(shared, () => buildAny(scratchPath, entries, options));
        hmapError('HMAP_SEGMENT_TOO_LARGE', { expected: limit - 1, actual: limit - 4096 })(error);
      }
    }
    await fileOf([['k'.repeat(4092), 1]], { value: 'u16', segmentBytes: 8192 });
    await assertFails(
      t,
      (path) => buildAny(path, [['k'.repeat(4093), 1]], { value: 'u16', segmentBytes: 8192 }),
      hmapError('HMAP_SEGMENT_TOO_LARGE', { actual: 4097 }),
    );
  });

  test('records that no division parts are refused', async (t) => {
    const large = [['large', new Uint8Array(10_000)]];
    const check = hmapError('HMAP_SEGMENT_TOO_LARGE', { expected: 8192 });
    await assertFails(t, (path) => buildAny(path, large, { value: 'bytes', segmentBytes: 8192 }), check);
    const colliding = collidingStrings(60, 12_345, 0).map((key) => [key, 'x'.repeat(100)]);
    await assertFails(t, (path) => buildAny(path, colliding, { value: 'utf8', segmentBytes: 8192 }), check);
    await buildAny(scratchPath, large, { value: 'bytes', segmentBytes: 16_384 });
  });
});

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
    await assertKeeps(segmented, { value: 'utf8', segmentBytes: 8192 });
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
    await assertKeeps(entries, { value: 'utf8', segmentBytes: 8192 });
  });
});

describe('entries that cannot be stored', () => {
  const good: Pair[] = [
    ['good 1', 1],
    ['good 2', 2],
  ];

  /** Refused in the middle of an array, and of an async input. */
  async function assertRefusesEntry(
    t: Scope,
    value: ValueType,
    bad: unknown,
    check: (error: unknown) => void,
    before: unknown[] = [],
  ): Promise<void> {
    await assertRefuses(t, [...before, bad], { value }, check);
    await assertRefuses(t, slowly([...before, bad, ...before]), { value }, check);
  }

  test('what is no pair', async (t) => {
    for (const bad of [
      'ab',
      null,
      undefined,
      1,
      true,
      {},
      new Set(['a', 1]),
      Symbol('s'),
      () => ['a', 1],
      Promise.resolve(['a', 1]),
    ]) {
      await assertRefuses(
        t,
        [...good, bad],
        { value: 'u8' },
        misuse(/^entries: expected an array \[key, value\], got/),
      );
    }
    for (const bad of [null, undefined, 1, {}, true]) {
      await assertRefuses(
        t,
        ['a', bad],
        { value: 'none' },
        misuse(/^entries: expected a key or an array \[key\], got/),
      );
    }
  });

  test('keys of other kinds', async (t) => {
    for (const key of [undefined, null, 1, 1n, {}, ['a'], Symbol('k'), new Uint16Array(1)]) {
      await assertRefusesEntry(t, 'u8', [key, 1], misuse(/^key: expected a string or a Uint8Array, got/), good);
    }
    await assertRefusesEntry(t, 'u8', [], misuse(/^key: /), good);
  });

  test('keys with half a surrogate pair', async (t) => {
    for (const key of ['\ud800', 'tail \udc00', `${'x'.repeat(100)}\ud800`]) {
      const check = (error: unknown) => {
        hmapError('HMAP_KEY_INVALID', { message: /surrogate/ })(error);
        assert.equal((error as HmapError).key, Buffer.from(key).toString());
      };
      await assertRefusesEntry(t, 'u8', [key, 1], check, good);
    }
  });

  test('keys that are too long', async (t) => {
    const long: [Key, number][] = [
      ['k'.repeat(65_536), 65_536],
      ['é'.repeat(32_768), 65_536],
      [new Uint8Array(70_000).fill(97), 70_000],
      ['€'.repeat(65_535), 196_605],
    ];
    for (const [key, bytes] of long) {
      const check = hmapError('HMAP_KEY_TOO_LONG', { expected: 65_535, actual: bytes, message: /"[ké€a]{10}/ });
      await assertRefusesEntry(t, 'u8', [key, 1], check, good);
    }
  });

  const numbers = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32'] as const;
  const bigs = ['u64', 'i64'] as const;

  test('values out of the range of each integer type', async (t) => {
    const refused = (value: unknown) => (error: unknown) => {
      hmapError('HMAP_VALUE_RANGE', { key: 'bad', actual: value, message: /"bad".*, an integer from / })(error);
      assert.ok((error as Error).message.endsWith(`got ${value}${typeof value === 'bigint' ? 'n' : ''}`), `${error}`);
    };
    for (const type of numbers) {
      const [least, most] = RANGES[type];
      for (const value of [
        least - 1,
        most + 1,
        least - 0.5,
        most + 0.5,
        0.5,
        1e300,
        -1e300,
        Number.NaN,
        Infinity,
        -Infinity,
      ]) {
        await assertRefuses(t, [...good, ['bad', value]], { value: type }, refused(value));
      }
      await fileOf(
        [
          ['least', least],
          ['most', most],
        ],
        { value: type },
      );
    }
    for (const type of bigs) {
      const [least, most] = RANGES[type];
      for (const value of [least - 1n, most + 1n, 2n ** 100n, -(2n ** 100n)]) {
        await assertFails(
          t,
          (path) =>
            buildAny(
              path,
              [
                ['good', 1n],
                ['bad', value],
              ],
              { value: type },
            ),
          refused(value),
        );
      }
      await fileOf(
        [
          ['least', least],
          ['most', most],
        ],
        { value: type },
      );
    }
  });

  test('values of another kind', async (t) => {
    const kinds: Record<string, unknown> = {
      number: 1,
      bigint: 1n,
      string: '1',
      boolean: false,
      null: null,
      undefined: undefined,
      object: {},
      array: [1],
      bytes: Uint8Array.of(1),
      words: Uint16Array.of(1),
      function: () => 1,
    };
    const fitting: Partial<Record<ValueType, string[]>> = {
      none: ['undefined'],
      bytes: ['bytes'],
      utf8: ['string'],
      enum: ['string'],
      u64: ['bigint'],
      i64: ['bigint'],
    };
    for (const type of VALUE_TYPES) {
      if (type === 'json') continue;
      for (const [kind, value] of Object.entries(kinds)) {
        if ((fitting[type] ?? ['number']).includes(kind)) continue;
        const check = hmapError('HMAP_VALUE_INVALID', { key: 'bad', actual: value, message: /"bad".*expected/ });
        await assertRefuses(t, [['bad', value]], { value: type }, check);
      }
    }
  });

  test('text with half a surrogate pair', async (t) => {
    for (const value of ['\ud800', 'a\udc00', `${'x'.repeat(5000)}\ud800`, '\udc00\ud800']) {
      const check = hmapError('HMAP_VALUE_INVALID', { key: 'bad', message: /"bad".*surrogate/ });
      await assertFails(
        t,
        (path) =>
          buildAny(
            path,
            [
              ['good', '\ud83d\ude00'],
              ['bad', value],
            ],
            { value: 'utf8' },
          ),
        check,
      );
    }
  });

  test('what JSON cannot hold', async (t) => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    let deep: unknown = 0;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    const throwing = (error: unknown) => ({
      toJSON() {
        throw error;
      },
    });
    for (const value of [
      undefined,
      () => 1,
      Symbol('s'),
      { toJSON: () => undefined },
      1n,
      { big: [1n] },
      throwing(new Error('no')),
      throwing('no'),
      throwing(undefined),
      ...(tooDeep(deep) ? [deep] : []),
      cyclic,
    ]) {
      const check = hmapError('HMAP_VALUE_INVALID', { key: 'bad', message: /"bad"/ });
      await assertFails(
        t,
        (path) =>
          buildAny(
            path,
            [
              ['good', null],
              ['bad', value],
            ],
            { value: 'json' },
          ),
        check,
      );
    }
  });

  /** Later versions of V8 have no limit to nesting. */
  function tooDeep(value: unknown): boolean {
    try {
      JSON.stringify(value);
      return false;
    } catch {
      return true;
    }
  }

  test('values that are too long', async (t) => {
    const value = new Uint8Array(2 ** 30 + 1);
    const check = hmapError('HMAP_VALUE_TOO_LONG', { key: 'bad', actual: 2 ** 30 + 1, message: /"bad"/ });
    await assertRefuses(t, [['bad', value]], { value: 'bytes' }, check);
  });

  test('keys in messages: binary ones as bytes, long ones cut', async (t) => {
    const binary = hmapError('HMAP_VALUE_RANGE', { key: Uint8Array.of(0xff, 0), message: /0xff00/ });
    await assertRefuses(t, [[Uint8Array.of(0xff, 0), 256]], { value: 'u8' }, binary);
    const long = hmapError('HMAP_VALUE_RANGE', { key: 'y'.repeat(9000), message: /^.{0,300}$/ });
    await assertRefuses(t, [['y'.repeat(9000), 256]], { value: 'u8' }, long);
    const lines = hmapError('HMAP_VALUE_RANGE', { key: 'a\nb\r\u2028', message: /"a\\nb\\r/ });
    await assertRefuses(t, [['a\nb\r\u2028', 256]], { value: 'u8' }, lines);
  });

  test('after many good ones, some of them in the temporary file', async (t) => {
    const many = function* () {
      for (let i = 0; i < 5000; i++) yield [`key ${i}`, 'x'.repeat(300)];
      yield ['bad', '\ud800'];
    };
    await assertRefuses(t, many(), { value: 'utf8', memory: MIB }, hmapError('HMAP_VALUE_INVALID', { key: 'bad' }));
  });
});

describe('arguments and options', () => {
  const entries: Pair[] = [['a', 1]];
  const bad: Record<string, [options: unknown, message: RegExp][]> = {
    options: [
      [undefined, /^options: expected an object/],
      [null, /^options: /],
      ['u8', /^options: /],
      [{ value: 'u8', valeu: 'u8' }, /^options: 'valeu' is not known; did you mean 'value'\?/],
      [{ value: 'u8', duplicate: 'first' }, /did you mean 'duplicates'/],
      [{ value: 'u8', progress: () => {} }, /'progress' is not known; the options are .*onProgress/],
      [{ value: 'u8', onprogress: () => {} }, /did you mean 'onProgress'/],
    ],
    value: [undefined, null, '', 'u33', 'U8', 8, 'toString', '__proto__', ['u8']].map((value) => [
      { value },
      /^value: expected one of none, bytes/,
    ]),
    duplicates: ['frist', true, 1, 'Last'].map((duplicates) => [
      { value: 'u8', duplicates },
      /^duplicates: expected one of error, first, last/,
    ]),
    memory: [0, 1, 2 ** 20 - 1, -1, Number.NaN, -Infinity, {}, true].map((memory) => [
      { value: 'u8', memory },
      /^memory: /,
    ]),
    'memory that is no number': ['2000000', '64M', 2n ** 22n, [2 ** 22]].map((memory) => [
      { value: 'u8', memory },
      /^memory: /,
    ]),
    seed: [-1, 2 ** 32, 1.5, Number.NaN, '1', 1n, true].map((seed) => [{ value: 'u8', seed }, /^seed: /]),
    segmentBytes: [0, 8191, 2 ** 31, 9000.5, Number.NaN, '8192', 8192n].map((segmentBytes) => [
      { value: 'u8', segmentBytes },
      /^segmentBytes: /,
    ]),
    signal: [true, {}, new AbortController()].map((signal) => [{ value: 'u8', signal }, /^signal: /]),
    onProgress: [true, {}, 'log'].map((onProgress) => [{ value: 'u8', onProgress }, /^onProgress: /]),
    overwrite: [0, 'no', {}].map((overwrite) => [{ value: 'u8', overwrite }, /^overwrite: /]),
    metadata: [[], 'text', 1, true].map((metadata) => [{ value: 'u8', metadata }, /^metadata: /]),
  };

  for (const [name, cases] of Object.entries(bad)) {
    test(`${name}: a TypeError names what is wrong, and nothing is made`, async (t) => {
      for (const [options, message] of cases) {
        await assertRefuses(t, entries, options, misuse(message));
      }
    });
  }

  test('a misspelt choice gets a hint', async (t) => {
    await assertRefuses(t, entries, { value: 'utf9' }, misuse(/did you mean 'utf8'/));
    await assertRefuses(t, entries, { value: 'u8', duplicates: 'frist' }, misuse(/did you mean 'first'/));
  });

  test('metadata that is too large', async (t) => {
    const options = { value: 'u8', metadata: { text: 'x'.repeat(70_000) } };
    await assertRefuses(t, entries, options, hmapError('HMAP_METADATA_TOO_LARGE', { expected: 65_536 }));
  });

  test('entries and path', async (t) => {
    for (const wrong of [undefined, null, 1, 'text', {}, () => entries, Promise.resolve(entries)]) {
      await assertRefuses(t, wrong, { value: 'u8' }, misuse(/^entries: expected an iterable/));
    }
    for (const wrong of [undefined, null, '', 1, Buffer.from('x'), new URL('file:///x')]) {
      await assertFails(
        t,
        () => buildAny(wrong as string, entries, { value: 'u8' }),
        misuse(/^path: expected a string/),
      );
    }
  });

  test('memory without end is taken as the most', async () => {
    const summary = await build(scratchPath, [['a', 1]], { value: 'u8', memory: Number.POSITIVE_INFINITY });
    assert.equal(summary.entries, 1);
  });
});

describe('builds that are stopped', () => {
  const stopped = new Error('stopped');
  const is = (expected: unknown) => (error: unknown) => assert.equal(error, expected);

  test('a signal that is aborted already: nothing is read', async (t) => {
    const entries = {
      [Symbol.iterator](): Iterator<never> {
        return assert.fail('must not be read');
      },
    };
    await assertFails(
      t,
      (path) => build(path, entries, { value: 'u8', signal: AbortSignal.abort(stopped) }),
      is(stopped),
    );
    const check = (error: unknown) => assert.equal((error as Error).name, 'AbortError');
    await assertFails(t, (path) => build(path, entries, { value: 'u8', signal: AbortSignal.abort() }), check);
    await assertFails(
      t,
      (path) => build(path, entries, { value: 'u8', signal: AbortSignal.abort('text') }),
      is('text'),
    );
  });

  for (const kind of ['sync', 'async'] as const) {
    test(`a signal that is aborted while entries are read, ${kind}`, async (t) => {
      const act = async (path: string) => {
        const controller = new AbortController();
        let read = 0;
        let ended = false;
        const entries = function* () {
          try {
            for (; read < 200_000; read++) {
              if (read === 3000) controller.abort(stopped);
              yield [`key ${read}`, 'x'.repeat(500)] as const;
            }
          } finally {
            ended = true;
          }
        };
        const input = kind === 'sync' ? entries() : slowly(entries());
        try {
          await build(path, input, { value: 'utf8', memory: MIB, signal: controller.signal });
        } finally {
          assert.ok(read >= 3000 && read < 6000, `${read} entries were read`);
          // An async one may be told a little later: nobody can wait for a source that does not answer.
          for (let i = 0; i < 100 && !ended && kind === 'async'; i++)
            await new Promise((resolve) => setTimeout(resolve, 5));
          assert.ok(ended, 'the iterator is told that it is over');
        }
      };
      await assertFails(t, act, is(stopped));
    });
  }

  test('a signal that is aborted by a timer while entries are read', async (t) => {
    const entries = function* () {
      const end = performance.now() + 5000;
      for (let i = 0; performance.now() < end; i++) yield [`key ${i}`, 1] as const;
    };
    const check = (error: unknown) => assert.equal((error as Error).name, 'TimeoutError');
    await assertFails(t, (path) => build(path, entries(), { value: 'u8', signal: AbortSignal.timeout(120) }), check);
  });

  test('a signal that is aborted when all entries are read', async (t) => {
    const act = (path: string) => {
      const controller = new AbortController();
      const entries = function* () {
        for (let i = 0; i < 100; i++) yield [`key ${i}`, 1] as const;
        controller.abort(stopped);
      };
      return build(path, entries(), { value: 'u8', signal: controller.signal });
    };
    await assertFails(t, act, is(stopped));
  });

  test('a signal that is aborted while an async input waits', { timeout: 10_000 }, async (t) => {
    const act = async (path: string) => {
      const controller = new AbortController();
      let release = () => {};
      const entries = async function* () {
        yield ['a', 1] as const;
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      };
      setTimeout(() => controller.abort(stopped), 20);
      const late = setTimeout(() => release(), 1000);
      const started = performance.now();
      try {
        await build(path, entries(), { value: 'u8', signal: controller.signal });
      } finally {
        clearTimeout(late);
        release();
        assert.ok(performance.now() - started < 900, 'the build must not wait for its input');
      }
    };
    await assertFails(t, act, is(stopped));
  });

  test('an async input is at its end when the build is refused, with a signal as without', async (t) => {
    for (const signal of [undefined, new AbortController().signal]) {
      let open = 0;
      const entries = async function* () {
        open++;
        try {
          yield ['a', 1];
          yield ['bad', 256];
          yield ['c', 1];
        } finally {
          await new Promise((resolve) => setTimeout(resolve, 5));
          open--;
        }
      };
      const act = (path: string) => {
        const options = signal === undefined ? { value: 'u8' } : { value: 'u8', signal };
        return buildAny(path, entries(), options).finally(() => assert.equal(open, 0, 'the input is still open'));
      };
      await assertFails(t, act, hmapError('HMAP_VALUE_RANGE', { key: 'bad' }));
    }
  });

  test('an async input with a signal takes no memory for each entry', async (t) => {
    const folder = temporaryFolder(t);
    const watching = `
      const [, path] = process.argv;
      const used = async () => {
        await new Promise((resolve) => setImmediate(resolve));
        gc();
        return process.memoryUsage().heapUsed / 2 ** 20;
      };
      let before, after;
      const entries = async function* () {
        for (let i = 0; i < 120_000; i++) {
          if (i === 20_000) before = await used();
          yield ['key ' + i, 1];
        }
        after = await used();
      };
      const { signal } = new AbortController();
      await hmap.build(path, entries(), { value: 'u8', memory: 2 ** 20, signal });
      console.log(after - before < 8 ? 'flat' : 'grown by ' + (after - before) + ' MiB');`;
    const outcome = await runModule(watching, [join(folder, 'out.hmap')], { flags: ['--expose-gc'] });
    assert.deepEqual(outcome, { status: 0, signal: null, stdout: 'flat\n', stderr: '' });
  });

  test('inputs that throw: the error is handed on as it is', async (t) => {
    const thrown: unknown[] = [stopped, 'text', undefined, new TypeError('of the input'), null];
    for (const error of thrown) {
      for (const after of error === stopped ? [0, 1, 1023, 1024, 5000] : [1]) {
        const entries = function* () {
          for (let i = 0; i < after; i++) yield [`key ${i}`, 'x'.repeat(300)] as const;
          throw error;
        };
        await assertFails(t, (path) => build(path, entries(), { value: 'utf8', memory: MIB }), is(error));
        if (after < 2) await assertFails(t, (path) => build(path, slowly(entries()), { value: 'utf8' }), is(error));
      }
    }
  });

  test("inputs that fail in a file of their own: not the output's fault", async (t) => {
    let thrown: unknown;
    const entries = function* () {
      yield ['a', 'b'] as const;
      try {
        readFileSync(join(shared, 'no such input'));
      } catch (error) {
        thrown = error;
        throw error;
      }
    };
    await assertFails(
      t,
      (path) => build(path, entries(), { value: 'utf8' }),
      (error) => {
        assert.equal((error as HmapError).code, 'ENOENT');
        assert.equal(error, thrown, `the input's own error, not: ${(error as Error).message}`);
      },
    );
  });

  test('a table that is closed as input', async (t) => {
    const closed = hmapError('HMAP_CLOSED', { path: scratchPath });
    const act = async (path: string) => {
      await buildAny(
        scratchPath,
        [
          ['a', 1],
          ['b', 2],
        ],
        { value: 'u8' },
      );
      const table = open(scratchPath, { value: 'u8' });
      const entries = function* () {
        for (const entry of table) {
          yield entry;
          table.close();
        }
      };
      await buildAny(path, entries(), { value: 'u8' }).finally(() => assert.ok(table.closed));
    };
    await assertFails(t, act, closed);
    const table = open(scratchPath);
    table.close();
    await assertFails(t, (path) => buildAny(path, table, { value: 'u8' }), closed);
  });

  const posix = process.platform !== 'win32';
  const script = `
    const [, path, memory] = process.argv;
    const entries = function* () {
      for (let i = 0; i < 5000; i++) yield ['key ' + i, 'x'.repeat(300)];
    };
    try {
      await hmap.build(path, entries(), { value: 'utf8', memory: Number(memory) });
      console.log('built');
    } catch (error) {
      console.log(error.name, error.code, /^cannot write/.test(error.message));
    }`;

  for (const [what, memory] of [
    ['the file', 64 * MIB],
    ['the temporary file', MIB],
  ] as const) {
    test(`${what} cannot be written to its end`, { skip: !posix }, async (t) => {
      await assertFails(
        t,
        async (path) => {
          const outcome = await runModule(script, [path, `${memory}`], { limit: '-f 200' });
          throw outcome.stdout + outcome.stderr;
        },
        (told) => assert.equal(told, 'HmapError EFBIG true\n'),
        ['old.hmap'],
      );
    });
  }

  test('memory that is not there', { skip: process.platform !== 'linux' }, async (t) => {
    const folder = temporaryFolder(t);
    const outcome = await runModule(script, [join(folder, 'out.hmap'), `${2 ** 31}`], { limit: '-v 1800000' });
    // Where node itself needs less than here, the build may succeed.
    const expected = outcome.stdout === 'built\n' ? ['out.hmap'] : [];
    assert.deepEqual(readdirSync(folder), expected, JSON.stringify(outcome));
  });

  test('a progress callback that throws', async (t) => {
    const entries = function* () {
      for (let i = 0; i < 3000; i++) {
        if (i === 1000) for (const end = performance.now() + 60; performance.now() < end; );
        yield [`key ${i}`, 1] as const;
      }
    };
    let called = 0;
    const onProgress = () => {
      called++;
      throw stopped;
    };
    await assertFails(t, (path) => build(path, entries(), { value: 'u8', onProgress }), is(stopped));
    assert.equal(called, 2);
  });
});

describe('the summary', () => {
  for (const [count, options] of [
    [0, { value: 'utf8' }],
    [1, { value: 'utf8' }],
    [700, { value: 'utf8', seed: 3, metadata: { a: 'b'.repeat(5000) } }],
    [5000, { value: 'utf8', segmentBytes: 16_384 }],
    [20_000, { value: 'utf8' }],
  ] as [number, BuildOptions][]) {
    test(`of ${count} entries adds up`, async () => {
      const model = textsOf(count, new Random(count), 40);
      const started = performance.now();
      const { file, summary } = await fileOf(model, options);
      assert.ok(summary.seconds > 0 && summary.seconds <= (performance.now() - started) / 1000);
      const { header } = open(scratchPath);
      assert.equal(summary.path, scratchPath);
      assert.equal(summary.fileBytes, file.length);
      assert.equal(summary.entries, count);
      assert.equal(summary.duplicates, 0);
      assert.equal(summary.segments, header.segments.length);
      const payload = [...model].reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + value.length, 0);
      assert.equal(summary.payloadBytes, payload);
      assert.equal(header.keyBytes + header.valueBytes, payload);

      const { sections, bucketLoads } = summary;
      const array = 4 * (2 ** header.bucketBits + 1);
      const heapOffset = Math.ceil(array / 4096) * 4096;
      assert.equal(sections.header, header.headerBytes);
      assert.equal(sections.buckets, array * header.segments.length);
      assert.equal(
        sections.heap,
        header.segments.reduce((sum, { bytes }) => sum + bytes - heapOffset, 0),
      );
      assert.equal(sections.checksums, header.checksums.bytes);
      assert.ok(sections.padding >= 0 && sections.padding < 2 * 4096 * header.segments.length);
      assert.equal(
        Object.values(sections).reduce((sum, bytes) => sum + bytes),
        file.length,
      );

      const buckets = header.segments.length * 2 ** header.bucketBits;
      const loads = new Array<number>(buckets).fill(0);
      for (const key of model.keys()) {
        const hash = oracle.h32(key, options.seed ?? 0);
        loads[Math.floor((hash / 2 ** 32) * buckets)]!++;
      }
      const histogram = new Array<number>(17).fill(0);
      for (const load of loads) histogram[Math.min(load, 16)]!++;
      const expected = { buckets, mean: count / buckets, longest: Math.max(...loads), histogram };
      assert.deepEqual(bucketLoads, expected);
    });
  }
});

describe('the output', () => {
  const entries: [string, number][] = [
    ['a', 1],
    ['b', 2],
  ];
  const linux = process.platform === 'linux';

  test('an existing file is replaced, or kept with overwrite: false', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.hmap');
    await build(path, entries, { value: 'u8', overwrite: false });
    const old = readFileSync(path);
    const unread = {
      [Symbol.iterator](): Iterator<never> {
        return assert.fail('must not be read');
      },
    };
    const refused = await failure(folder, () => build(path, unread, { value: 'u8', overwrite: false }));
    hmapError('HMAP_OUTPUT_EXISTS', { path })(refused);
    await build(path, [['c', 3]], { value: 'u8', overwrite: true });
    assert.notDeepEqual(readFileSync(path), old);
    writeFileSync(path, 'no table at all');
    await build(path, entries, { value: 'u8' });
    assertSame(readFileSync(path), old, 'replaced');
    assert.deepEqual(readdirSync(folder), ['out.hmap']);
  });

  test('with overwrite: false a file that appears during the build is kept', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.hmap');
    const late = function* () {
      yield* entries;
      writeFileSync(path, 'came in between');
    };
    await assert.rejects(
      build(path, late(), { value: 'u8', overwrite: false }),
      hmapError('HMAP_OUTPUT_EXISTS', { path }),
    );
    assert.equal(readFileSync(path, 'utf8'), 'came in between');
    assert.deepEqual(readdirSync(folder), ['out.hmap']);
  });

  test('several builds of one path at once: each succeeds, one stays', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.hmap');
    await Promise.all([1, 2, 3, 4].map((n) => build(path, slowly(new Map([['n', n]])), { value: 'u8' })));
    const table = open(path, { value: 'u8' });
    assert.ok([1, 2, 3, 4].includes(table.get('n')!));
    table.close();
    assert.deepEqual(readdirSync(folder), ['out.hmap']);
    const once = await Promise.allSettled(
      [1, 2, 3].map((n) =>
        build(join(folder, 'new.hmap'), slowly(new Map([['n', n]])), { value: 'u8', overwrite: false }),
      ),
    );
    assert.deepEqual(once.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
    assert.deepEqual(readdirSync(folder), ['new.hmap', 'out.hmap']);
  });

  test('places where no file can be made', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'folder'));
    writeFileSync(join(folder, 'file'), '');
    symlinkSync('loop', join(folder, 'loop'));
    const places: [string, 'EISDIR' | 'ENOENT' | 'ENOTDIR' | 'ELOOP'][] = [
      ['folder', 'EISDIR'],
      ['missing/out.hmap', 'ENOENT'],
      ['missing/deeper/out.hmap', 'ENOENT'],
      ['file/out.hmap', 'ENOTDIR'],
      ['loop', 'ELOOP'],
      ['loop/out.hmap', 'ELOOP'],
    ];
    for (const [name, code] of places) {
      const path = join(folder, name);
      const check = (error: unknown) => {
        hmapError(code, { path })(error);
        assert.match((error as Error).message, new RegExp(`^cannot write .*${name}: `));
      };
      check(await failure(folder, () => build(path, entries, { value: 'u8' })));
    }
  });

  test('a FIFO is not waited for', { skip: process.platform === 'win32' }, async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'fifo');
    execFileSync('mkfifo', [path]);
    hmapError('EINVAL', { path })(await failure(folder, () => build(path, entries, { value: 'u8' })));
  });

  test('a folder that may not be written to', {
    skip: !process.getuid || process.getuid() === 0 ? 'needs a user who is not root' : false,
  }, async (t) => {
    const folder = temporaryFolder(t);
    const inner = join(folder, 'inner');
    mkdirSync(inner, { mode: 0o555 });
    const path = join(inner, 'out.hmap');
    hmapError('EACCES', { path })(await failure(folder, () => build(path, entries, { value: 'u8' })));
  });

  test('a symbolic link stays, and what it points to is replaced', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'real'));
    const target = join(folder, 'real', 'table.hmap');
    const link = join(folder, 'link.hmap');
    writeFileSync(target, 'old');
    symlinkSync('real/table.hmap', link);
    const summary = await build(link, entries, { value: 'u8' });
    assert.equal(readlinkSync(link), 'real/table.hmap');
    assert.equal(summary.path, target);
    const table = open(link);
    assert.equal(table.get('b'), 2);
    table.close();
    assert.deepEqual(readdirSync(folder).sort(), ['link.hmap', 'real']);
    assert.deepEqual(readdirSync(join(folder, 'real')), ['table.hmap']);
    const error = await failure(folder, () => build(link, entries, { value: 'u8', overwrite: false }));
    hmapError('HMAP_OUTPUT_EXISTS', { path: link })(error);
  });

  test('a symbolic link to a file that is not there yet stays, too', async (t) => {
    const folder = temporaryFolder(t);
    const link = join(folder, 'link.hmap');
    symlinkSync('target.hmap', link);
    await build(link, entries, { value: 'u8' });
    assert.ok(lstatSync(link).isSymbolicLink(), 'the link was replaced by the file');
    assert.deepEqual(readdirSync(folder).sort(), ['link.hmap', 'target.hmap']);
  });

  test('a symbolic link is followed from where it really lies', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'real', 'inner'), { recursive: true });
    symlinkSync('real/inner', join(folder, 'alias'));
    symlinkSync('../table.hmap', join(folder, 'real', 'inner', 'link.hmap'));
    for (const value of [1, 2]) {
      await build(join(folder, 'alias', 'link.hmap'), [['value', value]], { value: 'u8' });
      const names = ['alias', 'real', 'real/inner', 'real/inner/link.hmap', 'real/table.hmap'];
      assert.deepEqual(Object.keys(contentOf(folder)).sort(), names);
      const table = open(join(folder, 'real', 'table.hmap'));
      assert.equal(table.get('value'), value);
      table.close();
    }
  });

  test('the temporary file lies beside the output, where the path really leads', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'real', 'inner'), { recursive: true });
    symlinkSync('real/inner', join(folder, 'alias'));
    const seen = function* () {
      const temporary = Object.keys(contentOf(folder)).filter((name) => name.endsWith('.tmp'));
      assert.equal(temporary.length, 1);
      assert.match(temporary[0]!, /^real\/\.out\.hmap/);
      yield* entries;
    };
    await build(`${folder}/alias/../out.hmap`, seen(), { value: 'u8' });
    assert.ok(existsSync(join(folder, 'real', 'out.hmap')));
  });

  test('a relative path means what it meant when the build began', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'inner'));
    const before = process.cwd();
    const leaving = function* () {
      yield ['a', 1] as const;
      process.chdir('inner');
      yield ['b', 2] as const;
    };
    try {
      process.chdir(folder);
      await build('out.hmap', leaving(), { value: 'u8' });
    } finally {
      process.chdir(before);
    }
    assert.deepEqual(Object.keys(contentOf(folder)).sort(), ['inner', 'out.hmap']);
  });

  test('the mode of the old file is kept; a new one has what the umask leaves', {
    skip: process.platform === 'win32',
  }, async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.hmap');
    await build(path, entries, { value: 'u8' });
    assert.equal(statSync(path).mode & 0o7777, 0o666 & ~process.umask());
    for (const mode of [0o600, 0o640, 0o444, 0o664]) {
      chmodSync(path, mode);
      await build(path, [['mode', mode]], { value: 'u16' });
      assert.equal(statSync(path).mode & 0o7777, mode);
    }
  });

  test('names of the full length that a file system takes', { skip: !linux }, async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'n'.repeat(255));
    await build(
      path,
      Array.from({ length: 5000 }, (_, i) => [`key ${i}`, 'x'.repeat(300)] as const),
      { value: 'utf8', memory: MIB },
    );
    assert.equal(readdirSync(folder).length, 1);
    assert.ok(existsSync(path));
  });

  test('readers that have the old file open keep it', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.hmap');
    const old = textsOf(2000, new Random(1), 40);
    const young = textsOf(1000, new Random(2), 40);
    for (const mapping of WORKING) {
      await build(path, old, { value: 'utf8' });
      const reader = open(path, { mapping });
      const steps = reader.entries();
      const started = [steps.next().value, steps.next().value] as [string, unknown][];
      await build(path, young, { value: 'utf8' });
      assertIs(reader, old);
      assert.deepEqual(new Map([...started, ...(steps as Iterable<[string, unknown]>)]), old);
      const next = open(path, { mapping });
      assertIs(next, young);
      reader.close();
      assertIs(next, young);
      next.close();
    }
    assert.deepEqual(Object.keys(contentOf(folder)), ['out.hmap']);
  });

  test('a file holds no time stamp and no name', async (t) => {
    const folder = temporaryFolder(t);
    for (const name of ['one.hmap', 'two.hmap']) await build(join(folder, name), entries, { value: 'u8' });
    assertSame(readFileSync(join(folder, 'one.hmap')), readFileSync(join(folder, 'two.hmap')), 'another name');
  });

  test('each type at its edges comes out the same in a second build from the table', async () => {
    for (const type of VALUE_TYPES) {
      const model = EXTREMES[type].map((value, i) => [`${i}`, value] as const);
      const expected = await bytesOf(model, { value: type });
      const table = open(scratchPath, { mapping: 'copy' });
      assertSame(await bytesOf(table, { value: type }), expected, type);
      table.close();
    }
  });
});
