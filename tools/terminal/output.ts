// Data on stdout, in large pieces. Knows when a reader has gone away; does not know what is written.

import { once } from 'node:events';
import { ByteBuffer, copyBytes } from '../../src/internal.js';
import { EXIT, warn } from './cli.js';

const PIECE = 256 * 1024;
/** Flushing early leaves room for one small entry without growing. */
const NEARLY_FULL = PIECE - 16 * 1024;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** The sign and 16 digits. */
const LONGEST_INTEGER = 17;
const SMALL = 2 ** 31 - 1;

/** How many digits an integer from 0 has. */
function digitsOf(value: number): number {
  let digits = 1;
  for (let power = 10; value >= power; power *= 10) digits++;
  return digits;
}

/**
 * Ends the program: quietly when whoever reads stdout has enough (`| head`), with a message when it takes no more (a
 * full disk).
 */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.fine);
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

  /** A copy of what was written since the last flush. */
  toBytes(): Buffer {
    return Buffer.from(this.#buffer.bytes.subarray(0, this.#used));
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

  /** Writes a short string of ASCII. A call into the runtime costs more than a few bytes. */
  ascii(text: string): void {
    this.#reserve(text.length);
    const { bytes } = this.#buffer;
    for (let i = 0; i < text.length; i++) bytes[this.#used++] = text.charCodeAt(i);
  }

  /** Writes a safe integer in decimal. */
  integer(value: number): void {
    this.#reserve(LONGEST_INTEGER);
    const { bytes } = this.#buffer;
    let rest = value;
    if (value < 0) {
      bytes[this.#used++] = 0x2d;
      rest = -value;
    }
    const digits = digitsOf(rest);
    let at = this.#used + digits;
    this.#used = at;
    // Division of small integers is a multiplication; that of others is slow.
    while (rest > SMALL) {
      const next = Math.floor(rest / 10);
      bytes[--at] = 0x30 + (rest - 10 * next);
      rest = next;
    }
    let small = rest | 0;
    do {
      const next = (small / 10) | 0;
      bytes[--at] = 0x30 + (small - 10 * next);
      small = next;
    } while (small > 0);
  }

  /**
   * Writes ASCII bytes as a JSON string.
   * @returns `false`, and nothing is written, if they are not all ASCII, or one needs an escape
   */
  quoted({ bytes: from }: ByteBuffer, at: number, length: number): boolean {
    this.#reserve(length + 2);
    const { bytes } = this.#buffer;
    let to = this.#used;
    bytes[to++] = QUOTE;
    for (let i = at; i < at + length; i++) {
      const byte = from[i]!;
      if (byte < 0x20 || byte >= 0x80 || byte === QUOTE || byte === BACKSLASH) return false;
      bytes[to++] = byte;
    }
    bytes[to++] = QUOTE;
    this.#used = to;
    return true;
  }

  /** Forgets what the buffer holds. */
  clear(): void {
    this.#used = 0;
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

  /** What the buffer holds, as UTF-8. */
  toText(): string {
    return this.#buffer.bytes.toString('utf8', 0, this.#used);
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
