// Tests `hmap completion`: the scripts complete in the shells themselves, where these are there.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, fine, hmap } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** How each shell is asked for the completions of a line, one a line of its answer. */
const ASK: Record<Shell, (script: string, words: readonly string[]) => string> = {
  bash: (script, words) =>
    `source ${script}; COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _hmap; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // What zsh's own functions would be told.
  zsh: (script, words) =>
    `compdef() { :; }; _arguments() { print -l -- "$@"; }; _describe() { print -l -- $commands; }; source ${script}; words=(${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length}; _hmap`,
  fish: (script, words) => `source ${script}; complete -C '${words.join(' ')}'`,
};

const isThere = (shell: Shell) => spawnSync(shell, ['-c', 'true']).status === 0;

describe('hmap completion', () => {
  const scripts = {} as Record<Shell, string>;
  before(async () => {
    for (const shell of SHELLS) {
      scripts[shell] = join(folder, `hmap.${shell}`);
      writeFileSync(scripts[shell], (await fine(['completion', shell])).stdout);
    }
    mkdirSync(join(folder, 'here', 'folder'), { recursive: true });
    for (const name of ['words.hmap', 'with space.hmap', 'words.tsv']) writeFileSync(join(folder, 'here', name), '');
  });

  const ask = (shell: Shell, ...words: string[]) => {
    const ran = spawnSync(shell, ['-c', ASK[shell](scripts[shell], words)], {
      cwd: join(folder, 'here'),
      encoding: 'utf8',
    });
    assert.equal(ran.stderr, '');
    return ran.stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[0]!);
  };

  for (const shell of SHELLS) {
    test(`${shell}: commands, options, their values and files`, {
      skip: isThere(shell) ? false : `no ${shell}`,
    }, () => {
      assert.equal(spawnSync(shell, ['-n', scripts[shell]]).status, 0);
      if (shell === 'zsh') {
        const commands = ask(shell, 'hmap', '');
        for (const name of ['build', 'explain', 'diff', 'merge', 'report']) {
          assert.ok(
            commands.some((line) => line.startsWith(`${name}:`)),
            name,
          );
        }
        const specs = ask(shell, 'hmap', 'build', '').join('\n');
        assert.match(specs, /^\(-v --value\)-v\[type of the values\]:value:\(none bytes .*uint\)$/m);
        assert.match(specs, /^--force\[replace the output if it exists\]$/m);
        assert.match(specs, /^\*:file:_files$/m);
        assert.match(ask(shell, 'hmap', 'get', '').join('\n'), /^\*:table:_files -g "\*\.hmap\(-\.\)"$/m);
        assert.match(ask(shell, 'hmap', 'merge', '').join('\n'), /:file:_files$/m);
        return;
      }
      assert.deepEqual(ask(shell, 'hmap', 'expl'), ['explain']);
      assert.deepEqual(ask(shell, 'hmap', 'mer'), ['merge']);
      assert.deepEqual(ask(shell, 'hmap', 'build', '--value', 'ut'), ['utf8']);
      assert.deepEqual(ask(shell, 'hmap', 'build', '--layout', 'b'), ['bits']);
      assert.deepEqual(ask(shell, 'hmap', 'verify', '--no-f'), ['--no-find-bit']);
      assert.deepEqual(ask(shell, 'hmap', 'completion', 'z'), ['zsh']);
      const tables = ask(shell, 'hmap', 'get', 'w');
      assert.ok(tables.includes('words.hmap'), tables.join());
      if (shell === 'bash') assert.deepEqual(tables.toSorted(), ['with space.hmap', 'words.hmap']);
      assert.ok(ask(shell, 'hmap', 'build', 'words.t').includes('words.tsv'));
      assert.ok(ask(shell, 'hmap', 'merge', 'words.hmap', '-o', 'words.t').includes('words.tsv'));
    });
  }

  test('knows every option of every command', async () => {
    const help = (await fine(['--help'])).stdout;
    const commands = [...help.matchAll(/^ {2}(\w+) (?:\[options\] )?[<[]/gm)].map(([, name]) => name!);
    assert.ok(commands.length >= 10, commands.join());
    for (const name of commands.filter((one) => one !== 'help')) {
      const page = await hmap([name, '--help-all']);
      const { stdout } = page.code === 0 ? page : await fine([name, '--help']);
      const options = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, option]) => option!);
      assert.ok(options.includes('--help'), name);
      for (const shell of SHELLS) {
        const script = (await fine(['completion', shell])).stdout;
        for (const option of options) {
          assert.ok(
            script.includes(shell === 'fish' ? `-l ${option.slice(2)}` : option),
            `${shell}: ${name} ${option}`,
          );
        }
      }
    }
  });

  test('refuses other shells', async () => {
    assertRefused(await hmap(['completion', 'tcsh']), /<shell>: expected one of bash, zsh, fish, got tcsh/);
  });
});
