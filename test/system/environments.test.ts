// Environments in which programs run: bundles, Node's permission model, other realms, missing globals, mounted files;
// and paths in each form that Node takes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import { MessageChannel } from 'node:worker_threads';
import { rollup } from 'rollup';
import { build, inspectBucket, inspectKey, open, stat, verify } from '../../src/index.js';
import { runModule, runNode } from '../support/child.js';
import { hmapError, misuse } from '../support/errors.js';
import { HAS_FFI } from '../support/mappings.js';
import { PACKAGE_ROOT } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
const path = join(folder, 'table.hmap');
const NODE = Number(process.versions.node.split('.')[0]);

before(async () => {
  await build(path, [['a', 1]], { value: 'u8' });
});

test('a bundle to CommonJS, which does not know where it lies, builds, maps and verifies', async () => {
  const entry = join(folder, 'entry.mjs');
  const library = pathToFileURL(join(PACKAGE_ROOT, 'dist/lib/index.js'));
  writeFileSync(entry, `export * from ${JSON.stringify(library.pathname)};`);
  const bundle = await rollup({
    input: entry,
    external: (name) => name === 'xxhash-wasm' || name.startsWith('node:'),
    // As esbuild leaves it.
    plugins: [{ name: 'nowhere', resolveImportMeta: () => 'undefined' }],
  });
  const file = join(PACKAGE_ROOT, 'dist', 'bundled-for-a-test.cjs');
  await bundle.write({ file, format: 'cjs', inlineDynamicImports: true });
  // Enough entries for several threads.
  const main = `
    const hmap = require(${JSON.stringify(file)});
    const [, , path] = process.argv;
    const text = 'x'.repeat(300);
    const entries = function* () { for (let i = 0; i < 300_000; i++) yield ['key ' + i, text]; };
    (async () => {
      const { entries: count, fileBytes } = await hmap.build(path, entries(), { value: 'utf8' });
      const table = hmap.open(path);
      console.log(count, fileBytes > 2 ** 26, table.get('key 7') === text, table.mapping, (await hmap.verify(path)).ok);
    })();`;
  const script = join(PACKAGE_ROOT, 'dist', 'bundled-main-for-a-test.cjs');
  writeFileSync(script, main);
  const outcome = await runNode([script, join(folder, 'bundled.hmap')], { seconds: 60 });
  const { mapping } = open(path);
  assert.deepEqual(outcome, { status: 0, signal: null, stdout: `300000 true true ${mapping} true\n`, stderr: '' });
});

test('a system on which none of the C library is to be had opens, verifies and iterates', async () => {
  // Of Windows there is no more than its name here, so that none of the ways to map works.
  const windows = "data:text/javascript,Object.defineProperty(process, 'platform', { value: 'win32' })";
  const script = `
    const table = hmap.open(process.argv[1]);
    console.log(table.get('a'), (await hmap.verify(process.argv[1])).ok, [...table].length, table.mapping);`;
  const outcome = await runModule(script, [path], { flags: ['--import', windows] });
  assert.deepEqual([outcome.status, outcome.signal, outcome.stderr], [0, null, '']);
  // mmap-io calls the system by itself, where somebody has built it.
  assert.match(outcome.stdout, /^1 true 1 (?:copy|mmap-io)\n$/);
});

test("under Node's permission model builds say that the file was not forced to the disk", async () => {
  const flags = [
    NODE < 22 ? '--experimental-permission' : '--permission',
    '--allow-fs-read=*',
    `--allow-fs-write=${folder}`,
  ];
  const script = `
    const [, path] = process.argv;
    for (const [entries, options] of [[[['a', 1], ['b', 2]], { value: 'u32' }], [[1, 2], { layout: 'bits' }]]) {
      const { entries: count, synced } = await hmap.build(path, entries, options);
      console.log(count, synced, (await hmap.verify(path)).ok);
    }`;
  const { stdout, status } = await runModule(script, [join(folder, 'permitted.hmap')], { flags });
  assert.deepEqual([status, stdout], [0, '2 false true\n2 false true\n']);
  const { synced } = await build(join(folder, 'synced.hmap'), [['a', 1]], { value: 'u8' });
  assert.equal(synced, true);
});

test('without globals that test environments take away', async () => {
  const script = `
    for (const name of ['TextEncoder', 'TextDecoder', 'setImmediate', 'clearImmediate', 'crypto', 'URL']) delete globalThis[name];
    const { build, open, verify } = await import(process.argv[2]);
    const path = process.argv[1];
    await build(path, [['\\u00fc' , { a: 1 }]], { value: 'json', seed: 'random', metadata: { a: '1' } });
    console.log(open(path).get('\\u00fc').a, (await verify(path)).ok);`;
  const library = pathToFileURL(join(PACKAGE_ROOT, 'dist/lib/index.js')).href;
  const outcome = await runNode(['--input-type=module', '-e', script, '--', join(folder, 'bare.hmap'), library]);
  assert.deepEqual(outcome, { status: 0, signal: null, stdout: '1 true\n', stderr: '' });
});

describe('arrays of another realm', () => {
  const foreign = (bytes: number[]) => runInNewContext(`new Uint8Array(${JSON.stringify(bytes)})`) as Uint8Array;

  test('are keys, values and elements', async () => {
    const file = join(folder, 'foreign.hmap');
    assert.ok(!(foreign([1]) instanceof Uint8Array));
    const long = Array.from({ length: 5000 }, (_, i) => i % 256);
    await build(
      file,
      [
        [foreign([1, 2]), foreign(long)],
        [foreign([3]), foreign([])],
      ],
      { value: 'bytes' },
    );
    using table = open(file, { value: 'bytes' });
    assert.deepEqual([...table.get(foreign([1, 2]))!], long);
    assert.ok(table.has(foreign([3])) && !table.has(foreign([4])));
    assert.equal(table.getMany([foreign([3]), foreign([9])])[0]!.length, 0);
    assert.throws(() => table.getMany(foreign([1]) as never), misuse(/^keys: /));
    const set = join(folder, 'set.hmap');
    await build(set, [foreign([1]), foreign([2])], { value: 'none' });
    assert.equal(open(set).has(foreign([2])), true);
    const list = join(folder, 'list.hmap');
    await build(list, [foreign([7])], { layout: 'list', value: 'bytes' });
    assert.deepEqual([...open(list, { layout: 'list', value: 'bytes' }).get(0)!], [7]);
  });

  test('other arrays and objects are refused as ever', async () => {
    for (const key of ['new Uint16Array(1)', 'new DataView(new ArrayBuffer(1))', '({})', 'new Uint8ClampedArray(1)']) {
      const wrong = runInNewContext(key) as never;
      assert.throws(() => open(path).get(wrong), misuse(/^key: /), key);
    }
  });
});

describe('a path', () => {
  const forms = { URL: pathToFileURL(path), Buffer: Buffer.from(path), Uint8Array: new TextEncoder().encode(path) };
  for (const [form, file] of Object.entries(forms)) {
    test(`as a ${form}`, async () => {
      const table = open(file);
      assert.deepEqual([table.path, table.get('a')], [path, 1]);
      assert.equal(table.reload(), false);
      assert.equal((await verify(file)).ok, true);
      assert.equal((await stat(file)).entries, 1);
      assert.equal(inspectKey(file, 'a').record!.key.length, 1);
      assert.equal(inspectBucket(file, 0).segment, 0);
      assert.equal((await build(file, [['a', 1]], { value: 'u8' })).path, path);
    });
  }

  test('of another kind is refused, with what was expected', async () => {
    const wrong = [5, '', null, {}, [], 'a\0b', Buffer.from([0x66, 0xff]), new URL('https://localhost/x')];
    for (const file of wrong as never[]) {
      assert.throws(() => open(file), misuse(/^path: expected /));
      assert.throws(() => inspectKey(file, 'a'), misuse(/^path: expected /));
      for (const promise of [build(file, [['a', 1]], { value: 'u8' }), verify(file), stat(file)])
        await assert.rejects(promise, misuse(/^path: expected /));
    }
  });
});

test('a table cannot be cloned or sent: the message says what to do', async () => {
  const bits = join(folder, 'bits.hmap');
  await build(bits, [1], { layout: 'bits' });
  for (const opened of [open(path), open(bits, { layout: 'bits' })]) {
    const told = { name: 'DataCloneError', message: /openThePathInEachThreadInstead/ };
    assert.throws(() => structuredClone(opened), told);
    const { port1 } = new MessageChannel();
    assert.throws(() => port1.postMessage(opened), told);
    port1.close();
    assert.equal(JSON.stringify(opened), JSON.stringify({ path: opened.path }));
  }
});

test('an output on which something is mounted', {
  skip: process.getuid?.() !== 0 && 'only root can mount',
}, async (t) => {
  const [output, other] = [join(folder, 'mounted.hmap'), join(folder, 'other')];
  for (const file of [output, other]) writeFileSync(file, 'old');
  try {
    execFileSync('mount', ['--bind', other, output], { stdio: 'ignore' });
  } catch {
    return t.skip('nothing can be mounted here');
  }
  t.after(() => execFileSync('umount', [output]));
  const told = hmapError('EBUSY', { message: /something else is mounted there.*mount the folder instead/ });
  await assert.rejects(build(output, [['a', 1]], { value: 'u8' }), told);
  assert.equal(readFileSync(other, 'utf8'), 'old');
});

test('a large file that is copied because it cannot be mapped is told of, once', {
  skip: HAS_FFI && 'Node maps by itself',
}, async () => {
  const large = join(folder, 'large.hmap');
  await build(large, [['a', new Uint8Array(2 ** 26)]], { value: 'bytes' });
  const script = `
    const [, path, small, ...choices] = process.argv;
    process.on('warning', ({ name, code, message }) => console.log(name, code, message.slice(path.length)));
    hmap.open(small);
    for (const mapping of choices) hmap.open(path, { mapping, check: 'header' });`;
  const flags = ['--no-addons', '--no-warnings'];
  const told =
    'HmapWarning HMAP_COPIED  (64 MiB) is copied into the memory of this process: native packages are forbidden here (--no-addons, or --permission without --allow-addons)\n';
  for (const [choices, stdout] of [
    [['auto', 'auto'], told],
    [['copy'], ''],
  ] as const) {
    const outcome = await runModule(script, [large, path, ...choices], { flags });
    assert.deepEqual(outcome, { status: 0, signal: null, stdout, stderr: '' });
  }
});
