// Lookups in a file that is on the disk only: what they bring into memory, and how often they wait for the disk.

import { runTask } from './child.js';
import type { Answer, Task } from './cold-child.js';
import type { Context } from './context.js';
import type { Dataset, Files } from './model.js';
import { type PageCache, pageCache } from './page-cache.js';
import { sampleLines } from './sample-keys.js';
import type { Samples } from './samples.js';

const LOOKUPS = 100;
/** What is left of a file that was put out of the cache, at most: the pages that opening it reads again. */
const COLD = 0.1;

export async function measureCold(context: Context, samples: Samples, datasets: readonly Dataset[]): Promise<void> {
  const cache = pageCache();
  if (typeof cache === 'string') {
    context.log(`cold: not measured, ${cache}`);
    return;
  }
  for (const dataset of datasets) {
    const files = await context.files(dataset, 'u32');
    for (let round = 0; round < context.rounds; round++) {
      context.log(`cold ${dataset}, round ${round + 1} of ${context.rounds}`);
      for (const check of ['header', 'touch'] as const)
        await measureRound(cache, files, context, round, check, samples);
    }
  }
}

async function measureRound(
  cache: PageCache,
  { dataset, tsv, tables }: Files,
  { seed, log }: Context,
  round: number,
  check: 'header' | 'touch',
  samples: Samples,
): Promise<void> {
  const lines = sampleLines(tsv, 1 + LOOKUPS, seed + round);
  cache.evict(tables.hmap!);
  const task: Task = { table: tables.hmap!, check, lines };
  const answer = await runTask<Answer>('cold-child.js', task);
  if (answer.resident === undefined) {
    log(`cold: not measured, the mapping (${answer.mapping}) does not say what is resident`);
    return;
  }
  const figure = { subject: 'hmap', dataset, values: 'u32' } as const;
  const { afterOpen, afterOne, afterAll } = answer.resident;
  if (afterOpen > COLD * answer.tableBytes) {
    log(`cold: not measured, ${tables.hmap} stays in the page cache; is it on a disk?`);
    return;
  }
  // The plain names are those of what a lookup alone needs.
  const suffix = check === 'header' ? '' : ', check touch';
  const pages = (bytes: number) => bytes / cache.pageBytes;
  samples.add({ ...figure, metric: `resident after open${suffix}`, unit: 'bytes' }, afterOpen);
  samples.add({ ...figure, metric: `resident after a cold get${suffix}`, unit: 'bytes' }, afterOne);
  samples.add(
    { ...figure, metric: `pages of a cold get${suffix}`, unit: 'pages', count: 1 },
    pages(afterOne - afterOpen),
  );
  samples.add({ ...figure, metric: `faults of a cold get${suffix}`, unit: 'count', count: 1 }, answer.faultsOfOne);
  const note = `mean of ${LOOKUPS} after the first`;
  samples.add(
    { ...figure, metric: `pages of a cold get${suffix}`, unit: 'pages', count: LOOKUPS, note },
    pages(afterAll - afterOne) / LOOKUPS,
  );
  samples.add(
    { ...figure, metric: `faults of a cold get${suffix}`, unit: 'count', count: LOOKUPS, note },
    answer.faultsOfRest / LOOKUPS,
  );
}
