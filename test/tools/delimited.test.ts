// Delimited text as people have it: other delimiters, comments, quotes, several columns, missing values; and how a format
// is found where nobody has named it.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { build, open, type ValueType } from '../../src/index.js';
import { guessDelimiter } from '../../tools/formats/delimiters.js';
import type { FormatName } from '../../tools/formats/format.js';
import { formatByLook } from '../../tools/formats/look.js';
import type { ReadOptions } from '../../tools/formats/read-options.js';
import { hmapError, misuse } from '../support/errors.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, dumpOf, fine, hmap, NO_COLUMNS, piecesOf, readFrom } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
let count = 0;
const fresh = (ending = '.hmap') => join(folder, `${count++}${ending}`);

function textFile(ending: string, text: string | Uint8Array): string {
  const path = fresh(ending);
  writeFileSync(path, text);
  return path;
}

/** Keys and values as a reader gives them, as text; the same however the text is cut. */
async function read(
  format: FormatName,
  text: string,
  options: Partial<ReadOptions> = {},
  type: ValueType | `struct(${string})` = 'utf8',
): Promise<string[][]> {
  const of = async (size: number) => {
    const pieces = piecesOf(Buffer.from(text), size);
    const entries = await readFrom(format, pieces, type as ValueType, 'bytes', { ...NO_COLUMNS, ...options });
    return entries.map(([key, value]) => [key.toString(), value.toString()]);
  };
  const whole = await of(Math.max(1, text.length * 4));
  assert.deepEqual(await of(3), whole);
  return whole;
}

const AB = [
  ['a', '1'],
  ['b', '2'],
];

describe('delimiters', () => {
  test('one byte, several, any run of spaces; in lines and in quoted text', async () => {
    for (const format of ['tsv', 'csv'] as const) {
      for (const delimiter of [';', '|', ' ', ':', '::', '§', '\t', ',']) {
        assert.deepEqual(
          await read(format, `a${delimiter}1\nb${delimiter}2\n`, { delimiter }),
          AB,
          `${format} ${delimiter}`,
        );
      }
    }
    assert.deepEqual(await read('tsv', '  a \t 1  \nb 2', { delimiter: '\\s+' }), AB);
    assert.deepEqual(await read('csv', 'a \t1\nb   2', { delimiter: '\\s+', quote: '' }), AB);
    await assert.rejects(read('csv', 'a 1', { delimiter: '\\s+' }), misuse(/^--delimiter: .*--quote none/));
  });

  test('found by the first lines of a csv, and told', async () => {
    for (const [text, delimiter] of [
      ['a,1\nb,2\n', ','],
      ['a;1\nb;2\n', ';'],
      ['a\t1\nb\t2\n', '\t'],
      ['a|1\nb|2\n', '|'],
      ['"a";"1"\r\n"b";"2"\r\n', ';'],
      ['sep=;\na;1\nb;2\n', ';'],
      ['sep=|\r\na|1\r\nb|2', '|'],
    ] as const) {
      assert.deepEqual(await read('csv', text), AB, text);
      const { stderr } = await fine(['build', textFile('.csv', text), fresh()]);
      const shown = delimiter === '\t' ? 'tabs' : `'${delimiter}'`;
      assert.ok(stderr.startsWith(delimiter === ',' ? 'read as csv: ' : `read as csv split at ${shown}: `), stderr);
    }
  });

  test('what guesses go by', () => {
    const guess = (text: string) => guessDelimiter(text, true, '#');
    assert.equal(guess('x;1,5\ny;2,5\n'), ';', 'commas within numbers are those of decimals');
    assert.equal(guess('a,b;c\nd,e;f\n'), ',');
    assert.equal(guess('"a;b",c\n"d",e\n'), ',', 'what is in quotes does not count');
    assert.equal(guess('# a;b\nc,d\n'), ',', 'nor comments');
    assert.equal(guess('a,b;c;d\ne;f;g\n'), ';', 'nor what is not in each line');
    assert.equal(guess('a;b\nc;d;e\n'), ';', 'counts may differ');
    assert.equal(guess('one\ncolumn\n'), undefined);
    assert.equal(guess(''), undefined);
    assert.equal(guessDelimiter('a;b\nc', false, undefined), ';', 'the last line may be cut');
  });

  test('a set in a csv has no delimiter to guess', async () => {
    assert.deepEqual(await read('csv', 'a;b\nc;d\n', {}, 'none'), [
      ['a;b', ''],
      ['c;d', ''],
    ]);
    assert.deepEqual(await read('csv', 'a;b\nc;d\n', { key: '1' }, 'none'), [
      ['a', ''],
      ['c', ''],
    ]);
  });

  test('a delimiter makes columns of a text with another ending', async () => {
    const path = fresh();
    await fine(['build', '--delimiter', ':', '-v', 'u32', '-k', 'hex', textFile('.txt', '00FF:7\nab12:9\n'), path]);
    assert.deepEqual(new Map(open(path)), new Map(Object.entries({ '00ff': 7, ab12: 9 })));
  });
});

describe('text beside columns', () => {
  test('only spaces and tabs are trimmed, not bytes of letters', async () => {
    for (const [format, delimiter] of [
      ['tsv', '\t'],
      ['csv', ','],
    ] as const) {
      const text = ` voil\u00e0 ${delimiter} \u0120 \n`;
      assert.deepEqual(await read(format, text, { trim: true }), [['voil\u00e0', '\u0120']]);
    }
    assert.deepEqual(await read('tsv', '\u0120 voil\u00e0\n', { delimiter: '\\s+' }), [['\u0120', 'voil\u00e0']]);
    assert.deepEqual(await read('csv', 'a, x\u00a0\n', { trim: true }), [['a', 'x\u00a0']]);
  });

  test('a line sep= is none of the rows, also where the delimiter is known', async () => {
    assert.deepEqual(await read('csv', 'sep=;\na;1\nb;2\n', { delimiter: ';' }), AB);
    await assert.rejects(read('csv', 'sep=;\na;1\nb\n', { quote: '' }), hmapError('HMAP_INPUT', { line: 3 }));
    const path = fresh();
    await build(path, [['sep=a', true] as const], { value: 'none' });
    assert.equal((await dumpOf(path, 'csv')).toString(), '"sep=a"\n');
  });

  test('commas before spaces are those of text', () => {
    assert.equal(guessDelimiter('Smith, John;5\nDoe, Jane;6\n', true, undefined), ';');
  });

  test('a quote that is open where the head ends hides what follows', async () => {
    const value = 'x;y\n'.repeat(30_000);
    assert.deepEqual(
      await readFrom('csv', [Buffer.from(`k,"${value}"\n`)], 'utf8').then((all) => all.map(([key]) => `${key}`)),
      ['k'],
    );
  });

  test('lines of rows are those on which they begin', async () => {
    const options = { ...NO_COLUMNS, headerRow: true, key: 'k', position: 'line' as const };
    const entries = await readFrom('csv', [Buffer.from('k,v\n"a\nb",1\nc,2\n')], 'u8', 'bytes', options);
    assert.deepEqual(
      entries.map(([, value]) => value[0]),
      [2, 4],
    );
  });

  test('columns of one name are told apart by number alone', async () => {
    const text = 'k,k,v\na,b,1\n';
    await assert.rejects(read('csv', text, { key: 'k', value: 'v' }), misuse(/two columns are called 'k'/));
    await assert.rejects(read('csv', text, { key: '1', value: '*', headerRow: true }, 'json'), misuse(/two columns/));
    assert.deepEqual(await read('csv', text, { key: '2', value: 'v', headerRow: true }), [['b', '1']]);
  });

  test('the whole record of a first row that nobody has called names', async () => {
    assert.deepEqual(await read('tsv', 'a:1\nb:2\n', { delimiter: ':', key: '1', value: '*' }, 'json'), [
      ['a', '{"1":"a","2":"1"}'],
      ['b', '{"1":"b","2":"2"}'],
    ]);
  });

  test('empty members of an object, and rows that end early', async () => {
    const text = 'k,a,b\nx,1,\ny,2\n,3,4\n';
    const of = (missing: ReadOptions['missing']) =>
      read('csv', text, { key: 'k', values: ['a', 'b'], ...(missing !== undefined && { missing }) }, 'json');
    assert.deepEqual(await of('skip'), [
      ['x', '{"a":"1"}'],
      ['y', '{"a":"2"}'],
    ]);
    assert.deepEqual((await of({ text: '-' }))[1], ['y', '{"a":"2","b":"-"}']);
    await assert.rejects(of('error'), hmapError('HMAP_INPUT', { line: 2, message: /'b' is empty/ }));
  });
});

describe('options that a format would not see', () => {
  test('are refused', async () => {
    const text = textFile('.tsv', 'a\t1\n');
    for (const [args, message] of [
      [['--at', 'x', text], /^hmap: --at: is for json; the input is read as tsv/],
      [['--table', 'x', text], /^hmap: --table: is for sqlite/],
      [['--key-column', '1', textFile('.txt', 'a\n')], /^hmap: --key-column: is for/],
      [['--layout', 'list', '--value-from', 'line', textFile('.txt', 'a\n')], /^hmap: --value-from: does not apply/],
      [['--missing', 'skpi', text], /--missing/],
    ] as const) {
      assertRefused(await hmap(['build', ...args, fresh()]), message);
    }
  });

  test('what is left out is counted, and columns in lines are hinted at', async () => {
    const ran = await fine(['build', '--missing', 'skip', textFile('.tsv', 'a\t1\nb\t\n\tc\n'), fresh()]);
    assert.match(ran.stderr, /: 1 entry \(2 left out: a part is missing\), /);
    const lines = await fine(['build', textFile('.txt', 'a;1\nb;2\nc;3\nd;4\n'), fresh()]);
    assert.match(lines.stderr, /hmap: each line was taken for a key, .*--delimiter ';'/);
    assertRefused(
      await hmap(['build', textFile('.bz2', Buffer.from('425a6839314159265359ff00', 'hex')), fresh()]),
      /looks like bzip2/,
    );
  });
});

describe('lines that are no entries', () => {
  test('comments, and blank lines', async () => {
    for (const [format, delimiter] of [
      ['tsv', '\t'],
      ['csv', ','],
    ] as const) {
      const text = `# a comment, "with ${delimiter} all\n\na${delimiter}1\n\n#${delimiter}\nb${delimiter}2\n\n`;
      assert.deepEqual(await read(format, text, { comment: '#' }), AB, format);
    }
    assert.deepEqual(await read('tsv', '// x\na;1\n\nb;2\n', { comment: '//', delimiter: ';' }), AB);
    assert.deepEqual(await read('lines', '# x\n\na\n#b\nc', { comment: '#' }, 'none'), [
      ['a', ''],
      ['c', ''],
    ]);
    // Without that, a blank line is a key.
    assert.deepEqual(await read('lines', 'a\n\n', {}, 'none'), [
      ['a', ''],
      ['', ''],
    ]);
  });

  test('count in the numbers of lines', async () => {
    for (const format of ['tsv', 'csv'] as const) {
      const error = hmapError('HMAP_INPUT', { line: 4 });
      await assert.rejects(read(format, '# x\n\na;1\nb\n', { comment: '#', delimiter: ';' }), error);
    }
  });
});

describe('quotes', () => {
  test('other ones, none, and relaxed', async () => {
    assert.deepEqual(await read('csv', "'a,''x',1\nb,2\n", { quote: "'" }), [
      ["a,'x", '1'],
      ['b', '2'],
    ]);
    assert.deepEqual(await read('csv', 'a",1\n"b,2\n', { quote: '' }), [
      ['a"', '1'],
      ['"b', '2'],
    ]);
    assert.deepEqual(await read('csv', '5" pipe,1\n"b",2\n', { relaxQuotes: true }), [
      ['5" pipe', '1'],
      ['b', '2'],
    ]);
    const error = hmapError('HMAP_INPUT', { line: 1, message: /--relax-quotes/ });
    await assert.rejects(read('csv', '5" pipe,1\n'), error);
  });
});

describe('columns', () => {
  const TEXT = 'country,code,name,size\nDE,BE,Berlin,3.8\nFR,75,Paris,2.1\n';

  test('several make a key', async () => {
    for (const format of ['csv', 'tsv'] as const) {
      const text = format === 'csv' ? TEXT : TEXT.replaceAll(',', '\t');
      assert.deepEqual(await read(format, text, { keys: ['country', 'code'], join: '-', value: 'name' }), [
        ['DE-BE', 'Berlin'],
        ['FR-75', 'Paris'],
      ]);
      assert.deepEqual(await read(format, text, { keys: ['4', '1'], join: '', value: '3', headerRow: true }), [
        ['3.8DE', 'Berlin'],
        ['2.1FR', 'Paris'],
      ]);
    }
  });

  test('several make an object, or a struct', async () => {
    assert.deepEqual(await read('csv', TEXT, { key: 'code', values: ['name', 'size'] }, 'json'), [
      ['BE', '{"name":"Berlin","size":"3.8"}'],
      ['75', '{"name":"Paris","size":"2.1"}'],
    ]);
    assert.deepEqual((await read('csv', TEXT, { key: 'code', value: '*' }, 'json'))[1], [
      '75',
      '{"country":"FR","code":"75","name":"Paris","size":"2.1"}',
    ]);
    const own = await read('csv', 'id,__proto__,b\na,5,1\n', { key: 'id', values: ['__proto__', 'b'] }, 'json');
    assert.deepEqual(own, [['a', '{"__proto__":"5","b":"1"}']]);
    const path = fresh();
    const struct = 'struct(millions:f64,is_big:bool)';
    const rows = 'x,y,size\na,YES,3.5\nb,False,1.0\n';
    await fine(['build', '-v', struct, '--key-column', 'x', '--value-columns', 'size,y', textFile('.csv', rows), path]);
    assert.deepEqual(
      new Map(open(path)),
      new Map([
        ['a', { millions: 3.5, is_big: true }],
        ['b', { millions: 1, is_big: false }],
      ]),
    );
    await assert.rejects(
      read('csv', TEXT, { key: 'code', values: ['name', 'size'] }),
      misuse(/^--value-columns: .*json/),
    );
    await assert.rejects(
      read('csv', TEXT, { key: 'code', values: ['nmae', 'size'] }, 'json'),
      misuse(/'nmae'.*'name'/),
    );
  });

  test('a JSON value beside a chosen key is the row', async () => {
    assert.deepEqual((await read('csv', TEXT, { key: 'code' }, 'json'))[0], [
      'BE',
      '{"country":"DE","code":"BE","name":"Berlin","size":"3.8"}',
    ]);
    await assert.rejects(read('csv', TEXT, { key: 'code' }), misuse(/^--value-column: .*country, code, name, size/));
  });

  test('--value-columns without a type makes objects', async () => {
    const path = fresh();
    await fine(['build', '--key-column', 'code', '--value-columns', 'name,size', textFile('.csv', TEXT), path]);
    assert.deepEqual(open(path).get('75'), { name: 'Paris', size: '2.1' });
  });

  test('names that are numbers', async () => {
    assert.deepEqual(await read('csv', '2,1\nx,y\n', { key: '1', value: '2', headerRow: true }), [['y', 'x']]);
  });
});

describe('values', () => {
  test('that are missing', async () => {
    for (const format of ['csv', 'tsv'] as const) {
      const text = format === 'csv' ? 'a,1\nb,\nc\nd,4\n' : 'a\t1\nb\t\nc\nd\t4\n';
      const whole = text.replace('c\n', '');
      assert.deepEqual((await read(format, whole))[1], ['b', '']);
      assert.deepEqual(await read(format, text, { missing: 'skip' }), [
        ['a', '1'],
        ['d', '4'],
      ]);
      assert.deepEqual(await read(format, text, { missing: { text: 'é' } }), [
        ['a', '1'],
        ['b', 'é'],
        ['c', 'é'],
        ['d', '4'],
      ]);
      await assert.rejects(
        read(format, text, { missing: 'error' }),
        hmapError('HMAP_INPUT', { line: 2, message: /missing/ }),
      );
      const numbers = await readFrom(format, [Buffer.from(text)], 'u8', 'bytes', {
        ...NO_COLUMNS,
        missing: { text: '9' },
      });
      assert.deepEqual(
        numbers.map(([, value]) => value[0]),
        [1, 9, 9, 4],
      );
    }
  });

  test('integers that programs have written as reals', async () => {
    const values = await readFrom('tsv', [Buffer.from('a\t1.0\nb\t-2.\nc\t+3.000\n')], 'i16');
    assert.deepEqual(
      values.map(([, value]) => value.readInt16LE(0)),
      [1, -2, 3],
    );
    const big = await readFrom('tsv', [Buffer.from('a\t18446744073709551615.0\n')], 'u64');
    assert.equal(big[0]![1].readBigUInt64LE(0), 2n ** 64n - 1n);
    for (const bad of ['1.5', '.0', '1.0.', '1e3']) {
      await assert.rejects(read('tsv', `a\t${bad}\n`, {}, 'i16'), hmapError('HMAP_VALUE_INVALID'));
    }
  });

  test('by position', async () => {
    const path = fresh();
    for (const [position, values] of [
      ['line', [1, 3]],
      ['index', [0, 1]],
    ] as const) {
      const args = ['build', '--force', '--comment', '#', '--value-from', position];
      await fine([...args, textFile('.txt', 'a\n# x\nb\n'), path]);
      assert.deepEqual(
        new Map(open(path)),
        new Map([
          ['a', values[0]],
          ['b', values[1]],
        ]),
      );
      assert.equal(open(path).header.valueType, 'u8');
    }
    assertRefused(
      await hmap(['build', '--value-from', 'line', '--value-column', '1', textFile('.txt', 'a\n'), path]),
      /together/,
    );
  });

  test('collected', async () => {
    const path = fresh();
    await fine(['build', '-d', 'collect', textFile('.tsv', 'a\tx\nb\t"\na\t1\n'), path]);
    assert.deepEqual(
      new Map(open(path)),
      new Map([
        ['a', ['x', '1']],
        ['b', ['"']],
      ]),
    );
    await fine(['build', '--force', '-d', 'collect', '-v', 'json', textFile('.tsv', 'a\t1\na\t[2]\n'), path]);
    assert.deepEqual(open(path).get('a'), [1, [2]]);
    assertRefused(
      await hmap(['build', '-d', 'collect', '-v', 'u8', textFile('.tsv', 'a\t1\n'), fresh()]),
      /^hmap: --value: /,
    );
  });
});

describe('a format that nobody has named', () => {
  test('is found by the first bytes', () => {
    const CASES: [text: string | Buffer, format: string | undefined][] = [
      ['a\t1\nb\t2\n', 'tsv'],
      ['a,1\nb,2\n', 'csv'],
      ['a;1\nb;2\n', 'csv'],
      ['a\nb c\n', 'lines'],
      ['a,b\nc\n', 'lines'],
      ['\ufeffa\t1\n', 'tsv'],
      ['{"a": 1}', 'json'],
      ['\n {\n "a": 1\n}', 'json'],
      ['["a"]', 'json'],
      ['[section]\nx=1\n', 'lines'],
      ['{"a":1}\n{"a":2}\n', 'jsonl'],
      ['{"key":"a","value":1}\n', 'jsonl'],
      ['+1,1:a->b\n\n', 'cdb'],
      ['PAR1....', 'parquet'],
      ['SQLite format 3\0', 'sqlite'],
      ['', undefined],
      [Buffer.of(0xff, 0xfe, 0x61, 0), undefined],
      [Buffer.of(0x00, 0x01, 0x02), undefined],
    ];
    for (const [text, format] of CASES)
      assert.equal(formatByLook(Buffer.from(text as string), true), format, String(text));
    // The last line may be cut.
    assert.equal(formatByLook(Buffer.from('a\t1\nb'), false), 'tsv');
    assert.equal(formatByLook(Buffer.from('é'.repeat(9)).subarray(0, 5), false), 'lines');
  });

  test('in a file and in a stream, and told', async () => {
    for (const [text, told] of [
      ['a\t1\nb\t2\n', 'tsv: key = column 1, value = column 2'],
      ['a;1\nb;2\n', "csv split at ';': key = column 1, value = column 2"],
      ['["a"]', 'json, an array: each element is a key'],
      ['{"key":"a","value":1}\n', 'jsonl: key = `key`, value = `value`'],
      ['one\n', 'lines: each is a key'],
    ] as const) {
      for (const run of [
        fine(['build', textFile('', text), fresh()]),
        fine(['build', '-', fresh()], { input: text }),
      ]) {
        assert.equal((await run).stderr.split('\n')[0], `read as ${told}`);
      }
    }
  });

  test('a dry run shows what would be stored, and builds nothing', async () => {
    const input = textFile('.csv', `iso,name\n${Array.from({ length: 2000 }, (_, i) => `${i},x${i}\n`).join('')}`);
    const ran = await fine(['build', '--dry-run', '--header-row', '-v', 'utf8', input]);
    assert.equal(ran.stderr, '');
    const [first, columns, types, ...rest] = ran.stdout.trimEnd().split('\n');
    assert.equal(first, `${input}: read as csv with a header row: key = \`iso\`, value = \`name\``);
    assert.deepEqual([columns, types], ['columns: iso, name', 'keys: bytes; values: utf8']);
    assert.equal(rest[0], '  {"key":"0","value":"x0"}');
    assert.equal(rest.length, 6);
    assert.equal(rest[5], '5 of the first 1,000 entries; nothing was built');
    const json = await fine(['build', '--dry-run', '--json', '--header-row', input]);
    assert.deepEqual(JSON.parse(json.stdout).columns, ['iso', 'name']);
    const list = await fine(['build', '--dry-run', '--layout', 'list', '-v', 'u7', textFile('.txt', '1\n2\n')]);
    assert.match(list.stdout, /layout: list; values: u7\n {2}1\n {2}2\n2 of 2 entries/);
    assertRefused(await hmap(['build', '--dry-run', '--key-column', 'nmae', '--value-column', 'iso', input]), /'name'/);
    assertRefused(await hmap(['build', '--dry-run', '-v', 'u8', textFile('.tsv', 'a\tx\n')]), /line 1.*u8/);
  });
});
