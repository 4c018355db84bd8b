// Reads one file of lines with several threads, each a part of it. Knows where the file is cut; the formats know how to
// read.

import { ParallelIngest, type TableBuilder } from '../../src/internal.js';
import type { FormatName } from '../formats/format.js';
import type { ReadOptions } from '../formats/read-options.js';
import type { SharedSource, Source } from './source.js';

/** How to read an input. */
export interface Reading {
  readonly path: string;
  /** The name of the input in messages. */
  readonly name: string;
  readonly format: FormatName;
  readonly columns: ReadOptions;
  /** Whether bytes are taken as they are. */
  readonly isBinary: boolean;
}

/** A part of a file, from `start` to `end`, exclusive, in bytes. */
export interface Part extends Reading {
  readonly start: number;
  readonly end: number;
  readonly source: SharedSource;
}

export class ParallelSource {
  /** Offsets at which the file is cut, with its start and end. */
  readonly #cuts: readonly number[];
  readonly #source: Source;
  readonly #ingest: ParallelIngest<Part>;

  /** Starts the threads; {@link pieces} gives them their work. */
  constructor(source: Source, cuts: readonly number[]) {
    this.#source = source;
    this.#cuts = cuts;
    this.#ingest = new ParallelIngest('./read-worker.js', import.meta.url, cuts.length - 1);
  }

  /** Threads that read, this one included. */
  get workers(): number {
    return this.#ingest.workers;
  }

  /** Bytes read by the other threads. */
  get done(): number {
    return this.#ingest.done;
  }

  /** What this thread has to read: the first part, and if another thread failed, all that comes after it. */
  async *pieces(builder: TableBuilder, reading: Reading): AsyncGenerator<Uint8Array> {
    const cuts = this.#cuts;
    const source = this.#source.shared!;
    const parts = cuts.slice(1, -1).map((start, i) => ({ ...reading, start, end: cuts[i + 2]!, source }));
    this.#ingest.begin(builder, parts);
    yield* this.#source.reused(0, cuts[1]!);
    if (!(await this.#ingest.finish(builder))) yield* this.#source.reused(cuts[1]!, cuts.at(-1)!);
    this.#source.needUnchanged();
  }

  /** Ends the other threads. */
  stop(): void {
    this.#ingest.stop();
  }
}
