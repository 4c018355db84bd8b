// A key that occurs twice: the program names both lines, and the option that decides.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { test } from 'node:test';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, hmap } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
let count = 0;

function input(name: string, text: string): string {
  const path = join(folder, `${count++}-${name}`);
  writeFileSync(path, text);
  return path;
}

const cases: [name: string, options: string[], text: string, told: RegExp][] = [
  ['in.txt', ['--format', 'lines'], 'word\na\nb\na\n', /the key "a" occurs more than once, in lines 2 and 4; remove/],
  ['in.tsv', [], 'x\t1\ny; z\t2\ny; z\t3\n', /the key "y; z" occurs more than once, in lines 2 and 3; remove/],
  ['in.csv', ['--header-row'], 'k,v\na,"1\n2"\nb,2\na,3\n', /the key "a" .*, in lines 2 and 5; remove/],
  [
    'in.jsonl',
    [],
    '{"key":"\u00fc","value":1}\n\n{"key":"\u00fc","value":2}\n',
    /the key "\u00fc" .*, in lines 1 and 3; remove/,
  ],
  ['in.cdb', [], '+1,1:a->x\n+1,1:b->x\n+1,1:a->y\n\n', /the key "a" .*, in records 1 and 3; remove/],
  [
    'u64.tsv',
    ['--key', 'u64'],
    '5\ta\n18446744073709551615\tb\n18446744073709551615\tc\n',
    /18446744073709551615 .*, in lines 2 and 3; remove/,
  ],
  ['struct.tsv', ['--value', 'struct(a:u8)'], 'a\t1\nb\t2\na\t3\n', /the key "a" .*, in lines 1 and 3; remove/],
  ['fingerprints.tsv', ['--fingerprint', '16'], 'a\t1\nb\t2\na\t3\n', /the key "a" .*, in lines 1 and 3; remove/],
];

for (const [name, options, text, told] of cases) {
  test(name, async () => {
    const path = input(name, text);
    const ran = await hmap(['build', ...options, path, join(folder, 'out.hmap')]);
    assertRefused(ran, told);
    assert.match(
      ran.stderr,
      new RegExp(`^hmap: ${path}: .*; remove one of them, or choose --duplicates first, last or collect\\n$`),
    );
  });
}

test('from stdin, which cannot be read twice', async () => {
  const ran = await hmap(['build', '--format', 'lines', '-', join(folder, 'out.hmap')], { input: 'a\nb\na\n' });
  assertRefused(
    ran,
    /^hmap: stdin: the key "a" occurs more than once; remove one of them, or choose --duplicates first, last or collect$/m,
  );
});

test('in a file that several threads read', async () => {
  const rows = Array.from({ length: 150_000 }, (_, i) => `${`key ${i === 140_000 ? 7 : i} `.padEnd(480, 'x')}\t${i}\n`);
  const path = input('large.tsv', rows.join(''));
  assertRefused(
    await hmap(['build', path, join(folder, 'out.hmap')]),
    /occurs more than once, in lines 8 and 140001; remove/,
  );
});
