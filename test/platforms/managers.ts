// Package managers: each installs the package into an empty project, and the suite runs on what it made.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../support/ports.js';
import { fine, nodeOf, npm, project, root, run, smoke, tarball, tool } from './place.js';
import { checked, type Row, rowsOf } from './rows.js';
import type { Found } from './smoke.js';
import { snippet } from './snippets.js';

const row = rowsOf('package managers');

function withNpm(...options: string[]): () => Promise<Found> {
  return async () => {
    const folder = project();
    await npm(folder, 'install', ...options, await tarball());
    return smoke(folder, process.execPath, []);
  };
}

/** Caches and settings of the managers, apart from the user's. */
function env(): Record<string, string> {
  const home = join(root(), 'home');
  mkdirSync(home, { recursive: true });
  return {
    HOME: home,
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_DATA_HOME: join(home, 'data'),
    XDG_STATE_HOME: join(home, 'state'),
    YARN_GLOBAL_FOLDER: join(home, 'yarn'),
    YARN_ENABLE_TELEMETRY: '0',
    BUN_INSTALL_CACHE_DIR: join(home, 'bun'),
    DENO_DIR: join(home, 'deno'),
    DENO_NO_UPDATE_CHECK: '1',
    pnpm_config_update_notifier: 'false',
  };
}

/** Where packages come from: as npm is configured, which the other managers do not read. */
async function registry(): Promise<Record<string, string>> {
  const url = (await fine('npm', ['config', 'get', 'registry'])).trim();
  return registryEnv(url);
}

function registryEnv(url: string): Record<string, string> {
  const bare = url.replace(/\/$/, '');
  return {
    npm_config_registry: url,
    NPM_CONFIG_REGISTRY: url,
    pnpm_config_registry: url,
    YARN_REGISTRY: bare,
    YARN_NPM_REGISTRY_SERVER: bare,
    YARN_UNSAFE_HTTP_WHITELIST: new URL(url).hostname,
    YARN_NPM_MINIMAL_AGE_GATE: '0',
    pnpm_config_minimum_release_age: '0',
  };
}

async function settings(): Promise<{ env: Record<string, string> }> {
  return { env: { ...(await registry()), ...env() } };
}

async function pnpm(): Promise<Found> {
  const folder = project();
  const bin = join(await tool(['pnpm@12']), '.bin/pnpm');
  await fine(bin, ['add', '--ignore-workspace', await tarball()], { cwd: folder, ...(await settings()) });
  return smoke(folder, process.execPath, []);
}

async function yarn1(): Promise<Found> {
  const folder = project();
  const bin = join(await tool(['yarn@1']), '.bin/yarn');
  const args = ['add', '--non-interactive', '--no-progress', `file:${await tarball()}`];
  await fine(bin, args, { cwd: folder, ...(await settings()) });
  return smoke(folder, process.execPath, []);
}

/** Plug'n'Play: packages stay in archives, but for those with binaries. */
async function yarnPnp(): Promise<Found> {
  // Without a lock file of its own, a project below another one belongs to that.
  const folder = project({ 'yarn.lock': '' });
  const bin = join(await tool(['@yarnpkg/cli-dist@4']), '.bin/yarn');
  const options = { cwd: folder, ...(await settings()) };
  await fine(bin, ['add', `hmap@file:${await tarball()}`], options);
  if (existsSync(join(folder, 'node_modules'))) throw new Error("yarn did not use Plug'n'Play");
  return smoke(folder, bin, ['node'], options);
}

async function yarnModules(): Promise<Found> {
  const folder = project({ 'yarn.lock': '', '.yarnrc.yml': 'nodeLinker: node-modules\n' });
  const bin = join(await tool(['@yarnpkg/cli-dist@4']), '.bin/yarn');
  await fine(bin, ['add', `hmap@file:${await tarball()}`], { cwd: folder, ...(await settings()) });
  return smoke(folder, process.execPath, []);
}

async function bun(runtime: 'bun' | 'node'): Promise<Found> {
  const folder = project();
  const bin = join(await tool(['bun@1']), '.bin/bun');
  const options = { cwd: folder, ...(await settings()) };
  await fine(bin, ['add', await tarball()], options);
  return runtime === 'node' ? smoke(folder, process.execPath, []) : smoke(folder, bin, ['--no-install'], options);
}

/** Deno takes no tarball: the package comes from a registry of our own. */
async function deno(): Promise<Found> {
  const folder = project();
  const bin = join(await tool(['deno@2']), '.bin/deno');
  const options = { cwd: folder, env: { ...env(), ...registryEnv(await ownRegistry()) } };
  await fine(bin, ['add', '--minimum-dependency-age=0', 'npm:hmap'], options);
  const flags = ['run', '--no-prompt', '--allow-ffi', '--allow-read', '--allow-write', '--allow-env', '--allow-sys'];
  return smoke(folder, bin, flags, options);
}

/** With the rights that the page about deploying names, and no others. */
async function denoReads(): Promise<Found> {
  const folder = project({ 'app.mjs': READING });
  await npm(folder, 'install', await tarball());
  const code = "import { build } from 'hmap'; await build('table.hmap', [['a', 1]], { value: 'u8' })";
  await fine(process.execPath, ['--input-type=module', '-e', code], { cwd: folder });
  const PATH = `${join(await tool(['deno@2']), '.bin')}:${process.env.PATH}`;
  const options = { cwd: folder, env: { ...env(), PATH } };
  const printed = JSON.parse(await fine('sh', ['-e', '-c', snippet('deno')], options)) as {
    mapping: string;
    value: number;
  };
  return checked(printed.mapping, { reads: printed.value === 1 });
}

const READING = `
import { open } from 'hmap';
const table = open('table.hmap');
console.log(JSON.stringify({ mapping: table.mapping, value: table.get('a') }));`;

let own: Promise<string> | undefined;
const atEnd: (() => void)[] = [];

export function stopRegistry(): void {
  for (const stop of atEnd.splice(0)) stop();
}

/** The URL of a registry on this machine that has the package, and passes on what it does not have. */
function ownRegistry(): Promise<string> {
  own ??= startRegistry();
  return own;
}

async function startRegistry(): Promise<string> {
  // The last version that runs on Node 20. Another one of node-fetch is asked for by a tag, which mirrors do not have.
  const modules = await tool(['verdaccio@6.8.0'], { overrides: { 'node-fetch': '2.7.0' } });
  const above = (await fine('npm', ['config', 'get', 'registry'])).trim();
  const folder = join(root(), 'registry');
  mkdirSync(folder);
  const config = {
    storage: join(folder, 'storage'),
    web: { enable: false },
    auth: {},
    uplinks: { above: { url: above } },
    packages: {
      hmap: { access: '$all', publish: '$all' },
      '**': { access: '$all', proxy: 'above' },
    },
    log: { type: 'stdout', format: 'pretty', level: 'warn' },
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config));
  const port = await freePort();
  const args = [join(modules, 'verdaccio/bin/verdaccio'), '--config', join(folder, 'config.yaml')];
  const server = spawn(process.execPath, [...args, '--listen', `127.0.0.1:${port}`], { cwd: folder, stdio: 'ignore' });
  atEnd.push(() => server.kill());
  const url = `http://127.0.0.1:${port}/`;
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(`${url}-/ping`).catch(() => undefined);
    if (answer?.ok) break;
    if (attempt === 300) throw new Error('the registry does not start');
    await sleep(100);
  }
  const token = `--//127.0.0.1:${port}/:_authToken=none`;
  await fine('npm', ['publish', await tarball(), '--registry', url, token, '--no-update-notifier']);
  return url;
}

/** npm must be told that the package `bun` may run its script. That a package with one is refused shows that it looks. */
async function strictNpm(): Promise<Found> {
  const folder = project();
  const { code, output } = await run('npm', ['install', '--strict-allow-scripts', 'koffi@3'], { cwd: folder });
  if (code === 0 || !output.includes('ESTRICTALLOWSCRIPTS')) throw new Error('npm does not refuse install scripts');
  return withNpm('--strict-allow-scripts')();
}

const node = (major: number): Row => ({
  ...row(`node-${major}`, 'npm', async () => {
    const folder = project();
    await npm(folder, 'install', await tarball());
    return smoke(folder, await nodeOf(major), []);
  }),
  group: 'Node',
  runtime: `Node ${major}`,
});

const withoutBinary: Row = {
  ...row(
    'node-26-ffi',
    'npm --omit=optional',
    async () => {
      const folder = project();
      await npm(folder, 'install', '--omit=optional', await tarball());
      return smoke(folder, await nodeOf(26), ['--no-warnings']);
    },
    ['ffi'],
  ),
  group: 'Node',
  runtime: 'Node 26',
};

export const MANAGERS: readonly Row[] = [
  ...[20, 22, 24, 26].map(node),
  withoutBinary,
  row('npm-ignore-scripts', 'npm --ignore-scripts', withNpm('--ignore-scripts')),
  row('npm-strict', 'npm --strict-allow-scripts', strictNpm),
  row('npm-omit-optional', 'npm --omit=optional', withNpm('--omit=optional'), ['copy']),
  row('pnpm', 'pnpm 12', pnpm),
  row('yarn-1', 'yarn 1', yarn1),
  row('yarn-pnp', "yarn 4, Plug'n'Play", yarnPnp),
  row('yarn-4', 'yarn 4, node_modules', yarnModules),
  row('bun-add', 'bun add', () => bun('node')),
  { ...row('bun', 'bun add', () => bun('bun')), group: 'other runtimes', runtime: 'Bun 1' },
  { ...row('deno', 'deno add', deno), group: 'other runtimes', runtime: 'Deno 2' },
  { ...row('deno-reads', 'npm; may read and call', denoReads), group: 'other runtimes', runtime: 'Deno 2' },
];
