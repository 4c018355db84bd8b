// Builds of more entries than memory: the file is the one that enough memory makes.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type BuildProgress, open } from '../../src/index.js';
import { collidingStrings, keyWithHash } from '../support/collisions.js';
import { hmapError } from '../support/errors.js';
import { WORKING } from '../support/mappings.js';
import { assertIs } from '../support/model.js';
import { Random } from '../support/random.js';
import { keysOf, oracle } from '../support/samples.js';
import { failure } from '../support/temp.js';
import {
  assertFails,
  assertSame,
  buildAny,
  bytesOf,
  fileOf,
  MIB,
  type Pair,
  scratchPath,
  shared,
  textsOf,
} from './build-cases.js';

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

  for (const [value, of] of [
    ['u32', (i: number) => i],
    ['utf8', (i: number) => 'v'.repeat(i % 9)],
    ['enum', (i: number) => `s${i % 70}`],
  ] as const) {
    test(`with partitions that are sorted where the records lay, ${value}`, async () => {
      // In 1 MiB there are 32 partitions: of 90 to 115 KB here, more than fit beside the records, and less than an eighth.
      const entries = Array.from({ length: 150_000 }, (_, i) => [`key ${i}`, of(i)] as const);
      const small = await fileOf(entries, { value, memory: MIB });
      const large = await fileOf(entries, { value, memory: 64 * MIB });
      assertSame(small.file, large.file, 'sorted there');
      // Too many keys of one bucket: the second attempt takes the records from where the first one left them.
      const flood = [...collidingStrings(65, 0x1234_5678, 0).map((key, i) => [key, of(i)] as const), ...entries];
      const again = await fileOf(flood, { value, memory: MIB });
      assert.notEqual(again.summary.seed, 0);
      const enough = await fileOf(flood, { value, memory: 64 * MIB });
      assertSame(again.file, enough.file, 'again');
    });
  }

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

  test('progress is reported while entries are read and while they are written', async () => {
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
  for (let bits = 0; ; bits++) {
    const heaps = new Array<number>(2 ** bits).fill(0);
    for (const [key, value] of model) {
      const [k, v] = [Buffer.byteLength(key), Buffer.byteLength(value)];
      heaps[Math.floor(oracle.h32(key, seed) / 2 ** (32 - bits))]! += varint(k) + k + varint(v) + v;
    }
    if (Math.max(...heaps) <= limit) return bits;
  }
}

describe('several segments', () => {
  for (const [count, longest, limit] of [
    [3000, 30, 4096],
    [3000, 300, 65_536],
    [3000, 300, 4096],
    [100, 3000, 16_384],
    [12_000, 8, 50_000],
    [9, 3900, 4096],
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
      const { summary } = await fileOf(model, { value: 'utf8', segmentBytes: 4096 });
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
        // One record.
        const limit = varint(keyBytes) + keyBytes + varint(valueBytes) + valueBytes;
        if (limit <= 4096) continue;
        const entries = [['k'.repeat(keyBytes), new Uint8Array(valueBytes)]];
        const { summary } = await fileOf(entries, { value: 'bytes', segmentBytes: limit });
        assert.equal(summary.segments, 1);
        const options = { value: 'bytes', segmentBytes: limit - 1 };
        const error = await failure(shared, () => buildAny(scratchPath, entries, options));
        hmapError('HMAP_SEGMENT_TOO_LARGE', { expected: limit - 1, actual: limit })(error);
      }
    }
    await fileOf([['k'.repeat(4092), 1]], { value: 'u16', segmentBytes: 4096 });
    await assertFails(
      t,
      (path) => buildAny(path, [['k'.repeat(4093), 1]], { value: 'u16', segmentBytes: 4096 }),
      hmapError('HMAP_SEGMENT_TOO_LARGE', { actual: 4097 }),
    );
  });

  test('records that no division parts are refused', async (t) => {
    const large = [['large', new Uint8Array(10_000)]];
    const check = hmapError('HMAP_SEGMENT_TOO_LARGE', { expected: 4096 });
    await assertFails(t, (path) => buildAny(path, large, { value: 'bytes', segmentBytes: 4096 }), check);
    const colliding = collidingStrings(60, 12_345, 0).map((key) => [key, 'x'.repeat(100)]);
    await assertFails(t, (path) => buildAny(path, colliding, { value: 'utf8', segmentBytes: 4096 }), check);
    await buildAny(scratchPath, large, { value: 'bytes', segmentBytes: 16_384 });
  });
});
