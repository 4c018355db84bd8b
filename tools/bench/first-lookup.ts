// From the start of a process to its first value: a whole process, timed from outside and by its own clock.

import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Collection } from './collection.js';
import type { Context } from './context.js';
import { timeToLine } from './first-line.js';
import type { Answer, Task, Way } from './first-lookup-child.js';
import type { Subject } from './model.js';
import { readMap } from './read-map.js';
import { sampleLines } from './sample-keys.js';

/** A text of JSON that a program would load into a `Map`: an array of pairs, which is what `new Map` takes. */
async function jsonOf(tsv: string, folder: string): Promise<string> {
  const path = join(folder, 'first-lookup-1M.json');
  if (existsSync(path)) return path;
  const map = readMap(await readFile(tsv));
  writeFileSync(`${path}.new`, JSON.stringify([...map]));
  renameSync(`${path}.new`, path);
  return path;
}

export async function measureFirstLookup(context: Context, collection: Collection): Promise<void> {
  const { tsv, tables } = await context.files('1M', 'u32');
  const ways: { subject: Subject; way: Way; path: string; note: string }[] = [
    { subject: 'node', way: 'none', path: '', note: 'prints a line, looks nothing up' },
    { subject: 'hmap', way: 'hmap', path: tables.hmap!, note: 'file in the page cache' },
    {
      subject: 'Map',
      way: 'json',
      path: await jsonOf(tsv, context.cache),
      note: 'new Map(JSON.parse(text)), an array of pairs',
    },
  ];
  // One round before those that count: all files are then in the page cache.
  for (let round = -1; round < context.rounds; round++) {
    if (round >= 0) context.log(`first lookup 1M, round ${round + 1} of ${context.rounds}`);
    const line = sampleLines(tsv, 1, context.seed + round)[0]!;
    for (const { subject, way, path, note } of ways) {
      const task: Task = { way, path, key: line.key };
      const { ms, line: answer } = await timeToLine<Answer>('first-lookup-child.js', task);
      if (way !== 'none' && answer.value !== line.value) throw new Error(`${way}: get(${line.key}) is ${answer.value}`);
      if (round < 0) continue;
      const figure = { subject, dataset: '1M', values: 'u32', unit: 'ms', note } as const;
      collection.add({ ...figure, metric: 'first lookup' }, ms);
      collection.add({ ...figure, metric: 'first lookup, own clock' }, answer.ms);
    }
  }
}
