// The build of more entries than fit in its memory: time, peak of physical memory, size. Leaves no files behind.

import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeLines } from './big-lines.js';
import { run } from './child.js';
import type { Collection } from './collection.js';
import type { Context } from './context.js';
import { HMAP } from './places.js';

const ENTRIES = 100_000_000;
const MEMORY = '256M';
const PEAK = new URL('peak.js', import.meta.url).href;

/** `entries` is for trying it with fewer. */
export async function measureBigBuild(context: Context, collection: Collection, entries = ENTRIES): Promise<void> {
  const [tsv, table, peak] = ['tsv', 'hmap', 'peak'].map((ending) =>
    join(context.cache, `big-${process.pid}.${ending}`),
  );
  const removeAll = () => {
    for (const path of [tsv, table, peak]) rmSync(path!, { force: true });
  };
  process.once('exit', removeAll);
  try {
    context.log(`big build: writing ${entries} lines`);
    writeLines(tsv!, entries, context.seed);
    context.log(`big build: building with --memory ${MEMORY}`);
    const args = ['--import', PEAK, HMAP, 'build', '--memory', MEMORY, '--value', 'u32', '--json', tsv!, table!];
    const { seconds } = await run(process.execPath, args, { env: { BENCH_PEAK_FILE: peak! } });
    const figure = { subject: 'hmap', dataset: '100M', values: 'u32' } as const;
    const note = `--memory ${MEMORY}, from a TSV of ${statSync(tsv!).size} bytes`;
    collection.add({ ...figure, metric: 'big build', unit: 's', note }, seconds);
    collection.add({ ...figure, metric: 'big build peak', unit: 'bytes', note: 'RSS' }, Number(readFileSync(peak!)));
    collection.add({ ...figure, metric: 'file', unit: 'bytes' }, statSync(table!).size);
    collection.add({ ...figure, metric: 'size', unit: 'bytes an entry' }, statSync(table!).size / entries);
  } finally {
    removeAll();
    process.off('exit', removeAll);
  }
}
