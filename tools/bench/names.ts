// What subjects and data sets are called where people read of them, in the order in which they are shown.

import { ENTRIES } from './data.js';
import type { Dataset, Subject } from './model.js';

export const SUBJECT_NAMES: Readonly<Record<Subject, string>> = {
  hmap: 'hmap',
  'hmap-js': 'hmap, without the core',
  Map: 'Map',
  object: 'object without prototype',
  Array: 'array',
  Set: 'Set',
  cdb: 'tinycdb, in C',
  lmdb: 'LMDB',
  'sqlite-memory': 'SQLite, in memory',
  'sqlite-mmap': 'SQLite, file with mmap',
  'classic-level': 'classic-level',
  'binary-fuse-filter': 'binary-fuse-filter, in memory',
  redis: 'Redis',
  'redis-pipelined': 'Redis, pipelined',
  node: 'bare Node',
};

export const SUBJECT_ORDER = Object.keys(SUBJECT_NAMES) as Subject[];

/** Entries of a set; `undefined` if the number is that of a source out of our hands. */
export function entriesOf(dataset: Dataset): number | undefined {
  return (ENTRIES as Partial<Record<Dataset, number>>)[dataset];
}

/** What a reader sees of a data set's size. */
export function datasetName(dataset: Dataset): string {
  return entriesOf(dataset)?.toLocaleString('en-US') ?? 'names of npm packages';
}
