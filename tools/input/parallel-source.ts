// Reads one input with several threads, each a part of it. Knows parts and helpers; the formats know how to read.

import { Helper, waitFor } from '../../src/base/workers.js';
import type { Builder, LaneResult, LaneWork } from '../../src/build/hash/builder.js';
import type { Columns, FormatName } from '../formats/format.js';
import type { Source } from './source.js';

/** A part of a file to take in. */
export interface ReadTask {
  readonly kind: 'read';
  readonly lane: LaneWork;
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** The name of the input in messages. */
  readonly name: string;
  readonly format: FormatName;
  readonly columns: Columns;
  /** Bytes read, by lane; shared memory. */
  readonly done: Float64Array;
}

export class Lanes {
  /** Offsets at which the file is cut, with its start and end. */
  readonly #cuts: readonly number[];
  readonly #source: Source;
  readonly #done: Float64Array;
  readonly #helpers: Helper[];

  /** Starts the threads; they get their work with {@link pieces}. */
  constructor(source: Source, cuts: readonly number[]) {
    this.#source = source;
    this.#cuts = cuts;
    this.#done = new Float64Array(new SharedArrayBuffer(8 * cuts.length));
    const script = new URL('./read-worker.js', import.meta.url);
    this.#helpers = cuts.slice(2).map(() => new Helper(script));
  }

  /** Threads that read, this one included. */
  get count(): number {
    return this.#helpers.length + 1;
  }

  /** Bytes read by the other threads. */
  get done(): number {
    return this.#done.reduce((sum, bytes) => sum + bytes, 0);
  }

  /**
   * What this thread has to read: the first part, and where another thread could not take its part in, all that comes after the first,
   * so that an error shows as if there had been one thread.
   */
  async *pieces(builder: Builder, task: Pick<ReadTask, 'path' | 'name' | 'format' | 'columns'>) {
    const cuts = this.#cuts;
    const answers = this.#helpers.map((helper, i) => {
      builder.addHelper(helper);
      const lane = i + 1;
      const work = {
        kind: 'read',
        lane: builder.laneWork(lane),
        start: cuts[lane],
        end: cuts[lane + 1],
        done: this.#done,
      };
      return helper.ask<LaneResult>({ ...task, ...work });
    });
    yield* this.#source.reused(0, cuts[1]!);
    const results = await waitFor(Promise.all(answers), () => builder.pause());
    if (results.every((result) => result !== undefined)) {
      builder.absorb(results);
    } else {
      this.#done.fill(0);
      yield* this.#source.reused(cuts[1]!, Number.POSITIVE_INFINITY);
    }
  }

  /** Ends the other threads. */
  stop(): void {
    for (const helper of this.#helpers) helper.stop();
  }
}
