// tinycdb: its `cdb` command, and our program that looks up with its library. Knows how to get both, and what to call
// them with.

import { closeSync, existsSync, mkdirSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './child.js';
import { whole } from './data.js';
import { BENCH } from './places.js';

/** What of tinycdb is there. */
export interface Cdb {
  /** The version of the command. */
  readonly version: string;
  /** Our program, compiled. */
  readonly lookup: string;
}

/** Compiles our program unless that was done; rejects with the reason where there is no tinycdb or no compiler. */
export async function findCdb(cache: string): Promise<Cdb> {
  const { stdout } = await run('cdb', ['-h'], { timeoutMs: 10_000 });
  const version = /version\s+([\d.]+)/i.exec(stdout)?.[1] ?? 'unknown';
  const source = join(BENCH, 'cdb-lookup.c');
  const lookup = join(cache, 'bin', 'cdb-lookup');
  if (!existsSync(lookup) || statSync(lookup).mtimeMs < statSync(source).mtimeMs) {
    mkdirSync(join(cache, 'bin'), { recursive: true });
    await run('cc', ['-O3', '-std=c11', '-Wall', '-Wextra', '-o', lookup, source, '-lcdb'], { timeoutMs: 60_000 });
  }
  return { version, lookup };
}

/** Makes the lines that `cdb -c -m` reads, with a space for the tab, unless they are there; gives their path. */
export function ensureCdbInput(tsv: string): string {
  const path = tsv.replace(/\.tsv$/, '.cdb-input');
  if (existsSync(path)) return path;
  // No key and no value holds a tab or a space.
  whole(path, (part) => replaceByte(tsv, part, 0x09, 0x20));
  return path;
}

function replaceByte(from: string, to: string, old: number, replacement: number): void {
  const input = openSync(from, 'r');
  const output = openSync(to, 'w');
  const bytes = Buffer.allocUnsafe(2 ** 20);
  for (let filled = readSync(input, bytes); filled > 0; filled = readSync(input, bytes)) {
    for (let i = 0; i < filled; i++) if (bytes[i] === old) bytes[i] = replacement;
    for (let done = 0; done < filled; ) done += writeSync(output, bytes, done, filled - done);
  }
  closeSync(input);
  closeSync(output);
}

/** What builds a cdb file. */
export function cdbBuild(input: string, output: string): [command: string, args: string[]] {
  return ['cdb', ['-c', '-m', output, input]];
}
