// Bundlers, tracers and test runners: what each makes of a small program runs, maps or says why not, and none warns.

import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fine, installed, nodeOf, run, tool } from './place.js';
import { checked, type Row } from './rows.js';
import type { Found } from './smoke.js';

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

const row = (name: string, by: string, attempt: () => Promise<Found>, mapping: readonly string[] = ['libc']): Row => ({
  group: 'bundlers and test runners',
  name,
  system: 'Linux x64',
  runtime: 'Node 20',
  by,
  mapping,
  try: attempt,
});

const node = process.execPath;

async function esbuild(
  format: 'esm' | 'cjs',
  entry = 'app.mjs',
  text = APP,
): Promise<[folder: string, file: string, output: string]> {
  const folder = await installed({ [entry]: text });
  const file = `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`;
  const bin = join(await tool(['esbuild']), 'esbuild/bin/esbuild');
  const flags = ['--bundle', '--platform=node', `--format=${format}`, `--outfile=${file}`];
  return [folder, file, await fine(bin, [entry, ...flags], { cwd: folder })];
}

async function esbuilt(format: 'esm' | 'cjs', entry?: string, text?: string): Promise<Found> {
  const [folder, file, output] = await esbuild(format, entry, text);
  return runs(node, [file], folder, output);
}

/** The bundle alone, as it may be copied to where no packages are. */
async function esbuiltAlone(): Promise<Found> {
  const [folder, file] = await esbuild('cjs');
  const alone = `${folder}-alone`;
  mkdirSync(alone);
  cpSync(join(folder, file), join(alone, file));
  return runs(node, [file], alone);
}

async function webpack(): Promise<Found> {
  const folder = await installed({ 'app.mjs': APP });
  const modules = await tool(['webpack@5', 'webpack-cli@6']);
  const args = ['--mode', 'production', '--target', 'node', '--entry', './app.mjs', '--output-path', 'out'];
  const output = await fine(node, [join(modules, 'webpack-cli/bin/cli.js'), ...args], { cwd: folder });
  return runs(node, ['out/main.js'], folder, output);
}

async function rollup(): Promise<Found> {
  const folder = await installed({ 'app.mjs': APP });
  const modules = await tool(['@rollup/wasm-node@4', '@rollup/plugin-node-resolve@16', '@rollup/plugin-commonjs']);
  const config = `
    import { createRequire } from 'node:module';
    const require = createRequire(${JSON.stringify(join(modules, 'x.js'))});
    export default {
      input: 'app.mjs',
      output: { dir: 'out', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
      plugins: [require('@rollup/plugin-node-resolve')(), require('@rollup/plugin-commonjs')()],
    };`;
  writeFileSync(join(folder, 'rollup.config.mjs'), config);
  const output = await fine(node, [join(modules, '@rollup/wasm-node/dist/bin/rollup'), '-c'], { cwd: folder });
  // That builtin modules are external it calls a warning, of every package.
  return runs(node, ['out/app.mjs'], folder, output.replace(/\(!\) Unresolved dependencies[\s\S]*?(?=created)/, ''));
}

async function vite(): Promise<Found> {
  const folder = await installed({ 'app.mjs': APP });
  const modules = await tool(['vite@7']);
  const output = await fine(node, [join(modules, 'vite/bin/vite.js'), 'build', '--ssr', 'app.mjs'], { cwd: folder });
  return runs(node, ['dist/app.mjs'], folder, output);
}

async function ncc(): Promise<Found> {
  const folder = await installed({ 'app.mjs': APP });
  const modules = await tool(['@vercel/ncc']);
  const output = await fine(node, [join(modules, '@vercel/ncc/dist/ncc/cli.js'), 'build', 'app.mjs', '-o', 'out'], {
    cwd: folder,
  });
  return runs(node, ['out/index.mjs'], folder, output);
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
  const alone = `${folder}-traced`;
  for (const file of files!) {
    mkdirSync(dirname(join(alone, file)), { recursive: true });
    cpSync(join(folder, file), join(alone, file));
  }
  // Packages for other systems are not installed.
  return runs(node, ['app.mjs'], alone, warnings!.filter((text) => !/koffi|mmap-io/.test(text)).join('\n'));
}

/** A single executable, which has no packages but those in its bundle. */
async function executable(): Promise<Found> {
  const [folder, file] = await esbuild('cjs');
  const program = await nodeOf(22);
  const config = { main: file, output: 'sea.blob', disableExperimentalSEAWarning: true };
  writeFileSync(join(folder, 'sea.json'), JSON.stringify(config));
  await fine(program, ['--experimental-sea-config', 'sea.json'], { cwd: folder });
  const alone = `${folder}-sea`;
  mkdirSync(alone);
  cpSync(program, join(alone, 'app'));
  const postject = join(await tool(['postject']), 'postject/dist/cli.js');
  const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
  await fine(node, [postject, join(alone, 'app'), 'NODE_SEA_BLOB', 'sea.blob', '--sentinel-fuse', fuse], {
    cwd: folder,
  });
  return runs(join(alone, 'app'), [], alone);
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
  row('esbuild-esm', 'esbuild to ES modules', () => esbuilt('esm')),
  row('esbuild-cjs', 'esbuild to CommonJS', () => esbuilt('cjs')),
  row('esbuild-require', 'esbuild, of `require`', () => esbuilt('cjs', 'app.cjs', REQUIRING)),
  row('esbuild-alone', 'esbuild, without node_modules', esbuiltAlone, ['copy']),
  row('webpack', 'webpack 5 to CommonJS', webpack),
  row('rollup', 'rollup 4', rollup),
  row('vite-ssr', 'vite 7 --ssr', vite),
  row('ncc', '@vercel/ncc', ncc, ['libc', 'copy']),
  row('nft', '@vercel/nft (Next.js standalone)', traced),
  { ...row('sea', 'a single executable, by esbuild', executable, ['copy']), runtime: 'Node 22' },
  row('tsx', 'tsx, of a .cts file', tsx),
  row('tsc-node16', 'tsc 5.7, module node16, of a .cts file', typescript),
  ...[20, 22, 24, 26].map((version) => ({
    ...row(`jest-${version}`, 'jest 29', () => jest('plain', version)),
    runtime: `Node ${version}`,
  })),
  row('ts-jest', 'ts-jest 29', () => jest('ts-jest', 20)),
];
