// Takes lines of text in by the core, straight into the partitions, and entries from columns. Knows which inputs the
// core can take, and keeps the sums that it finds; does not know files, nor what to do about a line that it leaves.

import * as place from '../../core/stage-places.js';
import type { KeyType } from '../../format/key-types.js';
import { type BuildValueType, INTEGER_RANGES, isNarrowed } from '../../format/value-types.js';
import type { Stage } from './arena.js';
import type { EntryStats } from './entry-stats.js';
import type { StagedLayout } from './staged-record.js';

/** How many more calls in a row may take nothing before a piece is left to JavaScript. */
const PATIENCE = 8;

/** Keys that the core can take in: as text, or in columns. */
const KEY_TYPES: readonly KeyType[] = ['bytes', 'u32', 'u64', 'i64'];

/** Whether the core can stage records of such a build. */
export function canTakeMany(staged: StagedLayout, valueType: BuildValueType): boolean {
  return kindOf(valueType) !== undefined && KEY_TYPES.includes(staged.keyType) && isPlain(staged);
}

function isPlain({ shard, fingerprintBytes, mostDictionary }: StagedLayout): boolean {
  return shard.bits === 0 && fingerprintBytes === 0 && mostDictionary === undefined;
}

function kindOf(type: BuildValueType): number | undefined {
  if (type === 'none') return place.NO_VALUE;
  if (type === 'bytes') return place.ANY_BYTES;
  if (type === 'utf8') return place.TEXT;
  const range = INTEGER_RANGES[type];
  if (range === undefined) return undefined;
  return range[0] < 0n ? place.SIGNED : place.UNSIGNED;
}

/** Bytes of a column that are there at a time: half of the room for text. */
const COLUMN_BYTES = place.WINDOW / 2;
/** Entries that can be taken from columns at a time; an element has 8 bytes at most. */
export const COLUMN_ENTRIES = COLUMN_BYTES / 8;

/** Elements of so many bytes, side by side. */
export interface Column {
  readonly bytes: Uint8Array;
  readonly width: number;
}

/** The lines of one thread: of a key alone if there are no values, otherwise of a key, a tab and a value. */
export class CoreLines {
  /** Lines, or entries, that the last call took. */
  taken = 0;
  readonly #stage: Stage;
  readonly #stats: EntryStats;
  readonly #view: DataView;
  readonly #input: number;
  #piece: Uint8Array = new Uint8Array(0);
  /** What of the piece is in the core's memory, `[from, to)`. */
  #from = 0;
  #to = 0;
  #patience = PATIENCE;
  /** Bytes of a key and of a value in columns. */
  #columns: readonly [key: number, value: number] = [0, 0];

  /** @param partitionBits of partitions by the top bits of the hash */
  constructor(
    stage: Stage,
    staged: StagedLayout,
    valueType: BuildValueType,
    seed: number,
    partitionBits: number,
    stats: EntryStats,
  ) {
    const { core, state } = stage;
    this.#stage = stage;
    this.#stats = stats;
    this.#input = state + place.INPUT;
    this.#view = new DataView(core.buffer, state, place.FILL);
    const view = this.#view;
    view.setUint32(place.SEED, seed, true);
    view.setUint32(place.PARTITION_SHIFT, 32 - partitionBits, true);
    view.setUint32(place.VALUE_KIND, kindOf(valueType)!, true);
    view.setUint32(place.STAGED_VALUE, staged.fixedValue ?? 0, true);
    view.setUint32(place.LARGE_VALUE, staged.largeValue, true);
    view.setUint32(place.IS_NARROWED, isNarrowed(valueType) ? 1 : 0, true);
    const [least, most] = INTEGER_RANGES[valueType] ?? [0n, 0n];
    view.setBigUint64(place.MOST_NUMBER, most, true);
    view.setBigUint64(place.LEAST_NUMBER, -least, true);
    this.#clear();
  }

  /** Goes to the next piece of the input, which stays as it is until the one after it. */
  begin(piece: Uint8Array): void {
    this.#piece = piece;
    this.#from = this.#to = 0;
    this.#patience = PATIENCE;
  }

  /**
   * Takes lines of the piece from `at` on, where one starts; returns where the first one starts that it leaves. Says in
   * {@link taken} how many it took.
   */
  take(at: number): number {
    this.taken = 0;
    if (this.#patience < 0) return at;
    const { core, state } = this.#stage;
    const view = this.#view;
    let next = at;
    for (let hasStopped = false; !hasStopped && next < this.#piece.length; ) {
      if (next >= this.#to) this.#load(next);
      const from = this.#input + (next - this.#from);
      const end = core.run.takeLines(state, from, this.#input + (this.#to - this.#from));
      this.taken += view.getUint32(place.LINES_TAKEN, true);
      hasStopped = view.getUint32(place.HAS_STOPPED, true) !== 0;
      next += end - from;
      // A line that goes on behind what is there: load from its start. If it started there, it is too long.
      if (!hasStopped && next < this.#to) {
        if (this.#to === this.#piece.length || next === this.#from) break;
        this.#load(next);
      }
    }
    if (this.taken > 0) {
      this.#fetch();
      this.#patience = PATIENCE;
    } else {
      this.#patience--;
    }
    return next;
  }

  /**
   * Goes to the next entries in columns: the bytes of their keys and of their values, unsigned integers, of
   * {@link COLUMN_ENTRIES} at most. Values have no bytes if there are none.
   */
  beginColumns(keys: Column, values: Column): void {
    this.#columns = [keys.width, values.width];
    const input = new Uint8Array(this.#stage.core.buffer, this.#input, place.WINDOW);
    input.set(keys.bytes);
    input.set(values.bytes, COLUMN_BYTES);
  }

  /** Takes these entries from number `from` up to `to`, exclusive; returns the number of the first that it leaves. */
  takeColumns(from: number, to: number): number {
    const { core, state } = this.#stage;
    const [keyBytes, valueBytes] = this.#columns;
    const keys = this.#input + from * keyBytes;
    const values = this.#input + COLUMN_BYTES + from * valueBytes;
    this.taken = core.run.takeColumns(state, keys, keyBytes, values, valueBytes, to - from);
    if (this.taken > 0) this.#fetch();
    return from + this.taken;
  }

  #load(from: number): void {
    this.#from = from;
    this.#to = Math.min(from + place.WINDOW, this.#piece.length);
    new Uint8Array(this.#stage.core.buffer, this.#input, place.WINDOW).set(this.#piece.subarray(from, this.#to));
  }

  /** Moves the sums to where JavaScript keeps them. */
  #fetch(): void {
    const view = this.#view;
    const stats = this.#stats;
    const u32 = (at: number) => view.getUint32(at, true);
    const u64 = (at: number) => Number(view.getBigUint64(at, true));
    stats.entries += this.taken;
    stats.keyBytes += u64(place.KEY_BYTES);
    stats.valueBytes += u64(place.ALL_VALUE_BYTES);
    stats.shortestKey = Math.min(stats.shortestKey, u32(place.SHORTEST_KEY));
    stats.longestKey = Math.max(stats.longestKey, u32(place.LONGEST_KEY));
    stats.shortestValue = Math.min(stats.shortestValue, u32(place.SHORTEST_VALUE));
    stats.longestValue = Math.max(stats.longestValue, u32(place.LONGEST_VALUE));
    stats.largest = Math.max(stats.largest, u64(place.LARGEST_NUMBER));
    this.#clear();
  }

  #clear(): void {
    const view = this.#view;
    for (const at of [place.KEY_BYTES, place.ALL_VALUE_BYTES, place.LARGEST_NUMBER]) view.setBigUint64(at, 0n, true);
    for (const at of [place.LONGEST_KEY, place.LONGEST_VALUE]) view.setUint32(at, 0, true);
    for (const at of [place.SHORTEST_KEY, place.SHORTEST_VALUE]) view.setUint32(at, 0xffff_ffff, true);
  }
}
