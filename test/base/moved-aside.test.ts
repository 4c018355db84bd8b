// Names of files that are moved aside, and of other temporary files: whose they are, and that they fit.

import assert from 'node:assert/strict';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isNamedFor, movedAside, prefixOf } from '../../src/base/moved-aside.js';
import { temporaryFolder } from '../support/temp.js';

const REST = '1234567890-0123abcd-4567cdef.tmp.spill';

describe('names of temporary files', () => {
  test('fit, and tell outputs apart whose names begin alike', () => {
    const long = '\u8a9e'.repeat(80);
    for (const name of ['a', long, 'x'.repeat(255), '\ud83d\ude00'.repeat(60)]) {
      assert.ok(Buffer.byteLength(prefixOf(name) + REST) <= 255, name);
      assert.ok(prefixOf(name).isWellFormed(), name);
    }
    assert.equal(prefixOf('table.hmap'), '.table.hmap.');
    assert.notEqual(prefixOf(`${long}1`), prefixOf(`${long}2`));
    assert.ok(isNamedFor(`.table.hmap.${REST}`, prefixOf('table.hmap')));
    assert.equal(isNamedFor(`.Table.hmap.${REST}`, prefixOf('table.hmap')), process.platform === 'win32');
  });
});

describe('a file that was moved aside', () => {
  test('is the newest of its output, and of no other', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'a.hmap');
    assert.equal(movedAside(path), undefined);
    assert.equal(movedAside(join(folder, 'missing', 'a.hmap')), undefined);
    for (const name of ['.a.hmap.1-0123abcd-4567cdef.tmp', '.b.hmap.1-0123abcd-4567cdef.old', '.a.hmap.x.old']) {
      writeFileSync(join(folder, name), '');
    }
    assert.equal(movedAside(path), undefined);
    const old = join(folder, '.a.hmap.1-0123abcd-4567cdef.old');
    writeFileSync(old, '');
    assert.equal(movedAside(path), old);
    const newer = join(folder, '.a.hmap.2-0123abcd-4567cdef.old');
    mkdirSync(join(folder, 'x'));
    utimesSync(old, 0, 0);
    // The clock of file systems ticks every few milliseconds.
    await sleep(30);
    writeFileSync(newer, '');
    assert.equal(movedAside(path), newer);
  });
});
