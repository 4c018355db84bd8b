// Installs and loads the packages of the peers, which are no dependencies of the product. Knows packages; what they are
// for is elsewhere.

import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { run } from './child.js';
import { BENCH } from './places.js';

export const PACKAGES = [
  'better-sqlite3',
  'binary-fuse-filter',
  'classic-level',
  'echarts',
  'ioredis',
  'lmdb',
] as const;
export type PackageName = (typeof PACKAGES)[number];

/** A package that can be loaded, or why it cannot. */
export type PeerPackage = { readonly folder: string; readonly version: string } | { readonly why: string };

export type PeerPackages = Readonly<Record<PackageName, PeerPackage>>;

/** Loads a package from the folder where the bench has installed it. */
export function requirePeer<T>(folder: string, name: PackageName): T {
  return createRequire(join(folder, 'package.json'))(name) as T;
}

/** The folder of a package that is there. */
export function folderOf(peers: PeerPackages, name: PackageName): string | undefined {
  const found = peers[name];
  return 'folder' in found ? found.folder : undefined;
}

/**
 * Installs all packages for this version of Node, unless an earlier run has; native modules fit one version only. A
 * package that cannot be installed or loaded does not take the others along. What failed is kept too: to try again,
 * delete the folder.
 */
export async function installPeers(cache: string, log: (text: string) => void): Promise<PeerPackages> {
  const folder = join(cache, `peers-${process.versions.modules}`);
  const marker = join(folder, 'installed.json');
  const lock = createHash('sha256')
    .update(readFileSync(join(BENCH, 'package-lock.json')))
    .digest('hex');
  if (existsSync(marker)) {
    const found = JSON.parse(readFileSync(marker, 'utf8')) as { lock: string; peers: PeerPackages };
    if (found.lock === lock) return found.peers;
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  log('installing the peers; the first time this takes a minute or two, since some are compiled');
  const peers = await installAll(folder).catch(async (error: Error) => {
    log(`the peers cannot be installed together (${error.message}); one by one`);
    return installEach(folder);
  });
  writeFileSync(marker, JSON.stringify({ lock, peers }, undefined, 2));
  return peers;
}

async function installAll(folder: string): Promise<PeerPackages> {
  for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(BENCH, name), join(folder, name));
  await npm(folder, 'ci');
  return collect((name) => tryLoading(folder, name));
}

/** In folders of their own and at the versions of the lock, though what they themselves depend on may be newer. */
async function installEach(folder: string): Promise<PeerPackages> {
  return collect(async (name) => {
    const own = join(folder, name);
    mkdirSync(own);
    writeFileSync(join(own, 'package.json'), JSON.stringify({ private: true }));
    try {
      await npm(own, 'install', '--no-package-lock', `${name}@${lockedVersion(name)}`);
    } catch (error) {
      return { why: `cannot be installed: ${(error as Error).message}` };
    }
    return tryLoading(own, name);
  });
}

async function collect(one: (name: PackageName) => Promise<PeerPackage>): Promise<PeerPackages> {
  const found: [PackageName, PeerPackage][] = [];
  for (const name of PACKAGES) found.push([name, await one(name)]);
  return Object.fromEntries(found) as Record<PackageName, PeerPackage>;
}

/** Loads a package in a process of its own: a native module of the wrong kind may end it. */
async function tryLoading(folder: string, name: PackageName): Promise<PeerPackage> {
  try {
    await run(process.execPath, ['-e', PROBES[name] ?? `require('${name}')`], { cwd: folder, timeoutMs: 60_000 });
    const { version } = requireJson(join(folder, 'node_modules', name, 'package.json'));
    return { folder, version };
  } catch (error) {
    return { why: `cannot be loaded: ${(error as Error).message}` };
  }
}

/** Where loading alone would not show that the native part is missing. */
const PROBES: Partial<Record<PackageName, string>> = {
  'better-sqlite3': `new (require('better-sqlite3'))(':memory:').close()`,
};

function npm(folder: string, ...args: string[]): Promise<unknown> {
  const home = dirname(process.execPath);
  const env: Record<string, string> = { PATH: `${home}${delimiter}${process.env.PATH ?? ''}` };
  // Headers that came with this Node, so that compiling needs no download.
  const prefix = dirname(home);
  if (existsSync(join(prefix, 'include', 'node', 'node.h'))) env.npm_config_nodedir = prefix;
  return run('npm', [...args, '--no-audit', '--no-fund'], { cwd: folder, env });
}

function lockedVersion(name: PackageName): string {
  return requireJson(join(BENCH, 'package-lock.json')).packages[`node_modules/${name}`].version;
}

// biome-ignore lint/suspicious/noExplicitAny: package files have many shapes
function requireJson(path: string): any {
  return JSON.parse(readFileSync(path, 'utf8'));
}
