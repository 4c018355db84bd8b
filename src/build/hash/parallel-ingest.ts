// Ingests an input with several threads, each of which reads a part of it. Knows how parts go to threads and what comes
// back; does not know what a part is, nor how it is read.

import { parentPort } from 'node:worker_threads';
import { loadChecksums } from '../../base/block-hasher.js';
import { serve, WorkerThread, waitFor } from '../../base/workers.js';
import { SpillFile } from '../common/spill-file.js';
import { Arena } from './arena.js';
import { Ingest, type IngestResult, type IngestTask, type RecordSink } from './ingest.js';
import { runSpan, type SpanTask } from './span-task.js';
import type { TableBuilder } from './table-builder.js';

/** One part of an input, for one thread. */
interface PartTask<P> {
  readonly kind: 'part';
  readonly task: IngestTask;
  readonly part: P;
  /** How far each thread is; shared memory. */
  readonly done: Float64Array;
}

/** Threads that take in all parts of an input but the first. `P` is what a part is; it must survive `postMessage`. */
export class ParallelIngest<P> {
  readonly #threads: readonly WorkerThread[];
  readonly #done: Float64Array;
  #answers: readonly Promise<IngestResult | undefined>[] = [];

  /**
   * Starts the threads, so that they load while the caller prepares.
   * @param script what they run: it calls {@link serveIngest}
   * @param parts parts of the input; each but the first gets a thread
   */
  constructor(script: string, here: string | undefined, parts: number) {
    this.#done = new Float64Array(new SharedArrayBuffer(8 * parts));
    this.#threads = Array.from({ length: parts - 1 }, () => new WorkerThread(script, here));
  }

  /** Threads that take entries in, the caller's included. */
  get workers(): number {
    return this.#threads.length + 1;
  }

  /** Sum of what the threads have reported. */
  get done(): number {
    return this.#done.reduce((sum, done) => sum + done, 0);
  }

  /**
   * Gives each thread its part. The builder, which was made for {@link workers} threads, also writes with them later,
   * and stops them.
   * @param parts in the order of the input, without the first, which the caller adds itself
   */
  begin(builder: TableBuilder, parts: readonly P[]): void {
    this.#answers = this.#threads.map((thread, i) => {
      builder.addThread(thread);
      const task: PartTask<P> = {
        kind: 'part',
        task: builder.ingestTask(i + 1),
        part: parts[i]!,
        done: this.#done,
      };
      return thread.ask<IngestResult>(task);
    });
  }

  /**
   * Waits for all parts and adds them to the builder.
   * @returns `false` if a thread failed: then nothing was added, and the caller adds what follows the first part, so
   *   that an error shows as if there were one thread
   */
  async finish(builder: TableBuilder): Promise<boolean> {
    const results = await waitFor(Promise.all(this.#answers), () => builder.pause());
    if (results.every((result) => result !== undefined)) {
      builder.absorb(results);
      return true;
    }
    this.#done.fill(0);
    return false;
  }

  /** Ends the threads. */
  stop(): void {
    for (const thread of this.#threads) thread.stop();
  }
}

/**
 * The other end: the script of a thread calls this once.
 * @param read takes a part of the input in; calls `report` now and then with how far it is
 */
export function serveIngest<P>(
  read: (part: P, sink: RecordSink, report: (done: number) => void) => Promise<void>,
): void {
  if (parentPort === null) return;
  // Needed for the writing, and loaded while the input is read.
  loadChecksums();
  serve<PartTask<P> | SpanTask>(parentPort, (task) => (task.kind === 'span' ? runSpan(task) : takeIn(task, read)));
}

async function takeIn<P>(
  { task, part, done }: PartTask<P>,
  read: (part: P, sink: RecordSink, report: (done: number) => void) => Promise<void>,
): Promise<IngestResult> {
  const { valueType, seed, staged, arena, spill, worker, workers } = task;
  const ingest = new Ingest(valueType, seed, staged, new Arena(arena), new SpillFile(spill), worker, workers);
  await read(part, ingest, (count) => {
    done[worker] = count;
  });
  return ingest.result();
}
