// npm run demo: real data in a table, read by several processes at once, beside processes that hold it in a Map. Knows
// the order of the show; data, processes and tables of figures are in the files beside it.

import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Entry, open, stat, verify } from 'hmap';
import { statText } from '../commands/stat-page.js';
import { complain, grouped, humanBytes, SIGNAL_EXIT } from '../terminal/cli.js';
import { endWithReader } from '../terminal/output.js';
import { type DataSet, ranks, words } from './data.js';
import type { Holding } from './protocol.js';
import { writeQueries } from './queries.js';
import {
  COLUMNS,
  conclusions,
  fileTable,
  heading,
  keyText,
  processNotes,
  processTable,
  type Results,
  samplesText,
} from './report.js';
import { runRound, stopAllReaders } from './round.js';

const PROCESSES = 4;
const SEED = 20_240_501;

function print(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** A folder that is gone when this process is, however it ends. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hmap-demo-'));
  process.on('exit', () => {
    stopAllReaders();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  for (const [signal, code] of Object.entries(SIGNAL_EXIT)) process.on(signal, () => process.exit(code));
  return folder;
}

function* entriesOf({ entries }: DataSet): Generator<Entry<'u32'>> {
  for (const { key, value } of entries) yield [key, value];
}

function showSamples(path: string, { samples }: DataSet): void {
  using table = open(path, { value: 'u32' });
  const found = samples.map(({ key }) => ({ key, value: table.get(key) }));
  for (const [i, { key, value }] of found.entries()) {
    const expected = samples[i]!.value;
    if (value !== expected) throw new Error(`get(${keyText(key)}) gave ${value}, not ${expected}`);
  }
  print(samplesText(found));
}

/** Keys that are looked up with one call. */
const AT_ONCE = 1000;
/** A prime, so that this stride goes through all entries in an order that is not theirs. */
const STRIDE = 1_000_003;

/** Looks every key up, one by one and many at once, and says what either costs. */
function showMany(path: string, { entries }: DataSet): void {
  using table = open(path, { value: 'u32', key: 'bytes' });
  const order = Array.from(entries, (_, i) => entries[(i * STRIDE) % entries.length]!);
  // New ones, as they come from a request: they lie in memory in the order in which they are asked for.
  const keys = order.map(({ key }) => (typeof key === 'string' ? Buffer.from(key).toString() : Uint8Array.from(key)));
  const ways = {
    get: () => keys.map((key) => table.get(key)),
    getMany: () => {
      const values: (number | undefined)[] = [];
      for (let at = 0; at < keys.length; at += AT_ONCE) values.push(...table.getMany(keys.slice(at, at + AT_ONCE)));
      return values;
    },
  };
  const costs = Object.entries(ways).map(([name, ask]) => {
    let best = Number.POSITIVE_INFINITY;
    // The first rounds check the file's blocks, and run before V8 has compiled what they call.
    for (let round = 0; round < 5; round++) {
      const start = performance.now();
      const values = ask();
      best = Math.min(best, performance.now() - start);
      const wrong = order.findIndex(({ value }, i) => value !== values[i]);
      if (wrong >= 0) throw new Error(`${name} gave ${values[wrong]} for ${keyText(keys[wrong]!)}`);
    }
    return `${Math.round((1e6 * best) / keys.length)} ns`;
  });
  const where = table.core === 'wasm' ? 'WebAssembly' : `JavaScript: ${table.coreReason!.message}`;
  print(`\nAll ${grouped(keys.length)} keys, one by one with get: ${costs[0]} a key.`);
  print(`${grouped(AT_ONCE)} at once with getMany (in ${where}): ${costs[1]} a key.`);
}

async function show(data: DataSet, folder: string): Promise<Results> {
  print(heading(data.title));
  print(`${data.about}\n`);
  const path = join(folder, `${data.name}.hmap`);
  const built = await build(path, entriesOf(data), { value: 'u32' });
  print(`Built ${data.name}.hmap: ${grouped(built.entries)} entries, ${humanBytes(built.fileBytes)}.\n`);
  showSamples(path, data);
  showMany(path, data);

  const queries = join(folder, `${data.name}.queries`);
  writeQueries(queries, data.entries, SEED);
  const round = (holding: Holding) =>
    runRound(
      {
        holding,
        table: path,
        source: data.source.path,
        sourceFormat: data.source.format,
        queries,
        keyForm: holding === 'map' ? data.keyForms.map : data.keyForms.hmap,
      },
      PROCESSES,
    );
  const bare = await round('bare');
  const hmap = await round('hmap');
  const map = await round('map');
  const verified = await verify(path);
  const results = { data, built, verified, hmap, map, bare };
  print(`\n${processNotes(results)}\n`);
  print(processTable(results));
  for (const { right } of [...hmap, ...map]) {
    if (right !== data.entries.length)
      throw new Error(`a process looked up ${right} of ${data.entries.length} keys of ${data.name}`);
  }
  if (!verified.ok) throw new Error(`verify: ${verified.findings[0]!.message} (${verified.total} findings)`);
  print(
    `\nhmap verify: ok, ${grouped(verified.entries)} entries checked against every rule of the format\n\nhmap stat:\n`,
  );
  print(statText(await stat(path)));
  print();
  return results;
}

async function main(): Promise<void> {
  endWithReader();
  const began = performance.now();
  const folder = temporaryFolder();
  const { version, platform, arch } = process;
  print(`hmap on real data: Node ${version}, ${platform} ${arch}, ${availableParallelism()} cores\n`);
  print(COLUMNS);
  const results = [await show(await words(), folder), await show(await ranks(folder), folder)];
  print(heading('In short'));
  print(fileTable(results));
  print();
  for (const line of conclusions(results)) print(`- ${line}`);
  print(`\nDone in ${((performance.now() - began) / 1000).toFixed(1)} s.`);
}

main().catch((error: unknown) => {
  complain(error);
  process.exitCode = 1;
});
