// What `hmap dump` hands to other programs: each output is loaded into the real one, read back, and makes the identical
// table. And which entries it prints: filters, samples and parts, held to a model.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { type BuildOptions, build, type Key } from '../../src/index.js';
import { hmapError } from '../support/errors.js';
import { NO_CDB, NO_SQLITE, NO_SQLITE3, SQLITE_CWD, sqlite3 } from '../support/programs.js';
import { Random } from '../support/random.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, assertSameFile, dumpOf, fine, hmap, start } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
let count = 0;
const fresh = (ending = '.hmap') => join(folder, `${count++}${ending}`);

type Entries = (readonly [Key | number | bigint, unknown])[];

/** Tables whose every entry SQL can carry, with the options that they were built with. */
/** Node 22 cuts texts in SQLite at a NUL, which builds refuse. */
const NUL = process.versions.node.startsWith('22.') ? '' : '\0';

function samples(): { entries: Entries; options: BuildOptions }[] {
  const random = new Random(23);
  const texts = Array.from(
    { length: 300 },
    (_, i) => [`${random.text(9, `a'"\n\r\t;é€-${NUL}`)}${i}`, random.text(30, `a'\n\ré%_;${NUL}`)] as const,
  );
  const numbers = (of: (i: number) => unknown) => texts.map(([key], i) => [key, of(i)] as const);
  return [
    { entries: [], options: { value: 'utf8' } },
    { entries: [...texts], options: { value: 'utf8' } },
    { entries: [...texts, [Buffer.of(0xff, 0), 'x']], options: { value: 'enum' } },
    { entries: numbers(() => true), options: { value: 'none' } },
    { entries: numbers((i) => Buffer.of(i & 255, 0, 39)), options: { value: 'bytes' } },
    { entries: numbers((i) => ({ n: [i, "it's", null] })), options: { value: 'json' } },
    { entries: numbers((i) => -i), options: { value: 'i16' } },
    { entries: numbers((i) => BigInt(i) * 2n ** 50n), options: { value: 'u64' } },
    { entries: numbers((i) => [1.5, 1e300, -7, Infinity, -Infinity, 5e-324][i % 6]), options: { value: 'f64' } },
    {
      entries: numbers((i) => ({ level: i, on: i % 2 === 0, x: i / 4 })),
      options: { value: { struct: { level: 'u9', on: 'bool', x: 'f32' } } } as unknown as BuildOptions,
    },
    { entries: texts.map((_, i) => [i * 7, `${i}`] as const), options: { value: 'utf8', key: 'u32' } },
    { entries: texts.map((_, i) => [BigInt(i) - 150n, i] as const), options: { value: 'u16', key: 'i64' } },
    {
      entries: texts.map((_, i) => [i.toString(16).padStart(4, '0'), i] as const),
      options: { value: 'u16', key: 'hex' },
    },
  ];
}

const argsOf = ({ value, key = 'bytes' }: BuildOptions) => [
  '-v',
  typeof value === 'string' ? value : 'struct(level:u9,on:bool,x:f32)',
  ...(key === 'bytes' ? [] : ['-k', key as string]),
];

async function tableOf({ entries, options }: { entries: Entries; options: BuildOptions }): Promise<string> {
  const path = fresh();
  await build(path, entries as never, options as never);
  return path;
}

describe('loaded into SQLite', { skip: NO_SQLITE3 }, () => {
  test('as statements, which the program sqlite3 runs', async () => {
    for (const sample of samples()) {
      const path = await tableOf(sample);
      const database = fresh('.db');
      assert.equal(sqlite3(database, (await dumpOf(path, 'sql')).toString('utf8')), '');
      assert.equal(sqlite3(database, 'select count(*) from entries').trim(), String(sample.entries.length));
      if (NO_SQLITE !== false) continue;
      const again = fresh();
      await fine(['build', ...argsOf(sample.options), '--table', 'entries', database, again], SQLITE_CWD);
      assertSameFile(again, readFileSync(path), JSON.stringify(sample.options));
    }
  });

  test('as a database', { skip: NO_SQLITE }, async () => {
    for (const sample of samples()) {
      const path = await tableOf(sample);
      const [database, again] = [fresh('.db'), fresh()];
      await fine(['dump', '--format', 'sqlite', '--table', 'my "table"', '-o', database, path], SQLITE_CWD);
      assert.equal(
        sqlite3(database, 'pragma integrity_check; select count(*) from "my ""table"""'),
        `ok\n${sample.entries.length}\n`,
      );
      await fine(['build', ...argsOf(sample.options), database, again], SQLITE_CWD);
      assertSameFile(again, readFileSync(path), JSON.stringify(sample.options));
    }
  });

  test('values that SQLite would change are refused, and leave no file', async () => {
    const CASES: [BuildOptions, unknown, RegExp][] = [
      [{ value: 'f64' }, Number.NaN, /NaN/],
      [{ value: 'f32' }, -0, /-0/],
      [{ value: 'u64' }, 2n ** 63n, /2\^63/],
      [{ value: { struct: { Key: 'u8' } } } as unknown as BuildOptions, { Key: 1 }, /another column/],
    ];
    for (const [options, value, message] of CASES) {
      const path = await tableOf({ entries: [['a', value]], options });
      await assert.rejects(dumpOf(path, 'sql'), hmapError('HMAP_NOT_REPRESENTABLE', { message }));
      if (NO_SQLITE !== false) continue;
      const before = readdirSync(folder);
      assertRefused(
        await hmap(['dump', '--format', 'sqlite', '-o', join(folder, 'none.db'), path], SQLITE_CWD),
        message,
      );
      assert.deepEqual(readdirSync(folder), before);
    }
  });
});

describe('as a binary cdb', { skip: NO_CDB }, () => {
  test('which tinycdb reads, and which makes the table again', async () => {
    for (const sample of samples()) {
      const path = await tableOf(sample);
      const [cdb, again] = [fresh('.cdb'), fresh()];
      await fine(['dump', '--format', 'cdb-binary', '-o', cdb, path]);
      const text = execFileSync('cdb', ['-d', cdb], { maxBuffer: 2 ** 28 });
      assert.ok(text.equals(await dumpOf(path, 'cdb')), 'what cdb -d prints');
      execFileSync('cdb', ['-s', cdb]);
      await fine(['build', ...argsOf(sample.options), cdb, again]);
      assertSameFile(again, readFileSync(path), JSON.stringify(sample.options));
    }
  });

  test('finds each key', async () => {
    const path = await tableOf({
      entries: Array.from({ length: 2000 }, (_, i) => [`k${i}`, i]),
      options: { value: 'u16' },
    });
    const cdb = fresh('.cdb');
    await fine(['dump', '--format', 'cdb-binary', '-o', cdb, path]);
    for (const i of [0, 1, 999, 1999]) assert.equal(execFileSync('cdb', ['-q', cdb, `k${i}`]).toString(), String(i));
  });
});

test('an output file', async () => {
  const path = await tableOf({ entries: [['a', 1]], options: { value: 'u8' } });
  const cdb = fresh('.cdb');
  assertRefused(await hmap(['dump', '--format', 'cdb-binary', path]), /^hmap: --output: name the file/);
  assertRefused(await hmap(['dump', '-o', cdb, path]), /^hmap: --output: is for the formats/);
  writeFileSync(cdb, 'old');
  assertRefused(await hmap(['dump', '--format', 'cdb-binary', '-o', cdb, path]), /exists; --force replaces it/);
  assert.equal(readFileSync(cdb, 'utf8'), 'old');
  await fine(['dump', '--force', '--format', 'cdb-binary', '-o', cdb, path]);
  assert.ok(readFileSync(cdb).length > 2048);
  assertRefused(
    await hmap(['dump', '--format', 'cdb-binary', '-o', join(folder, 'no', 'such'), path]),
    /no such file or folder/,
  );
  assert.ok(!existsSync(join(folder, 'no')));
});

test('an output file keeps what stood in its place', { skip: process.platform === 'win32' }, async () => {
  const path = await tableOf({ entries: [['a', 1]], options: { value: 'u8' } });
  const place = join(folder, 'place');
  mkdirSync(place);
  const dump = (output: string) => hmap(['dump', '--force', '--format', 'cdb-binary', '-o', output, path]);
  execFileSync('mkfifo', [join(place, 'fifo')]);
  assertRefused(await dump(join(place, 'fifo')), /it is no regular file/);
  assertRefused(await dump(place), /it is no regular file/);
  assertRefused(await dump(path), /it is the table/);
  assertRefused(await dump(''), /^hmap: --output: expected a path/);
  writeFileSync(join(place, 'old.cdb'), 'old');
  chmodSync(join(place, 'old.cdb'), 0o600);
  symlinkSync('old.cdb', join(place, 'link'));
  assert.equal((await dump(join(place, 'link'))).code, 0);
  assert.ok(lstatSync(join(place, 'link')).isSymbolicLink());
  assert.equal(statSync(join(place, 'old.cdb')).mode & 0o777, 0o600);
  assert.ok(statSync(join(place, 'old.cdb')).size > 2048);
  // SQLite would apply these to the new file.
  writeFileSync(join(place, 'old.cdb-wal'), 'log');
  assertRefused(await dump(join(place, 'old.cdb')), /old\.cdb-wal belongs to a database/);
  assert.deepEqual(readdirSync(place).sort(), ['fifo', 'link', 'old.cdb', 'old.cdb-wal']);
});

test('a signal leaves nothing behind', { skip: process.platform === 'win32' }, async () => {
  const path = fresh();
  await build(
    path,
    Array.from({ length: 400_000 }, (_, i) => [`key ${i}`, i] as const),
    { value: 'u32' },
  );
  const place = join(folder, 'stopped');
  mkdirSync(place);
  const output = join(place, 'out.cdb');
  const { child, ended } = start(['dump', '--format', 'cdb-binary', '-o', output, path]);
  while (readdirSync(place).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGINT');
  const { code, stderr } = await ended;
  // It may have come too late.
  if (code === 0) return;
  assert.equal(code, 130, stderr);
  assert.match(stderr, /^hmap: stopped; .* is unchanged\n$/);
  assert.deepEqual(readdirSync(place), []);
});

describe('which entries are printed', () => {
  const entries = Array.from(
    { length: 3000 },
    (_, i) => [`${['apple', 'pear', 'é'][i % 3]}-${i}`, { level: i % 512, on: i % 7 === 0 }] as const,
  );
  let path = '';
  let all: { key: string; value: { level: number; on: boolean } }[] = [];
  nodeTest.before(async () => {
    path = fresh();
    // Several segments.
    await build(path, entries, { value: { struct: { level: 'u9', on: 'bool' } }, segmentBytes: 8192 });
    all = linesOf((await fine(['dump', path])).stdout) as typeof all;
    assert.equal(all.length, 3000);
  });
  const linesOf = (text: string): unknown[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  const dump = async (...args: string[]) => linesOf((await fine(['dump', ...args, path])).stdout);

  test('by key and by value', async () => {
    assert.deepEqual(
      await dump('--prefix', 'pear-1'),
      all.filter(({ key }) => key.startsWith('pear-1')),
    );
    assert.deepEqual(
      await dump('--prefix', 'é'),
      all.filter(({ key }) => key.startsWith('é')),
    );
    assert.deepEqual(
      await dump('--match', '^.{1,3}-\\d+5$'),
      all.filter(({ key }) => /^.{1,3}-\d+5$/u.test(key)),
    );
    assert.deepEqual(
      await dump('--where', 'level > 500'),
      all.filter(({ value }) => value.level > 500),
    );
    assert.deepEqual(
      await dump('--where', 'level<=3', '--where', 'value.on = true', '--prefix', 'a'),
      all.filter(({ key, value }) => value.level <= 3 && value.on && key.startsWith('a')),
    );
    assert.deepEqual(
      await dump('--where', 'key = apple-9'),
      all.filter(({ key }) => key === 'apple-9'),
    );
    assert.deepEqual(
      await dump('--where', 'level != 3'),
      all.filter(({ value }) => value.level !== 3),
    );
  });

  test('by number, and by parts that make the whole', async () => {
    assert.deepEqual(await dump('--skip', '10', '--limit', '5'), all.slice(10, 15));
    assert.deepEqual(await dump('--skip', '2999'), all.slice(2999));
    for (const of of [1, 2, 3, 7, 1000, 5000]) {
      const parts: unknown[] = [];
      const wanted = of > 10 ? [1, 2, Math.floor(of / 2), of] : Array.from({ length: of }, (_, i) => i + 1);
      for (const part of wanted) parts.push(...(await dump('--part', `${part}/${of}`)));
      if (wanted.length === of) assert.deepEqual(parts, all, `${of} parts`);
      else assert.ok(parts.every((one) => all.some((other) => other.key === (one as { key: string }).key)));
    }
  });

  test('at random, the same for the same seed', async () => {
    const sample = (await dump('--sample', '50')) as typeof all;
    assert.equal(new Set(sample.map(({ key }) => key)).size, 50);
    assert.deepEqual(
      sample,
      all.filter(({ key }) => sample.some((one) => one.key === key)),
      'in the order of the file',
    );
    assert.deepEqual(await dump('--sample', '50'), sample);
    assert.notDeepEqual(await dump('--sample', '50', '--seed', '1'), sample);
    assert.deepEqual(await dump('--sample', '9999'), all);
    // Each entry is as likely as any other: of 40 samples of a tenth, an entry is in 4 on average.
    const seen = new Map<string, number>();
    for (let seed = 0; seed < 40; seed++) {
      for (const { key } of (await dump('--sample', '300', '--seed', String(seed))) as typeof all)
        seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    const thirds = [0, 1, 2].map((third) =>
      all.slice(third * 1000, (third + 1) * 1000).reduce((sum, { key }) => sum + (seen.get(key) ?? 0), 0),
    );
    for (const third of thirds) assert.ok(third > 3700 && third < 4300, String(thirds));
  });

  test('keys alone, and values alone', async () => {
    const keys = (await fine(['dump', '--keys-only', '--format', 'lines', path])).stdout;
    assert.equal(keys, all.map(({ key }) => `${key}\n`).join(''));
    assert.deepEqual(
      await dump('--keys-only'),
      all.map(({ key }) => ({ key })),
    );
    assert.deepEqual(
      await dump('--values-only'),
      all.map(({ value }) => value),
    );
    const text = (await fine(['dump', '--values-only', '--format', 'json', '--limit', '2', path])).stdout;
    assert.deepEqual(
      JSON.parse(text),
      all.slice(0, 2).map(({ value }) => value),
    );
    assert.equal((await fine(['dump', '--values-only', '--format', 'json', '--limit', '0', path])).stdout, '[]\n');
    const set = fresh();
    await build(set, [['a', true] as const], { value: 'none' });
    assertRefused(await hmap(['dump', '--values-only', set]), /it has no values/);
  });

  test('of values of other types', async () => {
    const json = fresh();
    const documents = [
      ['a', { n: 1, deep: { s: 'x' } }],
      ['b', { n: 20 }],
      ['c', 'text'],
      ['d', null],
    ] as const;
    await build(json, documents, { value: 'json' });
    const keysOf = async (file: string, ...args: string[]) =>
      (await fine(['dump', '--keys-only', '--format', 'lines', ...args, file])).stdout
        .trim()
        .split('\n')
        .sort()
        .join('');
    assert.equal(await keysOf(json, '--where', 'value.n >= 1'), 'ab');
    assert.equal(await keysOf(json, '--where', 'n = 20'), 'b');
    assert.equal(await keysOf(json, '--where', 'value.deep.s = x'), 'a');
    assert.equal(await keysOf(json, '--where', 'value = "text"'), 'c');
    assert.equal(await keysOf(json, '--where', 'value = null'), 'd');
    assert.equal(await keysOf(json, '--where', 'value.n != 1'), 'bcd');
    const big = fresh();
    await build(big, [['a', 2n ** 63n] as const, ['b', 1n] as const], { value: 'u64' });
    assert.equal(await keysOf(big, '--where', 'value > 9223372036854775807'), 'a');
    assert.equal(await keysOf(big, '--where', 'value = 1'), 'b');
    const exact = fresh();
    const lines = '{"key":"a","value":{"id":9007199254740993}}\n{"key":"b","value":{"id":"12"}}\n';
    await fine(['build', '--format', 'jsonl', '-', exact], { input: lines });
    assert.equal(await keysOf(exact, '--where', 'value.id = 9007199254740993'), 'a');
    assert.equal(await keysOf(exact, '--where', 'value.id = 9007199254740992'), '');
    assert.equal(await keysOf(exact, '--where', 'value.id > 9007199254740992'), 'a');
    assert.equal(await keysOf(exact, '--where', 'value.id > 9'), 'ab', 'a text of digits is compared as a number');
    const hex = fresh();
    await build(hex, [['0000000000000001', 'true'] as const, ['1e10', '1.50'] as const], { key: 'hex', value: 'utf8' });
    assert.equal(await keysOf(hex, '--where', 'key = 0000000000000001'), '0000000000000001');
    assert.equal(await keysOf(hex, '--where', 'key = 1e10'), '1e10');
    assert.equal(await keysOf(hex, '--where', 'value = true'), '0000000000000001');
    assert.equal(await keysOf(hex, '--where', 'value = 1.50'), '1e10');
    const floats = fresh();
    await build(floats, [['a', Infinity] as const, ['b', 1] as const], { value: 'f64' });
    assert.equal(await keysOf(floats, '--where', 'value = Infinity'), 'a');
    assertRefused(await hmap(['dump', '--where', 'value > ten', floats]), /'value' is a number/);
    assertRefused(await hmap(['dump', '--where', 'valeu > 1', floats]), /have no parts/);
    const unseen = await fine(['dump', '--where', 'value.nope > 1', exact]);
    assert.equal(unseen.stderr, 'hmap: --where: no value has such a part\n');
    const typed = fresh();
    await build(typed, [[5, 'x'] as const, [77, '10'] as const], { value: 'utf8', key: 'u32' });
    assert.equal(await keysOf(typed, '--where', 'key > 6'), '77');
    assert.equal(await keysOf(typed, '--prefix', '7'), '77');
    assert.equal(await keysOf(typed, '--where', 'value = 10'), '77');
  });

  test('of lists and bit arrays', async () => {
    const list = fresh();
    await build(
      list,
      Array.from({ length: 100 }, (_, i) => i * i),
      { layout: 'list', value: 'u16', base: 5 },
    );
    const lines = async (file: string, ...args: string[]) =>
      (await fine(['dump', '--format', 'tsv', ...args, file])).stdout;
    assert.equal(await lines(list, '--where', 'value > 9700'), '104\t9801\n');
    assert.equal(await lines(list, '--where', 'key = 7'), '7\t4\n');
    assert.equal(await lines(list, '--skip', '1', '--limit', '1'), '6\t1\n');
    const whole = await lines(list);
    assert.equal(
      (await lines(list, '--part', '1/3')) +
        (await lines(list, '--part', '2/3')) +
        (await lines(list, '--part', '3/3')),
      whole,
    );
    assert.equal(await lines(list, '--sample', '100'), whole);
    const bits = fresh();
    await build(bits, [3, 70_000, 200_000], { layout: 'bits', base: 3, segmentBytes: 4096 });
    assert.equal(await lines(bits, '--where', 'key > 69999'), '70000\n200000\n');
    assert.equal((await lines(bits, '--part', '1/2')) + (await lines(bits, '--part', '2/2')), await lines(bits));
    assertRefused(await hmap(['dump', '--keys-only', list]), /are for tables/);
    assertRefused(await hmap(['dump', '--format', 'sql', list]), /the format 'sql' needs keys/);
  });

  test('options without sense', async () => {
    assertRefused(await hmap(['dump', '--where', 'level', path]), /--where.*comparison/);
    assertRefused(await hmap(['dump', '--where', 'levle > 3', path]), /no field 'levle'; did you mean 'level'/);
    assertRefused(await hmap(['dump', '--match', '(', path]), /--match/);
    for (const where of ['level <> 5', 'level => 5', 'level === 5']) {
      assertRefused(await hmap(['dump', '--where', where, path]), /no operator/);
    }
    for (const part of ['0/3', '4/3', '1', 'x/y']) assertRefused(await hmap(['dump', '--part', part, path]), /--part/);
  });
});
