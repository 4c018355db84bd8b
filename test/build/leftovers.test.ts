// What killed builds have left, and who may remove it: files named like theirs, of every age. That builds leave and
// remove them is killed.test.ts.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { build } from '../../src/index.js';
import { contentOf, temporaryFolder } from '../support/temp.js';
import { deadProcess, TEMPORARY, temporaryNameOf } from './temporary-names.js';

const windows = process.platform === 'win32';
const linux = process.platform === 'linux';

describe('what a killed build has left', () => {
  const HOUR = 3600;
  const RANDOM = '0123abcd';
  const dead = deadProcess();

  /** What says where this process runs. */
  async function placeHere(folder: string): Promise<string> {
    return TEMPORARY.exec(await temporaryNameOf(folder, 'out.hmap'))![3]!;
  }

  function leave(folder: string, name: string, hours: number): string {
    const path = join(folder, name);
    writeFileSync(path, 'left');
    const time = Date.now() / 1000 - hours * HOUR;
    utimesSync(path, time, time);
    return path;
  }

  /** Leaves files of the given ages, in hours, builds, and holds what remains to what is said. */
  async function remains(
    folder: string,
    files: readonly [name: string, hours: number, kept: boolean][],
  ): Promise<void> {
    for (const [name, hours] of files) leave(folder, name, hours);
    await build(join(folder, 'out.hmap'), [['a', 1]], { value: 'u8' });
    const kept = files.filter(([, , kept]) => kept).map(([name]) => name);
    assert.deepEqual(readdirSync(folder).sort(), [...kept, 'out.hmap'].sort());
  }

  test('here: removed unless the process lives', async (t) => {
    const folder = temporaryFolder(t);
    const here = await placeHere(folder);
    const living = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    t.after(() => living.kill('SIGKILL'));
    await remains(folder, [
      [`.out.hmap.${dead}-${here}-${RANDOM}.tmp`, 0, false],
      [`.out.hmap.${dead}-${here}-89efcdab.tmp`, 48, false],
      [`.out.hmap.${dead}-${here}-${RANDOM}.tmp.spill`, 0, false],
      [`.out.hmap.${living.pid}-${here}-${RANDOM}.tmp`, 0, true],
      [`.out.hmap.${living.pid}-${here}-${RANDOM}.tmp.spill`, 0, true],
      [`.out.hmap.${living.pid}-${here}-89efcdab.tmp`, 48, true],
      // More than a process can have for a number.
      [`.out.hmap.4999999999-${here}-${RANDOM}.tmp`, 48, true],
    ]);
    living.kill('SIGKILL');
    await once(living, 'close');
    await build(join(folder, 'out.hmap'), [['a', 1]], { value: 'u8' });
    assert.deepEqual(readdirSync(folder).sort(), [`.out.hmap.4999999999-${here}-${RANDOM}.tmp`, 'out.hmap']);
  });

  test('here, with the number of this process: removed when no thread has it open', { skip: !linux }, async (t) => {
    const folder = temporaryFolder(t);
    const here = await placeHere(folder);
    const open = leave(folder, `.out.hmap.${process.pid}-${here}-${RANDOM}.tmp`, 48);
    const fd = openSync(open, 'r');
    try {
      await remains(folder, [
        [`.out.hmap.${process.pid}-${here}-${RANDOM}.tmp`, 48, true],
        [`.out.hmap.${process.pid}-${here}-89efcdab.tmp`, 0.1, false],
        [`.out.hmap.${process.pid}-${here}-76543210.tmp`, 0, true],
      ]);
    } finally {
      closeSync(fd);
    }
  });

  test('elsewhere, or where nobody can tell: removed after a day', async (t) => {
    const folder = temporaryFolder(t);
    const here = await placeHere(folder);
    const there = here === '00000000' ? 'ffffffff' : '00000000';
    for (const pid of [dead, process.pid]) {
      await remains(folder, [
        [`.out.hmap.${pid}-${there}-${RANDOM}.tmp`, 0, true],
        [`.out.hmap.${pid}-${there}-11111111.tmp`, 23, true],
        [`.out.hmap.${pid}-${there}-22222222.tmp`, -48, true],
        [`.out.hmap.${pid}-${there}-33333333.tmp`, 25, false],
        [`.out.hmap.${pid}-${there}-44444444.tmp.spill`, 23, true],
        [`.out.hmap.${pid}-${there}-55555555.tmp.spill`, 25, false],
        // As they were named before the place was part of the name.
        [`.out.hmap.${pid}-${RANDOM}.tmp`, 23, true],
        [`.out.hmap.${pid}-66666666.tmp`, 25, false],
      ]);
      for (const name of readdirSync(folder)) leave(folder, name, 25);
      await remains(folder, []);
    }
  });

  test('files with other names are none', async (t) => {
    const folder = temporaryFolder(t);
    const unique = `${dead}-${await placeHere(folder)}-${RANDOM}`;
    const names = [
      `.out.${unique}.tmp`,
      `.out.hmap2.${unique}.tmp`,
      `.out.hmap.2.${unique}.tmp`,
      `.outXhmap.${unique}.tmp`,
      `.OUT.hmap.${unique}.tmp`,
      `..out.hmap.${unique}.tmp`,
      `out.hmap.${unique}.tmp`,
      `.out.hmap${unique}.tmp`,
      `.out.hmap.${unique}.tmp.bak`,
      `.out.hmap.${unique}.tmp.spill.tmp`,
      `.out.hmap.${unique}0.tmp`,
      `.out.hmap.${unique.slice(0, -1)}.tmp`,
      `.out.hmap.${unique.slice(0, -8)}0123ABCD.tmp`,
      `.out.hmap.0${unique}.tmp`,
      `.out.hmap.0${unique.slice(`${dead}`.length)}.tmp`,
      `.out.hmap.-${unique}.tmp`,
      `.out.hmap.${unique}.tmp\n`,
      `.out.hmap.${unique}xtmp`,
    ].filter((name) => !windows || !name.endsWith('\n'));
    await remains(
      folder,
      names.map((name) => [name, 48, true]),
    );
  });

  test('only regular files are', async (t) => {
    const folder = temporaryFolder(t);
    const unique = `${dead}-${await placeHere(folder)}`;
    mkdirSync(join(folder, `.out.hmap.${unique}-00000000.tmp`));
    mkdirSync(join(folder, `.out.hmap.${unique}-00000001.tmp`));
    leave(folder, 'file', 48);
    leave(join(folder, `.out.hmap.${unique}-00000001.tmp`), 'file', 48);
    symlinkSync('file', join(folder, `.out.hmap.${unique}-00000002.tmp`));
    symlinkSync('missing', join(folder, `.out.hmap.${unique}-00000003.tmp`));
    if (!windows) execFileSync('mkfifo', [join(folder, `.out.hmap.${unique}-00000004.tmp`)]);
    const before = contentOf(folder);
    await build(join(folder, 'out.hmap'), [['a', 1]], { value: 'u8' });
    assert.deepEqual({ ...contentOf(folder), 'out.hmap': '' }, { ...before, 'out.hmap': '' });
  });

  test('is found under names that were cut short', { skip: !linux }, async (t) => {
    const folder = temporaryFolder(t);
    // Cut between the halves of a surrogate pair.
    for (const output of ['n'.repeat(255), `x${'\u{1f600}'.repeat(60)}`, 'é'.repeat(127)]) {
      const name = await temporaryNameOf(folder, output);
      leave(folder, name.replace(`.${process.pid}-`, `.${dead}-`), 0);
      assert.equal(readdirSync(folder).length, 2);
      await build(join(folder, output), [['a', 1]], { value: 'u8' });
      assert.deepEqual(readdirSync(folder), [output]);
      rmSync(join(folder, output));
    }
  });

  test('a running build renews the time stamp of its file', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.hmap');
    t.mock.timers.enable({ apis: ['setInterval'] });
    let renewed = 0;
    const waiting = function* (): Generator<[string, number]> {
      const [name] = readdirSync(folder).filter((name) => TEMPORARY.test(name));
      for (let hours = 1; hours <= 30; hours++) {
        leave(folder, name!, 25);
        t.mock.timers.tick(HOUR * 1000);
        if (statSync(join(folder, name!)).mtimeMs > Date.now() - HOUR * 1000) renewed++;
      }
      yield ['a', 1];
    };
    await build(path, waiting(), { value: 'u8' });
    assert.equal(renewed, 30);
    leave(folder, 'out.hmap', 25);
    const { mtimeMs } = statSync(path);
    // Gets the number under which the build had its file open.
    const fd = openSync(path, 'r');
    t.mock.timers.tick(HOUR * 1000);
    closeSync(fd);
    assert.equal(statSync(path).mtimeMs, mtimeMs, 'a finished build renews nothing');
  });
});
