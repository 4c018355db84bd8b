// Tests that a table switches to a newer file at its path, whole and between two lookups, and keeps the old one if the
// new one is bad.

import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { replaceFile } from '../../src/build/common/replace.js';
import { type BuildOptions, build, HmapError, type OpenOptions, open, type Table } from '../../src/index.js';
import { identityOf, isKnown, statsOf } from '../../src/read/file-identity.js';
import { watchFile } from '../../src/read/watch.js';
import { runModule } from '../support/child.js';
import { hmapError, misuse } from '../support/errors.js';
import { WORKING } from '../support/mappings.js';
import { temporaryFolder } from '../support/temp.js';

const COUNT = 500;

/** Builds version `n`: each of its values says so, and so does the number of its keys. */
async function publish(path: string, n: number, options: Partial<BuildOptions> = {}): Promise<void> {
  const entries = Array.from({ length: COUNT + n }, (_, i) => [`key ${i}`, n] as const);
  await build(path, entries, { value: 'u32', metadata: { version: String(n) }, ...options } as BuildOptions<'u32'>);
}

/** Holds a table to version `n`, in every way of asking. */
function assertVersion(table: Table<unknown>, n: number): void {
  assert.equal(table.header.metadata?.version, String(n));
  assert.equal(table.size, COUNT + n);
  assert.equal(table.get('key 7'), n);
  assert.equal(table.get(`key ${COUNT + n - 1}`), n);
  assert.equal(table.get(`key ${COUNT + n}`), undefined);
  assert.equal(table.has(`key ${COUNT + n}`), false);
  assert.deepEqual(table.getMany(['key 1', `key ${COUNT + n}`]), [n, undefined]);
  assert.equal(table.getView('key 3')![0], n);
  assert.deepEqual(new Set(table.values()), new Set([n]));
  assert.equal([...table.keys()].length, COUNT + n);
}

async function firstVersion(t: TestContext): Promise<string> {
  const path = join(temporaryFolder(t), 'table.hmap');
  await publish(path, 1);
  return path;
}

/** Mappings of a file in this process, also of one that has lost its name; `undefined` if the system does not say. */
function mappingsOf(path: string): number | undefined {
  if (process.platform !== 'linux') return undefined;
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes(path)).length;
}

/** Ways in which the file at a path becomes no good for a table. */
const BAD: Record<string, { code: Parameters<typeof hmapError>[0]; make: (path: string) => unknown }> = {
  'of another kind': {
    code: 'HMAP_NOT_A_TABLE',
    make: (path) => replace(path, Buffer.from('no table'.repeat(1000))),
  },
  'that is empty': { code: 'HMAP_NOT_A_TABLE', make: (path) => replace(path, Buffer.alloc(0)) },
  'that is cut short': { code: 'HMAP_TRUNCATED', make: (path) => replace(path, readFileSync(path).subarray(0, -1)) },
  'with a damaged header': {
    code: 'HMAP_HEADER_CHECKSUM',
    make(path) {
      const bytes = readFileSync(path);
      bytes[70]! ^= 1;
      replace(path, bytes);
    },
  },
  'with keys of another type': {
    code: 'HMAP_KEY_TYPE',
    make: (path) => build(path, [[7, 1]], { key: 'u32', value: 'u32' }),
  },
  'with values of another type': {
    code: 'HMAP_VALUE_TYPE',
    make: (path) => build(path, [['key 7', 'text']], { value: 'utf8' }),
  },
};

const isWindows = process.platform === 'win32';
const noLinks = isWindows && 'not everybody may make links there';
const noRemoval = isWindows && 'a file that is mapped cannot be removed, written or renamed over';

/** Puts bytes in the place of a file in one step. */
function replace(path: string, bytes: Uint8Array): void {
  const other = `${path}.other`;
  writeFileSync(other, bytes);
  replaceFile(other, path, join(dirname(path), '.test.1-00000000-00000000'));
}

function withDamagedBlock(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 9]! ^= 1;
  replace(path, bytes);
}

describe('reload', () => {
  for (const mapping of WORKING) {
    for (const check of ['header', 'touch', 'full'] as const) {
      test(`takes a newer file up, again and again: ${mapping}, ${check}`, async (t) => {
        const path = await firstVersion(t);
        using table = open(path, { mapping, check });
        assertVersion(table, 1);
        assert.equal(table.reload(), false);
        for (let n = 2; n < 8; n++) {
          await publish(path, n);
          assertVersion(table, n - 1);
          assert.equal(table.reload(), true);
          assert.equal(table.reload(), false);
          assert.equal(table.mapping, mapping);
          assertVersion(table, n);
        }
      });
    }
  }

  test('a file that was built anew with the same content is another one', async (t) => {
    const path = await firstVersion(t);
    using table = open(path);
    await publish(path, 1);
    assert.equal(table.reload(), true);
    assertVersion(table, 1);
  });

  /** Versions of one size, with the times that an archive gives them. */
  async function archived(t: TestContext): Promise<{ path: string; unpack: (n: number) => void }> {
    const path = join(temporaryFolder(t), 'table.hmap');
    const versions: Buffer[] = [];
    for (const n of [1, 2]) {
      await build(path, [['k', n]], { value: 'u32' });
      versions.push(readFileSync(path));
    }
    assert.equal(versions[0]!.length, versions[1]!.length);
    const unpack = (n: number) => {
      writeFileSync(path, versions[n - 1]!);
      utimesSync(path, 1e9, 1e9);
    };
    unpack(1);
    return { path, unpack };
  }

  for (const mapping of WORKING) {
    const skip = mapping !== 'copy' && noRemoval;
    test(`a file of the same inode, size and time of change is another one, through ${mapping}`, {
      skip,
    }, async (t) => {
      const { path, unpack } = await archived(t);
      using table = open(path, { mapping });
      assert.equal(table.get('k'), 1);
      assert.equal(table.reload(), false);
      const before = statSync(path);
      unpack(2);
      const after = statSync(path);
      assert.deepEqual([after.ino, after.size, after.mtimeMs], [before.ino, before.size, before.mtimeMs]);
      assert.equal(table.reload(), true);
      assert.equal(table.get('k'), 2);
      // What changes no byte of it makes no other file.
      chmodSync(path, 0o600);
      assert.equal(table.reload(), false);
    });
  }

  test('such a file is seen by watch', async (t) => {
    const { path, unpack } = await archived(t);
    let seen = 0;
    using table = open(path, { mapping: 'copy', watch: { interval: 10 }, onReload: () => seen++ });
    unpack(2);
    for (let i = 0; i < 200 && seen === 0; i++) await sleep(10);
    assert.deepEqual([seen, table.get('k')], [1, 2]);
  });

  test('where the times say too little, headers are compared', async (t) => {
    const folder = temporaryFolder(t);
    const [one, two] = [join(folder, 'one.hmap'), join(folder, 'two.hmap')];
    await build(one, [['k', 1]], { value: 'u32' });
    await build(two, [['k', 2]], { value: 'u32' });
    const [a, b] = [openSync(one, 'r'), openSync(two, 'r')];
    const year = 365n * 86_400n * 10n ** 9n;
    const known = identityOf(a, statsOf(fstatSync(a, { bigint: true })));
    // As if the second one had all that the system says of the first one.
    assert.deepEqual([isKnown(a, known, known), isKnown(b, known, known)], [true, false], 'it is young');
    const old = { ...known, mtimeNs: known.ctimeNs - 1n, askedNs: known.askedNs + year };
    assert.deepEqual([isKnown(a, old, old), isKnown(b, old, old)], [true, true], 'the system is trusted');
    const same = { ...old, mtimeNs: old.ctimeNs };
    assert.deepEqual([isKnown(a, same, same), isKnown(b, same, same)], [true, false], 'one time for both');
    for (const fd of [a, b]) closeSync(fd);
  });

  for (const [name, { code, make }] of Object.entries(BAD)) {
    test(`a file ${name} is refused, and the old one stays`, async (t) => {
      const path = await firstVersion(t);
      using table = open(path);
      await make(path);
      for (let i = 0; i < 3; i++) assert.throws(() => table.reload(), hmapError(code, { path }));
      assertVersion(table, 1);
      await publish(path, 2);
      assert.equal(table.reload(), true);
      assertVersion(table, 2);
    });
  }

  test('no file is refused, and the old one stays', { skip: noRemoval }, async (t) => {
    const path = await firstVersion(t);
    using table = open(path);
    rmSync(path);
    assert.throws(() => table.reload(), hmapError('ENOENT', { path }));
    assertVersion(table, 1);
    await publish(path, 2);
    assert.equal(table.reload(), true);
    assertVersion(table, 2);
  });

  test('a damaged block is refused with check full; with touch it is reported when it is needed', async (t) => {
    const path = await firstVersion(t);
    using full = open(path, { check: 'full' });
    using touch = open(path);
    await publish(path, 2);
    withDamagedBlock(path);
    assert.throws(() => full.reload(), hmapError('HMAP_DAMAGED', { path }));
    assertVersion(full, 1);
    assert.equal(touch.reload(), true);
    assert.throws(() => touch.get('key 7'), hmapError('HMAP_DAMAGED'));
  });

  test('a symbolic link that is switched, at the end of the path or in it', { skip: noLinks }, async (t) => {
    const folder = temporaryFolder(t);
    for (const n of [1, 2]) {
      await publish(join(folder, `${n}.hmap`), n);
    }
    symlinkSync('1.hmap', join(folder, 'link.hmap'));
    symlinkSync(folder, join(folder, 'folder'));
    using table = open(join(folder, 'folder', 'link.hmap'));
    assertVersion(table, 1);
    symlinkSync('2.hmap', join(folder, 'next'));
    renameSync(join(folder, 'next'), join(folder, 'link.hmap'));
    assert.equal(table.reload(), true);
    assertVersion(table, 2);
    const other = temporaryFolder(t);
    await publish(join(other, 'link.hmap'), 3);
    symlinkSync(other, join(folder, 'next'));
    renameSync(join(folder, 'next'), join(folder, 'folder'));
    assert.equal(table.reload(), true);
    assertVersion(table, 3);
  });

  test('a relative path means what it meant when the table was opened', async (t) => {
    const path = await firstVersion(t);
    const before = process.cwd();
    process.chdir(dirname(path));
    try {
      using table = open(basename(path));
      process.chdir(before);
      await publish(path, 2);
      assert.equal(table.reload(), true);
      assertVersion(table, 2);
    } finally {
      process.chdir(before);
    }
  });

  test('an iteration continues over the version with which it began', async (t) => {
    const path = await firstVersion(t);
    for (const mapping of WORKING) {
      await publish(path, 1);
      using table = open(path, { mapping });
      const iterations = [table.entries(), table.keys(), table.values()];
      for (const iteration of iterations) iteration.next();
      await publish(path, 2);
      table.reload();
      await publish(path, 3);
      table.reload();
      for (const iteration of iterations) assert.equal([...iteration].length, COUNT);
      assertVersion(table, 3);
    }
  });

  test('forEach continues over the version with which it began', async (t) => {
    const path = await firstVersion(t);
    using table = open(path);
    await publish(path, 2);
    const values: unknown[] = [];
    table.forEach((value) => {
      if (values.length === 10) assert.equal(table.reload(), true);
      values.push(value);
    });
    assert.deepEqual(values, new Array(COUNT + 1).fill(1));
    assertVersion(table, 2);
  });

  test('all answers of one getMany come from one version, whatever its keys do', async (t) => {
    const path = await firstVersion(t);
    using table = open(path);
    await publish(path, 2);
    const keys = Array.from({ length: 1000 }, (_, i) => `key ${i % COUNT}`);
    let reads = 0;
    const { proxy } = Proxy.revocable(keys, {
      get(target, name, receiver) {
        if (name === '700' && reads++ === 0) table.reload();
        return Reflect.get(target, name, receiver);
      },
    });
    assert.deepEqual(new Set(table.getMany(proxy)), new Set([2]));
    assert.ok(reads > 0);
  });

  test('views of the old file still show it', async (t) => {
    const path = await firstVersion(t);
    for (const mapping of WORKING) {
      await publish(path, 1);
      using table = open(path, { mapping });
      const views = [table.getView('key 1')!, table.getManyViews(['key 2'])[0]!];
      await publish(path, 2);
      assert.equal(table.reload(), true);
      assert.deepEqual(
        views.map((view) => view[0]),
        [1, 1],
      );
      assertVersion(table, 2);
    }
  });

  test('views of the version that an iterable of keys has loaded still show it', async (t) => {
    const path = await firstVersion(t);
    for (const mapping of WORKING) {
      await publish(path, 1);
      using table = open(path, { mapping });
      await publish(path, 2);
      const reloading = function* () {
        table.reload();
        yield 'key 5';
      };
      const [view] = table.getManyViews(reloading());
      await publish(path, 3);
      assert.equal(table.reload(), true);
      assert.equal(view![0], 2);
    }
  });

  test('the old file is released: at once, or when the last iteration over it ends', {
    skip: (process.platform !== 'linux' || !WORKING.includes('libc')) && 'needs libc and /proc',
  }, async (t) => {
    const path = await firstVersion(t);
    using table = open(path, { mapping: 'libc' });
    const one = mappingsOf(path)!;
    assert.ok(one > 0);
    for (let n = 2; n < 20; n++) {
      await publish(path, n);
      table.get('key 1');
      table.reload();
      assert.equal(mappingsOf(path), one);
    }
    const left = table.keys();
    left.next();
    const ended = table.entries();
    ended.next();
    await publish(path, 20);
    table.reload();
    assert.ok(mappingsOf(path)! > one);
    left.return(undefined);
    assert.ok(mappingsOf(path)! > one);
    assert.equal([...ended].length, COUNT + 18);
    assert.equal(mappingsOf(path), one);
    table.close();
    assert.equal(mappingsOf(path), 0);
  });

  test('an iteration over an old version ends when the table is closed', async (t) => {
    const path = await firstVersion(t);
    const table = open(path);
    const iteration = table.keys();
    iteration.next();
    await publish(path, 2);
    table.reload();
    table.close();
    assert.throws(() => iteration.next(), hmapError('HMAP_CLOSED'));
    // mmap-io releases it when its memory is collected.
    if (table.mapping !== 'mmap-io' && mappingsOf(path) !== undefined) assert.equal(mappingsOf(path), 0);
  });
});

/** Waits for what a watching table does by itself. */
async function until(what: string, holds: () => boolean): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (holds()) return;
    await sleep(10);
  }
  assert.fail(`in ten seconds there was no ${what}`);
}

/** A watched table, and what it has reported. */
function watched(t: TestContext, path: string, options: Omit<OpenOptions, 'key'> = {}) {
  const told = { reloads: 0, errors: [] as unknown[] };
  const table = open(path, {
    watch: { interval: 10 },
    onReload(reloaded) {
      assert.equal(reloaded, table);
      told.reloads++;
    },
    onError: (error) => told.errors.push(error),
    ...options,
    key: 'string',
  });
  t.after(() => table.close());
  return { table, told };
}

/** Longer than some intervals, so that what must not happen would have happened. */
const A_WHILE = 150;

describe('watch', () => {
  for (const mapping of WORKING) {
    test(`takes newer files up by itself: ${mapping}`, async (t) => {
      const path = await firstVersion(t);
      const { table, told } = watched(t, path, { mapping });
      for (let n = 2; n < 6; n++) {
        await publish(path, n);
        await until('reload', () => told.reloads === n - 1);
        assertVersion(table, n);
      }
      await sleep(A_WHILE);
      assert.equal(told.reloads, 4);
      assert.deepEqual(told.errors, []);
    });
  }

  test('a file that is missing for a moment, and a symbolic link that is switched', { skip: noLinks }, async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'link.hmap');
    for (const n of [1, 2, 3]) await publish(join(folder, `${n}.hmap`), n);
    symlinkSync('1.hmap', path);
    const { table, told } = watched(t, path);
    rmSync(path);
    await sleep(A_WHILE);
    assertVersion(table, 1);
    symlinkSync('2.hmap', path);
    await until('reload', () => told.reloads === 1);
    assertVersion(table, 2);
    symlinkSync('3.hmap', join(folder, 'next'));
    renameSync(join(folder, 'next'), path);
    await until('reload', () => told.reloads === 2);
    assertVersion(table, 3);
    renameSync(join(folder, '3.hmap'), join(folder, 'elsewhere'));
    await sleep(A_WHILE);
    renameSync(join(folder, 'elsewhere'), join(folder, '3.hmap'));
    await sleep(A_WHILE);
    assert.equal(told.reloads, 2, 'the same file is back');
    assert.deepEqual(told.errors, []);
  });

  for (const [name, { code, make }] of Object.entries(BAD)) {
    test(`a file ${name} is reported once, and the old one stays`, async (t) => {
      const path = await firstVersion(t);
      const { table, told } = watched(t, path);
      await make(path);
      await until('error', () => told.errors.length > 0);
      hmapError(code, { path })(told.errors[0]);
      await sleep(A_WHILE);
      assert.equal(told.errors.length, 1);
      assertVersion(table, 1);
      await publish(path, 2);
      await until('reload', () => told.reloads === 1);
      assertVersion(table, 2);
    });
  }

  test('a damaged block with check full is reported, and the old file stays', async (t) => {
    const path = await firstVersion(t);
    const { table, told } = watched(t, path, { check: 'full' });
    await publish(path, 2);
    withDamagedBlock(path);
    await until('error', () => told.errors.length > 0);
    // The whole version 2 may have been seen before it was damaged.
    hmapError('HMAP_DAMAGED', { path })(told.errors[0]);
    assertVersion(table, told.reloads === 0 ? 1 : 2);
  });

  test('a bad file that comes between the look and the opening is reported once', async (t) => {
    const path = await firstVersion(t);
    const other = { dev: 0n, ino: 0n, size: 0n, mtimeNs: 0n, ctimeNs: 0n, askedNs: 0n, mark: '' };
    let opened = 0;
    const errors: unknown[] = [];
    // biome-ignore lint/correctness/useYield: it fails before its first step
    function* refusing(): Generator<unknown, string, void> {
      if (opened++ === 0) replace(path, readFileSync(path));
      throw new HmapError('HMAP_VALUE_TYPE', 'bad');
    }
    const stop = watchFile<string>(
      { path, current: () => other, open: refusing, adopt: () => {}, onError: (error) => errors.push(error) },
      10,
    );
    await until('report', () => errors.length > 0);
    await sleep(A_WHILE);
    stop();
    assert.deepEqual([errors.length, opened], [1, 2]);
  });

  test('a long check gives other work its turns', async (t) => {
    const path = await firstVersion(t);
    const other = { dev: 0n, ino: 0n, size: 0n, mtimeNs: 0n, ctimeNs: 0n, askedNs: 0n, mark: '' };
    let turns = 0;
    let steps = 0;
    let adopted: unknown;
    const count = () => {
      turns++;
      if (adopted === undefined) setImmediate(count);
    };
    function* slowly(): Generator<unknown, string, void> {
      setImmediate(count);
      for (; steps < 200; steps++) {
        const start = performance.now();
        while (performance.now() - start < 1);
        yield;
      }
      return 'checked';
    }
    const stop = watchFile<string>(
      {
        path,
        current: () => other,
        open: slowly,
        adopt(version) {
          adopted = version;
          stop();
        },
        onError: (error) => assert.fail(String(error)),
      },
      10,
    );
    await until('end of the check', () => adopted !== undefined);
    assert.deepEqual([adopted, steps], ['checked', 200]);
    assert.ok(turns >= 5, `${turns} turns in 200 ms of work`);
  });

  test('a file that grows into its place is taken up when it is whole', { skip: noRemoval }, async (t) => {
    const path = await firstVersion(t);
    const { table, told } = watched(t, path);
    const next = join(dirname(path), 'next.hmap');
    await publish(next, 2);
    const bytes = readFileSync(next);
    // As `cp` would do it: not in one step, and over the file that is mapped; so this reader has a copy.
    rmSync(path);
    for (const part of [1, 4096, 5000, bytes.length]) {
      writeFileSync(path, bytes.subarray(0, part));
      await sleep(30);
    }
    await until('reload', () => told.reloads === 1);
    assertVersion(table, 2);
    for (const error of told.errors) assert.match((error as { code: string }).code, /^HMAP_(TRUNCATED|NOT_A_TABLE)$/);
  });

  test('close ends it, also while a file is being checked', async (t) => {
    const path = await firstVersion(t);
    const { table, told } = watched(t, path, { check: 'full' });
    const many = Array.from({ length: 300_000 }, (_, i) => [`key ${i}`, 3] as const);
    await build(path, many, { value: 'u32' });
    await sleep(20);
    table.close();
    const { reloads } = told;
    await sleep(A_WHILE);
    await publish(path, 4);
    await sleep(A_WHILE);
    assert.equal(told.reloads, reloads);
    assert.deepEqual(told.errors, []);
    assert.equal(table.closed, true);
    // mmap-io releases it when its memory is collected.
    if (table.mapping !== 'mmap-io' && mappingsOf(path) !== undefined) assert.equal(mappingsOf(path), 0);
  });

  test('reload may be called besides', async (t) => {
    const path = await firstVersion(t);
    const { table, told } = watched(t, path);
    await publish(path, 2);
    table.reload();
    assertVersion(table, 2);
    await sleep(A_WHILE);
    assert.ok(told.reloads <= 1);
    assertVersion(table, 2);
  });

  test('does not keep the process alive, and warns where nobody listens', { skip: noRemoval }, async (t) => {
    const path = await firstVersion(t);
    const script = `
      import { setTimeout } from 'node:timers/promises';
      import { writeFileSync, renameSync } from 'node:fs';
      const [path] = process.argv.slice(1);
      process.on('warning', (warning) => console.log(warning.code));
      const table = hmap.open(path, { watch: { interval: 10 } });
      writeFileSync(path + '.bad', 'bad'.repeat(2000));
      renameSync(path + '.bad', path);
      await setTimeout(300);
      console.log(table.get('key 1'));`;
    const outcome = await runModule(script, [path]);
    assert.deepEqual(outcome, { status: 0, signal: null, stdout: 'HMAP_NOT_A_TABLE\n1\n', stderr: outcome.stderr });
  });

  test('what a callback throws is not swallowed', async (t) => {
    const path = await firstVersion(t);
    const script = `
      const [path] = process.argv.slice(1);
      const table = hmap.open(path, { watch: { interval: 10 }, onReload() { throw new Error('mine'); } });
      await hmap.build(path, [['a', 1]], { value: 'u32' });
      setTimeout(() => process.exit(3), 5000);`;
    const { status, stderr } = await runModule(script, [path]);
    assert.equal(status, 1);
    assert.match(stderr, /Error: mine/);
  });

  test('misuse is a TypeError that names the option', async (t) => {
    const path = await firstVersion(t);
    const cases: [unknown, RegExp][] = [
      [{ watch: 'yes' }, /^watch: expected a boolean or an object/],
      [{ watch: null }, /^watch: expected a value, .*got null/],
      [{ watch: { interval: null } }, /^interval: expected a value, .*got null/],
      [{ watch: {} }, /^watch.interval: expected an integer of milliseconds from 10 to 2147483647, got undefined/],
      [{ watch: { interval: 9 } }, /^watch.interval: .* got 9/],
      [{ watch: { interval: 10.5 } }, /^watch.interval/],
      [{ watch: { interval: 2 ** 31 } }, /^watch.interval/],
      [{ watch: { intervall: 10 } }, /did you mean 'interval'/],
      [{ onReload: () => {} }, /^onReload: is never called without watch/],
      [{ onError: () => {}, watch: false }, /^onError: is never called without watch/],
      [{ watch: true, onError: 1 }, /^onError: expected a function/],
    ];
    for (const [options, message] of cases) assert.throws(() => open(path, options as object), misuse(message));
  });

  test('a table that is cut short in place, by others: a copy keeps answering', async (t) => {
    const path = await firstVersion(t);
    const { table, told } = watched(t, path, { mapping: 'copy' });
    truncateSync(path, 100);
    await until('error', () => told.errors.length > 0);
    assertVersion(table, 1);
  });
});
