// Where WebAssembly is not to be had, all goes on: where it is switched off, and where its memory cannot be reserved.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { hashWithoutModule, loadChecksums, loadChecksumsNow } from '../../src/base/block-hasher.js';
import { runModule } from '../support/child.js';
import { temporaryFolder } from '../support/temp.js';

/** Builds and reads tables of each kind, large enough for all threads and spilled files, and prints what came out. */
const SCRIPT = `
  const [, path] = process.argv;
  const done = [];
  for (const options of [{ value: 'u32' }, { value: 'u32', fingerprint: 16 }, { value: 'u32', memory: 2 ** 20 }]) {
    const entries = function* () { for (let i = 0; i < 150_000; i++) yield ['key ' + i, i]; };
    const summary = await hmap.build(path, entries(), options);
    const { total } = await hmap.verify(path);
    const table = hmap.open(path, { check: 'full', ...(options.fingerprint && { fingerprint: true }) });
    done.push(summary.entries, total, table.get('key 77777'), (await hmap.stat(path)).entries);
    table.close();
  }
  await hmap.build(path, [3, 5, 70_000], { layout: 'bits' });
  const bits = hmap.open(path, { layout: 'bits', check: 'full' });
  done.push(bits.has(5), (await hmap.verify(path)).total);
  console.log(...done);`;

const table = '150000 0 77777 150000';
const stdout = `${table} ${table} ${table} true 0\n`;

describe('without WebAssembly', () => {
  test('switched off', async (t) => {
    const path = join(temporaryFolder(t), 'table.hmap');
    const outcome = await runModule(SCRIPT, [path], { flags: ['--jitless'], seconds: 60 });
    // Of Node, about its own options.
    outcome.stderr = outcome.stderr.replace(/^Warning: disabling flag --expose_wasm .*\n/, '');
    assert.deepEqual(outcome, { status: 0, signal: null, stdout, stderr: '' });
  });

  // Of the versions of Node that we support, 20 and 22 do not get WebAssembly's memory then.
  test('too little address space', { skip: process.platform !== 'linux' }, async (t) => {
    const path = join(temporaryFolder(t), 'table.hmap');
    const outcome = await runModule(SCRIPT, [path], { limit: '-v 6000000' });
    assert.deepEqual(outcome, { status: 0, signal: null, stdout, stderr: '' });
  });

  test('what failed to load once is tried again', async (t) => {
    const global = globalThis as { WebAssembly?: unknown };
    const { WebAssembly } = global;
    t.after(() => {
      global.WebAssembly = WebAssembly;
    });
    delete global.WebAssembly;
    assert.equal((await loadChecksums()).h64Raw, hashWithoutModule);
    assert.equal(loadChecksumsNow().h64Raw, hashWithoutModule);
    global.WebAssembly = WebAssembly;
    for (const { h64Raw } of [await loadChecksums(), loadChecksumsNow()]) {
      assert.notEqual(h64Raw, hashWithoutModule);
      assert.equal(h64Raw(Buffer.from('abc')), hashWithoutModule(Buffer.from('abc')));
    }
  });
});
