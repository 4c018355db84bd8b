// `prefetch`: what lookups of some keys need is in memory when its promise is fulfilled, and no answer changes by it.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { build, type Check, open } from '../../src/index.js';
import { pageCache } from '../../tools/bench/page-cache.js';
import { hmapError, misuse } from '../support/errors.js';
import { MAPPINGS, WORKING } from '../support/mappings.js';
import { Random } from '../support/random.js';
import { temporaryFolder } from '../support/temp.js';
import { fine } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
const path = join(folder, 'table.hmap');
const COUNT = 60_000;
const block = new Random(1).bytes(1200);
const cache = pageCache();
const keys = Array.from({ length: 200 }, (_, i) => `key ${(i * 7919) % COUNT}`);

before(async () => {
  const entries = Array.from({ length: COUNT }, (_, i) => [`key ${i}`, block] as const);
  await build(path, entries, { value: 'bytes', segmentBytes: 2 ** 24 });
});

/** Puts the file out of the page cache; `false` where it stays there, such as in memory. */
function evict(): boolean {
  if (typeof cache === 'string') return false;
  cache.evict(path);
  using table = open(path, { check: 'header' });
  return table.residentBytes()! < 2 ** 20;
}

describe('a file that is not in memory', { skip: WORKING.includes('libc') ? false : 'nothing is mapped here' }, () => {
  for (const check of ['header', 'touch'] satisfies Check[]) {
    for (const mapping of WORKING.filter((kind) => kind === 'libc' || kind === 'ffi')) {
      test(`${mapping}, check ${check}: lookups then read no page more`, async (t) => {
        if (!evict()) return t.skip('files stay in memory here');
        using table = open(path, { check, mapping, value: 'bytes' });
        const cold = table.residentBytes()!;
        const done = table.prefetch(keys);
        assert.ok(table.residentBytes()! < 40 * 2 ** 20, 'only what these keys need');
        await done;
        const warm = table.residentBytes()!;
        assert.ok(warm - cold > keys.length * 1200, `${cold}, then ${warm} bytes`);
        const values = table.getMany([...keys, 'missing']);
        assert.ok(values.slice(0, -1).every((value) => value !== undefined && Buffer.compare(value, block) === 0));
        // Pages that the system reads ahead by itself, such as those of the header.
        assert.ok(table.residentBytes()! - warm <= 16 * 4096, `${warm}, then ${table.residentBytes()} bytes`);
      });
    }
  }
});

test('the program answers as many keys as it likes from a file that is not in memory', async () => {
  evict();
  const { stdout } = await fine(['get', '--json', path, ...keys]);
  const printed = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { key: string; found: boolean });
  assert.deepEqual(
    printed.map(({ key, found }) => [key, found]),
    keys.map((key) => [key, true]),
  );
});

for (const [mapping, skip] of MAPPINGS) {
  test(`${mapping}: changes no answer, of any kind of table`, { skip }, async () => {
    const typed = join(folder, `typed-${mapping}.hmap`);
    await build(typed, [[5n, 'a'] as const, [2n ** 60n, 'b'] as const], { key: 'u64', value: 'enum' });
    using numbers = open(typed, { mapping, key: 'u64' });
    await numbers.prefetch(new Set([5n, 7n, -1n]));
    assert.deepEqual(numbers.getMany([5n, 7n]), ['a', undefined]);
    const prints = join(folder, `prints-${mapping}.hmap`);
    await build(prints, keys, { value: 'none', fingerprint: 16 });
    using set = open(prints, { mapping, fingerprint: true });
    await set.prefetch(keys);
    assert.ok(keys.every((key) => set.has(key)));
    const none = join(folder, `none-${mapping}.hmap`);
    await build(none, [], { value: 'u8' });
    using empty = open(none, { mapping });
    await empty.prefetch(['a', '\ud800', 'x'.repeat(70_000), new Uint8Array(3)]);
    assert.equal(empty.get('a'), undefined);
  });

  test(`${mapping}: ends early when the table is closed, or has another version`, { skip }, async () => {
    const file = join(folder, `other-${mapping}.hmap`);
    const version = (n: number) =>
      build(
        file,
        [...keys.keys()].map((i) => [`key ${i}`, n] as const),
        { value: 'u8' },
      );
    await version(1);
    const table = open(file, { mapping, value: 'u8' });
    const first = table.prefetch(keys);
    await version(2);
    table.reload();
    const second = table.prefetch(keys);
    await first;
    await second;
    assert.equal(table.get('key 1'), 2);
    const last = table.prefetch(keys);
    table.close();
    await last;
    await assert.rejects(table.prefetch(keys), hmapError('HMAP_CLOSED'));
  });

  test(`${mapping}: damage is left to the lookups that meet it`, { skip }, async () => {
    const file = join(folder, `damaged-${mapping}.hmap`);
    await build(
      file,
      keys.map((key) => [key, 1] as const),
      { value: 'u8' },
    );
    const bytes = readFileSync(file);
    const { offset, bytes: length } = open(file, { mapping: 'copy' }).header.segments[0]!;
    bytes.fill(0xff, offset, offset + length);
    writeFileSync(join(folder, `bad-${mapping}.hmap`), bytes);
    for (const check of ['header', 'touch'] satisfies Check[]) {
      using table = open(join(folder, `bad-${mapping}.hmap`), { mapping, check });
      await table.prefetch(keys);
      if (check === 'touch') assert.throws(() => table.getMany(keys), hmapError('HMAP_DAMAGED'));
    }
  });
}

test('what is no key is a TypeError', async () => {
  using table = open(path);
  for (const wrong of [5, null, new Uint8Array(2)]) {
    await assert.rejects(table.prefetch(wrong as never), misuse(/^keys: expected an iterable/));
  }
  await assert.rejects(table.prefetch([5 as never]), misuse(/^key: expected a string or a Uint8Array/));
});
