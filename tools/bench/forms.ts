// What a lookup costs by the types of keys and values and by layout, all of the same numbers, beside what a program
// would hold them in without a file.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runTask } from './child.js';
import type { Context } from './context.js';
import { ENTRIES } from './data.js';
import type { Answer, Question, Task } from './forms-child.js';
import { FORM_FILES, type FormFile, makeForm } from './forms-data.js';
import type { Figure, Subject } from './model.js';
import type { Samples } from './samples.js';

const LOOKUPS = 200_000;
const PASSES = 9;
const DATASET = '1M';

interface Form {
  readonly metric: string;
  readonly subject: Subject;
  readonly question: Question;
  /** The file that is asked; none for what is filled in memory. */
  readonly file?: FormFile;
}

export const FORMS: readonly Form[] = [
  { metric: 'get, u16', subject: 'hmap', question: 'u16', file: 'u16' },
  { metric: 'get, enum of 1,000', subject: 'hmap', question: 'enum', file: 'enum' },
  { metric: 'get, utf8', subject: 'hmap', question: 'utf8', file: 'utf8' },
  { metric: 'get, struct of 5 fields', subject: 'hmap', question: 'struct', file: 'struct' },
  { metric: 'field of a struct', subject: 'hmap', question: 'field', file: 'struct' },
  { metric: 'get, u32 keys', subject: 'hmap', question: 'u32 keys', file: 'u32 keys' },
  { metric: 'get, u32 keys', subject: 'Map', question: 'Map of numbers' },
  { metric: 'list get, u10', subject: 'hmap', question: 'list u10', file: 'list u10' },
  { metric: 'list get, u10', subject: 'Array', question: 'array' },
  { metric: 'list get, utf8', subject: 'hmap', question: 'list utf8', file: 'list utf8' },
  { metric: 'list getMany, utf8', subject: 'hmap', question: 'list getMany', file: 'list utf8' },
  { metric: 'bits has', subject: 'hmap', question: 'bits', file: 'bits' },
  { metric: 'bits has', subject: 'Set', question: 'Set of integers' },
  { metric: 'bits rank', subject: 'hmap', question: 'rank', file: 'bits' },
  { metric: 'bits rankMany', subject: 'hmap', question: 'rankMany', file: 'bits' },
  { metric: 'bits rankMany', subject: 'hmap-js', question: 'rankMany', file: 'bits' },
  { metric: 'bits select', subject: 'hmap', question: 'select', file: 'bits' },
];

export async function measureForms(context: Context, samples: Samples): Promise<void> {
  const folder = join(context.cache, 'tables');
  mkdirSync(folder, { recursive: true });
  const entries = ENTRIES[DATASET];
  const pathOf = (file: FormFile) => join(folder, `form-${file.replace(' ', '-')}-${context.seed}.hmap`);
  for (const file of FORM_FILES) await makeForm(file, pathOf(file), entries, context.seed);
  for (let round = 0; round < context.rounds; round++) {
    context.log(`forms, round ${round + 1} of ${context.rounds}`);
    for (const { metric, subject, question, file } of FORMS) {
      const path = file === undefined ? '' : pathOf(file);
      const task: Task = { question, path, entries, lookups: LOOKUPS, passes: PASSES, seed: context.seed };
      const env: Record<string, string> = subject === 'hmap-js' ? { HMAP_NO_CORE: '1' } : {};
      const { ns } = await runTask<Answer>('forms-child.js', task, [], { env });
      const figure: Omit<Figure, 'samples'> = { metric, subject, dataset: DATASET, unit: 'ns' };
      samples.add(figure, ns);
    }
  }
}
