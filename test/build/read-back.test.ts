// Nothing that a reader could not open takes the place of a file: what a build wrote is read back before it is
// published.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type BitsBuildOptions, build, type ListBuildOptions, open } from '../../src/index.js';
import { hmapError } from '../support/errors.js';
import { intercept } from '../support/faults.js';
import { contentOf, temporaryFolder } from '../support/temp.js';

const LAST = Number.MAX_SAFE_INTEGER;

describe('a disk that does not keep what is written', () => {
  const entries = Array.from({ length: 100_000 }, (_, i) => [`key ${i}`, i] as const);

  /** Builds while the first write that `chosen` takes has one byte changed. */
  async function spoiled(path: string, chosen: (position: number, length: number) => boolean): Promise<unknown> {
    let done = false;
    const stop = intercept(['writeSync'], (_call, args, go) => {
      const [fd, bytes, offset, length, position] = args as [number, Uint8Array, number, number, number];
      if (done || !chosen(position, length)) return go(...args);
      done = true;
      const changed = Uint8Array.from(bytes);
      changed[offset + length - 1]! ^= 1;
      return go(fd, changed, offset, length, position);
    });
    try {
      return await build(path, entries, { value: 'u32' }).catch((error: unknown) => error);
    } finally {
      stop();
      assert.ok(done, 'a byte was changed');
    }
  }

  test('in the header, or in the checksums: the old file stays, and nothing else', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'table.hmap');
    await build(path, [['old', 1]], { value: 'u8' });
    const before = contentOf(folder);
    const whole = join(temporaryFolder(t), 'whole.hmap');
    await build(whole, entries, { value: 'u32' });
    const sums = open(whole).header.checksums.offset;
    const header = await spoiled(path, (position, length) => position === 0 && length === 4096);
    hmapError('HMAP_HEADER_CHECKSUM')(header);
    assert.match(
      (header as Error).message,
      /table\.hmap: the new file cannot be opened again, so it does not take its place: /,
    );
    assert.deepEqual(contentOf(folder), before);
    hmapError('HMAP_DAMAGED')(await spoiled(path, (position) => position === sums));
    assert.deepEqual(contentOf(folder), before);
  });
});

describe('integers at the end of what there is', () => {
  test('a bit array whose last integer would pass 2^53 - 1 is refused, and the old file stays', async (t) => {
    const path = join(temporaryFolder(t), 'bits.hmap');
    writeFileSync(path, 'old');
    const options: [number[], Partial<BitsBuildOptions>][] = [
      [[LAST], { base: LAST, length: 5 }],
      [[LAST - 3], { base: LAST - 3, length: 5 }],
      [[], { base: LAST, length: 2 }],
    ];
    for (const [integers, option] of options) {
      const building = build(path, integers, { layout: 'bits', ...option });
      await assert.rejects(
        building,
        /^TypeError: length: expected at most [14] with the base 90071992547409\d\d, got [25]: /,
      );
      assert.equal(readFileSync(path, 'utf8'), 'old');
    }
    for (const [integers, option] of [
      [[LAST], { base: LAST, length: 1 }],
      [[LAST], { base: LAST }],
      [[LAST - 3, LAST], { base: LAST - 3, length: 4 }],
      [[], { base: LAST, length: 0 }],
      [[-LAST], { base: -LAST }],
    ] as [number[], Partial<BitsBuildOptions>][]) {
      await build(path, integers, { layout: 'bits', ...option });
      using bits = open(path, { layout: 'bits' });
      assert.deepEqual([...bits], integers);
    }
  });

  test('a list whose last index would pass 2^53 - 1 is refused, too', async (t) => {
    const path = join(temporaryFolder(t), 'list.hmap');
    for (const [values, base] of [
      [[1, 2], LAST],
      [[1, 2, 3], LAST - 1],
    ] as const) {
      const options: ListBuildOptions = { layout: 'list', value: 'u7', base };
      await assert.rejects(build(path, values, options), hmapError('HMAP_VALUE_RANGE'));
      await build(path, values.slice(1), options);
      using list = open(path, { layout: 'list' });
      assert.equal(list.get(LAST), list.length === 1 ? 2 : 3);
    }
  });
});
