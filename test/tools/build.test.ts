// Tests `hmap build` (tools/build.ts and the readers of tools/formats): what it makes of text is what the library makes of the entries.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BuildSummary, type Key, open, type ValueType } from '../../src/index.js';
import type { Columns, FormatName } from '../../tools/formats/format.js';
import { formatByEnding } from '../../tools/formats/formats.js';
import { hmapError } from '../support/errors.js';
import { Random } from '../support/random.js';
import { contentOf, failure, temporaryFolder } from '../support/temp.js';
import {
  assertRefused,
  assertSameFile,
  buildFrom,
  fine,
  hmap,
  libraryFile,
  NO_COLUMNS,
  piecesOf,
  readFrom,
  start,
} from '../support/tools.js';

const MIB = 2 ** 20;
const folder = temporaryFolder(nodeTest);
let names = 0;

/** A path in the folder that nothing has yet. */
const fresh = (ending = '.hmap') => join(folder, `${names++}${ending}`);

/** Writes a text file. */
function textFile(ending: string, content: string | Uint8Array): string {
  const path = fresh(ending);
  writeFileSync(path, content);
  return path;
}

type Entries = readonly (readonly [Key, unknown])[];

interface Sample {
  ending: string;
  text: string | Uint8Array;
  /** The type of values where none is named. */
  value: ValueType;
  entries: Entries;
}

const bytes = (text: string) => Buffer.from(text, 'latin1');

const SAMPLES: Record<FormatName, Sample> = {
  tsv: {
    ending: '.tsv',
    text: 'apple\tred\n pear \t"gr,een"\n\tno key\nno value\t\nä€\t\u{1f600}\n',
    value: 'utf8',
    entries: [
      ['apple', 'red'],
      [' pear ', '"gr,een"'],
      ['', 'no key'],
      ['no value', ''],
      ['ä€', '\u{1f600}'],
    ],
  },
  csv: {
    ending: '.csv',
    text: 'apple,red\n pear ,"gr,""een"\n,no key\nno value,\n"ä\n€","\u{1f600}\t"\n',
    value: 'utf8',
    entries: [
      ['apple', 'red'],
      [' pear ', 'gr,"een'],
      ['', 'no key'],
      ['no value', ''],
      ['ä\n€', '\u{1f600}\t'],
    ],
  },
  jsonl: {
    ending: '.jsonl',
    text: '{"key":"apple","value":{"b":[1, 2.50],"a":null}}\n\n{ "value" : "\\u00e9\\n" , "key" : "\\t" }\n{"key":{"base64":"/wA="},"value":false}\n',
    value: 'json',
    entries: [
      ['apple', { b: [1, 2.5], a: null }],
      ['\t', 'é\n'],
      [Buffer.of(0xff, 0), false],
    ],
  },
  cdb: {
    ending: '.cdb',
    text: bytes('+5,3:apple->red\n+0,0:->\n+2,6:\n\0->a\n->\xff\n\n+3,4:+1,->->\n\n\n\n'),
    value: 'bytes',
    entries: [
      ['apple', bytes('red')],
      ['', bytes('')],
      ['\n\0', bytes('a\n->\xff\n')],
      ['+1,', bytes('->\n\n')],
    ],
  },
  lines: {
    ending: '.txt',
    text: 'apple\npear, "green"\n\n\ttab\t\nä\n',
    value: 'none',
    entries: ['apple', 'pear, "green"', '', '\ttab\t', 'ä'].map((key) => [key, true]),
  },
};

const FORMATS = Object.entries(SAMPLES) as [FormatName, Sample][];

describe('formats, each with its own value type', { concurrency: true }, () => {
  for (const [format, { ending, text, value, entries }] of FORMATS) {
    test(`${format} from a file, known by its ending`, async () => {
      const path = fresh();
      const ran = await fine(['build', textFile(ending, text), path]);
      assert.equal(ran.stdout, '', 'what is for people goes to stderr');
      assert.match(ran.stderr, new RegExp(`^\\S+: ${entries.length} entries, .+\n$`));
      assertSameFile(path, await libraryFile(folder, entries, { value }));
    });

    test(`${format} from stdin`, async () => {
      const path = fresh();
      await fine(['build', '--format', format, '-', path], { input: text });
      assertSameFile(path, await libraryFile(folder, entries, { value }));
    });
  }

  test('each ending that tells a format, in either case', () => {
    const endings = {
      tsv: ['.tsv', '.tab', '.TSV'],
      csv: ['.csv', '.Csv'],
      jsonl: ['.jsonl', '.ndjson'],
      cdb: ['.cdb', '.cdbmake'],
      lines: ['.txt', '.lines'],
    };
    for (const [format, list] of Object.entries(endings)) {
      for (const ending of list) assert.equal(formatByEnding(`a.b/c.d${ending}`), format);
    }
    for (const name of ['-', '', 'tsv', '.tsv', 'a.json', 'a.hmap', 'a.tsv.gz', 'a.csv/b']) {
      assert.equal(formatByEnding(name), undefined, name);
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
      await buildFrom(path, format, [Buffer.from(format === 'cdb' ? '\n' : '')], { value });
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
  const cases: [name: string, columns: Partial<Columns>, format: FormatName, text: string][] = [
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
      const columns = { ...NO_COLUMNS, key: '1' };
      await assert.rejects(
        buildFrom(path, format, [Buffer.from(text)], { value }),
        hmapError('HMAP_INPUT', { line, message: /found [23]; choose with --key-column and --value-column$/ }),
      );
      assert.equal(existsSync(path), false);
      const summary = await buildFrom(path, format, [Buffer.from(text)], { value }, columns);
      assert.equal(summary.entries, 2);
    }
  });
});

describe('line ends, marks and cuts', () => {
  const LETTERS: Entries = [
    ['a', '1'],
    ['ä', 'ö'],
  ];
  const lineOf: Record<Exclude<FormatName, 'cdb'>, (entry: Entries[number]) => string> = {
    tsv: ([key, value]) => `${key}\t${value}`,
    csv: ([key, value]) => `${key},${value}`,
    jsonl: ([key, value]) => JSON.stringify({ key, value }),
    lines: ([key]) => `${key}`,
  };
  for (const format of ['tsv', 'csv', 'jsonl', 'lines'] as const) {
    const value = format === 'lines' ? 'none' : 'utf8';
    const entries = format === 'lines' ? LETTERS.map(([key]) => [key, true] as const) : LETTERS;
    const [first, second] = LETTERS.map(lineOf[format]);
    const check = async (text: string | Uint8Array, expected: Entries = entries) => {
      const path = fresh();
      await buildFrom(path, format, [Buffer.from(text as string)], { value });
      assertSameFile(path, await libraryFile(folder, expected, { value }), JSON.stringify(text.toString()));
    };

    test(`${format}: LF, CRLF, and no end behind the last line`, async () => {
      for (const text of [`${first}\n${second}\n`, `${first}\n${second}`]) {
        await check(text);
        await check(text.replaceAll('\n', '\r\n'));
      }
      await check(`${first}`, entries.slice(0, 1));
    });

    test(`${format}: LF and CRLF in one file`, async () => {
      await check(`${first}\n${second}\r\n`);
      await check(`${first}\r\n${second}\n`);
    });

    test(`${format}: a byte order mark at the start is no part of the first key`, async () => {
      await check(`\ufeff${first}\n${second}\n`);
      await check(`\ufeff${first}\r\n${second}`);
    });

    test(`${format}: a byte order mark and nothing else is an empty input`, async () => {
      await check('\ufeff', []);
    });
  }

  test('csv: bytes that look like the mark of UTF-16 are kept', async () => {
    const path = fresh();
    await buildFrom(path, 'csv', [bytes('\xff\xfea,1\nb,\xff\xfe\n')], { value: 'bytes' });
    const entries: Entries = [
      [bytes('\xff\xfea'), bytes('1')],
      ['b', bytes('\xff\xfe')],
    ];
    assertSameFile(path, await libraryFile(folder, entries, { value: 'bytes' }));
  });

  test('csv: bytes that are no UTF-8 are kept, with a byte order mark too', async () => {
    for (const mark of ['', '\xef\xbb\xbf']) {
      const path = fresh();
      await buildFrom(path, 'csv', [bytes(`${mark}\xff\0,\xe4\n"\x80","\xc3"\n`)], { value: 'bytes' });
      const entries: Entries = [
        [bytes('\xff\0'), bytes('\xe4')],
        [bytes('\x80'), bytes('\xc3')],
      ];
      assertSameFile(path, await libraryFile(folder, entries, { value: 'bytes' }), JSON.stringify(mark));
    }
  });

  test('a CR that ends no line belongs to the field', async () => {
    const path = fresh();
    await buildFrom(path, 'tsv', [Buffer.from('a\r\tb\rc\r\r\n')], { value: 'utf8' });
    assertSameFile(path, await libraryFile(folder, [['a\r', 'b\rc\r']], { value: 'utf8' }));
  });

  test('a mark that is not at the start is a part of the key', async () => {
    const path = fresh();
    await buildFrom(path, 'lines', [Buffer.from('a\n\ufeffb\n')], { value: 'none' });
    const entries: Entries = [
      ['a', true],
      ['\ufeffb', true],
    ];
    assertSameFile(path, await libraryFile(folder, entries, { value: 'none' }));
  });

  test('empty lines: a key for lines, passed over for jsonl, refused for tsv and csv', async () => {
    const path = fresh();
    await buildFrom(path, 'lines', [Buffer.from('a\n\n')], { value: 'none' });
    assert.equal(open(path).size, 2);
    await buildFrom(path, 'jsonl', [Buffer.from('\n{"key":"a","value":1}\n  \r\n\n')], { value: 'json' });
    assert.equal(open(path).size, 1);
    for (const [format, text] of [
      ['tsv', 'a\tb\n\n'],
      ['csv', 'a,b\n\n'],
    ] as const) {
      await assert.rejects(
        buildFrom(path, format, [Buffer.from(text)], { value: 'utf8' }),
        hmapError('HMAP_INPUT', { line: 2, message: /expected 2 columns.*, found 1$/ }),
      );
    }
  });

  for (const [format, { text, value, entries }] of FORMATS) {
    const plain = Buffer.from(text as string);
    const variants = format === 'cdb' ? [plain] : [plain, Buffer.from(`\ufeff${text}`.replaceAll('\n', '\r\n'))];
    test(`${format}: cut into pieces anywhere`, async () => {
      // In CSV the line ends within quotes are data.
      const kept = (list: Entries, crlf: boolean): Entries =>
        crlf && format === 'csv' ? list.map(([key, item]) => [`${key}`.replaceAll('\n', '\r\n'), item]) : list;
      for (const [i, whole] of variants.entries()) {
        const expected = await libraryFile(folder, kept(entries, i === 1), { value });
        const path = fresh();
        const check = async (pieces: Iterable<Uint8Array>, how: string) => {
          await buildFrom(path, format, pieces, { value });
          assertSameFile(path, expected, `${i === 0 ? 'LF' : 'BOM and CRLF'}, ${how}`);
        };
        await check([whole], 'whole');
        await check(piecesOf(whole, 1), 'single bytes');
        await check(piecesOf(whole, 7), 'pieces of 7');
        await check(
          [Buffer.alloc(0), ...[...piecesOf(whole, 3)].flatMap((piece) => [piece, Buffer.alloc(0)])],
          'empty',
        );
        const read = await readFrom(format, [whole], value);
        assert.equal(read.length, entries.length);
        for (let at = 1; at < whole.length; at++) {
          const pieces = [whole.subarray(0, at), whole.subarray(at)];
          assert.deepEqual(await readFrom(format, pieces, value), read, `cut at ${at}`);
        }
      }
    });
  }

  test('very long keys and values', async () => {
    const random = new Random(1);
    const key = random.text(65_535);
    const value = random.text(3 * MIB, 'abcdefgh" ');
    const expected = await libraryFile(folder, [[key, value] as const, ['short', 'x']], { value: 'utf8' });
    const texts: [FormatName, string][] = [
      ['tsv', `${key}\t${value}\nshort\tx\n`],
      ['csv', `${key},"${value.replaceAll('"', '""')}"\nshort,x\n`],
      ['jsonl', `${JSON.stringify({ key, value })}\n{"key":"short","value":"x"}\n`],
      ['cdb', `+${key.length},${value.length}:${key}->${value}\n+5,1:short->x\n\n`],
    ];
    for (const [format, text] of texts) {
      const path = fresh();
      await buildFrom(path, format, piecesOf(Buffer.from(text), 65_537), { value: 'utf8' });
      assertSameFile(path, expected, format);
    }
    // From a file, whose pieces are longer than the lines that are cut, and shorter than this one.
    const path = fresh();
    await fine(['build', textFile('.tsv', texts[0]![1]), path]);
    assertSameFile(path, expected);
  });

  test('a key of one byte too many is refused with its line', async () => {
    const key = 'k'.repeat(65_536);
    const texts: [FormatName, string][] = [
      ['tsv', `a\tb\n${key}\tx\n`],
      ['csv', `a,b\n${key},x\n`],
      ['jsonl', `{"key":"a","value":"b"}\n{"key":"${key}","value":"x"}\n`],
      ['cdb', `+1,1:a->b\n+65536,1:${key}->x\n\n`],
    ];
    for (const [format, text] of texts) {
      await assert.rejects(
        buildFrom(fresh(), format, [Buffer.from(text)], { value: 'utf8' }),
        hmapError(format === 'cdb' ? 'HMAP_INPUT' : 'HMAP_KEY_TOO_LONG', { line: 2, message: /line 2: .*65535/ }),
      );
    }
  });
});

describe('options', { concurrency: true }, () => {
  test('--duplicates: refused by default, naming the key; or the first, or the last', async () => {
    const input = 'a\t1\nb\t2\na\t3\na\t4\n';
    const run = (path: string, ...options: string[]) =>
      hmap(['build', '-f', 'tsv', '-v', 'u8', ...options, '-', path, '--json'], { input });
    const refused = fresh();
    for (const options of [[], ['--duplicates', 'error']]) {
      assertRefused(await run(refused, ...options), /^hmap: .*"a"/);
      assert.equal(existsSync(refused), false);
    }
    for (const [policy, kept] of [
      ['first', 1],
      ['last', 4],
    ] as const) {
      const path = fresh();
      const ran = await run(path, '-d', policy);
      const summary: BuildSummary = JSON.parse(ran.stdout);
      assert.deepEqual([summary.entries, summary.duplicates], [2, 2]);
      const entries = [['a', kept] as const, ['b', 2] as const];
      assertSameFile(path, await libraryFile(folder, entries, { value: 'u8' }), policy);
    }
  });

  test('--memory 1M: what is too much is spilled, and the file is the same', async () => {
    const random = new Random(2);
    const lines = Array.from({ length: 60_000 }, (_, i) => `key number ${i}\t${random.text(random.below(12))}\n`);
    const [tight, wide] = [fresh(), fresh()];
    const input = textFile('.tsv', lines.join(''));
    const shuffled = textFile('.tsv', random.shuffled(lines).join(''));
    const spilled: BuildSummary = JSON.parse((await fine(['build', '--memory', '1M', '--json', input, tight])).stdout);
    const whole: BuildSummary = JSON.parse((await fine(['build', '-m', '0.25GiB', '--json', shuffled, wide])).stdout);
    assert.ok(spilled.spilledBytes > MIB, `${spilled.spilledBytes} bytes were spilled`);
    assert.equal(whole.spilledBytes, 0);
    assertSameFile(tight, readFileSync(wide));
    assert.equal(open(tight).size, 60_000);
  });

  test('--seed, in decimal and in hexadecimal', async () => {
    const entries = [['a', '1'] as const, ['b', '2'] as const];
    const cases: [string, number][] = [
      ['4294967295', 0xffff_ffff],
      ['0xCAFEf00d', 0xcafe_f00d],
    ];
    for (const [text, seed] of cases) {
      const path = fresh();
      await fine(['build', '-f', 'tsv', '--seed', text, '-', path], { input: 'a\t1\nb\t2\n' });
      assertSameFile(path, await libraryFile(folder, entries, { value: 'utf8', seed }), text);
    }
  });

  test('--meta is in the header', async () => {
    const path = fresh();
    const metadata = { name: 'x=y', empty: '', 'ä b': '€', ['__proto__']: '1' };
    const options = Object.entries(metadata).flatMap(([name, text]) => ['--meta', `${name}=${text}`]);
    await fine(['build', '-f', 'lines', '--meta', 'name=before', ...options, '-', path], { input: 'a\n' });
    assert.deepEqual(open(path).header.metadata, metadata);
    const { metadata: printed } = JSON.parse((await fine(['dump', '--header', path])).stdout);
    assert.deepEqual(printed, metadata);
    assertSameFile(path, await libraryFile(folder, [['a', true]], { value: 'none', metadata }));
  });

  test('an output that is there is refused, and replaced with --force', async (t) => {
    const place = temporaryFolder(t);
    const path = join(place, 'table.hmap');
    await fine(['build', '-f', 'lines', '-', path], { input: 'old\n' });
    const before = contentOf(place);
    assertRefused(await hmap(['build', '-f', 'lines', '-', path], { input: 'new\n' }), /table\.hmap exists/);
    assert.deepEqual(contentOf(place), before);
    assertRefused(await hmap(['build', '-f', 'tsv', '--force', '-', path], { input: 'new\n' }), /line 1/);
    assert.deepEqual(contentOf(place), before, 'the old file outlives a build that fails');
    await fine(['build', '-f', 'lines', '--force', '-', path], { input: 'new\n' });
    assertSameFile(path, await libraryFile(folder, [['new', true]], { value: 'none' }));
    assert.deepEqual(readdirSync(place), ['table.hmap']);
  });

  test('--json prints the summary, and nothing for people', async () => {
    const path = fresh();
    const ran = await fine(['build', '-f', 'tsv', '--json', '-', path], { input: 'a\tbc\nd\tefg\n' });
    assert.equal(ran.stderr, '');
    assert.match(ran.stdout, /^[^\n]+\n$/, 'one line');
    const { seconds, ...summary }: BuildSummary = JSON.parse(ran.stdout);
    assert.ok(seconds > 0 && seconds < 20);
    assert.deepEqual(summary, {
      path,
      layout: 'hash',
      entries: 2,
      duplicates: 0,
      valueType: 'utf8',
      fileBytes: readFileSync(path).length,
      payloadBytes: 7,
      seed: 0,
      sections: { header: 4096, buckets: 8, heap: 9, dictionary: 0, checksums: 8, padding: 2 * 4096 - 8 - 9 },
      segments: 1,
      bucketLoads: { buckets: 1, mean: 2, longest: 2, histogram: [0, 0, 1, ...new Array(14).fill(0)] },
      spilledBytes: 0,
    });
  });

  test('what is dropped is told', async () => {
    const ran = await fine(['build', '-f', 'lines', '-d', 'last', '-', fresh()], { input: 'a\na\na\n' });
    assert.match(ran.stderr, /: 1 .+ \(2 .+ dropped\)/);
  });
});

describe('a build that is stopped', { concurrency: true }, () => {
  /** Waits until the build has made its temporary file. */
  async function begun(place: string, except: number): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (readdirSync(place).length <= except) {
      assert.ok(performance.now() < deadline, 'the build has not begun');
      await sleep(10);
    }
  }

  const cases: [signal: 'SIGINT' | 'SIGTERM', code: number, format: FormatName, line: string, how: 'idle' | 'busy'][] =
    [
      ['SIGINT', 130, 'tsv', 'a\t1\n', 'idle'],
      ['SIGTERM', 143, 'csv', 'a,1\n', 'idle'],
      ['SIGTERM', 143, 'cdb', '+1,1:a->1\n', 'idle'],
      ['SIGINT', 130, 'jsonl', '{"key":"a","value":1}\n', 'idle'],
      ['SIGTERM', 143, 'tsv', 'a\t1\n', 'busy'],
      ['SIGINT', 130, 'csv', 'a,1\n', 'busy'],
    ];
  for (const [signal, code, format, line, how] of cases) {
    test(`${signal} while it reads ${format} from a stdin that stays open, ${how}`, async (t) => {
      const place = temporaryFolder(t);
      const path = join(place, 'table.hmap');
      const old = how === 'busy' ? 1 : 0;
      if (old > 0) writeFileSync(path, 'the old file');
      const before = contentOf(place);
      const { child, ended } = start(['build', '-f', format, '--force', '--memory', '1M', '-', path]);
      let over = false;
      void ended.then(() => {
        over = true;
      });
      const lines = Buffer.from(line.repeat(how === 'idle' ? 1 : 10_000));
      child.stdin!.write(lines);
      await begun(place, old);
      const feeding = (async () => {
        while (how === 'busy' && !over) {
          child.stdin!.write(lines);
          await sleep(5);
        }
      })();
      await sleep(50);
      child.kill(signal);
      // Long enough for a machine under load, and far from the time after which a process is given up.
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      const ran = await ended;
      clearTimeout(late);
      await feeding;
      assert.notEqual(ran.signal, 'SIGKILL', 'the build goes on after the signal');
      assert.deepEqual([ran.code, ran.signal], [code, null], ran.stderr);
      assert.match(ran.stderr, /^hmap: [^\n]+\n$/);
      assert.equal(ran.stdout, '');
      assert.deepEqual(contentOf(place), before, 'nothing is left behind, nothing is lost');
    });
  }

  test('a malformed line ends it though more input may come', async (t) => {
    const place = temporaryFolder(t);
    for (const [format, text] of [
      ['tsv', 'no tab\n'],
      ['csv', 'one\ncolumn\n'],
      ['csv', 'a,"b"c\nmore,rows\n'],
      ['jsonl', 'no JSON\n'],
      ['cdb', 'no record\n'],
    ] as const) {
      const { child, ended } = start(['build', '-f', format, '-', join(place, 'table.hmap')]);
      child.stdin!.write(text);
      assertRefused(await ended, /^hmap: stdin: line 1: /);
      assert.deepEqual(readdirSync(place), []);
    }
  });
});

test('a build that fails after spilling leaves nothing', async (t) => {
  const place = temporaryFolder(t);
  const good = Array.from({ length: 30_000 }, (_, i) => `a rather long key of the entry ${i}\t${i}\n`).join('');
  const error = await failure(place, () =>
    buildFrom(join(place, 'x.hmap'), 'tsv', piecesOf(Buffer.from(`${good}bad\n`), MIB), { value: 'u32' }),
  );
  hmapError('HMAP_INPUT', { line: 30_001 })(error);
  const ran = await hmap(['build', '-f', 'tsv', '-v', 'u32', '-m', '1M', '-', join(place, 'x.hmap')], {
    input: `${good}bad\n`,
  });
  assertRefused(ran, /^hmap: stdin: line 30001: /);
  assert.deepEqual(readdirSync(place), []);
});
