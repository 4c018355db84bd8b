// Times `hmap merge` of a large table with a thousandth of changes beside a whole build, in turns, by processor time and
// by the bytes that are written; and a merge of two halves, and `hmap diff`. Prints a table in Markdown;
// native-notes/performance.md has it.
//
//     npm run bench:merge                 # 10 million entries; data in tools/bench/cache
//     npm run bench:merge -- 100M

import { spawnSync } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureSource } from './data.js';
import { readLines } from './lines.js';
import { median, spread } from './model.js';
import { CACHE, HMAP } from './places.js';

const TURNS = 5;
const USAGE = fileURLToPath(new URL('./usage.js', import.meta.url));
const folder = join(CACHE, 'merges');
const path = (name: string) => join(folder, name);

interface Took {
  readonly seconds: number;
  readonly written: number;
}

/** Runs the program; what its process took. */
function hmap(...args: string[]): Took {
  const file = path('usage');
  const env = { ...process.env, BENCH_USAGE_FILE: file };
  const ran = spawnSync(process.execPath, ['--no-warnings', '--import', USAGE, HMAP, ...args], {
    env,
    encoding: 'utf8',
  });
  if (ran.status !== 0 && ran.status !== 1) throw new Error(`hmap ${args.join(' ')}: ${ran.stderr}`);
  return JSON.parse(readFileSync(file, 'utf8')) as Took;
}

/** Lines of a file of lines; of those that are taken the value may be another one. */
async function linesOf(
  from: string,
  name: string,
  isTaken: (line: number) => boolean,
  isChanged: boolean,
): Promise<string> {
  const to = path(name);
  if (existsSync(to)) return to;
  const out = createWriteStream(to);
  let line = 0;
  readLines(from, (bytes, start, keyEnd, end) => {
    if (!isTaken(line++)) return;
    const value = Number(bytes.toString('latin1', keyEnd + 1, end));
    out.write(`${bytes.toString('utf8', start, keyEnd)}\t${isChanged ? (value + 1) % 2 ** 32 : value}\n`);
  });
  await new Promise<void>((resolve) => out.end(resolve));
  return to;
}

async function main(): Promise<void> {
  const size = process.argv[2] ?? '10M';
  mkdirSync(folder, { recursive: true });
  const all = (await ensureSource(size as '10M', 'u32', CACHE, 1)).tsv;
  const changes = await linesOf(all, `${size}-changes.tsv`, (line) => line % 1000 === 7, true);
  const table = path(`${size}.hmap`);
  const changed = path(`${size}-changes.hmap`);
  const build = (from: string, to: string) => hmap('build', '--force', '--value', 'u32', from, to);
  build(all, table);
  build(changes, changed);
  const rows: [what: string, run: () => Took][] = [
    ['merge of a thousandth of changes', () => hmap('merge', '--force', table, changed, '-o', path('merged.hmap'))],
  ];
  if (size === '10M') {
    const [a, b] = [0, 1].map((half) => path(`${size}-${half}.hmap`)) as [string, string];
    for (const half of [0, 1]) {
      build(
        await linesOf(all, `${size}-${half}.tsv`, (line) => line % 2 === half, false),
        path(`${size}-${half}.hmap`),
      );
    }
    rows.push(['merge of two halves', () => hmap('merge', '--force', a, b, '-o', path('merged.hmap'))]);
  }
  rows.push(['diff with what was merged', () => hmap('diff', '--stat', table, path('merged.hmap'))]);
  const file = statSync(table).size;
  console.log(
    `Node ${process.version}, ${cpus()[0]?.model.trim() ?? 'unknown'}; ${size} entries, a file of ${file} bytes; ${TURNS} turns\n`,
  );
  console.log(
    '| | processor seconds | a whole build | ratio | written, of the file | by the build |\n|---|---|---|---|---|---|',
  );
  for (const [what, run] of rows) {
    const turns = Array.from({ length: TURNS }, () => [run(), build(all, path('built.hmap'))] as const);
    const own = turns.map(([took]) => took.seconds);
    const other = turns.map(([, took]) => took.seconds);
    const ratios = turns.map(([took, took2]) => took.seconds / took2.seconds);
    const written = (index: 0 | 1) => (median(turns.map((turn) => turn[index].written)) / file).toFixed(2);
    console.log(`| ${what} | ${spread(own)} | ${spread(other)} | ${spread(ratios)} | ${written(0)} | ${written(1)} |`);
  }
}

await main();
