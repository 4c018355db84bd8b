// Builds a file from encoded records: memory budget, partitions, assembly, header, publication. Does not know how keys and values were
// encoded, nor where they come from; options are build-options.ts.

import { type BlockHasher, loadChecksums } from '../../base/block-hasher.js';
import { ByteBuffer } from '../../base/bytes.js';
import { HmapError, systemError } from '../../base/errors.js';
import { writeAll } from '../../base/fs.js';
import { checkPath } from '../../base/options.js';
import { Pacer } from '../../base/pacer.js';
import { Helper, threadsFor } from '../../base/workers.js';
import {
  bucketArraySize,
  bucketLimit,
  headerSize,
  heapStart,
  MAX_SEGMENT_BYTES,
  VARIABLE,
} from '../../format/constants.js';
import type { KeyType } from '../../format/key-types.js';
import {
  type BuildValueType,
  type StoredType,
  UINTS,
  type ValueChoice,
  valueWidthOf,
} from '../../format/value-types.js';
import { schemaBytesOf, writeHeader } from '../../format/write-header.js';
import { type BuildOptions, type BuildProgress, type BuildSummary, resolveOptions } from '../common/options.js';
import { Publication } from '../common/publication.js';
import { type SharedSpill, SpillFile } from '../common/spill-file.js';
import { type Assembled, type Assembly, assemble } from './assemble.js';
import { assembleSpans } from './assemble-parallel.js';
import { rank } from './dictionary-writer.js';
import type { Sums } from './entry-stats.js';
import { Ingest, type RecordSink } from './ingest.js';
import type { Interned } from './interner.js';
import type { Holding } from './partitions.js';
import type { StagedLayout } from './staged-record.js';

/** Bytes of keys and values for each further thread that sorts and writes; below, a thread costs more than it saves. */
const HELPED = 64 * 2 ** 20;

/** What a thread needs to take a part of the input in. */
export interface LaneWork {
  readonly valueType: BuildValueType;
  readonly seed: number;
  readonly staged: StagedLayout;
  readonly arena: Uint8Array;
  readonly spill: SharedSpill;
  readonly lane: number;
  readonly lanes: number;
}

/** What it then gives back. */
export interface LaneResult {
  readonly sums: Sums;
  readonly holding: Holding;
  /** Distinct values, where values are `enum`. */
  readonly interned?: Interned | undefined;
}

/**
 * Takes encoded records and makes a file of them. Records are added synchronously; between them, call {@link pause} now and then.
 * Every path ends with {@link finish} or {@link abandon}.
 */
export class Builder implements RecordSink {
  readonly keyType: KeyType;
  readonly valueType: BuildValueType;
  readonly #options: ReturnType<typeof resolveOptions>;
  readonly #started = performance.now();
  readonly #publication: Publication;
  readonly #spill: SpillFile;
  readonly #staged: StagedLayout;
  readonly #lanes: number;
  readonly #threads: number;
  readonly #helpers: Helper[] = [];
  #ingest: Ingest;
  /** Distinct values that the other lanes found. */
  readonly #interned: Interned[] = [];
  readonly #pacer: Pacer;
  #phase: BuildProgress['phase'] = 'read';

  /**
   * @param lanes threads that take records in, each a part of the input; see {@link laneWork}
   * @throws {TypeError} for a bad option, which it names
   * @throws {HmapError} when the output cannot be made
   */
  constructor(path: string, options: BuildOptions<ValueChoice>, lanes = 1) {
    checkPath(path);
    this.#options = resolveOptions(options);
    const { key, value, memory, seeds, signal, overwrite, onProgress } = this.#options;
    signal?.throwIfAborted();
    this.keyType = key;
    this.valueType = value;
    const width = valueWidthOf(value);
    // Three quarters of the budget hold records; the rest is for sorting partitions, for reading and for writing.
    const arena = Math.floor(memory * 0.75);
    this.#staged = {
      keyType: key,
      fixedValue: width === VARIABLE ? undefined : width,
      mostDictionary: value === 'enum' ? Math.min(Math.floor(memory / 4), MAX_SEGMENT_BYTES) : undefined,
      largeValue: Math.min(2 ** 20, Math.floor(arena / lanes / 16)),
    };
    this.#lanes = lanes;
    this.#threads = threadsFor(memory);
    const records = allocate(arena);
    this.#publication = new Publication(path, overwrite);
    this.#spill = new SpillFile(`${this.#publication.temporary}.spill`);
    try {
      this.#ingest = new Ingest(value, seeds[0]!, this.#staged, records, this.#spill, 0, lanes);
    } catch (error) {
      this.#publication.abandon();
      throw error;
    }
    this.#pacer = new Pacer(signal, (entries) => {
      const phase = this.#phase;
      onProgress?.(phase === 'read' ? { phase, entries } : { phase, entries, total: this.entries });
    });
  }

  /** Entries added so far. */
  get entries(): number {
    return this.#ingest.stats.entries;
  }

  /** See {@link RecordSink.add}. */
  add(key: ByteBuffer, keyAt: number, keyBytes: number, value: ByteBuffer, valueAt: number, valueBytes: number): void {
    this.#ingest.add(key, keyAt, keyBytes, value, valueAt, valueBytes);
  }

  /** Reports progress, and gives other work a turn where the last one was a while ago. Throws the signal's reason once it is aborted. */
  pause(done: number = this.entries): Promise<void> | undefined {
    if (this.#phase === 'read') this.#getHelp();
    return this.#pacer.pause(done);
  }

  /** Starts a thread for the second half in time. Only where that can be cut: where no entry is dropped. */
  #getHelp(): void {
    const { keyBytes, valueBytes } = this.#ingest.stats;
    const threads = this.#helpers.length + 1;
    if (threads >= this.#threads || keyBytes + valueBytes <= threads * HELPED) return;
    if (this.#options.duplicates === 'error') this.addHelper(new Helper(new URL('./span-worker.js', import.meta.url)));
  }

  /** A thread to write with, which the builder stops when it is done. */
  addHelper(helper: Helper): void {
    this.#helpers.push(helper);
  }

  /** What a thread needs to take in the part of the input that comes after the one of lane `lane - 1`; from 1. */
  laneWork(lane: number): LaneWork {
    return {
      valueType: this.valueType,
      seed: this.#options.seeds[0]!,
      staged: this.#staged,
      arena: new Uint8Array(this.#ingest.partitions.arena.bytes.buffer),
      spill: this.#spill.share(),
      lane,
      lanes: this.#lanes,
    };
  }

  /** Takes over what the other lanes took in, in their order. Nothing can be added afterwards. */
  absorb(results: readonly LaneResult[]): void {
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
  /** @param below the file is put in its place only where it has fewer bytes; else this gives `undefined`, and the build is to be abandoned */
  async finish(below: number): Promise<BuildSummary | undefined>;
  async finish(below = Number.POSITIVE_INFINITY): Promise<BuildSummary | undefined> {
    try {
      return await this.#finish(below);
    } catch (error) {
      throw systemError(error, 'write', this.#publication.target);
    }
  }

  async #finish(below: number): Promise<BuildSummary | undefined> {
    const { metadata } = this.#options;
    const { fd } = this.#publication;
    this.#phase = 'write';
    const { seed, shape, stats, written, ranked } = await this.#assemble(fd);
    await this.#stopHelpers();
    const { entries, keyBytes, valueBytes } = stats;
    const { segments, checksums, loads } = written;
    const fileBytes = checksums.offset + checksums.bytes;
    if (fileBytes >= below) return undefined;
    const valueType = this.#writtenType(shape.valueWidth);
    const bucketBytes = segments.length * bucketArraySize(shape.bucketBits);
    const heapBytes = segments.reduce((sum, { bytes }) => sum + bytes - heapStart(shape.bucketBits), 0);
    const header = writeHeader({
      ...shape,
      entries,
      keyBytes,
      valueBytes,
      seed,
      keyType: this.keyType,
      valueType,
      segments,
      dictionary: ranked,
      checksums,
      metadata,
    });
    writeAll(fd, header, 0);
    const synced = this.#publication.sync();
    // Frees as many pages as were spilled, which takes its time.
    this.#spill.close();
    await synced;
    this.#options.signal?.throwIfAborted();
    this.#publication.publish();
    const dictionary = ranked?.bytes ?? 0;
    return {
      path: this.#publication.target,
      layout: 'hash',
      entries,
      duplicates: this.entries - entries,
      valueType,
      fileBytes,
      payloadBytes: keyBytes + valueBytes,
      seed,
      sections: {
        header: header.length,
        buckets: bucketBytes,
        heap: heapBytes,
        dictionary,
        checksums: checksums.bytes,
        padding: fileBytes - header.length - bucketBytes - heapBytes - dictionary - checksums.bytes,
      },
      segments: segments.length,
      bucketLoads: loads.toJSON(),
      spilledBytes: this.#spill.size,
      seconds: (performance.now() - this.#started) / 1000,
    };
  }

  /** What the values are in the file, where they have that width. */
  #writtenType(valueWidth: number): StoredType {
    const { valueType } = this;
    return valueType === 'uint' ? UINTS.find((type) => valueWidthOf(type) === valueWidth)! : valueType;
  }

  /** The distinct values of all lanes, in order; only where values are `enum`. */
  #distinct(): Assembly['distinct'] {
    const { interned, stats } = this.#ingest;
    if (interned === undefined) return undefined;
    const lanes = [interned, ...this.#interned];
    const ranked = rank(lanes, this.#staged.mostDictionary!);
    stats.largest = ranked.count - 1;
    return { lanes, ranked };
  }

  /** Writes all but the header, with the first seed under which no bucket holds too many records. */
  async #assemble(fd: number): Promise<Assembled & { seed: number }> {
    const { seeds } = this.#options;
    const hashes = await loadChecksums();
    for (let i = 0; ; i++) {
      const assembled = await this.#assembleOnce(fd, hashes);
      const limit = bucketLimit(assembled.stats.entries);
      const { longest } = assembled.written.loads;
      if (longest <= limit) return { ...assembled, seed: seeds[i]! };
      if (i + 1 === seeds.length) throw tooLoaded(longest, limit, seeds);
      this.#ingest = this.#ingest.reseeded(seeds[i + 1]!);
    }
  }

  async #assembleOnce(fd: number, hashes: BlockHasher): Promise<Assembled> {
    const { metadata, duplicates, segmentBytes, memory } = this.#options;
    const textBytes = metadata.length + schemaBytesOf(this.valueType).length;
    const assembly: Assembly = {
      partitions: this.#ingest.partitions,
      stats: this.#ingest.stats,
      staged: this.#staged,
      spill: this.#spill,
      valueType: this.valueType,
      duplicates,
      segmentLimit: segmentBytes,
      sideLimit: Math.floor(memory / 16),
      loadLimit: Math.floor(memory / 4),
      fd,
      hashes,
      distinct: this.#distinct(),
      headerBytes: ({ segmentBits }) => headerSize(segmentBits, textBytes),
      pause: (done) => this.pause(done),
    };
    return (
      (await assembleSpans(assembly, this.#helpers.length + 1, (lane, task) => this.#helpers[lane - 1]!.ask(task))) ??
      (await assemble(assembly))
    );
  }

  /** Removes all that was written. */
  async abandon(): Promise<void> {
    // First, since they write.
    await this.#stopHelpers();
    this.#spill.close();
    this.#publication.abandon();
  }

  async #stopHelpers(): Promise<void> {
    await Promise.all(this.#helpers.splice(0).map((helper) => helper.stop()));
  }
}

function tooLoaded(longest: number, limit: number, seeds: readonly number[]): HmapError {
  const tried = seeds.length === 1 ? `the seed ${seeds[0]}` : `each of ${seeds.length} seeds`;
  const message =
    `with ${tried}, ${longest} keys or more share a bucket, the most is ${limit}: the keys look as if they were chosen to be slow to look up` +
    (seeds.length === 1 ? '; give no seed, or another one' : '');
  return new HmapError('HMAP_BUCKET_LOAD', message, { expected: limit, actual: longest });
}

function allocate(bytes: number): ByteBuffer {
  try {
    // Shared, so that other threads can read and fill it.
    return new ByteBuffer(new Uint8Array(new SharedArrayBuffer(bytes)));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const message = `there are no ${bytes} bytes of memory; give a smaller 'memory'`;
    throw new HmapError('ENOMEM', message, { expected: bytes, cause: error });
  }
}
