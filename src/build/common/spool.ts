// Bytes that are appended first and read from the start afterwards: in memory up to a bound, the rest in the temporary
// file. Does not know what they are.

import { ByteBuffer, copyBytes } from '../../base/bytes.js';
import type { SpillFile } from './spill-file.js';

const PIECE = 2 ** 17;

/** Memory that several spools share, in bytes. */
export interface SpoolMemory {
  left: number;
}

export class Spool {
  /** Bytes appended. */
  length = 0;
  /** Whole pieces, in order: in memory, or where they are in the temporary file. */
  readonly #pieces: (ByteBuffer | number)[] = [];
  readonly #memory: SpoolMemory;
  readonly #spill: SpillFile;
  #last = new ByteBuffer(PIECE);
  #used = 0;

  constructor(memory: SpoolMemory, spill: SpillFile) {
    this.#memory = memory;
    this.#spill = spill;
  }

  append(from: ByteBuffer, at: number, length: number): void {
    for (let done = 0; done < length; ) {
      if (this.#used === PIECE) this.#turn();
      const piece = Math.min(length - done, PIECE - this.#used);
      copyBytes(from, at + done, this.#last, this.#used, piece);
      this.#used += piece;
      done += piece;
    }
    this.length += length;
  }

  byte(value: number): void {
    if (this.#used === PIECE) this.#turn();
    this.#last.view.setUint8(this.#used++, value);
    this.length++;
  }

  /** Only for a spool that gets nothing but these. */
  u32(value: number): void {
    if (this.#used === PIECE) this.#turn();
    this.#last.view.setUint32(this.#used, value, true);
    this.#used += 4;
    this.length += 4;
  }

  /** Only for a spool that gets nothing but these. */
  f64(value: number): void {
    if (this.#used === PIECE) this.#turn();
    this.#last.view.setFloat64(this.#used, value, true);
    this.#used += 8;
    this.length += 8;
  }

  #turn(): void {
    if (this.#memory.left >= PIECE) {
      this.#memory.left -= PIECE;
      this.#pieces.push(this.#last);
      this.#last = new ByteBuffer(PIECE);
    } else {
      this.#pieces.push(this.#spill.append(this.#last.bytes));
    }
    this.#used = 0;
  }

  /** A reader from the start; nothing may be appended while one is used. */
  reader(): SpoolReader {
    const { length } = this;
    let scratch: ByteBuffer | undefined;
    const piece = (i: number): ByteBuffer => {
      const held = this.#pieces[i] ?? this.#last;
      if (typeof held !== 'number') return held;
      scratch ??= new ByteBuffer(PIECE);
      this.#spill.read(held, scratch.bytes);
      return scratch;
    };
    return new SpoolReader(length, piece);
  }
}

export class SpoolReader {
  readonly #length: number;
  readonly #piece: (i: number) => ByteBuffer;
  #at = 0;
  #buffer: ByteBuffer | undefined;

  constructor(length: number, piece: (i: number) => ByteBuffer) {
    this.#length = length;
    this.#piece = piece;
  }

  /** Gives the next `length` bytes, or what is left, to `take`, in runs. */
  next(length: number, take: (buffer: ByteBuffer, at: number, length: number) => void): void {
    const end = Math.min(this.#at + length, this.#length);
    while (this.#at < end) {
      const within = this.#at % PIECE;
      if (within === 0 || this.#buffer === undefined) this.#buffer = this.#piece(Math.floor(this.#at / PIECE));
      const run = Math.min(PIECE - within, end - this.#at);
      take(this.#buffer, within, run);
      this.#at += run;
    }
  }

  /** The next number of a spool that has nothing but these; 0 after the last. */
  u32(): number {
    if (this.#at >= this.#length) return 0;
    const within = this.#at % PIECE;
    if (within === 0 || this.#buffer === undefined) this.#buffer = this.#piece(Math.floor(this.#at / PIECE));
    this.#at += 4;
    return this.#buffer.view.getUint32(within, true);
  }
}
