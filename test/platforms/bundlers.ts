// Bundlers, tracers and test runners: what each makes of a small program runs, maps or says why not, and none warns.

import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fine, installed, nodeOf, npm, run, tool } from './place.js';
import { checked, type Row, rowsOf } from './rows.js';
import type { Found } from './smoke.js';
import { snippet } from './snippets.js';

const MAIN = `
async function main() {
  const path = process.argv[process.argv.length - 1];
  await build(path, [['a', 1], ['b', 2]], { value: 'u8' });
  const table = open(path, { value: 'u8' });
  const { ok } = await verify(path);
  const { mapping, mappingReason } = table;
  console.log(JSON.stringify({ mapping, reason: mappingReason && mappingReason.message, value: table.get('b'), ok }));
}
main();
`;
const APP = `import { build, open, verify } from 'hmap';${MAIN}`;
const REQUIRING = `const { build, open, verify } = require('hmap');${MAIN}`;

const READING = `
import { open } from 'hmap';
const table = open('table.hmap');
console.log(JSON.stringify({ mapping: table.mapping, value: table.get('a') }));`;

interface Printed {
  mapping: string;
  reason?: string;
  value: number;
  ok: boolean;
}

/** Runs a finished program, which must print nothing but its line. */
async function runs(command: string, args: readonly string[], cwd: string, built = ''): Promise<Found> {
  const { code, output } = await run(command, [...args, 'table.hmap'], { cwd });
  const lines = output.trim().split('\n');
  if (code !== 0) throw new Error(`the program ended with ${code}: ${output.slice(-1000)}`);
  const { mapping, reason, value, ok } = JSON.parse(lines.at(-1)!) as Printed;
  const checks = {
    'prints nothing else': lines.length === 1,
    'reads what it built': value === 2,
    verifies: ok,
    'says why it does not map': mapping === 'libc' || (reason ?? '').length > 10,
    'was built without a warning': !/warning/i.test(built),
  };
  return checked(mapping, checks, reason);
}

const row = rowsOf('bundlers and test runners');

const node = process.execPath;

/** Runs a block of the page about bundling in a project, with the programs of some packages at hand. */
async function follow(
  folder: string,
  name: string,
  packages: readonly string[],
  more: readonly string[] = [],
): Promise<string> {
  const folders = packages.length === 0 ? [] : [join(await tool(packages), '.bin')];
  const env = { PATH: [...folders, ...more, dirname(node), process.env.PATH].join(':') };
  return fine('sh', ['-e', '-c', snippet(name)], { cwd: folder, env });
}

/** A program, made as the page says. */
async function made(name: string, packages: readonly string[], file: string): Promise<Found> {
  const folder = await installed({ 'app.mjs': APP });
  const output = await follow(folder, name, packages);
  // Rollup calls it a warning, of every package, that builtin modules are external.
  return runs(node, [file], folder, output.replace(/\(!\) Unresolved dependencies[\s\S]*?(?=created)/, ''));
}

async function esbuildOfRequire(): Promise<Found> {
  const folder = await installed({ 'app.mjs': REQUIRING });
  return runs(node, ['bundle.cjs'], folder, await follow(folder, 'esbuild-cjs', ['esbuild']));
}

/** The bundle alone, as it may be copied to where no packages are. */
async function alone(): Promise<Found> {
  const folder = await installed({ 'app.mjs': APP });
  const output = await follow(folder, 'esbuild-esm', ['esbuild']);
  const place = `${folder}-alone`;
  mkdirSync(place);
  cpSync(join(folder, 'bundle.mjs'), join(place, 'bundle.mjs'));
  return runs(node, ['bundle.mjs'], place, output);
}

/** And with the package of the binary. */
async function beside(): Promise<Found> {
  const folder = await installed({ 'app.mjs': APP });
  const output = await follow(folder, 'esbuild-esm', ['esbuild']);
  await follow(folder, 'beside', []);
  const place = `${folder}-beside`;
  cpSync(join(folder, 'deploy'), place, { recursive: true });
  return runs(node, ['bundle.mjs'], place, output);
}

async function rollup(): Promise<Found> {
  const folder = await installed({ 'app.mjs': APP });
  // Its plugins are looked for beside the project.
  await npm(folder, 'install', '@rollup/wasm-node@4', '@rollup/plugin-node-resolve@16', '@rollup/plugin-commonjs');
  const output = await follow(folder, 'rollup', [], [join(folder, 'node_modules/.bin')]);
  return runs(node, ['out/app.mjs'], folder, output.replace(/\(!\) Unresolved dependencies[\s\S]*?(?=created)/, ''));
}

/** What serverless platforms and Next.js's standalone output do: only files that a program is seen to need are there. */
async function traced(): Promise<Found> {
  const folder = await installed({ 'app.mjs': APP });
  const modules = await tool(['@vercel/nft@1']);
  const script = `
    const { nodeFileTrace } = require(${JSON.stringify(join(modules, '@vercel/nft'))});
    nodeFileTrace(['app.mjs'], { base: process.cwd() }).then(({ fileList, warnings }) =>
      console.log(JSON.stringify({ files: [...fileList], warnings: [...warnings].map(String) })));`;
  const { files, warnings } = JSON.parse(await fine(node, ['-e', script], { cwd: folder })) as Record<string, string[]>;
  const place = `${folder}-traced`;
  for (const file of files!) {
    mkdirSync(dirname(join(place, file)), { recursive: true });
    cpSync(join(folder, file), join(place, file));
  }
  // Packages for other systems are not installed.
  return runs(node, ['app.mjs'], place, warnings!.filter((text) => !/koffi|mmap-io/.test(text)).join('\n'));
}

/** A single executable, which has no packages but those in its bundle, or the binary's beside it. */
async function executable(isBeside: boolean): Promise<Found> {
  const folder = await installed({ 'app.mjs': APP });
  const programs = dirname(await nodeOf(22));
  const output = await follow(folder, 'sea', ['esbuild', 'postject'], [programs]);
  const place = `${folder}-sea`;
  mkdirSync(place);
  cpSync(join(folder, 'app'), join(place, 'app'));
  const binary = 'node_modules/@koromix';
  if (isBeside) cpSync(join(folder, binary), join(place, binary), { recursive: true });
  // What postject says of sections of Node itself, whatever the program is.
  const ofNode = /^warning: Can't find string offset for section name '\.note[.\d]*'$/gm;
  return runs(join(place, 'app'), [], place, output.replace(ofNode, ''));
}

/** A program that only reads, under the permission model. */
async function permitted(name: string, version: number): Promise<Found> {
  const folder = await installed({ 'app.mjs': READING });
  const programs = dirname(await nodeOf(version));
  await fine(
    node,
    [
      '--input-type=module',
      '-e',
      "import { build } from 'hmap'; await build('table.hmap', [['a', 1]], { value: 'u8' })",
    ],
    { cwd: folder },
  );
  const env = { PATH: `${programs}:${process.env.PATH}`, NODE_NO_WARNINGS: '1' };
  const output = await fine('sh', ['-e', '-c', snippet(name)], { cwd: folder, env });
  const { mapping, value } = JSON.parse(output) as Printed;
  return checked(mapping, { reads: value === 1 });
}

async function tsx(): Promise<Found> {
  const folder = await installed({ 'app.cts': `import { build, open, verify } from 'hmap';${MAIN}` });
  const modules = await tool(['tsx@4']);
  return runs(node, [join(modules, 'tsx/dist/cli.mjs'), 'app.cts'], folder);
}

async function typescript(): Promise<Found> {
  const folder = await installed({ 'app.cts': APP });
  const modules = await tool(['typescript@5.7', '@types/node@20']);
  const flags = [
    '--module',
    'node16',
    '--target',
    'es2022',
    '--strict',
    '--skipLibCheck',
    'false',
    '--lib',
    'es2022,esnext.disposable',
  ];
  const types = ['--typeRoots', join(modules, '@types'), '--types', 'node'];
  const output = await fine(node, [join(modules, 'typescript/bin/tsc'), ...flags, ...types, 'app.cts'], {
    cwd: folder,
  });
  return runs(node, ['app.cjs'], folder, output);
}

const JEST_TEST = `
test('tables', async () => {
  await build('table.hmap', [['a', 1], ['b', 2]], { value: 'u8' });
  const table = open('table.hmap');
  expect(table).toBeInstanceOf(Table);
  expect(table.get('b')).toBe(2);
  await build('bytes.hmap', [['a', new Uint8Array([1, 2])]], { value: 'bytes' });
  expect([...open('bytes.hmap').getView('a')!]).toEqual([1, 2]);
  expect((await verify('table.hmap')).ok).toBe(true);
  require('node:fs').writeFileSync('found.txt', table.mapping);
});`;

async function jest(kind: 'plain' | 'ts-jest', version: number): Promise<Found> {
  const script = kind === 'plain';
  const names = 'build, open, Table, verify';
  const files = script
    ? { 'table.test.js': `const { ${names} } = require('hmap');${JEST_TEST.replace("getView('a')!", "getView('a')")}` }
    : {
        'table.test.ts': `import { ${names} } from 'hmap';\ndeclare const test: any, expect: any, require: any;${JEST_TEST}`,
        'jest.config.js': "module.exports = { preset: 'ts-jest' };",
        'tsconfig.json': '{"compilerOptions":{"module":"node16","moduleResolution":"node16","isolatedModules":true}}',
      };
  const folder = await installed(files);
  // Jest looks for its parts beside the project.
  await fine(
    'npm',
    [
      'install',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      'jest@29',
      ...(script ? [] : ['ts-jest@29', 'typescript@5.7', '@types/node@20']),
    ],
    { cwd: folder },
  );
  const program = await nodeOf(version);
  const { code, output } = await run(program, ['node_modules/jest/bin/jest.js'], { cwd: folder });
  if (code !== 0) throw new Error(output.slice(-2000));
  const checks = { 'warns of nothing': !/warn/i.test(output) };
  return checked(readFileSync(join(folder, 'found.txt'), 'utf8'), checks);
}

export const BUNDLERS: readonly Row[] = [
  row('esbuild-esm', 'esbuild to ES modules', () => made('esbuild-esm', ['esbuild'], 'bundle.mjs')),
  row('esbuild-cjs', 'esbuild to CommonJS', () => made('esbuild-cjs', ['esbuild'], 'bundle.cjs')),
  row('esbuild-require', 'esbuild, of `require`', esbuildOfRequire),
  row('esbuild-alone', 'esbuild, without node_modules', alone, ['copy']),
  row('esbuild-beside', 'esbuild, with the binary beside it', beside),
  row('webpack', 'webpack 5 to CommonJS', () => made('webpack', ['webpack@5', 'webpack-cli@6'], 'out/main.js')),
  row('rollup', 'rollup 4', rollup),
  row('vite-ssr', 'vite 7 --ssr', () => made('vite-ssr', ['vite@7'], 'dist/app.mjs')),
  row('ncc', '@vercel/ncc', () => made('ncc', ['@vercel/ncc'], 'out/index.mjs')),
  row('nft', '@vercel/nft (Next.js standalone)', traced),
  { ...row('sea', 'a single executable', () => executable(false), ['copy']), runtime: 'Node 22' },
  {
    ...row('sea-beside', 'a single executable, with the binary beside it', () => executable(true)),
    runtime: 'Node 22',
  },
  { ...row('permission', '--permission --allow-addons', () => permitted('permission', 24)), runtime: 'Node 24' },
  {
    ...row('permission-ffi', '--permission --allow-ffi', () => permitted('permission-ffi', 26), ['ffi']),
    runtime: 'Node 26',
  },
  row('tsx', 'tsx, of a .cts file', tsx),
  row('tsc-node16', 'tsc 5.7, module node16, of a .cts file', typescript),
  ...[20, 22, 24, 26].map((version) => ({
    ...row(`jest-${version}`, 'jest 29', () => jest('plain', version)),
    runtime: `Node ${version}`,
  })),
  row('ts-jest', 'ts-jest 29', () => jest('ts-jest', 20)),
];
