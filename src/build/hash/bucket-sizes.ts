// The sizes of a file's buckets between the writing of their records and that of the index, whose form depends on all
// of them: in memory up to a bound, the rest in the temporary file. Does not know what an index is.

import { ByteBuffer } from '../../base/bytes.js';
import type { SpillFile } from '../common/spill-file.js';

const PIECE = 2 ** 16;

/** Sizes of buckets that follow each other, as one thread gives them to another. */
export interface HeldSizes {
  /** In order: bytes in memory, or where a whole piece lies in the temporary file. */
  readonly pieces: readonly (Uint8Array | number)[];
}

/** Takes sizes, each as a varint: most buckets take a byte or two. */
export class BucketSizes {
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

  /** @param size below 2^31 */
  add(size: number): void {
    let rest = size;
    for (; rest > 0x7f; rest >>>= 7) this.#byte((rest & 0x7f) | 0x80);
    this.#byte(rest);
  }

  #byte(value: number): void {
    if (this.#used === PIECE) this.#turn();
    this.#last[this.#used++] = value;
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

  /** All sizes; nothing may be added afterwards. */
  finish(): HeldSizes {
    return { pieces: [...this.#pieces, this.#last.subarray(0, this.#used)] };
  }
}

/** Gives the sizes back, in their order. */
export class BucketSizesReader {
  readonly #pieces: (Uint8Array | number)[];
  readonly #spill: SpillFile;
  readonly #scratch = new ByteBuffer(PIECE).bytes;
  #piece: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(held: readonly HeldSizes[], spill: SpillFile) {
    this.#pieces = held.flatMap(({ pieces }) => pieces);
    this.#spill = spill;
  }

  next(): number {
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      while (this.#at === this.#piece.length) this.#enter();
      const byte = this.#piece[this.#at++]!;
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) return size;
    }
  }

  #enter(): void {
    const piece = this.#pieces.shift()!;
    this.#at = 0;
    this.#piece = typeof piece === 'number' ? this.#scratch : piece;
    if (typeof piece === 'number') this.#spill.read(piece, this.#scratch);
  }
}
