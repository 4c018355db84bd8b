// Takes encoded records in: hashes each key, keeps the sums, holds the record. Does not know where records come from or what becomes of them.

import type { Block } from './bytes.js';
import { HmapError, showKey } from './errors.js';
import { xxh32 } from './hash.js';
import type { HeldForm } from './held.js';
import { MAX_KEY_BYTES } from './layout.js';
import { Partitions } from './partitions.js';
import { EntryStats } from './plan.js';
import type { SpillFile } from './spill.js';
import type { ValueType } from './types.js';
import { keyForUser } from './values.js';

// V8 folds a module's own constants into its code; what is imported it loads anew each time.
const MOST = MAX_KEY_BYTES;

/** Where the readers of an input put what they find. */
export interface RecordSink {
  readonly valueType: ValueType;
  /** Records added so far. */
  readonly entries: number;
  /**
   * Adds one record: `keyBytes` bytes of `key` from `keyAt`, and likewise the value, already in the form of its type.
   * @throws {HmapError} `HMAP_KEY_TOO_LONG`
   */
  add(key: Block, keyAt: number, keyBytes: number, value: Block, valueAt: number, valueBytes: number): void;
  /** Called now and then between records; gives other work a turn. */
  pause(): Promise<void> | undefined;
}

/** The records of one thread. */
export class Intake implements RecordSink {
  readonly valueType: ValueType;
  readonly stats: EntryStats;
  readonly partitions: Partitions;
  readonly #seed: number;

  /** @param lane which of `lanes` equal parts of the arena is this thread's */
  constructor(
    valueType: ValueType,
    seed: number,
    form: HeldForm,
    arena: Block,
    spill: SpillFile,
    lane: number,
    lanes: number,
  ) {
    this.valueType = valueType;
    this.stats = new EntryStats(valueType);
    this.partitions = new Partitions(arena, form, spill, 0, lane, lanes);
    this.#seed = seed | 0;
  }

  get entries(): number {
    return this.stats.entries;
  }

  /** See {@link RecordSink.add}. */
  add(key: Block, keyAt: number, keyBytes: number, value: Block, valueAt: number, valueBytes: number): void {
    if (keyBytes > MOST) throw keyTooLong(key.bytes.subarray(keyAt, keyAt + keyBytes));
    const hash = xxh32(key.view, keyAt, keyBytes, this.#seed);
    this.stats.add(hash, keyBytes, valueBytes);
    this.partitions.add(hash, key, keyAt, keyBytes, value, valueAt, valueBytes);
  }

  /** Never waits: a thread that takes a part of an input in has no other work. */
  pause(): undefined {
    return undefined;
  }
}

/** The error for a key above the limit. */
export function keyTooLong(key: Uint8Array): HmapError {
  const message = `the key ${showKey(key)} has ${key.length} bytes, the most is ${MAX_KEY_BYTES}`;
  const data = { expected: MAX_KEY_BYTES, actual: key.length, key: keyForUser(key.subarray(0, 100)) };
  return new HmapError('HMAP_KEY_TOO_LONG', message, data);
}
