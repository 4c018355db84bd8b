// What a measurement is given to work with. Knows what there is, not how it comes about.

import type { Dataset, Files, Values } from './model.js';

export interface Context {
  readonly full: boolean;
  /** Trials of each subject. */
  readonly rounds: number;
  /** Folder for data and tables; git ignores it. */
  readonly cache: string;
  readonly seed: number;
  files(dataset: Dataset, values: Values): Promise<Files>;
  log(text: string): void;
}
