// Relative paths work wherever the system follows them: in a working directory whose name is not UTF-8, that may not be
// reached from the root, or that has been removed.

import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { open } from '../../src/index.js';
import { runModule } from '../support/child.js';
import { temporaryFolder } from '../support/temp.js';

/** Builds, opens, replaces and reloads `name`, in the working directory that it goes to. */
const SCRIPT = `
  const [, prepare, name] = process.argv;
  const fs = await import('node:fs');
  // The module of checksums, and whatever else is loaded on demand by its path.
  const own = fs.mkdtempSync('/tmp/hmap-test-');
  await hmap.build(own + '/loaded.hmap', [['a', 1]], { value: 'u8' });
  await hmap.verify(own + '/loaded.hmap');
  hmap.open(own + '/loaded.hmap').close();
  fs.rmSync(own, { recursive: true });
  await eval('(async () => {' + prepare + '})()');
  try {
    await hmap.build(name, [['a', 1]], { value: 'u8' });
    const table = hmap.open(name);
    const seen = [table.get('a')];
    await hmap.build(name, [['a', 2]], { value: 'u8' });
    seen.push(table.reload(), table.get('a'), (await hmap.verify(name)).ok);
    console.log(JSON.stringify(seen));
  } catch (error) {
    console.log(error.name, error.code, error.message);
  }`;

const RIGHT = '[1,true,2,true]\n';
const skip = process.platform === 'linux' ? false : 'not a place that this system has';
const asRoot = skip || (process.getuid?.() !== 0 && 'only root can become another user');

async function run(prepare: string, name: string): Promise<string> {
  const { stdout, ...rest } = await runModule(SCRIPT, [prepare, name]);
  assert.deepEqual(rest, { status: 0, signal: null, stderr: '' });
  return stdout;
}

describe('a relative path', () => {
  test('in a folder whose name is not UTF-8', { skip }, async (t) => {
    const folder = temporaryFolder(t);
    const prepare = `process.chdir(${JSON.stringify(folder)}); const { spawnSync } = await import('node:child_process');
      fs.mkdirSync('in'); fs.renameSync('in', Buffer.from([0x79, 0xff]));
      fs.symlinkSync(Buffer.from([0x79, 0xff]), 'link'); process.chdir('link');`;
    assert.equal(await run(prepare, 't.hmap'), RIGHT);
    assert.deepEqual(readdirSync(join(folder, 'link')), ['t.hmap']);
    assert.equal(await run(`process.chdir(${JSON.stringify(join(folder, 'link'))});`, '../t.hmap'), RIGHT);
    assert.equal(open(join(folder, 't.hmap')).get('a'), 2);
  });

  test('in a folder that may not be reached from the root', { skip: asRoot }, async (t) => {
    const folder = temporaryFolder(t);
    const inner = join(folder, 'closed', 'inner');
    mkdirSync(inner, { recursive: true });
    chownSync(inner, 61_001, 61_001);
    chmodSync(join(folder, 'closed'), 0o700);
    const prepare = `process.chdir(${JSON.stringify(inner)}); process.setgroups([]); process.setgid(61001); process.setuid(61001);`;
    assert.equal(await run(prepare, 't.hmap'), RIGHT);
    assert.equal(await run(`${prepare} fs.mkdirSync('deep');`, 'deep/t.hmap'), RIGHT);
    assert.deepEqual(readdirSync(inner).sort(), ['deep', 't.hmap']);
  });

  test('in a folder that has been removed', { skip }, async (t) => {
    const folder = temporaryFolder(t);
    const gone = join(folder, 'gone');
    const prepare = `fs.mkdirSync(${JSON.stringify(gone)}); process.chdir(${JSON.stringify(gone)}); fs.rmdirSync(${JSON.stringify(gone)});`;
    assert.equal(await run(prepare, '../t.hmap'), RIGHT);
    assert.equal(await run(prepare, 't.hmap'), 'HmapError ENOENT cannot write t.hmap: no such file or folder\n');
    assert.equal(open(join(folder, 't.hmap')).get('a'), 2);
  });
});
