// Numbers that look random and are the same in every run.

/** xorshift32; its period, 2^32 - 1, is far above what a bench draws. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Zero would stay zero. The multiplication parts seeds that are close to one another.
    this.#state = Math.imul(seed | 0, 0x9e37_79b1) || 1;
  }

  /** From 0, inclusive, to 1, exclusive. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) / 2 ** 32;
  }
}
