// The memory in which a thread sorts and lays out one partition after the other: one that the core works in, too, where
// there is a core. Knows what lies in it; does not know where records come from, nor files.

import { ByteBuffer, LOOSE } from '../../base/bytes.js';
import type { SharedMemory } from '../../base/webassembly.js';
import { type Core, coreIn, whyNoCore } from '../../core/core.js';
import { freeMemory, takeMemory } from '../../core/work-memories.js';
import * as place from '../../core/write-places.js';
import { bucketCount, hashShifts } from '../../format/index-lines.js';
import type { Shape } from '../../format/shape.js';
import { outputRoom } from '../common/section-writer.js';
import { headBytes, type StagedLayout } from './staged-record.js';

/** Bytes behind a part of the memory that the core may read or write over. */
const MARGIN = 64;

/**
 * Bits of the hash by which so many records are parted before they are sorted: enough that few are left in a class. With too
 * few of them the core would leave the sorting to JavaScript.
 */
export function digitBitsFor(count: number): number {
  return Math.min(Math.ceil(Math.log2(Math.max(count, 2))), place.MOST_DIGIT_BITS);
}

/** What a bench is made for. */
export interface BenchSize {
  /** Bytes and records of the largest partition. */
  readonly bytes: number;
  readonly count: number;
  /** About how many bytes all records take. */
  readonly all: number;
}

/** Memory that its owner does not use for now: a WebAssembly memory from its start up to `bytes`, exclusive. */
export interface LentMemory {
  readonly memory: SharedMemory | undefined;
  readonly bytes: number;
}

export class Workbench {
  /** The records of a partition. */
  readonly records: ByteBuffer;
  /** What is written next; only where there is a core. */
  readonly output: ByteBuffer | undefined;
  readonly core: CoreBench | undefined;

  /** Its own, if it has one. */
  readonly #memory: SharedMemory | undefined;

  private constructor(records: ByteBuffer, output?: ByteBuffer, core?: CoreBench, memory?: SharedMemory) {
    this.#memory = memory;
    this.records = records;
    this.output = output;
    this.core = core;
  }

  /**
   * @param hasCore whether the core can do the work, if there is one
   * @param lent is used where the bench fits there
   */
  static of(
    size: BenchSize,
    staged: StagedLayout,
    shape: Shape | undefined,
    hasCore = true,
    lent?: LentMemory,
  ): Workbench {
    if (!hasCore || shape === undefined || staged.fingerprintBytes > 0 || whyNoCore() !== undefined) {
      return new Workbench(new ByteBuffer(size.bytes));
    }
    const room = outputRoom(size.all) + LOOSE;
    const parts = [
      size.bytes,
      ...[0, 1, 2].map(() => 4 * size.count),
      4 * 2 ** digitBitsFor(size.count),
      place.EVENT_BYTES * size.count,
      room,
    ];
    let end = place.FIRST;
    const starts = parts.map((bytes) => {
      const start = end;
      end = Math.ceil((end + bytes + MARGIN) / MARGIN) * MARGIN;
      return start;
    });
    const isLent = lent?.memory !== undefined && end <= lent.bytes;
    const memory = isLent ? lent.memory : takeMemory(end);
    const core = memory && coreIn(memory);
    if (memory === undefined || core === undefined) return new Workbench(new ByteBuffer(size.bytes));
    const view = (i: number) => new ByteBuffer(new Uint8Array(memory.buffer, starts[i]!, parts[i]!));
    return new Workbench(
      view(0),
      view(6),
      new CoreBench(core, starts, size.count, staged, shape),
      isLent ? undefined : memory,
    );
  }

  /** Nobody uses it any more. */
  free(): void {
    if (this.#memory !== undefined) freeMemory(this.#memory);
  }
}

/** The core over a bench. */
export class CoreBench {
  readonly positions: Int32Array;
  readonly hashes: Int32Array;
  readonly order: Int32Array;
  /** Triples of the buckets that the last {@link layOut} began, see `EVENTS`; and how many there are. */
  readonly events: Uint32Array;
  eventCount = 0;
  readonly #core: Core;
  readonly #output: number;

  constructor(core: Core, starts: readonly number[], count: number, staged: StagedLayout, shape: Shape) {
    const [records, positions, hashes, order, ends, events, output] = starts as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    this.#core = core;
    this.#output = output;
    this.positions = new Int32Array(core.buffer, positions, count);
    this.hashes = new Int32Array(core.buffer, hashes, count);
    this.order = new Int32Array(core.buffer, order, count);
    this.events = new Uint32Array(core.buffer, events, (place.EVENT_BYTES / 4) * count);
    const { shardBits, segmentBits, bucketBits, eighths, keyWidth, valueWidth } = shape;
    const shifts = hashShifts(shardBits, segmentBits, bucketBits);
    const fields: readonly (readonly [field: number, value: number])[] = [
      [place.RECORDS, records],
      [place.POSITIONS, positions],
      [place.HASHES, hashes],
      [place.ORDER, order],
      [place.ENDS, ends],
      [place.EVENTS, events],
      [place.HEAD, headBytes(staged)],
      [place.STAGED_VALUE, staged.fixedValue ?? place.ANY_WIDTH],
      [place.LARGE_VALUE, staged.largeValue],
      [place.SHARD_BITS, shardBits],
      [place.SEGMENT_SHIFT, shifts.segment],
      [place.HASH_BITS, shifts.before],
      [place.EIGHTHS, eighths],
      [place.BUCKET_SHIFT, shifts.bucket],
      [place.BUCKETS, bucketCount(shape)],
      [place.KEY_WIDTH, keyWidth],
      [place.VALUE_WIDTH, valueWidth],
    ];
    for (const [field, value] of fields) core.words[field / 4] = value;
  }

  /** Sorts the first `count` records; see `sortRecords`. */
  sort(count: number, consumed: number, digitBits: number): number {
    return this.#core.run.sortRecords(count, consumed, digitBits);
  }

  /**
   * Lays out records from number `from` of the order on; see `layRecords`. Returns the first that it leaves.
   * @param used bytes of the output that are taken; {@link used} has them afterwards
   * @param room bytes of the output
   */
  layOut(from: number, count: number, segment: number, nextBucket: number, used: number, room: number): number {
    const { words, run } = this.#core;
    words[place.SEGMENT / 4] = segment;
    words[place.NEXT_BUCKET / 4] = nextBucket;
    words[place.OUT / 4] = this.#output + used;
    words[place.OUT_END / 4] = this.#output + room;
    const next = run.layRecords(from, count);
    this.eventCount = words[place.EVENT_COUNT / 4]!;
    return next;
  }

  get used(): number {
    return this.#core.words[place.OUT / 4]! - this.#output;
  }

  /** Where in the output an address lies. */
  offsetOf(address: number): number {
    return address - this.#output;
  }
}
