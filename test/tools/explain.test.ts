// Tests `hmap explain`: that each step is what the file has at the place that it names, and that a miss says why.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { type BuildOptions, build, inspectKey, type KeyForm, open, type ValueChoice } from '../../src/index.js';
import { oracle } from '../support/samples.js';
import { buildShard } from '../support/shards.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, fine, hmap, libraryTable } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
let names = 0;

const table = (entries: Iterable<unknown>, options: BuildOptions<ValueChoice, KeyForm>) =>
  libraryTable(folder, entries, options);

interface Told {
  found: boolean;
  reason: string | null;
  key: string;
  steps: { name: string; facts: Record<string, number | string>; microseconds: number }[];
  records: { key: string; offset: number; bytes: number; passedBecause: string | null }[];
  value: { offset: number; end: number; json: string } | null;
  pages: { offset: number; part: string; wasInMemory: boolean | null }[];
  blocks: { offset: number; end: number; fits: boolean }[];
  spellings: { key: string; how: string }[];
  near?: { key: string; edits: number }[];
}

async function explain(path: string, key: string, ...more: string[]): Promise<Told> {
  const { code, stdout, stderr } = await hmap(['explain', '--json', ...more, '--', path, key]);
  assert.equal(stderr, '');
  const told: Told = JSON.parse(stdout);
  const isSound = told.blocks.every(({ fits }) => fits);
  assert.equal(code, told.found && isSound ? 0 : 1);
  return told;
}

const factsOf = ({ steps }: Told, name: string) => steps.find((step) => step.name === name)!.facts;

describe('hmap explain', { concurrency: true }, () => {
  test('names the places of a lookup as they are in the file', async () => {
    const path = await table(
      Array.from({ length: 3000 }, (_, i) => [`key ${i}`, `value ${i}`]),
      { value: 'utf8', seed: 3 },
    );
    const file = readFileSync(path);
    const { header } = open(path);
    for (const key of ['key 0', 'key 7', 'key 1999']) {
      const told = await explain(path, key);
      const { bucket, record } = inspectKey(path, key);
      assert.equal(factsOf(told, 'hash').hash, `0x${oracle.h32(key, 3).toString(16).padStart(8, '0')}`);
      assert.equal(
        factsOf(told, 'key').bytes,
        Buffer.from(key)
          .toString('hex')
          .replace(/..(?=.)/g, '$& '),
      );
      assert.equal(factsOf(told, 'bucket').bucket, bucket!.bucket);
      const { line, start, end, anchor } = factsOf(told, 'index');
      assert.deepEqual([line, start, end], [bucket!.lineOffset, bucket!.start, bucket!.end]);
      assert.equal(anchor, file.readUInt32LE(bucket!.lineOffset));
      // All records up to the one, in order; each before it with the reason.
      const upTo = bucket!.records.findIndex(({ offset }) => offset === record!.offset) + 1;
      assert.deepEqual(
        told.records.map(({ offset, bytes }) => [offset, bytes]),
        bucket!.records.slice(0, upTo).map((one) => [one.offset, one.end - one.offset]),
      );
      for (const [i, { passedBecause }] of told.records.entries()) {
        if (i === upTo - 1) assert.equal(passedBecause, null);
        else
          assert.match(
            passedBecause!,
            /^(it has \d+ bytes, the key has \d+|byte \d+ is 0x.., the key has 0x..|byte \d+ is .*)$/,
          );
      }
      assert.deepEqual([told.value!.offset, told.value!.end], [record!.valueOffset, record!.end]);
      assert.equal(JSON.parse(told.value!.json), `value ${key.slice(4)}`);
      assert.ok(told.pages.some(({ part }) => part === 'header') && told.pages.some(({ part }) => part === 'index'));
      for (const { offset } of told.pages) assert.equal(offset % 4096, 0);
      for (const { offset, fits } of told.blocks)
        assert.deepEqual([(offset - header.headerBytes) % 65_536, fits], [0, true]);
      for (const { microseconds } of told.steps) assert.ok(microseconds >= 0);
    }
  });

  test('shows values of all types, and keys', async () => {
    const kinds: [ValueChoice, KeyForm, key: unknown, value: unknown, text: string, json: unknown][] = [
      ['u16', 'string', 'k', 65535, 'k', 65535],
      ['json', 'u32', 5, { a: [1] }, '5', { a: [1] }],
      ['u64', 'u64', 2n ** 60n, 2n ** 61n, String(2n ** 60n), String(2n ** 61n)],
      ['enum', 'hex', 'c0ffee', 'texts', 'C0FFEE', 'texts'],
      ['struct(a:bool,b:u7)', 'i64', -3n, { a: true, b: 9 }, '-3', { a: true, b: 9 }],
      ['bytes', 'string', 'b', Buffer.of(0xff), 'b', { base64: '/w==' }],
      ['none', 'string', 's', true, 's', true],
      ['enum', 'string', '', '', '', ''],
    ];
    for (const [value, key, name, one, text, json] of kinds) {
      const path = await table(value === 'none' ? [name] : [[name, one]], { value, key });
      const told = await explain(path, text);
      assert.equal(told.found, true, String(value));
      assert.deepEqual(JSON.parse(told.value!.json), json);
      if (value === 'enum') {
        const { dictionary } = open(path).header;
        assert.ok(
          told.value!.offset >= dictionary!.offset && told.value!.end <= dictionary!.offset + dictionary!.bytes,
        );
        assert.equal(factsOf(told, 'dictionary').index, 0);
      }
    }
    const numbers = await table([[1, 2]], { value: 'u8', key: 'u32' });
    assertRefused(await hmap(['explain', numbers, 'one']), /u32/);
  });

  test('says why a key is not found', async () => {
    const path = await table(
      [
        ['apple', 1],
        ['Zürich'.normalize('NFC'), 2],
        ['crlf\r', 3],
        ['"quoted"', 4],
      ],
      { value: 'u8' },
    );
    const reasons: [key: string, reason: RegExp, spelling?: string, how?: RegExp][] = [
      ['Apple', /its bucket, number \d+ of segment 0, is empty|in its bucket/, 'apple', /in lower case/],
      [' apple ', /bucket/, 'apple', /without spaces/],
      ['Zürich'.normalize('NFD'), /bucket/, 'Zürich'.normalize('NFC'), /form NFC/],
      ['crlf', /bucket/, 'crlf\r', /carriage return/],
      ['quoted', /bucket/, '"quoted"', /in quotes/],
      ['x'.repeat(65_536), /no key has more than 65535 bytes, this one has 65536/],
    ];
    for (const [key, reason, spelling, how] of reasons) {
      const told = await explain(path, key);
      assert.match(told.reason!, reason);
      if (spelling === undefined) assert.deepEqual(told.spellings, []);
      else assert.match(told.spellings.find((one) => one.key === spelling)!.how, how!);
    }
    const fixed = await table(['abc', 'xyz'], { value: 'none' });
    assert.equal((await explain(fixed, 'ab')).reason, 'all keys of the table have 3 bytes, this one has 2');
    const empty = await table([], { value: 'u8' });
    assert.match((await explain(empty, 'a')).reason!, /is empty$/);
    const shard = join(folder, 'shard.hmap');
    await buildShard(
      shard,
      [
        ['key 1', 1],
        ['key 2', 2],
      ],
      { value: 'u32' },
      { index: 0, bits: 1 },
    );
    const other = ['key 1', 'key 2', 'key 3', 'key 4'].find((key) => oracle.h32(key, 0) >= 2 ** 31)!;
    assert.equal((await explain(shard, other)).reason, 'its hash is of shard 1; this file is shard 0');
  });

  test('finds the nearest keys', async () => {
    const words = ['house', 'horse', 'mouse', 'hose', 'zebra', 'a very long key indeed', 'Zürich'];
    const path = await table(words, { value: 'none' });
    const { near } = await explain(path, 'hause', '--near');
    assert.deepEqual(near!.slice(0, 1), [{ key: 'house', edits: 1 }]);
    assert.deepEqual(
      near!.map(({ edits }) => edits).toSorted(),
      near!.map(({ edits }) => edits),
    );
    assert.deepEqual((await explain(path, 'Zurich', '--near')).near![0], { key: 'Zürich', edits: 1 });
    assert.deepEqual((await explain(path, 'qqqqqqqqqqqq', '--near')).near, []);
    assert.equal((await explain(path, 'house', '--near')).near, undefined);
    const numbers = await table(
      [
        [1234, 1],
        [99, 2],
      ],
      { value: 'u8', key: 'u32' },
    );
    assert.deepEqual((await explain(numbers, '1235', '--near')).near, [{ key: '1234', edits: 1 }]);
  });

  test('of lists and bit arrays', async () => {
    const list = join(folder, 'list.hmap');
    await build(list, [7, 100, 3], { layout: 'list', value: 'u7', base: 10 });
    const told = await explain(list, '11');
    assert.deepEqual(JSON.parse(told.value!.json), 100);
    assert.deepEqual(factsOf(told, 'bits'), { bitsEach: 7, from: 7, to: 14 });
    assert.equal((await explain(list, '13')).reason, 'the indexes of the list are 10 to 12');
    assert.match((await explain(list, 'x')).reason!, /not an integer/);
    const texts = join(folder, 'texts.hmap');
    await build(texts, ['a', '', 'ccc'], { layout: 'list', value: 'utf8' });
    assert.equal(JSON.parse((await explain(texts, '2')).value!.json), 'ccc');
    const bits = join(folder, 'bits.hmap');
    await build(bits, [3, 5000], { layout: 'bits' });
    const one = await explain(bits, '5000');
    assert.deepEqual([one.found, factsOf(one, 'bit').run, factsOf(one, 'bit').onesBeforeRun], [true, 2, 1]);
    assert.equal((await explain(bits, '4')).reason, 'its bit is 0');
    assert.match((await explain(bits, '-1')).reason!, /^the integers of the bit array are 0 to /);
    assert.match((await fine(['explain', list, '11'])).stdout, /^found: 100$/m);
  });

  test('of fingerprints', async () => {
    const keys = Array.from({ length: 2000 }, (_, i) => `key ${i}`);
    const path = await table(
      keys.map((key, i) => [key, i]),
      { value: 'u16', fingerprint: 8 },
    );
    for (const key of ['key 5', 'key 77', 'key 1500']) {
      const told = await explain(path, key);
      assert.equal(Number(told.value!.json), Number(key.slice(4)));
      assert.equal(told.records.filter(({ passedBecause }) => passedBecause === null).length, 1);
    }
    // A lookup in a set stops at the first record that has the fingerprint.
    const set = await table(keys, { value: 'none', fingerprint: 8 });
    for (const key of keys.slice(0, 20)) {
      const { found, records } = await explain(set, key);
      assert.ok(found);
      assert.deepEqual(
        records.filter(({ passedBecause }) => passedBecause === null),
        records.slice(-1),
      );
    }
    const { stdout } = await fine(['explain', path, 'key 5']);
    assert.match(stdout, /^found: 5, if it is a key of the table: one in \d+ other keys/m);
    const missing = await hmap(['explain', path, 'no key of the table at all']);
    assert.equal(missing.code, 1);
  });

  test('of a damaged file: shows what it can, and says so', async () => {
    const path = await table(
      Array.from({ length: 3000 }, (_, i) => [`key ${i}`, i]),
      { value: 'u32' },
    );
    const { record, bucket } = inspectKey(path, 'key 5');
    const flipped = (offset: number, bits: number) => {
      const copy = readFileSync(path);
      copy[offset]! ^= bits;
      const damaged = join(folder, `damaged-${names++}.hmap`);
      writeFileSync(damaged, copy);
      return damaged;
    };
    const value = await explain(flipped(record!.valueOffset, 1), 'key 5');
    assert.deepEqual([value.found, value.value!.json], [true, '4']);
    assert.ok(value.blocks.some(({ fits }) => !fits));
    const { stdout } = await hmap(['explain', flipped(record!.valueOffset, 1), 'key 5']);
    assert.match(stdout, /The file is damaged: \[[\d,]+, [\d,]+\) does not fit the checksum; hmap verify says more\./);
    const length = await explain(flipped(bucket!.records[0]!.offset, 0x7f), 'key 5');
    assert.equal(length.found, false);
    assert.match(length.reason!, /damaged/);
    assert.ok(length.steps.some(({ name }) => name === 'bucket'));
  });

  test('takes a key of any bytes from stdin', async () => {
    const path = await table(
      [
        [Buffer.of(0xff, 0xfe), 7],
        ['text', 8],
      ],
      { value: 'u8' },
    );
    const { stdout } = await fine(['explain', path, '-'], { input: Buffer.of(0xff, 0xfe, 0x0a) });
    assert.match(stdout, /^found: 7$/m);
    assert.match((await fine(['explain', path, '-'], { input: 'text' })).stdout, /^found: 8$/m);
    assert.equal((await hmap(['explain', path, '-'], { input: Buffer.of(0xfe) })).code, 1);
  });

  test('prints the steps for people', async () => {
    const path = await table(
      [
        ['kiwi', 3],
        ['fig', 2],
      ],
      { value: 'u8' },
    );
    const { stdout } = await fine(['explain', path, 'kiwi']);
    assert.match(stdout, /^key +4 bytes: 6b 69 77 69 +[\d.]+ µs$/m);
    assert.match(stdout, /^hash +XXH32 of these bytes, seed 0: 0x50de49b3 +[\d.]+ µs$/m);
    assert.match(stdout, /^bucket +the bits after these: 10 of 32 +/m);
    assert.match(stdout, /^ {2}"kiwi", 6 bytes at byte 4,101: this is the one$/m);
    assert.match(stdout, /^found: 3$/m);
    assert.match(stdout, /^pages read +at byte +in memory before$/m);
    const missing = await hmap(['explain', path, 'Kiwi']);
    assert.equal(missing.code, 1);
    assert.match(missing.stdout, /^not found: its bucket, number 30 of segment 0, is empty$/m);
    assert.match(missing.stdout, /^the table has "kiwi": in lower case$/m);
  });
});
