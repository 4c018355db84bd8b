// `hmap build` makes of text what the library makes of the entries: each format, each value type, chosen columns.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { ValueType } from '../../src/index.js';
import type { FormatName } from '../../tools/formats/format.js';
import { formatByName } from '../../tools/formats/formats.js';
import type { ReadOptions } from '../../tools/formats/read-options.js';
import { hmapError } from '../support/errors.js';
import { assertSameFile, buildFrom, fine, libraryFile, NO_COLUMNS } from '../support/tools.js';
import { bytes, FORMATS, folder, fresh, textFile } from './build-cases.js';

describe('formats, each with its own value type', { concurrency: true }, () => {
  for (const [format, { ending, text, value, entries }] of FORMATS) {
    test(`${format} from a file, known by its ending`, async () => {
      const path = fresh();
      const ran = await fine(['build', textFile(ending, text), path]);
      assert.equal(ran.stdout, '', 'what is for people goes to stderr');
      assert.match(ran.stderr, new RegExp(`^read as ${format}.*\n\\S+: ${entries.length} entries, .+\n$`));
      assertSameFile(path, await libraryFile(folder, entries, { value }));
    });

    test(`${format} from stdin`, async () => {
      const path = fresh();
      await fine(['build', '--format', format, '-', path], { input: text });
      assertSameFile(path, await libraryFile(folder, entries, { value }));
    });
  }

  test('each ending that names a format, in either case', () => {
    const endings = {
      tsv: ['.tsv', '.tab', '.TSV'],
      csv: ['.csv', '.Csv'],
      jsonl: ['.jsonl', '.ndjson'],
      json: ['.json'],
      cdb: ['.cdbmake'],
      'cdb-binary': ['.cdb'],
      sqlite: ['.sqlite', '.sqlite3', '.db'],
      parquet: ['.parquet'],
      lines: ['.txt', '.lines'],
    };
    for (const [format, list] of Object.entries(endings)) {
      for (const ending of list) assert.equal(formatByName(`a.b/c.d${ending}`), format);
    }
    for (const name of ['-', '', 'tsv', '.tsv', 'a.hmap', 'a.tsv.gz', 'a.csv/b']) {
      assert.equal(formatByName(name), undefined, name);
    }
  });

  test('--format goes before the ending', async () => {
    const path = fresh();
    await fine(['build', '-f', 'csv', textFile('.tsv', 'a,b\tc\n'), path]);
    assertSameFile(path, await libraryFile(folder, [['a', 'b\tc']], { value: 'utf8' }));
  });

  test('an empty input makes an empty table', async () => {
    for (const [format, { value }] of FORMATS) {
      const path = fresh();
      await buildFrom(path, format, [Buffer.from(format === 'cdb' ? '\n' : format === 'json' ? ' {}\n' : '')], {
        value,
      });
      assertSameFile(path, await libraryFile(folder, [], { value }));
    }
    const path = fresh();
    await fine(['build', '-f', 'lines', '-', path], { input: '' });
    assertSameFile(path, await libraryFile(folder, [], { value: 'none' }));
  });
});

/** How values of each type may be written, and what they are. */
const WRITTEN: Record<Exclude<ValueType, 'none'>, readonly (readonly [text: string, value: unknown])[]> = {
  bytes: [
    ['', bytes('')],
    ['\0 x', bytes('\0 x')],
  ],
  utf8: [
    ['', ''],
    ['ä ', 'ä '],
    ['17', '17'],
  ],
  enum: [
    ['', ''],
    ['ä ', 'ä '],
    ['17', '17'],
  ],
  json: [
    ['null', null],
    ['"x"', 'x'],
    [' [1.0, {"b":2,"a":"\\u00e4"}] ', [1, { b: 2, a: 'ä' }]],
  ],
  u8: [
    ['0', 0],
    ['255', 255],
    ['007', 7],
    ['+3', 3],
    ['-0', 0],
  ],
  i8: [
    ['-128', -128],
    ['127', 127],
  ],
  u16: [['65535', 65_535]],
  u24: [['16777215', 16_777_215]],
  u40: [['1099511627775', 2 ** 40 - 1]],
  u48: [['281474976710655', 2 ** 48 - 1]],
  i16: [
    ['-32768', -32_768],
    ['32767', 32_767],
  ],
  u32: [
    ['4294967295', 4_294_967_295],
    ['999999999', 999_999_999],
    ['1000000000', 1_000_000_000],
    ['00000000000000000000000000000000000042', 42],
  ],
  i32: [
    ['-2147483648', -2_147_483_648],
    ['2147483647', 2_147_483_647],
  ],
  u64: [
    ['0', 0n],
    ['18446744073709551615', 2n ** 64n - 1n],
  ],
  i64: [
    ['-9223372036854775808', -(2n ** 63n)],
    ['+9223372036854775807', 2n ** 63n - 1n],
  ],
  f32: [
    ['1.5', 1.5],
    ['-0', -0],
    ['0.1', 0.1],
    ['NaN', Number.NaN],
    ['-Infinity', -Infinity],
    ['1e-45', 2 ** -149],
  ],
  f64: [
    ['.5', 0.5],
    ['5.', 5],
    ['-1E+300', -1e300],
    ['5e-324', 5e-324],
    ['-0', -0],
    ['Infinity', Infinity],
    ['0.1', 0.1],
  ],
};

describe('value types', { concurrency: true }, () => {
  for (const [type, written] of Object.entries(WRITTEN) as [ValueType, (typeof WRITTEN)['u8']][]) {
    // That an option becomes a type is the same for all; what the types make of text needs no process of its own.
    const byProgram = ['bytes', 'json', 'u32', 'i64', 'f64'].includes(type);
    test(`--value ${type}`, async () => {
      const path = fresh();
      const input = written.map(([text], i) => `key ${i}\t${text}\n`).join('');
      if (byProgram) await fine(['build', '--value', type, '-f', 'tsv', '-', path], { input });
      else await buildFrom(path, 'tsv', [Buffer.from(input)], { value: type });
      const entries = written.map(([, value], i) => [`key ${i}`, value] as const);
      assertSameFile(path, await libraryFile(folder, entries, { value: type }));
    });
  }

  test('--value none: keys alone, in each format', async () => {
    const expected = await libraryFile(
      folder,
      [
        ['a', true],
        ['b', true],
      ],
      { value: 'none' },
    );
    const texts: Record<FormatName, string> = {
      tsv: 'a\nb\n',
      csv: 'a\n"b"\n',
      json: '["a", "b"]',
      jsonl: '{"key":"a"}\n{"key":"b","value":true}\n',
      cdb: '+1,0:a->\n+1,0:b->\n\n',
      lines: 'a\nb\n',
    };
    for (const [format, text] of Object.entries(texts) as [FormatName, string][]) {
      const path = fresh();
      await buildFrom(path, format, [Buffer.from(text)], { value: 'none' });
      assertSameFile(path, expected, format);
    }
    const path = fresh();
    await fine(['build', '-f', 'tsv', '-v', 'none', '-', path], { input: 'b\na' });
    assertSameFile(path, expected);
  });

  test('numbers in JSON Lines: as numbers, or as strings where JSON has none', async () => {
    const cases: Partial<Record<ValueType, [json: string, value: unknown][]>> = {
      u8: [
        ['7', 7],
        ['"8"', 8],
        ['9.0', 9],
      ],
      i64: [
        ['-9007199254740991', -9_007_199_254_740_991n],
        ['"-9223372036854775808"', -(2n ** 63n)],
      ],
      u64: [['"18446744073709551615"', 2n ** 64n - 1n]],
      f64: [
        ['1e3', 1000],
        ['"NaN"', Number.NaN],
        ['"-Infinity"', -Infinity],
        ['-0', -0],
        ['"2.5"', 2.5],
      ],
      bytes: [
        ['"é"', Buffer.from('é')],
        ['{"base64":"/w=="}', Buffer.of(0xff)],
        ['{"base64":""}', Buffer.alloc(0)],
      ],
    };
    for (const [value, list] of Object.entries(cases) as [ValueType, [string, unknown][]][]) {
      const path = fresh();
      const text = list.map(([json], i) => `{"key":"${i}","value":${json}}\n`).join('');
      await buildFrom(path, 'jsonl', [Buffer.from(text)], { value });
      const entries = list.map(([, item], i) => [`${i}`, item] as const);
      assertSameFile(path, await libraryFile(folder, entries, { value }), value);
    }
  });
});

describe('columns', { concurrency: true }, () => {
  const expected = libraryFile(folder, [['a', 'c'] as const, ['x', 'z'] as const], { value: 'utf8' });
  const cases: [name: string, columns: Partial<ReadOptions>, format: FormatName, text: string][] = [
    ['numbers', { key: '2', value: '1' }, 'tsv', 'c\ta\tmore\nz\tx\n'],
    ['names', { key: 'k', value: 'v w' }, 'csv', '"v w",other,k\nc,,a\nz,,x\n'],
    ['names', { key: 'k', value: 'v w' }, 'tsv', 'v w\tother\tk\r\nc\t\ta\r\nz\t\tx\r\n'],
    ['a name and a number', { key: 'k', value: '3' }, 'tsv', 'k\tx\t?\na\tb\tc\nx\ty\tz\n'],
    ['one chosen, the other by itself', { value: '3' }, 'csv', 'a,b,c\nx,y,z\n'],
    ['a row of names that is passed over', { headerRow: true }, 'tsv', 'key\tvalue\na\tc\nx\tz\n'],
    ['a row of names, numbers chosen', { key: '2', value: '1', headerRow: true }, 'csv', 'v,k\nc,a\nz,x\n'],
    ['members', { key: 'id', value: '2' }, 'jsonl', '{"id":"a","2":"c"}\n{"2":"z","key":1,"id":"x"}\n'],
    ['names after a byte order mark', { key: 'k', value: 'v' }, 'tsv', '\ufeffk\tv\na\tc\nx\tz\n'],
    ['names after a byte order mark', { key: 'k', value: 'v' }, 'csv', '\ufeffk,v\na,c\nx,z\n'],
    ['quoted names after a byte order mark', { key: 'k', value: 'v' }, 'csv', '\ufeff"k","v"\na,c\nx,z\n'],
    ['names that are not ASCII', { key: 'ä', value: 'ö€' }, 'csv', 'ö€,ä\nc,a\nz,x\n'],
  ];
  for (const [name, columns, format, text] of cases) {
    test(`${format}: ${name}`, async () => {
      const path = fresh();
      await buildFrom(path, format, [Buffer.from(text)], { value: 'utf8' }, { ...NO_COLUMNS, ...columns });
      assertSameFile(path, await expected);
    });
  }

  test('the options that choose them', async () => {
    const runs: [options: string[], text: string][] = [
      [['--key-column', '2', '--value-column', '1'], 'c\ta\tmore\nz\tx\n'],
      [['--key-column', 'k', '--value-column', 'v w'], 'v w\tother\tk\nc\t\ta\nz\t\tx\n'],
      [['--header-row'], 'key\tvalue\na\tc\nx\tz\n'],
    ];
    await Promise.all(
      runs.map(async ([options, input]) => {
        const path = fresh();
        await fine(['build', '-f', 'tsv', ...options, '-', path], { input });
        assertSameFile(path, await expected, options.join(' '));
      }),
    );
  });

  test('a set takes the keys from the column that is chosen', async () => {
    const path = fresh();
    await fine(['build', '-f', 'csv', '-v', 'none', '--key-column', 'b', '-', path], { input: 'a,b\n1,2\n3,4\n' });
    const keys = ['2', '4'].map((key) => [key, true] as const);
    assertSameFile(path, await libraryFile(folder, keys, { value: 'none' }));
  });

  test('a column too many is refused unless columns are chosen', async () => {
    const cases: [FormatName, ValueType, string, number][] = [
      ['tsv', 'utf8', 'a\tb\nx\ty\tz\n', 2],
      ['csv', 'utf8', 'a,b\nx,y,z\n', 2],
      ['tsv', 'none', 'a\nb\tc\n', 2],
      ['csv', 'none', 'a\nb,c\n', 2],
    ];
    for (const [format, value, text, line] of cases) {
      const path = fresh();
      const columns = { ...NO_COLUMNS, key: '1', value: value === 'none' ? undefined : '2' };
      await assert.rejects(
        buildFrom(path, format, [Buffer.from(text)], { value }),
        hmapError('HMAP_INPUT', {
          line,
          message: /found [23]; choose columns with --key-column and --value-column: 1 \("/,
        }),
      );
      assert.equal(existsSync(path), false);
      const summary = await buildFrom(path, format, [Buffer.from(text)], { value }, columns);
      assert.equal(summary.entries, 2);
    }
  });
});
