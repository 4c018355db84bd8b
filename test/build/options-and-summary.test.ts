// The arguments and options of builds, good and bad, and the summary that a build returns.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type BuildOptions, build, open } from '../../src/index.js';
import { runModule } from '../support/child.js';
import { hmapError, misuse } from '../support/errors.js';
import { Random } from '../support/random.js';
import { rawBucket } from '../support/raw-table.js';
import { oracle } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';
import { assertFails, assertRefuses, buildAny, fileOf, type Pair, scratchPath, textsOf } from './build-cases.js';

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
    value: [undefined, '', 'u33', 'U8', 8, 'toString', '__proto__', ['u8']].map((value) => [
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
    'memory that is not a number': ['2000000', '64M', 2n ** 22n, [2 ** 22]].map((memory) => [
      { value: 'u8', memory },
      /^memory: /,
    ]),
    seed: [-1, 2 ** 32, 1.5, Number.NaN, '1', 1n, true].map((seed) => [{ value: 'u8', seed }, /^seed: /]),
    segmentBytes: [0, 4095, 2 ** 31, 9000.5, Number.NaN, '8192', 8192n].map((segmentBytes) => [
      { value: 'u8', segmentBytes },
      /^segmentBytes: /,
    ]),
    signal: [true, {}, new AbortController()].map((signal) => [{ value: 'u8', signal }, /^signal: /]),
    onProgress: [true, {}, 'log'].map((onProgress) => [{ value: 'u8', onProgress }, /^onProgress: /]),
    overwrite: [0, 'no', {}].map((overwrite) => [{ value: 'u8', overwrite }, /^overwrite: /]),
    metadata: [[], 'text', 1, true].map((metadata) => [{ value: 'u8', metadata }, /^metadata: /]),
    'metadata that JSON would change': [
      { n: Number.NaN },
      { in: [{ m: new Map([[1, 2]]) }] },
      { list: [undefined] },
    ].map((metadata) => [{ value: 'u8', metadata }, /^metadata: expected .*, got (number|object|undefined)$/]),
    null: [
      ...['value', 'key', 'fingerprint', 'duplicates', 'memory', 'seed', 'metadata', 'overwrite', 'segmentBytes'],
      ...['onProgress', 'signal', 'layout'],
    ].map((name) => [{ value: 'u8', [name]: null }, new RegExp(`^${name}: expected .*, got null$`)]),
    'null without keys': ['layout', 'value', 'base', 'memory'].map((name) => [
      { layout: 'list', value: 'u8', [name]: null },
      new RegExp(`^${name}: expected .*, got null$`),
    ]),
  };

  for (const [name, cases] of Object.entries(bad)) {
    test(`${name}: a TypeError names what is wrong, and nothing is made`, async (t) => {
      for (const [options, message] of cases) {
        await assertRefuses(t, entries, options, misuse(message));
      }
    });
  }

  test('what other code puts into Object.prototype is no option', async (t) => {
    const path = join(temporaryFolder(t), 'table.hmap');
    const script = `
      Object.assign(Object.prototype, {
        layout: 'list', duplicates: 'last', memory: 1, metadata: 7, mapping: 'none', check: 'never', fingerprint: 8, interval: 1,
      });
      const [, path] = process.argv;
      await hmap.build(path, [['a', 1]], { value: 'u8' });
      const twice = await hmap.build(path, [['a', 1], ['a', 2]], { value: 'u8' }).catch(({ code }) => code);
      const table = hmap.open(path);
      const { damaged } = await hmap.verify(path);
      console.log(twice, table.get('a'), table.mapping !== 'none', (await hmap.stat(path)).entries);
      table.close();`;
    const outcome = await runModule(script, [path]);
    assert.deepEqual(outcome, { status: 0, signal: null, stdout: 'HMAP_DUPLICATE_KEY 1 true 1\n', stderr: '' });
  });

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
    for (const wrong of [undefined, null, '', 1, {}, new URL('http://localhost/x')]) {
      await assertFails(
        t,
        () => buildAny(wrong as string, entries, { value: 'u8' }),
        misuse(/^path: expected a (string|URL of a file)/),
      );
    }
  });

  test('memory without end is taken as the most', async () => {
    const summary = await build(scratchPath, [['a', 1]], { value: 'u8', memory: Number.POSITIVE_INFINITY });
    assert.equal(summary.entries, 1);
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
      const each = (header.eighths * 2 ** header.bucketBits) / 8;
      assert.equal(sections.header, header.headerBytes);
      const lines = (each * header.segments.length) / 32;
      assert.equal(sections.buckets, lines * (4 * header.index.offsetBits + 8));
      assert.equal(
        sections.heap,
        header.segments.reduce((sum, { bytes }) => sum + bytes, 0),
      );
      assert.equal(sections.checksums, header.checksums.bytes);
      assert.ok(sections.padding >= 0 && sections.padding < 8 * (header.segments.length + 1));
      assert.equal(
        Object.values(sections).reduce((sum, bytes) => sum + bytes),
        file.length,
      );

      const buckets = header.segments.length * each;
      const loads = new Array<number>(buckets).fill(0);
      for (const key of model.keys()) {
        const hash = oracle.h32(key, header.hash.seed);
        const before = header.segmentBits;
        const bucket = rawBucket(hash, before, header.bucketBits, header.eighths);
        loads[Math.floor(hash / 2 ** (32 - before)) * each + bucket]!++;
      }
      const histogram = new Array<number>(17).fill(0);
      for (const load of loads) histogram[Math.min(load, 16)]!++;
      const expected = { buckets, mean: count / buckets, longest: Math.max(...loads), histogram };
      assert.deepEqual(bucketLoads, expected);
    });
  }
});
