// Times `hmap build` on inputs that are not plain lines, each beside what it is held against, in turns: compressed lines
// beside zcat, JSON, and SQLite beside reading its rows. Prints a table in Markdown; native-notes/performance.md has it.
//
//     npm run bench:inputs                 # on the Node that runs it; data and results in tools/bench/cache

import { execFileSync, spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGzip } from 'node:zlib';
import { ensureSource } from './data.js';
import { readLines } from './lines.js';
import { median, spread } from './model.js';
import { CACHE, HMAP } from './places.js';

const TURNS = 7;
const PEAK = fileURLToPath(new URL('./peak.js', import.meta.url));
const folder = join(CACHE, 'inputs');

interface Took {
  readonly seconds: number;
  /** Of the process with hmap in it, in bytes. */
  readonly peak: number;
}

/** Runs a command of the shell. */
function timed(command: string): Took {
  const file = join(folder, 'peak');
  rmSync(file, { force: true });
  const began = performance.now();
  const ran = spawnSync('sh', ['-c', command], { env: { ...process.env, BENCH_PEAK_FILE: file }, encoding: 'utf8' });
  const seconds = (performance.now() - began) / 1000;
  if (ran.status !== 0) throw new Error(`${command}: ${ran.stderr}`);
  return { seconds, peak: existsSync(file) ? Number(execFileSync('cat', [file])) : 0 };
}

const node = `"${process.execPath}" --no-warnings`;
const build = (args: string) =>
  `${node} --import "${PEAK}" "${HMAP}" build --force ${args} "${join(folder, 'out.hmap')}"`;

/** Reads rows in the two ways that node:sqlite has, and sums what is in them. */
const ROWS = `
  const { DatabaseSync } = require('node:sqlite');
  const statement = new DatabaseSync(process.argv[1], { readOnly: true }).prepare('select k, v from t');
  let sum = 0;
  if (process.argv[2] === 'arrays') {
    statement.setReturnArrays(true);
    for (const [key, value] of statement.iterate()) sum += key.length + value;
  } else for (const { k, v } of statement.iterate()) sum += k.length + v;`;

interface Row {
  readonly what: string;
  readonly command: string;
  readonly beside: string;
  readonly besideWhat: string;
  /** Bytes of the input, where the rate matters. */
  readonly bytes?: number;
}

async function rowsOf(): Promise<Row[]> {
  mkdirSync(folder, { recursive: true });
  const many = (await ensureSource('10M', 'u32', CACHE, 1)).tsv;
  const few = (await ensureSource('1M', 'u32', CACHE, 1)).tsv;
  const gz = await made('10M.tsv.gz', (path) =>
    pipeline(createReadStream(many), createGzip({ level: 6 }), createWriteStream(path)),
  );
  const numbers = await made('1M.json', (path) => writeJson(few, path, (_, value) => value));
  const objects = await made('1M-objects.json', (path) =>
    writeJson(few, path, (key, value) => `{ "id": ${value}, "name": "the name of ${key}" }`),
  );
  const plain = build(`-v u32 "${few}"`);
  const json = (what: string, path: string, args: string): Row => ({
    ...{
      what,
      command: build(`${args}"${path}"`),
      beside: plain,
      besideWhat: 'the same keys and numbers as plain lines',
    },
    bytes: statSync(path).size,
  });
  const rows: Row[] = [
    {
      what: 'gzip, 10 million lines',
      command: build(`-v u32 "${gz}"`),
      beside: `zcat "${gz}" | ${build('-v u32 --format tsv -')}`,
      besideWhat: 'zcat and a pipe',
    },
    json('JSON object, a million numbers', numbers, '-v u32 '),
    json('JSON object, a million objects', objects, ''),
  ];
  if (spawnSync(process.execPath, ['-e', "require('node:sqlite')"]).status !== 0) return rows;
  const database = await made('1M.db', async (path) => writeDatabase(few, path));
  const read = (form: string) => `${node} -e "${ROWS.replaceAll('\n', ' ')}" "${database}" ${form}`;
  const sqlite = (form: string, besideWhat: string): Row => ({
    ...{ what: 'SQLite, a million rows', command: build(`-v u32 "${database}"`), beside: read(form), besideWhat },
  });
  rows.push(sqlite('objects', 'reading the rows as objects'));
  const hasArrays = typeof (await sqlitePrototype())?.setReturnArrays === 'function';
  if (hasArrays) rows.push(sqlite('arrays', 'reading the rows as arrays'));
  return rows;
}

async function sqlitePrototype(): Promise<{ setReturnArrays?: unknown } | undefined> {
  const sqlite = (await import('node:sqlite' as string)) as {
    StatementSync: { prototype: { setReturnArrays?: unknown } };
  };
  return sqlite.StatementSync.prototype;
}

async function made(name: string, make: (path: string) => Promise<void> | void): Promise<string> {
  const path = join(folder, name);
  if (!existsSync(path)) await make(path);
  return path;
}

function writeJson(tsv: string, path: string, valueFor: (key: string, value: string) => string): void {
  const parts: string[] = [];
  readLines(tsv, (bytes, start, keyEnd, end) => {
    const key = bytes.toString('utf8', start, keyEnd);
    const value = bytes.toString('utf8', keyEnd + 1, end);
    parts.push(`${JSON.stringify(key)}: ${valueFor(key, value)}`);
  });
  writeFileSync(path, `{\n${parts.join(',\n')}\n}\n`);
}

async function writeDatabase(tsv: string, path: string): Promise<void> {
  const { DatabaseSync } = (await import('node:sqlite' as string)) as {
    DatabaseSync: new (
      path: string,
    ) => { exec(sql: string): void; prepare(sql: string): { run(...values: unknown[]): void } };
  };
  const database = new DatabaseSync(path);
  database.exec('create table t (k text primary key, v integer) without rowid; begin');
  const insert = database.prepare('insert into t values (?, ?)');
  readLines(tsv, (bytes, start, keyEnd, end) => {
    const key = bytes.toString('utf8', start, keyEnd);
    const value = bytes.toString('utf8', keyEnd + 1, end);
    insert.run(key, Number(value));
  });
  database.exec('commit');
}

async function main(): Promise<void> {
  const rows = await rowsOf();
  console.log(
    `Node ${process.version}, ${cpus()[0]?.model.trim() ?? 'unknown'}; ${TURNS} turns, start of the process included\n`,
  );
  console.log('| input | seconds | beside | seconds | ratio | rate | peak memory |\n|---|---|---|---|---|---|---|');
  for (const { what, command, beside, besideWhat, bytes } of rows) {
    const turns = Array.from({ length: TURNS }, () => [timed(command), timed(beside)] as const);
    const own = turns.map(([took]) => took.seconds);
    const other = turns.map(([, took]) => took.seconds);
    const ratio = turns.map(([took, took2]) => took.seconds / took2.seconds);
    const rate = bytes === undefined ? '' : `${(bytes / 1e6 / median(own)).toFixed(0)} MB/s`;
    const peak = `${Math.round(median(turns.map(([took]) => took.peak)) / 2 ** 20)} MiB`;
    console.log(
      `| ${what} | ${spread(own)} | ${besideWhat} | ${spread(other)} | ${spread(ratio)} | ${rate} | ${peak} |`,
    );
  }
}

await main();
