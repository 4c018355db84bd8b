// Gives the event loop a turn during long work. Knows nothing of the work.

import { setImmediate } from 'node:timers';

/** Milliseconds between turns, by default. */
const TURN = 50;

export class Pacer {
  readonly #signal: AbortSignal | undefined;
  readonly #report: (done: number) => void;
  readonly #between: number;
  #last = performance.now();

  /**
   * @param report called at each turn with how much is done
   * @param between milliseconds between turns
   */
  constructor(signal: AbortSignal | undefined, report: (done: number) => void, between = TURN) {
    this.#signal = signal;
    this.#report = report;
    this.#between = between;
  }

  /**
   * Reports progress and yields if it has not done so for a while; otherwise returns `undefined`: nothing to wait for.
   * @throws the signal's reason once it is aborted
   */
  pause(done: number): Promise<void> | undefined {
    this.#signal?.throwIfAborted();
    const now = performance.now();
    if (now - this.#last < this.#between) return undefined;
    this.#report(done);
    return this.#turn();
  }

  async #turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#last = performance.now();
    this.#signal?.throwIfAborted();
  }
}
