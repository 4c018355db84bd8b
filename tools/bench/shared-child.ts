// One of several processes that hold a table: gets it, touches all of it, reports its memory on request, and stays
// until it is killed.

import { measureMemory } from '../demo/memory.js';
import { taskOf } from './task-of.js';

/** `none` and `modules` hold no table: the first has loaded nothing but this file, the second also what hmap needs. */
export type Holding = 'none' | 'modules' | 'hmap' | 'hmap, iterated' | 'Map';

export interface Task {
  readonly holding: Holding;
  readonly table: string;
  readonly tsv: string;
  readonly entries: number;
}

export type Message = { kind: 'ready' } | { kind: 'memory'; pss: number | undefined };

/** Keeps reads from being optimized away. */
let sink = 0;

async function hold({ holding, table: path, tsv, entries }: Task): Promise<unknown> {
  if (holding === 'none') return undefined;
  if (holding === 'Map') {
    const { readMap } = await import('./read-map.js');
    const map = readMap(tsv);
    if (map.size !== entries) throw new Error(`the Map has ${map.size} entries, not ${entries}`);
    return map;
  }
  // Loaded only here: the other processes must not carry it.
  const { open } = await import('hmap');
  if (holding === 'modules') return (await import('./koffi.js')).loadKoffi();
  const table = open(path, { value: 'u32' });
  // Iterating reads the records; lookups read the buckets too, and so a reader that has touched every page has done
  // both.
  if (holding === 'hmap, iterated') for (const [key, value] of table) sink ^= key.length ^ value;
  const segment = new Uint8Array(table.getView(table.keys().next().value!)!.buffer);
  for (let at = 0; at < segment.length; at += 4096) sink ^= segment[at]!;
  if (table.header.segments.length !== 1) throw new Error('a view reaches one segment, and the table has several');
  if (table.residentBytes()! < 0.99 * table.header.fileBytes) throw new Error('not every page was touched');
  return table;
}

function say(message: Message): void {
  process.send!(message);
}

process.once('disconnect', () => process.exit(1));
/** Exported so that it is not collected. */
export const held: unknown = await hold(taskOf<Task>());
process.on('message', () => say({ kind: 'memory', pss: measureMemory().pss }));
say({ kind: 'ready' });

export { sink };
