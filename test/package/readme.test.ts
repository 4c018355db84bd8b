// The README's examples, run as they stand: the library's with its comments as expectations, the tools' as a console
// session. And what the README and the guides must list.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LIBRARY_URL, PACKAGE_ROOT } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';

const readme = readFileSync(join(PACKAGE_ROOT, 'README.md'), 'utf8');
const guide = readFileSync(join(PACKAGE_ROOT, 'native-notes/library.md'), 'utf8');
const toolsGuide = readFileSync(join(PACKAGE_ROOT, 'native-notes/tools.md'), 'utf8');

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
  assert.ok(expected.length >= 4);
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

test('every command is in the README and in the guide, every error code in the guide', () => {
  const errors = readFileSync(join(PACKAGE_ROOT, 'src/base/errors.ts'), 'utf8');
  const codes = [...errors.matchAll(/\| '(HMAP_\w+)'/g)].map(([, code]) => code!);
  assert.ok(codes.length > 20);
  for (const code of codes) assert.ok(guide.includes(`\`${code}\``), `${code} is not in the guide`);
  const program = readFileSync(join(PACKAGE_ROOT, 'tools/hmap.ts'), 'utf8');
  const commands = [...program.matchAll(/^ {2}(\w+): async \(\) =>/gm)].map(([, name]) => name!);
  assert.ok(commands.includes('plan'));
  for (const name of commands) {
    assert.match(readme, new RegExp(`^\\| .*\`hmap ${name} `, 'm'), name);
    assert.match(toolsGuide, new RegExp(`^ {4}hmap ${name} `, 'm'), name);
  }
});

test('every run-time dependency has its line in the README', () => {
  const manifest = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8'));
  const { dependencies, optionalDependencies, peerDependencies } = manifest as Record<string, Record<string, string>>;
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
    assert.match(readme, new RegExp(`^\\| .*\`${name}\``, 'm'), `${name} has no line`);
  }
});

test('the page about platforms has each row that is tried, and none has failed', async () => {
  const page = readFileSync(join(PACKAGE_ROOT, 'native-notes/platforms.md'), 'utf8');
  const { ROWS } = await import('../platforms/all.js');
  for (const { name, system, runtime, by } of ROWS) {
    assert.ok(page.includes(`\n| ${system} | ${runtime} | ${by} |`), name);
  }
  assert.equal(page.match(/^\|.*\| \d+ \|$/gm)?.length, ROWS.length);
});

test('links lead to files and headings that exist', () => {
  const notes = readdirSync(join(PACKAGE_ROOT, 'native-notes')).filter((name) => name.endsWith('.md'));
  for (const from of ['README.md', 'CHANGELOG.md', ...notes.map((name) => `native-notes/${name}`)]) {
    const text = readFileSync(join(PACKAGE_ROOT, from), 'utf8');
    for (const [, file, heading] of text.matchAll(/\]\(([\w./-]*)(?:#([\w-]+))?\)/g)) {
      const target = file === '' ? join(PACKAGE_ROOT, from) : join(PACKAGE_ROOT, dirname(from), file!);
      assert.ok(existsSync(target), `${from}: ${file} does not exist`);
      if (heading !== undefined) {
        assert.ok(headings(target).includes(heading), `${from}: ${file} has no heading #${heading}`);
      }
    }
  }
});

test('each promise names tests that exist', () => {
  const notes = readFileSync(join(PACKAGE_ROOT, 'native-notes/mapping.md'), 'utf8');
  const section = notes.slice(notes.indexOf('\n## What is promised'), notes.indexOf('\n## What is not promised'));
  const promises = section.split(/\n- /).slice(1);
  assert.ok(promises.length >= 18, `${promises.length} promises`);
  for (const promise of promises) {
    const [text, ...holders] = promise.split(/\n {2}- /);
    assert.ok(holders.length > 0, `no test for: ${text}`);
    for (const holder of holders) {
      const [, file] = /^`(test\/[\w/.-]+)`: /.exec(holder) ?? assert.fail(`no file in: ${holder}`);
      const source = readFileSync(join(PACKAGE_ROOT, file!), 'utf8');
      const names = Array.from(holder.replace(/\s+/g, ' ').matchAll(/"([^"]+)"/g), ([, name]) => name!);
      assert.ok(names.length > 0, holder);
      for (const name of names) assert.ok(source.includes(name), `${file} has no test '${name}'`);
    }
  }
});

/** The anchors of a Markdown file, as GitHub makes them. */
function headings(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}
