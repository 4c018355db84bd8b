// What checking blocks costs a lookup: once all is checked, and at the first one.

import type { Answer, Task } from './checks-child.js';
import { runTask } from './child.js';
import type { Context } from './context.js';
import type { Dataset } from './model.js';
import { sampleLines } from './sample-keys.js';
import type { Samples } from './samples.js';

const LOOKUPS = 200_000;
/** Pairs of passes, one table after the other, so that what else the machine does meets both. */
const PASSES = 15;

export async function measureChecks(context: Context, samples: Samples, datasets: readonly Dataset[]): Promise<void> {
  for (const dataset of datasets) {
    const { tsv, tables } = await context.files(dataset, 'u32');
    for (let round = 0; round < context.rounds; round++) {
      context.log(`checks ${dataset}, round ${round + 1} of ${context.rounds}`);
      const lines = sampleLines(tsv, LOOKUPS, context.seed + round);
      const task: Task = { table: tables.hmap!, seed: context.seed + round, passes: PASSES, tsv, lookups: LOOKUPS };
      const answer = await runTask<Answer>('checks-child.js', task);
      if (answer.sum !== lines.reduce((sum, { value }) => sum + value, 0)) throw new Error(`${dataset}: a wrong sum`);
      const figure = { subject: 'hmap', dataset, values: 'u32' } as const;
      for (const check of ['header', 'touch'] as const) {
        const { first, warm } = answer[check];
        const note = 'both tables in one process, by turns';
        samples.add({ ...figure, metric: `warm get, check ${check}`, unit: 'ns', note }, warm);
        samples.add({ ...figure, metric: `first get of a table, check ${check}`, unit: 'ms' }, first);
      }
    }
  }
}
