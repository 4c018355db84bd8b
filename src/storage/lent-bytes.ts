// The bytes of a section as users may have them: without a copy if that is possible. Knows memory; does not know what
// the bytes are.

import { type ByteBuffer, copyOf } from '../base/bytes.js';

/** Gives a section in memory that users may have; `undefined` where the runtime allows none. */
export type Lend = () => Uint8Array | undefined;

export class LentBytes {
  readonly #own: ByteBuffer;
  readonly #lend: Lend;
  #lent: Uint8Array | undefined;

  /** @param lend is called when the first bytes are asked for; without it users may have `own` */
  constructor(own: ByteBuffer, lend: Lend = () => own.array) {
    this.#own = own;
    this.#lend = lend;
  }

  /** The range is within the section. */
  at(at: number, length: number): Uint8Array {
    this.#lent ??= this.#lend();
    if (this.#lent === undefined) return copyOf(this.#own, at, length);
    return new Uint8Array(this.#lent.buffer, this.#lent.byteOffset + at, length);
  }
}
