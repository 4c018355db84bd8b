// The package as users get it: what the tarball holds, and that it installs and runs in an empty project without
// scripts or a compiler.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PACKAGE_ROOT } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';

const manifest = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8'));
const windows = process.platform === 'win32';

function npm(args: string[], cwd: string): string {
  const env = { ...process.env, npm_config_update_notifier: 'false' };
  return execFileSync(windows ? 'npm.cmd' : 'npm', args, { cwd, env, encoding: 'utf8', stdio: 'pipe', shell: windows });
}

describe('the manifest', () => {
  test('names files that are there', () => {
    for (const path of [
      manifest.main,
      manifest.types,
      manifest.exports['.'].default,
      manifest.exports['.'].types,
      manifest.bin.hmap,
    ]) {
      assert.ok(existsSync(join(PACKAGE_ROOT, path)), path);
    }
  });

  test('has no install script of ours', () => {
    for (const script of ['preinstall', 'install', 'postinstall']) assert.equal(manifest.scripts[script], undefined);
  });

  test('leaves mmap-io to those who ask for it', () => {
    assert.deepEqual(manifest.peerDependenciesMeta['mmap-io'], { optional: true });
    for (const kind of ['dependencies', 'optionalDependencies', 'devDependencies']) {
      assert.ok(!('mmap-io' in manifest[kind]), kind);
    }
    const lock = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package-lock.json'), 'utf8'));
    assert.ok(!('node_modules/mmap-io' in lock.packages));
  });
});

describe('the tarball', () => {
  const folder = temporaryFolder({ after });
  let tarball = '';
  let files: string[] = [];
  before(() => {
    // Without scripts: `prepare` would build anew while other tests run from the build.
    const [packed] = JSON.parse(
      npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], PACKAGE_ROOT),
    );
    tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz'))!);
    files = packed.files.map(({ path }: { path: string }) => path);
  });

  test('holds what it needs and nothing else', () => {
    const expected =
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|native-notes\/[\w.-]+|dist\/(lib|bin)\/[\w-]+\.js|dist\/types\/[\w/-]+\.d\.ts)$/;
    assert.deepEqual(
      files.filter((path) => !expected.test(path)),
      [],
    );
    assert.deepEqual(
      files.filter((path) => /demo|bench|test/.test(path)),
      [],
    );
  });

  test('holds each declaration that another one imports, and none that users cannot reach', () => {
    const types = files.filter((path) => path.endsWith('.d.ts'));
    const imported = new Set(['dist/types/index.d.ts']);
    for (const path of types) {
      const text = readFileSync(join(PACKAGE_ROOT, path), 'utf8');
      for (const [, target] of text.matchAll(/'(\.{1,2}\/[^']+)\.js'/g)) {
        imported.add(`${normalize(join(dirname(path), target!)).replaceAll('\\', '/')}.d.ts`);
      }
    }
    assert.deepEqual(types.toSorted(), [...imported].toSorted());
    assert.ok(!types.includes('dist/types/internal.d.ts'));
  });

  test('has commands that load only the packages that they need', () => {
    const program = readFileSync(join(PACKAGE_ROOT, 'dist/bin/hmap.js'), 'utf8');
    /** The packages that a chunk imports at once, itself or through other chunks. */
    const packagesOf = (path: string, seen = new Set<string>()): Set<string> => {
      const found = new Set<string>();
      if (seen.has(path)) return found;
      seen.add(path);
      const text = readFileSync(join(PACKAGE_ROOT, path), 'utf8');
      for (const [, target] of text.matchAll(/^(?:import|export)\b[^;]*?'([^']+)';$/gm)) {
        if (target!.startsWith('./'))
          for (const name of packagesOf(`dist/bin/${target!.slice(2)}`, seen)) found.add(name);
        else if (!target!.startsWith('node:')) found.add(target!);
      }
      return found;
    };
    for (const command of ['get', 'dump', 'verify']) {
      const chunk = new RegExp(`\\b${command}: async \\(\\) => .*import\\('\\./(.*?)'\\)`).exec(program)?.[1];
      assert.ok(chunk !== undefined, command);
      assert.deepEqual([...packagesOf(`dist/bin/${chunk}`)], ['commander'], command);
    }
    const all = files.filter((path) => path.startsWith('dist/bin/')).flatMap((path) => [...packagesOf(path)]);
    assert.ok(all.includes('csv-parse') && all.includes('cli-table3'), 'the others load these');
  });

  test('installs and runs in an empty project, as a module, by require, and as a program', (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', tarball], folder);
    const run = (file: string, code: string) => {
      writeFileSync(join(folder, file), code);
      return execFileSync(process.execPath, [file], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }).trim();
    };
    const built = run(
      'build.mjs',
      `import { build } from 'hmap'; console.log((await build('a.hmap', [['a', 1], ['b', 2]], { value: 'u8' })).entries);`,
    );
    assert.equal(built, '2');
    assert.equal(run('open.mjs', `import { open } from 'hmap'; console.log(open('a.hmap').get('b'));`), '2');
    assert.equal(run('open.cjs', `const { open } = require('hmap'); console.log(open('a.hmap').get('a'));`), '1');
    assert.equal(npm(['exec', '--offline', '--', 'hmap', 'get', 'a.hmap', 'b'], folder).trim(), '2');
    const mapping = run('mapping.mjs', `import { open } from 'hmap'; console.log(open('a.hmap').mapping);`);
    assert.equal(mapping, process.platform === 'linux' ? 'libc' : mapping);
  });

  test('works without koffi', (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    npm(
      ['install', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--prefer-offline', tarball],
      folder,
    );
    assert.ok(!existsSync(join(folder, 'node_modules/koffi')));
    const code = `import { build, open } from 'hmap';
      await build('a.hmap', [['a', 1]], { value: 'u8' });
      const table = open('a.hmap');
      console.log(table.mapping, table.get('a'));`;
    writeFileSync(join(folder, 'copy.mjs'), code);
    const printed = execFileSync(process.execPath, ['copy.mjs'], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    assert.equal(printed.trim(), 'copy 1');
  });
});
