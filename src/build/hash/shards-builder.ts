// Builds a table in shards from encoded records that are taken in once: each shard is the file that a build of its entries
// would make (native-notes/format.md, section 3). Taking records in is table-builder.ts, the folder is
// common/shard-folder.ts.

import { type BlockHasher, loadChecksums } from '../../base/block-hasher.js';
import { BucketLoads } from '../../format/bucket-loads.js';
import { MAX_BUCKET_RECORDS, MAX_SHARD_BITS } from '../../format/constants.js';
import type { HashHeader } from '../../format/header.js';
import { UINTS, type ValueChoice, valueWidthOf } from '../../format/value-types.js';
import type { BuildOptions, BuildSummary } from '../common/options.js';
import { BuildOutput, BuildWork } from '../common/output.js';
import { ShardFolder } from '../common/shard-folder.js';
import { needOneSeed, shardFailed } from './builder.js';
import { markStaged, noneUsed, rank } from './dictionary-writer.js';
import { EntryStats } from './entry-stats.js';
import { countStaged } from './ingest.js';
import type { Partitions } from './partitions.js';
import { type FileRecords, TableBuilder } from './table-builder.js';

/** The folder, and what a build has while it goes on. */
class ShardsOutput extends BuildWork {
  readonly folder: ShardFolder;

  constructor(folder: ShardFolder, options: ConstructorParameters<typeof BuildWork>[1]) {
    super(`${folder.next}.spill`, options);
    this.folder = folder;
  }

  override abandon(): void {
    super.abandon();
    this.folder.abandon();
  }
}

/** Takes encoded records and makes a folder of shards of them. */
export class ShardsBuilder extends TableBuilder<ShardsOutput> {
  readonly #bits: number;

  /**
   * @param path of the folder
   * @param shards how many, a power of two
   * @param workers threads that take records in, each a part of the input
   * @throws {TypeError} for a bad option, which it names
   * @throws {HmapError} when the output cannot be made
   */
  constructor(path: string, options: BuildOptions<ValueChoice>, shards: number, workers: number, hasLines: boolean) {
    if (typeof shards !== 'number' || !Number.isInteger(Math.log2(shards)) || shards > 2 ** MAX_SHARD_BITS) {
      throw new TypeError(`shards: expected a power of two up to ${2 ** MAX_SHARD_BITS}, got ${String(shards)}`);
    }
    needOneSeed(options);
    super(options, workers, { index: 0, bits: 0 }, hasLines, (resolved) => {
      resolved.signal?.throwIfAborted();
      return new ShardsOutput(new ShardFolder(path, shards, resolved.overwrite), resolved);
    });
    this.#bits = Math.log2(shards);
  }

  /**
   * Writes all shards, and then the manifest.
   * @throws {HmapError} as a build of each would; `HMAP_BUCKET_LOAD` names the shard
   */
  async finish(): Promise<BuildSummary> {
    const { output } = this;
    output.startWriting(this.entries);
    const { partitions } = this.ingest;
    const isLarge = partitions.sizes.some((size) => size > this.sideLimit);
    // Those of one shard are then sorted where those of the others lie, or parted there.
    if (isLarge || partitions.bits < this.#bits) partitions.spillAll();
    const hashes = await loadChecksums();
    const made: BuildSummary[] = [];
    await this.#each(partitions, 0, 0, hashes, made);
    await this.stopThreads();
    output.signal?.throwIfAborted();
    const seed = this.options.seeds[0]!;
    await output.folder.publish(seed);
    const { seconds, spill } = output;
    output.spill.close();
    return { ...sumOf(made), path: output.folder.path, seed, seconds, spilledBytes: spill.size, shards: made.length };
  }

  /**
   * Writes the shards whose records are in partitions, in their order.
   * @param bits top bits of the hash that these records share; they are `index`
   */
  async #each(partitions: Partitions, index: number, bits: number, hashes: BlockHasher, made: BuildSummary[]) {
    const left = this.#bits - bits;
    if (partitions.bits < left) {
      for (let i = 0; i < 2 ** partitions.bits; i++) {
        await this.#each(partitions.part(i), index * 2 ** partitions.bits + i, bits + partitions.bits, hashes, made);
      }
      return;
    }
    for (let i = 0; i < 2 ** left; i++) {
      const shard = { index: index * 2 ** left + i, bits: this.#bits };
      const slice = partitions.slice(i, left);
      const taken = slice.counts.reduce((sum, count) => sum + count, 0);
      made.push(await this.#write(await this.#recordsOf(shard, slice), hashes));
      this.published += taken;
    }
  }

  async #write(records: FileRecords, hashes: BlockHasher): Promise<BuildSummary> {
    const { folder, signal } = this.output;
    const output = new BuildOutput(folder.next, { signal, onProgress: undefined, overwrite: true }, false);
    try {
      const assembled = await output.finish(() => this.assemble(records, output.fd, hashes));
      const { loads, clashes } = assembled.written;
      const { shard } = records.staged;
      if (loads.longest > MAX_BUCKET_RECORDS || clashes > 0) throw shardFailed(shard, assembled, records.seed);
      const summary = await output.finish(() => this.publish(output, records, assembled));
      folder.take(summary);
      return summary;
    } catch (error) {
      output.abandon();
      throw error;
    }
  }

  /** The sums over the records of a shard, and their distinct values. */
  async #recordsOf(shard: HashHeader['shard'], partitions: Partitions): Promise<FileRecords> {
    const staged = { ...this.staged, shard };
    const { valueType, interned } = this;
    const stats = new EntryStats(valueType, shard.bits);
    const used = interned && noneUsed(interned);
    for (let i = 0; i < partitions.counts.length; i++) {
      partitions.each(i, ({ view }, at) => {
        countStaged(stats, valueType, staged, view, at);
        if (used !== undefined) markStaged(view, at, staged, used);
      });
      const waiting = this.pause(this.published);
      if (waiting !== undefined) await waiting;
    }
    const ranked = interned && rank(interned, staged.mostDictionary!, used);
    if (ranked !== undefined) stats.largest = ranked.count - 1;
    const distinct = interned && ranked && { interned, ranked };
    return { partitions, stats, staged, distinct, seed: this.options.seeds[0]! };
  }
}

/** What all shards are together: sums; of types of values, the widest. */
function sumOf(made: readonly BuildSummary[]): BuildSummary {
  const sum = (of: (summary: BuildSummary) => number) => made.reduce((all, summary) => all + of(summary), 0);
  const loads = new BucketLoads();
  for (const { entries, bucketLoads } of made) loads.merge({ ...bucketLoads, records: entries });
  const widest = made.reduce((a, b) => (widthOf(b) > widthOf(a) ? b : a));
  const sections = { ...widest.sections };
  for (const name of Object.keys(sections) as (keyof typeof sections)[])
    sections[name] = sum((each) => each.sections[name]);
  const rates = made.map(({ fingerprint }) => fingerprint);
  const rate = Math.max(...rates.map((each) => each?.falsePositiveRate ?? 0));
  const long = rates.reduce((all, each) => all + (each?.long ?? 0), 0);
  return {
    ...widest,
    entries: sum(({ entries }) => entries),
    duplicates: sum(({ duplicates }) => duplicates),
    fileBytes: sum(({ fileBytes }) => fileBytes),
    payloadBytes: sum(({ payloadBytes }) => payloadBytes),
    sections,
    segments: sum(({ segments }) => segments),
    ...(widest.fingerprint && { fingerprint: { bits: widest.fingerprint.bits, falsePositiveRate: rate, long } }),
    bucketLoads: loads.toJSON(),
    synced: made.every(({ synced }) => synced),
  };
}

function widthOf({ valueType }: BuildSummary): number {
  return UINTS.some((type) => type === valueType) ? valueWidthOf(valueType as (typeof UINTS)[number]) : 0;
}
