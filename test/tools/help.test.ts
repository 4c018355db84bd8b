// Tests the helps: each fits on a screen, and each of its examples runs as it stands.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build } from '../../src/index.js';
import { NO_REDIS } from '../support/programs.js';
import { startRedis } from '../support/redis.js';
import { PACKAGE_ROOT } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';
import { fine, HMAP } from '../support/tools.js';

/** Lines of a screen, of 100 characters each. */
const SCREEN = 50;

const COMMANDS = [
  ...readFileSync(join(PACKAGE_ROOT, 'tools/hmap.ts'), 'utf8').matchAll(/^ {2}(\w+): async \(\) =>/gm),
].map(([, name]) => name!);

const page = (...args: string[]) =>
  execFileSync(process.execPath, [HMAP, ...args], { env: { ...process.env, COLUMNS: '100' }, encoding: 'utf8' });

/** All files that examples name, in a folder of their own. */
async function prepared(): Promise<string> {
  const folder = temporaryFolder(nodeTest);
  const write = (name: string, text: string | Uint8Array) => writeFileSync(join(folder, name), text);
  const path = (name: string) => join(folder, name);
  write('words.txt', 'apple\npear\n');
  write('ranks.tsv', 'apple\t1\npear\t2\n');
  write('hosts.csv', 'ip,country\n192.0.2.1,DE\n192.0.2.2,FR\n');
  write('export.json', '{"data":{"items":[{"id":"a","x":1},{"id":"b","x":2}]}}');
  write('users.tsv', 'a\ttrue\t3\nb\tfalse\t9\n');
  write('ids.txt', '3\n5\n');
  write('ids.tsv', 'apple\nnothing\n');
  write('big.jsonl.gz', gzipSync('{"key":"a","value":1}\n'));
  await build(
    path('table.hmap'),
    [
      ['apple', 12],
      ['pear', 3],
    ],
    { value: 'u32' },
  );
  await build(path('deltas.hmap'), [[-5n, 1]], { value: 'u32', key: 'i64' });
  await build(path('list.hmap'), [1, 2, 3, 4, 5, 6], { layout: 'list', value: 'u7' });
  await build(
    path('monday.hmap'),
    [
      ['apple', 1],
      ['fig', 2],
    ],
    { value: 'u32' },
  );
  await build(
    path('tuesday.hmap'),
    [
      ['apple', 1],
      ['fig', 3],
    ],
    { value: 'u32' },
  );
  for (const name of ['old', 'copy']) await build(path(`${name}.hmap`), [['a', 1]], { value: 'u32' });
  await build(path('new.hmap'), [['a', 2]], { value: 'u32' });
  write(
    'changes.patch',
    '{"hmapPatch":1,"key":"bytes","value":"u32"}\n{"op":"add","key":"fig","value":5}\n{"op":"end","lines":1}\n',
  );
  mkdirSync(path('bin'));
  write('bin/hmap', `#!/bin/sh\nexec '${process.execPath}' '${HMAP}' "$@"\n`);
  chmodSync(path('bin/hmap'), 0o755);
  return folder;
}

/** Programs that examples use, where they are there. */
const isThere = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const OTHERS = ['jq', 'cdb', 'sqlite3'];

/** Exit codes that are no failure: a difference, and a key that is not there. */
const FINDINGS = /^hmap (diff|explain --near)|hmap get --json table\.hmap -$/;

describe('help', { skip: process.platform === 'win32' }, () => {
  for (const command of COMMANDS) {
    test(`hmap ${command}: fits on a screen, and its examples run`, async () => {
      const help = page(command, '--help');
      const lines = help.trimEnd().split('\n');
      assert.ok(lines.length <= SCREEN, `${lines.length} lines`);
      for (const line of lines) assert.ok(line.length <= 100 || line.startsWith('  $ '), line);
      const examples = lines.filter((line) => line.startsWith('  $ ')).map((line) => line.slice(4));
      assert.ok(examples.length >= 1);
      const folder = await prepared();
      const env = {
        ...process.env,
        LC_ALL: 'C',
        HOME: folder,
        PATH: join(folder, 'bin') + delimiter + process.env.PATH,
      };
      if (command === 'completion') {
        for (const place of ['.local/share/bash-completion/completions', '.zfunc', '.config/fish/completions']) {
          mkdirSync(join(folder, place), { recursive: true });
        }
      }
      if (command === 'join')
        await fine(['split', '--shards', '2', join(folder, 'table.hmap'), '-o', join(folder, 'shards')]);
      await using server = command === 'load' && !NO_REDIS ? await startRedis(folder) : undefined;
      for (const shown of examples) {
        // Of a cluster load.test.ts has one.
        if (command === 'load' && (server === undefined || shown.includes('--cluster'))) continue;
        const example = shown
          .replace('redis://127.0.0.1:6379', server?.address ?? '')
          .replace('redis-cli', `redis-cli -p ${server?.port}`);
        // The table that an earlier example has made, or the one that is asked for a key.
        if (example.includes('words.hmap') && command !== 'build') {
          await build(join(folder, 'words.hmap'), ['apple', 'pear'], { value: 'none' });
        }
        if (OTHERS.some((other) => new RegExp(`\\| ${other} `).test(example) && !isThere(other))) continue;
        const ran = spawnSync('sh', ['-c', example], { cwd: folder, env, encoding: 'utf8', timeout: 60_000 });
        const codes = FINDINGS.test(example) ? [0, 1] : [0];
        assert.ok(codes.includes(ran.status ?? -1), `${example}: ${ran.status} ${ran.stderr}`);
        assert.doesNotMatch(ran.stderr, /^hmap: (?!not found)/m, example);
      }
    });
  }

  test('--help-all shows what --help leaves out', async () => {
    for (const command of ['build', 'plan']) {
      const [usual, all] = [(await fine([command, '--help'])).stdout, (await fine([command, '--help-all'])).stdout];
      assert.match(all, /^ {2}--relax-quotes /m);
      assert.doesNotMatch(usual, /--relax-quotes/);
      assert.match(usual, /^ {2}--help-all +display help with \d+ more options$/m);
    }
  });
});
