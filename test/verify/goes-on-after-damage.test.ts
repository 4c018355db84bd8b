// Tests that verify goes on past a damaged header and past bytes that cannot be read, and reports all that is wrong,
// and once. The rules one by one are the matter of every-rule.test.ts.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { build, type Finding, HmapError, type Verification, verify } from '../../src/index.js';
import { verifySteps } from '../../src/verify/verify.js';
import { runModule } from '../support/child.js';
import { DAMAGED } from '../support/damaged.js';
import { misuse } from '../support/errors.js';
import { FIXTURES, fixturePath } from '../support/fixtures.js';
import { canonicalParts, compose, encodeRecord, placesOf, type RawParts } from '../support/raw-table.js';
import { oracle, VALUE_TYPES } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
let files = 0;

function write(bytes: Uint8Array): string {
  const path = join(folder, `${files++}.hmap`);
  writeFileSync(path, bytes);
  return path;
}

type Told = [code: string, offset: number, end: number];

const told = (findings: readonly Finding[]) => findings.map(({ code, offset, end }): Told => [code, offset, end]);
const toldOf = async (bytes: Uint8Array) => told((await verify(write(bytes))).findings);

const WHOLE_HEADER: Told = ['HMAP_HEADER_CHECKSUM', 0, 4096];
const field = (offset: number, bytes: number): Told => ['HMAP_HEADER_FIELD', offset, offset + bytes];

/** Three in a bucket. */
const ENTRIES = 280;

/** Some texts in four segments of 32 buckets. */
const texts = (): RawParts =>
  canonicalParts(
    Array.from({ length: ENTRIES }, (_, i) => [`key ${i}`, 'value '.repeat(i % 5)]),
    { value: 'utf8' },
    { segmentBits: 2 },
  );

/** Where the buckets of a segment start in its heap, and the last ends. */
function offsetsOf(parts: RawParts, segment: number): number[] {
  const offsets = [0];
  for (const bucket of parts.segments[segment]!.buckets) {
    offsets.push(offsets.at(-1)! + Buffer.concat(bucket.map((record) => encodeRecord(parts, record))).length);
  }
  return offsets;
}

/** Bytes of offsets `[from, from + 2)` of the first line of a segment, from 0. */
function offsetBytes(parts: RawParts, from: number, segment = 0): [number, number] {
  const { segments, lineSize } = placesOf(parts);
  const bits = (lineSize - 8) / 4;
  const at = segments[segment]!.lines + 4;
  return [at + Math.floor((from * bits) / 8), at + Math.ceil(((from + 2) * bits) / 8)];
}

describe('past a header whose checksum does not fit', () => {
  for (const { name, bytes, finding } of DAMAGED) {
    const { code, offset, end } = finding;
    // Whether a file is a table of this version is reported before the checksum, which another version may take
    // otherwise.
    if (end <= 20 && code !== 'HMAP_HEADER_CHECKSUM') continue;
    if (code === 'HMAP_TRUNCATED' && bytes.length < 8192) continue;
    test(`${name} is reported, too`, async () => {
      const copy = Buffer.from(bytes);
      copy[12]! ^= 0x55;
      const expected: Told[] = code === 'HMAP_HEADER_CHECKSUM' ? [] : [[code, offset, end]];
      // A fault that passes the first page is one of a longer header.
      const whole: Told = offset < 4096 && end > 4096 ? ['HMAP_HEADER_CHECKSUM', 0, 8192] : WHOLE_HEADER;
      assert.deepEqual(await toldOf(copy), [whole, ...expected]);
    });
  }

  test('each field is reported that cannot be', async () => {
    const fields = { fileSize: 2n ** 53n, hashAlgorithm: 7, offsetBits: 0, keyType: 6, keyWidth: 0, shardIndex: 4 };
    const bytes = compose({ ...texts(), fields: { ...fields, headerChecksum: 1 } });
    const offsets: [number, number][] = [
      [24, 8],
      [56, 1],
      [58, 1],
      [80, 4],
      [61, 1],
      [68, 4],
    ];
    assert.deepEqual(await toldOf(bytes), [WHOLE_HEADER, ...offsets.map((range) => field(...range))]);
  });

  test('fields without which the rest can be read do not hide the rest', async () => {
    const parts = texts();
    const places = placesOf(parts);
    const bad = Buffer.from('not JSON');
    const fields = { fileSize: 1, entries: 41, keyBytes: 2n ** 60n, valueBytes: 1, checksumsSize: 16, reservedByte: 1 };
    const bytes = compose({ ...parts, metadata: bad, fields });
    // A letter of a text.
    bytes[bytes.indexOf('value ', places.segments[3]!.heap)]! ^= 1;
    const file = write(Buffer.concat([bytes, Buffer.alloc(2)]));
    const { findings, entries, fileBytes } = await verify(file);
    const metadataAt = 192 + 4 * 24;
    assert.deepEqual(told(findings), [
      field(40, 8),
      field(32, 8),
      field(96, 8),
      field(24, 8),
      field(metadataAt, bad.length),
      ['HMAP_TOO_LONG', bytes.length, bytes.length + 2],
      ['HMAP_RESERVED', 119, 120],
      ['HMAP_BLOCK_CHECKSUM', places.headerEnd, places.checksums],
      ['HMAP_TOTALS', 48, 56],
    ]);
    assert.deepEqual([entries, fileBytes], [ENTRIES, bytes.length]);
  });
});

describe('what is whole', () => {
  test('tables without entries, of each type', async () => {
    for (const value of VALUE_TYPES) assert.deepEqual(await toldOf(compose(canonicalParts([], { value }))), [], value);
  });

  test('what a newer minor version has put into reserved bytes and padding; nothing else', async () => {
    const unused = { fingerprintBits: 1, longFingerprints: 1, reservedTail: Buffer.alloc(12, 1) };
    const fields = { minorVersion: 1, ...unused, reservedForLater: Buffer.alloc(48, 1) };
    const parts = { ...texts(), fields, padding: Buffer.of(1, 2, 3) };
    assert.deepEqual(await toldOf(compose(parts)), []);
    const { heapEnd } = placesOf(parts).segments[3]!;
    parts.segments[3]!.padding = Buffer.of(1);
    assert.deepEqual(await toldOf(compose(parts)), [['HMAP_PADDING', heapEnd, heapEnd + 1]]);
  });
});

describe('damage in several places', () => {
  test('is all reported, where it does not follow from other damage', async () => {
    const parts = texts();
    const [first, second, third, fourth] = parts.segments as [HashSegment, HashSegment, HashSegment, HashSegment];
    type HashSegment = RawParts['segments'][number];
    // Offsets that fall; a record that passes its bucket, and one in a wrong one; values and padding; a wrong number of
    // entries.
    const fallen = offsetsOf(parts, 0);
    const low = fallen.findIndex((offset, i) => i > 0 && offset > 0 && fallen[i + 1]! > offset);
    first.offsets = fallen.with(low + 1, 0);
    const broken = second.buckets.findIndex((list) => list.length > 1);
    second.buckets[broken]![0]!.prefix = Buffer.of(0xff, 0x01, 0x00);
    const other = second.buckets.findIndex((list, i) => i > broken && list.length > 0);
    const misplaced = second.buckets[other]!.length;
    second.buckets[other]!.push(third.buckets.flat().at(-1)!);
    const bad = third.buckets.findIndex((list) => list.length > 0);
    third.buckets[bad]![0]!.value = Buffer.of(0xff);
    third.padding = Buffer.of(1);
    fourth.entries = 99;
    const bytes = compose({ ...parts, fields: { valueBytes: 5, keyWidth: 0xffff_ffff } });
    const places = placesOf(parts).segments;
    const place = (segment: number, bucket: number, from: number, count = 1): [number, number] => {
      const lengths = parts.segments[segment]!.buckets[bucket]!.map((record) => encodeRecord(parts, record).length);
      const sum = (list: number[]) => list.reduce((total, each) => total + each, 0);
      const start = places[segment]!.heap + offsetsOf(parts, segment)[bucket]! + sum(lengths.slice(0, from));
      return [start, start + sum(lengths.slice(from, from + count))];
    };
    const expected: Told[] = [
      ['HMAP_RECORD', ...place(1, broken, 0, Number.POSITIVE_INFINITY)],
      ['HMAP_RECORD_BUCKET', ...place(1, other, misplaced)],
    ];
    if (other < broken) expected.reverse();
    assert.deepEqual(await toldOf(bytes), [
      ['HMAP_BUCKET_OFFSET', ...offsetBytes(parts, low)],
      ...expected,
      ['HMAP_VALUE', ...place(2, bad, 0)],
      ['HMAP_PADDING', places[2]!.heapEnd, places[2]!.heapEnd + 1],
      ['HMAP_ENTRIES', 192 + 3 * 24 + 16, 192 + 4 * 24],
    ]);
  });

  test('bucket offsets that fall twice: no record is scanned twice, and none after the heap', async () => {
    const parts = canonicalParts(
      Array.from({ length: 127 }, (_, i) => [`key ${i}`, `value ${i}`]),
      { value: 'utf8' },
    );
    const [segment] = parts.segments;
    const { buckets } = segment!;
    const twice = buckets.slice(4, 6).find((list) => list.length > 0)!;
    twice[0] = { ...twice[0]!, value: Buffer.of(0xff) };
    const offsets = offsetsOf(parts, 0);
    assert.equal(offsets.length, 33);
    const { heap } = placesOf(parts).segments[0]!;
    // The first bucket now takes in what the next five hold: each of those is reported, as a stranger, and none for a
    // second time.
    const wrong = [...offsets];
    wrong.splice(1, 2, offsets[6]!, offsets[7]!);
    const later = buckets.findIndex((list, i) => i > 8 && list.length > 0 && buckets[i + 1]!.length > 0);
    wrong.splice(later, 2, offsets[32]! + 1, offsets[32]! + 2);
    const strangers = buckets.slice(1, 6).flat().length;
    const damaged = { ...parts, segments: [{ ...segment!, offsets: wrong }], offsetBits: 16 };
    const { findings, entries } = await verify(write(compose(damaged)));
    const misplaced = findings.filter(({ code }) => code === 'HMAP_RECORD_BUCKET');
    assert.equal(misplaced.length, strangers);
    for (const { offset, end } of misplaced) assert.ok(offset >= heap + offsets[1]! && end <= heap + offsets[6]!);
    const rest = told(findings.filter(({ code }) => code !== 'HMAP_RECORD_BUCKET'));
    const others = rest.filter(([code]) => code !== 'HMAP_VALUE');
    assert.equal(rest.length, others.length + 1);
    assert.deepEqual(others, [
      ['HMAP_BUCKET_OFFSET', ...offsetBytes(damaged, 2)],
      ['HMAP_BUCKET_OFFSET', ...offsetBytes(damaged, later + 1)],
    ]);
    const left = [...buckets.slice(0, later - 1), ...buckets.slice(later + 3)];
    assert.equal(entries, left.flat().length);
  });

  test('bucket bits that fit the entries that the header names, or those that are there, are right', async () => {
    const parts = texts();
    const { segments } = parts;
    assert.deepEqual(
      await toldOf(compose({ ...parts, segments: [...segments.slice(0, 3), { ...segments[3]!, entries: 999 }] })),
      [['HMAP_ENTRIES', 192 + 3 * 24 + 16, 192 + 4 * 24]],
    );
    // Without one of 141, the rest would have half as many buckets.
    const full = canonicalParts(
      Array.from({ length: 141 }, (_, i) => [`k${i}`, true]),
      { value: 'none' },
    );
    const [segment] = full.segments;
    const lost = segment!.buckets.findIndex((list) => list.length > 1);
    const [gone] = segment!.buckets[lost]!.splice(0, 1);
    const keyBytes = full.segments[0]!.buckets.flat().reduce((sum, { key }) => sum + key.length, 0);
    assert.ok(gone!.key.length > 0);
    const bytes = compose({ ...full, segments: [{ ...segment!, entries: 141 }], fields: { keyBytes } });
    assert.deepEqual(await toldOf(bytes), [['HMAP_ENTRIES', 208, 216]]);
  });

  test('block checksums: wrong ones and right ones are distinguished', async () => {
    const entries = Array.from({ length: 300 }, (_, i) => [`key ${i}`, Buffer.alloc(1000, i)] as const);
    const parts = canonicalParts(entries, { value: 'bytes' });
    const { headerEnd, checksums } = placesOf(parts);
    const good = compose(parts);
    const blocks = (good.length - checksums) / 8;
    assert.equal(blocks, 5);
    const changed = (...offsets: number[]) => {
      const copy = Buffer.from(good);
      for (const offset of offsets) copy[offset]! ^= 0x10;
      return copy;
    };
    const block = (i: number): Told => [
      'HMAP_BLOCK_CHECKSUM',
      headerEnd + i * 65_536,
      Math.min(headerEnd + (i + 1) * 65_536, checksums),
    ];
    // The last byte of a value, at the end of the last block.
    const inHeap = placesOf(parts).segments[0]!.heapEnd - 1;
    assert.deepEqual(await toldOf(changed(inHeap)), [block(4)]);
    assert.deepEqual(await toldOf(changed(checksums + 8, checksums + 31)), [
      ['HMAP_CHECKSUMS_SUM', checksums + 8, checksums + 32],
    ]);
    assert.deepEqual(await toldOf(changed(checksums + 8, inHeap)), [
      ['HMAP_CHECKSUMS_SUM', checksums, good.length],
      block(1),
      block(4),
    ]);
    assert.deepEqual(await toldOf(compose({ ...parts, sums: { 2: 5n } })), [block(2)]);
  });
});

describe('bytes that cannot be read', () => {
  /**
   * Several blocks in each of four segments; any byte of a value can be changed without breaking a rule of the records.
   */
  const large = () =>
    canonicalParts(
      Array.from({ length: 800 }, (_, i) => [`key ${i}`, Buffer.alloc(1500 + (i % 2), i)]),
      { value: 'bytes' },
      { segmentBits: 2, bucketBits: 6 },
    );

  /** Verifies in a process in which reads of the ranges fail as the system lets them fail, and reads end at `cut`. */
  async function verifyWithout(
    path: string,
    ranges: readonly (readonly [number, number])[],
    cut = Number.MAX_SAFE_INTEGER,
  ): Promise<Verification> {
    const script = `
      import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      const { readSync } = fs;
      const ranges = ${JSON.stringify(ranges)};
      fs.readSync = (fd, bytes, at, length, position) => {
        // Node itself reads modules by it.
        if (typeof position !== 'number') return readSync(fd, bytes, at, length, position);
        if (position >= ${cut}) return 0;
        length = Math.min(length, ${cut} - position);
        if (ranges.some(([from, to]) => position < to && position + length > from)) {
          throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', errno: -5, syscall: 'read' });
        }
        return readSync(fd, bytes, at, length, position);
      };
      syncBuiltinESMExports();
      console.log(JSON.stringify(await hmap.verify(process.argv[1])));`;
    const { status, stdout, stderr } = await runModule(script, [path]);
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as Verification;
  }

  test('are reported by their blocks; the other blocks and segments are checked', async () => {
    const parts = large();
    const places = placesOf(parts);
    const [first, second, third] = places.segments;
    const bytes = compose(parts);
    // What cannot be read hides the damage around it; damage elsewhere shows.
    bytes.writeUInt32LE(77, second!.lines);
    assert.ok(second!.heapEnd % 8 > 0, 'there is padding');
    bytes[second!.heapEnd]! = 1;
    bytes[third!.heapEnd - 1]! ^= 1;
    bytes.writeUInt32LE(77, first!.lines);
    const middle = second!.heap + 140_000;
    const blockAt = (offset: number) => offset - ((offset - places.headerEnd) % 65_536);
    const start = blockAt(middle);
    assert.ok(start > second!.heap && start + 65_536 < blockAt(second!.heapEnd), 'in no other segment');
    const { findings, entries } = await verifyWithout(write(bytes), [[middle, middle + 1]]);
    const sums = [second!.heapEnd, third!.heapEnd - 1, first!.lines].map((offset): Told => {
      const block = blockAt(offset);
      return ['HMAP_BLOCK_CHECKSUM', block, Math.min(block + 65_536, places.checksums)];
    });
    assert.deepEqual(told(findings), [
      ['EIO', start, start + 65_536],
      ...new Map(sums.map((sum) => [sum[1], sum])).values(),
      ['HMAP_BUCKET_OFFSET', first!.lines, first!.lines + 4],
      ['HMAP_PADDING', second!.heapEnd, second!.heapEnd + 1],
    ]);
    assert.match(findings[0]!.message, /^the bytes cannot be read: input\/output error$/);
    assert.equal(findings[0]!.section, 'heap');
    // The line after it says that the anchor is wrong, so no record is left out for that.
    assert.equal(entries, 800 - parts.segments[1]!.buckets.flat().length);
  });

  test('each of several blocks, also next to each other', async () => {
    const parts = large();
    const { headerEnd, checksums } = placesOf(parts);
    const file = write(compose(parts));
    const { findings } = await verifyWithout(file, [[headerEnd + 65_535, headerEnd + 131_073]]);
    assert.deepEqual(
      told(findings),
      [0, 1, 2].map((i) => ['EIO', headerEnd + i * 65_536, headerEnd + (i + 1) * 65_536]),
    );
    const all = await verifyWithout(file, [[headerEnd, checksums]]);
    assert.equal(all.total, Math.ceil((checksums - headerEnd) / 65_536));
    assert.equal(all.entries, 0);
  });

  test('of the checksums: the rest is checked without them', async () => {
    const parts = texts();
    const { checksums, segments } = placesOf(parts);
    parts.segments[2]!.padding = Buffer.of(9);
    const bytes = compose({ ...parts, sums: { 0: 0n } });
    const { findings } = await verifyWithout(write(bytes), [[checksums, checksums + 1]]);
    assert.deepEqual(told(findings), [
      ['EIO', checksums, checksums + 8],
      ['HMAP_PADDING', segments[2]!.heapEnd, segments[2]!.heapEnd + 1],
    ]);
    assert.equal(findings[0]!.section, 'checksums');
  });

  test('of the header: nothing else can be reported', async () => {
    const short = await verifyWithout(write(compose(texts())), [[0, 4096]]);
    assert.deepEqual([told(short.findings), short.findings[0]!.section], [[['EIO', 0, 4096]], 'header']);
    const long = canonicalParts([['key', 1]], { value: 'u8', metadata: { text: 'x'.repeat(5000) } });
    const { findings } = await verifyWithout(write(compose(long)), [[5000, 5001]]);
    assert.deepEqual(told(findings), [['EIO', 0, 8192]]);
  });

  test('of a file that is cut short meanwhile: what is left is checked', async () => {
    const parts = large();
    const { segments, headerEnd, checksums } = placesOf(parts);
    assert.ok(segments[0]!.heapEnd % 8 > 0, 'there is padding');
    parts.segments[0]!.padding = Buffer.of(1);
    const bytes = compose(parts);
    const cut = segments[3]!.heap + 100;
    const { findings, entries } = await verifyWithout(write(bytes), [], cut);
    const codes = new Set(findings.map(({ code }) => code));
    assert.deepEqual([...codes], ['HMAP_TRUNCATED', 'HMAP_PADDING']);
    const missing = told(findings).filter(([code]) => code === 'HMAP_TRUNCATED');
    assert.deepEqual(missing.slice(0, 2), [
      ['HMAP_TRUNCATED', checksums, bytes.length],
      ['HMAP_TRUNCATED', cut, cut + 65_536 - ((cut - headerEnd) % 65_536)],
    ]);
    assert.equal(missing.at(-1)![2], checksums);
    // Without the index nothing says where records lie.
    assert.equal(entries, 0);
  });

  /** A loop device of a file: its bytes, and errors where the file is cut short afterwards. */
  function loopDevice(bytes: Uint8Array, t: nodeTest.TestContext): { device: string; backing: string } | undefined {
    const backing = write(Buffer.concat([bytes, Buffer.alloc(-bytes.length & 511)]));
    try {
      const device = execFileSync('losetup', ['-f', '-r', '--show', backing], {
        encoding: 'utf8',
        stdio: 'pipe',
      }).trim();
      t.after(() => execFileSync('losetup', ['-d', device]));
      return { device, backing };
    } catch {
      t.skip('losetup does not work here');
      return undefined;
    }
  }

  test('of a disk that fails for real: reported, and the process lives', async (t) => {
    const parts = large();
    const { segments, checksums } = placesOf(parts);
    const bytes = compose(parts);
    const loop = loopDevice(bytes, t);
    if (loop === undefined) return;
    // A whole number of pages: within one, what the system makes of the rest is its own affair.
    const cut = Math.ceil(segments[2]!.heap / 4096) * 4096 + 4096;
    truncateSync(loop.backing, cut);
    const { status, signal, stdout, stderr } = await runModule(
      'console.log(JSON.stringify(await hmap.verify(process.argv[1])));',
      [loop.device],
    );
    assert.deepEqual([status, signal], [0, null], stderr);
    const { findings, entries } = JSON.parse(stdout) as Verification;
    const [sums, ...blocks] = told(findings);
    assert.deepEqual(sums, ['EIO', checksums, bytes.length]);
    // The system reads more at once than is asked for, and may fail to read what lies just before.
    const first = blocks[0]![1];
    assert.ok(first <= cut && first > segments[1]!.heap, `${first}`);
    for (const [i, block] of blocks.entries()) {
      const start = first + i * 65_536;
      assert.deepEqual(block, ['EIO', start, Math.min(start + 65_536, checksums)]);
    }
    assert.equal(blocks.at(-1)![2], checksums);
    // Without the index nothing says where records lie.
    assert.equal(entries, 0);
  });

  test('of a device: it may be longer than the table, but not shorter', async (t) => {
    const bytes = compose(texts());
    const whole = loopDevice(Buffer.concat([bytes, Buffer.alloc(70_000, 1)]), t);
    if (whole === undefined) return;
    const { ok, findings } = await verify(whole.device);
    assert.deepEqual([ok, findings], [true, []]);
    for (const size of [bytes.length - 600, 8192, 4096, 512]) {
      const device = loopDevice(bytes.subarray(0, size), t)!.device;
      const length = Math.ceil(size / 512) * 512;
      const expected = size < 4096 ? 4096 : bytes.length;
      const { findings, ok } = await verify(device);
      assert.deepEqual([ok, told(findings)], [false, [['HMAP_TRUNCATED', length, expected]]], `${size} bytes`);
    }
  });
});

describe('in steps', () => {
  /** Runs a verification to its end without waiting, with another implementation of the hash. */
  function drain(path: string, limit = 1000) {
    const fd = openSync(path, 'r');
    try {
      const steps = verifySteps(fd, path, { h64Raw: (bytes) => oracle.h64Raw(Buffer.from(bytes)) }, limit);
      const done: number[] = [];
      for (;;) {
        const step = steps.next();
        if (step.done) return { done, checked: step.value };
        done.push(step.value);
      }
    } finally {
      closeSync(fd);
    }
  }

  test('a caller that does not wait finds the same', async () => {
    const paths = FIXTURES.map(({ name }) => fixturePath(`${name}.hmap`));
    for (const path of [...paths, ...DAMAGED.map(({ bytes }) => write(bytes))]) {
      const { seconds, ...expected } = await verify(path);
      assert.deepEqual(drain(path).checked, expected);
    }
  });

  test('bytes that are done rise to twice those of the file', async () => {
    const path = join(folder, 'steps.hmap');
    const entries = Array.from({ length: 60_000 }, (_, i) => [`key ${i}`, 'x'.repeat(i % 200)] as const);
    await build(path, entries, { value: 'utf8', segmentBytes: 3_000_000 });
    const { done, checked } = drain(path);
    assert.ok(checked.ok && done.length > 12, `${done.length} steps`);
    for (const [i, step] of done.entries()) assert.ok(i === 0 || step >= done[i - 1]!, `${done[i - 1]}, ${step}`);
    const total = 2 * Number(readFileSync(path).readBigUInt64LE(88));
    assert.ok(done.at(-1)! > 0.8 * total && done.at(-1)! <= total, `${done.at(-1)} of ${total}`);
    const large = Math.max(...done.map((step, i) => step - (done[i - 1] ?? 0)));
    assert.ok(large <= 2 ** 21, `a step of ${large} bytes`);
  });
});

describe('options', () => {
  test('progress, and the signal that ends it', async (t) => {
    const path = join(folder, 'progress.hmap');
    const entries = Array.from({ length: 20_000 }, (_, i) => [`key ${i}`, 'x'.repeat(i % 300)] as const);
    await build(path, entries, { value: 'utf8' });
    // A clock on which every step takes long enough to be reported.
    let now = 0;
    t.mock.method(performance, 'now', () => {
      now += 60;
      return now;
    });
    const calls: [number, number][] = [];
    const turns: boolean[] = [];
    await verify(path, {
      onProgress: (done, total) => {
        const i = calls.push([done, total]);
        setImmediate(() => {
          turns[i - 1] = calls.length === i;
        });
      },
    });
    assert.ok(turns.length === calls.length && turns.every(Boolean), 'others get a turn after each');
    const total = 2 * Number(readFileSync(path).readBigUInt64LE(88));
    assert.ok(calls.length > 4, `${calls.length} calls`);
    assert.ok(calls.every((call, i) => call[1] === total && call[0] <= total && call[0] >= (calls[i - 1]?.[0] ?? 0)));

    const controller = new AbortController();
    const reason = new Error('enough');
    const aborted = verify(path, { signal: controller.signal, onProgress: () => controller.abort(reason) });
    await assert.rejects(aborted, reason);
    await assert.rejects(verify(path, { signal: AbortSignal.abort(reason) }), reason);
  });

  test('limit: the first findings are kept, all are counted', async () => {
    const parts = texts();
    for (const segment of parts.segments) segment.padding = Buffer.of(1);
    parts.padding = Buffer.of(1);
    const path = write(compose(parts));
    const all = await verify(path);
    assert.equal(all.total, 5);
    for (const limit of [0, 1, 4, 5, 6]) {
      const { findings, total, ok } = await verify(path, { limit });
      assert.deepEqual([ok, total, findings], [false, 5, all.findings.slice(0, limit)]);
    }
    for (const limit of [-1, 1.5, Number.NaN, '1'])
      await assert.rejects(verify(path, { limit } as never), misuse(/^limit/));
  });

  test('what cannot be read as a file is refused, not reported', async () => {
    for (const path of [join(folder, 'missing'), folder]) {
      await assert.rejects(verify(path), (error) => error instanceof HmapError && /^E(NOENT|ISDIR)$/.test(error.code));
    }
  });
});
