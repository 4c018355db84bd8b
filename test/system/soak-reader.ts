// One reader of the soak test, a process or a worker thread: looks up all the time and holds all answers of a moment to
// one version. Reports what it has seen, and stops on request.

import { readdirSync, readFileSync } from 'node:fs';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { type Check, type MappingKind, open } from '../../src/index.js';
import { keyOf, type Version, versionOf } from './soak.js';

export interface Task {
  path: string;
  /** `watch`: takes new versions up by itself. `reload`: asks for them. */
  how: 'watch' | 'reload';
  mapping: MappingKind | 'auto';
  check: Check;
}

/** What a reader uses, in the middle and at the end. */
export interface Usage {
  /** Bytes that the process has, of which the allocator may keep what was used once. */
  rss: number;
  /** Bytes that V8 has in use, its own and others' that it holds: after a collection, where one can be asked for. */
  held: number;
  descriptors: number;
  /** Of tables, also of those that have lost their name. */
  mappings: number;
}

export interface Report {
  lookups: number;
  moments: number;
  reloads: number;
  versions: number;
  errors: string[];
  early: Usage;
  late: Usage;
}

async function usage(): Promise<Usage> {
  // Twice: what a first collection has found is released in a turn of its own.
  for (let i = 0; i < 2; i++) {
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  const linux = process.platform === 'linux';
  return {
    rss: process.memoryUsage.rss(),
    held: heapUsed + external,
    descriptors: linux ? readdirSync('/proc/self/fd').length : 0,
    mappings: linux ? readFileSync('/proc/self/maps', 'utf8').split('.hmap').length - 1 : 0,
  };
}

/** Looks at one moment of the table; returns its version, or what is wrong. */
function look(
  table: { getMany(keys: string[]): unknown[]; get(key: string): unknown; size: number },
  turn: number,
): Version {
  const { size } = table;
  const keys = Array.from({ length: 20 }, (_, i) => keyOf((turn * 7919 + i * 104_729) % size));
  // The presence of the last key distinguishes the versions.
  keys.push(keyOf(size - 1), keyOf(size));
  const answers = turn % 3 === 0 ? keys.map((key) => table.get(key)) : table.getMany(keys);
  const past = answers.pop();
  if (past !== undefined) throw new Error(`a key after the last of ${size} has the value ${past}`);
  const versions = answers.map((answer, i) => versionOf(keys[i]!, answer));
  const numbers = new Set(versions.map(({ number }) => number));
  if (numbers.size !== 1) throw new Error(`answers of versions ${[...numbers]} in one moment`);
  return versions[0]!;
}

async function run(task: Task, stopped: () => boolean): Promise<Report> {
  const { path, how, mapping, check } = task;
  const report: Partial<Report> & { errors: string[] } = { errors: [] };
  let reloads = 0;
  const watching = {
    watch: { interval: 10 },
    onReload: () => reloads++,
    onError: (error: unknown) => report.errors.push(`onError: ${error}`),
  };
  const table = open(path, { value: 'bytes', mapping, check, ...(how === 'watch' && watching) });
  let moments = 0;
  let lookups = 0;
  let last = 0;
  const versions = new Set<number>();
  while (!stopped() && report.errors.length < 5) {
    try {
      for (let i = 0; i < 50; i++) {
        const { number, size } = look(table, moments++);
        lookups += 22;
        if (size !== table.size) throw new Error(`version ${number} has ${size} entries, not ${table.size}`);
        if (number < last) throw new Error(`version ${number} after version ${last}`);
        last = number;
        versions.add(number);
        // Now and then the whole table, with a turn for other work in the middle of it.
        if (moments % 2000 === 0) {
          const all = new Set<number>();
          for (const [key, value] of table) {
            all.add(versionOf(key, value).number);
            if (all.size === 1 && key.endsWith('77')) await new Promise((resolve) => setImmediate(resolve));
          }
          if (all.size !== 1) throw new Error(`an iteration over versions ${[...all]}`);
        }
      }
      if (how === 'reload' && table.reload()) reloads++;
    } catch (error) {
      report.errors.push(String(error));
    }
    if (versions.size >= 20) report.early ??= await usage();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  report.late = await usage();
  table.close();
  return { early: report.late, ...report, lookups, moments, reloads, versions: versions.size, late: report.late };
}

let stop = false;
if (isMainThread) {
  process.on('message', () => {
    stop = true;
  });
  void run(JSON.parse(process.argv[2]!), () => stop).then((report) => {
    process.send!(report);
    process.disconnect();
  });
} else {
  parentPort!.once('message', () => {
    stop = true;
  });
  void run(workerData, () => stop).then((report) => parentPort!.postMessage(report));
}
