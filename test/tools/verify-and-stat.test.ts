// Tests `hmap verify` and `hmap stat`: exit codes, and that what they print is true.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import {
  type BuildOptions,
  inspectBucket,
  inspectKey,
  type Key,
  open,
  stat,
  type TableStat,
  type Verification,
} from '../../src/index.js';
import { temporaryFolder } from '../support/temp.js';
import { assertComplaint, fine, hmap, libraryTable } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
let names = 0;

type Pair = readonly [key: Key, value: unknown];

const table = (entries: Iterable<Pair>, options: BuildOptions) => libraryTable(folder, entries, options);

/** A copy of a file with some change. */
function changed(path: string, change: (file: Buffer) => Buffer | undefined): string {
  const file = readFileSync(path);
  const copy = join(folder, `${names++}.hmap`);
  writeFileSync(copy, change(file) ?? file);
  return copy;
}

const flip = (path: string, offset: number) =>
  changed(path, (file) => {
    file[offset]! ^= 0xff;
    return undefined;
  });

interface Shape {
  pairs: Pair[];
  options: BuildOptions;
  path: string;
}

const SHAPES: Record<string, Omit<Shape, 'path'>> = {
  numbers: { pairs: Array.from({ length: 3000 }, (_, i) => [`key ${i}`, i]), options: { value: 'u32', seed: 7 } },
  texts: {
    pairs: Array.from({ length: 1000 }, (_, i) => [`${'k'.repeat(i % 40)}${i}`, 'v'.repeat(i % 200)]),
    options: { value: 'utf8', segmentBytes: 32_768, metadata: { name: 'texts', list: [1] } },
  },
  set: { pairs: Array.from({ length: 100 }, (_, i) => [`${1000 + i}`, true]), options: { value: 'none' } },
  empty: { pairs: [], options: { value: 'json' } },
  single: { pairs: [['', '']], options: { value: 'utf8' } },
};

const shapes: Record<string, Shape> = {};
before(async () => {
  for (const [name, shape] of Object.entries(SHAPES)) {
    shapes[name] = { ...shape, path: await table(shape.pairs, shape.options) };
  }
});

describe('verify', { concurrency: true }, () => {
  test('files in order: exit code 0, a line each', async () => {
    const all = Object.values(shapes);
    const ran = await fine(['verify', ...all.map(({ path }) => path)]);
    assert.equal(ran.stderr, '');
    const lines = ran.stdout.split('\n');
    assert.equal(lines.pop(), '');
    assert.deepEqual(
      lines.map((line) => /^(\S+): ok; ([\d,]+) entr(?:y|ies), [\d.]+ (?:B|KiB), \d+\.\d\d s$/.exec(line)?.slice(1)),
      all.map(({ path, pairs }) => [path, pairs.length.toLocaleString('en-US')]),
    );
  });

  test('--json: an object a file', async () => {
    const all = [shapes.numbers!, shapes.empty!];
    const ran = await fine(['verify', '--json', ...all.map(({ path }) => path)]);
    const results: Verification[] = ran.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const [i, { seconds, ...result }] of results.entries()) {
      const { path, pairs } = all[i]!;
      const fileBytes = readFileSync(path).length;
      assert.deepEqual(result, { path, ok: true, findings: [], total: 0, entries: pairs.length, fileBytes });
      assert.ok(seconds >= 0);
    }
    assert.equal(results.length, 2);
  });

  const heapOf = (path: string) => open(path).header.segments[0]!.offset;
  const indexOf = (path: string) => open(path).header.index.offset;
  const sizeOf = (path: string) => readFileSync(path).length;
  const checksumsOf = (path: string) => open(path).header.checksums.offset;
  type Place = (path: string) => [offset: number, end: number];
  const DAMAGE: [name: string, damage: (path: string) => string, code: string, place: Place][] = [
    [
      'a byte of the key heap',
      (path) => flip(path, heapOf(path) + 8),
      'HMAP_BLOCK_CHECKSUM',
      (path) => [4096, checksumsOf(path)],
    ],
    [
      'a byte of the index',
      (path) => flip(path, indexOf(path)),
      'HMAP_BUCKET_OFFSET',
      (path) => [indexOf(path), indexOf(path) + 4],
    ],
    [
      'a byte of the padding',
      (path) => flip(path, indexOf(path) - 1),
      'HMAP_PADDING',
      (path) => [indexOf(path) - 1, indexOf(path)],
    ],
    ['a byte of the header', (path) => flip(path, 24), 'HMAP_HEADER_CHECKSUM', () => [0, 4096]],
    ['the magic', (path) => flip(path, 1), 'HMAP_NOT_A_TABLE', () => [0, 8]],
    [
      'a block checksum',
      (path) => flip(path, sizeOf(path) - 1),
      'HMAP_CHECKSUMS_SUM',
      (path) => [sizeOf(path) - 8, sizeOf(path)],
    ],
    [
      'a byte missing at the end',
      (path) => changed(path, (file) => file.subarray(0, -1)),
      'HMAP_TRUNCATED',
      (path) => [sizeOf(path) - 1, sizeOf(path)],
    ],
    [
      'a byte too many',
      (path) => changed(path, (file) => Buffer.concat([file, Buffer.of(0)])),
      'HMAP_TOO_LONG',
      (path) => [sizeOf(path), sizeOf(path) + 1],
    ],
    ['a file of nothing', (path) => changed(path, (file) => file.subarray(0, 0)), 'HMAP_NOT_A_TABLE', () => [0, 8]],
  ];
  for (const [i, [name, damage, code, place]] of DAMAGE.entries()) {
    test(`${name}: exit code 1, the finding with its code and range`, async () => {
      const { path } = shapes.numbers!;
      const damaged = damage(path);
      const json = await hmap(['verify', '--json', damaged]);
      assert.deepEqual([json.code, json.stderr], [1, ''], 'findings are data');
      const result: Verification = JSON.parse(json.stdout);
      assert.equal(result.ok, false);
      assert.equal(result.path, damaged);
      assert.ok(result.total >= 1);
      assert.equal(result.findings.length, Math.min(result.total, 1000));
      const finding = result.findings.find((each) => each.code === code);
      assert.ok(finding, `${code} in ${JSON.stringify(result.findings.slice(0, 5))}`);
      assert.deepEqual([finding.offset, finding.end], place(path));
      if (i % 3 !== 0) return;
      const text = await hmap(['verify', damaged]);
      assert.deepEqual([text.code, text.stderr], [1, '']);
      const lines = text.stdout.trimEnd().split('\n');
      const verdict = lines.pop();
      for (const each of result.findings) {
        const line = `${damaged}: bytes [${each.offset}, ${each.end}) (${each.section}): ${each.code}: ${each.message}`;
        assert.ok(lines.includes(line), line);
      }
      assert.match(verdict!, new RegExp(`: ${result.total} findings?; `));
    });
  }

  test('several files: the worst decides the exit code, all are reported', async () => {
    const { path } = shapes.numbers!;
    const bad = flip(path, 5000);
    const missing = join(folder, 'missing.hmap');
    const some = await hmap(['verify', path, bad, path]);
    assert.equal(some.code, 1);
    assert.deepEqual(some.stdout.match(/: ok; /g)?.length, 2);
    assert.match(some.stdout, /HMAP_BLOCK_CHECKSUM/);
    for (const files of [
      [missing, bad, path],
      [bad, path, missing],
    ]) {
      const ran = await hmap(['verify', ...files]);
      assert.equal(ran.code, 2);
      assertComplaint(ran.stderr, /^hmap: .*missing\.hmap: no such file/);
      assert.match(ran.stdout, /HMAP_BLOCK_CHECKSUM/);
      assert.match(ran.stdout, /: ok; /);
    }
  });

  test('a file full of damage is reported in bounded space', async () => {
    const { path } = shapes.numbers!;
    const heap = heapOf(path);
    const bad = changed(path, (file) => void file.fill(0x41, heap + 2000, file.length - 4096));
    const ran = await hmap(['verify', bad]);
    assert.equal(ran.code, 1);
    const lines = ran.stdout.trimEnd().split('\n');
    assert.ok(lines.length > 100 && lines.length <= 1002, `${lines.length} lines`);
  });
});

describe('stat', { concurrency: true }, () => {
  for (const name of Object.keys(SHAPES)) {
    test(`--json of ${name}: everything adds up`, async () => {
      const { path, pairs, options } = shapes[name]!;
      const ran = await fine(['stat', '--json', path]);
      assert.equal(ran.stderr, '');
      const measured: TableStat = JSON.parse(ran.stdout);
      const file = readFileSync(path);
      const length = (value: unknown) =>
        options.value === 'u32' ? 4 : options.value === 'none' ? 0 : Buffer.byteLength(value as string);
      const keys = pairs.map(([key]) => Buffer.byteLength(key as string));
      const values = pairs.map(([, value]) => length(value));
      const sum = (list: number[]) => list.reduce((total, each) => total + each, 0);
      const { sections, bucketLoads } = measured;
      assert.equal(measured.path, path);
      assert.equal(measured.entries, pairs.length);
      assert.equal(measured.fileBytes, file.length);
      assert.equal(sum(Object.values(sections)), file.length, 'the sections are the file');
      assert.deepEqual([sections.keys, sections.values], [sum(keys), sum(values)]);
      assert.equal(measured.payloadBytes, sum(keys) + sum(values));
      assert.equal(sections.header, file.readUInt32LE(16));
      assert.equal(sections.checksums, Number(file.readBigUInt64LE(96)));
      const overhead = pairs.length === 0 ? 0 : (file.length - measured.payloadBytes) / pairs.length;
      assert.ok(Math.abs(measured.overheadPerEntry - overhead) < 1e-9);
      for (const [lengths, list] of [
        [measured.keys, keys],
        [measured.values, values],
      ] as const) {
        const { histogram, ...rest } = lengths;
        const isVariable = new Set(list).size > 1;
        const inRanges = histogram.map(({ least, most }) => list.filter((one) => one >= least && one <= most).length);
        assert.deepEqual(
          inRanges,
          histogram.map(({ count }) => count),
          'the ranges hold what they say',
        );
        assert.equal(sum(inRanges), isVariable ? list.length : sum(inRanges));
        assert.deepEqual(rest, {
          shortest: list.length === 0 ? 0 : Math.min(...list),
          longest: list.length === 0 ? 0 : Math.max(...list),
          mean: list.length === 0 ? 0 : sum(list) / list.length,
        });
      }
      assert.equal(sum(bucketLoads.histogram), bucketLoads.buckets);
      assert.ok(bucketLoads.longest < bucketLoads.histogram.length - 1);
      assert.equal(sum(bucketLoads.histogram.map((count, load) => count * load)), pairs.length);
      assert.equal(
        bucketLoads.longest,
        Math.max(
          0,
          bucketLoads.histogram.findLastIndex((count) => count > 0),
        ),
      );
      assert.equal(bucketLoads.mean, pairs.length / bucketLoads.buckets);
      assert.ok(Math.abs(sum(bucketLoads.expected) - bucketLoads.buckets) < 1e-6, 'chance fills all buckets');
      assert.ok(
        Math.abs(sum(bucketLoads.expected.map((count, load) => count * load)) - pairs.length) <
          0.01 * pairs.length + 1e-6,
      );
      const sizes = measured.largest.map(({ bytes }) => bytes);
      assert.deepEqual(
        sizes,
        sizes.toSorted((a, b) => b - a),
      );
      for (const { key, offset, valueBytes } of measured.largest) {
        const { record } = inspectKey(path, JSON.parse(key));
        assert.deepEqual([record?.offset, record?.value.length], [offset, valueBytes]);
      }
      for (const { index, records, offset, bytes } of measured.fullest) {
        const bucket = inspectBucket(path, index);
        assert.deepEqual([bucket.records.length, bucket.start, bucket.end - bucket.start], [records, offset, bytes]);
      }
      assert.equal(measured.fullest[0]?.records ?? 0, bucketLoads.longest);
      const { resident } = measured;
      if (process.platform === 'linux' && resident !== null) {
        const { total, map, ...parts } = resident;
        assert.equal(total, file.length, 'a file that was just written is in memory');
        assert.ok(map.every((share) => share === 1) && map.length <= 256);
        assert.ok(sum(Object.values(parts)) <= file.length);
        assert.deepEqual([parts.header, parts.checksums], [sections.header, sections.checksums]);
      }
      assert.equal(measured.header.segments.length, 2 ** file[59]!);
      assert.equal(bucketLoads.buckets, (file[77]! * 2 ** (file[59]! + file[60]!)) / 8);
      assert.deepEqual(measured.header.metadata, options.metadata ?? {});
    });
  }

  test('the page for people says the same', async () => {
    for (const name of ['numbers', 'texts', 'empty']) {
      const { path, pairs, options } = shapes[name]!;
      const text = await fine(['stat', path]);
      assert.equal(text.stderr, '');
      const measured = await stat(path);
      const lines = text.stdout.split('\n');
      const grouped = (value: number) => value.toLocaleString('en-US');
      assert.equal(lines[0], path);
      const fact = (label: string) =>
        lines
          .find((line) => line.startsWith(`${label} `))
          ?.slice(label.length)
          .trim();
      assert.equal(fact('entries'), grouped(pairs.length));
      assert.match(fact('file')!, new RegExp(`\\(${grouped(measured.fileBytes)} bytes\\)$`));
      assert.match(fact('payload')!, new RegExp(`\\(${grouped(measured.payloadBytes)} bytes `));
      assert.equal(fact('over the payload'), `${measured.overheadPerEntry.toFixed(2)} bytes an entry`);
      assert.match(fact('hash')!, new RegExp(`seed ${options.seed ?? 0}$`));
      assert.match(fact('values')!, new RegExp(`^${options.value},`));
      assert.deepEqual(JSON.parse(fact('metadata') ?? '{}'), options.metadata ?? {});

      const rowsBelow = (heading: RegExp) => {
        const at = lines.findIndex((line) => heading.test(line));
        const end = lines.findIndex((line, i) => i > at && line === '');
        return lines.slice(at + 1, end < 0 ? undefined : end).map((line) => line.trim().split(/\s{2,}/));
      };
      const number = (cell: string | undefined) => Number(cell?.replaceAll(',', ''));
      const sections = rowsBelow(/^section\s+bytes\s+share/);
      const { dictionary, fingerprints, ...shown } = measured.sections;
      assert.deepEqual([dictionary, fingerprints], [0, 0], 'rows only for values of enum, and for fingerprints');
      assert.deepEqual(Object.fromEntries(sections.map(([section, size]) => [section!, number(size)])), shown);
      const shares = sections.map(([, , share]) => Number.parseFloat(share!));
      assert.ok(Math.abs(shares.reduce((total, share) => total + share, 0) - 100) < 0.1, 'the shares are of 100 %');
      const rows = rowsBelow(/^records\s+buckets\s+share\s+by chance/);
      const counts = rows.map(([, count]) => number(count));
      const { histogram, buckets, longest } = measured.bucketLoads;
      assert.deepEqual(counts, histogram.slice(0, longest + 1));
      assert.equal(
        counts.reduce((total, count) => total + count, 0),
        buckets,
      );
      const bars = rows.map((row) => (/█+$/.exec(row.join(' ')) ?? [''])[0].length);
      assert.equal(bars.indexOf(Math.max(...bars)), counts.indexOf(Math.max(...counts)), 'the longest bar');
    }
  });

  test('other types and layouts: what is predicted is what a build makes', async () => {
    const words = Array.from({ length: 3000 }, (_, i): Pair => [`word ${i}`, `value ${i % 7}`]);
    const path = await table(words, { value: 'utf8' });
    const { stdout } = await fine(['stat', '--json', path]);
    const { layouts, distinct } = JSON.parse(stdout);
    assert.deepEqual(distinct, { count: 7, bytes: 49 });
    const predicted = (options: string) =>
      layouts.find((one: { options: string[] }) => one.options.join(' ') === options)?.fileBytes;
    for (const value of ['utf8', 'enum', 'bytes'] as const) {
      const own = words.map(([key, text]): Pair => [key, value === 'bytes' ? Buffer.from(text as string) : text]);
      const made = await stat(await table(own, { value }));
      const shown = predicted(`--value ${value}`);
      assert.ok(Math.abs(shown - made.fileBytes) <= 0.02 * made.fileBytes, `${value}: ${shown} for ${made.fileBytes}`);
    }
    const page = (await fine(['stat', path])).stdout;
    assert.match(page, /^7 distinct values, 49 bytes; as enum the file would have [\d,]+ bytes less \(\d+ %\)$/m);
    assert.match(page, /^map, enum .* --value enum$/m);
    assert.doesNotMatch((await fine(['stat', '--no-layouts', path])).stdout, /distinct values/);
    const integers = Array.from({ length: 500 }, (_, i): Pair => [`${i}`, i]);
    const dense = JSON.parse((await fine(['stat', '--json', await table(integers, { value: 'u16' })])).stdout).layouts;
    assert.ok(
      dense.some(({ name }: { name: string }) => name === 'list, packed integers'),
      'keys that are indexes could be a list',
    );
  });

  test('of a damaged file: says so, and shows what the records seem to be', async () => {
    const { path } = shapes.numbers!;
    const heap = open(path).header.segments[0]!.offset;
    // In a value, so that the records are still found.
    const value = inspectKey(path, 'key 5').record!.valueOffset;
    assert.ok(value > heap);
    const { code, stdout, stderr } = await hmap(['stat', flip(path, value)]);
    assert.equal(code, 1);
    assert.match(stderr, /the file is damaged: the bytes \[\d+, \d+\) do not match their checksum; run verify\n$/);
    assert.match(stdout, /^entries +3,000$/m);
    const worse = await hmap(['stat', changed(path, (file) => void file.fill(0xff, heap, heap + 2000))]);
    assert.equal(worse.code, 2);
    assertComplaint(worse.stderr, /damaged/);
  });
});
