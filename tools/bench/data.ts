// The data sets, as files of `key<TAB>value` lines that are kept between runs. Knows what they hold, not who reads
// them.

import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './child.js';
import { KEY_BYTES, writeKey, writeText } from './generate.js';
import { readLines, writeDecimal, writeLines } from './lines.js';
import type { Dataset, Values } from './model.js';

/** Entries of the data sets that are generated. */
export const ENTRIES = {
  '46k': 46_461,
  '1M': 1_000_000,
  '10M': 10_000_000,
  '100M': 100_000_000,
} as const satisfies Partial<Record<Dataset, number>>;

/** Real names, several million. The version is fixed so that runs can be compared. */
const NAMES = { package: 'all-the-package-names', version: '2.0.2578' };

/** Bytes of a value that is not a number. */
export const VALUE_BYTES: Record<Values, number> = { u32: 10, 'utf8-20': 20, 'bytes-200': 200 };

/**
 * A data set on the disk. Its value `i` is the number `i` or follows from it (generate.ts), where `i` counts the lines
 * from 0.
 */
export interface Source {
  readonly dataset: Dataset;
  readonly values: Values;
  readonly entries: number;
  readonly seed: number;
  readonly tsv: string;
}

/** Makes a data set unless it is there. */
export async function ensureSource(dataset: Dataset, values: Values, cache: string, seed: number): Promise<Source> {
  const folder = join(cache, 'data');
  mkdirSync(folder, { recursive: true });
  const tsv = join(folder, `${dataset}-${values}-${seed}.tsv`);
  if (!existsSync(tsv)) {
    const names = dataset === 'npm-names' ? await npmNames(cache) : undefined;
    whole(tsv, (path) => writeSource(path, dataset, values, seed, names));
  }
  const entries = dataset === 'npm-names' ? readLines(tsv, () => {}) : ENTRIES[dataset];
  return { dataset, values, entries, seed, tsv };
}

function writeSource(path: string, dataset: Dataset, values: Values, seed: number, names?: readonly string[]): void {
  const length = VALUE_BYTES[values];
  const count = names?.length ?? ENTRIES[dataset as keyof typeof ENTRIES];
  const keyBytes = names === undefined ? KEY_BYTES : names.reduce((most, name) => Math.max(most, name.length), 0);
  writeLines(path, count, keyBytes + length + 2, (index, bytes, at) => {
    let end = names === undefined ? writeKey(index, seed, bytes, at) : at + bytes.write(names[index]!, at, 'latin1');
    bytes[end++] = 0x09;
    end = values === 'u32' ? writeDecimal(index, bytes, end) : writeText(index, bytes, end, length);
    bytes[end++] = 0x0a;
    return end;
  });
}

/** The names of all packages of npm, from npm. */
async function npmNames(cache: string): Promise<string[]> {
  const folder = join(cache, NAMES.package);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'node_modules', NAMES.package, 'names.json');
  if (!existsSync(file)) {
    const name = `${NAMES.package}@${NAMES.version}`;
    await run('npm', ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', name]);
  }
  const names = JSON.parse(readFileSync(file, 'utf8')) as string[];
  // Those of other alphabets would not be one byte a character; there are none today.
  return names.filter((name) => /^[\x21-\x7e]+$/.test(name));
}

/** Makes a file under a temporary name, so that one which is there is whole. */
export function whole(path: string, make: (path: string) => void): void {
  const temporary = `${path}.part`;
  make(temporary);
  renameSync(temporary, path);
}
