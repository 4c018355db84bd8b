// Holds the tests' own writer of files (support/raw-table.ts) to the library's, byte for byte: what it breaks on
// purpose is all that is broken.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import type { ValueType } from '../../src/index.js';
import { fileHeader } from '../../src/storage/open-file.js';
import { FIXTURES, fixturePath } from '../support/fixtures.js';
import { Random } from '../support/random.js';
import { canonicalParts, compose, type RawOptions } from '../support/raw-table.js';
import { EXTREMES, KEY_KINDS, keysOf, sampleOf, VALUE_TYPES } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';
import { assertSameFile, libraryTable } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);

describe('the raw writer makes what the builder makes', () => {
  for (const { name, options, entries } of FIXTURES) {
    test(`of the golden file ${name}`, () => {
      const reversed = [...entries].reverse();
      const path = fixturePath(`${name}.hmap`);
      // As the file has it: a text for a schema, and what became of `uint`.
      const { valueType: value, narrowed } = fileHeader(path);
      assertSameFile(path, compose(canonicalParts(reversed, { ...options, value, narrowed } as RawOptions)));
    });
  }

  for (const value of VALUE_TYPES) {
    test(`of keys of each kind with values of ${value}`, async () => {
      const random = new Random(VALUE_TYPES.indexOf(value));
      for (const kind of KEY_KINDS) {
        for (const count of [0, 1, random.between(2, 40), random.between(41, 2000)]) {
          const entries = keysOf(kind, count, random).map((key) => [key, sampleOf(value, random)] as const);
          const segmentBytes = random.pick([2 ** 31 - 1, 65_536, 32_768]);
          await assertSame(entries, { value, seed: random.u32(), segmentBytes });
        }
      }
    });
  }

  for (const fingerprint of [8, 16, 24, 32]) {
    test(`of fingerprints of ${fingerprint} bits`, async () => {
      const random = new Random(fingerprint);
      for (const value of VALUE_TYPES) {
        for (const count of [0, 1, random.between(2, 40), random.between(41, 3000)]) {
          const entries = keysOf('mixed', count, random).map((key) => [key, sampleOf(value, random)] as const);
          const segmentBytes = random.pick([2 ** 31 - 1, 65_536, 32_768]);
          await assertSame(entries, { value, fingerprint, seed: random.u32(), segmentBytes });
        }
      }
    });
  }

  test('of several blocks, with metadata of several pages', async () => {
    const random = new Random(1);
    const entries = Array.from({ length: 300 }, (_, i) => [`key ${i}`, random.bytes(random.below(2000))] as const);
    const metadata = { z: 'x'.repeat(9000), '\uffee': 1, '\u{1f600}': [{ b: null, a: -0.5 }], 10: true, 9: '"' };
    const file = await assertSame(entries, { value: 'bytes', metadata });
    assert.ok(file.length > 3 * 65_536);
  });

  test('of the extremes of each type', async () => {
    for (const [value, list] of Object.entries(EXTREMES)) {
      const entries = list.map((extreme, i) => [`${value} ${i}`, extreme] as const);
      await assertSame(entries, { value: value as ValueType });
    }
  });
});

async function assertSame(entries: readonly (readonly [string, unknown])[], options: RawOptions): Promise<Buffer> {
  const path = await libraryTable(folder, entries, options as never);
  const file = readFileSync(path);
  assertSameFile(path, compose(canonicalParts(entries, options)), JSON.stringify(options));
  return file;
}
