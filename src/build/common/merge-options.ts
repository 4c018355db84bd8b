// What users hand to a merge, and what they get: files, options, the summary. Types alone, so that the declarations that
// users get need nothing of how files are merged.

import type { FilePath } from '../../base/options.js';
import type { BuildSummary, CommonOptions, DuplicatePolicy } from './options.js';

/**
 * What a file is for. `entries`: a table like the others. `changes`: its entries take the place of earlier ones with the
 * same keys, whatever is to happen with duplicates. `removals`: earlier entries with its keys are left out.
 */
export type MergeRole = 'entries' | 'changes' | 'removals';

/** A file to merge; a path alone has the role `entries`. */
export type MergeInput = FilePath | { readonly path: FilePath; readonly as: MergeRole };

/** What becomes of keys that several files have. */
export type MergeDuplicates = Exclude<DuplicatePolicy, 'collect'>;

export interface MergeOptions extends JoinOptions {
  /**
   * What happens to entries of several files with the same key: the `last` file has it, or the `first`, or it is an
   * `error`. Default `last`.
   */
  duplicates?: MergeDuplicates;
}

export interface JoinOptions extends CommonOptions {
  /** What is compared with its checksum: each block before it is used, or the headers alone. Default `touch`. */
  check?: 'header' | 'touch';
}

/** How many entries of the files are not in the result, and why. */
export interface MergeCounts {
  /** Another entry with the same key took their place. */
  replaced: number;
  removed: number;
  /** Keys to be removed that no file had. */
  missing: number;
}

/** What the summary of every table says. */
export type TableSummary = Omit<BuildSummary, 'duplicates' | 'bucketLoads' | 'fingerprint'>;

/** What a merge has made. Sizes are in bytes. */
export interface MergeSummary extends TableSummary, MergeCounts {
  /** How the records were gone through: whole buckets of a large file were copied, or each record by itself. */
  by: 'buckets' | 'records';
  /** Files that had another seed, and were built anew with that of the result. */
  reseeded: number;
}
