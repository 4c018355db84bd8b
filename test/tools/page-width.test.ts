// Pages of hmap stat and hmap plan: as wide as COLUMNS says, from 60 columns on.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, test } from 'node:test';
import { temporaryFolder } from '../support/temp.js';
import { fine, HMAP } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
const input = join(folder, 'a-name-that-takes-some-room-in-a-line.tsv');
const table = join(folder, 'table.hmap');
const structs = join(folder, 'structs.hmap');

before(async () => {
  const rows = Array.from({ length: 5000 }, (_, i) => `word ${i}\t${i % 7} ${'x'.repeat(i % 50)}\n`);
  writeFileSync(input, rows.join(''));
  const about = 'a text of many words that goes on for longer than any line';
  await fine([
    'build',
    '--value',
    'enum',
    '--meta',
    `about=${about}`,
    '--meta',
    'gap=two  spaces',
    '--fingerprint',
    '16',
    input,
    table,
  ]);
  const value = 'struct(a:bool,level:u7,score:i20,price:f32)';
  await fine(['build', '--format', 'jsonl', '--value', value, '-', structs], {
    input: '{"key":"k","value":{"a":true,"level":1,"score":2,"price":3}}\n',
  });
});

const page = (columns: string, ...args: string[]) =>
  execFileSync(process.execPath, [HMAP, ...args], { env: { ...process.env, COLUMNS: columns }, encoding: 'utf8' });

for (const columns of [60, 75, 90, 120]) {
  test(`${columns} columns`, () => {
    const pages = [page(`${columns}`, 'stat', table), page(`${columns}`, 'stat', structs)];
    pages.push(page(`${columns}`, 'plan', '--explain', input));
    for (const text of pages) {
      // The path, and the command to copy, stay in one line.
      const lines = text.split('\n').filter((line) => !line.startsWith('/') && !line.startsWith('  hmap build'));
      for (const line of lines) assert.ok(line.length <= columns, `${line.length} of ${columns}: ${line}`);
      assert.ok(lines.length > 10);
    }
  });
}

test('what a narrow page goes without, it names', () => {
  const parts = /header .*buckets .*lengths .*keys .*values .*checksums .*padding .*total .*an entry$/m;
  assert.match(page('', 'plan', input), parts);
  const narrow = page('60', 'plan', input);
  assert.doesNotMatch(narrow, parts);
  assert.match(narrow, /^\(too narrow for: padding, header/m);
  assert.match(narrow, /^bytes, predicted .* total +an entry$/m);
});

test('values stand in one column, and keep their spaces', () => {
  const lines = page('', 'stat', table).split('\n');
  const facts = lines.slice(2, lines.indexOf('', 2));
  const columns = facts.map((line) => line.match(/^.+? {2,}(?=\S)/)?.[0].length);
  assert.ok(facts.length > 6);
  assert.equal(new Set(columns).size, 1, facts.join('\n'));
  assert.match(facts.join('\n'), /"gap":"two {2}spaces"/);
  assert.equal(page('-5', 'stat', table), page('', 'stat', table));
});

test('in a pipe without COLUMNS, facts stay in one line', () => {
  assert.match(page('', 'stat', table), /^metadata +\{"about":"a text .* any line",.*\}$/m);
  assert.match(page('60', 'stat', table), /^metadata +\{"about":"a text [^}]*\n +\S/m);
});
