// `hmap` with lists and bit arrays: build, get, dump, stat and verify as processes. Knows the command line; what the
// files hold is list.test.ts.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { build, type ListType } from '../../src/index.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, fine, hmap } from '../support/tools.js';

describe('hmap and layouts without keys', { concurrency: true }, () => {
  const types: [ListType, readonly unknown[]][] = [
    ['u7', [0, 127, 5, 5]],
    ['i53', [-(2 ** 52), -1, 2 ** 52 - 1]],
    ['f32', [0.5, -0, Number.NaN, Number.NEGATIVE_INFINITY]],
    ['f64', [0.1, Number.POSITIVE_INFINITY, 1e300]],
    ['utf8', ['', 'a, "quoted"', ' é ', '\ufeffx']],
    ['bytes', [Buffer.from('ff00', 'hex'), Buffer.from('text')]],
  ];
  for (const [type, values] of types) {
    test(`a dump of ${type} builds the identical list in each format`, async (t) => {
      const cwd = temporaryFolder(t);
      const list = join(cwd, 'list.hmap');
      await build(list, values as never, { layout: 'list', value: type, base: -1, metadata: { name: 'x' } });
      for (const format of ['jsonl', 'csv', 'tsv', 'lines']) {
        const { bytes } = await fine(['dump', '--format', format, 'list.hmap'], { cwd });
        writeFileSync(join(cwd, `dump.${format}`), bytes);
        const args = [
          'build',
          '--layout',
          'list',
          '--value',
          type,
          '--base',
          '-1',
          '--meta',
          'name=x',
          '--format',
          format,
        ];
        await fine([...args, `dump.${format}`, `${format}.hmap`], { cwd });
        assert.ok(readFileSync(join(cwd, `${format}.hmap`)).equals(readFileSync(list)), format);
      }
    });
  }

  test('a dump of a bit array builds the identical one in each format', async (t) => {
    const cwd = temporaryFolder(t);
    const path = join(cwd, 'bits.hmap');
    await build(path, [-4, 0, 77], { layout: 'bits', base: -5, length: 100 });
    for (const format of ['jsonl', 'csv', 'tsv', 'lines']) {
      const { bytes, stdout } = await fine(['dump', '--format', format, 'bits.hmap'], { cwd });
      assert.equal(stdout, format === 'jsonl' ? '{"key":-4}\n{"key":0}\n{"key":77}\n' : '-4\n0\n77\n');
      writeFileSync(join(cwd, `dump.${format}`), bytes);
      const args = ['build', '--layout', 'bits', '--base', '-5', '--length', '100', '--format', format];
      await fine([...args, `dump.${format}`, `${format}.hmap`], { cwd });
      assert.ok(readFileSync(join(cwd, `${format}.hmap`)).equals(readFileSync(path)), format);
    }
  });

  for (const [name, integers, form, keyType] of [
    ['a bit array', [-4, 0, 77], 'as a bit array', undefined],
    ['u32 keys by hash', [4_000_000_000, 7], 'by hash', 'u32'],
    ['i64 keys by hash', [-9_007_199_254_740_991, 5_000_000_000], 'by hash', 'i64'],
  ] as const) {
    test(`--layout auto makes ${name}, which every command takes and a dump builds anew`, async (t) => {
      const cwd = temporaryFolder(t);
      const input = integers.map((integer) => `${integer}\n`).join('');
      const built = await fine(['build', '--layout', 'auto', '-f', 'lines', '-', 'set.hmap'], { cwd, input });
      assert.match(built.stderr, new RegExp(`: ${integers.length} entries ${form}, `));
      const expected = join(cwd, 'library.hmap');
      await build(expected, integers, { layout: 'auto' });
      const args = ['build', '--layout', 'auto', '--json', '--force', '--format'];
      for (const format of ['jsonl', 'csv', 'tsv', 'lines']) {
        assert.ok(readFileSync(join(cwd, 'set.hmap')).equals(readFileSync(expected)), format);
        const { stdout } = await fine(['dump', '--format', format, 'set.hmap'], { cwd });
        const { layout } = JSON.parse((await fine([...args, format, '-', 'set.hmap'], { cwd, input: stdout })).stdout);
        assert.equal(layout, keyType === undefined ? 'bits' : 'hash');
      }
      const found = await hmap(['get', 'set.hmap', '--', String(integers[0]), '6'], { cwd });
      assert.deepEqual([found.code, found.stdout], [1, 'true\n']);
      await fine(['verify', 'set.hmap'], { cwd });
      const { header } = JSON.parse((await fine(['stat', '--json', 'set.hmap'], { cwd })).stdout);
      assert.deepEqual([header.layout, header.keyType], [keyType === undefined ? 'bits' : 'hash', keyType ?? 'bytes']);
    });
  }

  test('plan names --layout auto where it recommends one of its forms', async (t) => {
    const cwd = temporaryFolder(t);
    const apart = (first: number, step: number) =>
      Array.from({ length: 1000 }, (_, i) => `${first + step * i}\n`).join('');
    const chosen: [input: string, options: string][] = [
      [apart(-5, 2), '--layout bits --base -5'],
      [apart(1_000_000_000, 3_000_000), '--key u32 --value none'],
      [apart(-1_000_000_000_000, 1_000_000_000), '--key i64 --value none'],
    ];
    for (const [input, options] of chosen) {
      const { stdout } = await fine(['plan', '--format', 'lines', '-'], { cwd, input });
      assert.match(
        stdout,
        new RegExp(`\\n {2}hmap build --format lines ${options} - table\\.hmap\\nWith --layout auto, `),
      );
    }
    const beyond = `${apart(2 ** 52, 2 ** 43)}9007199254740992\n`;
    for (const input of ['a\nb\n', beyond]) {
      assert.doesNotMatch((await fine(['plan', '--format', 'lines', '-'], { cwd, input })).stdout, /--layout auto/);
    }
  });

  test('values come from lines, from a column alone, and beside their index', async (t) => {
    const cwd = temporaryFolder(t);
    const inputs: [args: string[], input: string][] = [
      [['--format', 'lines'], '5\n6\n7\n'],
      [['--format', 'tsv'], '0\t5\n1\t6\n2\t7\n'],
      [['--format', 'csv', '--value-column', 'age'], 'name,age\na,5\nb,6\nc,7\n'],
      [['--format', 'csv', '--value-column', 'age', '--key-column', 'id'], 'age,id\n5,0\n6,1\n7,2\n'],
      [['--format', 'jsonl'], '{"value":5}\n{"key":1,"value":"6"}\n{"key":"2","value":7}\n'],
    ];
    for (const [i, [args, input]] of inputs.entries()) {
      await fine(['build', '--layout', 'list', '--value', 'u3', ...args, '-', `${i}.hmap`], { cwd, input });
      assert.ok(readFileSync(join(cwd, `${i}.hmap`)).equals(readFileSync(join(cwd, '0.hmap'))), args.join(' '));
    }
    assert.equal((await fine(['dump', '--format', 'lines', '0.hmap'], { cwd })).stdout, '5\n6\n7\n');
    assert.equal((await fine(['dump', '--limit', '1', '0.hmap'], { cwd })).stdout, '{"key":0,"value":5}\n');
  });

  test('get prints elements and bits, and names what is not there', async (t) => {
    const cwd = temporaryFolder(t);
    await build(join(cwd, 'list.hmap'), ['one', 'zwei'], { layout: 'list', value: 'utf8', base: -1 });
    await build(join(cwd, 'bits.hmap'), [3], { layout: 'bits' });
    assert.equal((await fine(['get', 'list.hmap', '0', '--', '-1'], { cwd })).stdout, 'zwei\none\n');
    const missing = await hmap(['get', 'list.hmap', '1', 'x', '0.5'], { cwd });
    assert.deepEqual([missing.code, missing.stdout], [1, '']);
    assert.equal(missing.stderr, 'hmap: not found: "1"\nhmap: not found: "x"\nhmap: not found: "0.5"\n');
    const json = await hmap(['get', '--json', 'list.hmap', '0', '9'], { cwd });
    assert.equal(json.stdout, '{"key":0,"found":true,"value":"zwei"}\n{"key":9,"found":false}\n');
    const bits = await hmap(['get', 'bits.hmap', '-'], { cwd, input: '3\n4\n' });
    assert.deepEqual([bits.code, bits.stdout, bits.stderr], [1, 'true\n', 'hmap: not found: "4"\n']);
  });

  test('stat and verify report both', async (t) => {
    const cwd = temporaryFolder(t);
    await build(join(cwd, 'list.hmap'), [1, 2, 3], { layout: 'list', value: 'i20', base: 7 });
    await build(join(cwd, 'bits.hmap'), [3], { layout: 'bits', length: 50 });
    const list = (await fine(['stat', 'list.hmap'], { cwd })).stdout;
    assert.match(list, /layout +list, integers from 7, 3 of them\n/);
    assert.match(list, /values +i20, 2\.5 bytes each\n/);
    assert.doesNotMatch(list, /xxh32|buckets,/);
    const parsed = JSON.parse((await fine(['stat', '--json', 'bits.hmap'], { cwd })).stdout);
    assert.deepEqual([parsed.entries, parsed.header.length, parsed.sections.values], [1, 50, 8]);
    assert.match((await fine(['verify', 'list.hmap', 'bits.hmap'], { cwd })).stdout, /list.*ok; 3 .*\n.*bits.*ok; 1 /);
    const header = JSON.parse((await fine(['dump', '--header', 'list.hmap'], { cwd })).stdout);
    assert.deepEqual([header.layout, header.valueType, header.base], ['list', 'i20', 7]);
  });

  test('what cannot be is refused in one line', async (t) => {
    const cwd = temporaryFolder(t);
    await build(join(cwd, 'list.hmap'), ['a\nb', 'c\t'], { layout: 'list', value: 'utf8' });
    const list = ['build', '--layout', 'list', '--format', 'tsv'];
    const bits = ['build', '--layout', 'bits', '--format', 'lines'];
    const auto = ['build', '--layout', 'auto', '--format', 'lines'];
    const cases: [args: string[], input: string, message: RegExp][] = [
      [['dump', '--bucket', '0', 'list.hmap'], '', /layout 'hash'.*layout 'list'/],
      [['dump', '--key', 'a', 'list.hmap'], '', /layout 'hash'.*layout 'list'/],
      [['dump', '--format', 'cdb', 'list.hmap'], '', /cdb.*layout 'list'/],
      [['dump', '--format', 'lines', 'list.hmap'], '', /index 0 has a line end.*jsonl or csv/],
      [[...list, '-', 'out.hmap'], '0\ta\n2\tb\n', /line 2: expected the index 1, found "2"/],
      [[...list, '--value', 'u7', '-', 'out.hmap'], '0\t200\n', /line 1: the value at index 0: expected u7/],
      [[...list, '--value', 'u7', '-', 'out.hmap'], '0\tx\n', /line 1: expected u7, an integer from 0 to 127, got "x"/],
      [[...list, '--value', 'json', '-', 'out.hmap'], '', /--value: json is not a type of list elements/],
      [[...list, '--seed', '1', '-', 'out.hmap'], '', /--seed: does not apply to the layout 'list'/],
      [[...list, '--format', 'cdb', '-', 'out.hmap'], '', /'cdb' needs keys and values/],
      [[...bits, '-', 'out.hmap'], '5\nx\n', /line 2: expected an integer, got "x"/],
      [[...bits, '--length', '5', '-', 'out.hmap'], '5\n', /line 1: .*from 0 to 4/],
      [[...bits, '--value', 'u8', '-', 'out.hmap'], '', /--value: does not apply to the layout 'bits'/],
      [[...auto, '-', 'out.hmap'], '5\n9007199254740992\n', /line 2: .*from -9007199254740991 to 9007199254740991/],
      [[...auto, '--base', '5', '-', 'out.hmap'], '', /--base: does not apply to the layout 'auto'/],
      [[...auto, '--key', 'u32', '-', 'out.hmap'], '', /--key: does not apply to the layout 'auto'/],
      [[...auto, '--format', 'cdb', '-', 'out.hmap'], '', /'cdb' needs keys and values/],
      [
        ['build', '--base', '5', '--format', 'lines', '-', 'out.hmap'],
        '',
        /--base: does not apply to the layout 'hash'/,
      ],
      [['build', '--value', 'u7', '--format', 'tsv', '-', 'out.hmap'], '', /--value: u7 is for --layout list/],
    ];
    await Promise.all(
      cases.map(async ([args, input, message]) => assertRefused(await hmap(args, { cwd, input }), message)),
    );
  });
});
