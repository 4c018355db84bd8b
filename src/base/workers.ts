// Worker threads that share a build's work. Knows how to start, ask and stop them; does not know the work.
//
// Nothing depends on a worker: if one cannot start, fails or dies, the thread that asked does its part, and then
// also meets the error, if there is one.

import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MessagePort, Worker } from 'node:worker_threads';

/** Most threads of one build, the caller's included; more would wait for the disk, and each takes tens of megabytes. */
const MAX_THREADS = 4;

/**
 * Bytes of a build's memory for each thread. With less, the memory that a thread itself needs would be a large part of
 * it.
 */
const MEMORY_PER_THREAD = 32 * 2 ** 20;

/** Threads that a build with `memory` bytes can use, the caller's included. */
export function threadsFor(memory: number): number {
  return Math.max(1, Math.min(MAX_THREADS, availableParallelism(), Math.floor(memory / MEMORY_PER_THREAD)));
}

/** Milliseconds between two calls of `meanwhile` in {@link waitFor}. */
const POLL_INTERVAL = 50;

/** Waits for an answer, and calls `meanwhile` now and then, which may throw to stop waiting. */
export async function waitFor<T>(answer: Promise<T>, meanwhile: () => Promise<void> | undefined): Promise<T> {
  let waiting = true;
  const settled = answer.finally(() => {
    waiting = false;
  });
  while (waiting) {
    await Promise.race([settled, sleep(POLL_INTERVAL, undefined, { ref: false })]);
    await meanwhile();
  }
  return settled;
}

/** One worker thread, which answers one request at a time. */
export class WorkerThread {
  readonly #worker: Worker | undefined;
  #resolve: ((answer: unknown) => void) | undefined;
  #lost = false;

  /**
   * Starts the thread, which takes 30 to 50 ms; the caller waits less than 1.
   * @param script the thread's file, beside the one with the URL `here`
   * @param here `import.meta.url`, which a bundle to CommonJS does not have
   */
  constructor(script: string, here: string | undefined) {
    try {
      this.#worker = new Worker(new URL(script, here), { execArgv: [], trackUnmanagedFds: false });
      this.#worker.on('message', (answer) => this.#answer(answer));
      this.#worker.on('error', () => this.#lose());
      this.#worker.on('exit', () => this.#lose());
      // After the listeners, since adding one takes a reference.
      this.#worker.unref();
    } catch {
      // Not allowed here (--permission), no memory for it, or a bundle without the file.
      this.#lost = true;
    }
  }

  /** Sends a task and waits for the answer; `undefined` if there will be none. One at a time. */
  ask<T>(task: unknown): Promise<T | undefined> {
    if (this.#lost) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#resolve = resolve as (answer: unknown) => void;
      this.#worker?.ref();
      try {
        this.#worker?.postMessage(task);
      } catch {
        this.#lose();
      }
    });
  }

  /** Ends the thread, whatever it is doing. */
  async stop(): Promise<void> {
    this.#lose();
    // Otherwise a process with nothing else to do would end here, in the middle of its work.
    this.#worker?.ref();
    await this.#worker?.terminate();
  }

  #lose(): void {
    this.#lost = true;
    this.#answer(undefined);
  }

  #answer(answer: unknown): void {
    const resolve = this.#resolve;
    // While the thread is being stopped, nobody waits for an answer. One that comes must not unref the thread, or the
    // process could end too early.
    if (resolve === undefined) return;
    this.#resolve = undefined;
    this.#worker?.unref();
    resolve(answer);
  }
}

/** The other end: answers each task that arrives, with nothing if `act` fails. */
export function serve<T>(port: MessagePort, act: (task: T) => Promise<unknown>): void {
  port.on('message', (task: T) => {
    act(task).then(
      (answer) => port.postMessage(answer),
      () => port.postMessage(undefined),
    );
  });
}
