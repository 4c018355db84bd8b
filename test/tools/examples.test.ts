// The example programs run, and print what they promise. Each is short enough to be read in one go.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PACKAGE_ROOT } from '../support/root.js';

const FOLDER = fileURLToPath(new URL('../../tools/examples/', import.meta.url));

function run(name: string, ...args: string[]): string[] {
  return execFileSync(process.execPath, [join(FOLDER, `${name}.js`), ...args], { encoding: 'utf8', timeout: 60_000 })
    .trimEnd()
    .split('\n');
}

describe('examples', { concurrency: true }, () => {
  test('have at most 60 lines each, and each has a test here', () => {
    const folder = join(PACKAGE_ROOT, 'tools/examples');
    const names = readdirSync(folder).sort();
    assert.deepEqual(names, [
      'block-list.ts',
      'features.ts',
      'leaked-passwords.ts',
      'spell-checker.ts',
      'vocabulary.ts',
    ]);
    for (const name of names) {
      const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n').length;
      assert.ok(lines <= 60, `${name} has ${lines} lines`);
    }
  });

  test('a spell checker knows words and what is one edit away', () => {
    const [count, ...answers] = run('spell-checker', 'house', 'hmapp', 'zyzzyvaa', 'qqqqqq');
    assert.match(count!, /^\d{6} words$/);
    assert.deepEqual(answers, [
      'house: right',
      'hmapp: did you mean ...?',
      'zyzzyvaa: did you mean zyzzyva, zyzzyvas?',
      'qqqqqq: did you mean ...?',
    ]);
  });

  test('leaked passwords are found by their hashes', () => {
    assert.deepEqual(run('leaked-passwords', 'qwerty', 'hmap'), [
      'qwerty: seen 10713794 times',
      'hmap: not in the list',
    ]);
  });

  test('a vocabulary switches to the version that is published under it', () => {
    const [before, after, ...more] = run('vocabulary');
    assert.deepEqual([before, after], ['the other: 27 4 26 14 27 4 17', 'the other: 29 26 30']);
    assert.deepEqual(more, []);
  });

  test('a block list gives every process of a cluster the same answers', () => {
    const [size, ...answers] = run('block-list');
    assert.match(size!, /^100000 addresses in \d+ bytes$/);
    const answer = '0.0.158.55 scanner, 192.0.2.1 allowed';
    assert.deepEqual(
      answers,
      [1, 2, 3].map((worker) => `worker ${worker}: ${answer}`),
    );
  });

  test('features come back as they went in, whole and by field', () => {
    const lines = run('features');
    assert.match(lines[0]!, /^50000 users, 1[1-2]\.\d bytes each$/);
    assert.match(
      lines.slice(1, -2).join(' ').replace(/\s+/g, ' '),
      /active: true, level: 34, joined: 19534, reputation: 234, orders: 1234, churn: 18/,
    );
    assert.deepEqual(lines.slice(-2), ['234 34', '33333 of 50000 are active']);
  });
});
