// Builds a hash table from encoded records: memory budget, partitions, assembly, header. Does not know how keys and
// values were encoded, nor where they come from; options are common/options.ts, the file's life is common/output.ts.

import { type BlockHasher, loadChecksums } from '../../base/block-hasher.js';
import type { ByteBuffer } from '../../base/bytes.js';
import { HmapError } from '../../base/errors.js';
import { pathOf } from '../../base/options.js';
import { threadsFor, WorkerThread } from '../../base/workers.js';
import { headerSize, MAX_BUCKET_RECORDS, MAX_SEGMENT_BYTES, VARIABLE } from '../../format/constants.js';
import { falsePositiveRate } from '../../format/fingerprints.js';
import type { HashHeader } from '../../format/header.js';
import type { KeyType } from '../../format/key-types.js';
import {
  type BuildValueType,
  type StoredType,
  UINTS,
  type ValueChoice,
  valueWidthOf,
} from '../../format/value-types.js';
import { schemaBytesOf } from '../../format/write-header.js';
import { type BuildOptions, type BuildSummary, resolveOptions } from '../common/options.js';
import { BuildOutput } from '../common/output.js';
import { Arena } from './arena.js';
import { type Assembled, type Assembly, assemble } from './assemble.js';
import { assembleParallel } from './assemble-parallel.js';
import { type CoreLines, canTakeMany } from './core-lines.js';
import { rank } from './dictionary-writer.js';
import { Ingest, type IngestResult, type IngestTask, type RecordSink } from './ingest.js';
import type { Interned } from './interner.js';
import { publishTable } from './publish-table.js';
import type { StagedLayout } from './staged-record.js';

/**
 * Bytes of keys and values for each further thread that sorts and writes; below that, a thread costs more than it
 * saves.
 */
const BYTES_PER_THREAD = 64 * 2 ** 20;

/** The only shard of a table in one file. */
const WHOLE: HashHeader['shard'] = { index: 0, bits: 0 };

/**
 * Takes encoded records and makes a file of them. Records are added synchronously; between them, call {@link pause} now
 * and then. Every path ends with {@link finish} or {@link abandon}.
 */
export class Builder implements RecordSink {
  readonly keyType: KeyType;
  readonly valueType: BuildValueType;
  readonly #options: ReturnType<typeof resolveOptions>;
  readonly #output: BuildOutput;
  readonly #staged: StagedLayout;
  readonly #arena: Arena;
  /** Threads that take records in. */
  readonly #workers: number;
  readonly #maxThreads: number;
  /** Threads that write, besides this one. */
  readonly #threads: WorkerThread[] = [];
  #ingest: Ingest;
  #isFreed = false;
  /** Distinct values that the other workers found. */
  readonly #interned: Interned[] = [];

  /**
   * @param workers threads that take records in, each a part of the input; see {@link ingestTask}
   * @param shard which part of the table to build; records of others are left out. Takes the first seed or the given
   *   one
   * @param hasLines whether lines of text may come, see {@link lines}
   * @throws {TypeError} for a bad option, which it names
   * @throws {HmapError} when the output cannot be made
   */
  constructor(path: string, options: BuildOptions<ValueChoice>, workers = 1, shard = WHOLE, hasLines = true) {
    const output = pathOf(path);
    this.#options = resolveOptions(options);
    if (shard.bits > 0 && options.seed === 'random') {
      throw new TypeError("seed: expected one number for all shards of a table, got 'random'");
    }
    const { key, value, memory, seeds } = this.#options;
    this.keyType = key;
    this.valueType = value;
    const width = valueWidthOf(value);
    // Three quarters of the budget hold records; the rest is for sorting partitions, for reading and for writing.
    const arena = Math.floor(memory * 0.75);
    this.#staged = {
      shard,
      keyType: key,
      fingerprintBytes: (this.#options.fingerprint ?? 0) / 8,
      fixedValue: width === VARIABLE ? undefined : width,
      mostDictionary: value === 'enum' ? Math.min(Math.floor(memory / 4), MAX_SEGMENT_BYTES) : undefined,
      largeValue: Math.min(2 ** 20, Math.floor(arena / workers / 16)),
    };
    this.#workers = workers;
    this.#maxThreads = threadsFor(memory);
    // Shared, so that other threads can read and fill it.
    // Text has keys of strings; others come in columns.
    const hasMany = (hasLines || key !== 'bytes') && canTakeMany(this.#staged, value);
    this.#arena = Arena.of(arena, workers, hasMany);
    this.#output = new BuildOutput(output, this.#options);
    try {
      this.#ingest = new Ingest(value, seeds[0]!, this.#staged, this.#arena, this.#output.spill, 0, workers);
    } catch (error) {
      this.#output.abandon();
      throw error;
    }
  }

  /** Entries added so far. */
  get entries(): number {
    return this.#ingest.stats.entries;
  }

  /** See {@link RecordSink.lines}. */
  get lines(): CoreLines | undefined {
    return this.#ingest.lines;
  }

  /** See {@link RecordSink.add}. */
  add(key: ByteBuffer, keyAt: number, keyBytes: number, value: ByteBuffer, valueAt: number, valueBytes: number): void {
    this.#ingest.add(key, keyAt, keyBytes, value, valueAt, valueBytes);
  }

  /** See {@link BuildOutput.pause}. */
  pause(done: number = this.entries): Promise<void> | undefined {
    if (this.#output.isReading) this.#startThread();
    return this.#output.pause(done);
  }

  /**
   * Starts a thread for the writing in good time; only if the writing can be divided, which is so if no entry is
   * dropped.
   */
  #startThread(): void {
    const { keyBytes, valueBytes } = this.#ingest.stats;
    const threads = this.#threads.length + 1;
    if (threads >= this.#maxThreads || keyBytes + valueBytes <= threads * BYTES_PER_THREAD) return;
    if (this.#options.duplicates !== 'error') return;
    this.addThread(new WorkerThread('./span-worker.js', import.meta.url));
  }

  /** A thread to write with, which the builder stops when it is done. */
  addThread(thread: WorkerThread): void {
    this.#threads.push(thread);
  }

  /** What a thread needs to take in the part of the input that follows that of worker `worker - 1`; from 1. */
  ingestTask(worker: number): IngestTask {
    return {
      valueType: this.valueType,
      seed: this.#options.seeds[0]!,
      staged: this.#staged,
      arena: this.#arena.shared,
      spill: this.#output.spill.share(),
      worker,
      workers: this.#workers,
    };
  }

  /** Takes over what the other workers took in, in their order. Nothing can be added afterwards. */
  absorb(results: readonly IngestResult[]): void {
    for (const { sums, holding, interned } of results) {
      this.#ingest.stats.merge(sums);
      this.#ingest.partitions.absorb(holding);
      if (interned !== undefined) this.#interned.push(interned);
    }
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
    return this.#output.finish(() => this.#finish(below));
  }

  async #finish(below: number): Promise<BuildSummary | undefined> {
    const output = this.#output;
    output.startWriting(this.entries);
    const { seed, shape, stats, written, ranked } = await this.#assemble();
    await this.#stopThreads();
    const { checksums, loads, long } = written;
    if (checksums.offset + checksums.bytes >= below) return undefined;
    const bits = this.#options.fingerprint;
    const table = await publishTable(output, {
      keyType: this.keyType,
      valueType: this.#writtenType(shape.valueWidth),
      narrowed: this.valueType === 'uint',
      seed,
      shard: this.#staged.shard,
      fingerprint: bits === undefined ? undefined : { bits, long },
      metadata: this.#options.metadata,
      shape,
      stats,
      written,
      dictionary: ranked,
    });
    return {
      ...table,
      duplicates: this.entries - stats.entries,
      bucketLoads: loads.toJSON(),
      ...(bits === undefined
        ? {}
        : { fingerprint: { bits, falsePositiveRate: falsePositiveRate(stats.entries, shape, bits), long } }),
    };
  }

  /** The type of the values in the file, whose width is that of the shape. */
  #writtenType(valueWidth: number): StoredType {
    const { valueType } = this;
    return valueType === 'uint' ? UINTS.find((type) => valueWidthOf(type) === valueWidth)! : valueType;
  }

  /** The distinct values of all workers, in order; only if values are `enum`. */
  #distinct(): Assembly['distinct'] {
    const { interned, stats } = this.#ingest;
    if (interned === undefined) return undefined;
    const all = [interned, ...this.#interned];
    const ranked = rank(all, this.#staged.mostDictionary!);
    stats.largest = ranked.count - 1;
    return { interned: all, ranked };
  }

  /** Writes all but the header, with the first seed under which no bucket holds too many records. */
  async #assemble(): Promise<Assembled & { seed: number }> {
    const { shard } = this.#staged;
    // Another seed would put the entries into other shards.
    const seeds = shard.bits === 0 ? this.#options.seeds : this.#options.seeds.slice(0, 1);
    const hashes = await loadChecksums();
    for (let i = 0; ; i++) {
      const assembled = await this.#assembleOnce(hashes, seeds[i]!);
      const { loads, clashes } = assembled.written;
      if (loads.longest <= MAX_BUCKET_RECORDS && clashes === 0) return { ...assembled, seed: seeds[i]! };
      if (i + 1 === seeds.length) throw loads.longest > MAX_BUCKET_RECORDS ? tooLoaded(loads.longest, seeds) : clash();
      this.#ingest = this.#ingest.reseeded(seeds[i + 1]!);
    }
  }

  async #assembleOnce(hashes: BlockHasher, seed: number): Promise<Assembled> {
    const { metadata, duplicates, segmentBytes, memory } = this.#options;
    const textBytes = metadata.length + schemaBytesOf(this.valueType).length;
    const assembly: Assembly = {
      partitions: this.#ingest.partitions,
      stats: this.#ingest.stats,
      staged: this.#staged,
      spill: this.#output.spill,
      seed,
      valueType: this.valueType,
      duplicates,
      segmentLimit: segmentBytes,
      sideLimit: Math.floor(memory / 16),
      loadLimit: Math.floor(memory / 4),
      sizesLimit: Math.floor(memory / 64),
      fd: this.#output.fd,
      hashes,
      distinct: this.#distinct(),
      headerBytes: ({ segmentBits }) => headerSize(segmentBits, textBytes),
      pause: (done) => this.pause(done),
    };
    const threads = this.#threads.length + 1;
    return (
      (await assembleParallel(assembly, threads, (worker, task) => this.#threads[worker - 1]!.ask(task))) ??
      (await assemble(assembly))
    );
  }

  /** Removes all that was written. */
  async abandon(): Promise<void> {
    // First, since they write.
    await this.#stopThreads();
    this.#output.abandon();
  }

  /** Ends the threads, and gives the records' memory back. */
  async #stopThreads(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.stop()));
    if (!this.#isFreed) this.#arena.free();
    this.#isFreed = true;
  }
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
