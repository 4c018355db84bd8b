// ReadOptions: which one is the key and which one the value is never guessed where it could be another, and names of
// columns are not taken for entries.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { open } from '../../src/index.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, fine, hmap } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
let count = 0;

function input(extension: string, text: string): string {
  const path = join(folder, `${count++}.${extension}`);
  writeFileSync(path, text);
  return path;
}

const output = () => join(folder, `${count++}.hmap`);

const COUNTRIES = 'code,name\nDE,Germany\nFR,France\n';

describe('a key column that is chosen by itself', () => {
  const asTsv = COUNTRIES.replaceAll(',', '\t');
  for (const [extension, text] of Object.entries({ csv: COUNTRIES, tsv: asTsv })) {
    test(`${extension}: is refused, and the columns are named`, async () => {
      const path = input(extension, text);
      const told = /--value-column: choose the column of the values, too; the columns are code, name/;
      assertRefused(await hmap(['build', '--key-column', 'name', path, output()]), told);
      assertRefused(await hmap(['plan', '--key-column', 'name', path]), told);
      const numbered = /--value-column: choose .*; the columns of the first row are 1 \("code"\), 2 \("name"\)/;
      assertRefused(await hmap(['build', '--key-column', '2', path, output()]), numbered);
      const same = /--key-column: choose the column of the keys, too; the columns are code, name/;
      assertRefused(await hmap(['build', '--value-column', 'code', path, output()]), same);
    });

    test(`${extension}: is enough for a set, and both for a map`, async () => {
      const path = input(extension, text);
      const [set, map] = [output(), output()];
      await fine(['build', '--value', 'none', '--key-column', 'name', path, set]);
      assert.ok(open(set).has('Germany'));
      await fine(['build', '--key-column', 'name', '--value-column', 'code', path, map]);
      assert.equal(open(map).get('Germany'), 'DE');
    });
  }
});

describe('csv whose first line names the columns', () => {
  const ports = 'name,port\nssh,22\nhttp,80\n';

  test('is seen where numbers follow', async () => {
    const path = input('csv', ports);
    const told =
      /line 1: "name", "port" seems to name the columns, since numbers follow; --header-row .*--no-header-row/;
    assertRefused(await hmap(['build', path, output()]), told);
    assertRefused(await hmap(['plan', path]), told);
    const [named, entry] = [output(), output()];
    await fine(['build', '--header-row', path, named]);
    assert.deepEqual([open(named).size, open(named).get('http')], [2, '80']);
    await fine(['build', '--no-header-row', path, entry]);
    assert.deepEqual([open(entry).size, open(entry).get('name')], [3, 'port']);
    const { stdout } = await fine(['plan', '--no-header-row', path]);
    assert.match(stdout, /hmap build .*--no-header-row/);
  });

  test('is told of where the type refuses it', async () => {
    for (const [extension, text] of [
      ['csv', ports],
      ['tsv', ports.replaceAll(',', '\t')],
    ] as const) {
      const path = input(extension, text);
      const told = /line 1: .*"port"; if this line names the columns: --header-row$/m;
      assertRefused(await hmap(['build', '--value', 'u16', path, output()]), told);
      assertRefused(await hmap(['build', '--value', 'u16', '--no-header-row', path, output()]), /line 1: .*"port"$/m);
      await fine(['build', '--value', 'u16', '--header-row', path, output()]);
    }
  });

  test('is not seen in what other data may begin with', async () => {
    for (const text of ['a,b\n', 'a,b\nc,d\n', 'a,b\nc,1\nd,e\n', 'x,1\ny,2\n', 'k,"say ""no"""\nl,5\n']) {
      await fine(['build', input('csv', text), output()]);
    }
    // Ten rows are looked at.
    const rows = Array.from({ length: 30 }, (_, i) => `k${i},${i === 11 ? 'text' : i}\n`).join('');
    assertRefused(await hmap(['build', input('csv', `name,value\n${rows}`), output()]), /seems to name the columns/);
    const { stdout } = await fine([
      'build',
      '--json',
      input('csv', `name,value\n${rows.replace(/^k3,3$/m, 'k3,x')}`),
      output(),
    ]);
    assert.equal(JSON.parse(stdout).entries, 31);
  });

  test('cannot be denied where columns are chosen by their names', async () => {
    const args = ['build', '--no-header-row', '--key-column', 'name', '--value-column', 'port'];
    assertRefused(
      await hmap([...args, input('csv', ports), output()]),
      /--no-header-row: columns can be chosen by name only/,
    );
  });
});
