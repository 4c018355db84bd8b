// The build of more entries than fit in its memory: time, peak of physical memory, size. Leaves no large files behind.

import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './child.js';
import type { Context } from './context.js';
import { HMAP } from './places.js';
import type { Samples } from './samples.js';
import { overhead } from './sizes.js';

const MEMORY = '256M';
const PEAK = new URL('peak.js', import.meta.url).href;

export async function measureBigBuild(context: Context, samples: Samples): Promise<void> {
  context.log('big build: writing 100M lines');
  const { tsv, entries } = await context.files('100M', 'u32');
  const table = join(context.cache, 'big.hmap');
  const peak = join(context.cache, 'big.peak');
  // The source too: it takes gigabytes, and is written again sooner than it is built from.
  const removeAll = () => {
    for (const path of [tsv, table, peak]) rmSync(path, { force: true });
  };
  process.once('exit', removeAll);
  try {
    context.log(`big build: building with --memory ${MEMORY}`);
    const build = [HMAP, 'build', '--force', '--memory', MEMORY, '--value', 'u32', tsv, table];
    const options = { env: { BENCH_PEAK_FILE: peak }, timeoutMs: 30 * 60_000 };
    const { seconds } = await run(process.execPath, ['--import', PEAK, ...build], options);
    const bytes = statSync(table).size;
    const figure = { subject: 'hmap', dataset: '100M', values: 'u32' } as const;
    const note = `--memory ${MEMORY}, from a TSV of ${(statSync(tsv).size / 1e9).toFixed(2)} GB`;
    samples.add({ ...figure, metric: 'big build', unit: 's', note }, seconds);
    samples.add({ ...figure, metric: 'big build peak', unit: 'bytes', note: 'RSS' }, Number(readFileSync(peak)));
    samples.add({ ...figure, metric: 'file', unit: 'bytes' }, bytes);
    samples.add({ ...figure, metric: 'size', unit: 'bytes an entry' }, bytes / entries);
    samples.add({ ...figure, metric: 'overhead', unit: 'bytes an entry' }, overhead(table));
  } finally {
    removeAll();
    process.off('exit', removeAll);
  }
}
