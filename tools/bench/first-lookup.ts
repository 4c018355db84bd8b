// From the start of a process to its first value: a whole process, timed from outside and by its own clock.

import { existsSync, renameSync, statSync, writeFileSync } from 'node:fs';
import type { Context } from './context.js';
import { timeToLine } from './first-line.js';
import type { Answer, Task, Way } from './first-lookup-child.js';
import type { Files, Subject } from './model.js';
import { folderOf, type PackageName } from './peers.js';
import { readMap } from './read-map.js';
import { sampleLines } from './sample-keys.js';
import type { Samples } from './samples.js';

/** A text of JSON that a program would load into a `Map`: an array of pairs, which is what `new Map` takes. */
function jsonOf(tsv: string): string {
  const path = tsv.replace(/\.tsv$/, '.json');
  if (existsSync(path) && statSync(path).mtimeMs >= statSync(tsv).mtimeMs) return path;
  writeFileSync(`${path}.part`, JSON.stringify([...readMap(tsv)]));
  renameSync(`${path}.part`, path);
  return path;
}

/** A subject, and the task of its process. */
interface Contender {
  readonly subject: Subject;
  readonly note: string;
  readonly task: Omit<Task, 'key'>;
}

function contenders({ peers }: Context, { tsv, tables }: Files): Contender[] {
  const json = { way: 'json', path: jsonOf(tsv) } as const;
  const found: Contender[] = [
    { subject: 'node', note: 'prints a line, looks nothing up', task: { way: 'none', path: '' } },
    { subject: 'hmap', note: CACHED, task: { way: 'hmap', path: tables.hmap! } },
    { subject: 'Map', note: 'new Map(JSON.parse(text)), an array of pairs', task: json },
  ];
  for (const { subject, way, name } of PEERS) {
    const folder = folderOf(peers, name);
    const path = tables[subject];
    if (folder !== undefined && path !== undefined) found.push({ subject, note: CACHED, task: { way, path, folder } });
  }
  return found;
}

const CACHED = 'file in the page cache';
const PEERS = [
  { subject: 'lmdb', way: 'lmdb', name: 'lmdb' },
  { subject: 'sqlite-mmap', way: 'sqlite', name: 'better-sqlite3' },
] as const satisfies readonly { subject: Subject; way: Way; name: PackageName }[];

export async function measureFirstLookup(context: Context, samples: Samples): Promise<void> {
  const files = await context.files('1M', 'u32');
  const all = contenders(context, files);
  // One round before those that count: all files are then in the page cache.
  for (let round = -1; round < context.rounds; round++) {
    if (round >= 0) context.log(`first lookup 1M, round ${round + 1} of ${context.rounds}`);
    const line = sampleLines(files.tsv, 1, context.seed + round)[0]!;
    for (const { subject, note, task } of all) {
      const child: Task = { ...task, key: line.key };
      const { ms, line: answer } = await timeToLine<Answer>('first-lookup-child.js', child);
      if (task.way !== 'none' && answer.value !== line.value) {
        throw new Error(`${subject}: get(${line.key}) is ${answer.value}, not ${line.value}`);
      }
      if (round < 0) continue;
      const figure = { subject, dataset: '1M', values: 'u32', unit: 'ms', note } as const;
      samples.add({ ...figure, metric: 'first lookup' }, ms);
      samples.add({ ...figure, metric: 'first lookup, own clock' }, answer.ms);
    }
  }
}
