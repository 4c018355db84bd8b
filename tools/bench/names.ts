// What subjects and data sets are called where people read of them, in the order in which they are shown.

import type { Dataset, Subject } from './model.js';

export const SUBJECT_NAMES: Readonly<Record<Subject, string>> = {
  hmap: 'hmap',
  Map: 'Map',
  object: 'object without prototype',
  cdb: 'tinycdb, in C',
  lmdb: 'LMDB',
  'sqlite-memory': 'SQLite, in memory',
  'sqlite-mmap': 'SQLite, file with mmap',
  'classic-level': 'classic-level',
  redis: 'Redis',
  'redis-pipelined': 'Redis, pipelined',
  node: 'bare Node',
};

export const SUBJECT_ORDER = Object.keys(SUBJECT_NAMES) as Subject[];

/** Entries of the sets whose number is fixed. */
export const ENTRIES: Readonly<Partial<Record<Dataset, number>>> = {
  '46k': 46_461,
  '1M': 1_000_000,
  '10M': 10_000_000,
  '100M': 100_000_000,
};
