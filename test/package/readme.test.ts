// The README's examples, run as they stand: the library's with its comments as expectations, the tools' as a console session.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LIBRARY_URL, PACKAGE_ROOT } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';

const readme = readFileSync(join(PACKAGE_ROOT, 'README.md'), 'utf8');

function example(name: string): string {
  const start = readme.indexOf(`<!-- test: ${name} -->`);
  const block = /```\w+\n([\s\S]*?)```/.exec(readme.slice(start));
  assert.ok(start >= 0 && block !== null, `the README has no example '${name}'`);
  return block[1]!;
}

test('the library example prints what its comments say', (t) => {
  const folder = temporaryFolder(t);
  const code = example('library');
  writeFileSync(join(folder, 'example.mjs'), code.replace("'hmap'", JSON.stringify(LIBRARY_URL.href)));
  const printed = execFileSync(process.execPath, ['example.mjs'], { cwd: folder, encoding: 'utf8' });
  const expected = [...code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, comment]) => comment);
  assert.ok(expected.length >= 5);
  assert.deepEqual(printed.trimEnd().split('\n'), expected);
});

test('the console session prints what it shows', {
  skip: process.platform === 'win32' && 'needs a POSIX shell',
}, (t) => {
  const folder = temporaryFolder(t);
  const program = fileURLToPath(new URL('../bin/hmap.js', LIBRARY_URL));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/hmap'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  chmodSync(join(folder, 'bin/hmap'), 0o755);
  const env = { ...process.env, LC_ALL: 'C', PATH: join(folder, 'bin') + delimiter + process.env.PATH };
  const steps = example('tools').split(/^\$ /m).slice(1);
  assert.ok(steps.length >= 5);
  for (const step of steps) {
    const [command, ...lines] = step.split('\n');
    const printed = execFileSync('sh', ['-c', command!], { cwd: folder, env, encoding: 'utf8', stdio: 'pipe' });
    assert.equal(printed, lines.join('\n'), command);
  }
});

test('every command and every error code is in the README', () => {
  const errors = readFileSync(join(PACKAGE_ROOT, 'src/base/errors.ts'), 'utf8');
  const codes = [...errors.matchAll(/\| '(HMAP_\w+)'/g)].map(([, code]) => code!);
  assert.ok(codes.length > 20);
  for (const code of codes) assert.ok(readme.includes(`\`${code}\``), `${code} is not in the README`);
  const program = readFileSync(join(PACKAGE_ROOT, 'tools/hmap.ts'), 'utf8');
  const commands = [...program.matchAll(/^ {2}(\w+): async \(\) =>/gm)].map(([, name]) => name!);
  assert.ok(commands.includes('plan'));
  for (const name of commands) assert.match(readme, new RegExp(`^\\| .hmap ${name} `, 'm'), name);
});

test('every run-time dependency has its line in the README', () => {
  const manifest = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8'));
  const { dependencies, optionalDependencies, peerDependencies } = manifest as Record<string, Record<string, string>>;
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
    assert.match(readme, new RegExp(`^\\| .*\`${name}\``, 'm'), `${name} has no line`);
  }
});

test('links to files lead somewhere', () => {
  for (const [, target] of readme.matchAll(/\]\(([\w./-]+)(?:#[\w-]+)?\)/g)) {
    assert.doesNotThrow(() => readFileSync(join(PACKAGE_ROOT, target!)), `${target} does not exist`);
  }
});
