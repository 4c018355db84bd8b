// Tests `hmap diff` and `hmap merge`: that differences are told as a comparison of Maps finds them, and that a patch turns
// the first file into the second, byte for byte.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, inspectKey, type ValueChoice } from '../../src/index.js';
import { Random } from '../support/random.js';
import { contentOf, temporaryFolder } from '../support/temp.js';
import { assertRefused, fine, hmap, libraryTable, start } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);

type Entries = Map<string, unknown>;

const table = (entries: Entries, options: BuildOptions<ValueChoice>) =>
  libraryTable(folder, options.value === 'none' ? entries.keys() : entries, options);

/** What `hmap diff --json` says, by key. */
async function differences(a: string, b: string): Promise<Record<string, unknown>> {
  const { code, stdout } = await hmap(['diff', '--json', a, b]);
  const lines = stdout === '' ? [] : stdout.trimEnd().split('\n');
  assert.equal(code, lines.length === 0 ? 0 : 1);
  return Object.fromEntries(
    lines.map((line) => {
      const { key, ...rest } = JSON.parse(line);
      return [key, rest];
    }),
  );
}

function expectedOf(a: Entries, b: Entries): Record<string, unknown> {
  const expected: Record<string, unknown> = {};
  for (const [key, before] of a) {
    const after = b.get(key);
    if (!b.has(key)) expected[key] = { op: 'remove', before };
    else if (JSON.stringify(before) !== JSON.stringify(after)) expected[key] = { op: 'change', before, after };
  }
  for (const [key, after] of b) if (!a.has(key)) expected[key] = { op: 'add', after };
  return expected;
}

describe('hmap diff', () => {
  test('finds what a comparison of Maps finds, and its patch leads from one file to the other', async () => {
    const random = new Random(7);
    const kinds: [value: ValueChoice, make: () => unknown][] = [
      ['u32', () => random.below(9)],
      ['utf8', () => random.text(random.below(3))],
      ['json', () => ({ x: random.below(3), text: '€\n' })],
      ['enum', () => `value ${random.below(4)}`],
      ['struct(a:bool,b:u7)', () => ({ a: random.below(2) === 1, b: random.below(4) })],
      ['uint', () => random.below(300)],
    ];
    for (const [value, make] of kinds) {
      const random2 = new Random(3);
      const entries = (): Entries =>
        new Map(Array.from({ length: 300 }, () => [`key ${random2.below(400)} ü`, make()]));
      const [a, b] = [entries(), entries()];
      const paths = [await table(a, { value }), await table(b, { value })] as const;
      assert.deepEqual(await differences(...paths), expectedOf(a, b), String(value));
      assert.deepEqual(await differences(paths[0], paths[0]), {});
      // The order of another seed is another one.
      const other = await table(b, { value, seed: 11 });
      assert.deepEqual(await differences(paths[0], other), expectedOf(a, b), `${value}, another seed`);
      const patch = join(folder, 'changes.patch');
      writeFileSync(patch, (await hmap(['diff', '--patch', ...paths])).bytes);
      const merged = join(folder, 'merged.hmap');
      const { stderr } = await fine(['merge', paths[0], patch, '-o', merged, '--force']);
      assert.match(stderr, /replaced, \d+ removed/);
      assert.ok(readFileSync(merged).equals(readFileSync(paths[1])), String(value));
    }
  });

  test('prints lines for people, and counts', async () => {
    const a = await table(
      new Map([
        ['apple', 1],
        ['fig', 2],
        ['pear', 4],
      ]),
      { value: 'u8' },
    );
    const b = await table(
      new Map([
        ['apple', 1],
        ['fig', 7],
        ['plum', 9],
      ]),
      { value: 'u16', metadata: { day: 'Tue' } },
    );
    const lines = await hmap(['diff', a, b]);
    assert.deepEqual(lines.stdout.trimEnd().split('\n').toSorted(), ['+ "plum"  9', '- "pear"  4', '~ "fig"  2 -> 7']);
    assert.equal(
      lines.stderr,
      'values: u8 -> u16\nmetadata: {} -> {"day":"Tue"}\n1 added, 1 removed, 1 changed, 1 the same\n',
    );
    const limited = await hmap(['diff', '--limit', '1', a, b]);
    assert.equal(limited.stdout.split('\n').length, 2);
    assert.match(limited.stderr, /^1 added, 1 removed, 1 changed, 1 the same; 1 printed\n/m);
    const counts = await hmap(['diff', '--stat', '--json', a, b]);
    assert.deepEqual(JSON.parse(counts.stdout), {
      ...{ added: 1, removed: 1, changed: 1, same: 1 },
      ...{ values: { before: 'u8', after: 'u16' }, metadata: { before: {}, after: { day: 'Tue' } } },
    });
    assert.equal((await hmap(['diff', '--stat', a, b])).stdout, '1 added, 1 removed, 1 changed, 1 the same\n');
  });

  test('compares values of two types as a program gets them, and metadata', async () => {
    const numbers: Entries = new Map([
      ['a', 1],
      ['b', 255],
    ]);
    const paths: string[] = [];
    for (const value of ['u8', 'u16', 'i64', 'f64', 'json'] as const) {
      const own = value === 'i64' ? new Map([...numbers].map(([key, x]) => [key, BigInt(x as number)])) : numbers;
      paths.push(await table(own, { value }));
    }
    for (const a of paths) for (const b of paths) assert.deepEqual(await differences(a, b), {});
    const text = await table(new Map([['a', '1']]), { value: 'utf8' });
    assert.deepEqual(await differences(paths[0]!, text), {
      a: { op: 'change', before: 1, after: '1' },
      b: { op: 'remove', before: 255 },
    });
    assert.deepEqual(await differences(text, await table(new Map([['a', '1']]), { value: 'enum' })), {});
    const exact = await table(new Map([['a', 2n ** 53n + 1n]]), { value: 'u64' });
    const rounded = join(folder, 'rounded.hmap');
    await fine(['build', '-f', 'jsonl', '--value', 'json', '-', rounded], {
      input: '{"key":"a","value":9007199254740993}\n',
    });
    assert.deepEqual(await differences(exact, rounded), {});
    const named = await table(numbers, { value: 'u8', metadata: { a: 1 } });
    const { code, stderr } = await hmap(['diff', paths[0]!, named]);
    assert.deepEqual([code, stderr.split('\n')[0]], [1, 'metadata: {} -> {"a":1}']);
  });

  test('compares keys of two types, and files of two layouts', async () => {
    const integers = [3, 5, 4_000_000_000];
    const path = (name: string) => join(folder, name);
    await build(path('u32.hmap'), integers, { value: 'none', key: 'u32' });
    await build(path('i64.hmap'), integers.map(BigInt), { value: 'none', key: 'i64' });
    await build(path('text.hmap'), integers.map(String), { value: 'none' });
    await build(path('bits.hmap'), [3, 5, 9], { layout: 'bits' });
    await build(path('bits2.hmap'), [3, 9, 10], { layout: 'bits', base: 3 });
    await build(path('list.hmap'), [7, 8], { layout: 'list', value: 'u7' });
    await build(path('list2.hmap'), [7, 9, 1.5], { layout: 'list', value: 'f64' });
    await build(path('texts.hmap'), ['a', ''], { layout: 'list', value: 'utf8' });
    await build(path('texts2.hmap'), ['a', 'b'], { layout: 'list', value: 'utf8' });
    for (const a of ['u32', 'i64', 'text']) {
      for (const b of ['u32', 'i64', 'text'])
        assert.deepEqual(await differences(path(`${a}.hmap`), path(`${b}.hmap`)), {});
    }
    assert.deepEqual(await differences(path('bits.hmap'), path('u32.hmap')), {
      9: { op: 'remove' },
      4000000000: { op: 'add' },
    });
    assert.deepEqual(await differences(path('bits.hmap'), path('bits2.hmap')), {
      5: { op: 'remove' },
      10: { op: 'add' },
    });
    assert.deepEqual(await differences(path('list.hmap'), path('list2.hmap')), {
      1: { op: 'change', before: 8, after: 9 },
      2: { op: 'add', after: 1.5 },
    });
    assert.deepEqual(await differences(path('texts.hmap'), path('texts2.hmap')), {
      1: { op: 'change', before: '', after: 'b' },
    });
  });

  test('takes one text for a key of another type, and one not-a-number for another', async () => {
    const numbers = join(folder, 'numbers.hmap');
    await build(numbers, [[7, 1] as const], { value: 'u8', key: 'u32' });
    const texts = await table(
      new Map([
        ['007', 1],
        ['7', 1],
      ]),
      { value: 'u8' },
    );
    assert.deepEqual(await differences(texts, numbers), { '007': { op: 'remove', before: 1 } });
    assert.deepEqual(await differences(numbers, texts), { '007': { op: 'add', after: 1 } });
    const list = join(folder, 'list-of-u8.hmap');
    await build(list, [5, 1], { layout: 'list', value: 'u8' });
    const table2 = join(folder, 'table-like-a-list.hmap');
    await build(
      table2,
      [
        [0, 5],
        [1, 2],
      ] as const,
      { value: 'u8', key: 'u32' },
    );
    assert.deepEqual(await differences(list, table2), { 1: { op: 'change', before: 1, after: 2 } });
    const [a, b] = [
      await table(new Map([['x', Number.NaN]]), { value: 'f32' }),
      await table(new Map([['x', Number.NaN]]), { value: 'f64' }),
    ];
    assert.deepEqual(await differences(a, b), {});
  });

  test('ends with 1 when its reader ends first', async () => {
    const all = Array.from({ length: 100_000 }, (_, i) => [`key ${i}`, 1] as const);
    const [a, b] = [await table(new Map(all), { value: 'u8' }), await table(new Map(), { value: 'u8' })];
    const { child, ended } = start(['diff', a, b]);
    child.stdout!.once('data', () => child.stdout!.destroy());
    const { code, stderr } = await ended;
    assert.deepEqual([code, stderr], [1, '']);
  });

  test('of nothing, of one entry, and of tables with fingerprints', async () => {
    const empty = await table(new Map(), { value: 'utf8' });
    const one = await table(new Map([['', '']]), { value: 'utf8' });
    assert.deepEqual(await differences(empty, empty), {});
    assert.deepEqual(await differences(empty, one), { '': { op: 'add', after: '' } });
    assert.deepEqual(await differences(one, empty), { '': { op: 'remove', before: '' } });
    const prints = await table(new Map([['a', 1]]), { value: 'u8', fingerprint: 16 });
    const others = await table(new Map([['b', 1]]), { value: 'u8', fingerprint: 16 });
    assert.deepEqual(await differences(prints, prints), {});
    assertRefused(await hmap(['diff', prints, others]), /cannot compare it: the table stores fingerprints/);
    assertRefused(await hmap(['diff', one, join(folder, 'missing.hmap')]), /no such file/);
    assertRefused(await hmap(['diff', '--patch', '--json', one, one]), /--patch and --json cannot be used together/);
    assertRefused(await hmap(['diff', '--patch', '--stat', one, one]), /cannot be used together/);
    const chosen = await table(new Map([['a', 1]]), { value: 'uint' });
    assertRefused(await hmap(['diff', '--patch', prints, chosen]), /--patch: the values have two types, u8 and uint/);
  });

  test('says where a file is damaged, after what it has found before; compares it all the same if told to', async () => {
    const entries: Entries = new Map(Array.from({ length: 30_000 }, (_, i) => [`key ${i}`, i]));
    const a = await table(entries, { value: 'u32' });
    const b = await table(new Map([...entries].map(([key, x]) => [key, (x as number) + 1])), { value: 'u32' });
    const copy = readFileSync(b);
    // In the value of a record, far from the start.
    copy[400_000]! ^= 0x10;
    const damaged = join(folder, 'damaged.hmap');
    writeFileSync(damaged, copy);
    const { code, stdout, stderr } = await hmap(['diff', a, damaged]);
    assert.equal(code, 2);
    assert.match(stderr, /damaged\.hmap: the file is damaged: the bytes \[\d+, \d+\) do not match their checksum/);
    const found = stdout.trimEnd().split('\n').length;
    assert.ok(found > 1000 && found < 30_000, `${found} lines`);
    const all = await hmap(['diff', '--check', 'header', '--stat', a, damaged]);
    assert.match(all.stdout, /(?:30,000|29,999) changed/);
    // A key that is damaged is one difference, wherever the order of the file would have it.
    const key = readFileSync(a);
    const { keyOffset } = inspectKey(a, 'key 12345').record!;
    key[keyOffset]! ^= 0x10;
    writeFileSync(damaged, key);
    const one = await hmap(['diff', '--check', 'header', a, damaged]);
    assert.match(one.stderr, /^1 added, 1 removed, 0 changed, 29,999 the same\n/m);
    assert.deepEqual(one.stdout.split('\n').toSorted().slice(1), ['+ "{ey 12345"  12345', '- "key 12345"  12345']);
    const patch = await hmap(['diff', '--patch', a, damaged]);
    assert.equal(patch.code, 2);
    const merged = await hmap(['merge', a, '-', '-o', join(folder, 'never.hmap')], { input: patch.bytes });
    assertRefused(merged, /the patch was cut short/);
  });
});

/** A patch of these lines for tables of u8. */
const patchOf = (...lines: string[]) =>
  ['{"hmapPatch":1,"key":"bytes","value":"u8"}', ...lines, `{"op":"end","lines":${lines.length}}`, ''].join('\n');

describe('hmap merge', () => {
  const fruit: Entries = new Map([
    ['apple', 1],
    ['fig', 2],
    ['pear', 4],
  ]);

  test('merges files, the last of which counts, and reports it', async () => {
    const a = await table(fruit, { value: 'u8', metadata: { from: 'a' } });
    const b = await table(
      new Map([
        ['fig', 7],
        ['plum', 9],
      ]),
      { value: 'u8' },
    );
    const out = join(folder, 'out.hmap');
    const { stderr } = await fine(['merge', a, b, '-o', out, '--meta', 'day=Tue']);
    assert.match(stderr, /^.*out\.hmap: 4 entries \(1 replaced\), 4\.1 KiB, 0\.\d\d s\n$/);
    assert.equal((await fine(['get', out, 'fig', 'plum', 'pear'])).stdout, '7\n9\n4\n');
    const summary = JSON.parse(
      (await fine(['merge', '--json', '--force', a, b, '-o', out, '--duplicates', 'first'])).stdout,
    );
    assert.deepEqual([summary.entries, summary.replaced, summary.by], [4, 1, 'records']);
    assert.equal((await fine(['get', out, 'fig'])).stdout, '2\n');
    const before = contentOf(folder);
    assertRefused(await hmap(['merge', a, b, '-o', out]), /exists already; --force replaces it/);
    assertRefused(
      await hmap(['merge', a, b, '-o', out, '--force', '--duplicates', 'error']),
      /the key "fig" is in .* and in /,
    );
    assertRefused(await hmap(['merge', a, '-o', join(folder, 'no', 'out.hmap')]), /no such file or folder/);
    assert.deepEqual(contentOf(folder), before);
  });

  test('applies patches from stdin, packed ones, and several in their order', async () => {
    const a = await table(fruit, { value: 'u8' });
    const out = join(folder, 'patched.hmap');
    const first = patchOf('{"op":"remove","key":"fig"}', '{"op":"add","key":{"base64":"/w=="},"value":3}');
    await fine(['merge', a, '-', '-o', out], { input: first });
    assert.equal((await fine(['get', out, 'apple', 'pear'])).stdout, '1\n4\n');
    assert.match((await fine(['dump', out])).stdout, /\{"key":\{"base64":"\/w=="\},"value":3\}/);
    const packed = join(folder, 'packed.patch');
    writeFileSync(packed, gzipSync(patchOf('{"op":"change","key":"fig","value":5}')));
    const { stderr } = await fine(['merge', a, '-', packed, '-o', out, '--force', '--duplicates', 'error'], {
      input: first,
    });
    assert.match(stderr, /4 entries \(1 removed\)/);
    assert.equal((await fine(['get', out, 'fig'])).stdout, '5\n');
    await fine(['merge', a, '-', '-o', out, '--force'], { input: `\ufeff${first}` });
    assert.equal((await fine(['get', out, 'apple', 'pear'])).stdout, '1\n4\n');
    const missing = patchOf('{"op":"remove","key":"nothing"}');
    assert.match(
      (await fine(['merge', a, '-', '-o', out, '--force'], { input: missing })).stderr,
      /3 entries \(1 to be removed were not there\)/,
    );
  });

  test('applies a patch from a pipe with a name', { skip: process.platform === 'win32' }, async () => {
    const a = await table(fruit, { value: 'u8' });
    const out = join(folder, 'piped.hmap');
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const merged = fine(['merge', a, pipe, '-o', out]);
    await writeFile(pipe, patchOf('{"op":"remove","key":"fig"}'));
    assert.match((await merged).stderr, /2 entries \(1 removed\)/);
  });

  test('applies a patch to a shard: those of its lines that are about its keys', async () => {
    const all = new Map(Array.from({ length: 100 }, (_, i) => [`key ${i}`, i]));
    const whole = await table(all, { value: 'u8' });
    const changed = await table(
      new Map([...all].filter(([, i]) => i % 3 !== 0).map(([key, i]) => [key, i % 5 === 0 ? 200 : i])),
      { value: 'u8' },
    );
    const patch = join(folder, 'whole.patch');
    writeFileSync(patch, (await hmap(['diff', '--patch', whole, changed])).bytes);
    const [before, after] = ['shards', 'shards-changed'].map((name) => join(folder, name)) as [string, string];
    await fine(['split', whole, '-o', before, '--shards', '2']);
    await fine(['split', changed, '-o', after, '--shards', '2']);
    for (const name of readdirSync(before).filter((file) => file.endsWith('.hmap'))) {
      const merged = join(folder, 'merged-shard.hmap');
      // The rest of a name is a checksum.
      const expected = readdirSync(after).find((file) => file.startsWith(name.split('-', 3).join('-')))!;
      await fine(['merge', join(before, name), patch, '-o', merged, '--force']);
      assert.ok(readFileSync(merged).equals(readFileSync(join(after, expected))), name);
    }
  });

  test('refuses a patch that is none, or is for other tables, and leaves nothing behind', async () => {
    const a = await table(fruit, { value: 'u8' });
    const out = join(folder, 'refused.hmap');
    const list = join(folder, 'list-to-merge.hmap');
    await build(list, [1], { layout: 'list', value: 'u7' });
    const start = '{"hmapPatch":1,"key":"bytes","value":"u8"}\n';
    const before = contentOf(folder);
    for (const [input, message] of [
      ['', /stdin: expected a patch, whose first line is like/],
      ['{"key":"a","value":1}\n', /stdin: expected a patch/],
      ['{"hmapPatch":1,"key":"u32","value":"u8"}\n', /the patch is for tables with keys of type u32, these are bytes/],
      ['{"hmapPatch":1,"key":"bytes","value":"utf8"}\n', /with values of type utf8, these are u8/],
      ['{"hmapPatch":1,"key":"bytes","value":"u9"}\n', /expected one of .*, got u9/],
      [`${start}{"op":"move","key":"a"}\n`, /stdin: line 2: expected "op" to be .*, got "move"/],
      [`${start}{"op":"add","value":1}\n`, /stdin: line 2: the member "key" is missing\n$/],
      [`${start}{"op":"add","key":"a"}\n`, /stdin: line 2: .*"value"/],
      [`${start}{"op":"add","key":"a","value":256}\n`, /stdin: line 2: the value of key "a": expected u8/],
      [
        `${start}{"op":"add","key":"a","value":1}\n{"op":"remove","key":"a"}\n`,
        /line 4: expected a last line \{"op":"end","lines":2\}; the patch was cut short/,
      ],
      [`${start}{"op":"end","lines":null}\n`, /line 2: expected "lines" to be a number, got null/],
      [`${start}{"op":"end","lines":1}\n`, /line 2: expected 1 lines before it, got 0/],
      [`${patchOf()}{"op":"remove","key":"a"}\n`, /line 3: expected nothing after/],
      [patchOf('{"op":"add","key":"a","value":1}', '{"op":"remove","key":"a"}'), /the key "a" is removed, and added/],
      [
        patchOf('{"op":"add","key":"a","value":1}', '{"op":"add","key":"a","value":2}'),
        /stdin: the key "a" is in two lines/,
      ],
      ['{"hmapPatch":2,"key":"bytes","value":"u8"}\n', /expected a patch of version 1, got version 2/],
      [`${start}{"op":"remove","key":1}\n`, /stdin: line 2: .*"key"/],
    ] as const) {
      assertRefused(await hmap(['merge', a, '-', '-o', out], { input }), message);
    }
    assertRefused(
      await hmap(['merge', '-', '-o', out], { input: start }),
      /stdin is a patch; name the table that it changes/,
    );
    assertRefused(await hmap(['merge', a, '-o', '-']), /--output: expected a file/);
    const own = join(folder, 'own.patch');
    writeFileSync(own, patchOf());
    assertRefused(await hmap(['merge', a, own, '-o', own, '--force']), /--output: .*own\.patch is one of the patches/);
    assert.equal(readFileSync(own, 'utf8'), patchOf());
    rmSync(own);
    assertRefused(await hmap(['merge', a, '-', '-', '-o', out], { input: start }), /stdin can be read once/);
    assertRefused(await hmap(['merge', list, '-o', out]), /has the layout 'list'/);
    assert.deepEqual(contentOf(folder), before);
  });

  test('says that it was stopped, and leaves the old file', async () => {
    const a = await table(fruit, { value: 'u8' });
    const own = temporaryFolder(nodeTest);
    const out = join(own, 'out.hmap');
    writeFileSync(out, 'old');
    const { child, ended } = start(['merge', a, '-', '-o', out, '--force']);
    child.stdin!.write('{"hmapPatch":1,"key":"bytes","value":"u8"}\n'.padEnd(70_000));
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (!readdirSync(own).some((name) => name.startsWith('.hmap-patch-'))) return;
        clearInterval(timer);
        resolve();
      }, 10);
    });
    child.kill('SIGTERM');
    // What it waits for does not come.
    const { code, stderr } = await ended;
    assert.match(stderr, /stopped; .*out\.hmap is unchanged/);
    assert.equal(code, 143);
    assert.deepEqual(readdirSync(own), ['out.hmap']);
    assert.equal(readFileSync(out, 'utf8'), 'old');
  });
});
