// How fast a table is verified, and the checksums alone.

import { runTask } from './child.js';
import type { Context } from './context.js';
import type { Dataset } from './model.js';
import type { Samples } from './samples.js';
import type { Answer, Task } from './verify-child.js';

export async function measureVerify(context: Context, samples: Samples, datasets: readonly Dataset[]): Promise<void> {
  const tasks: { dataset: Dataset; task: Task }[] = [];
  for (const dataset of datasets) {
    const { tables } = await context.files(dataset, 'u32');
    tasks.push({ dataset, task: { table: tables.hmap! } });
  }
  for (let round = 0; round < context.rounds; round++) {
    for (const { dataset, task } of tasks) {
      context.log(`verify ${dataset}, round ${round + 1} of ${context.rounds}`);
      const answer = await runTask<Answer>('verify-child.js', task);
      const figure = { subject: 'hmap', dataset, values: 'u32' } as const;
      samples.add({ ...figure, metric: 'verify', unit: 'entries a second' }, answer.entriesASecond);
      const without = { ...figure, subject: 'hmap-js' } as const;
      samples.add({ ...without, metric: 'verify', unit: 'entries a second' }, answer.inJavaScript);
      const unit = 'bytes a second';
      const read = 'reads of the file included, as verify does them; file in the page cache';
      samples.add({ ...figure, metric: 'verify checksums', unit, note: read }, answer.checksums);
      const hashed = 'XXH64 of blocks in memory, without reads';
      samples.add({ ...figure, metric: 'verify hashing', unit, note: hashed }, answer.hashing);
    }
  }
}
