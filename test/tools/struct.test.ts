// Packed values through the program: columns and JSON objects in, the same out. Runs the program, and its formats in
// this process.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { build, open } from '../../src/index.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, assertSameFile, fine, hmap } from '../support/tools.js';

const folder = temporaryFolder({ after });
let files = 0;
const fresh = (ending = '.hmap') => join(folder, `${files++}${ending}`);

const TEXT = 'struct(active:bool,level:u7,score:i20,price:f64)';
const VALUES = {
  ann: { active: true, level: 5, score: -2, price: 1.5 },
  'b,"c"': { active: false, level: 127, score: 524_287, price: Number.NaN },
  dan: { active: true, level: 0, score: -524_288, price: -Infinity },
};

async function expected(): Promise<Buffer> {
  const path = fresh();
  await build(path, Object.entries(VALUES), { value: TEXT });
  return readFileSync(path);
}

function input(ending: string, text: string): string {
  const path = fresh(ending);
  writeFileSync(path, text);
  return path;
}

const JSONL = [
  '{"key":"ann","value":{"active":true,"level":5,"score":-2,"price":1.5}}',
  '{"key":"b,\\"c\\"","value":{"price":"NaN","score":"524287","level":"127","active":0}}',
  '{"key":"dan","value":{"active":1,"level":0,"score":-524288,"price":"-Infinity"}}',
].join('\n');
const TSV = 'ann\ttrue\t5\t-2\t1.5\nb,"c"\t0\t127\t524287\tNaN\ndan\t1\t0\t-524288\t-Infinity\n';
const CSV = 'ann,1,5,-2,1.5\n"b,""c""",false,127,524287,NaN\ndan,true,0,-524288,-Infinity\n';

describe('build', { concurrency: true }, () => {
  const named = (rows: string, names: string) => `${names}\n${rows}`;
  const CASES: [what: string, ending: string, text: string, args: string[]][] = [
    ['jsonl', '.jsonl', JSONL, []],
    ['tsv: columns after the key', '.tsv', TSV, []],
    ['csv: columns after the key', '.csv', CSV, []],
    ['tsv: a header row', '.tsv', named(TSV, 'id\tactive\tlevel\tscore\tprice'), ['--header-row']],
    ['csv: a header row', '.csv', named(CSV, 'id,active,level,score,price'), ['--header-row']],
    [
      'csv: columns by name, in any order, others among them',
      '.csv',
      'price,more,level,key,score,active\n1.5,x,5,ann,-2,1\nNaN,,127,"b,""c""",524287,0\n-Infinity,,0,dan,-524288,1\n',
      ['--key-column', 'key'],
    ],
    [
      'tsv: columns by name, the key last',
      '.tsv',
      'price\tlevel\tscore\tactive\tkey\n1.5\t5\t-2\t1\tann\nNaN\t127\t524287\t0\tb,"c"\n-Infinity\t0\t-524288\t1\tdan\n',
      ['--key-column', 'key'],
    ],
    ['tsv: the key in a later column', '.tsv', TSV.replaceAll(/^/gm, 'x\t').replace(/x\t$/, ''), ['--key-column', '2']],
    [
      'tsv: one column of JSON',
      '.tsv',
      Object.entries(VALUES)
        .map(
          ([key, value]) =>
            `${key}\t${JSON.stringify(value, (_, v) => (Number.isFinite(v) || typeof v !== 'number' ? v : String(v)))}\n`,
        )
        .join(''),
      ['--value-column', '2'],
    ],
  ];
  for (const [what, ending, text, args] of CASES) {
    test(what, async () => {
      const path = fresh();
      await fine(['build', '--value', TEXT.replaceAll(',', ', '), ...args, input(ending, text), path]);
      assertSameFile(path, await expected());
    });
  }

  const REFUSED: [what: string, args: string[], ending: string, text: string, message: RegExp][] = [
    ['a field too few', [], '.tsv', 'a\t1\t2\t3\n', /line 1: expected 5 columns.* found 4/],
    ['a column too many', [], '.tsv', 'a\t1\t2\t3\t4\t5\n', /line 1: expected 5 columns.* found 6/],
    ['a column too many in csv', [], '.csv', 'a,1,2,3,4,5\n', /line 1: expected 5 columns, found 6/],
    ['out of range', [], '.csv', 'ok,1,2,3,4\na,1,128,3,4\n', /line 2: .*key "a".*'level' to be u7.* got 128/],
    ['no integer', [], '.csv', 'a,1,x,3,4\n', /line 1: .*'level' to be u7, an integer, got "x"/],
    [
      'no bool',
      [],
      '.csv',
      'a,maybe,1,3,4\n',
      /line 1: .*'active' to be bool, true or false, yes or no, 1 or 0, got "maybe"/,
    ],
    ['no number', [], '.csv', 'a,1,1,3,\n', /line 1: .*'price' to be f64, a number/],
    ['too large', [], '.tsv', 'a\t1\t1\t3\t1e400\n', /line 1: .*'price' to be f64/],
    ['a field missing in JSON', [], '.jsonl', '{"key":"a","value":{"active":1}}', /line 1: .*'level'/],
    ['a field unknown in JSON', [], '.jsonl', JSONL.replace('"level"', '"more":1,"level"'), /line 1: .*'more'/],
    ['an infinite number in JSON', [], '.jsonl', JSONL.replace('1.5', '1e400'), /line 1: .*'price'/],
    ['2 for a bool', [], '.jsonl', JSONL.replace('true', '2'), /line 1: .*'active' to be bool/],
    ['no column of a name', ['--header-row'], '.csv', 'key,active,score,price\n', /no column for the field 'level'/],
    ['a key that is a field', ['--header-row'], '.csv', 'level,active,score,price\n', /--key-column: .*'level'/],
    ['lines', [], '.txt', 'a\n', /'lines' holds only keys/],
  ];
  for (const [what, args, ending, text, message] of REFUSED) {
    test(`refuses ${what}`, async () => {
      assertRefused(await hmap(['build', '--value', TEXT, ...args, input(ending, text), fresh()]), message);
    });
  }

  test('refuses an invalid schema', async () => {
    for (const text of ['struct()', 'struct(a:u54)', 'struct(a:u7', 'struct(a:u7,a:u8)']) {
      assertRefused(
        await hmap(['build', '--value', text, input('.tsv', ''), fresh()]),
        /--value.*value\.struct: expected/,
      );
    }
  });
});

describe('get, dump and stat', { concurrency: true }, () => {
  test('print JSON, the schema, and where the fields lie', async () => {
    const path = fresh();
    writeFileSync(path, await expected());
    const ann = '{"active":true,"level":5,"score":-2,"price":1.5}';
    const bob = '{"active":false,"level":127,"score":524287,"price":"NaN"}';
    assert.equal((await fine(['get', path, 'ann', 'b,"c"'])).stdout, `${ann}\n${bob}\n`);
    assert.equal((await fine(['get', '--json', path, 'ann'])).stdout, `{"key":"ann","found":true,"value":${ann}}\n`);
    assert.equal(JSON.parse((await fine(['dump', '--header', path])).stdout).valueType, TEXT);
    assert.equal(JSON.parse((await fine(['stat', '--json', path])).stdout).header.valueType, TEXT);
    const { stdout } = await fine(['stat', path]);
    assert.match(stdout, /^values +struct of 4 fields in 92 bits, 12 bytes each$/m);
    assert.match(stdout, /^score +i20 +20 +\[8, 28\)$/m);
    const dumped = await fine(['dump', '--format', 'csv', path]);
    assert.match(dumped.stdout, /^ann,true,5,-2,1\.5$/m);
    assertRefused(await hmap(['dump', '--format', 'lines', path]), /'lines' holds only keys/);
  });

  for (const format of ['jsonl', 'csv', 'tsv', 'cdb']) {
    test(`dump --format ${format}, then build, gives the identical file`, async () => {
      const path = fresh();
      const names = { value: { struct: { größe: 'u53', 'x-1': 'i53', $: 'bool', f: 'f32' } } } as const;
      const entries = Array.from({ length: 50 }, (_, i) => {
        const value = { größe: 2 ** 53 - 1 - i, 'x-1': i - 2 ** 52, $: i % 3 === 0, f: i === 7 ? -0 : i / 3 };
        return [`key ${i}`, value] as [string, typeof value];
      });
      await build(path, entries, names);
      const again = fresh();
      const { valueType } = open(path).header;
      const dumped = await fine(['dump', '--format', format, path]);
      await fine(['build', '--format', format, '--value', valueType, '-', again], { input: dumped.bytes });
      assertSameFile(again, readFileSync(path));
    });
  }
});
