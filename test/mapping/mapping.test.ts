// Tests how files come into memory: the same bytes each way, safe to hold after closing, nothing left after. In real
// processes and threads.

import assert from 'node:assert/strict';
import { chmodSync, closeSync, openSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build, type MappingKind, open } from '../../src/index.js';
import { mapRanges } from '../../src/mapping/map-ranges.js';
import type { ByteRange } from '../../src/mapping/mapping.js';
import { runModule, runNode } from '../support/child.js';
import { hmapError } from '../support/errors.js';
import { HAS_FFI, MAPPINGS, WORKING } from '../support/mappings.js';
import { assertIs } from '../support/model.js';
import { Random } from '../support/random.js';
import { LIBRARY_URL } from '../support/root.js';
import { openFilesIn, temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
const path = join(folder, 'table.hmap');
const large = join(folder, 'large.hmap');
const linux = process.platform === 'linux';

const random = new Random(5);
const model = new Map(Array.from({ length: 2000 }, (_, i) => [`key ${i}`, random.text(random.below(100))]));

before(async () => {
  await build(path, model, { value: 'utf8' });
  const block = random.bytes(65_536);
  const entries = Array.from({ length: 64 }, (_, i) => [`block ${i}`, block.subarray(i)] as const);
  await build(large, entries, { value: 'bytes' });
});

describe('ranges of a file', () => {
  const file = random.bytes(400_000);
  const raw = join(folder, 'raw');
  const layouts: ByteRange[][] = [
    [{ offset: 0, length: 400_000 }],
    [{ offset: 0, length: 1 }],
    [{ offset: 4, length: 399_996 }],
    [{ offset: 4096, length: 100_000 }],
    [{ offset: 65_536, length: 65_536 }],
    [
      { offset: 69_996, length: 7 },
      { offset: 80_000, length: 1 },
    ],
    [
      { offset: 4096, length: 5000 },
      { offset: 12_288, length: 150_000 },
      { offset: 200_704, length: 199_296 },
    ],
    Array.from({ length: 90 }, (_, i) => ({ offset: 4096 * (i + 1), length: 4000 + i })),
  ];
  before(() => writeFileSync(raw, file));

  for (const [kind, skip] of MAPPINGS) {
    test(`come whole through ${kind}, with the file closed`, { skip }, () => {
      for (const ranges of layouts) {
        const fd = openSync(raw, 'r');
        const mapping = mapRanges(fd, ranges, kind, raw, 'random');
        closeSync(fd);
        assert.equal(mapping.kind, kind);
        for (const [i, { offset, length }] of ranges.entries()) {
          const view = mapping.view(i);
          assert.equal(view.byteOffset % 4, 0);
          const expected = file.subarray(offset, offset + length);
          assert.ok(Buffer.compare(view, expected) === 0, `${offset} + ${length}`);
          const lent = mapping.lend(i)!;
          assert.ok(Buffer.compare(lent, expected) === 0, `${offset} + ${length}`);
          assert.ok(lent.buffer instanceof ArrayBuffer);
          for (const advice of ['random', 'normal', 'sequential', 'willneed', 'dontneed'] as const) {
            mapping.advise(advice, i, 0, length);
            mapping.advise(advice, i, Math.floor(length / 2), length - Math.floor(length / 2));
          }
        }
        const { offset, length } = ranges[ranges.length - 1]!;
        const resident = mapping.residentBytes();
        if (kind === 'copy') assert.equal(resident, undefined);
        else assert.ok(resident! > 0 && resident! <= offset + length, `${resident} bytes resident`);
        mapping.close();
        mapping.close();
        mapping.advise('willneed', 0, 0, 1);
        if (kind !== 'copy') assert.equal(mapping.residentBytes(), undefined);
      }
      assert.deepEqual(openFilesIn(folder), []);
    });
  }
});

describe('tables', () => {
  for (const [kind, skip] of MAPPINGS) {
    test(`through ${kind}: views show the bytes of the file`, { skip }, () => {
      const file = readFileSync(path);
      const table = open(path, { mapping: kind });
      for (const [key, value] of model) {
        const view = table.getView(key)!;
        assert.equal(Buffer.from(view).toString(), value);
        assert.ok(file.indexOf(Buffer.concat([Buffer.from(key), view])) > 0);
      }
      table.close();
    });

    test(`through ${kind}: a deleted file stays readable`, { skip: skip || process.platform === 'win32' }, async () => {
      const gone = join(folder, 'gone.hmap');
      await build(gone, model, { value: 'utf8' });
      const table = open(gone, { mapping: kind });
      unlinkSync(gone);
      assertIs(table, model);
      table.close();
      assert.throws(() => open(gone), hmapError('ENOENT'));
    });

    test(`through ${kind}: each way of warming gives the same table`, { skip }, async (t) => {
      const segmented = join(temporaryFolder(t), 'segmented.hmap');
      await build(segmented, model, { value: 'utf8', segmentBytes: 16_384 });
      for (const warm of ['none', 'buckets', 'all'] as const) {
        for (const file of [path, segmented]) {
          const table = open(file, { mapping: kind, warm });
          assertIs(table, model);
          table.close();
        }
      }
    });

    test(`through ${kind}: residentBytes`, { skip }, () => {
      const table = open(large, { mapping: kind });
      for (const value of table.values()) assert.ok(value);
      const resident = table.residentBytes();
      if (kind === 'copy') assert.equal(resident, undefined);
      else assert.ok(resident! > 2 ** 20 && resident! <= table.header.fileBytes, `${resident} bytes resident`);
      table.close();
    });
  }

  test('a file, and a folder, without write permission', async (t) => {
    const inner = temporaryFolder(t);
    const file = join(inner, 'table.hmap');
    await build(file, model, { value: 'utf8' });
    chmodSync(file, 0o444);
    chmodSync(inner, 0o555);
    for (const mapping of WORKING) {
      const table = open(file, { mapping });
      assertIs(table, model);
      table.close();
    }
    chmodSync(inner, 0o755);
  });

  test('a path through symbolic links', () => {
    symlinkSync('.', join(folder, 'here'));
    symlinkSync('table.hmap', join(folder, 'link.hmap'));
    for (const mapping of WORKING) {
      const linked = join(folder, 'here', 'link.hmap');
      const table = open(linked, { mapping });
      assert.equal(table.path, linked);
      assertIs(table, model);
      table.close();
    }
  });

  test('five hundred tables at once, and no file stays open', () => {
    for (const mapping of WORKING) {
      const tables = Array.from({ length: 500 }, () => open(path, { mapping }));
      assert.deepEqual(openFilesIn(folder), []);
      for (const [i, table] of tables.entries()) assert.equal(table.get(`key ${i}`), model.get(`key ${i}`));
      for (const table of tables) table.close();
    }
  });
});

test('a view that is sent to another thread does not take the table with it', () => {
  for (const mapping of WORKING) {
    const table = open(path, { value: 'utf8', mapping });
    const { buffer } = table.getView('key 1')!;
    try {
      structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
    } catch (error) {
      assert.equal((error as Error).name, 'DataCloneError', mapping);
    }
    assertIs(table, model);
    table.close();
  }
});

describe('which mapping', () => {
  test('auto takes the first that works here', () => {
    const table = open(path);
    const order: MappingKind[] = ['mmap-io', 'windows', 'libc', 'ffi', 'copy'];
    assert.equal(
      table.mapping,
      order.find((kind) => WORKING.includes(kind)),
    );
    table.close();
  });

  for (const [kind, missing] of MAPPINGS) {
    test(`${kind}, asked for where there is none`, { skip: missing === false ? 'it works here' : false }, () => {
      assert.throws(
        () => open(path, { mapping: kind }),
        hmapError('HMAP_MAPPING', { path, expected: kind, message: new RegExp(kind) }),
      );
      assert.deepEqual(openFilesIn(folder), []);
    });
  }

  test('without native code there is the copy', async () => {
    // Before hmap is loaded, which loads them.
    const first = `
      import Module from 'node:module';
      const load = Module._load;
      Module._load = (name, ...rest) => {
        if (/koffi|mmap-io|ffi/.test(name)) throw new Error('not here');
        return load(name, ...rest);
      };`;
    const script = `
      const table = hmap.open(process.argv[1]);
      console.log(table.mapping, table.get('key 1'));
      for (const mapping of ['libc', 'mmap-io']) {
        try { hmap.open(process.argv[1], { mapping }) } catch (error) { console.log(error.code, error.expected) }
      }`;
    const { stderr: _, ...outcome } = await runModule(script, [path], {
      flags: ['--import', `data:text/javascript,${encodeURIComponent(first)}`],
    });
    const stdout = `${HAS_FFI ? 'ffi' : 'copy'} ${model.get('key 1')}\nHMAP_MAPPING libc\nHMAP_MAPPING mmap-io\n`;
    assert.deepEqual(outcome, { status: 0, signal: null, stdout });
  });
});

describe('after closing', () => {
  const collect = `
    const collect = async () => {
      for (let i = 0; i < 4; i++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };`;
  const sum = 'const sum = (view) => view.reduce((total, byte) => total + byte, 0);';

  test('tables closed, and a file verified, without a pause for collecting, end at no limit of the system', {
    skip: !linux,
  }, async () => {
    // Linux gives a process 65,530 mappings.
    const script = `
      import { readFileSync } from 'node:fs';
      const [, path] = process.argv;
      const mapped = () => readFileSync('/proc/self/maps', 'utf8').split('\\n').filter((line) => line.includes(path)).length;
      const kinds = new Set();
      for (let i = 0; i < 20_000; i++) {
        const table = hmap.open(path, { check: 'header' });
        kinds.add(table.mapping);
        table.close();
      }
      const opened = mapped();
      for (let i = 0; i < 2000; i++) if (!(await hmap.verify(path)).ok) throw new Error('damage');
      console.log(JSON.stringify({ kinds: [...kinds], opened, verified: mapped() }));`;
    const { stdout, ...outcome } = await runModule(script, [path], { seconds: 60 });
    assert.deepEqual(outcome, { status: 0, signal: null, stderr: '' });
    const { kinds, opened, verified } = JSON.parse(stdout) as { kinds: string[]; opened: number; verified: number };
    assert.equal(kinds[0], WORKING.includes('mmap-io') ? 'mmap-io' : WORKING[0]);
    assert.ok(opened < 17_000 && verified <= opened, stdout);
  });

  for (const [kind, skip] of MAPPINGS) {
    test(`${kind}: views that someone holds are safe to read`, { skip }, async () => {
      const script = `${collect} ${sum}
        const [, path, mapping] = process.argv;
        let table = hmap.open(path, { mapping });
        const views = [...table.getManyViews(['block 0', 'block 63']), table.getView('block 7')];
        const before = views.map(sum).join();
        table.close();
        views.map(sum);
        table = undefined;
        await collect();
        for (let i = 0; i < 50; i++) hmap.open(path, { mapping }).close();
        await collect();
        const after = views.map(sum).join();
        if (after !== before && after !== '0,0,0') throw new Error(after);
        console.log(views.map((view) => view.length).join());`;
      const outcome = await runModule(script, [large, kind], { flags: ['--expose-gc'] });
      assert.deepEqual(outcome, { status: 0, signal: null, stdout: '65536,65473,65529\n', stderr: '' });
    });

    test(`${kind}: views of a table that nobody holds or closes keep their bytes`, { skip }, async () => {
      const script = `${collect} ${sum}
        const [, path, mapping] = process.argv;
        const view = hmap.open(path, { mapping }).getView('block 5');
        const before = sum(view);
        for (let i = 0; i < 50; i++) hmap.open(path, { mapping });
        await collect();
        console.log(before > 0 && sum(view) === before);`;
      const outcome = await runModule(script, [large, kind], { flags: ['--expose-gc'] });
      assert.deepEqual(outcome, { status: 0, signal: null, stdout: 'true\n', stderr: '' });
    });

    for (const closing of ['closed', 'only dropped'] as const) {
      test(`${kind}: 2,000 tables that are ${closing} leave no files and no addresses`, {
        skip: skip || !linux,
      }, async () => {
        const script = `${collect}
          import { readdirSync, readFileSync } from 'node:fs';
          const [, path, mapping, closing] = process.argv;
          const count = () => ({
            files: readdirSync('/proc/self/fd').length,
            maps: readFileSync('/proc/self/maps', 'utf8').split('\\n').length,
            here: readFileSync('/proc/self/maps', 'utf8').split('\\n').filter((line) => line.includes('.hmap')).length,
            megabytes: Number(/VmSize:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024,
          });
          const cycles = async (times) => {
            for (let i = 0; i < times; i++) {
              const table = hmap.open(path, { mapping });
              if (table.get('key 1') === undefined) throw new Error('not found');
              if (closing === 'closed') table.close();
              if (i % 250 === 249) await collect();
            }
            await collect();
          };
          await cycles(250);
          const before = count();
          await cycles(2000);
          const after = count();
          console.log(JSON.stringify({
            files: after.files - before.files,
            maps: after.maps - before.maps,
            here: after.here,
            megabytes: after.megabytes - before.megabytes,
          }));`;
        const { stdout, ...outcome } = await runModule(script, [path, kind, closing], { flags: ['--expose-gc'] });
        assert.deepEqual(outcome, { status: 0, signal: null, stderr: '' });
        const grown = JSON.parse(stdout) as Record<'files' | 'maps' | 'here' | 'megabytes', number>;
        // The file takes about 0.2 MB: 2,000 of them would take 400.
        assert.ok(grown.files <= 0, stdout);
        assert.ok(grown.maps < 100, stdout);
        assert.ok(grown.here <= 3, stdout);
        assert.ok(grown.megabytes < 64, stdout);
      });
    }

    test(`${kind}: closing releases the file at once`, { skip: skip || !linux || kind === 'mmap-io' }, () => {
      const table = open(large, { mapping: kind });
      const held = table.getView('block 1');
      const mapped = () => readFileSync('/proc/self/maps', 'utf8').includes('large.hmap');
      assert.equal(mapped(), kind !== 'copy');
      table.close();
      assert.equal(mapped(), false);
      assert.ok(held);
    });

    test(`${kind}: a process ends well with tables open and views held`, { skip }, async () => {
      const script = `
        const [, path, mapping] = process.argv;
        globalThis.kept = [hmap.open(path, { mapping }), hmap.open(path, { mapping }).getView('block 1')];
        console.log('end');`;
      const outcome = await runModule(script, [large, kind]);
      assert.deepEqual(outcome, { status: 0, signal: null, stdout: 'end\n', stderr: '' });
    });
  }
});

describe('processes and threads', () => {
  // Prints how many of the values are right, asked for in each way.
  const count = `
    const count = (table, model) => {
      let right = 0;
      const found = table.getMany(Object.keys(model));
      for (const [i, [key, value]] of Object.entries(model).entries()) {
        if (table.get(key) === value && found[i] === value && table.get('no ' + key) === undefined) right++;
      }
      return right + [...table].filter(([key, value]) => model[key] === value).length;
    };`;
  const json = join(folder, 'model.json');
  before(() => writeFileSync(json, JSON.stringify(Object.fromEntries(model))));

  test('several threads at once, each with a table of its own', async () => {
    const script = join(folder, 'worker.mjs');
    writeFileSync(
      script,
      `import { readFileSync } from 'node:fs';
      import { parentPort, workerData } from 'node:worker_threads';
      import { open } from ${JSON.stringify(LIBRARY_URL.href)};
      ${count}
      const model = JSON.parse(readFileSync(workerData.json, 'utf8'));
      const table = open(workerData.path, { mapping: workerData.mapping });
      let right = 0;
      for (let i = 0; i < 5; i++) right += count(table, model);
      if (workerData.close) table.close();
      parentPort.postMessage(right);`,
    );
    for (const mapping of ['auto', 'copy']) {
      const here = open(path);
      const results = await Promise.all(
        [true, false, true, false].map((close) => {
          const worker = new Worker(script, { workerData: { path, json, mapping, close } });
          return new Promise((resolve, reject) => {
            worker.on('error', reject);
            let right: unknown;
            worker.on('message', (message) => {
              right = message;
            });
            worker.on('exit', (code) => resolve([code, right]));
          });
        }),
      );
      assert.deepEqual(results, new Array(4).fill([0, 10 * model.size]), mapping);
      assertIs(here, model);
      here.close();
    }
  });

  test('a thread that is ended in the middle takes nothing with it', async () => {
    const endless = join(folder, 'endless.mjs');
    writeFileSync(
      endless,
      `import { parentPort, workerData } from 'node:worker_threads';
      import { open } from ${JSON.stringify(LIBRARY_URL.href)};
      const table = open(workerData);
      parentPort.postMessage('open');
      for (;;) table.getMany(table.keys());`,
    );
    const script = `
      import { Worker } from 'node:worker_threads';
      const [, path, endless] = process.argv;
      const table = hmap.open(path);
      for (let i = 0; i < 3; i++) {
        const worker = new Worker(endless, { workerData: path, execArgv: [] });
        await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
        await worker.terminate();
        if ([...table].length !== table.size) throw new Error('entries are missing');
      }
      console.log(table.size);`;
    const outcome = await runModule(script, [path, endless]);
    assert.deepEqual(outcome, { status: 0, signal: null, stdout: `${model.size}\n`, stderr: '' });
  });

  test('four processes at once', async () => {
    const script = `
      import { readFileSync } from 'node:fs';
      ${count}
      const [, path, json, mapping] = process.argv;
      const model = JSON.parse(readFileSync(json, 'utf8'));
      const table = hmap.open(path, { mapping });
      console.log(count(table, model));
      table.close();`;
    const kinds = [...WORKING, ...WORKING, 'auto', 'auto'].slice(0, 4);
    const outcomes = await Promise.all(kinds.map((kind) => runModule(script, [path, json, kind])));
    for (const outcome of outcomes) {
      assert.deepEqual(outcome, { status: 0, signal: null, stdout: `${2 * model.size}\n`, stderr: '' });
    }
  });

  test('a CommonJS script may require the library', async () => {
    const script = join(folder, 'script.cjs');
    writeFileSync(
      script,
      `const { open, build, HmapError } = require(process.argv[2]);
      const table = open(process.argv[3], { value: 'utf8' });
      console.log(table.get('key 5'), typeof build, new HmapError('HMAP_CLOSED', 'x').code);`,
    );
    const { stderr: _, ...outcome } = await runNode([script, fileURLToPath(LIBRARY_URL), path]);
    const stdout = `${model.get('key 5')} function HMAP_CLOSED\n`;
    assert.deepEqual(outcome, { status: 0, signal: null, stdout });
  });

  test('a table that another process replaces meanwhile is never seen half', async () => {
    const replaced = join(folder, 'replaced.hmap');
    const script = `
      const [, path] = process.argv;
      for (let n = 0; n < 60; n++) {
        await hmap.build(path, Array.from({ length: 500 }, (_, i) => ['key ' + i, n]), { value: 'u8', memory: 2 ** 20 });
      }`;
    await build(replaced, [['key 0', 255]], { value: 'u8' });
    const building = runModule(script, [replaced]);
    const seen = new Set<number>();
    let done = false;
    void building.then(() => {
      done = true;
    });
    while (!done) {
      const table = open(replaced, { value: 'u8' });
      const values = new Set(table.values());
      assert.equal(values.size, 1, 'values of one build');
      assert.ok(table.size === 500 || values.has(255));
      for (const value of values) seen.add(value);
      table.close();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(await building, { status: 0, signal: null, stdout: '', stderr: '' });
    assert.ok(seen.size > 1, 'more than one build was seen');
  });
});
