// Work for which several callers may wait: it is stopped when nobody waits any more. And what tells a caller's parts that they
// are not wanted any more. Knows nothing of the work.

/**
 * Ends what one call waits for: when the caller's signal is aborted, or the call has failed. Many may listen; of the caller's
 * signal only one does.
 */
export class Stop {
  #isStopped = false;
  #reason: unknown;
  readonly #signal: AbortSignal | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #onAbort = () => this.stop(this.#signal!.reason);

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** Once; whoever waits is told. */
  stop(reason: unknown): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#reason = reason;
    this.end();
    for (const listener of [...this.#listeners]) listener();
  }

  /** Lets go of the caller's signal. */
  end(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  /** @returns what stops the listening */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export class SharedWork<T> {
  readonly #stop = new AbortController();
  readonly #result: Promise<T>;
  #waiting = 0;
  #isDone = false;

  constructor(start: (signal: AbortSignal) => Promise<T>) {
    this.#result = start(this.#stop.signal).finally(() => {
      this.#isDone = true;
    });
    // Whoever waits sees it.
    this.#result.catch(() => {});
  }

  /** Whether nobody waits for it any more, so that it is being stopped. */
  get isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Waits for the result; rejects with the reason once the caller is stopped. */
  wait(stop: Stop): Promise<T> {
    this.#waiting++;
    return new Promise<T>((resolve, reject) => {
      let forget = () => {};
      const leave = () => {
        forget();
        if (--this.#waiting === 0 && !this.#isDone) this.#stop.abort(stop.reason);
      };
      const onStop = () => {
        leave();
        reject(stop.reason);
      };
      if (stop.isStopped) {
        onStop();
        return;
      }
      forget = stop.listen(onStop);
      this.#result.then(
        (value) => {
          if (stop.isStopped) return;
          leave();
          resolve(value);
        },
        (error) => {
          if (stop.isStopped) return;
          leave();
          reject(error);
        },
      );
    });
  }
}
