// Work for which several callers may wait, each with a signal of its own: it is stopped when nobody waits any more. Knows
// nothing of the work.

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

  /** Waits for the result; rejects with the signal's reason once that is aborted. */
  wait(signal: AbortSignal | undefined): Promise<T> {
    this.#waiting++;
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        signal?.removeEventListener('abort', onAbort);
        if (--this.#waiting === 0 && !this.#isDone) this.#stop.abort(signal?.reason);
      };
      const onAbort = () => {
        leave();
        reject(signal!.reason);
      };
      if (signal?.aborted) {
        onAbort();
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#result.then(
        (value) => {
          if (signal?.aborted) return;
          leave();
          resolve(value);
        },
        (error) => {
          if (signal?.aborted) return;
          leave();
          reject(error);
        },
      );
    });
  }
}
