// Goes through several tables side by side, in the order of their records, and says which record of each key stays.
// Knows policies; does not know what becomes of the records.

import { HmapError } from '../../base/errors.js';
import { keyForError, showKey } from '../../codec/key-text.js';
import { AFTER_ALL, BEFORE_ALL, type BucketsOf, type OrderedRecords } from '../../storage/ordered-records.js';
import type { MergeCounts, MergeDuplicates } from '../common/merge-options.js';
import type { MergeSource } from './sources.js';

/** Told of each record, in order, by the number of its file; it is the current one of that file's records. */
export interface MergeTaker {
  /** The record is in the result. */
  keep(source: number): void;
  /** It is not: another one takes its place, or none does. */
  drop(source: number): void;
  /** Whole buckets of the base, all of whose records are in the result. */
  pass(buckets: BucketsOf): void;
}

export interface MergeTask {
  readonly sources: readonly MergeSource[];
  readonly records: readonly OrderedRecords[];
  readonly duplicates: MergeDuplicates;
  /** The file whose buckets are passed over where no other one has a key, if there is one. */
  readonly base: number | undefined;
  /** Gives other work a turn; told of the bytes that were passed. */
  pause(position: number): Promise<void> | undefined;
}

/** Steps between two turns of other work. */
const STRIDE = 4096;

/**
 * Goes through all records.
 * @throws {HmapError} `HMAP_DUPLICATE_KEY`; `HMAP_DAMAGED`
 */
export async function walkMerged(task: MergeTask, taker: MergeTaker): Promise<MergeCounts> {
  const { sources, records, duplicates, base } = task;
  const counts: MergeCounts = { replaced: 0, removed: 0, missing: 0 };
  const group: number[] = [];
  const take = (buckets: BucketsOf) => taker.pass(buckets);
  for (const each of records) each.step();
  let taken = BEFORE_ALL;
  for (let steps = 1; ; steps++) {
    if (steps % STRIDE === 0) {
      const waiting = task.pause(records.reduce((sum, { position }) => sum + position, 0));
      if (waiting !== undefined) await waiting;
    }
    const next = findGroup(records, group);
    const first = group[0];
    if (first === undefined) return counts;
    if (first === base && group.length === 1 && records[first]!.passTo(taken, next, take)) continue;
    const isAlone = group.length === 1 && sources[first]!.role !== 'removals';
    const winner = isAlone ? first : settle(sources, records, group, duplicates, counts);
    taken = records[first]!.hash;
    for (const source of group) {
      if (source === winner) taker.keep(source);
      else taker.drop(source);
      records[source]!.step();
    }
  }
}

/**
 * Goes through the files one after the other; all of their records stay.
 * @throws {HmapError} `HMAP_DAMAGED`
 */
export async function walkInTurn({ records, pause }: MergeTask, taker: MergeTaker): Promise<MergeCounts> {
  let before = 0;
  for (const [source, each] of records.entries()) {
    for (let steps = 1; each.step(); steps++) {
      taker.keep(source);
      if (steps % STRIDE !== 0) continue;
      const waiting = pause(before + each.position);
      if (waiting !== undefined) await waiting;
    }
    before += each.position;
  }
  return { replaced: 0, removed: 0, missing: 0 };
}

/**
 * Puts the files whose current records have the lowest key into `group`, in their order; returns the lowest hash of the
 * others.
 */
function findGroup(records: readonly OrderedRecords[], group: number[]): number {
  group.length = 0;
  let next = AFTER_ALL;
  let lowest: OrderedRecords | undefined;
  for (let i = 0; i < records.length; i++) {
    const each = records[i]!;
    if (each.isDone) continue;
    const order = lowest === undefined ? -1 : each.compare(lowest);
    if (order === 0) {
      group.push(i);
      continue;
    }
    if (order > 0) {
      next = Math.min(next, each.hash);
      continue;
    }
    if (lowest !== undefined) next = Math.min(next, lowest.hash);
    lowest = each;
    group.length = 0;
    group.push(i);
  }
  return next;
}

/** The file whose record of a key stays; -1 if none does. */
function settle(
  sources: readonly MergeSource[],
  records: readonly OrderedRecords[],
  group: readonly number[],
  duplicates: MergeDuplicates,
  counts: MergeCounts,
): number {
  let winner = -1;
  for (const source of group) {
    const { role } = sources[source]!;
    if (role === 'removals') {
      if (winner < 0) counts.missing++;
      else counts.removed++;
      winner = -1;
      continue;
    }
    if (winner < 0) {
      winner = source;
      continue;
    }
    if (role === 'entries' && duplicates === 'error') throw duplicate(sources, records, winner, source);
    counts.replaced++;
    if (role === 'changes' || duplicates === 'last') winner = source;
  }
  return winner;
}

function duplicate(
  sources: readonly MergeSource[],
  records: readonly OrderedRecords[],
  first: number,
  second: number,
): HmapError {
  const { cursor, segment } = records[second]!;
  const key = segment.heap.bytes.subarray(cursor.key, cursor.value);
  const { keyType } = sources[second]!.header;
  const message = `the key ${showKey(keyType, key)} is in ${sources[first]!.path} and in ${sources[second]!.path}`;
  return new HmapError('HMAP_DUPLICATE_KEY', message, { path: sources[second]!.path, key: keyForError(keyType, key) });
}
