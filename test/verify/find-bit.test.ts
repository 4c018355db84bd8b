// `verify` names the flipped bit that explains a wrong checksum, and the program the record it is in; where no one bit
// does, it says no more than before.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { build, inspectKey, verify } from '../../src/index.js';
import { misuse } from '../support/errors.js';
import { Random } from '../support/random.js';
import { temporaryFolder } from '../support/temp.js';
import { hmap } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
const path = join(folder, 'table.hmap');
const damaged = join(folder, 'damaged.hmap');

before(async () => {
  await build(
    path,
    Array.from({ length: 20 }, (_, i) => [`key ${i}`, `value ${i}`] as const),
    { value: 'utf8' },
  );
});

/** Writes a copy with bits flipped. */
function flip(...bits: { offset: number; bit: number }[]): void {
  const bytes = readFileSync(path);
  for (const { offset, bit } of bits) bytes[offset]! ^= 1 << bit;
  writeFileSync(damaged, bytes);
}

describe('a flipped bit', () => {
  test('anywhere in a block is named', async () => {
    const random = new Random(5);
    const size = readFileSync(path).length;
    for (let i = 0; i < 20; i++) {
      // From the heap to the end of the index: behind it are the checksums.
      const place = { offset: 4096 + random.below(size - 4096 - 8), bit: random.below(8) };
      flip(place);
      const { findings } = await verify(damaged, { findBits: 1 });
      const found = findings.find(({ code }) => code === 'HMAP_BLOCK_CHECKSUM');
      assert.deepEqual(found?.bit, place);
      assert.match(found!.message, new RegExp(`; it fits if bit ${place.bit} of byte ${place.offset} is flipped$`));
    }
  });

  test('is looked for only where that was asked for, and in so many blocks', async () => {
    flip({ offset: 4100, bit: 3 });
    assert.ok((await verify(damaged)).findings.every(({ bit }) => bit === undefined));
    for (const findBits of [-1, 0.5, '1', null]) {
      await assert.rejects(verify(damaged, { findBits } as never), misuse(/^findBits: /));
    }
  });

  test('explains nothing where two are', async () => {
    flip({ offset: 4100, bit: 3 }, { offset: 4200, bit: 0 });
    const { findings } = await verify(damaged, { findBits: 3 });
    assert.ok(findings.some(({ code }) => code === 'HMAP_BLOCK_CHECKSUM'));
    assert.ok(findings.every(({ bit }) => bit === undefined));
  });

  test('of a block of 64 KiB among others', async () => {
    const large = join(folder, 'large.hmap');
    await build(
      large,
      Array.from({ length: 3000 }, (_, i) => [`key ${i}`, 'x'.repeat(60)] as const),
      { value: 'utf8' },
    );
    const bytes = readFileSync(large);
    const place = { offset: 4096 + 65_536 + 900, bit: 6 };
    bytes[place.offset]! ^= 1 << place.bit;
    writeFileSync(damaged, bytes);
    const { findings } = await verify(damaged, { findBits: 1 });
    assert.deepEqual(findings.find(({ code }) => code === 'HMAP_BLOCK_CHECKSUM')?.bit, place);
  });

  test('is told by the program, with its record', async () => {
    const { record } = inspectKey(path, 'key 7');
    const place = { offset: record!.valueOffset + 2, bit: 5 };
    flip(place);
    const ran = await hmap(['verify', damaged]);
    assert.equal(ran.code, 1);
    const told = `; it fits if bit 5 of byte ${place.offset} is flipped, in the record of key "key 7"\n`;
    assert.ok(ran.stdout.includes(told), ran.stdout);
    assert.ok(!(await hmap(['verify', '--no-find-bit', damaged])).stdout.includes('flipped'));
    const [first] = JSON.parse((await hmap(['verify', '--json', damaged])).stdout).findings;
    assert.deepEqual(first.bit, place);
    // Where no record is.
    flip({ offset: readFileSync(path).length - 40, bit: 0 });
    assert.doesNotMatch((await hmap(['verify', damaged])).stdout, /in the record/);
  });
});
