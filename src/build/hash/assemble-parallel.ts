// Turns a build's partitions into a file with several threads, each of which writes a span of it. For builds in which
// no entry is dropped; what drops entries, or has partitions too large to be sorted side by side, is assemble.ts.

import { ftruncateSync } from 'node:fs';
import { waitFor } from '../../base/workers.js';
import { BucketLoads } from '../../format/bucket-loads.js';
import { align, blockCount, FULL_OFFSET_BITS } from '../../format/constants.js';
import { LONG_FINGERPRINT } from '../../format/fingerprints.js';
import { indexSize } from '../../format/index-lines.js';
import { BlockSums } from '../common/block-sums.js';
import { type Assembled, type Assembly, shapeFor } from './assemble.js';
import { writeDictionary } from './dictionary-writer.js';
import { writeIndex, writeLongFingerprints } from './index-writer.js';
import type { SpanTask } from './span-task.js';
import { type SpanResult, type SpanWork, writeSpan } from './span-writer.js';
import { layOut } from './spans.js';

/** Asks a helper thread, by number from 1, to write a span; `undefined` when it does not. */
export type AskWorker = (worker: number, task: SpanTask) => Promise<SpanResult | undefined>;

/**
 * Writes the file's segments and checksums; `undefined`, and nothing is written, where the file cannot be cut.
 * @param threads how many spans to cut, the caller's included
 */
export async function assembleParallel(
  assembly: Assembly,
  threads: number,
  ask: AskWorker,
): Promise<Assembled | undefined> {
  const { partitions, staged, seed, spill, valueType, fd, hashes, pause } = assembly;
  if (assembly.duplicates !== 'error' || threads < 2) return undefined;
  if (partitions.sizes.some((size) => size > assembly.sideLimit)) return undefined;
  const shape = shapeFor(assembly.stats, assembly);
  const stats = assembly.stats.narrowed(valueType);
  const headerBytes = assembly.headerBytes(shape);
  const layout = layOut(shape, stats, valueType, partitions.counts, headerBytes, threads);
  if (layout === undefined) return undefined;
  const ranked = assembly.distinct?.ranked;
  // How large the index is shows only when all buckets are written.
  const indexMost = 2 ** shape.segmentBits * indexSize(shape, FULL_OFFSET_BITS);
  const longMost = staged.fingerprintBytes === 0 ? 0 : LONG_FINGERPRINT.size * stats.entries;
  const most = align(align(layout.end + (ranked?.bytes ?? 0)) + longMost + indexMost);
  ftruncateSync(fd, 0);
  const sums = new BigUint64Array(new SharedArrayBuffer(8 * blockCount(headerBytes, most)));
  const done = new Float64Array(new SharedArrayBuffer(8 * layout.spans.length));
  const work: SpanWork = {
    shape,
    staged,
    seed,
    valueType,
    fd,
    headerBytes,
    holding: partitions.holding(),
    arena: partitions.arena.bytes.buffer as SharedArrayBuffer,
    spill: spill.share(),
    consumed: partitions.consumed + partitions.bits,
    sizesLimit: assembly.sizesLimit,
    sums,
    ranks: ranked?.ranks,
  };
  const progress = () => pause(done.reduce((sum, entries) => sum + entries, 0));
  const answers = layout.spans.slice(1).map((span, i) => ask(i + 1, { kind: 'span', work, span, done, worker: i + 1 }));

  const loads = new BucketLoads();
  const all = new BlockSums(headerBytes, sums);
  const parts: SpanResult[] = [];
  for (const [worker, span] of layout.spans.entries()) {
    let result = worker === 0 ? undefined : await waitFor(answers[worker - 1]!, progress);
    if (result === undefined) {
      // This thread's own span, or one that its helper did not write.
      const writing = writeSpan(work, span, hashes, assembly.lent);
      let step = writing.next();
      for (; !step.done; step = writing.next()) {
        done[worker] = step.value;
        const waiting = progress();
        if (waiting !== undefined) await waiting;
      }
      result = step.value;
    }
    loads.merge(result.loads);
    parts.push(result);
    for (const block of result.sharedBlocks) all.shared.add(block);
  }
  const dictionaryEnd = writeDictionary(assembly, all, ranked, layout.end);
  const task = { fd, hashes, sums: all, spill, turn: progress };
  const longParts = parts.map(({ long }) => long);
  const fingerprints = writeLongFingerprints(task, longParts, dictionaryEnd);
  const sizes = parts.map((part) => part.sizes);
  const index = await writeIndex(task, shape, sizes, fingerprints.end);
  const checksums = all.finish(fd, hashes, align(index.offset + index.bytes));
  const clashes = parts.reduce((sum, part) => sum + part.clashes, 0);
  const { segments } = layout;
  return { shape, stats, written: { segments, index, checksums, loads, long: fingerprints.count, clashes }, ranked };
}
