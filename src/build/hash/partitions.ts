// Keeps a build's records in fixed memory, partitioned by the top bits of their hash; what does not fit goes to a spill
// file. Knows the form of a staged record; does not know the file's format or what becomes of the records.

import { ByteBuffer, copyLoosely, LOOSE, writeU64 } from '../../base/bytes.js';
import * as place from '../../core/stage-places.js';
import { MAX_KEY_BYTES } from '../../format/constants.js';
import type { SpillFile } from '../common/spill-file.js';
import type { Stage } from './arena.js';
import { headBytes, POSITION, STAGED, type StagedLayout, stagedSize } from './staged-record.js';

// Local copy: V8 folds it (native-notes/performance.md).
const { hash: HASH, keyBytes: KEY_BYTES, valueBytes: VALUE_BYTES } = STAGED;
const SPARE = LOOSE;

const SMALLEST_CHUNK = 4096;
const LARGEST_CHUNK = 128 * 1024;
const MOST_BITS = 9;
/** Bytes that are read at once when a partition is parted further. */
const WINDOW = 2 ** 20;

/** What partitions hold, for another thread to read or take over. Offsets are in the arena and in the spill file. */
export interface Holding {
  readonly counts: Float64Array;
  readonly sizes: Float64Array;
  readonly chunks: readonly (readonly number[])[];
  readonly extents: readonly (readonly number[])[];
}

/** Receives a staged record, which it may change. */
export type VisitStaged = (records: ByteBuffer, at: number, size: number) => void;

export class Partitions {
  /** Number of partitions is 2 to this power. */
  readonly bits: number;
  /** Top bits of the hash that all records here share, because coarser partitions were divided. */
  readonly consumed: number;
  /** Records and bytes of each partition. */
  readonly counts: Float64Array;
  readonly sizes: Float64Array;
  readonly #staged: StagedLayout;
  readonly #head: number;
  /** The memory of the records. Free for other use after {@link spillAll}. */
  readonly arena: ByteBuffer;
  readonly #chunk: number;
  readonly #spill: SpillFile;
  /** The part of the arena that is used, `[low, high)`, and where its free rest begins. */
  #low: number;
  #high: number;
  #free: number;
  // The chunk that each partition fills now: its start, what is filled, its end. Offsets in the arena.
  readonly #start: Int32Array;
  readonly #fill: Int32Array;
  readonly #limit: Int32Array;
  /** Full chunks in the arena, and extents in the spill file, by partition: pairs of start and length. */
  readonly #chunks: number[][];
  readonly #extents: number[][];

  /**
   * @param arena memory for records, below 2 GiB; it may be used again after {@link spillAll}
   * @param worker which of how many equal parts of the arena to use; threads that fill partitions side by side each
   *   have one
   * @param stage where the core finds the partitions' chunks, and fills them, too
   * @param bits number of partitions, 2 to this power; by default as many as the arena has room for
   */
  constructor(
    arena: ByteBuffer,
    staged: StagedLayout,
    spill: SpillFile,
    consumed: number,
    worker = 0,
    workers = 1,
    stage?: Stage,
    bits?: number,
  ) {
    this.arena = arena;
    const room = Math.floor(arena.size / workers);
    this.#low = this.#free = worker * room;
    this.#high = this.#low + room;
    this.#staged = staged;
    this.#head = headBytes(staged);
    this.#spill = spill;
    this.consumed = consumed;
    this.#chunk = Math.min(LARGEST_CHUNK, Math.max(SMALLEST_CHUNK, room / 2048));
    // Four chunks for each partition, so that half-filled ones waste little of the arena.
    const fitting = Math.floor(Math.log2(room / this.#chunk / 4));
    this.bits = bits ?? Math.min(MOST_BITS, Math.max(1, fitting), 32 - consumed);
    const partitions = 2 ** this.bits;
    this.#start = new Int32Array(partitions);
    if (stage === undefined) {
      this.counts = new Float64Array(partitions);
      this.sizes = new Float64Array(partitions);
      this.#fill = new Int32Array(partitions);
      this.#limit = new Int32Array(partitions);
    } else {
      const { core, state } = stage;
      this.counts = new Float64Array(core.buffer, state + place.COUNTS, partitions);
      this.sizes = new Float64Array(core.buffer, state + place.SIZES, partitions);
      this.#fill = new Int32Array(core.buffer, state + place.FILL, partitions);
      this.#limit = new Int32Array(core.buffer, state + place.LIMIT, partitions);
    }
    this.#chunks = Array.from({ length: partitions }, () => []);
    this.#extents = Array.from({ length: partitions }, () => []);
  }

  add(
    hash: number,
    key: ByteBuffer,
    keyAt: number,
    keyBytes: number,
    value: ByteBuffer,
    valueAt: number,
    valueBytes: number,
  ): void {
    const large = this.#staged.fixedValue === undefined && valueBytes >= this.#staged.largeValue;
    const partition = (hash << this.consumed) >>> (32 - this.bits);
    const size = this.#head + keyBytes + (large ? POSITION : valueBytes);
    const at = this.#room(partition, size);
    const { view } = this.arena;
    view.setInt32(at + HASH, hash, true);
    view.setUint16(at + KEY_BYTES, keyBytes, true);
    if (this.#staged.fixedValue === undefined) view.setUint32(at + VALUE_BYTES, valueBytes, true);
    const to = at + this.#head;
    copyLoosely(key, keyAt, this.arena, to, keyBytes);
    if (large) {
      const bytes = value.bytes.subarray(valueAt, valueAt + valueBytes);
      writeU64(view, to + keyBytes, this.#spill.append(bytes));
    } else {
      copyLoosely(value, valueAt, this.arena, to + keyBytes, valueBytes);
    }
  }

  /** Adds a record as it was staged by coarser partitions. */
  addStaged(from: ByteBuffer, at: number, size: number): void {
    const hash = from.view.getInt32(at + HASH, true);
    const partition = (hash << this.consumed) >>> (32 - this.bits);
    copyLoosely(from, at, this.arena, this.#room(partition, size), size);
  }

  /** Makes room for a record and returns its offset in the arena. */
  #room(partition: number, size: number): number {
    this.counts[partition]!++;
    this.sizes[partition]! += size;
    const at = this.#fill[partition]!;
    if (at + size <= this.#limit[partition]!) {
      this.#fill[partition] = at + size;
      return at;
    }
    this.#endChunk(partition);
    const bytes = Math.ceil((size + SPARE) / this.#chunk) * this.#chunk;
    if (this.#free + bytes > this.#high) this.spillAll();
    const start = this.#free;
    this.#free += bytes;
    this.#start[partition] = start;
    this.#fill[partition] = start + size;
    this.#limit[partition] = start + bytes - SPARE;
    return start;
  }

  #endChunk(partition: number): void {
    const length = this.#fill[partition]! - this.#start[partition]!;
    if (length > 0) this.#chunks[partition]!.push(this.#start[partition]!, length);
    this.#start[partition] = this.#fill[partition] = this.#limit[partition] = 0;
  }

  /** Moves all records from the arena to the spill file. */
  spillAll(): void {
    for (let partition = 0; partition < this.counts.length; partition++) {
      this.#endChunk(partition);
      const chunks = this.#chunks[partition]!;
      const extents = this.#extents[partition]!;
      for (let i = 0; i < chunks.length; i += 2) {
        const bytes = this.arena.bytes.subarray(chunks[i]!, chunks[i]! + chunks[i + 1]!);
        const position = this.#spill.append(bytes);
        const last = extents.length - 2;
        if (last >= 0 && extents[last]! + extents[last + 1]! === position) extents[last + 1]! += bytes.length;
        else extents.push(position, bytes.length);
      }
      chunks.length = 0;
    }
    this.#free = this.#low;
  }

  /** Where all records lie now; valid until the next one is added. */
  holding(): Holding {
    for (let partition = 0; partition < this.counts.length; partition++) this.#endChunk(partition);
    return { counts: this.counts, sizes: this.sizes, chunks: this.#chunks, extents: this.#extents };
  }

  /**
   * Adds the records of another worker's partitions, from the next part of the same arena and the same spill file: they
   * come after those that are here. Nothing can be added afterwards.
   */
  absorb(next: Holding): void {
    // Records in the spill file come before those in memory. So if the other worker has any there, ours must go there
    // first.
    if (next.extents.some((extents) => extents.length > 0)) this.spillAll();
    for (let partition = 0; partition < this.counts.length; partition++) {
      this.#endChunk(partition);
      this.counts[partition]! += next.counts[partition]!;
      this.sizes[partition]! += next.sizes[partition]!;
      this.#chunks[partition]!.push(...next.chunks[partition]!);
      this.#extents[partition]!.push(...next.extents[partition]!);
    }
    this.#low = 0;
    this.#high = this.#free = this.arena.size;
  }

  /** {@link loadStaged} of the records of a partition. */
  load(partition: number, into: ByteBuffer): void {
    this.#endChunk(partition);
    loadStaged(this.#chunks[partition]!, this.#extents[partition]!, this.arena, this.#spill, into);
  }

  /**
   * Parts one partition further, by the next bits of the hash. All records must be in the spill file ({@link
   * spillAll}), since the arena is used again.
   */
  part(partition: number): Partitions {
    const finer = new Partitions(this.arena, this.#staged, this.#spill, this.consumed + this.bits);
    this.each(partition, (records, at, size) => finer.addStaged(records, at, size));
    finer.spillAll();
    return finer;
  }

  /**
   * The partitions of the records whose next `bits` bits of the hash are `index`, at most as many bits as these are by;
   * the records stay where they are. Nothing can be added to either.
   */
  slice(index: number, bits: number): Partitions {
    const rest = this.bits - bits;
    const slice = new Partitions(this.arena, this.#staged, this.#spill, this.consumed + bits, 0, 1, undefined, rest);
    const { counts, sizes, chunks, extents } = this.holding();
    const [from, end] = [index * 2 ** rest, (index + 1) * 2 ** rest];
    slice.absorb({
      counts: counts.subarray(from, end),
      sizes: sizes.subarray(from, end),
      chunks: chunks.slice(from, end),
      extents: extents.slice(from, end),
    });
    return slice;
  }

  /**
   * Visits all records, those of one key in the order in which they were added. All go to the spill file first, and the
   * arena may be used again meanwhile.
   */
  drain(visit: VisitStaged): void {
    this.spillAll();
    for (let partition = 0; partition < this.counts.length; partition++) this.each(partition, visit);
  }

  /** Visits the records of a partition, in the order in which they were added. Nothing can be added meanwhile. */
  each(partition: number, visit: VisitStaged): void {
    // Twice the largest record that has no place of its own in the spill file, and large enough for few reads.
    const extents = this.#extents[partition]!;
    const largest = this.#head + MAX_KEY_BYTES + this.#staged.largeValue;
    const window = new ByteBuffer(extents.length === 0 ? 0 : 2 * largest + WINDOW);
    for (let i = 0; i < extents.length; i += 2) {
      let position = extents[i]!;
      let left = extents[i + 1]!;
      let kept = 0;
      while (left > 0) {
        const length = Math.min(left, window.size - kept);
        this.#spill.read(position, window.bytes.subarray(kept, kept + length));
        position += length;
        left -= length;
        kept = this.#visitWindow(window, kept + length, visit);
      }
    }
    this.#endChunk(partition);
    const chunks = this.#chunks[partition]!;
    for (let i = 0; i < chunks.length; i += 2) this.#visitChunk(chunks[i]!, chunks[i]! + chunks[i + 1]!, visit);
  }

  /** Visits the records of a chunk in the arena. */
  #visitChunk(start: number, end: number, visit: VisitStaged): void {
    for (let at = start; at < end; ) {
      const size = stagedSize(this.#staged, this.arena.view, at);
      visit(this.arena, at, size);
      at += size;
    }
  }

  /** Visits the whole records of a window; moves the rest to its start and returns the length of the rest. */
  #visitWindow(window: ByteBuffer, end: number, visit: VisitStaged): number {
    let at = 0;
    while (at + this.#head <= end) {
      const size = stagedSize(this.#staged, window.view, at);
      if (at + size > end) break;
      visit(window, at, size);
      at += size;
    }
    window.bytes.copyWithin(0, at, end);
    return end - at;
  }
}

/**
 * Copies a partition's records, in the order in which they were added, to the start of `into`, which is large enough.
 */
export function loadStaged(
  chunks: readonly number[],
  extents: readonly number[],
  arena: ByteBuffer,
  spill: SpillFile,
  into: ByteBuffer,
): void {
  let at = 0;
  for (let i = 0; i < extents.length; i += 2) {
    spill.read(extents[i]!, into.bytes.subarray(at, at + extents[i + 1]!));
    at += extents[i + 1]!;
  }
  for (let i = 0; i < chunks.length; i += 2) {
    arena.bytes.copy(into.bytes, at, chunks[i]!, chunks[i]! + chunks[i + 1]!);
    at += chunks[i + 1]!;
  }
}
