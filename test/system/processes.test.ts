// Tests many processes and threads at one table, thousands of openings, little memory, and files that others change in
// place. In real processes.

import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build, type OpenOptions, open } from '../../src/index.js';
import { pageCache } from '../../tools/bench/page-cache.js';
import { runModule, runNode } from '../support/child.js';
import { hmapError } from '../support/errors.js';
import { memoryGroup } from '../support/linux.js';
import { MAPPINGS, WORKING } from '../support/mappings.js';
import { LIBRARY_URL } from '../support/root.js';
import { writeSparseTable } from '../support/sparse-table.js';
import { temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
const path = join(folder, 'table.hmap');
const linux = process.platform === 'linux' ? false : 'only on Linux';
const libc = linux || MAPPINGS.find(([kind]) => kind === 'libc')![1];
const MIB = 2 ** 20;

const ENTRIES = 2000;
const textOf = (i: number) => `value ${i} `.repeat(1 + (i % 9));

/** A module whose `check` holds a table to the known values, hits and misses, in every way of asking. */
const known = join(folder, 'known.mjs');
before(async () => {
  await build(
    path,
    Array.from({ length: ENTRIES }, (_, i) => [`key ${i}`, textOf(i)] as const),
    { value: 'utf8' },
  );
  writeFileSync(
    known,
    `import assert from 'node:assert/strict';
    const textOf = ${textOf};
    const model = new Map(Array.from({ length: ${ENTRIES} }, (_, i) => ['key ' + i, textOf(i)]));
    const asked = [...model.keys()].flatMap((key) => [key, 'no ' + key]);
    const answers = asked.map((key) => model.get(key));
    export function check(table) {
      assert.equal(table.size, model.size);
      for (let i = 0; i < asked.length; i++) {
        if (table.get(asked[i]) !== answers[i]) throw new Error('wrong: ' + asked[i]);
        if (table.has(asked[i]) !== (answers[i] !== undefined)) throw new Error('wrong: ' + asked[i]);
      }
      assert.deepEqual(table.getMany(asked), answers);
      assert.deepEqual(new Map(table), model);
    }`,
  );
});

describe('many at one table', () => {
  test('sixteen processes and a cluster of four, that open, ask and close at once', async () => {
    const script = join(folder, 'crowd.mjs');
    // Nobody begins before all have the table open.
    writeFileSync(
      script,
      `import { fork } from 'node:child_process';
      import cluster from 'node:cluster';
      import { open } from ${JSON.stringify(LIBRARY_URL.href)};
      import { check } from './known.mjs';
      const [, script, path, how, count, ...mappings] = process.argv;
      if (process.send === undefined) {
        const crowd = Array.from({ length: Number(count) }, () =>
          how === 'cluster' ? cluster.fork() : fork(script, process.argv.slice(2)));
        let ready = 0;
        for (const one of crowd) {
          one.on('message', () => {
            if (++ready === crowd.length) for (const each of crowd) each.send('begin');
          });
          one.on('exit', (code, signal) => console.log(how, code, signal));
        }
      } else {
        const held = open(path);
        process.send('ready');
        process.once('message', () => {
          for (let round = 0; round < 8; round++) {
            const table = open(path, { mapping: mappings[round % mappings.length] });
            check(table);
            table.close();
          }
          check(held);
          process.disconnect();
        });
      }`,
    );
    const crowd = (how: string, count: number) => runNode([script, path, how, `${count}`, 'auto', ...WORKING]);
    const outcomes = await Promise.all([crowd('fork', 16), crowd('cluster', 4)]);
    const fine = { status: 0, signal: null, stderr: '' };
    assert.deepEqual(outcomes, [
      { ...fine, stdout: 'fork 0 null\n'.repeat(16) },
      { ...fine, stdout: 'cluster 0 null\n'.repeat(4) },
    ]);
  });

  test('four threads, that are given path and options, whatever their end', async () => {
    const script = join(folder, 'thread.mjs');
    writeFileSync(
      script,
      `import { parentPort, workerData } from 'node:worker_threads';
      import { open } from ${JSON.stringify(LIBRARY_URL.href)};
      import { check } from './known.mjs';
      const { args, end } = workerData;
      const table = open(...args);
      for (let round = 0; round < 4; round++) check(table);
      parentPort.postMessage(table.mapping);
      if (end === 'close') table.close();
      else if (end === 'exit') process.exit(0);
      else if (end === 'throw') throw new Error('of the thread');`,
    );
    const { check } = (await import(pathToFileURL(known).href)) as { check(table: unknown): void };
    const here = open(path);
    for (const mapping of WORKING.filter((kind) => kind !== 'mmap-io')) {
      const args: [string, OpenOptions] = [path, { value: 'utf8', mapping }];
      const ends = ['close', 'nothing', 'exit', 'throw'];
      const results = await Promise.all(
        ends.map((end) => {
          const worker = new Worker(script, { workerData: { args, end } });
          const told: unknown[] = [];
          worker.on('message', (message) => {
            told.push(message);
            check(here);
          });
          worker.on('error', ({ message }) => told.push(message));
          // An error may overtake a message.
          return new Promise((resolve) => worker.on('exit', (code) => resolve([...told.sort(), code])));
        }),
      );
      assert.deepEqual(results, [
        [mapping, 0],
        [mapping, 0],
        [mapping, 0],
        [mapping, 'of the thread', 1],
      ]);
      check(here);
      const table = open(...args);
      check(table);
      table.close();
    }
    here.close();
  });
});

describe('ten thousand tables, opened, asked and closed', { skip: linux }, () => {
  for (const [mapping, missing] of MAPPINGS) {
    for (const turns of ['with turns of the event loop', 'in one go'] as const) {
      test(`through ${mapping}, ${turns}, leave nothing after`, { skip: missing }, async (t) => {
        const script = `
          import { readdirSync, readFileSync } from 'node:fs';
          const [, path, mapping, turns] = process.argv;
          const kilobytes = (name) => Number(new RegExp(name + ':\\\\s+(\\\\d+)').exec(readFileSync('/proc/self/status', 'utf8'))[1]);
          const turn = () => new Promise((resolve) => setTimeout(resolve, 1));
          const counts = async () => {
            for (let i = 0; i < 4; i++) {
              gc();
              await turn();
            }
            const maps = readFileSync('/proc/self/maps', 'utf8').split('\\n');
            return {
              files: readdirSync('/proc/self/fd').length,
              tables: maps.filter((line) => line.endsWith(path)).length,
              maps: maps.length,
              resident: kilobytes('VmRSS') / 1024,
              addresses: kilobytes('VmSize') / 1024,
            };
          };
          const cycle = (i) => {
            const table = hmap.open(path, { mapping });
            const key = 'key ' + (i % ${ENTRIES});
            if (!table.get(key).startsWith('value ' + (i % ${ENTRIES}) + ' ') || table.has('no ' + key)) throw new Error(key);
            table.close();
          };
          const cycles = async (from, to) => {
            for (let i = from; i < to; i++) {
              cycle(i);
              if (turns !== 'in one go' && i % 100 === 99) await turn();
            }
          };
          const start = turns === 'in one go' ? 0 : 2000;
          await cycles(0, 2000);
          const before = await counts();
          await cycles(start, start + ${turns === 'in one go' ? 10_000 : 8000});
          const after = await counts();
          const grown = Object.keys(after).map((name) => [name, after[name] - before[name]]);
          console.log(JSON.stringify({ ...Object.fromEntries(grown), tables: after.tables }));`;
        const { stdout, ...outcome } = await runModule(script, [path, mapping, turns], { flags: ['--expose-gc'] });
        assert.deepEqual(outcome, { status: 0, signal: null, stderr: '' });
        t.diagnostic(`grown by ${stdout.trim()} (resident and addresses in MiB)`);
        const grown = JSON.parse(stdout) as Record<'files' | 'tables' | 'maps' | 'resident' | 'addresses', number>;
        assert.ok(grown.files <= 0 && grown.tables === 0 && grown.maps < 1000, stdout);
        // 8,000 times the file would take 800 MiB, resident or as addresses.
        assert.ok(statSync(path).size > 100_000);
        assert.ok(grown.resident < 96 && grown.addresses < 96, stdout);
      });
    }
  }
});

describe('memory', () => {
  test('less than the file: pages go, and come back when they are asked for', { skip: libc }, async (t) => {
    const cache = pageCache();
    if (typeof cache === 'string') return t.skip(cache);
    const limit = 96 * MIB;
    const group = memoryGroup(t, limit);
    if (group === undefined) return;
    const large = join(folder, 'large.hmap');
    const count = 150_000;
    const entries = function* () {
      const value = new Uint8Array(1024);
      const view = new DataView(value.buffer);
      for (let i = 0; i < count; i++) {
        view.setUint32(0, i, true);
        view.setUint32(1020, ~i, true);
        yield [`key ${i}`, value] as const;
      }
    };
    const { fileBytes } = await build(large, entries(), { value: 'bytes' });
    assert.ok(fileBytes > 1.5 * limit);
    // Pages count for whoever brought them in, and here that was the build.
    cache.evict(large);
    const script = `
      const [, path, count, mapping] = process.argv;
      const table = hmap.open(path, { mapping, value: 'bytes' });
      let wrong = 0;
      const look = (i) => {
        const view = table.getView('key ' + i);
        const words = new DataView(view.buffer, view.byteOffset, view.length);
        if (words.getUint32(0, true) !== i || words.getInt32(1020, true) !== ~i) wrong++;
        if (table.has('no key ' + i)) wrong++;
      };
      const faults = () => process.resourceUsage().majorPageFault;
      const round = () => {
        const before = faults();
        for (let n = 0, x = 7; n < 8000; n++) {
          x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
          look(Math.floor((x / 2 ** 32) * count));
        }
        return { faults: faults() - before, resident: table.residentBytes() };
      };
      const start = table.residentBytes();
      const first = round();
      let values = 0;
      for (const value of table.values()) values += value.length;
      const second = round();
      let refused;
      try { hmap.open(path, { mapping: 'copy' }) } catch (error) { refused = error }
      look(0);
      console.log(JSON.stringify({
        wrong, values, start, first, second,
        refused: [refused?.code, refused?.actual, refused?.expected > refused?.actual],
      }));`;
    const outcome = await runModule(script, [large, `${count}`, 'libc'], { join: group.processes });
    assert.deepEqual({ ...outcome, stdout: '' }, { status: 0, signal: null, stdout: '', stderr: '' });
    const { reached, killed } = group.counts();
    t.diagnostic(`${fileBytes} bytes within ${limit}: ${outcome.stdout.trim()}, limit reached ${reached} times`);
    const { wrong, values, start, first, second, refused } = JSON.parse(outcome.stdout);
    assert.deepEqual([wrong, values, killed], [0, 1024 * count, 0]);
    assert.ok(reached > 0, 'the limit was reached');
    assert.ok(start < MIB && second.resident < limit, outcome.stdout);
    assert.ok(first.faults > 1000 && second.faults > 1000, 'the same pages were read twice');
    assert.deepEqual(refused, ['ENOMEM', limit, true], 'a copy is refused before it is made');
  });

  // So that a copy that is tried all the same does not take the machine down with it.
  const limit = '-v 4000000';
  const copying = `
    try {
      hmap.open(process.argv[1], { mapping: 'copy', check: 'header' });
    } catch ({ name, code, message, expected, actual }) {
      console.log(JSON.stringify({ name, code, message, expected, actual }));
    }`;

  test('a sparse file that claims more than there is is not copied', { skip: linux }, async () => {
    const file = join(folder, 'sparse.hmap');
    const total = writeSparseTable(file, Math.max(6, Math.ceil(Math.log2(totalmem() / 2 ** 31)) + 1));
    assert.ok(total > 100e9 && total > totalmem() && statSync(file).blocks < 100);
    const { stdout, ...outcome } = await runModule(copying, [file], { limit });
    assert.deepEqual(outcome, { status: 0, signal: null, stderr: '' });
    const { actual, message, ...told } = JSON.parse(stdout);
    assert.deepEqual(told, { name: 'HmapError', code: 'ENOMEM', expected: total });
    assert.ok(actual > 0 && actual <= totalmem());
    assert.match(message, /: the file cannot be copied into memory: it has \d+ bytes, and only \d+ are available$/);
  });

  test('that the system does not give is reported, too, before the file is read', { skip: linux }, async () => {
    const file = join(folder, 'too-large.hmap');
    const total = writeSparseTable(file, 2);
    const { stdout, ...outcome } = await runModule(copying, [file], { limit });
    assert.deepEqual(outcome, { status: 0, signal: null, stderr: '' });
    const { message, actual: _, ...told } = JSON.parse(stdout);
    assert.deepEqual(told, { name: 'HmapError', code: 'ENOMEM', expected: total });
    // From Node 24 on, the limit of the process is known before the allocation is tried.
    const reason = /(not enough memory for \d+ bytes|it has \d+ bytes, and only \d+ are available)$/;
    assert.match(message, new RegExp(`: the file cannot be copied into memory: ${reason.source}`));
  });

  test('is not needed for a sparse file that is mapped, whatever it claims', { skip: libc }, () => {
    const file = join(folder, 'mapped.hmap');
    writeSparseTable(file, 6);
    const table = open(file, { mapping: 'libc', check: 'header' });
    assert.equal(table.get('key'), undefined);
    table.close();
  });
});

describe('a file that others change in place', { skip: linux }, () => {
  const changed = join(folder, 'changed.hmap');
  /** Runs a script with a fresh copy of the table; it may end by a signal, and then leaves no dump of its memory. */
  const run = (script: string, mapping: string) => {
    writeFileSync(changed, readFileSync(path));
    const first = `
      import { writeFileSync, readFileSync, truncateSync, openSync, writeSync, closeSync } from 'node:fs';
      import { execFileSync } from 'node:child_process';
      const { check } = await import(${JSON.stringify(pathToFileURL(known).href)});
      const [, path, mapping] = process.argv;
      const bytes = readFileSync(path);
      const { record } = hmap.inspectKey(path, 'key 8');
      const table = hmap.open(path, { mapping });
      check(table);`;
    return runModule(first + script, [changed, mapping], { limit: '-c 0' });
  };
  const overwrite = `
      const fd = openSync(path, 'r+');
      writeSync(fd, 'VALUE 8 ', record.valueOffset);
      closeSync(fd);`;
  const fine = { status: 0, signal: null, stderr: '' };

  test('is of no matter to a copy', async () => {
    const script = `
      ${overwrite}
      check(table);
      truncateSync(path, 4096);
      check(table);
      writeFileSync(path, new Uint8Array(bytes.length).fill(255));
      check(table);
      truncateSync(path, 0);
      check(table);
      console.log('right');`;
    assert.deepEqual(await run(script, 'copy'), { ...fine, stdout: 'right\n' });
  });

  test('changes under who has it mapped', { skip: libc }, async () => {
    const script = `
      ${overwrite}
      console.log(table.get('key 8').slice(0, 16));
      // What 'cp' over it does: cuts it short, and writes it anew.
      writeFileSync(path, bytes);
      check(table);
      console.log('as before');`;
    assert.deepEqual(await run(script, 'libc'), { ...fine, stdout: 'VALUE 8 value 8 \nas before\n' });
  });

  for (const [what, ask] of [
    ['a lookup', `table.get('key 8')`],
    ['many lookups at once', `table.getMany(['key 8', 'key 9'])`],
    ['an iteration', '[...table]'],
    ['a view', 'view[0]'],
  ]) {
    test(`and is cut short ends a process that has it mapped: ${what}`, { skip: libc }, async () => {
      const script = `
        const view = table.getView('key 8');
        truncateSync(path, 4096);
        console.log('still here', table.size);
        ${ask};
        console.log('not reached');`;
      const { signal, stdout, stderr } = await run(script, 'libc');
      assert.deepEqual({ signal, stdout, stderr }, { signal: 'SIGBUS', stdout: `still here ${ENTRIES}\n`, stderr: '' });
    });
  }

  test('and is cut short in the middle of a page reads as zeros up to its end', { skip: libc }, async () => {
    const script = `
      const view = table.getView('key 8');
      const end = record.valueOffset + 3;
      truncateSync(path, end);
      const inPage = Math.min(view.length, 4096 - (record.valueOffset % 4096));
      console.log(Buffer.from(view.subarray(0, 3)).toString(), view.subarray(3, inPage).every((byte) => byte === 0), inPage);`;
    const { stdout, ...outcome } = await run(script, 'libc');
    assert.deepEqual(outcome, fine);
    assert.match(stdout, /^val true \d\d+\n$/);
  });

  test('and is cut short is refused by the next who opens it', async () => {
    writeFileSync(changed, readFileSync(path).subarray(0, 50_000));
    for (const mapping of WORKING) {
      assert.throws(() => open(changed, { mapping }), hmapError('HMAP_TRUNCATED', { actual: 50_000 }));
    }
  });
});
