// `warm` does what it says: the index, or the whole file, is in memory soon after opening, though nobody asked for a
// key; and an iteration reads ahead.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { build, open, type Table } from '../../src/index.js';
import { pageCache } from '../../tools/bench/page-cache.js';
import { WORKING } from '../support/mappings.js';
import { Random } from '../support/random.js';
import { temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
const path = join(folder, 'table.hmap');
const MIB = 2 ** 20;
const cache = pageCache();

/** Puts the file out of the page cache; `false` where it stays there, such as in memory. */
function evict(): boolean {
  if (typeof cache === 'string') return false;
  cache.evict(path);
  using table = open(path, { check: 'header', mapping: 'libc' });
  return table.residentBytes()! < 2 * MIB;
}

/** Waits until so many bytes are resident, but no longer than a few seconds; gives how many are. */
async function resident(table: Table, wanted: number): Promise<number> {
  for (let i = 0; i < 300 && table.residentBytes()! < wanted; i++) await sleep(20);
  return table.residentBytes()!;
}

describe('a file that is not in memory', { skip: WORKING.includes('libc') ? false : 'nothing is mapped here' }, () => {
  let fileBytes = 0;
  let indexBytes = 0;
  let isCold = false;
  before(async () => {
    const block = new Random(1).bytes(1200);
    const entries = Array.from({ length: 60_000 }, (_, i) => [`key ${i}`, block] as const);
    const summary = await build(path, entries, { value: 'bytes' });
    fileBytes = summary.fileBytes;
    indexBytes = summary.sections.buckets;
    isCold = evict();
  });

  for (const mapping of WORKING.filter((kind) => kind !== 'copy')) {
    test(`${mapping}: 'all' brings in all of it, 'buckets' the index, 'none' next to nothing`, async (t) => {
      if (!isCold) return t.skip('files stay in memory here');
      assert.ok(fileBytes > 60 * MIB);
      for (const [warm, least, most] of [
        ['none', 0, 2 * MIB],
        ['buckets', indexBytes, 4 * MIB],
        ['all', 0.98 * fileBytes, fileBytes],
      ] as const) {
        evict();
        using table = open(path, { warm, mapping, check: 'header' });
        const bytes = await resident(table, least);
        assert.ok(bytes >= least && bytes <= most, `${warm}: ${bytes} of ${fileBytes}`);
      }
    });

    test(`${mapping}: a closed table does not go on reading`, async (t) => {
      if (!isCold) return t.skip('files stay in memory here');
      evict();
      open(path, { warm: 'all', mapping, check: 'header' }).close();
      await sleep(100);
      using table = open(path, { mapping, check: 'header' });
      assert.ok(table.residentBytes()! < 0.9 * fileBytes, `${table.residentBytes()} of ${fileBytes}`);
    });

    test(`${mapping}: an iteration has read ahead by megabytes`, async (t) => {
      if (!isCold) return t.skip('files stay in memory here');
      evict();
      using table = open(path, { mapping, check: 'header' });
      table.values().next();
      const bytes = await resident(table, 6 * MIB);
      assert.ok(bytes >= 6 * MIB, `${bytes} bytes`);
    });
  }
});
