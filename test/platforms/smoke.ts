// A short suite for any runtime and system: tables of each form with known bytes, lookups, replacing, threads. Stands
// alone, so that it runs beside an installed package: it knows `hmap` by name, and builtin modules. What it found goes
// to a file, since some runtimes break their standard output (Node under Wine).
//
//     node smoke.js FOLDER RESULT [MAPPING]

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import {
  type AnyKey,
  type BuildSummary,
  build,
  HmapError,
  type KeyArgument,
  type MappingChoice,
  open,
  type Table,
  verify,
} from 'hmap';

/** What the suite found. */
export interface Found {
  /** How files come into memory, and why not in a better way. */
  mapping: string;
  reason?: string;
  /** How a file was replaced that was in use, where there is more than one way. */
  published?: string;
  passed: number;
  failed: { name: string; message: string }[];
}

const [, , folder = '.', result = 'result.json', mapping = 'auto'] = process.argv;
const choice = { mapping: mapping as MappingChoice };
const COUNT = 5000;

const at = (name: string) => join(folder, `${name}.hmap`);
const indexes = Array.from({ length: COUNT }, (_, i) => i);
const content = (i: number) => new Uint8Array(i % 300).fill(i);
const text = (i: number) => `${'value '.repeat(i % 9)}${i} \u00fc`;

/** A table of each form: how it is built, and a question with its answer for each entry. */
const FORMS: Record<string, { make: (path: string) => Promise<BuildSummary>; check: (path: string) => void }> = {
  'texts by text': {
    make: (path) =>
      build(
        path,
        indexes.map((i) => [`key ${i}`, text(i)] as const),
        { value: 'utf8' },
      ),
    check: (path) => askAll(open(path, { ...choice, value: 'utf8' }), (i) => `key ${i}`, text),
  },
  'numbers by text': {
    make: (path) =>
      build(
        path,
        indexes.map((i) => [`key ${i}`, i * 7] as const),
        { value: 'uint' },
      ),
    check: (path) =>
      askAll(
        open(path, { ...choice, value: 'uint' }),
        (i) => `key ${i}`,
        (i) => i * 7,
      ),
  },
  'objects by number': {
    make: (path) =>
      build(
        path,
        indexes.map((i) => [i, { i }] as const),
        { value: 'json', key: 'u32' },
      ),
    check: (path) =>
      askAll(
        open<{ i: number }, 'u32'>(path, { ...choice, key: 'u32' }),
        (i) => i,
        (i) => ({ i }),
      ),
  },
  'integers of 64 bits': {
    make: (path) =>
      build(
        path,
        indexes.map((i) => [BigInt(i) << 40n, -BigInt(i)] as const),
        { value: 'i64', key: 'u64' },
      ),
    check: (path) =>
      askAll(
        open(path, { ...choice, value: 'i64', key: 'u64' }),
        (i) => BigInt(i) << 40n,
        (i) => -BigInt(i),
      ),
  },
  structs: {
    make: (path) =>
      build(
        path,
        indexes.map((i) => [`${i}`, { even: i % 2 === 0, level: i % 100, price: i / 4 }] as const),
        {
          value: { struct: { even: 'bool', level: 'u7', price: 'f32' } },
        },
      ),
    check: (path) =>
      askAll(
        open(path, choice),
        (i) => `${i}`,
        (i) => ({ even: i % 2 === 0, level: i % 100, price: i / 4 }),
      ),
  },
  'few distinct texts': {
    make: (path) =>
      build(
        path,
        indexes.map((i) => [`${i}`, `kind ${i % 5}`] as const),
        { value: 'enum' },
      ),
    check: (path) =>
      askAll(
        open(path, { ...choice, value: 'enum' }),
        (i) => `${i}`,
        (i) => `kind ${i % 5}`,
      ),
  },
  bytes: {
    make: (path) =>
      build(
        path,
        indexes.map((i) => [`${i}`, content(i)] as const),
        { value: 'bytes' },
      ),
    check: (path) => askAll(open(path, { ...choice, value: 'bytes' }), (i) => `${i}`, content),
  },
  fingerprints: {
    make: (path) =>
      build(
        path,
        indexes.map((i) => `key ${i}`),
        { value: 'none', fingerprint: 16 },
      ),
    check(path) {
      const set = open(path, { ...choice, fingerprint: true });
      assert.ok(indexes.every((i) => set.has(`key ${i}`)));
      set.close();
    },
  },
  'a list': {
    make: (path) =>
      build(
        path,
        indexes.map((i) => i % 128),
        { layout: 'list', value: 'u7' },
      ),
    check(path) {
      const list = open(path, { ...choice, layout: 'list', value: 'u7' });
      assert.deepEqual(
        [...list],
        indexes.map((i) => i % 128),
      );
      list.close();
    },
  },
  bits: {
    make: (path) =>
      build(
        path,
        indexes.map((i) => i * 3),
        { layout: 'bits' },
      ),
    check(path) {
      const bits = open(path, { ...choice, layout: 'bits' });
      assert.ok(indexes.every((i) => bits.has(i * 3) && !bits.has(i * 3 + 1)));
      bits.close();
    },
  },
};

function askAll<V, K extends AnyKey>(
  table: Table<V, K>,
  key: (i: number) => KeyArgument<K>,
  value: (i: number) => V,
): void {
  for (const i of indexes) assert.deepEqual(table.get(key(i)), value(i));
  assert.deepEqual(table.getMany([key(3), key(COUNT), key(4)]), [value(3), undefined, value(4)]);
  assert.equal([...table.keys()].length, COUNT);
  table.close();
}

/** SHA-256 of all files in the order of {@link FORMS}: the same on every system. */
const BYTES = '7fe43e44f059e40a26545f9d968e91e42c97189d83b1517c255a345a004f8aea';

const CHECKS: Record<string, () => unknown> = {
  async 'builds the same bytes as everywhere'() {
    const hash = createHash('sha256');
    for (const [name, { make }] of Object.entries(FORMS)) {
      await make(at(name));
      hash.update(readFileSync(at(name)));
    }
    assert.equal(hash.digest('hex'), BYTES);
  },
  ...Object.fromEntries(Object.entries(FORMS).map(([name, { check }]) => [`reads ${name}`, () => check(at(name))])),
  async 'verifies, and finds damage'() {
    const good = at('numbers by text');
    const { ok, entries } = await verify(good);
    assert.deepEqual([ok, entries], [true, COUNT]);
    const bytes = readFileSync(good);
    bytes[bytes.length - 20]! ^= 1;
    writeFileSync(at('damaged'), bytes);
    assert.equal((await verify(at('damaged'))).ok, false);
    assert.throws(
      () => open(at('damaged'), { check: 'full' }),
      (error) => error instanceof HmapError && error.code === 'HMAP_DAMAGED',
    );
  },
  async 'replaces a file that is open, and reloads'() {
    const path = at('replaced');
    await build(path, [['a', 'old']], { value: 'utf8' });
    const table = open(path, { ...choice, value: 'utf8' });
    const view = table.getView('a')!;
    assert.equal(table.get('a'), 'old');
    for (const value of ['new', 'newer']) {
      const summary = await build(path, [['a', value]], { value: 'utf8' });
      found.published = summary.published;
      assert.equal(table.get('a'), value === 'new' ? 'old' : 'new');
      assert.equal(table.reload(), true);
      assert.equal(table.get('a'), value);
    }
    assert.equal(Buffer.from(view).toString(), 'old');
    table.close();
  },
  async watches() {
    const path = at('watched');
    await build(path, [['a', 1]], { value: 'u8' });
    let reloads = 0;
    const table = open(path, { ...choice, value: 'u8', watch: { interval: 20 }, onReload: () => reloads++ });
    await build(path, [['a', 2]], { value: 'u8' });
    for (let i = 0; i < 500 && reloads === 0; i++) await sleep(20);
    assert.deepEqual([reloads, table.get('a')], [1, 2]);
    table.close();
  },
  async 'opens a table in shards, and takes up another number of them'() {
    const path = join(folder, 'shards');
    const pairs = (n: number) => indexes.map((i) => [`key ${i}`, i * n] as const);
    await build(path, pairs(1), { value: 'u32', shards: 4 });
    const table = open(path, { ...choice, value: 'u32' });
    assert.equal(table.get('key 77'), 77);
    await build(path, pairs(2), { value: 'u32', shards: 8 });
    assert.equal(table.get('key 78'), 78);
    assert.equal(table.reload(), true);
    assert.deepEqual(table.getMany(['key 77', 'none']), [154, undefined]);
    table.close();
  },
  async 'reads a table by range requests'() {
    const bytes = readFileSync(at('few distinct texts'));
    // A server's answers, without the rights that a server needs.
    const answer = async (_url: unknown, init?: RequestInit) => {
      const [, from, last] = /^bytes=(\d+)-(\d+)$/.exec(new Headers(init?.headers).get('range')!)!;
      const body = bytes.subarray(Number(from), Number(last) + 1);
      const range = `bytes ${from}-${Number(from) + body.length - 1}/${bytes.length}`;
      return new Response(body, { status: 206, headers: { 'content-range': range, etag: '"1"' } });
    };
    const { openUrl } = await import('hmap/remote');
    for (const check of ['touch', 'header'] as const) {
      const table = await openUrl('table', { check, value: 'enum', fetch: answer as typeof fetch });
      assert.deepEqual(await table.getMany(['7', '13', 'none']), ['kind 2', 'kind 3', undefined]);
    }
  },
  'leaves views readable after closing'() {
    const table = open(at('texts by text'), choice);
    const view = table.getView('key 7')!;
    assert.equal(Buffer.from(view).toString(), text(7));
    table.close();
    assert.equal(Buffer.from(view).length, Buffer.byteLength(text(7)));
  },
  async 'reads in a thread'() {
    const worker = new Worker(new URL(import.meta.url), { argv: [], workerData: at('numbers by text') });
    const answer = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    assert.equal(answer, 35);
    await worker.terminate();
  },
  async 'builds from 70 MB of entries'() {
    const path = at('large');
    const long = 'x'.repeat(1000);
    const large = function* () {
      for (let i = 0; i < 70_000; i++) yield [`key ${i}`, long] as const;
    };
    const summary = await build(path, large(), { value: 'utf8', memory: 2 ** 28 });
    assert.equal(summary.entries, 70_000);
    const table = open(path, { ...choice, value: 'utf8' });
    assert.equal(table.get('key 69999'), long);
    table.close();
  },
};

/** What only Windows has. */
const ON_WINDOWS: typeof CHECKS = {
  async 'reads the old file after a crash in the middle of replacing, and replaces it'() {
    const path = at('crashed');
    await build(path, [['a', 'old']], { value: 'utf8' });
    const aside = join(folder, '.crashed.hmap.99999999-0123abcd-4567cdef.old');
    renameSync(path, aside);
    // Of a process elsewhere, which nobody can ask for: a day old.
    utimesSync(aside, 0, 0);
    const table = open(path, { ...choice, value: 'utf8' });
    assert.equal(table.get('a'), 'old');
    await assert.rejects(build(path, [['a', 'new']], { value: 'utf8', overwrite: false }), {
      code: 'HMAP_OUTPUT_EXISTS',
    });
    await build(path, [['a', 'new']], { value: 'utf8' });
    assert.equal(table.reload(), true);
    assert.equal(table.get('a'), 'new');
    table.close();
    await build(path, [['a', 'newer']], { value: 'utf8' });
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('.crashed')),
      [],
    );
  },
  async 'a closed table can be deleted, unless views are held: these keep their bytes'() {
    const path = at('deleted');
    const long = 'x'.repeat(100_000);
    await build(path, [['a', long]], { value: 'utf8' });
    open(path, choice).close();
    unlinkSync(path);
    await build(path, [['a', long]], { value: 'utf8' });
    const table = open(path, choice);
    const view = table.getView('a')!;
    table.close();
    assert.equal(Buffer.from(view).toString(), long);
  },
  async 'replaces a file that another process reads'() {
    const path = at('shared');
    await build(path, [['a', 'old']], { value: 'utf8' });
    const child = spawn(process.execPath, [process.argv[1]!, 'READ', path], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    for (let i = 0; i < 500 && !existsSync(`${path}.read`); i++) await sleep(20);
    await build(path, [['a', 'new']], { value: 'utf8' });
    unlinkSync(`${path}.read`);
    const [code] = await ended;
    assert.equal(code, 0);
    // Nobody has it any more: the next build removes what was moved aside.
    await build(path, [['a', 'newer']], { value: 'utf8' });
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('.shared')),
      [],
    );
  },
};

/** Reads until its sign is gone: the old value, and then, by a reload, the new one. */
async function readUntilReplaced(path: string): Promise<void> {
  const table = open(path, { value: 'utf8' });
  assert.equal(table.get('a'), 'old');
  writeFileSync(`${path}.read`, '');
  for (let i = 0; i < 500 && existsSync(`${path}.read`); i++) await sleep(20);
  assert.equal(table.get('a'), 'old');
  assert.equal(table.reload(), true);
  assert.equal(table.get('a'), 'new');
  table.close();
}

const found: Found = { mapping: 'none', passed: 0, failed: [] };

async function main(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  // What a big-endian machine can do: build.
  const all = { ...CHECKS, ...(process.platform === 'win32' ? ON_WINDOWS : {}) };
  const checks = endianness() === 'LE' ? Object.entries(all) : Object.entries(CHECKS).slice(0, 1);
  for (const [name, check] of checks) {
    try {
      await check();
      found.passed++;
    } catch (error) {
      found.failed.push({ name, message: (error as Error).message });
    }
  }
  try {
    const table = open(at('numbers by text'), choice);
    found.mapping = table.mapping;
    if (table.mappingReason !== undefined) found.reason = table.mappingReason.message;
    table.close();
  } catch (error) {
    found.reason = (error as HmapError).code;
  }
  writeFileSync(result, JSON.stringify(found));
  if (found.failed.length > 0) process.exitCode = 1;
}

const threads = await import('node:worker_threads');
if (threads.isMainThread) await (folder === 'READ' ? readUntilReplaced(result) : main());
else threads.parentPort!.postMessage(open(threads.workerData as string).get('key 5'));
