// Tests what is made of files that someone has made to do harm, and that open: work and memory are bounded by what the
// file holds, all that comes is an answer or an error of ours. Fuzzing (fuzz.test.ts) has found most of these.

import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { after, describe, test } from 'node:test';
import { build, inspectBucket, inspectKey, open, stat, verify } from '../../src/index.js';
import { runModule } from '../support/child.js';
import { keyWithHash } from '../support/collisions.js';
import { hmapError } from '../support/errors.js';
import { canonicalParts, compose, rawBucket } from '../support/raw-table.js';
import { oracle } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';
import { dumpOf, hmap, libraryFile, type Pairs, piecesOf, readFrom } from '../support/tools.js';
import { boundsOf, repair, segmentAt, setBounds } from './fuzz-fields.js';
import { watch } from './watchdog.js';

const PAGE = 4096;
const NODE = Number(process.versions.node.split('.')[0]);
const folder = temporaryFolder(nodeTest);
after(watch(60));
let names = 0;

function written(bytes: Uint8Array): string {
  const path = join(folder, `${names++}.hmap`);
  writeFileSync(path, bytes);
  return path;
}

const setU64 = (bytes: Buffer, at: number, value: number) => bytes.writeBigUInt64LE(BigInt(value), at);

/** A set of `count` records of one byte, all of them the empty key, in one bucket. */
function emptyKeys(count: number): string {
  const parts = canonicalParts([['', true]], { value: 'none' });
  const [bucket] = parts.segments[0]!.buckets;
  const [record] = parts.segments[0]!.buckets.flat();
  assert.equal(bucket![0], record, 'the first bucket');
  bucket!.push(...new Array(count - 1).fill(record));
  return written(compose(parts));
}

/** A sparse file of which one bucket covers a key heap of zeros, with all checksums but those of blocks right. */
function zeros(heapBytes: number, options: { value: 'none' | 'u32' | 'utf8'; key?: 'u32'; fingerprint?: 8 }): string {
  const key = options.key === 'u32' ? 7 : 'key';
  const value = { none: true, u32: 1, utf8: 'x' }[options.value];
  const bytes = compose(canonicalParts([[key, value]], options));
  const lines = Number(bytes.readBigUInt64LE(128));
  const line = Buffer.from(bytes.subarray(lines, lines + 40));
  const fixed = options.value !== 'utf8' && (options.key === 'u32' || options.fingerprint !== undefined);
  const width = { none: 0, u32: 4, utf8: 0 }[options.value];
  const unit = fixed ? (options.fingerprint === 8 ? 1 : 4) + width : 1;
  const size = heapBytes - (heapBytes % unit);
  // Offsets of 32 bits: the bucket of the key has all of the heap.
  const wide = Buffer.alloc(4 * 32 + 8);
  const bucket = Array.from({ length: 32 }, (_, i) => i).find((i) => line[4 + i + 1]! > line[4 + i]!)!;
  for (let i = bucket + 1; i <= 32; i++) wide.writeUInt32LE(size / unit, 4 + 4 * i);
  const index = Math.ceil((PAGE + size) / 8) * 8;
  const sums = index + wide.length;
  const levels = [8 * Math.ceil((sums - PAGE) / 65_536)];
  while (levels.at(-1)! > PAGE) levels.push(8 * Math.ceil(levels.at(-1)! / PAGE));
  const header = Buffer.from(bytes.subarray(0, PAGE));
  header[58] = 32;
  const all = levels.reduce((sum, level) => sum + level, 0);
  const count = fixed ? size / unit : 3;
  const fields = { 24: sums + all, 32: count, 88: sums, 96: all, 128: index, 192: PAGE, 200: size, 208: count };
  for (const [at, number] of Object.entries(fields)) setU64(header, Number(at), number);
  // Records of several lengths, so that they have prefixes.
  if (options.value === 'utf8') header.writeUInt32LE(0xffff_ffff, 72);
  if (options.value === 'utf8' || (!fixed && options.fingerprint === undefined))
    header.writeUInt32LE(options.fingerprint === 8 ? 1 : 0xffff_ffff, 68);
  header.writeUInt32LE(0, 12);
  header.writeUInt32LE(oracle.h32Raw(header, 0), 12);
  const path = join(folder, `${names++}.hmap`);
  const fd = openSync(path, 'w');
  writeSync(fd, header, 0, PAGE, 0);
  writeSync(fd, wide, 0, wide.length, index);
  ftruncateSync(fd, sums + all);
  closeSync(fd);
  return path;
}

describe('a bucket that covers a heap of two gibibytes of zeros', () => {
  for (const options of [
    { value: 'none' },
    { value: 'u32' },
    { value: 'utf8' },
    { value: 'u32', key: 'u32' },
    { value: 'u32', fingerprint: 8 },
    { value: 'utf8', fingerprint: 8 },
  ] as const) {
    test(`is an error at once: ${JSON.stringify(options)}`, () => {
      const path = zeros(2 ** 31 - 4096, options);
      const isFingerprint = 'fingerprint' in options;
      const opened = { check: 'header', ...(isFingerprint && { fingerprint: true }) } as const;
      using table = open(path, opened as { check: 'header' });
      const key = ('key' in options ? 7 : 'key') as string;
      const started = performance.now();
      const told = hmapError('HMAP_DAMAGED', { message: /holds more than 64 records/ });
      for (const ask of [
        () => table.get(key),
        () => table.has(key),
        () => table.getView(key),
        () => table.getMany([key]),
      ]) {
        assert.throws(ask, told);
      }
      const ms = performance.now() - started;
      assert.ok(ms < 500, `${ms} ms`);
    });
  }
});

test('a full check of a file in which all is wrong ends at the first finding', () => {
  const entries = Array.from({ length: 60_000 }, (_, i) => [`key ${i}`, 'not json'] as const);
  const parts = canonicalParts(entries, { value: 'utf8' });
  const path = written(compose({ ...parts, valueType: 'json' }));
  const started = performance.now();
  assert.throws(() => open(path, { check: 'full' }), hmapError('HMAP_DAMAGED', { message: /HMAP_VALUE/ }));
  const ms = performance.now() - started;
  assert.ok(ms < 1000, `${ms} ms`);
});

describe('a bucket that holds far too much', () => {
  test('is looked at no further than a bucket may reach, and reported by verify', async () => {
    const path = emptyKeys(100_000);
    for (const check of ['header', 'touch'] as const) {
      using table = open(path, { check });
      // The first of them, as it happens.
      assert.equal(table.get(''), true);
      assert.throws(
        () => table.get(keyWithHash(0, 0, [1])),
        hmapError('HMAP_DAMAGED', { message: /holds more than 64 records/ }),
      );
      assert.equal([...table.keys()].length, 100_000);
    }
    assert.equal((await stat(path)).bucketLoads.longest, 100_000);
    assert.equal((await verify(path)).ok, false);
  });

  test('is not shown record by record: that would take a thousand bytes for each of the file', async () => {
    const path = emptyKeys(65);
    const told = hmapError('HMAP_DAMAGED', { message: /more than 64 records/ });
    assert.throws(() => inspectBucket(path, 0), told);
    assert.throws(() => inspectKey(path, ''), told);
    assert.equal(inspectBucket(emptyKeys(64), 0).records.length, 64);
  });
});

test('lengths that do not end, or are longer than they need to be, are damage and not another length', async () => {
  const pairs: Pairs = [
    ['', 5],
    ['ab', 6],
  ];
  for (const value of ['u8', 'utf8'] as const) {
    const entries =
      value === 'u8' ? pairs : [...pairs].map(([key, text]) => [key, '.'.repeat(text as number)] as const);
    const parts = canonicalParts(entries, { value });
    // All in the bucket that is asked for.
    const { buckets } = parts.segments[0]!;
    const all = buckets.flatMap((bucket) => bucket.splice(0));
    buckets[rawBucket(oracle.h32('no such key', 0), 0, 5, 8)]!.push(...all);
    const whole = compose(parts);
    const length = Number(whole.readBigUInt64LE(200));
    for (const heap of [Buffer.alloc(length, 0x80), Buffer.from([0x80, 0])]) {
      const bytes = Buffer.from(whole);
      heap.copy(bytes, PAGE);
      repair(bytes);
      using table = open(written(bytes));
      const told = hmapError('HMAP_DAMAGED', { message: /passes the end of its bucket/ });
      assert.throws(() => table.get('no such key'), told);
      assert.throws(() => table.getMany(['no such key']), told);
      assert.throws(() => table.has('no such key'), told);
    }
  }
});

describe('offsets that name the same records again and again', () => {
  test('cost verify no more than to read the file twice', async () => {
    const pairs: Pairs = Array.from({ length: 4000 }, (_, i) => [`key ${i}`, i]);
    const bytes = await libraryFile(folder, pairs, { value: 'u32' });
    const place = segmentAt(bytes, 0);
    const bounds = boundsOf(bytes, place);
    // Within each group, as far as the offsets reach.
    const wrong = bounds.map((bound, i) => (i % 32 === 0 ? bound : bounds[i - (i % 32) + (i % 2 === 0 ? 0 : 32)]!));
    setBounds(bytes, place, wrong);
    repair(bytes);
    const { ok, entries } = await verify(written(bytes));
    assert.equal(ok, false);
    assert.ok(entries <= 8000, `${entries} records were checked`);
  });
});

test('groups that each claim all records cost stat no more than the heap, and are damage', async () => {
  const count = 5000;
  const parts = canonicalParts(
    Array.from({ length: count }, (_, i) => [i, true]),
    { key: 'u32', value: 'none' },
  );
  const offsets = Object.fromEntries(Array.from({ length: 32 }, (_, i) => [i + 1, count]));
  const [segment] = parts.segments;
  const lines = Object.fromEntries(
    Array.from({ length: segment!.buckets.length / 32 }, (_, group) => [group, { anchor: 0, offsets }]),
  );
  const path = written(compose({ ...parts, offsetBits: 16, segments: [{ ...segment!, lines }] }));
  await assert.rejects(stat(path), hmapError('HMAP_DAMAGED', { message: /bucket 32, .* offsets that do not fit/ }));
  assert.equal((await verify(path)).ok, false);
});

test('the body of another version of a file is not taken for its own', async () => {
  const versions = await Promise.all(
    [1, 2].map((version) => {
      const pairs: Pairs = Array.from({ length: 5000 }, (_, i) => [`key ${i}`, version * i]);
      return libraryFile(folder, pairs, { value: 'u32' });
    }),
  );
  const [young, old] = versions as [Buffer, Buffer];
  assert.equal(young.length, old.length);
  // As when a program that overwrites a file in place stops after its first page. All blocks fit their checksums.
  const path = written(Buffer.concat([young.subarray(0, PAGE), old.subarray(PAGE)]));
  using table = open(path);
  const told = hmapError('HMAP_DAMAGED', { offset: Number(young.readBigUInt64LE(88)), end: young.length });
  for (let i = 0; i < 3; i++) assert.throws(() => table.get('key 7'), told);
  assert.throws(() => [...table.values()], told);
  await assert.rejects(stat(path), told);
  await assert.rejects(dumpOf(path, 'tsv', 'touch'), told);
  using blind = open(path, { check: 'header' });
  assert.equal(blind.get('key 7'), 14);
});

describe('what is printed', () => {
  test('of a key holds no control characters, be it in verify, dump or get', async () => {
    const keys = ['', 'other', ...Array.from({ length: 8 }, (_, i) => `\u009b2J\x7f\x1b[2J${i}`)];
    const bytes = await libraryFile(
      folder,
      keys.map((key) => [key, 'value']),
      { value: 'utf8' },
    );
    const moved = Buffer.from(bytes);
    moved.writeUInt32LE(99, 64);
    repair(moved);
    const path = written(bytes);
    for (const args of [
      ['verify', written(moved)],
      ['dump', '--key', keys[5]!, path],
      ['get', path, `${keys[5]}?`],
    ]) {
      const { stdout, stderr } = await hmap(args);
      assert.match(stdout + stderr, /\\u009b2J\\u007f\\u001b\[2J/, args[0]);
      assert.doesNotMatch(stdout + stderr, /[^\P{Cc}\n]/u, args[0]);
    }
  });

  test('of names, metadata and arguments holds no control characters, and a name cannot make a line of its own', {
    skip: process.platform === 'win32' && 'no such names',
  }, async () => {
    const name = 'a\u009b2J\x1b[2J\nother.hmap: ok; 1 entries';
    const path = join(folder, name);
    await build(path, ['k'], { value: 'none', metadata: { [name]: name } });
    const bits = join(folder, 'bits.hmap');
    await build(bits, [1], { layout: 'bits' });
    const input = join(folder, 'in.txt\u009b2J\n');
    writeFileSync(input, 'a\nb\n');
    const commands: [args: string[], lines: number][] = [
      [['verify', path], 1],
      [['verify', '--json', path], 1],
      [['stat', '--json', path], 1],
      [['stat', path], -1],
      // How it was read, and what was made.
      [['build', '-f', 'lines', '--force', input, path], 2],
      [['build', '-f', 'lines', '--force', '--json', input, path], 1],
      [['build', '-f', 'lines', input, path], 1],
      [['plan', '-f', 'lines', input], -1],
      [['get', bits, name], 1],
      [[`--${name}`], -1],
      [['verify', `--x${name}`], -1],
    ];
    for (const [args, lines] of commands) {
      const { stdout, stderr } = await hmap(args);
      // A hint for one key is a line of its own.
      const all = (stdout + stderr).replace('(hmap explain shows why)\n', '');
      assert.notEqual(all, '');
      assert.doesNotMatch(all, /[^\P{Cc}\n]/u, args.join(' '));
      if (lines > 0) assert.equal(all.split('\n').length - 1, lines, all);
      if (lines > 0) assert.doesNotMatch(all, /^other/m);
    }
  });

  test('of an invalid schema is short and has no control characters, be it about a name or a type', async () => {
    const bytes = await libraryFile(folder, [['key', { a: 1 }]], { value: { struct: { a: 'u7' } } } as never);
    const at = 192 + 24;
    const tail = '\u009b2J\x1b[2J\0'.padEnd(3000, 'x');
    for (const text of [tail, `a:${tail}`, `${tail.slice(0, 50)}:u7`]) {
      const changed = Buffer.from(bytes);
      changed.writeUInt32LE(changed.write(text, at), 112);
      repair(changed);
      const path = written(changed);
      const { findings } = await verify(path);
      assert.equal(findings.length, 1);
      assert.match(findings[0]!.message, /^the schema of the values is invalid: \P{Cc}{8,400}$/u);
      assert.throws(() => open(path), hmapError('HMAP_HEADER_FIELD'));
      const { stdout } = await hmap(['verify', path]);
      assert.doesNotMatch(stdout, /[^\P{Cc}\n]/u);
    }
  });

  test('of JSON with line ends and tabs is one line that says the same, however deep', {
    skip: NODE >= 26 && 'this V8 goes deeper',
  }, async () => {
    const deep = '['.repeat(6000) + ']'.repeat(6000);
    const value = `${deep.slice(0, 6000)}         12345678901234567890${deep.slice(6000)}`;
    const whole = await libraryFile(folder, [['key', 1]], { value: 'json' });
    const plain = await libraryFile(folder, [['key', value]], { value: 'utf8' });
    plain[62] = whole[62]!;
    plain.write('\n\t\r\n  \t\r\n', plain.indexOf('['.repeat(6000)) + 6000);
    repair(plain);
    const path = written(plain);
    assert.equal((await verify(path)).ok, true);
    for (const format of ['jsonl', 'tsv', 'csv', 'cdb'] as const) {
      const dump = await dumpOf(path, format);
      assert.doesNotMatch(dump.toString().trimEnd(), /[\n\r]/, format);
      assert.ok(dump.includes(`[         12345678901234567890]`), format);
    }
  });

  test('of invalid JSON is reported when it is read again', async () => {
    const bytes = await libraryFile(folder, [['key', ['text', 'text']]], { value: 'json' });
    bytes.write('\n]\r\x1b[2J', bytes.indexOf('["text'));
    repair(bytes);
    const path = written(bytes);
    assert.deepEqual(
      (await verify(path)).findings.map(({ code }) => code),
      ['HMAP_VALUE'],
    );
    using table = open(path);
    const told = hmapError('HMAP_DAMAGED', { message: /JSON.*\ufffd\[2J/ });
    assert.throws(
      () => table.get('key'),
      (error) => told(error) && !/\p{Cc}/u.test((error as Error).message),
    );
    for (const format of ['jsonl', 'tsv', 'csv', 'cdb'] as const) {
      const dump = await dumpOf(path, format);
      await assert.rejects(readFrom(format, piecesOf(dump, 100), 'json'), (error: { code?: string }) =>
        /^HMAP_(INPUT|VALUE_INVALID)$/.test(error.code ?? ''),
      );
    }
  });
});

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

/** Whether JSON that nests so deep is too much for V8, which depends on its version. */
function isTooDeep(depth: number): boolean {
  try {
    JSON.stringify(JSON.parse(nested(depth)));
    return false;
  } catch {
    return true;
  }
}

test('JSON that nests deeper than V8 can go is refused with its line', {
  skip: !isTooDeep(50_000) && 'this V8 goes deeper',
}, async () => {
  const deep = nested(50_000);
  const inputs = {
    jsonl: `{"key":"a","value":${deep}}\n`,
    tsv: `a\t${deep}\n`,
    csv: `a,${deep}\n`,
    cdb: `+1,${deep.length}:a->${deep}\n\n`,
  };
  for (const [format, text] of Object.entries(inputs)) {
    const told = hmapError('HMAP_VALUE_INVALID', { line: 1, key: 'a', message: /JSON can hold/ });
    await assert.rejects(readFrom(format as keyof typeof inputs, [Buffer.from(text)], 'json'), told, format);
  }
});

/** V8 reserves so much room for code from Node 24 on that a useful limit would stop it. */
const LIMITABLE = process.platform === 'linux' && NODE < 24;

/** A file that claims to be large, and takes no room on the disk; zeros after the header. */
function sparse(segmentBits: number, bucketBits: number, segmentBytes: number, anchor = 0): string {
  const count = 2 ** segmentBits;
  const header = Buffer.alloc(Math.ceil((192 + 24 * count) / PAGE) * PAGE);
  readFileSync(join(folder, 'model.hmap')).copy(header, 0, 0, 192);
  header.writeUInt32LE(header.length, 16);
  header[58] = 32;
  header[59] = segmentBits;
  header[60] = bucketBits;
  let end = header.length;
  for (let i = 0; i < count; i++) {
    setU64(header, 192 + 24 * i, end);
    setU64(header, 200 + 24 * i, segmentBytes);
    setU64(header, 208 + 24 * i, segmentBytes);
    end += Math.ceil(segmentBytes / 8) * 8;
  }
  const index = end;
  end = Math.ceil((index + count * 2 ** (bucketBits - 5) * 136) / 8) * 8;
  let sums = 0;
  let level = Buffer.alloc(0);
  for (let next = Math.ceil((end - header.length) / 65_536); ; next = Math.ceil((8 * next) / PAGE)) {
    sums += 8 * next;
    level = Buffer.alloc(8 * next);
    if (8 * next <= PAGE) break;
  }
  const fields = { 24: end + sums, 32: count * segmentBytes, 88: end, 96: sums, 128: index };
  for (const [at, value] of Object.entries(fields)) setU64(header, Number(at), value);
  header.writeBigUInt64LE(oracle.h64Raw(level), 104);
  header.writeUInt32LE(0, 12);
  header.writeUInt32LE(oracle.h32Raw(header, 0), 12);
  const path = join(folder, `${names++}.hmap`);
  const fd = openSync(path, 'w');
  writeSync(fd, header);
  ftruncateSync(fd, end + sums);
  // The first line: all buckets after the first one have all the rest.
  const line = Buffer.alloc(136);
  if (anchor > 0) for (let i = 1; i <= 32; i++) line.writeUInt32LE(anchor, 4 + 4 * i);
  writeSync(fd, line, 0, line.length, index);
  closeSync(fd);
  return path;
}

test('sizes and counts of gigabytes take no memory', {
  skip: !LIMITABLE && 'only where ulimit -d leaves Node alone',
}, async (t) => {
  await build(join(folder, 'model.hmap'), [], { value: 'none' });
  const paths: string[] = [];
  try {
    // An index of 1 GiB; a heap of 2 GiB in one bucket; 256 GiB in 128 segments.
    paths.push(sparse(0, 28, 2 ** 30), sparse(0, 5, 2 ** 31 - 1, 2 ** 31 - 1), sparse(7, 10, 2 ** 31 - 1));
  } catch (error) {
    t.skip(`no sparse file of that size: ${(error as Error).message}`);
    return;
  }
  const script = `
    const say = (...words) => console.log(...words);
    const run = async (what, act) => {
      try { say(what, String(await act())); } catch (error) { say(what, error instanceof hmap.HmapError ? error.code : error.stack); }
    };
    for (const [i, path] of process.argv.slice(1).entries()) {
      for (const check of ['header', 'touch']) {
        for (const mapping of ['libc', 'copy']) {
          await run([i, check, mapping].join(' '), async () => {
            const table = hmap.open(path, { check, mapping, warm: 'buckets' });
            await run('get', () => table.get(''));
            await run('getMany', () => table.getMany([''])[0]);
            await run('getView', () => table.getView('')?.length);
            await run('step', () => table.keys().next().value?.length);
            await run('reload', () => table.reload());
            table.close();
            return 'opened';
          });
        }
      }
      await run('inspectKey', () => hmap.inspectKey(path, '').bucket.records.length);
      await run('inspectBucket', () => hmap.inspectBucket(path, 0).records.length);
      await run('stat', () => hmap.stat(path));
    }`;
  const { status, signal, stdout, stderr } = await runModule(script, paths, {
    ...(LIMITABLE && { limit: '-d 400000' }),
  });
  assert.equal(signal, null, stdout);
  assert.equal(status, 0, stderr);
  const replies = stdout.trimEnd().split('\n');
  t.diagnostic(stdout.replaceAll('\n', '; '));
  for (const reply of replies) {
    assert.match(reply, /^\S+( (header|touch) (libc|copy))? (opened|HMAP_\w+|ENOMEM|undefined|true|false|0)$/);
  }
  assert.equal(replies.filter((reply) => / libc opened$/.test(reply)).length, 6);
  assert.equal(replies.filter((reply) => / copy ENOMEM$/.test(reply)).length, 6);
});
