// Passes over a whole file (verify, stat, dump, iteration) leave what others have in memory alone, and `advice` reaches
// the system.

import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { build, open, stat, verify } from '../../src/index.js';
import { scanFile } from '../../src/internal.js';
import { QuietPass } from '../../src/mapping/quiet-pass.js';
import { pageCache } from '../../tools/bench/page-cache.js';
import { WORKING } from '../support/mappings.js';
import { Random } from '../support/random.js';
import { temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
const MIB = 2 ** 20;
const cache = pageCache();
const block = new Random(1).bytes(1200);
const ENTRIES = 60_000;

/** Files of 70 MB and more. */
const files = {
  hash: join(folder, 'table.hmap'),
  list: join(folder, 'list.hmap'),
  bits: join(folder, 'bits.hmap'),
};
const FORMS = ['hash', 'list', 'bits'] as const;

function resident(path: string, layout: 'hash' | 'list' | 'bits'): number {
  using opened = open(path, { layout: layout as 'hash', check: 'header', mapping: 'libc' });
  return opened.residentBytes()!;
}

/** Bytes of its mappings of a file that a process has touched, by what Linux says; and the flags of the first. */
function smapsOf(path: string): { rss: number; flags: string[] } {
  const parts = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const own = parts.filter((part) => part.split('\n', 1)[0]!.endsWith(` ${path}`));
  const rss = own.reduce((sum, part) => sum + 1024 * Number(/^Rss:\s+(\d+) kB/m.exec(part)![1]), 0);
  return {
    rss,
    flags:
      /^VmFlags: (.*)$/m
        .exec(own[0] ?? '')?.[1]
        ?.trim()
        .split(' ') ?? [],
  };
}

describe('a pass', {
  skip: WORKING.includes('libc') && existsSync('/proc/self/smaps') ? false : 'only Linux tells',
}, () => {
  before(async () => {
    const values = function* () {
      for (let i = 0; i < ENTRIES; i++) yield block;
    };
    const entries = Array.from({ length: ENTRIES }, (_, i) => [`key ${i}`, block] as const);
    await build(files.hash, entries, { value: 'bytes' });
    await build(files.list, values(), { layout: 'list', value: 'bytes' });
    await build(files.bits, [0, 1, 2 ** 29 + 7], { layout: 'bits' });
  });

  /** Some megabytes of the file in memory, and the rest not; `false` where files stay in memory. */
  async function halfCold(path: string, layout: 'hash' | 'list' | 'bits'): Promise<boolean> {
    if (typeof cache === 'string') return false;
    cache.evict(path);
    if (resident(path, layout) > 2 * MIB) return false;
    const fd = openSync(path, 'r');
    readSync(fd, Buffer.alloc(16 * MIB), 0, 16 * MIB, 20 * MIB);
    closeSync(fd);
    // What the system reads ahead comes later.
    for (let last = 0, now = -1; now !== last; now = resident(path, layout)) {
      last = now;
      await sleep(50);
    }
    return true;
  }

  async function leavesAlone(t: TestContext, layout: 'hash' | 'list' | 'bits', pass: (path: string) => unknown) {
    const path = files[layout];
    if (!(await halfCold(path, layout))) return t.skip('files stay in memory here');
    const found = resident(path, layout);
    assert.ok(found >= 16 * MIB && found < 48 * MIB, `${found} bytes to begin with`);
    await pass(path);
    const left = resident(path, layout);
    assert.ok(left > 0.95 * found && left < found + 2 * MIB, `${left} bytes for ${found}`);
  }

  for (const layout of FORMS) {
    test(`of verify leaves in memory what it found there, ${layout}`, (t) =>
      leavesAlone(t, layout, async (path) => assert.ok((await verify(path)).ok)));
    test(`of stat, ${layout}`, (t) => leavesAlone(t, layout, (path) => stat(path)));
    test(`of a dump, ${layout}`, (t) =>
      leavesAlone(t, layout, async (path) => {
        let steps = 0;
        await scanFile(path, 'touch', async (scan) => {
          while (scan.step()) steps++;
        });
        assert.equal(steps, layout === 'bits' ? 3 : ENTRIES);
      }));
  }

  test('of verify leaves no dictionary of distinct values behind', async (t) => {
    const path = join(folder, 'enum.hmap');
    const entries = Array.from({ length: 40_000 }, (_, i) => [`key ${i}`, `${i}`.padStart(500, '-')] as const);
    const { sections } = await build(path, entries, { value: 'enum' });
    assert.ok(sections.dictionary > 16 * MIB);
    if (typeof cache === 'string') return t.skip(cache);
    cache.evict(path);
    if (resident(path, 'hash') > 2 * MIB) return t.skip('files stay in memory here');
    assert.ok((await verify(path)).ok);
    assert.ok(resident(path, 'hash') < 2 * MIB, `${resident(path, 'hash')} bytes`);
  });

  for (const check of ['header', 'touch'] as const) {
    test(`of an iteration leaves the mapping of the lookups alone, too (check: '${check}')`, (t) =>
      leavesAlone(t, 'hash', (path) => {
        using table = open(path, { check, mapping: 'libc' });
        table.get('key 7');
        const { rss } = smapsOf(path);
        let count = 0;
        for (const [key, value] of table) {
          if (count++ % 1000 === 0) assert.deepEqual([key.slice(0, 4), value], ['key ', block]);
        }
        assert.equal(count, ENTRIES);
        assert.ok(smapsOf(path).rss <= rss + MIB, `${smapsOf(path).rss} bytes for ${rss}`);
      }));
  }

  test('of an iteration goes on where the file has gone, or another one has taken its name', async () => {
    const path = join(folder, 'moved.hmap');
    await build(path, [['other', block]], { value: 'bytes' });
    for (const moved of [true, false]) {
      const aside = join(folder, 'aside.hmap');
      using table = open(files.hash, { check: 'header' });
      renameSync(files.hash, aside);
      if (moved) renameSync(path, files.hash);
      try {
        assert.equal([...table.keys()].length, ENTRIES);
      } finally {
        renameSync(aside, files.hash);
      }
    }
    rmSync(path, { force: true });
  });

  test('of an iteration that ends early, or is left, closes what it has opened', async () => {
    const descriptors = () => readdirSync('/proc/self/fd').length;
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    using table = open(files.hash, { check: 'header' });
    const before = descriptors();
    for (let i = 0; i < 50; i++) for (const key of table.keys()) if (key.length > 0) break;
    assert.equal(descriptors(), before);
    for (let i = 0; i < 50; i++) table.keys().next();
    assert.equal(descriptors(), before + 50);
    for (let i = 0; i < 100 && descriptors() > before; i++) {
      collect();
      await sleep(10);
    }
    assert.equal(descriptors(), before);
  });

  test('that others watch keeps pages that they have mapped', async (t) => {
    if (!(await halfCold(files.hash, 'hash'))) return t.skip('files stay in memory here');
    using table = open(files.hash, { check: 'header', mapping: 'libc' });
    const fd = openSync(files.hash, 'r');
    try {
      const trace = QuietPass.over(fd)!.note(40 * MIB, 4 * MIB);
      // Looked up while the pass goes on.
      for (let i = 0; i < 3000; i++) table.get(`key ${i}`);
      const found = table.residentBytes()!;
      trace.drop();
      assert.equal(table.residentBytes(), found);
    } finally {
      closeSync(fd);
    }
  });

  after(() => {
    for (const path of Object.values(files)) rmSync(path, { force: true });
  });
});

test('`advice` says how pages come in', {
  skip: existsSync('/proc/self/smaps') ? false : 'only Linux tells',
}, async () => {
  const path = join(folder, 'small.hmap');
  await build(path, [['key', 1]], { value: 'u8' });
  for (const mapping of WORKING.filter((kind) => kind !== 'copy')) {
    for (const [options, isRandom] of [
      [{}, true],
      [{ advice: 'random' }, true],
      [{ advice: 'normal' }, false],
    ] as const) {
      using table = open(path, { mapping, ...options });
      assert.equal(table.get('key'), 1);
      // By the last of its mappings: those of mmap-io stay until they are collected.
      const { flags } = smapsOf(path);
      if (mapping !== 'mmap-io') assert.equal(flags.includes('rr'), isRandom, `${mapping} ${options}: ${flags}`);
    }
  }
  assert.throws(() => open(path, { advice: 'sequential' as 'normal' }), {
    name: 'TypeError',
    message: /^advice: expected one of random, normal, got sequential$/,
  });
});
