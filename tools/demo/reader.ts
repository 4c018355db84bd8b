// One process of the demo: gets the data in one of three ways, looks up every key, reports what it measured. Does not
// know of the other processes: round.ts starts them together and says when to measure and when to go.

import { readFileSync } from 'node:fs';
import type { Key, MappingKind } from 'hmap';
import { measureMemory } from './memory.js';
import type { FromReader, Lookups, SourceFormat, Task, ToReader } from './protocol.js';
import { readQueries } from './queries.js';

/** The data, however this process holds it. */
interface Held {
  find(key: Key): number | undefined;
  mapping?: MappingKind;
}

/** Out here so that it is not collected: the memory is that of a process which still has its data. */
let held: Held | undefined;

async function hold(task: Task): Promise<Held | undefined> {
  switch (task.holding) {
    case 'hmap': {
      // Loaded only here: the other processes must not carry it.
      const { open } = await import('hmap');
      const table = open(task.table, { value: 'u32' });
      return { find: (key) => table.get(key), mapping: table.mapping };
    }
    case 'map': {
      const map = LOADERS[task.sourceFormat](task.source);
      // The demo asks for text or latin1 here, never for bytes.
      return { find: (key) => map.get(key as string) };
    }
    case 'bare':
      return undefined;
  }
}

const LOADERS: Record<SourceFormat, (path: string) => Map<string, number>> = {
  words(path) {
    const map = new Map<string, number>();
    let number = 0;
    for (const word of readFileSync(path, 'utf8').split('\n')) map.set(word, ++number);
    return map;
  },
  ranks(path) {
    const map = new Map<string, number>();
    for (const line of readFileSync(path, 'latin1').split('\n')) {
      const space = line.indexOf(' ');
      map.set(atob(line.slice(0, space)), Number(line.slice(space + 1)));
    }
    return map;
  },
};

function lookUpAll(task: Task, held: Held | undefined): Lookups {
  const lookups: Lookups = { firstLookupMs: 0, lookupNs: undefined, right: 0, mapping: held?.mapping };
  const times: number[] = [];
  for (const { keys, values } of readQueries(task.queries, task.keyForm)) {
    if (lookups.firstLookupMs === 0) {
      held?.find(keys[0]!);
      lookups.firstLookupMs = performance.now();
    }
    if (held === undefined) continue;
    const wrong = lookUp(held, keys, values, times);
    if (wrong >= 0) throw new Error(wrongValue(keys[wrong]!, held.find(keys[wrong]!), values[wrong]!));
    lookups.right += keys.length;
  }
  if (times.length > 0) lookups.lookupNs = times.sort((a, b) => a - b)[times.length >> 1]!;
  return lookups;
}

/** Looks up and times a batch; gives the index of a key with a wrong value, or -1. */
function lookUp(held: Held, keys: readonly Key[], values: readonly number[], times: number[]): number {
  let wrong = -1;
  const start = performance.now();
  for (let i = 0; i < keys.length; i++) {
    if (held.find(keys[i]!) !== values[i]) wrong = i;
  }
  times.push(((performance.now() - start) * 1e6) / keys.length);
  return wrong;
}

function wrongValue(key: Key, found: number | undefined, expected: number): string {
  const shown = typeof key === 'string' ? JSON.stringify(key) : `of bytes ${Buffer.from(key).toString('hex')}`;
  return `the key ${shown} gave ${found}, not ${expected}`;
}

function tell(message: FromReader): void {
  process.send?.(message);
}

async function main(): Promise<void> {
  process.once('disconnect', () => process.exit(1));
  const task = JSON.parse(process.argv[2]!) as Task;
  held = await hold(task);
  const lookups = lookUpAll(task, held);
  process.on('message', (message: ToReader) => {
    if (message === 'exit') process.exit(0);
    tell({ kind: 'memory', memory: measureMemory() });
  });
  tell({ kind: 'ready', lookups });
}

main().catch((error: unknown) => {
  tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
});
