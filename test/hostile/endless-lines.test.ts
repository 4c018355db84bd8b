// Input without line ends: it is refused as soon as it passes what a line may have, in bounded memory, not when memory
// or a limit of V8 ends.

import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { build } from '../../src/index.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, start } from '../support/tools.js';

describe('input without line ends', { skip: process.platform === 'win32' }, () => {
  const cases: [format: string, value: string, message: RegExp][] = [
    ['lines', 'none', /^hmap: \/dev\/zero: line 1: more than 1048576 bytes without a line end\n$/],
    ['tsv', 'u8', /line 1: more than 1048576 bytes/],
    ['tsv', 'json', /line 1: more than 536870888 bytes/],
    ['jsonl', 'utf8', /line 1: more than 536870888 bytes/],
  ];
  for (const [format, value, message] of cases) {
    test(`${format}, ${value}`, async (t) => {
      const output = join(temporaryFolder(t), 'out.hmap');
      const args = ['build', '-f', format, '-v', value, '--memory', '1M', '/dev/zero', output];
      assertRefused(await start(args).ended, message);
    });
  }

  test('lines of a list', async (t) => {
    const output = join(temporaryFolder(t), 'out.hmap');
    const args = ['build', '--layout', 'list', '-f', 'lines', '-v', 'u8', '/dev/zero', output];
    assertRefused(await start(args).ended, /line 1: more than 1048576 bytes/);
  });

  test('keys that are looked up', async (t) => {
    const path = join(temporaryFolder(t), 'table.hmap');
    await build(path, ['a'], { value: 'none' });
    const zeros = openSync('/dev/zero', 'r');
    try {
      const { ended } = start(['get', path, '-'], { stdio: [zeros, 'pipe', 'pipe'] });
      assertRefused(await ended, /^hmap: stdin: key 1 of the input has more than 1048576 bytes\n$/);
    } finally {
      closeSync(zeros);
    }
  });
});
