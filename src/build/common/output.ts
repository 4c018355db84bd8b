// The output of one build, until it is complete and in its place: the pace of the work, its spill file, progress; and of a
// file its durability. Knows no layout and no entries.

import { loadChecksums } from '../../base/block-hasher.js';
import { systemError } from '../../base/errors.js';
import { writeAll } from '../../base/fs.js';
import { Pacer } from '../../base/pacer.js';
import type { BuildProgress, ResolvedOptions } from './options.js';
import { Publication } from './publication.js';
import { readBack } from './read-back.js';
import type { Published } from './replace.js';
import { SpillFile } from './spill-file.js';

/** What a build has while it goes on, whatever it makes. */
export class BuildWork {
  /** For what does not fit in memory. */
  readonly spill: SpillFile;
  readonly signal: AbortSignal | undefined;
  readonly #pacer: Pacer;
  readonly #started = performance.now();
  /** Entries to be written; `undefined` while they are still being read. */
  #total: number | undefined;

  /** @param spill where the spill file is made */
  constructor(spill: string, { signal, onProgress }: Pick<ResolvedOptions, 'signal' | 'onProgress'>) {
    this.signal = signal;
    this.spill = new SpillFile(spill);
    this.#pacer = new Pacer(signal, (entries) => onProgress?.(this.#progress(entries)));
  }

  /** Whether entries are still being read. */
  get isReading(): boolean {
    return this.#total === undefined;
  }

  /** Seconds since the build began. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** Ends the reading: from now on progress is that of writing `total` entries. */
  startWriting(total: number): void {
    this.#total = total;
  }

  #progress(entries: number): BuildProgress {
    const total = this.#total;
    return total === undefined ? { phase: 'read', entries } : { phase: 'write', entries, total };
  }

  /**
   * Reports progress and gives other work a turn if the last turn was a while ago.
   * @throws the signal's reason once it is aborted
   */
  pause(done: number): Promise<void> | undefined {
    return this.#pacer.pause(done);
  }

  /** Removes all that was written and is not in its place. */
  abandon(): void {
    this.spill.close();
  }
}

/** A file. Every path ends with {@link publish} or {@link abandon}. */
export class BuildOutput extends BuildWork {
  readonly #publication: Publication;

  /**
   * @param hasLeftovers whether killed builds of this output may have left files
   * @throws {HmapError} when the output cannot be made
   * @throws the signal's reason if it is aborted
   */
  constructor(
    path: string,
    options: Pick<ResolvedOptions, 'signal' | 'onProgress' | 'overwrite'>,
    hasLeftovers = true,
  ) {
    options.signal?.throwIfAborted();
    const publication = new Publication(path, options.overwrite, hasLeftovers);
    super(`${publication.temporary}.spill`, options);
    this.#publication = publication;
  }

  get fd(): number {
    return this.#publication.fd;
  }

  /** Where the file will be: an absolute path. */
  get target(): string {
    return this.#publication.target;
  }

  /** Whether all was forced to the disk, once it is published. */
  get synced(): boolean {
    return this.#publication.synced;
  }

  get published(): Published {
    return this.#publication.published;
  }

  /** Runs the last part of a build; an error of the operating system in it names the file. */
  async finish<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      throw systemError(error, 'write', this.target);
    }
  }

  /**
   * Writes the header, which comes last, reads it back, makes the file durable and puts it in its place.
   * @throws {HmapError} as {@link readBack} does; then the old file stays
   */
  async publish(header: Uint8Array): Promise<void> {
    writeAll(this.fd, header, 0);
    readBack(this.fd, this.target, await loadChecksums());
    const synced = this.#publication.sync();
    // In the meantime: freeing as many pages as were spilled takes a while.
    this.spill.close();
    await synced;
    this.signal?.throwIfAborted();
    this.#publication.publish();
  }

  /** Removes all that was written. Does nothing after {@link publish}. */
  override abandon(): void {
    super.abandon();
    this.#publication.abandon();
  }
}
