// Tests the program `hmap plan`: what it prints, and that the command it recommends makes the file that it predicts.

import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { temporaryFolder } from '../support/temp.js';
import { fine } from '../support/tools.js';

interface Printed {
  entries: number;
  representations: { name: string; options: string[]; parts: Record<string, number>; total: number }[];
  rivals: { name: string; bytes: number; formula: string; source: string }[];
  recommended: { name: string; args: string[]; command: string };
}

describe('the recommended command makes the file that was predicted', { concurrency: true }, () => {
  const CASES: [title: string, file: string, text: string, options: string[], name: string, command: string][] = [
    ['numbers', 'in.tsv', 'a\t1\nb\t300\n', [], 'map, u16', 'hmap build --value u16 in.tsv in.hmap'],
    ['text', 'in.tsv', 'a\tx\nb\tyz\n', [], 'map, utf8', 'hmap build --value utf8 in.tsv in.hmap'],
    ['a set', 'in.txt', 'a\nb\n', [], 'set', 'hmap build --value none in.txt in.hmap'],
    [
      'values that are all empty',
      'in.csv',
      'a,\nb,\n',
      [],
      'set',
      'hmap build --value none --key-column 1 in.csv in.hmap',
    ],
    ['keys alone', 'in.tsv', 'a\nb\n', ['--set'], 'set', 'hmap build --value none in.tsv in.hmap'],
    [
      'columns by name',
      'in.csv',
      'id,the name,n\n1,x,7\n2,y,-8\n',
      ['--key-column', 'the name', '--value-column', 'n'],
      'map, i8',
      "hmap build --value i8 --key-column 'the name' --value-column n in.csv in.hmap",
    ],
    [
      'a header row and a format',
      "it's",
      'k\tv\na\t0.5\nb\t-12.25\n',
      ['--header-row', '-f', 'tsv'],
      'map, f32',
      "hmap build --format tsv --value f32 --header-row 'it'\\''s' 'it'\\''s.hmap'",
    ],
    ['json', 'in.jsonl', '{"key":"a","value":[1]}\n', [], 'map, json', 'hmap build --value json in.jsonl in.hmap'],
    ['nothing', 'in.cdb', '\n', [], 'map, utf8', 'hmap build --value utf8 in.cdb in.hmap'],
  ];
  for (const [title, file, text, options, name, command] of CASES) {
    test(title, async (t) => {
      const cwd = temporaryFolder(t);
      writeFileSync(join(cwd, file), text);
      const printed = JSON.parse((await fine(['plan', '--json', ...options, file], { cwd })).stdout) as Printed;
      assert.deepEqual([printed.recommended.name, printed.recommended.command], [name, command]);
      const { args } = printed.recommended;
      await fine(args.slice(1), { cwd });
      const smallest = printed.representations[0]!;
      assert.equal(statSync(join(cwd, args.at(-1)!)).size, smallest.total);
      assert.equal(
        Object.values(smallest.parts).reduce((sum, bytes) => sum + bytes, 0),
        smallest.total,
      );
    });
  }
});

test('stdin', async () => {
  const { stdout } = await fine(['plan', '--json', '-f', 'lines', '-'], { input: 'a\nb\na\n' });
  const printed = JSON.parse(stdout) as Printed;
  assert.equal(printed.recommended.command, 'hmap build --format lines --value none - table.hmap');
  // A key that comes twice counts twice.
  assert.equal(printed.entries, 3);
});

test('the page: a row for each representation and rival, the smallest first, the command last', async (t) => {
  const cwd = temporaryFolder(t);
  writeFileSync(join(cwd, 'in.tsv'), 'a\t1\nbc\t300\n');
  const { stdout } = await fine(['plan', 'in.tsv'], { cwd });
  const lines = stdout.split('\n');
  assert.equal(lines[0], 'in.tsv: 2 entries, keys of 1 to 2 bytes');
  assert.match(lines[1]!, /same key/);
  assert.match(
    lines[3]!,
    /^bytes, predicted +header +buckets +lengths +keys +values +checksums +padding +total +an entry$/,
  );
  assert.match(lines[4]!, /^map, u16 +4,096 +40 +2 +3 +4 +8 +7 +4,160 +2080\.00$/);
  for (const name of ['JS Map', 'JS object', 'SQLite', 'Redis'])
    assert.match(stdout, new RegExp(`^${name} +[\\d,]+ `, 'm'));
  assert.deepEqual(lines.slice(-3), [
    'The smallest is map, u16, 4.1 KiB:',
    '  hmap build --value u16 in.tsv in.hmap',
    '',
  ]);
  assert.doesNotMatch(stdout, /V8:/);
  const explained = (await fine(['plan', '--explain', 'in.tsv'], { cwd })).stdout;
  for (const source of ['V8: ', 'sqlite.org/fileformat2', 'Redis 7']) assert.ok(explained.includes(source), source);
});
