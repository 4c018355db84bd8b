// Ingests encoded records: hashes each key, keeps the sums, stages the record. Does not know where records come from or
// what becomes of them.

import { type ByteBuffer, readU48 } from '../../base/bytes.js';
import { HmapError } from '../../base/errors.js';
import { xxh32 } from '../../base/xxh32.js';
import { bytesForError, showBytes } from '../../codec/key-text.js';
import { HASH_BITS, MAX_KEY_BYTES } from '../../format/constants.js';
import type { KeyType } from '../../format/key-types.js';
import { type BuildValueType, isNarrowed } from '../../format/value-types.js';
import type { SharedSpill, SpillFile } from '../common/spill-file.js';
import type { Arena, SharedArena } from './arena.js';
import { CoreLines } from './core-lines.js';
import { EntryStats, type Sums } from './entry-stats.js';
import { type Interned, Interner } from './interner.js';
import { type Holding, Partitions } from './partitions.js';
import { headBytes, STAGED, type StagedLayout, stagedNarrowed, storedKeyBytes } from './staged-record.js';

// Local copy: V8 folds it (native-notes/performance.md).
const MOST = MAX_KEY_BYTES;

/** Where the readers of an input put what they find. */
export interface RecordSink {
  readonly keyType: KeyType;
  readonly valueType: BuildValueType;
  /** Records added so far. */
  readonly entries: number;
  /**
   * Adds one record: `keyBytes` bytes of `key` from `keyAt`, and likewise the value, both already in the form of their
   * types.
   * @throws {HmapError} `HMAP_KEY_TOO_LONG`
   */
  add(key: ByteBuffer, keyAt: number, keyBytes: number, value: ByteBuffer, valueAt: number, valueBytes: number): void;
  /** Takes many lines at once, or many entries from columns; `undefined` if it cannot. */
  readonly lines?: CoreLines | undefined;
  /** Called now and then between records; gives other work a turn. */
  pause(): Promise<void> | undefined;
}

/** The records of one thread. */
export class Ingest implements RecordSink {
  readonly keyType: KeyType;
  readonly valueType: BuildValueType;
  readonly stats: EntryStats;
  readonly partitions: Partitions;
  readonly lines: CoreLines | undefined;
  readonly #arena: Arena;
  readonly #seed: number;
  readonly #shardShift: number;
  readonly #shard: number;
  readonly #fingerprintBytes: number;
  readonly #isUint: boolean;
  readonly #interner: Interner | undefined;
  readonly #staged: StagedLayout;
  readonly #spill: SpillFile;

  /**
   * @param worker which of `workers` equal parts of the arena is this thread's
   * @param interner if values are `enum`: has numbered the values already
   * @param hasMany whether many records may come at once, which the core takes where the arena has one
   */
  constructor(
    valueType: BuildValueType,
    seed: number,
    staged: StagedLayout,
    arena: Arena,
    spill: SpillFile,
    worker: number,
    workers: number,
    interner = staged.mostDictionary === undefined ? undefined : new Interner(worker, staged.mostDictionary),
    hasMany = true,
  ) {
    this.keyType = staged.keyType;
    this.valueType = valueType;
    const stage = hasMany ? arena.stage(worker) : undefined;
    this.stats = new EntryStats(valueType, staged.shard.bits, stage);
    this.#shardShift = HASH_BITS - 1 - staged.shard.bits;
    this.#shard = staged.shard.index;
    const { bits } = staged.shard;
    this.partitions = new Partitions(arena.records, staged, spill, bits, worker, workers, stage);
    this.lines = stage && new CoreLines(stage, staged, valueType, seed, this.partitions.bits, this.stats);
    this.#arena = arena;
    this.#seed = seed | 0;
    this.#fingerprintBytes = staged.fingerprintBytes;
    this.#isUint = valueType === 'uint';
    this.#interner = interner;
    this.#staged = staged;
    this.#spill = spill;
  }

  get entries(): number {
    return this.stats.entries;
  }

  /** See {@link RecordSink.add}. */
  add(key: ByteBuffer, keyAt: number, keyBytes: number, value: ByteBuffer, valueAt: number, valueBytes: number): void {
    if (keyBytes > MOST) throw keyTooLong(key.bytes.subarray(keyAt, keyAt + keyBytes));
    const hash = xxh32(key.view, keyAt, keyBytes, this.#seed);
    // See shardOf in index-lines.ts.
    if ((hash >>> 1) >>> this.#shardShift !== this.#shard) return;
    if (this.#interner !== undefined) {
      this.#addEnum(this.#interner, hash, key, keyAt, keyBytes, value, valueAt, valueBytes);
      return;
    }
    this.stats.add(hash, this.#fingerprintBytes || keyBytes, valueBytes);
    if (this.#isUint) this.stats.addNarrowed(hash, readU48(value.view, valueAt));
    this.partitions.add(hash, key, keyAt, keyBytes, value, valueAt, valueBytes);
  }

  /** The staged value is a number. */
  #addEnum(
    interner: Interner,
    hash: number,
    key: ByteBuffer,
    keyAt: number,
    keyBytes: number,
    value: ByteBuffer,
    valueAt: number,
    valueBytes: number,
  ): void {
    interner.intern(value, valueAt, valueBytes);
    const { number } = interner;
    this.stats.add(hash, this.#fingerprintBytes || keyBytes, number.size);
    // The width of the index is known only once all values are there.
    this.stats.addNarrowed(hash, 0);
    this.partitions.add(hash, key, keyAt, keyBytes, number, 0, number.size);
  }

  /** All that was taken in; can be sent to the thread that asked for it. */
  result(): IngestResult {
    return { sums: { ...this.stats }, holding: this.partitions.holding(), interned: this.interned };
  }

  /** Distinct values so far, if values are `enum`. */
  get interned(): Interned | undefined {
    return this.#interner?.interned;
  }

  /** The same records, hashed with another seed, in the same memory. This one is of no use afterwards. */
  reseeded(seed: number): Ingest {
    const staged = this.#staged;
    const type = this.valueType;
    const other = new Ingest(type, seed, staged, this.#arena, this.#spill, 0, 1, this.#interner, false);
    const head = headBytes(staged);
    this.partitions.drain((records, at, size) => {
      const { view } = records;
      const keyBytes = view.getUint16(at + STAGED.keyBytes, true);
      const hash = xxh32(view, at + head, keyBytes, seed | 0);
      view.setInt32(at + STAGED.hash, hash, true);
      countStaged(other.stats, type, staged, view, at);
      other.partitions.addStaged(records, at, size);
    });
    return other;
  }

  /** Never waits: a thread that ingests a part of an input has no other work. */
  pause(): undefined {
    return undefined;
  }
}

/** Adds a staged record to sums. */
export function countStaged(
  stats: EntryStats,
  type: BuildValueType,
  staged: StagedLayout,
  view: DataView,
  at: number,
): void {
  const hash = view.getInt32(at + STAGED.hash, true);
  const keyBytes = storedKeyBytes(staged, view.getUint16(at + STAGED.keyBytes, true));
  stats.add(hash, keyBytes, staged.fixedValue ?? view.getUint32(at + STAGED.valueBytes, true));
  if (isNarrowed(type)) stats.addNarrowed(hash, stagedNarrowed(type, staged, view, at));
}

/** The error for a key above the limit. */
export function keyTooLong(key: Uint8Array): HmapError {
  const message = `the key ${showBytes(key)} has ${key.length} bytes, the maximum is ${MAX_KEY_BYTES}`;
  const data = { expected: MAX_KEY_BYTES, actual: key.length, key: bytesForError(key.subarray(0, 100)) };
  return new HmapError('HMAP_KEY_TOO_LONG', message, data);
}

/** What a thread needs to take in a part of the input. */
export interface IngestTask {
  readonly valueType: BuildValueType;
  readonly seed: number;
  readonly staged: StagedLayout;
  readonly arena: SharedArena;
  readonly spill: SharedSpill;
  /** Which of `workers` equal parts of the arena is the thread's. */
  readonly worker: number;
  readonly workers: number;
}

/** What the thread returns. */
export interface IngestResult {
  readonly sums: Sums;
  readonly holding: Holding;
  /** Distinct values, if values are `enum`. */
  readonly interned?: Interned | undefined;
}
