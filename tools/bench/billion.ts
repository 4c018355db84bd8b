// A billion u64 keys as a set, in one file and in shards, beside a hundred million and a million: how long builds take an entry,
// how much memory and disk they need; opening, and what a cold lookup reads. Needs about 40 GB of disk; leaves nothing there.

import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer as ColdAnswer, Task as ColdTask } from './billion-child.js';
import { runTask } from './child.js';
import type { Answer, Task } from './integers-child.js';
import { median } from './model.js';
import { type PageCache, pageCache } from './page-cache.js';

const BILLION = 1_000_000_000;
const SHARDS = 16;
const ROUNDS = 5;
/** Bytes of disk for the largest build: the file and the records that do not fit in memory. */
const DISK = 30e9;

interface Row {
  readonly what: string;
  readonly entries: number;
  readonly seconds: number;
  readonly peak: number;
  readonly disk: number;
  readonly bytes: number;
  readonly open: string;
  readonly cold: string;
}

export async function billion(cache: string, log: (text: string) => void): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const free = statfsSync(cache);
  if (free.bavail * free.bsize < DISK) throw new Error(`the disk has less than ${DISK / 1e9} GB left`);
  const pages = pageCache();
  if (typeof pages === 'string') log(`cold lookups are not measured: ${pages}`);
  const rows: Row[] = [];
  for (const [entries, shards] of [
    [1_000_000, undefined],
    [100_000_000, undefined],
    [100_000_000, SHARDS],
    [BILLION, undefined],
    [BILLION, SHARDS],
  ] as const) {
    const what = shards === undefined ? 'one file' : `${shards} shards`;
    log(`${entries.toLocaleString('en')} keys, ${what}`);
    rows.push(await measure(cache, entries, shards, typeof pages === 'string' ? undefined : pages, what));
  }
  process.stdout.write(textOf(rows));
}

async function measure(
  cache: string,
  entries: number,
  shards: number | undefined,
  pages: PageCache | undefined,
  what: string,
): Promise<Row> {
  const output = join(cache, `billion-${process.pid}`);
  const before = statfsSync(cache);
  let least = before.bfree;
  const watching = setInterval(() => {
    least = Math.min(least, statfsSync(cache).bfree);
  }, 500);
  try {
    const task: Task = { entries, output, values: false, columns: true, ...(shards && { shards }) };
    const { seconds, peak } = await runTask<Answer>('./integers-child.js', task, [], { timeoutMs: 60 * 60_000 });
    clearInterval(watching);
    const files = filesOf(output);
    const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
    const answers: ColdAnswer[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      for (const file of files) pages?.evict(file);
      const cold: ColdTask = { table: output, entries, lookups: 100, seed: round };
      answers.push(await runTask<ColdAnswer>('./billion-child.js', cold));
    }
    const spread = (of: (answer: ColdAnswer) => number, digits: number) => {
      const all = answers.map(of).toSorted((a, b) => a - b);
      return `${median(all).toFixed(digits)} (${all[0]!.toFixed(digits)} to ${all.at(-1)!.toFixed(digits)})`;
    };
    const pageBytes = pages?.pageBytes ?? 4096;
    return {
      what,
      entries,
      seconds,
      peak,
      disk: (before.bfree - least) * before.bsize,
      bytes,
      open: spread(({ openMs }) => openMs, 2),
      cold: pages === undefined ? 'not measured' : spread(({ residentBytes }) => residentBytes / 100 / pageBytes, 2),
    };
  } finally {
    clearInterval(watching);
    rmSync(output, { recursive: true, force: true });
  }
}

function filesOf(path: string): string[] {
  if (!existsSync(path)) throw new Error(`${path} was not built`);
  return statSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [path];
}

function textOf(rows: readonly Row[]): string {
  const first = new Map(rows.filter(({ entries }) => entries < BILLION).map((row) => [row.what, row]));
  const lines = rows.map(({ what, entries, seconds, peak, disk, bytes, open, cold }) => {
    const small = first.get(what);
    const nanoseconds = (1e9 * seconds) / entries;
    const ratio = entries === BILLION && small ? (seconds / entries / (small.seconds / small.entries)).toFixed(2) : '';
    const cells = [
      `${entries.toLocaleString('en')}, ${what}`,
      seconds.toFixed(1),
      nanoseconds.toFixed(0),
      ratio,
      `${(peak / 2 ** 20).toFixed(0)} MiB`,
      `${(disk / 1e9).toFixed(1)} GB`,
      (bytes / entries).toFixed(2),
      open,
      cold,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const head =
    '| keys | seconds | ns a key | to that at 100M | peak memory | disk | bytes a key | open, ms | pages of a cold `has` |';
  return `${head}\n|---|--:|--:|--:|--:|--:|--:|---|---|\n${lines.join('\n')}\n`;
}
