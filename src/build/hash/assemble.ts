// Turns a build's partitions into a file: sorts each, settles duplicates, hands the records to the writer. Does not
// know the file's layout.

import { ftruncateSync } from 'node:fs';
import type { BlockHasher } from '../../base/block-hasher.js';
import { ByteBuffer } from '../../base/bytes.js';
import { HmapError } from '../../base/errors.js';
import type { BucketLoads } from '../../format/bucket-loads.js';
import { align } from '../../format/constants.js';
import type { HashHeader, SegmentPlace } from '../../format/header.js';
import { bucketCount } from '../../format/index-lines.js';
import { type Shape, sameShape } from '../../format/shape.js';
import { type BuildValueType, isNarrowed } from '../../format/value-types.js';
import { BlockSums, type WrittenSums } from '../common/block-sums.js';
import type { DuplicatePolicy } from '../common/options.js';
import type { SpillFile } from '../common/spill-file.js';
import { collect } from './collect.js';
import { applyRanks, markUsed, noneUsed, type Ranked, rank, type Used, writeDictionary } from './dictionary-writer.js';
import { EntryStats, shapeOfEntries } from './entry-stats.js';
import { writeIndex, writeLongFingerprints } from './index-writer.js';
import type { Interned } from './interner.js';
import { OneHash } from './one-hash.js';
import type { Partitions } from './partitions.js';
import { SegmentWriter, type Sorted } from './segment-writer.js';
import { refuseDuplicate, Sorter } from './sorter.js';
import { STAGED, type StagedLayout, stagedNarrowed, storedKeyBytes, storedKeyWidth } from './staged-record.js';
import { type LentMemory, Workbench } from './workbench.js';

export interface Assembly {
  readonly partitions: Partitions;
  readonly stats: EntryStats;
  readonly staged: StagedLayout;
  readonly spill: SpillFile;
  /** Of the hash by which the records are in partitions. */
  readonly seed: number;
  readonly valueType: BuildValueType;
  readonly duplicates: DuplicatePolicy;
  readonly segmentLimit: number;
  /** Partitions up to this many bytes are sorted beside the records in memory. */
  readonly sideLimit: number;
  /**
   * Partitions up to this many bytes are sorted in the memory of the records, which go to the spill file; above it they
   * are parted further.
   */
  readonly loadLimit: number;
  /** The memory of the records, if all of them are in the spill file. */
  readonly lent: LentMemory | undefined;
  /** Bytes of sizes of buckets that a thread keeps in memory. */
  readonly sizesLimit: number;
  readonly fd: number;
  readonly hashes: BlockHasher;
  /** If the values are `enum`: the distinct values of each worker, and their order. */
  readonly distinct: { readonly interned: readonly Interned[]; readonly ranked: Ranked } | undefined;
  headerBytes(shape: Shape): number;
  /** Called between partitions, with the records done so far; gives other work a turn and may throw to stop. */
  pause(done: number): Promise<void> | undefined;
}

/** Where the parts of a finished file lie. */
export interface Written {
  readonly segments: readonly SegmentPlace[];
  readonly index: HashHeader['index'];
  readonly checksums: WrittenSums;
  readonly loads: BucketLoads;
  /** Long fingerprints, and pairs of records that even these do not tell apart. */
  readonly long: number;
  readonly clashes: number;
}

export interface Assembled {
  readonly shape: Shape;
  readonly stats: EntryStats;
  readonly written: Written;
  /** What was written of distinct values. */
  readonly ranked: Ranked | undefined;
}

/**
 * Writes the file's segments and checksums. The shape of the file follows from its entries, and duplicates among them
 * show only here: where dropping them changes the shape, a second pass writes the file anew.
 */
export async function assemble(assembly: Assembly): Promise<Assembled> {
  let { stats } = assembly;
  let ranked = assembly.distinct?.ranked;
  // What is collected is longer than what came: a first pass counts it.
  let isCounted = assembly.duplicates !== 'collect';
  for (;;) {
    const shape = isCounted ? shapeOrUndefined(stats, assembly) : undefined;
    isCounted = true;
    const pass = new Pass(assembly, shape, ranked);
    await pass.run();
    const kept = pass.kept ?? stats;
    const left = kept.entries === stats.entries ? ranked : pass.rankUsed(kept);
    if (shape === undefined || pass.writer === undefined) {
      pass.free();
    } else {
      const written = await pass.finish(pass.writer, shape);
      pass.free();
      const same = left?.count === ranked?.count && sameShape(shape, shapeFor(kept, assembly));
      if (kept.entries === stats.entries || same) {
        return { shape, stats: kept.narrowed(assembly.valueType), written, ranked };
      }
    }
    stats = kept;
    ranked = left;
  }
}

/** The shape of the file of these entries. Throws as {@link shapeOfEntries} does. */
export function shapeFor(stats: EntryStats, { valueType, segmentLimit, staged }: Assembly): Shape {
  return shapeOfEntries(stats, valueType, segmentLimit, storedKeyWidth(staged), staged.shard.bits);
}

/** `undefined` if the entries do not fit in any file, but may fit once duplicates are dropped. */
function shapeOrUndefined(stats: EntryStats, assembly: Assembly): Shape | undefined {
  const { duplicates, stats: all } = assembly;
  try {
    return shapeFor(stats, assembly);
  } catch (error) {
    if (duplicates === 'error' || stats !== all || !(error instanceof HmapError)) throw error;
    return undefined;
  }
}

class Pass {
  /** Only if the shape is known; otherwise the pass counts. */
  readonly writer: SegmentWriter | undefined;
  /** Sums over the records that were kept; only if duplicates may be dropped. */
  readonly kept: EntryStats | undefined;
  readonly #assembly: Assembly;
  /** Whether each partition can be sorted beside the arena. */
  readonly #areSmall: boolean;
  readonly #bench: Workbench;
  readonly #sorter: Sorter;
  readonly #sums: BlockSums;
  /** The order in which the pass writes the distinct values, and which of these occur in records that are kept. */
  readonly #ranked: Ranked | undefined;
  readonly #used: Used | undefined;
  #memory: ByteBuffer;
  #done = 0;

  constructor(assembly: Assembly, shape: Shape | undefined, ranked: Ranked | undefined) {
    this.#assembly = assembly;
    this.#ranked = ranked;
    const { fd, staged, hashes, partitions, sideLimit } = assembly;
    const bytes = assembly.stats.keyBytes + assembly.stats.valueBytes;
    this.#areSmall = partitions.sizes.every((size) => size <= sideLimit);
    // What is larger is sorted in the arena, or parted first.
    const hasBench = this.#areSmall && shape !== undefined;
    const largest = hasBench ? partitions.sizes.reduce((most, size) => Math.max(most, size), 0) : 0;
    const count = hasBench ? partitions.counts.reduce((most, each) => Math.max(most, each), 0) : 0;
    const bench = Workbench.of({ bytes: largest, count, all: bytes }, staged, shape, hasBench, assembly.lent);
    this.#bench = bench;
    this.#memory = bench.records;
    this.#sorter = new Sorter(staged, bench);
    const headerBytes = shape === undefined ? 0 : assembly.headerBytes(shape);
    const start = { bucket: 0, segmentOffset: headerBytes, heapBytes: 0 };
    this.#sums = new BlockSums(headerBytes);
    ftruncateSync(fd, 0);
    const { spill, seed, sizesLimit, valueType } = assembly;
    const target = { fd, sums: this.#sums, hashes, spill, sizesLimit };
    this.writer = shape && new SegmentWriter(target, { shape, staged, seed, valueType }, start, bytes, bench);
    const { duplicates, distinct } = assembly;
    this.kept = duplicates === 'error' ? undefined : new EntryStats(valueType, staged.shard.bits);
    if (this.kept !== undefined && ranked !== undefined) this.kept.largest = ranked.count - 1;
    this.#used = this.kept && distinct && noneUsed(distinct.interned);
  }

  run(): Promise<void> {
    const { partitions } = this.#assembly;
    if (!this.#areSmall) {
      partitions.spillAll();
      this.#memory = partitions.arena;
    }
    return this.#all(partitions);
  }

  /** Gives the memory back; nothing can be sorted or written afterwards. */
  free(): void {
    this.#bench.free();
  }

  /** Writes what is left, the index and the checksums. The header's place is still empty afterwards. */
  async finish(writer: SegmentWriter, shape: Shape): Promise<Written> {
    const { fd, hashes, spill, pause } = this.#assembly;
    const sums = this.#sums;
    const segmentsEnd = align(writer.end(2 ** shape.segmentBits * bucketCount(shape)));
    const dictionaryEnd = writeDictionary(this.#assembly, sums, this.#ranked, segmentsEnd);
    const turn = () => pause(this.#done);
    const task = { fd, hashes, sums, spill, turn };
    const { sizes, long, clashes } = writer.finish();
    const fingerprints = writeLongFingerprints(task, [long], dictionaryEnd);
    const index = await writeIndex(task, shape, [sizes], fingerprints.end);
    const checksums = sums.finish(fd, hashes, align(index.offset + index.bytes));
    return { segments: writer.segments, index, checksums, loads: writer.loads, long: fingerprints.count, clashes };
  }

  /** The distinct values that are left; also updates the sums of the records that were kept. */
  rankUsed(kept: EntryStats): Ranked | undefined {
    const { distinct } = this.#assembly;
    if (distinct === undefined || this.#used === undefined) return undefined;
    const left = rank(distinct.interned, distinct.ranked.bytes, this.#used);
    kept.largest = left.count - 1;
    return left;
  }

  async #all(partitions: Partitions): Promise<void> {
    const { loadLimit, pause } = this.#assembly;
    for (let i = 0; i < partitions.counts.length; i++) {
      const count = partitions.counts[i]!;
      const consumed = partitions.consumed + partitions.bits;
      if (partitions.sizes[i]! > loadLimit && consumed < 32) {
        await this.#all(partitions.part(i));
      } else if (count > 0) {
        const loaded = partitions.sizes[i]! > loadLimit ? this.#reduced(partitions, i) : this.#loaded(partitions, i);
        this.#sorter.sort(loaded.buffer, loaded.count, consumed);
        this.#write(loaded.buffer, loaded.count);
        this.#done += count;
      }
      const waiting = pause(this.#done);
      if (waiting !== undefined) await waiting;
    }
  }

  #loaded(partitions: Partitions, i: number): { buffer: ByteBuffer; count: number } {
    const bytes = partitions.sizes[i]!;
    if (this.#memory.size < bytes) this.#memory = new ByteBuffer(Math.ceil(bytes * 1.125));
    partitions.load(i, this.#memory);
    return { buffer: this.#memory, count: partitions.counts[i]! };
  }

  /** Of a partition that is too large to be loaded, but has only one hash. */
  #reduced(partitions: Partitions, i: number): { buffer: ByteBuffer; count: number } {
    const { staged, duplicates } = this.#assembly;
    const oneHash = new OneHash(staged, duplicates);
    partitions.each(i, (records, at, size) => oneHash.add(records, at, size));
    return oneHash.left();
  }

  /** Writes a sorted partition, one record for each key. */
  #write(buffer: ByteBuffer, count: number): void {
    const { duplicates, staged, spill } = this.#assembly;
    const sorter = this.#sorter;
    if (duplicates === 'collect') {
      const collected = collect(sorter, buffer, count, staged, spill);
      this.#count(this.kept!, collected.buffer, collected, collected.count);
      this.writer?.records(collected.buffer, collected, collected.count, this.#readLarge);
      return;
    }
    const kept = sorter.dropDuplicates(count, duplicates, (index) => refuseDuplicate(sorter, buffer, staged, index));
    if (this.kept !== undefined) this.#count(this.kept, buffer, sorter, kept);
    if (this.#used !== undefined) markUsed(buffer, sorter, kept, staged, this.#used);
    if (this.#ranked !== undefined) applyRanks(buffer, sorter, kept, staged, this.#ranked.ranks);
    this.writer?.records(buffer, sorter, kept, this.#readLarge);
  }

  readonly #readLarge = (position: number, into: Uint8Array): void => this.#assembly.spill.read(position, into);

  #count(stats: EntryStats, { view }: ByteBuffer, { order, positions, hashes }: Sorted, kept: number): void {
    const { staged, valueType } = this.#assembly;
    const { fixedValue } = staged;
    for (let i = 0; i < kept; i++) {
      const at = positions[order[i]!]!;
      const valueBytes = fixedValue ?? view.getUint32(at + STAGED.valueBytes, true);
      const keyBytes = storedKeyBytes(staged, view.getUint16(at + STAGED.keyBytes, true));
      stats.add(hashes[order[i]!]!, keyBytes, valueBytes);
      if (isNarrowed(valueType)) stats.addNarrowed(hashes[order[i]!]!, stagedNarrowed(valueType, staged, view, at));
    }
  }
}
