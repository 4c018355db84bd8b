// Colours are for terminals alone: a page in a pipe is plain, and a coloured one says the same.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { build } from '../../src/index.js';
import { coloured } from '../../tools/terminal/colours.js';
import { temporaryFolder } from '../support/temp.js';
import { fine, HMAP } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
const ESCAPE = '\u001b[';

test('heads and bars have colours, and nothing else changes', () => {
  const page = 'title\n\nrecords  buckets\n0             12  ████\n1              3  █\n\na paragraph';
  const shown = coloured(page);
  assert.equal(stripVTControlCharacters(shown), page);
  const lines = shown.split('\n');
  for (const line of [0, 2, 3, 4]) assert.ok(lines[line]!.includes(ESCAPE), lines[line]);
  for (const line of [1, 5, 6]) assert.ok(!lines[line]!.includes(ESCAPE), lines[line]);
});

test('of hmap stat on a terminal, but not in a pipe, nor where the user wants none', async (t) => {
  const path = join(folder, 'table.hmap');
  await build(
    path,
    [
      ['a', 1],
      ['bb', 2],
    ],
    { value: 'u8' },
  );
  const plain = (await fine(['stat', path])).stdout;
  assert.ok(!plain.includes(ESCAPE));
  // Runs a command on a terminal of its own.
  const onTerminal = (environment: string) =>
    spawnSync('script', ['-qec', `${environment} '${process.execPath}' '${HMAP}' stat '${path}'`, '/dev/null'], {
      env: { ...process.env, NO_COLOR: '', TERM: 'xterm', COLUMNS: '100' },
      encoding: 'utf8',
    });
  const shown = onTerminal('');
  if (shown.error !== undefined) {
    t.skip('no script(1)');
    return;
  }
  assert.ok(shown.stdout.includes(`${ESCAPE}1m`) && shown.stdout.includes(`${ESCAPE}36m`), shown.stdout);
  assert.ok(!onTerminal('NO_COLOR=1').stdout.includes(`${ESCAPE}1m`));
  assert.ok(!onTerminal('TERM=dumb').stdout.includes(`${ESCAPE}1m`));
});
