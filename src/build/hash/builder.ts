// Builds a hash table in one file from encoded records, with the first seed that spreads their keys. Taking records in is
// table-builder.ts, the file's life is common/output.ts.

import { loadChecksums } from '../../base/block-hasher.js';
import { HmapError } from '../../base/errors.js';
import { pathOf } from '../../base/options.js';
import { MAX_BUCKET_RECORDS, SEEDS } from '../../format/constants.js';
import type { HashHeader } from '../../format/header.js';
import { shardText } from '../../format/manifest.js';
import type { ValueChoice } from '../../format/value-types.js';
import type { BuildOptions, BuildSummary } from '../common/options.js';
import { BuildOutput } from '../common/output.js';
import type { Assembled, Assembly } from './assemble.js';
import { rank } from './dictionary-writer.js';
import { type FileRecords, TableBuilder } from './table-builder.js';

/** The only shard of a table in one file. */
const WHOLE: HashHeader['shard'] = { index: 0, bits: 0 };

/** Takes encoded records and makes a file of them. */
export class Builder extends TableBuilder<BuildOutput> {
  /**
   * @param workers threads that take records in, each a part of the input; see {@link ingestTask}
   * @param shard which part of the table to build; records of others are left out. Takes the first seed or the given
   *   one
   * @param hasLines whether lines of text may come, see {@link lines}
   * @throws {TypeError} for a bad option, which it names
   * @throws {HmapError} when the output cannot be made
   */
  constructor(path: string, options: BuildOptions<ValueChoice>, workers = 1, shard = WHOLE, hasLines = true) {
    const target = pathOf(path);
    if (shard.bits > 0) needOneSeed(options);
    super(options, workers, shard, hasLines, (resolved) => new BuildOutput(target, resolved));
  }

  /**
   * Writes the file and puts it in its place.
   * @throws {HmapError} `HMAP_DUPLICATE_KEY`, `HMAP_BUCKET_LOAD`, `HMAP_SEGMENT_TOO_LARGE`, `HMAP_FILE_TOO_LARGE`,
   *   `HMAP_DICTIONARY_TOO_LARGE`, or the system's own code
   */
  async finish(): Promise<BuildSummary>;
  /**
   * @param below the file is put in its place only if it has fewer bytes; otherwise this returns `undefined`, and the
   * build is to be abandoned
   */
  async finish(below: number): Promise<BuildSummary | undefined>;
  async finish(below = Number.POSITIVE_INFINITY): Promise<BuildSummary | undefined> {
    return this.output.finish(() => this.#finish(below));
  }

  async #finish(below: number): Promise<BuildSummary | undefined> {
    this.output.startWriting(this.entries);
    const { records, assembled } = await this.#assemble();
    await this.stopThreads();
    const { checksums } = assembled.written;
    if (checksums.offset + checksums.bytes >= below) return undefined;
    return this.publish(this.output, records, assembled);
  }

  /** The distinct values in order; only if values are `enum`. */
  #distinct(): Assembly['distinct'] {
    const { interned } = this;
    if (interned === undefined) return undefined;
    const ranked = rank(interned, this.staged.mostDictionary!);
    this.ingest.stats.largest = ranked.count - 1;
    return { interned, ranked };
  }

  /** Writes all but the header, with the first seed under which no bucket holds too many records. */
  async #assemble(): Promise<{ records: FileRecords; assembled: Assembled }> {
    const { staged } = this;
    // Another seed would put the entries into other shards.
    const seeds = staged.shard.bits === 0 ? this.options.seeds : this.options.seeds.slice(0, 1);
    const hashes = await loadChecksums();
    for (let i = 0; ; i++) {
      const seed = seeds[i]!;
      const distinct = this.#distinct();
      const { partitions, stats } = this.ingest;
      const records: FileRecords = { partitions, stats, staged, distinct, seed };
      const assembled = await this.assemble(records, this.output.fd, hashes);
      const { loads, clashes } = assembled.written;
      if (loads.longest <= MAX_BUCKET_RECORDS && clashes === 0) return { records, assembled };
      if (staged.shard.bits > 0) throw shardFailed(staged.shard, assembled, seed);
      if (i + 1 === seeds.length) throw loads.longest > MAX_BUCKET_RECORDS ? tooLoaded(loads.longest, seeds) : clash();
      this.ingest = this.ingest.reseeded(seeds[i + 1]!);
    }
  }
}

/** @throws {TypeError} if the shards of a table would not have one seed */
export function needOneSeed({ seed }: BuildOptions<ValueChoice>): void {
  if (seed === 'random') throw new TypeError("seed: expected one number for all shards of a table, got 'random'");
}

/** The error for a shard that cannot be built with the seed that all shards have. */
export function shardFailed(shard: HashHeader['shard'], { written }: Assembled, seed: number): HmapError {
  const { loads } = written;
  const next = SEEDS[(SEEDS.indexOf(seed) + 1) % SEEDS.length]!;
  const isLoaded = loads.longest > MAX_BUCKET_RECORDS;
  const why = isLoaded
    ? `${loads.longest} or more keys share a bucket, the maximum is ${MAX_BUCKET_RECORDS}`
    : 'two keys have the same hashes, all of them';
  const message = `${shardText(shard)}: with the seed ${seed}, ${why}; build all shards with another seed, such as ${next}`;
  if (!isLoaded) return new HmapError('HMAP_FINGERPRINT', message);
  return new HmapError('HMAP_BUCKET_LOAD', message, { expected: MAX_BUCKET_RECORDS, actual: loads.longest });
}

function clash(): HmapError {
  const message =
    'two keys have the same hashes, all of them, so that no fingerprint tells them apart; ' +
    'they seem to be chosen for that. Build the table without fingerprints';
  return new HmapError('HMAP_FINGERPRINT', message);
}

/** The error for a bucket with too many records, under each of the seeds. */
export function tooLoaded(longest: number, seeds: readonly number[]): HmapError {
  const limit = MAX_BUCKET_RECORDS;
  const tried = seeds.length === 1 ? `the seed ${seeds[0]}` : `each of ${seeds.length} seeds`;
  const message =
    `with ${tried}, ${longest} or more keys share a bucket; the maximum is ${limit}. The keys seem to be chosen to make lookups slow; ` +
    "the seed 'random' helps unless they were chosen to collide under every seed";
  return new HmapError('HMAP_BUCKET_LOAD', message, { expected: limit, actual: longest });
}
