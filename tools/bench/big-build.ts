// The builds of more entries than fit in their memory: time, peak of physical memory, size. Leave no large files behind.

import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run, runTask } from './child.js';
import type { Context } from './context.js';
import { ENTRIES } from './data.js';
import type { Answer, Task } from './integers-child.js';
import { HMAP } from './places.js';
import type { Samples } from './samples.js';
import { overhead } from './sizes.js';

const MEMORY = '256M';
const PEAK = new URL('peak.js', import.meta.url).href;

/** A set of 100 million u64 keys, from BigInts one by one and from chunks of them. */
export async function measureBigSets(context: Context, samples: Samples): Promise<void> {
  const output = join(context.cache, `big-set-${process.pid}.tmp`);
  const entries = ENTRIES['100M'];
  const figure = { subject: 'hmap', dataset: '100M' } as const;
  for (let round = 1; round <= context.rounds; round++) {
    for (const columns of [false, true]) {
      const metric = columns ? 'big set, chunks' : 'big set, BigInts';
      context.log(`${metric}, round ${round} of ${context.rounds}`);
      try {
        const task: Task = { entries, output, values: false, columns };
        const { seconds, peak } = await runTask<Answer>('./integers-child.js', task);
        samples.add({ ...figure, metric, unit: 's', note: 'u64 keys; making them is included' }, seconds);
        samples.add({ ...figure, metric: `${metric}, peak`, unit: 'bytes', note: 'RSS' }, peak);
      } finally {
        rmSync(output, { force: true });
      }
    }
  }
}

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
