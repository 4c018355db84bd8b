// Builds on a disk that refuses: full, read-only, failing at any call. What was there stays, the error says why, and
// nothing else is left.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from '../../src/index.js';
import { runNode } from '../support/child.js';
import { hmapError } from '../support/errors.js';
import { type Call, intercept } from '../support/faults.js';
import { contentOf, failure, temporaryFolder } from '../support/temp.js';
import { assertRefused, hmap } from '../support/tools.js';
import type { Account, Setting } from './faulty.js';
import { makeReadOnly, mountMemory } from './mounts.js';
import { deadProcess, temporaryNameOf } from './temporary-names.js';
import { entriesOf, type Kind, optionsOf, versionIn } from './versions.js';

const FAULTY = fileURLToPath(new URL('./faulty.js', import.meta.url));
const NO_MOUNTS = 'no file system may be mounted here';
const windows = process.platform === 'win32';

function make(path: string, kind: Kind, version: number): Promise<unknown> {
  return build(path, entriesOf(kind, version), optionsOf(kind, version));
}

describe('a full disk', () => {
  const elsewhere = temporaryFolder({ after });
  const input = join(elsewhere, 'input.tsv');
  writeFileSync(input, Array.from({ length: 20_000 }, (_, i) => `key ${i}\t${'x'.repeat(100)}\n`).join(''));

  for (const old of [false, true]) {
    for (const { what, kind, size, memory, message } of [
      { what: 'in memory', kind: 'large', size: '1m', memory: '64M', message: /^cannot write \S+out\.hmap: no space/ },
      {
        what: 'while it spills',
        kind: 'spilling',
        size: '1m',
        memory: '1M',
        message: /^cannot write the temporary file \S+: no space/,
      },
      {
        what: 'after it has spilled',
        kind: 'spilling',
        size: '3m',
        memory: '1M',
        message: /^cannot write \S+out\.hmap: no space/,
      },
    ] as const) {
      test(`met ${what}, ${old ? 'with an' : 'without an'} old file`, async (t) => {
        const folder = mountMemory(t, `size=${size}`);
        if (folder === undefined) return t.skip(NO_MOUNTS);
        const path = join(folder, 'out.hmap');
        if (old) await make(path, 'small', 0);
        hmapError('ENOSPC', { message })(await failure(folder, () => make(path, kind, 1)));

        const before = contentOf(folder);
        const ran = await hmap(['build', '--force', '-m', memory, input, path]);
        assertRefused(ran, new RegExp(`^hmap: ${message.source.slice(1)} left on the device\n$`));
        assert.deepEqual(contentOf(folder), before);
        if (old) assert.equal(await versionIn(path, 'small'), 0);
        await make(path, 'small', 2);
        assert.equal(await versionIn(path, 'small'), 2, 'the space is free again');
      });
    }
  }

  test('that killed builds have filled', async (t) => {
    // Room for one file beside the folder itself.
    const folder = mountMemory(t, 'size=1m,nr_inodes=2');
    if (folder === undefined) return t.skip(NO_MOUNTS);
    const path = join(folder, 'out.hmap');
    const name = await temporaryNameOf(folder, 'out.hmap');
    // As a first build has left it, which found no old file.
    renameSync(path, join(folder, name.replace(`.${process.pid}-`, `.${deadProcess()}-`)));
    assert.equal(readdirSync(folder).length, 1);
    assert.throws(() => writeFileSync(path, ''), { code: 'ENOSPC' });
    await make(path, 'small', 1);
    assert.deepEqual(readdirSync(folder), ['out.hmap']);
  });
});

describe('a folder that may not be written to', () => {
  test('a read-only file system', async (t) => {
    const folder = mountMemory(t, 'size=1m');
    if (folder === undefined) return t.skip(NO_MOUNTS);
    const path = join(folder, 'out.hmap');
    await make(path, 'small', 0);
    makeReadOnly(folder);
    for (const output of [path, join(folder, 'new.hmap')]) {
      const error = await failure(folder, () => make(output, 'small', 1));
      hmapError('EROFS', { path: output, message: /^cannot write \S+: the file system is read-only$/ })(error);
      const ran = await hmap(['build', '--force', '-f', 'lines', '-', output], { input: 'a\n' });
      assertRefused(ran, /^hmap: cannot write \S+: the file system is read-only\n$/);
    }
    assert.equal(await versionIn(path, 'small'), 0);
  });

  test('a folder of mode 555, for a user who is not root', { skip: windows }, async (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o755);
    const inner = join(folder, 'inner');
    mkdirSync(inner);
    const path = join(inner, 'out.hmap');
    // Also loads all that a build needs, as long as that may be read.
    await make(path, 'small', 0);
    chmodSync(inner, 0o555);
    const root = process.geteuid!() === 0;
    if (root) process.seteuid!(65_534);
    try {
      for (const output of [path, join(inner, 'new.hmap')]) {
        const error = await failure(inner, () => make(output, 'small', 1));
        hmapError('EACCES', { path: output, message: /^cannot write \S+: permission denied$/ })(error);
      }
    } finally {
      if (root) process.seteuid!(0);
      chmodSync(inner, 0o755);
    }
    assert.equal(await versionIn(path, 'small'), 0);
  });
});

describe('calls of the file system', () => {
  const FAULTS: Record<Call, string> = {
    closeSync: 'EIO',
    fchmodSync: 'EPERM',
    fsync: 'EIO',
    fsyncSync: 'EIO',
    ftruncateSync: 'ENOSPC',
    linkSync: 'EPERM',
    lstatSync: 'EIO',
    openSync: 'EMFILE',
    readdirSync: 'EACCES',
    readSync: 'EIO',
    renameSync: 'EIO',
    unlinkSync: 'EIO',
    writeSync: 'ENOSPC',
  };

  async function accountOf(folder: string, setting: Setting): Promise<Account> {
    const { status, stdout, stderr } = await runNode([FAULTY, folder, JSON.stringify(setting)]);
    assert.equal(status, 0, stderr);
    const account: Account = JSON.parse(stdout);
    assert.equal(account.whole.error, undefined);
    assert.deepEqual(Object.keys(account.whole.folder), ['out.hmap']);
    return account;
  }

  /**
   * What came of the faults of each call, in turn: `o` the folder is as it was, `e` the new file is there all the same
   * and there is an error, `n` it is there and there is no error. Nothing else is right.
   */
  function judge({ before, whole, faults }: Account): Partial<Record<Call, string>> {
    const found: Partial<Record<Call, string>> = {};
    for (const { call, nth, error, folder, open } of faults) {
      const what = `${call} ${nth}: ${JSON.stringify(error)}`;
      assert.deepEqual(open, [], what);
      let came = 'n';
      if (error !== undefined) {
        assert.deepEqual(
          { ...error, message: '' },
          { name: 'HmapError', code: FAULTS[call!], message: '', ours: true },
        );
        assert.match(error.message, /^cannot (write|sync) [^\n]+$/, what);
        came = folder['out.hmap'] === whole.folder['out.hmap'] ? 'e' : 'o';
      }
      assert.deepEqual(folder, came === 'o' ? before : whole.folder, what);
      found[call!] = (found[call!] ?? '') + came;
    }
    return found;
  }

  const OLD = { 'out.hmap': 'the old file' };
  // An error after the renaming, when the folder is synced, does not take the new file back: others may have it open
  // already.
  const ALWAYS = {
    closeSync: /^n+e?$/,
    fchmodSync: /^o$/,
    fsync: /^o$/,
    fsyncSync: /^o+e$/,
    openSync: /^o+e$/,
    readdirSync: /^n$/,
    // Of the file that shows which rights a new one has, twice.
    unlinkSync: /^nn$/,
  };
  const SMALL = { ...ALWAYS, ftruncateSync: /^o+$/, readSync: /^o+$/, writeSync: /^o{3,}$/ };
  const HEAVY = { ...ALWAYS, ftruncateSync: /^o+$/, readSync: /^o{20,}$/, writeSync: /^o{20,}$/ };
  // Where there are no hard links, a new file is renamed, too.
  const NEW = { linkSync: /^n$/, unlinkSync: /^nen$/ };
  for (const { kind, files, overwrite, expected } of [
    { kind: 'small', files: {}, overwrite: true, expected: { ...SMALL, renameSync: /^o$/ } },
    { kind: 'small', files: OLD, overwrite: true, expected: { ...SMALL, renameSync: /^o$/ } },
    { kind: 'small', files: {}, overwrite: false, expected: { ...SMALL, ...NEW } },
    {
      kind: 'heavy',
      files: OLD,
      overwrite: true,
      expected: { ...HEAVY, renameSync: /^o$/, unlinkSync: /^non$/ },
    },
    { kind: 'heavy', files: {}, overwrite: false, expected: { ...HEAVY, ...NEW, unlinkSync: /^noen$/ } },
  ] as const) {
    const what = `${kind}, ${files === OLD ? 'an' : 'no'} old file, overwrite: ${overwrite}`;
    test(`each fails in turn: ${what}`, { skip: windows && 'other calls' }, async (t) => {
      const account = await accountOf(temporaryFolder(t), { kind, files, overwrite, faults: FAULTS });
      const found = judge(account);
      t.diagnostic(`${account.faults.length} faults: ${JSON.stringify(found)}`);
      assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort());
      for (const [call, pattern] of Object.entries(expected)) assert.match(found[call as Call]!, pattern, call);
    });
  }

  test('those that look for what killed builds have left may fail', async (t) => {
    const folder = temporaryFolder(t);
    const ours = await temporaryNameOf(folder, 'out.hmap');
    const left = ours.replace(`.${process.pid}-`, `.${deadProcess()}-`);
    const { readdirSync, lstatSync, unlinkSync } = FAULTS;
    const files = { [left]: 'left' };
    const faults = { readdirSync, lstatSync, unlinkSync };
    const account = await accountOf(folder, { kind: 'small', files, overwrite: true, faults });
    // Later calls are those of the build itself, for its own files.
    const { before, whole } = account;
    const looking = account.faults.filter(({ nth }) => nth === 1);
    assert.deepEqual(
      looking,
      Object.keys(faults).map((call) => ({ call, nth: 1, folder: { ...before, ...whole.folder }, open: [] })),
    );
    for (const { nth, error, folder } of account.faults) {
      if (nth !== 1) assert.deepEqual([error, folder], [undefined, whole.folder]);
    }
  });

  test('a file that appears is kept where there are no hard links', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.hmap');
    const stop = intercept(['linkSync'], () => {
      writeFileSync(path, 'came in between');
      throw Object.assign(new Error('EPERM: made to fail'), { code: 'EPERM', syscall: 'link' });
    });
    try {
      const building = build(path, [['a', 1]], { value: 'u8', overwrite: false });
      await assert.rejects(building, hmapError('HMAP_OUTPUT_EXISTS', { path }));
    } finally {
      stop();
    }
    assert.equal(readFileSync(path, 'utf8'), 'came in between');
    assert.deepEqual(readdirSync(folder), ['out.hmap']);
  });

  test('may read and write less than they were asked to', async (t) => {
    for (const kind of ['small', 'heavy', 'spilling'] as const) {
      const setting = { kind, files: OLD, overwrite: true, faults: {}, most: 1000 };
      const { whole, faults } = await accountOf(temporaryFolder(t), setting);
      assert.deepEqual(faults, [whole], kind);
    }
  });
});
