// Data on stdout, in large pieces. Knows when a reader has gone away; does not know what is written.

import { once } from 'node:events';
import { ByteBuffer, copyBytes } from '../../src/internal.js';
import { EXIT, warn } from './cli.js';

const PIECE = 256 * 1024;
/** Flushing early leaves room for one small entry without growing. */
const NEARLY_FULL = PIECE - 16 * 1024;

/**
 * Ends the program: quietly when whoever reads stdout has enough (`| head`), with a message when it takes no more (a
 * full disk).
 */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.fine);
    warn(`cannot write the output: ${error.message}`);
    process.exit(EXIT.failed);
  });
}

/** A buffer before stdout. Write entries, and after each `if (out.full) await out.flush()`. */
export class Output {
  #buffer: ByteBuffer;
  #used = 0;

  /** @param size room to begin with, in bytes */
  constructor(size: number = PIECE) {
    this.#buffer = new ByteBuffer(size);
  }

  /** Bytes written since the last flush. */
  get length(): number {
    return this.#used;
  }

  get full(): boolean {
    return this.#used > NEARLY_FULL;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer.bytes[this.#used++] = value;
  }

  bytes(from: ByteBuffer, at: number, length: number): void {
    this.#reserve(length);
    copyBytes(from, at, this.#buffer, this.#used, length);
    this.#used += length;
  }

  /** Writes text as UTF-8. */
  text(text: string): void {
    this.#reserve(3 * text.length);
    this.#used += this.#buffer.bytes.write(text, this.#used);
  }

  /** Writes a string of which each code unit is one byte. */
  latin1(text: string): void {
    this.#reserve(text.length);
    this.#used += this.#buffer.bytes.write(text, this.#used, 'latin1');
  }

  /** Writes what another buffer holds. */
  append(other: Output): void {
    this.bytes(other.#buffer, 0, other.#used);
  }

  /** What the buffer holds, each byte as one code unit. */
  toLatin1(): string {
    return this.#buffer.bytes.toString('latin1', 0, this.#used);
  }

  async flush(): Promise<void> {
    if (this.#used === 0) return;
    const bytes = this.#buffer.bytes.subarray(0, this.#used);
    // The stream keeps what it is given, so the next piece needs memory of its own.
    this.#buffer = new ByteBuffer(PIECE);
    this.#used = 0;
    if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
  }

  #reserve(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed <= this.#buffer.size) return;
    const larger = new ByteBuffer(Math.max(needed, 2 * this.#buffer.size));
    this.#buffer.bytes.copy(larger.bytes, 0, 0, this.#used);
    this.#buffer = larger;
  }
}
