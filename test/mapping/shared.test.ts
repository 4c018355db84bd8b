// Tests the mapping over shared memories: what users get of it lies in memory of its own kind, nobody ever sees another
// file's bytes, addresses stay few, and where it is not to be had, the table says why and works.

import assert from 'node:assert/strict';
import { closeSync, createWriteStream, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { build, open } from '../../src/index.js';
import { runModule } from '../support/child.js';
import { HAS_FFI, MAPPINGS, WORKING } from '../support/mappings.js';
import { assertIs } from '../support/model.js';
import { writeSparseTable } from '../support/sparse-table.js';
import { temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
const path = join(folder, 'table.hmap');
const other = join(folder, 'other.hmap');
const enums = join(folder, 'enum.hmap');
const skip = MAPPINGS.find(([kind]) => kind === 'libc')![1];
const onLinux = skip || (process.platform !== 'linux' && 'reads /proc');

const model = new Map(Array.from({ length: 1000 }, (_, i) => [`key ${i}`, `the value ${i}`]));

before(async () => {
  await build(path, model, { value: 'utf8' });
  await build(
    other,
    Array.from(model, ([key]) => [key, `another one of ${key}`] as const),
    { value: 'utf8' },
  );
  await build(
    enums,
    Array.from(model, ([key], i) => [key, `level ${i % 7}`] as const),
    { value: 'enum' },
  );
});

/** Each use of a view that Node has, as text. */
const uses: Record<string, (view: Uint8Array<ArrayBuffer>) => Promise<string> | string> = {
  'Buffer.from': (view) => Buffer.from(view).toString(),
  'Buffer over it': (view) => Buffer.from(view.buffer, view.byteOffset, view.length).toString(),
  TextDecoder: (view) => new TextDecoder().decode(view),
  Response: (view) => new Response(view).text(),
  'a body of a Request': (view) => new Request('http://localhost/', { method: 'POST', body: view }).text(),
  Blob: (view) => new Blob([view]).text(),
  WebCrypto: async (view) => {
    const expected = await crypto.subtle.digest('SHA-256', Uint8Array.from(view));
    assert.deepEqual(await crypto.subtle.digest('SHA-256', view), expected);
    return Buffer.from(view).toString();
  },
  structuredClone: (view) => {
    const clone = structuredClone(view);
    assert.notEqual(clone.buffer, view.buffer);
    assert.ok(clone.buffer instanceof ArrayBuffer);
    return Buffer.from(clone).toString();
  },
  postMessage: async (view) => {
    const { port1, port2 } = new MessageChannel();
    const received = new Promise<Uint8Array>((resolve) => port2.once('message', resolve));
    port1.postMessage(view);
    const copy = await received;
    port1.close();
    return Buffer.from(copy).toString();
  },
  'a file, at once': (view) => {
    const file = join(folder, 'written');
    writeFileSync(file, view);
    return readFileSync(file, 'utf8');
  },
  'a file, by its descriptor': (view) => {
    const file = join(folder, 'written-2');
    const fd = openSync(file, 'w');
    writeSync(fd, view);
    closeSync(fd);
    return readFileSync(file, 'utf8');
  },
  'a stream': async (view) => {
    const file = join(folder, 'streamed');
    await pipeline(Readable.from([view]), createWriteStream(file));
    return readFileSync(file, 'utf8');
  },
};

describe('views that users get', { skip }, () => {
  const files = { text: path, enum: enums };
  for (const [use, read] of Object.entries(uses)) {
    test(use, async () => {
      for (const [kind, file] of Object.entries(files)) {
        using table = open(file, { mapping: 'libc' });
        for (const key of ['key 0', 'key 999']) {
          const [many] = table.getManyViews([key]);
          for (const view of [table.getView(key)!, many!]) {
            assert.ok(view.buffer instanceof ArrayBuffer, 'not in shared memory');
            assert.equal(await read(view as Uint8Array<ArrayBuffer>), table.get(key), `${kind} ${key}`);
          }
        }
      }
    });
  }

  test('copies, keys and elements are in memory of their own', async () => {
    const bytes = join(folder, 'bytes.hmap');
    const values = [
      new Uint8Array(0),
      Buffer.from('short'),
      Buffer.alloc(2047, 1),
      Buffer.alloc(2048, 2),
      Buffer.alloc(70_001, 3),
    ];
    await build(
      bytes,
      values.map((value, i) => [Buffer.from(`key ${i}`), value] as const),
      { value: 'bytes' },
    );
    using table = open(bytes, { value: 'bytes', key: 'bytes' });
    for (const [key, value] of table) {
      const [, number] = /(\d)$/.exec(Buffer.from(key).toString())!;
      assert.deepEqual(Buffer.from(value), Buffer.from(values[Number(number)]!));
      assert.ok(Buffer.compare(table.get(key)!, value) === 0 && Buffer.compare(table.getMany([key])[0]!, value) === 0);
      for (const { buffer } of [key, value, table.get(key)!]) {
        assert.ok(buffer instanceof ArrayBuffer);
        assert.ok(!ArrayBuffer.isView(buffer) && buffer.byteLength <= 70_001);
      }
    }
    const list = join(folder, 'list.hmap');
    await build(list, values, { layout: 'list', value: 'bytes' });
    using elements = open(list, { layout: 'list', value: 'bytes' });
    for (const [i, value] of values.entries()) {
      assert.deepEqual(Buffer.from(elements.get(i)!), Buffer.from(value));
      assert.ok(elements.get(i)!.buffer instanceof ArrayBuffer);
    }
  });

  test('never show the bytes of another file', () => {
    for (let round = 0; round < 50; round++) {
      const table = open(path, { mapping: 'libc' });
      const view = table.getView('key 7')!;
      table.close();
      const next = open(other, { mapping: 'libc' });
      assert.equal(next.get('key 7'), 'another one of key 7');
      assert.deepEqual(Buffer.from(view), Buffer.alloc(view.length), 'zeros after it is closed');
      next.close();
    }
  });
});

test('memories are used again by longer and by shorter files', { skip }, async () => {
  const lengths = [10, 3_000_000, 100, 9_000_000, 1];
  const files = lengths.map((length) => join(folder, `${length}.hmap`));
  for (const [i, file] of files.entries()) await build(file, [['a', 'x'.repeat(lengths[i]!)]], { value: 'utf8' });
  const script = `
    const [, lengths, ...files] = process.argv;
    for (let round = 0; round < 40; round++) {
      for (const [i, length] of JSON.parse(lengths).entries()) {
        const table = hmap.open(files[i], { mapping: 'libc' });
        const right = table.get('a') === 'x'.repeat(length) && [...table.values()].length === 1;
        if (!right || table.mappingReason) throw new Error(length + ' ' + table.mappingReason?.code);
        table.close();
      }
    }`;
  const outcome = await runModule(script, [JSON.stringify(lengths), ...files]);
  assert.deepEqual(outcome, { status: 0, signal: null, stdout: '', stderr: '' });
});

test('a file in many segments, of which each is looked at when it is needed', { skip }, async () => {
  const segmented = join(folder, 'segmented.hmap');
  await build(segmented, model, { value: 'utf8', segmentBytes: 4096 });
  for (const check of ['header', 'touch', 'full'] as const) {
    for (const mapping of WORKING) {
      using table = open(segmented, { mapping, check });
      assert.ok(table.header.segments.length >= 8);
      assertIs(table, model);
      assert.equal(Buffer.from(table.getView('key 77')!).toString(), 'the value 77');
    }
  }
});

describe('twenty thousand tables take less than a tebibyte of addresses', { skip: onLinux }, () => {
  const ways = {
    closed: 'table.close();',
    'closed, with a view held': 'held = table.getView("key 5"); table.close();',
    'never closed': '',
  };
  for (const [way, end] of Object.entries(ways)) {
    test(way, async (t) => {
      const script = `
        import { readFileSync } from 'node:fs';
        let held;
        for (let i = 0; i < 20_000; i++) {
          const table = hmap.open(process.argv[1], { mapping: 'libc' });
          if (table.get('key 5') !== 'the value 5') throw new Error('wrong');
          ${end}
        }
        console.log(/VmPeak:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);`;
      const { stdout, ...outcome } = await runModule(script, [path], { seconds: 60 });
      assert.deepEqual(outcome, { status: 0, signal: null, stderr: '' });
      t.diagnostic(`${Math.round(Number(stdout) / 2 ** 20)} GiB`);
      assert.ok(Number(stdout) < 2 ** 30, `${stdout} KiB`);
    });
  }
});

describe('a heap of hundreds of megabytes', { skip: onLinux }, () => {
  // By the number of collections, not by the time that they take.
  test('is not collected for a file of gigabytes', async () => {
    const large = join(folder, 'large.hmap');
    writeSparseTable(large, 5);
    const script = `
      import { PerformanceObserver } from 'node:perf_hooks';
      const keep = [];
      for (let i = 0; i < 400_000; i++) keep.push({ i, text: 'x' + i });
      let collections = 0;
      const observer = new PerformanceObserver((list) => {
        for (const { detail } of list.getEntries()) if (detail.kind !== 1) collections++;
      });
      observer.observe({ entryTypes: ['gc'] });
      const turn = () => new Promise((resolve) => setTimeout(resolve, 20));
      gc();
      await turn();
      collections = 0;
      const tables = [];
      for (let i = 0; i < 3; i++) tables.push(hmap.open(process.argv[1], { mapping: 'libc' }));
      await turn();
      console.log(collections, tables.filter(({ mappingReason }) => mappingReason).length, keep.length);`;
    const { stdout, ...outcome } = await runModule(script, [large], { flags: ['--expose-gc'] });
    assert.deepEqual(outcome, { status: 0, signal: null, stderr: '' });
    const [collections, reasons] = stdout.split(' ').map(Number);
    assert.equal(reasons, 0);
    // With views that V8 counts there would be one for each of 96 segments. One may be V8's own.
    assert.ok(collections! <= 1, stdout);
  });
});

describe('where it is not to be had', { skip }, () => {
  const script = `
    const [, path, mapping] = process.argv;
    const table = hmap.open(path, { mapping });
    const { code, message } = table.mappingReason ?? {};
    const kept = table.getView('key 5');
    console.log(JSON.stringify({ mapping: table.mapping, code, message, value: table.get('key 5'), view: Buffer.from(kept).toString() }));`;
  const value = { value: 'the value 5', view: 'the value 5' };

  test('WebAssembly is switched off', async () => {
    const { stdout } = await runModule(script, [path, 'libc'], { flags: ['--jitless'] });
    const message = 'this process has no WebAssembly';
    assert.deepEqual(JSON.parse(stdout), { mapping: 'libc', code: 'HMAP_NO_WEBASSEMBLY', message, ...value });
  });

  test('native packages are switched off', async () => {
    const { stdout } = await runModule(script, [path, 'auto'], { flags: ['--no-addons'] });
    const message = 'native packages are forbidden here (--no-addons, or --permission without --allow-addons)';
    // From 26.1 on Node maps by itself.
    const mapping = HAS_FFI ? 'ffi' : 'copy';
    assert.deepEqual(JSON.parse(stdout), { mapping, code: 'HMAP_NO_PACKAGE', message, ...value });
    const asked = `try { hmap.open(process.argv[1], { mapping: 'libc' }); } catch (error) { console.log(error.code, error.message.slice(process.argv[1].length), error.cause.code); }`;
    const refused = await runModule(asked, [path], { flags: ['--no-addons'] });
    assert.match(
      refused.stdout,
      /^HMAP_MAPPING : the mapping 'libc' is not available: native packages are forbidden here .* ERR_DLOPEN_DISABLED\n$/,
    );
  });

  test('a way that was chosen has no reason, nor has the best one', async () => {
    const script = `
      const [, path, ...choices] = process.argv;
      for (const mapping of choices) {
        const table = hmap.open(path, { mapping });
        const reason = table.mappingReason;
        table.close();
        console.log(mapping === 'auto' || table.mapping === mapping, reason, table.mappingReason);
      }`;
    const outcome = await runModule(script, [path, 'auto', ...WORKING]);
    const stdout = 'true undefined undefined\n'.repeat(1 + WORKING.length);
    assert.deepEqual(outcome, { status: 0, signal: null, stdout, stderr: '' });
  });
});
