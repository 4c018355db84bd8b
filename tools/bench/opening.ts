// How long `open` takes in a process that has imported the library.

import { runTask } from './child.js';
import type { Context } from './context.js';
import type { Dataset } from './model.js';
import type { Answer, Task } from './opening-child.js';
import type { Samples } from './samples.js';

/** A trial takes as long as Node takes to start, so there can be many. */
const TRIALS = 4;

export async function measureOpening(context: Context, samples: Samples, datasets: readonly Dataset[]): Promise<void> {
  const rounds = TRIALS * context.rounds;
  const tasks: { dataset: Dataset; task: Task }[] = [];
  for (const dataset of datasets) {
    const { tables } = await context.files(dataset, 'u32');
    tasks.push({ dataset, task: { table: tables.hmap! } });
  }
  context.log(`open ${datasets.join(', ')}: ${rounds} rounds`);
  // One round before those that count: the files' headers, and Node's own, are then in the page cache.
  for (let round = -1; round < rounds; round++) {
    for (const { dataset, task } of tasks) {
      const { first, second } = await runTask<Answer>('opening-child.js', task);
      if (round < 0) continue;
      const figure = { subject: 'hmap', dataset, values: 'u32', unit: 'ms' } as const;
      samples.add({ ...figure, metric: 'open', note: 'the first in the process: loads koffi' }, first);
      samples.add({ ...figure, metric: 'open, second', note: 'the second in the process' }, second);
    }
  }
}
