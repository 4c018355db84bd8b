// The package as users get it: what the tarball holds, and that it installs and runs in an empty project without
// scripts or a compiler.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HAS_FFI } from '../support/mappings.js';
import { PACKAGE_ROOT } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';

const COMMANDS =
  'hmap build completion diff dump explain get join keyless load merge plan report report-box stat verify';
const TOOLS =
  'cdb cdb-binary cdb-writer colours columns csv dry-run dump-filter duplicate-lines entry-sink exact-json formats input-flags json json-splitter jsonl keyless-json keyless-sink keyless-writer lines lines-reader look optional other-layouts output page parquet patch read-worker records redis resp source sql sql-schema sqlite sqlite-library sqlite-writer survey text tsv typed-rows understand values-writer';
/** Chunks of packages; `packages` are those that the others need. */
const PACKAGES =
  'commander csv-parse csv-stringify cli-table3 cli-progress d3 fastest-levenshtein fzstd hyparquet packages';
const BUNDLED = [
  ...['commander', 'csv-parse', 'csv-stringify', 'cli-table3', '@colors/colors', 'cli-progress'],
  ...['string-width', 'strip-ansi', 'ansi-regex', 'emoji-regex', 'is-fullwidth-code-point', 'fzstd', 'hyparquet'],
  ...['d3-array', 'd3-color', 'd3-format', 'd3-interpolate', 'd3-path', 'd3-scale', 'd3-shape', 'fastest-levenshtein'],
];
const NOTES = ['accounting', 'bundling', 'format', 'library', 'mapping', 'platforms', 'scale', 'tools'];

const manifest = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8'));
const windows = process.platform === 'win32';

function bytesOf(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

function npm(args: string[], cwd: string): string {
  const env = { ...process.env, npm_config_update_notifier: 'false' };
  return execFileSync(windows ? 'npm.cmd' : 'npm', args, { cwd, env, encoding: 'utf8', stdio: 'pipe', shell: windows });
}

describe('the manifest', () => {
  test('names files that are there', () => {
    const { main, types, bin, exports } = manifest;
    const paths = [main, types, bin.hmap];
    for (const entry of ['.', './keyv', './unstorage']) {
      const forms = Object.values<Record<string, string>>(exports[entry]);
      for (const { types, default: code } of forms) paths.push(types, code);
    }
    assert.equal(paths.length, 15);
    for (const path of paths) assert.ok(existsSync(join(PACKAGE_ROOT, path)), path);
  });

  test('has no install script of ours', () => {
    // npm counts `prepare` of a tarball among them.
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) {
      assert.equal(manifest.scripts[script], undefined);
    }
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
  let packed: { files: { path: string }[]; unpackedSize: number };
  let files: string[] = [];
  before(() => {
    // Without scripts: `prepack` would build anew while other tests run from the build.
    [packed] = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], PACKAGE_ROOT));
    tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz'))!);
    files = packed.files.map(({ path }) => path);
  });

  test('holds these files and no others, in at most 2.25 MiB', () => {
    const { unpackedSize } = packed;
    assert.ok(unpackedSize <= 2.25 * 2 ** 20, `${unpackedSize} bytes`);
    /** Chunks without their hashes. */
    const names = files
      .filter((path) => !path.startsWith('dist/types/'))
      .map((path) => path.replace(/-[\w-]{8}(?=\.c?js$)/, ''));
    const within = (folder: string, ...files: string[]) => files.map((file) => `${folder}/${file}`);
    const js = (names: string) => names.split(' ').map((name) => `${name}.js`);
    assert.deepEqual(
      [...new Set(names)].toSorted(),
      [
        ...['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'],
        ...within('dist/bin', 'LICENSES.txt', ...js(COMMANDS), ...js(TOOLS), ...js(PACKAGES)),
        ...within('dist/lib', ...js('index library build merge stat parallel-ingest span-worker span-writer')),
        ...within('dist/lib', 'index.cjs', 'build.cjs', 'builder.cjs', 'merge.cjs', 'stat.cjs', 'sections.cjs'),
        ...within(
          'dist/lib',
          ...['remote', 'remote-enum', 'remote-fingerprints', 'remote-structs'].flatMap((name) => [
            `${name}.js`,
            `${name}.cjs`,
          ]),
        ),
        ...within('dist/lib', 'keyv.js', 'keyv.cjs', 'unstorage.js', 'unstorage.cjs'),
        ...within('native-notes', 'hmap.ksy', ...NOTES.map((name) => `${name}.md`)),
      ].toSorted(),
    );
  });

  test('holds each declaration that another one imports, in both forms, and none that users cannot reach', () => {
    for (const [end, other] of [
      ['.d.ts', '.js'],
      ['.d.cts', '.cjs'],
    ] as const) {
      const types = files.filter((path) => path.endsWith(end));
      const entries = ['index', 'stores/keyv', 'stores/unstorage', 'remote/open-url'];
      const imported = new Set(entries.map((entry) => `dist/types/${entry}${end}`));
      for (const path of types) {
        const text = readFileSync(join(PACKAGE_ROOT, path), 'utf8');
        for (const [, target] of text.matchAll(/'(\.{1,2}\/[^']+)'/g)) {
          const file = `${target!.slice(0, -other.length)}${end}`;
          imported.add(normalize(join(dirname(path), file)).replaceAll('\\', '/'));
        }
      }
      assert.deepEqual(types.toSorted(), [...imported].toSorted());
      assert.ok(types.length > 40 && !types.includes(`dist/types/internal${end}`));
    }
  });

  test('has a library that needs nothing of the program', () => {
    const lib = join(PACKAGE_ROOT, 'dist/lib');
    for (const name of readdirSync(lib))
      assert.doesNotMatch(readFileSync(join(lib, name), 'utf8'), /\.\.\/bin\//, name);
  });

  test('names each package that is bundled, with its licence', () => {
    const text = readFileSync(join(PACKAGE_ROOT, 'dist/bin/LICENSES.txt'), 'utf8');
    const names = [...text.matchAll(/^Name: (.*)$/gm)].map(([, name]) => name!);
    assert.deepEqual(names.toSorted(), BUNDLED.toSorted());
    assert.equal(
      text.match(/Permission is hereby granted, free of charge|Permission to use, copy, modify/g)?.length,
      BUNDLED.length,
    );
  });

  test('has commands that load only the packages that they need', () => {
    const program = readFileSync(join(PACKAGE_ROOT, 'dist/bin/hmap.js'), 'utf8');
    /** The packages that a file loads at once, itself or through others. */
    const packagesOf = (path: string, seen = new Set<string>()): string[] => {
      if (seen.has(path)) return [];
      seen.add(path);
      const text = readFileSync(join(PACKAGE_ROOT, path), 'utf8');
      const found = [PACKAGES.split(' ').find((name) => path.startsWith(`dist/bin/${name}-`))];
      for (const [, target] of text.matchAll(/^(?:import|export)\b[^;]*?"(\.[^"]+)";$/gm)) {
        found.push(...packagesOf(normalize(join(dirname(path), target!)).replaceAll('\\', '/'), seen));
      }
      return found.filter((name) => name !== undefined);
    };
    for (const command of ['get', 'dump', 'verify']) {
      const chunk = new RegExp(`\\b${command}: async \\(\\) => .*import\\("\\./(.*?)"\\)`).exec(program)?.[1];
      assert.ok(chunk !== undefined, command);
      assert.deepEqual(packagesOf(`dist/bin/${chunk}`), ['commander'], command);
    }
    const all = files.filter((path) => path.startsWith('dist/bin/')).flatMap((path) => packagesOf(path));
    assert.ok(all.includes('csv-parse') && all.includes('cli-table3'), 'the others load these');
  });

  test('installs and runs in an empty project, as a module, by require, and as a program', (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    npm(['install', '--strict-allow-scripts', '--no-audit', '--no-fund', '--prefer-offline', tarball], folder);
    const { packages } = JSON.parse(readFileSync(join(folder, 'node_modules/.package-lock.json'), 'utf8'));
    assert.ok(Object.keys(packages).length <= 3, Object.keys(packages).join(' '));
    assert.ok(bytesOf(join(folder, 'node_modules')) < 5 * 2 ** 20);
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
    const same = `import { createRequire } from 'node:module'; import * as hmap from 'hmap';
      const required = createRequire(import.meta.url)('hmap');
      console.log(required === hmap, Object.keys(hmap).every((name) => name === 'default' || required[name] === hmap[name]));`;
    assert.equal(run('same.mjs', same), 'false true', 'two forms, of the same classes and functions');
    assert.equal(run('open.cjs', `const { open } = require('hmap'); console.log(open('a.hmap').get('a'));`), '1');
    assert.equal(npm(['exec', '--offline', '--', 'hmap', 'get', 'a.hmap', 'b'], folder).trim(), '2');
    const mapping = run('mapping.mjs', `import { open } from 'hmap'; console.log(open('a.hmap').mapping);`);
    const expected: Record<string, string> = { linux: 'libc', darwin: 'libc', win32: 'windows' };
    assert.equal(mapping, expected[process.platform] ?? mapping);
  });

  test('works without native packages', (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    npm(
      ['install', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--prefer-offline', tarball],
      folder,
    );
    assert.ok(!existsSync(join(folder, 'node_modules/@koromix')));
    const code = `import { build, open } from 'hmap';
      await build('a.hmap', [['a', 1]], { value: 'u8' });
      const table = open('a.hmap');
      console.log(table.mapping, table.get('a'));`;
    writeFileSync(join(folder, 'copy.mjs'), code);
    const printed = execFileSync(process.execPath, ['copy.mjs'], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    assert.equal(printed.trim(), `${HAS_FFI ? 'ffi' : 'copy'} 1`);
  });
});
