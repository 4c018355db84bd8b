// Texts that are longer than a string can be: refused when a file is built, reported by verify, and never a bare error.

import assert from 'node:assert/strict';
import { constants } from 'node:buffer';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { build, open, verify } from '../../src/index.js';
import { ByteBuffer, valueEncoder } from '../../src/internal.js';
import { textEncoding } from '../../tools/formats/text.js';
import { hmapError } from '../support/errors.js';
import { writeLongValue } from '../support/sparse-table.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, hmap } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
const MOST = constants.MAX_STRING_LENGTH;

test('the longest string is what the format says', () => {
  assert.equal(MOST, 2 ** 29 - 24);
});

describe('a text of one byte more', () => {
  for (const type of ['utf8', 'json'] as const) {
    test(`${type}: is refused by build`, async () => {
      const path = join(folder, `built-${type}.hmap`);
      // Each character takes three bytes.
      const entries = [['a', '\u20ac'.repeat(Math.ceil((MOST + 1) / 3))]] as const;
      const told = hmapError('HMAP_VALUE_TOO_LONG', { key: 'a', message: /at most 536870888 bytes/ });
      await assert.rejects(build(path, entries, { value: type }), told);
    });

    test(`${type}: is refused in a line`, () => {
      const encoding = textEncoding(type, valueEncoder(type));
      const line = new ByteBuffer(MOST + 1);
      const out = { buffer: line, at: 0, length: 0 };
      assert.throws(() => encoding(line, 0, MOST + 1, out), { code: 'HMAP_VALUE_TOO_LONG' });
    });

    test(`${type}: is found by verify, and get, iteration and dump say so`, async () => {
      const path = join(folder, `${type}.hmap`);
      writeLongValue(path, type, MOST + 1);
      // The blocks do not match their checksums either.
      const { findings } = await verify(path, { limit: 100_000 });
      assert.ok(findings.some(({ code, message }) => code === 'HMAP_VALUE' && message.includes(`not valid ${type}`)));
      using table = open(path, { check: 'header' });
      const told = hmapError('HMAP_VALUE_TOO_LONG', { actual: MOST + 1, message: /longer than a string can be/ });
      assert.throws(() => table.get('a'), told);
      assert.throws(() => table.getMany(['a']), told);
      assert.throws(() => [...table.values()], told);
      assert.ok(table.has('a'));
      assert.equal(table.getView('a')!.length, MOST + 1);
    });
  }
});

test('values that are too long for a string are printed where they can be, and refused with a code elsewhere', async () => {
  const path = join(folder, 'bytes.hmap');
  writeLongValue(path, 'bytes', MOST + 1);
  for (const format of ['csv', 'jsonl']) {
    const ran = await hmap(['dump', '--check', 'header', '--format', format, path]);
    assertRefused(ran, /a value of 536870889 bytes is too long for the format '(csv|jsonl)'; use cdb/);
  }
});
