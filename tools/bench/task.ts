// What the command asks of the child that runs one trial of lookups, and what that answers.

import type { Subject, Values } from './model.js';

export type Metric = 'get' | 'has' | 'getMany' | 'iterate';

export interface LookupTask {
  readonly subject: Subject;
  readonly metric: Metric;
  readonly values: Values;
  readonly entries: number;
  /** The lines that all tables were made from. */
  readonly source: string;
  /** The table; unused by what is filled from the source in memory. */
  readonly table: string;
  /** Where the peer's package is installed. */
  readonly folder?: string;
  /** Of the redis server. */
  readonly port?: number;
  readonly db?: number;
  /** See queries.ts; unused by `iterate`. */
  readonly queries: string;
  /** Of those queries, how many. */
  readonly most: number;
  /** Keys of one batch. */
  readonly count?: number;
  /** Timed passes. */
  readonly passes: number;
}

export interface LookupResult {
  /** What one key (or entry) took in each timed pass, in nanoseconds. */
  readonly ns: readonly number[];
}
