// The declarations as users' compilers see them: old and new ones, in each way to resolve modules; and the package as
// tools see it that check packages.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { PACKAGE_ROOT } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
const COMPILERS = { '5.2': 'ts52', '5.7': 'ts57', latest: 'tsnew' };
const OURS = ['@arethetypeswrong/cli@0.18', 'publint@0.3', '@types/node@20'];
let tarball: string;

function npm(...args: string[]): void {
  const shell = process.platform === 'win32';
  execFileSync(shell ? 'npm.cmd' : 'npm', args, { cwd: folder, stdio: 'pipe', shell });
}

const CONSUMER = `
import { build, type BuildSummary, HmapError, open, type Table } from 'hmap';
import { openUrl, type RemoteTable } from 'hmap/remote';

export async function far(): Promise<number | undefined> {
  const table: RemoteTable<number> = await openUrl('https://example.org/t.hmap', { value: 'u32', check: 'header' });
  const many: (number | undefined)[] = await table.getMany(['a', 'b'], { signal: AbortSignal.timeout(1000) });
  return (await table.get('k')) ?? many[0];
}

interface Person {
  name: string;
}

export async function use(path: string): Promise<BuildSummary> {
  const entries: [string, { active: boolean; level: number }][] = [['k', { active: true, level: 5 }]];
  const summary = await build(path, entries, { value: { struct: { active: 'bool', level: 'u7' } } });
  const table = open(path, { value: { struct: { active: 'bool', level: 'u7' } } });
  const level: number | undefined = table.get('k')?.level;
  const people: Table<Person> = open<Person>(path);
  const bytes: Uint8Array | undefined = open(path, { value: 'bytes' }).get('k');
  const list = open(path, { layout: 'list', value: 'u8' });
  for (const [key, value] of open(path, { value: 'utf8' })) console.log(key.length + value.length, list.get(0));
  try {
    table.close();
  } catch (error) {
    if (error instanceof HmapError) console.log(error.code, level, people.size, bytes);
  }
  return summary;
}
`;

const HOVER = `
import { open } from 'hmap';
const table: never = open('path', { value: { struct: { active: 'bool', level: 'u7' } } });
console.log(table);
`;

before(() => {
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  npm('pack', '--ignore-scripts', '--pack-destination', folder, PACKAGE_ROOT);
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz'))!);
  const compilers = Object.entries(COMPILERS).map(([version, name]) => `${name}@npm:typescript@${version}`);
  npm('install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', tarball, ...OURS, ...compilers);
  for (const end of ['mts', 'cts', 'ts']) writeFileSync(join(folder, `consumer.${end}`), CONSUMER);
  writeFileSync(join(folder, 'hover.mts'), HOVER);
});

/** What the compiler says. */
function complaints(compiler: string, module: string, resolution: string, files: readonly string[]): string {
  const options = { module, moduleResolution: resolution, target: 'es2022', lib: 'es2022,esnext.disposable' };
  const flags = Object.entries({ ...options, types: 'node' }).flatMap(([name, value]) => [`--${name}`, value]);
  const tsc = join(folder, 'node_modules', compiler, 'bin/tsc');
  const args = [tsc, '--noEmit', '--strict', '--skipLibCheck', 'false', ...flags, ...files];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  return `${stdout}${stderr}${status}`;
}

describe('a consumer compiles, declarations of libraries included', () => {
  for (const [version, compiler] of Object.entries(COMPILERS)) {
    for (const [module, resolution] of [
      ['node16', 'node16'],
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ] as const) {
      test(`TypeScript ${version}, ${resolution}`, () => {
        const files = resolution === 'bundler' ? ['consumer.ts'] : ['consumer.mts', 'consumer.cts'];
        assert.equal(complaints(compiler, module, resolution, files), '0');
      });
    }
  }
});

test('editors show the fields of structs', () => {
  const shown = complaints(COMPILERS.latest, 'nodenext', 'nodenext', ['hover.mts']);
  assert.match(shown, /Type 'Table<\{ active: boolean; level: number; \}, string>' is not assignable to type 'never'/);
});

test('@arethetypeswrong/cli finds nothing', () => {
  const attw = join(folder, 'node_modules/@arethetypeswrong/cli/dist/index.js');
  const ran = spawnSync(process.execPath, [attw, tarball, '--profile', 'node16'], { cwd: folder, encoding: 'utf8' });
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  assert.match(ran.stdout, /No problems found/);
});

test('publint finds nothing', () => {
  const publint = join(folder, 'node_modules/publint/src/cli.js');
  const ran = spawnSync(process.execPath, [publint, '--strict', 'node_modules/hmap'], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  assert.match(ran.stdout, /All good/);
});
