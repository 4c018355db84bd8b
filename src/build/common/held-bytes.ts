// Bytes that one thread keeps for a later pass of another: in memory up to a bound, the rest in the temporary file.
// Does not know what they are.

import { ByteBuffer } from '../../base/bytes.js';
import type { SpillFile } from './spill-file.js';

const PIECE = 2 ** 16;

/** Bytes as one thread gives them to another. */
export interface HeldBytes {
  /** In order: bytes in memory, or where a whole piece lies in the temporary file. */
  readonly pieces: readonly (Uint8Array | number)[];
}

export class HeldBytesWriter {
  readonly #spill: SpillFile;
  readonly #most: number;
  readonly #pieces: (Uint8Array | number)[] = [];
  #held = 0;
  #last = new Uint8Array(PIECE);
  #used = 0;

  /** @param most bytes to keep in memory */
  constructor(spill: SpillFile, most: number) {
    this.#spill = spill;
    this.#most = most;
  }

  byte(value: number): void {
    if (this.#used === PIECE) this.#turn();
    this.#last[this.#used++] = value;
  }

  u32(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.byte(value >>> shift);
  }

  #turn(): void {
    if (this.#held + PIECE <= this.#most) {
      this.#pieces.push(this.#last);
      this.#held += PIECE;
      this.#last = new Uint8Array(PIECE);
    } else {
      this.#pieces.push(this.#spill.append(this.#last));
    }
    this.#used = 0;
  }

  /** All bytes; nothing may be added afterwards. */
  finish(): HeldBytes {
    return { pieces: [...this.#pieces, this.#last.subarray(0, this.#used)] };
  }
}

/** Gives the bytes back, in their order. */
export class HeldBytesReader {
  readonly #pieces: (Uint8Array | number)[];
  readonly #spill: SpillFile;
  readonly #scratch = new ByteBuffer(PIECE).bytes;
  #piece: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(held: readonly HeldBytes[], spill: SpillFile) {
    this.#pieces = held.flatMap(({ pieces }) => pieces);
    this.#spill = spill;
  }

  byte(): number {
    while (this.#at === this.#piece.length) this.#enter();
    return this.#piece[this.#at++]!;
  }

  /** What is left, piece by piece; each is valid until the next one is taken. */
  *rest(): Generator<Uint8Array, void> {
    yield this.#piece.subarray(this.#at);
    while (this.#pieces.length > 0) {
      this.#enter();
      yield this.#piece;
    }
    this.#at = this.#piece.length;
  }

  #enter(): void {
    const piece = this.#pieces.shift()!;
    this.#at = 0;
    this.#piece = typeof piece === 'number' ? this.#scratch : piece;
    if (typeof piece === 'number') this.#spill.read(piece, this.#scratch);
  }
}
