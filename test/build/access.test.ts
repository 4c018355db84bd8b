// Who may read a file that a build makes: those who could read the one that it replaces, and nobody else, at no time.
// And links that others have planted.

import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { build } from '../../src/index.js';
import { runModule } from '../support/child.js';
import { hmapError } from '../support/errors.js';
import { temporaryFolder } from '../support/temp.js';

const isRoot = process.getuid?.() === 0;
const skip = isRoot ? false : 'only root can become another user';
const posix = { skip: process.platform === 'win32' };

/** Users and groups that need no entry in a list of users. */
const [ANN, BOB, TEAM] = [61_001, 61_002, 61_100];

/** Builds as another user; the library is loaded before, since its files may be root's alone. */
async function buildAs(user: number, groups: readonly number[], path: string): Promise<void> {
  const script = `
    const [, path, user, groups] = process.argv;
    const { mkdtempSync, rmSync } = await import('node:fs');
    const own = mkdtempSync('/tmp/hmap-test-');
    await hmap.build(own + '/loaded.hmap', [['a', 1]], { value: 'u8' });
    rmSync(own, { recursive: true });
    process.setgroups(JSON.parse(groups));
    process.setgid(Number(user));
    process.setuid(Number(user));
    try {
      await hmap.build(path, [['a', 2]], { value: 'u8' });
      console.log('built');
    } catch (error) {
      console.log(error.code, error.message);
    }`;
  const { stdout, ...rest } = await runModule(script, [path, String(user), JSON.stringify(groups)]);
  assert.deepEqual(rest, { status: 0, signal: null, stderr: '' });
  assert.equal(stdout, 'built\n');
}

const accessOf = (path: string) => {
  const { uid, gid, mode } = statSync(path);
  return [uid, gid, (mode & 0o7777).toString(8)];
};

function sharedFolder(t: Parameters<typeof temporaryFolder>[0], mode = 0o777): string {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o755);
  const inner = join(folder, 'inner');
  mkdirSync(inner);
  chmodSync(inner, mode);
  return inner;
}

describe('a file that replaces another', () => {
  test('keeps its owner and its group where root builds', { skip }, async (t) => {
    const path = join(sharedFolder(t), 'table.hmap');
    writeFileSync(path, 'old');
    chownSync(path, ANN, TEAM);
    chmodSync(path, 0o640);
    await build(path, [['a', 1]], { value: 'u8' });
    assert.deepEqual(accessOf(path), [ANN, TEAM, '640']);
  });

  test('keeps the group, and its rights, where a member of the group builds', { skip }, async (t) => {
    const path = join(sharedFolder(t), 'table.hmap');
    writeFileSync(path, 'old');
    chownSync(path, ANN, TEAM);
    chmodSync(path, 0o640);
    await buildAs(BOB, [TEAM], path);
    assert.deepEqual(accessOf(path), [BOB, TEAM, '640']);
  });

  test('gives nothing to the group of another user, who is no member of the old one', { skip }, async (t) => {
    const path = join(sharedFolder(t), 'table.hmap');
    for (const [mode, left] of [
      [0o640, '600'],
      [0o664, '604'],
    ] as const) {
      writeFileSync(path, 'old');
      chownSync(path, 0, 4);
      chmodSync(path, mode);
      await buildAs(BOB, [], path);
      assert.deepEqual(accessOf(path), [BOB, BOB, left]);
    }
  });
});

test('while a build is going on, its files are for nobody else', posix, async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'table.hmap');
  writeFileSync(path, 'old');
  chmodSync(path, 0o644);
  const modes = new Set<string>();
  const look = () => {
    for (const name of readdirSync(folder)) {
      if (name !== 'table.hmap') modes.add((lstatSync(join(folder, name)).mode & 0o777).toString(8));
    }
  };
  const entries = (function* () {
    for (let i = 0; i < 40_000; i++) {
      if (i % 1000 === 0) look();
      yield [`key ${i}`, 'x'.repeat(100)] as const;
    }
  })();
  await build(path, entries, { value: 'utf8', memory: 2 ** 20, onProgress: look });
  assert.deepEqual([...modes], ['600']);
  assert.equal((statSync(path).mode & 0o777).toString(8), '644');
  assert.deepEqual(readdirSync(folder), ['table.hmap']);
});

describe('a symbolic link in a folder that everybody can write to', () => {
  const entries = [['a', 1]] as const;

  test('is not followed if another user has put it there', { skip }, async (t) => {
    const folder = sharedFolder(t, 0o1777);
    const secret = join(temporaryFolder(t), 'secret');
    writeFileSync(secret, 'secret');
    symlinkSync(secret, join(folder, 'planted.hmap'));
    mkdirSync(join(folder, 'real'));
    symlinkSync('real', join(folder, 'planted'));
    for (const name of ['planted.hmap', 'planted']) lchownSync(join(folder, name), ANN, ANN);
    for (const name of ['planted.hmap', 'planted/table.hmap']) {
      const path = join(folder, name);
      await assert.rejects(build(path, entries, { value: 'u8' }), hmapError('EACCES', { path }));
      await assert.rejects(build(path, entries, { value: 'u8' }), /a symbolic link that another user has put/);
    }
    assert.equal(statSync(secret).size, 6);
    assert.deepEqual(readdirSync(join(folder, 'real')), []);
  });

  test('is followed if it is our own, or the owner of the folder has put it there', { skip }, async (t) => {
    const folder = sharedFolder(t, 0o1777);
    chownSync(folder, ANN, ANN);
    for (const owner of [0, ANN]) {
      const link = join(folder, `of-${owner}.hmap`);
      symlinkSync(`real-${owner}.hmap`, link);
      lchownSync(link, owner, owner);
      await build(link, entries, { value: 'u8' });
      assert.ok(lstatSync(link).isSymbolicLink());
      assert.ok(statSync(join(folder, `real-${owner}.hmap`)).size > 4096);
    }
    // In a folder that is not shared so, whoever may put links there may as well put files there.
    const open = sharedFolder(t, 0o777);
    symlinkSync('real.hmap', join(open, 'link.hmap'));
    lchownSync(join(open, 'link.hmap'), BOB, BOB);
    await build(join(open, 'link.hmap'), entries, { value: 'u8' });
    assert.ok(statSync(join(open, 'real.hmap')).size > 4096);
  });
});
