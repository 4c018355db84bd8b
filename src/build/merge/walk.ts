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
  const heads = new Heads(records);
  const { group } = heads;
  const take = (buckets: BucketsOf) => taker.pass(buckets);
  for (const each of records) each.step();
  let taken = BEFORE_ALL;
  for (let steps = 1; ; steps++) {
    if (steps % STRIDE === 0) {
      const waiting = task.pause(records.reduce((sum, { position }) => sum + position, 0));
      if (waiting !== undefined) await waiting;
    }
    const count = heads.find();
    if (count === 0) return counts;
    const first = group[0]!;
    const lowest = records[first]!;
    if (count === 1 && sources[first]!.role !== 'removals') {
      if (first === base && lowest.passTo(taken, heads.next, take)) continue;
      taken = lowest.hash;
      taker.keep(first);
      lowest.step();
      continue;
    }
    const winner = settle(sources, records, group, count, duplicates, counts);
    taken = lowest.hash;
    for (let i = 0; i < count; i++) {
      const source = group[i]!;
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

/** The current records of all files. */
class Heads {
  /** The files with the lowest key, in their order: the first ones of these, as many as {@link find} says. */
  readonly group: Int32Array;
  /** The lowest hash of the other files. */
  next = AFTER_ALL;
  readonly #records: readonly OrderedRecords[];

  constructor(records: readonly OrderedRecords[]) {
    this.#records = records;
    this.group = new Int32Array(records.length);
  }

  /** Finds the files with the lowest key; returns how many there are. */
  find(): number {
    const records = this.#records;
    const { group } = this;
    let count = 0;
    let hash = AFTER_ALL;
    let next = AFTER_ALL;
    for (let i = 0; i < records.length; i++) {
      const each = records[i]!;
      const own = each.hash;
      if (own > hash) {
        if (own < next) next = own;
        continue;
      }
      if (own === AFTER_ALL) continue;
      // Keys with one hash are compared; so are few.
      const order = own < hash ? -1 : each.compare(records[group[0]!]!);
      if (order > 0) next = own;
      if (order >= 0) {
        if (order === 0) group[count++] = i;
        continue;
      }
      if (count > 0) next = hash;
      hash = own;
      group[0] = i;
      count = 1;
    }
    this.next = next;
    return count;
  }
}

/** The file whose record of a key stays; -1 if none does. */
function settle(
  sources: readonly MergeSource[],
  records: readonly OrderedRecords[],
  group: Int32Array,
  count: number,
  duplicates: MergeDuplicates,
  counts: MergeCounts,
): number {
  let winner = -1;
  for (const source of group.subarray(0, count)) {
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
