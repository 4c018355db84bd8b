// What takes encoded records in for a build, in one file or in shards: memory budget, partitions, threads. Does not know
// how keys and values were encoded, nor where the records go; options are common/options.ts.

import type { BlockHasher } from '../../base/block-hasher.js';
import type { ByteBuffer } from '../../base/bytes.js';
import { threadsFor, WorkerThread } from '../../base/workers.js';
import { headerSize, MAX_SEGMENT_BYTES, VARIABLE } from '../../format/constants.js';
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
import type { BuildOutput, BuildWork } from '../common/output.js';
import { Arena } from './arena.js';
import { type Assembled, type Assembly, assemble } from './assemble.js';
import { assembleParallel } from './assemble-parallel.js';
import { type CoreLines, canTakeMany } from './core-lines.js';
import { Ingest, type IngestResult, type IngestTask, type RecordSink } from './ingest.js';
import type { Interned } from './interner.js';
import { publishTable } from './publish-table.js';
import type { StagedLayout } from './staged-record.js';

/**
 * Bytes of keys and values for each further thread that sorts and writes; below that, a thread costs more than it
 * saves.
 */
const BYTES_PER_THREAD = 64 * 2 ** 20;

/** What becomes one file. */
export type FileRecords = Pick<Assembly, 'partitions' | 'stats' | 'staged' | 'distinct' | 'seed'>;

/**
 * Takes encoded records. They are added synchronously; between them, call {@link pause} now and then. Every path ends
 * with {@link finish} or {@link abandon}.
 */
export abstract class TableBuilder<W extends BuildWork = BuildWork> implements RecordSink {
  readonly keyType: KeyType;
  readonly valueType: BuildValueType;
  protected readonly options: ReturnType<typeof resolveOptions>;
  protected readonly output: W;
  protected readonly staged: StagedLayout;
  readonly #arena: Arena;
  /** Threads that take records in. */
  readonly #workers: number;
  readonly #maxThreads: number;
  /** Threads that write, besides this one. */
  readonly #threads: WorkerThread[] = [];
  protected ingest: Ingest;
  /** Entries that were taken in and lie in finished files. */
  protected published = 0;
  #isFreed = false;
  /** Distinct values that the other workers found. */
  readonly #interned: Interned[] = [];

  /**
   * @param workers threads that take records in, each a part of the input; see {@link ingestTask}
   * @param shard which records to take; others are left out
   * @param hasLines whether lines of text may come, see {@link lines}
   * @throws {TypeError} for a bad option, which it names
   * @throws {HmapError} when the output cannot be made
   */
  constructor(
    options: BuildOptions<ValueChoice>,
    workers: number,
    shard: HashHeader['shard'],
    hasLines: boolean,
    outputFor: (options: ReturnType<typeof resolveOptions>) => W,
  ) {
    this.options = resolveOptions(options);
    const { key, value, memory, seeds } = this.options;
    this.keyType = key;
    this.valueType = value;
    const width = valueWidthOf(value);
    // Three quarters of the budget hold records; the rest is for sorting partitions, for reading and for writing.
    const arena = Math.floor(memory * 0.75);
    this.staged = {
      shard,
      keyType: key,
      fingerprintBytes: (this.options.fingerprint ?? 0) / 8,
      fixedValue: width === VARIABLE ? undefined : width,
      mostDictionary: value === 'enum' ? Math.min(Math.floor(memory / 4), MAX_SEGMENT_BYTES) : undefined,
      largeValue: Math.min(2 ** 20, Math.floor(arena / workers / 16)),
    };
    this.#workers = workers;
    this.#maxThreads = threadsFor(memory);
    // Shared, so that other threads can read and fill it.
    // Text has keys of strings; others come in columns.
    const hasMany = (hasLines || key !== 'bytes') && canTakeMany(this.staged, value);
    this.#arena = Arena.of(arena, workers, hasMany);
    this.output = outputFor(this.options);
    try {
      this.ingest = new Ingest(value, seeds[0]!, this.staged, this.#arena, this.output.spill, 0, workers);
    } catch (error) {
      this.output.abandon();
      throw error;
    }
  }

  /** Entries added so far. */
  get entries(): number {
    return this.ingest.stats.entries;
  }

  /** See {@link RecordSink.lines}. */
  get lines(): CoreLines | undefined {
    return this.ingest.lines;
  }

  /** See {@link RecordSink.add}. */
  add(key: ByteBuffer, keyAt: number, keyBytes: number, value: ByteBuffer, valueAt: number, valueBytes: number): void {
    this.ingest.add(key, keyAt, keyBytes, value, valueAt, valueBytes);
  }

  /** See {@link BuildWork.pause}. */
  pause(done: number = this.entries): Promise<void> | undefined {
    if (this.output.isReading) this.#startThread();
    return this.output.pause(done);
  }

  /**
   * Starts a thread for the writing in good time; only if the writing can be divided, which is so if no entry is
   * dropped.
   */
  #startThread(): void {
    const { keyBytes, valueBytes } = this.ingest.stats;
    const threads = this.#threads.length + 1;
    if (threads >= this.#maxThreads || keyBytes + valueBytes <= threads * BYTES_PER_THREAD) return;
    if (this.options.duplicates !== 'error') return;
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
      seed: this.options.seeds[0]!,
      staged: this.staged,
      arena: this.#arena.shared,
      spill: this.output.spill.share(),
      worker,
      workers: this.#workers,
    };
  }

  /** Takes over what the other workers took in, in their order. Nothing can be added afterwards. */
  absorb(results: readonly IngestResult[]): void {
    for (const { sums, holding, interned } of results) {
      this.ingest.stats.merge(sums);
      this.ingest.partitions.absorb(holding);
      if (interned !== undefined) this.#interned.push(interned);
    }
  }

  /** The distinct values of all workers; only if values are `enum`. */
  protected get interned(): readonly Interned[] | undefined {
    const { interned } = this.ingest;
    return interned && [interned, ...this.#interned];
  }

  /** Writes all of a file but its header. */
  protected async assemble(records: FileRecords, fd: number, hashes: BlockHasher): Promise<Assembled> {
    const { metadata, duplicates, segmentBytes, memory } = this.options;
    const { partitions } = records;
    const largest = partitions.sizes.reduce((most, size) => Math.max(most, size), 0);
    const isLent = largest > this.sideLimit && largest <= this.lentLimit;
    if (isLent) partitions.spillAll();
    const textBytes = metadata.length + schemaBytesOf(this.valueType).length;
    const assembly: Assembly = {
      ...records,
      spill: this.output.spill,
      valueType: this.valueType,
      duplicates,
      segmentLimit: segmentBytes,
      sideLimit: isLent ? this.lentLimit : this.sideLimit,
      lent: isLent ? this.#arena.shared : undefined,
      loadLimit: Math.floor(memory / 4),
      sizesLimit: Math.floor(memory / 64),
      fd,
      hashes,
      headerBytes: ({ segmentBits }) => headerSize(segmentBits, textBytes),
      pause: (done) => this.pause(this.published + done),
    };
    const threads = this.#threads.length + 1;
    return (
      (await assembleParallel(assembly, threads, (worker, task) => this.#threads[worker - 1]!.ask(task))) ??
      (await assemble(assembly))
    );
  }

  /** {@link Assembly.sideLimit} where one thread has the memory of the records, and others as much as they need. */
  protected get lentLimit(): number {
    return Math.floor(this.options.memory / 8);
  }

  /** See {@link Assembly.sideLimit}. */
  protected get sideLimit(): number {
    return Math.floor(this.options.memory / 16);
  }

  /** Writes the header of a file of which the rest is written, and puts it in its place. */
  protected async publish(output: BuildOutput, records: FileRecords, assembled: Assembled): Promise<BuildSummary> {
    const { shape, stats, written, ranked } = assembled;
    const { loads, long } = written;
    const bits = this.options.fingerprint;
    const table = await publishTable(output, {
      keyType: this.keyType,
      valueType: this.#writtenType(shape.valueWidth),
      narrowed: this.valueType === 'uint',
      seed: records.seed,
      shard: records.staged.shard,
      fingerprint: bits === undefined ? undefined : { bits, long },
      metadata: this.options.metadata,
      shape,
      stats,
      written,
      dictionary: ranked,
    });
    return {
      ...table,
      duplicates: records.stats.entries - stats.entries,
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

  /** Writes what was taken in, and puts it in its place. */
  abstract finish(): Promise<BuildSummary>;

  /** Removes all that was written. */
  async abandon(): Promise<void> {
    // First, since they write.
    await this.stopThreads();
    this.output.abandon();
  }

  /** Ends the threads, and gives the records' memory back. */
  protected async stopThreads(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.stop()));
    if (!this.#isFreed) this.#arena.free();
    this.#isFreed = true;
  }
}
