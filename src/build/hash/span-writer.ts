// Sorts and writes the partitions of one span, in whichever thread. Does not know of threads, nor how the file was cut.

import type { BlockHasher } from '../../base/block-hasher.js';
import { ByteBuffer } from '../../base/bytes.js';
import type { BucketLoads } from '../../format/bucket-loads.js';
import { BlockSums } from '../common/block-sums.js';
import { type SharedSpill, SpillFile } from '../common/spill-file.js';
import { applyRanks, type Ranks } from './dictionary-writer.js';
import { type Holding, loadStaged } from './partitions.js';
import { type Form, type Rest, SegmentWriter } from './segment-writer.js';
import { refuseDuplicate, Sorter } from './sorter.js';
import type { Span } from './spans.js';
import { type LentMemory, Workbench } from './workbench.js';

/** All that the spans of one file have in common; can be sent to another thread. */
export interface SpanWork extends Form {
  /** Descriptor of the file that is written. */
  readonly fd: number;
  readonly headerBytes: number;
  readonly holding: Holding;
  /** Not a view of it: Deno goes through each element of a view that is sent, and fails at a hundred million. */
  readonly arena: SharedArrayBuffer;
  readonly spill: SharedSpill;
  /** Top bits of the hash that the records of one partition share. */
  readonly consumed: number;
  /** Bytes of sizes of buckets, and of long fingerprints, that a thread keeps in memory. */
  readonly sizesLimit: number;
  /** Memory for the block checksums of the whole file. */
  readonly sums: BigUint64Array;
  /** Indexes of the values in the dictionary, if values are `enum`. */
  readonly ranks: Ranks | undefined;
}

/** What is known when a span is written, besides the checksums. */
export interface SpanResult extends Rest {
  readonly loads: Pick<BucketLoads, 'histogram' | 'longest' | 'buckets' | 'records'>;
  /** Blocks that the span shares with its neighbours; their checksums are missing. */
  readonly sharedBlocks: ReadonlySet<number>;
}

/**
 * Writes a span; yields the records done now and then, so that the caller can give other work a turn, or stop.
 * @param lent memory that no other thread uses
 * @throws {HmapError} `HMAP_DUPLICATE_KEY`: no entry may be dropped here, because the places of all are settled
 */
export function* writeSpan(
  work: SpanWork,
  span: Span,
  hashes: BlockHasher,
  lent?: LentMemory,
): Generator<number, SpanResult, void> {
  const { staged, holding, fd } = work;
  const arena = new ByteBuffer(new Uint8Array(work.arena));
  const spill = new SpillFile(work.spill);
  const sums = new BlockSums(work.headerBytes, work.sums);
  const readLarge = (position: number, into: Uint8Array) => spill.read(position, into);
  const sizes = holding.sizes.subarray(span.first, span.end);
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const target = { fd, sums, hashes, spill, sizesLimit: work.sizesLimit };
  const count = holding.counts.subarray(span.first, span.end).reduce((most, each) => Math.max(most, each), 0);
  const bench = Workbench.of({ bytes: largest, count, all }, staged, work.shape, true, lent);
  const sorter = new Sorter(staged, bench);
  const writer = new SegmentWriter(target, work, span.start, all, bench);
  const { records: buffer } = bench;
  let done = 0;
  for (let i = span.first; i < span.end; i++) {
    const count = holding.counts[i]!;
    if (count > 0) {
      loadStaged(holding.chunks[i]!, holding.extents[i]!, arena, spill, buffer);
      sorter.sort(buffer, count, work.consumed);
      sorter.dropDuplicates(count, 'error', (index) => refuseDuplicate(sorter, buffer, staged, index));
      if (work.ranks !== undefined) applyRanks(buffer, sorter, count, staged, work.ranks);
      writer.records(buffer, sorter, count, readLarge);
      done += count;
    }
    yield done;
  }
  writer.end(span.endBucket);
  bench.free();
  const { histogram, longest, buckets, records } = writer.loads;
  const loads = { histogram, longest, buckets, records };
  return { loads, ...writer.finish(), sharedBlocks: sums.shared };
}
