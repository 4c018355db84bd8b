// Tests of `open` with a folder of shards, or its manifest: one table, that answers as the table in one file does, in every
// way of asking; and takes up a new manifest as a whole or not at all.

import assert from 'node:assert/strict';
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BuildOptions, build, type OpenOptions, open, type Table } from '../../src/index.js';
import { ReferenceShards } from '../conformance/reference-shards.js';
import { runModule } from '../support/child.js';
import { hmapError, misuse } from '../support/errors.js';
import { WORKING } from '../support/mappings.js';
import { openFilesIn, temporaryFolder } from '../support/temp.js';

const MANIFEST = 'table.hmaps.json';
const folder = temporaryFolder(nodeTest);
const at = (name: string) => join(folder, name);

type AnyTable = Table<unknown, string | number | bigint>;
type Case = readonly [options: Partial<BuildOptions>, entries: readonly (readonly [key: unknown, value: unknown])[]];

const texts = (count: number, value: (i: number) => unknown) =>
  Array.from({ length: count }, (_, i) => [`key ${i}`, value(i)] as const);

const CASES: Record<string, Case> = {
  numbers: [{ value: 'u32' }, texts(4000, (i) => i)],
  'integers of several widths': [{ value: 'uint' as never }, texts(3000, (i) => (i === 7 ? 2 ** 40 : i % 200))],
  'strings of their own': [{ value: 'enum' }, texts(3000, (i) => `value ${i % 90 === 0 ? i : i % 5}`)],
  fields: [{ value: 'struct(on:bool,level:u20)' as never }, texts(2000, (i) => ({ on: i % 2 === 0, level: i }))],
  'u64 keys': [{ key: 'u64', value: 'i64' }, Array.from({ length: 3000 }, (_, i) => [BigInt(i) ** 4n, BigInt(-i)])],
  'a set of u32': [{ key: 'u32', value: 'none' }, Array.from({ length: 3000 }, (_, i) => [7 * i, true])],
  bytes: [{ value: 'bytes' }, texts(1000, (i) => new Uint8Array(i % 40).fill(i))],
  'fewer keys than shards': [{ value: 'json' }, texts(3, (i) => ({ i }))],
  nothing: [{ value: 'utf8' }, []],
};

async function built(name: string, [options, entries]: Case, shards: number): Promise<{ file: string; parts: string }> {
  const [file, parts] = [at(`${name}.hmap`), at(`${name} in ${shards}`)];
  await build(file, entries as never, options as BuildOptions<'u32'>);
  await build(parts, entries as never, { ...options, shards } as BuildOptions<'u32'>);
  return { file, parts };
}

/** What is and what is not a key of a table. */
function questions(table: AnyTable, entries: Case[1]): (string | number | bigint)[] {
  const keys = entries.map(([key]) => key as string);
  const { keyType } = table.header;
  const others =
    keyType === 'u64' ? [5n, 2n ** 64n - 1n] : keyType === 'u32' ? [1, 2 ** 32 - 1] : ['', 'no key', '\ud800'];
  return [...keys, ...others];
}

describe('a table in shards answers as the one in a file does', () => {
  for (const [name, content] of Object.entries(CASES)) {
    test(name, async () => {
      for (const shards of [1, 8]) {
        const { file, parts } = await built(name, content, shards);
        using whole = open(file) as AnyTable;
        for (const path of [parts, join(parts, MANIFEST)]) {
          for (const mapping of WORKING) {
            using table = open(path, { mapping, check: path === parts ? 'full' : 'touch' }) as AnyTable;
            await compare(table, whole, content[1]);
            assert.equal(table.mapping, mapping);
          }
        }
      }
    });
  }

  test('and as an independent reader, which knows the specification alone', async () => {
    const { parts } = await built('independent', CASES.numbers!, 8);
    const reference = new ReferenceShards(join(parts, MANIFEST));
    using table = open(parts);
    assert.equal(reference.entries, table.size);
    for (const shard of reference.shards) assert.deepEqual(shard.check(), []);
    for (const key of [...texts(500, () => 0).map(([text]) => text), 'no key', '']) {
      const [value, bytes] = [table.get(key), reference.get(key)];
      assert.equal(value, bytes?.readUInt32LE());
    }
  });

  test('fingerprints', async () => {
    const content: Case = [{ value: 'u32', fingerprint: 16 }, texts(3000, (i) => i)];
    const { file, parts } = await built('fingerprints', content, 4);
    assert.throws(() => open(parts), hmapError('HMAP_FINGERPRINT'));
    using whole = open(file, { fingerprint: true });
    using table = open(parts, { fingerprint: true });
    for (const [key, value] of content[1]) assert.equal(table.get(key as string), value);
    assert.equal(table.size, 3000);
    assert.ok(
      Math.abs(Math.log2(table.header.fingerprint!.falsePositiveRate / whole.header.fingerprint!.falsePositiveRate)) <
        1,
    );
    assert.equal([...table.values()].length, 3000);
  });
});

async function compare(table: AnyTable, whole: AnyTable, entries: Case[1]): Promise<void> {
  const keys = questions(whole, entries);
  await table.prefetch(keys);
  assert.equal(table.size, whole.size);
  for (const name of ['entries', 'keyBytes', 'keyType', 'narrowed', 'layout', 'fingerprint'] as const) {
    assert.deepEqual(table.header[name], whole.header[name], name);
  }
  assert.deepEqual(table.header.hash, whole.header.hash);
  for (const key of keys) {
    assert.deepEqual(table.get(key), whole.get(key));
    assert.equal(table.has(key), whole.has(key));
  }
  assert.deepEqual(table.getMany(keys), whole.getMany(keys));
  assert.deepEqual(table.hasMany(keys), whole.hasMany(keys));
  // The order is that of the hashes, in both.
  assert.deepEqual([...table], [...whole]);
  assert.deepEqual([...table.keys()], [...whole.keys()]);
  assert.deepEqual([...table.values()], [...whole.values()]);
  assert.deepEqual(table.toMap(), whole.toMap());
  // Views of narrowed integers have the width of their own file.
  if (!whole.header.narrowed) {
    assert.deepEqual(table.getManyViews(keys), whole.getManyViews(keys));
    assert.deepEqual(
      keys.map((key) => table.getView(key)),
      keys.map((key) => whole.getView(key)),
    );
  }
  const { keyType, valueType } = whole.header;
  if (keyType === 'u64') {
    const typed = new BigUint64Array(keys as bigint[]);
    assert.deepEqual(table.getMany(typed), whole.getMany(typed));
    const [out, expected] = [new BigInt64Array(keys.length), new BigInt64Array(keys.length)];
    assert.equal(table.getManyInto(typed, out, -7n), whole.getManyInto(typed, expected, -7n));
    assert.deepEqual(out, expected);
    // Into the memory of the keys themselves.
    const same = new BigInt64Array(typed.buffer);
    table.getManyInto(typed, same, -7n);
    assert.deepEqual(same, expected);
  } else if (/^u\d/.test(valueType)) {
    const [out, expected] = [new Float64Array(keys.length), new Float64Array(keys.length)];
    assert.equal(table.getManyInto(keys, out, -1), whole.getManyInto(keys, expected, -1));
    assert.deepEqual(out, expected);
    assert.throws(() => table.getManyInto(keys, new Float64Array(1)), RangeError);
    assert.throws(() => table.getManyInto(keys, new Int8Array(keys.length)), misuse(/^out: /));
    assert.throws(() => table.getManyInto(keys, out, 1n), misuse(/^missing: /));
  } else {
    assert.throws(() => table.getManyInto(keys, new Float64Array(keys.length)), TypeError);
  }
  if (valueType.startsWith('struct')) {
    for (const key of keys) assert.equal(table.field(key, 'level'), whole.field(key, 'level'));
    assert.equal(table.bits('key 3', 1, 21), whole.bits('key 3', 1, 21));
  }
  for (const wrong of [7n, {}, undefined]) {
    if (keyType === 'u64') break;
    assert.throws(() => table.get(wrong as never), TypeError);
    assert.throws(() => table.getMany([wrong as never]), TypeError);
  }
}

/** Version `n`: each of its values says so, and so does the number of its keys. */
async function publish(path: string, n: number, options: Partial<BuildOptions> = {}): Promise<void> {
  const entries = texts(500 + n, () => n) as [string, number][];
  await build(path, entries, { value: 'u32', shards: 4, metadata: { version: n }, ...options } as BuildOptions<'u32'>);
}

function assertVersion(table: Table<unknown>, n: number): void {
  assert.equal(table.header.metadata?.version, n);
  assert.equal(table.size, 500 + n);
  assert.deepEqual(new Set(table.getMany(texts(500, () => 0).map(([key]) => key))), new Set([n]));
  assert.equal(table.has(`key ${499 + n}`), true);
  assert.equal(table.has(`key ${500 + n}`), false);
  assert.deepEqual(new Set(table.values()), new Set([n]));
}

async function first(t: TestContext, options: Partial<BuildOptions> = {}): Promise<string> {
  const path = join(temporaryFolder(t), 'parts');
  await publish(path, 1, options);
  return path;
}

const filesOf = (path: string): { name: string; checksum: string }[] =>
  JSON.parse(readFileSync(join(path, MANIFEST), 'utf8')).files;

describe('a new manifest', () => {
  test('is taken up by reload, with all of its shards, also of another number', async (t) => {
    const path = await first(t);
    using table = open(path, { value: 'u32' });
    assert.equal(table.reload(), false);
    const iteration = table.values();
    assert.equal(iteration.next().value, 1);
    const view = table.getView('key 3')!;
    await publish(path, 2, { shards: 16 });
    assertVersion(table, 1);
    assert.equal(table.reload(), true);
    assertVersion(table, 2);
    assert.equal(table.reload(), false);
    assert.deepEqual(new Set(iteration), new Set([1]), 'an iteration goes on over the old version');
    assert.equal(view[0], 1);
    table.close();
    assert.deepEqual(openFilesIn(path), []);
    assert.throws(() => table.get('key 1'), hmapError('HMAP_CLOSED'));
  });

  test('is taken up as a whole by a table that watches, or reported once', async (t) => {
    const path = await first(t);
    const seen: number[] = [];
    const errors: unknown[] = [];
    const options: OpenOptions<never, 'string'> = {
      watch: { interval: 10 },
      onReload: (table) => seen.push(table.size),
      onError: (error) => errors.push(error),
    };
    using table: Table<unknown> = open(path, options);
    const until = async (done: () => boolean) => {
      for (let i = 0; i < 500 && !done(); i++) await sleep(10);
      assert.ok(done());
    };
    for (let n = 2; n < 5; n++) {
      await publish(path, n, { shards: 2 ** n });
      await until(() => table.size === 500 + n);
      assertVersion(table, n);
    }
    assert.deepEqual(seen, [502, 503, 504]);
    // A manifest whose shards are not there.
    const text = readFileSync(join(path, MANIFEST), 'utf8');
    writeFileSync(`${path}.new`, text.replaceAll('.hmap"', '.none"'));
    renameSync(`${path}.new`, join(path, MANIFEST));
    await sleep(60);
    assertVersion(table, 4);
    await publish(path, 5);
    await until(() => table.size === 505);
    // One of another key type.
    await build(path, [[7, 5]], { key: 'u32', value: 'u32', shards: 2 });
    await until(() => errors.length > 0);
    hmapError('HMAP_KEY_TYPE')(errors.at(-1));
    assertVersion(table, 5);
  });

  test('may replace another while it is opened, by other processes', async (t) => {
    const path = await first(t);
    const opener = runModule(`
      const { open } = hmap;
      let opened = 0;
      for (const end = Date.now() + 1500; Date.now() < end; opened++) {
        const table = open(${JSON.stringify(path)});
        const version = table.header.metadata.version;
        if (table.size !== 500 + version || table.get('key 1') !== version) throw new Error('half');
        table.close();
      }
      console.log(opened);
    `);
    let isOver = false;
    const done = opener.finally(() => {
      isOver = true;
    });
    for (let n = 2; !isOver; n++) await publish(path, n);
    const { stdout, stderr, status } = await done;
    assert.equal(status, 0, stderr);
    assert.ok(Number(stdout) > 10);
  });
});

describe('shards that do not fit', () => {
  test('one that is missing, cut short, older or another one is named', async (t) => {
    const path = await first(t);
    const other = `${path} of another table`;
    await publish(other, 9);
    const files = filesOf(path);
    const [mine, theirs] = [files[2]!.name, filesOf(other)[2]!.name];
    const shard = join(path, mine);
    const whole = readFileSync(shard);
    cpSync(join(other, theirs), shard);
    const names = (code: Parameters<typeof hmapError>[0]) => (error: unknown) => {
      hmapError(code)(error);
      assert.ok(String(error).includes(mine), String(error));
      return true;
    };
    assert.throws(() => open(path), names('HMAP_LAYOUT'));
    writeFileSync(shard, whole.subarray(0, -8));
    assert.throws(() => open(path), names('HMAP_TRUNCATED'));
    rmSync(shard);
    assert.throws(() => open(path), names('ENOENT'));
    assert.deepEqual(openFilesIn(path), []);
    writeFileSync(shard, whole);
    open(path).close();
    const text = readFileSync(join(path, MANIFEST), 'utf8');
    // Two shards in each other's places: both checksums are right.
    const swapped = JSON.parse(text);
    [swapped.files[0], swapped.files[1]] = [swapped.files[1], swapped.files[0]];
    writeFileSync(join(path, MANIFEST), JSON.stringify(swapped));
    assert.throws(() => open(path), hmapError('HMAP_LAYOUT'));
    writeFileSync(join(path, MANIFEST), text.replace('"hmaps": 1', '"hmaps": 2'));
    assert.throws(() => open(path), hmapError('HMAP_VERSION'));
    rmSync(join(path, MANIFEST));
    assert.throws(() => open(path), hmapError('EISDIR'));
    writeFileSync(`${path}.json`, '{"some": "json"}');
    assert.throws(() => open(`${path}.json`), hmapError('HMAP_NOT_A_TABLE'));
    assert.throws(() => open(other, { layout: 'list' }), hmapError('EISDIR'));
  });

  test('a type of integers that only some shards need is that of the table', async (t) => {
    const path = join(temporaryFolder(t), 'parts');
    await build(path, CASES['integers of several widths']![1] as never, { value: 'uint', shards: 8 });
    for (const value of ['u48', 'uint', undefined] as const) {
      using table = open(path, value && { value });
      assert.equal(table.header.valueType, 'u48');
      assert.equal(table.get('key 7'), 2 ** 40);
    }
    assert.throws(() => open(path, { value: 'u8' }), hmapError('HMAP_VALUE_TYPE'));
  });

  test('with `partial`, those that are there answer, and the others are named', async (t) => {
    const path = await first(t, { shards: 8 });
    const files = filesOf(path);
    for (const i of [1, 6]) rmSync(join(path, files[i]!.name));
    assert.throws(() => open(path), hmapError('ENOENT'));
    using table = open(path, { partial: true });
    const [there, missing]: string[][] = [[], []];
    for (const [key] of texts(501, () => 0)) {
      try {
        assert.equal(table.get(key), 1);
        there!.push(key);
      } catch (error) {
        hmapError('HMAP_NO_SHARD')(error);
        assert.match(String(error), /shard [16] of 8/);
        assert.throws(() => table.getMany([key]), hmapError('HMAP_NO_SHARD'));
        missing!.push(key);
      }
    }
    assert.ok(missing!.length > 60);
    assert.equal(there!.length + missing!.length, 501);
    assert.equal(table.size, there!.length);
    assert.deepEqual([...table.keys()].toSorted(), there!.toSorted());
    assert.deepEqual(new Set(table.getMany(there!)), new Set([1]));
    // One that has come is taken up.
    assert.equal(table.reload(), false);
    await build(`${path} again`, texts(501, () => 1) as never, { value: 'u32', shards: 8, metadata: { version: 1 } });
    cpSync(join(`${path} again`, files[1]!.name), join(path, files[1]!.name));
    assert.equal(table.reload(), true);
    assert.ok(table.size > there!.length);
    for (const { name } of files) rmSync(join(path, name), { force: true });
    assert.throws(() => open(path, { partial: true }), hmapError('ENOENT'));
    assert.throws(() => open(path, { partial: 1 as never }), misuse(/^partial: /));
  });
});
