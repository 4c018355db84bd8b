// Threads that take a part of a build's work. Knows how to start, ask and stop them; does not know the work.
//
// Nothing depends on a helper: where one cannot start, fails or dies, its part is done by the thread that asked, which then also meets the
// error, if there is one.

import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MessagePort, Worker } from 'node:worker_threads';

/** Most threads of one build, the caller's included; more would wait for the disk, and each takes tens of megabytes. */
const MOST_THREADS = 4;

/** Memory of a build, in bytes, for each thread; with less, what a thread takes itself would not be a small part of it. */
const LEAST_MEMORY = 32 * 2 ** 20;

/** Threads that a build with `memory` bytes can use, the caller's included. */
export function threadsFor(memory: number): number {
  return Math.max(1, Math.min(MOST_THREADS, availableParallelism(), Math.floor(memory / LEAST_MEMORY)));
}

/** Milliseconds between two looks at what there is to do while a helper is waited for. */
const LOOK = 50;

/** Waits for helpers, and calls `meanwhile` now and then, which may throw to stop waiting. */
export async function waitFor<T>(answer: Promise<T>, meanwhile: () => Promise<void> | undefined): Promise<T> {
  let waiting = true;
  const settled = answer.finally(() => {
    waiting = false;
  });
  while (waiting) {
    await Promise.race([settled, sleep(LOOK, undefined, { ref: false })]);
    await meanwhile();
  }
  return settled;
}

/** One helper thread. */
export class Helper {
  readonly #worker: Worker | undefined;
  #settle: ((answer: unknown) => void) | undefined;
  #lost = false;

  /** Starts a thread; costs it 30 to 50 ms, the caller under 1. */
  constructor(script: URL) {
    try {
      this.#worker = new Worker(script, { execArgv: [], trackUnmanagedFds: false });
      this.#worker.on('message', (answer) => this.#answer(answer));
      this.#worker.on('error', () => this.#lose());
      this.#worker.on('exit', () => this.#lose());
      // After the listener, which takes a reference of its own.
      this.#worker.unref();
    } catch {
      // Not allowed here (--permission), or no memory for it.
      this.#lost = true;
    }
  }

  /** Sends work and waits for the answer; `undefined` when there will be none. One at a time. */
  ask<T>(work: unknown): Promise<T | undefined> {
    if (this.#lost) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#settle = resolve as (answer: unknown) => void;
      this.#worker?.ref();
      try {
        this.#worker?.postMessage(work);
      } catch {
        this.#lose();
      }
    });
  }

  /** Ends the thread, whatever it does. */
  async stop(): Promise<void> {
    this.#lose();
    // Else a process with nothing more to do would end here, in the middle of what it was doing.
    this.#worker?.ref();
    await this.#worker?.terminate();
  }

  #lose(): void {
    this.#lost = true;
    this.#answer(undefined);
  }

  #answer(answer: unknown): void {
    const settle = this.#settle;
    // An answer that nobody waits for any more must not let the process end while the thread is being stopped.
    if (settle === undefined) return;
    this.#settle = undefined;
    this.#worker?.unref();
    settle(answer);
  }
}

/** The other end: answers each piece of work that comes; where `act` fails, the answer is that there is none. */
export function serve<T>(port: MessagePort, act: (work: T) => Promise<unknown>): void {
  port.on('message', (work: T) => {
    act(work).then(
      (answer) => port.postMessage(answer),
      () => port.postMessage(undefined),
    );
  });
}
