// Writes one section of a file: buffers its bytes, and sums the whole blocks among them on the way. Does not know what
// they are.

import type { BlockHasher } from '../../base/block-hasher.js';
import { ByteBuffer, copyLoosely, LOOSE } from '../../base/bytes.js';
import { writeAll } from '../../base/fs.js';
import { BLOCK } from '../../format/constants.js';
import type { BlockSums } from './block-sums.js';

/**
 * Pieces end at multiples of this in the file, so that Linux holds them in pages of 2 MiB and maps them as such: a
 * lookup among 10M entries is a sixth cheaper then (native-notes/performance.md).
 */
const PIECE = 2 ** 21;

/** Large, since what follows the last whole piece is moved to the buffer's start. */
const BUFFER = 4 * PIECE;

/** How large a buffer is worth having for about so many bytes. */
export function outputRoom(bytes: number): number {
  return Math.min(BUFFER, Math.ceil(bytes / BLOCK) * BLOCK + BLOCK);
}

/** Buffers one run of bytes of the file, and sums the whole blocks in it as it is written. */
export class SectionWriter {
  readonly buffer: ByteBuffer;
  /** Bytes in the buffer. */
  used = 0;
  readonly #fd: number;
  readonly #sums: BlockSums;
  readonly #hashes: BlockHasher;
  /** Bytes that the buffer holds. */
  readonly room: number;
  #start = 0;
  /** Offset in the file of the first byte in the buffer. */
  #position = 0;

  /**
   * @param bytes about how many come
   * @param buffer memory for them, of {@link outputRoom} and {@link LOOSE} bytes; without it, memory of its own
   */
  constructor(fd: number, bytes: number, sums: BlockSums, hashes: BlockHasher, buffer?: ByteBuffer) {
    this.room = outputRoom(bytes);
    this.buffer = buffer ?? new ByteBuffer(this.room + LOOSE);
    this.#fd = fd;
    this.#sums = sums;
    this.#hashes = hashes;
  }

  /** Bytes since the start of the section. */
  get length(): number {
    return this.end - this.#start;
  }

  /** Offset in the file after the last byte. */
  get end(): number {
    return this.#position + this.used;
  }

  /** @param done bytes of the section that are written elsewhere */
  start(offset: number, done: number): void {
    this.#start = offset;
    this.#position = offset + done;
    this.used = 0;
  }

  /** Makes room for `bytes` more, at most a block. */
  reserve(bytes: number): void {
    if (this.used + bytes > this.room) this.#flush(this.room < BUFFER ? this.end : this.end - (this.end % PIECE));
  }

  u32(value: number): void {
    this.reserve(4);
    this.buffer.view.setUint32(this.used, value, true);
    this.used += 4;
  }

  copy(from: ByteBuffer, at: number, length: number): void {
    for (let done = 0; done < length; ) {
      const piece = Math.min(BLOCK, length - done);
      this.reserve(piece);
      copyLoosely(from, at + done, this.buffer, this.used, piece);
      this.used += piece;
      done += piece;
    }
  }

  /** Takes `length` bytes from `read`, which fills what it is given, from byte `done` of them on. */
  fill(length: number, read: (done: number, into: Uint8Array) => void): void {
    for (let done = 0; done < length; ) {
      this.reserve(1);
      const piece = Math.min(this.room - this.used, length - done);
      read(done, this.buffer.bytes.subarray(this.used, this.used + piece));
      this.used += piece;
      done += piece;
    }
  }

  finish(): void {
    this.#flush(this.end);
  }

  /** Writes what lies before `to`, an offset in the file, and keeps the rest. */
  #flush(to: number): void {
    const length = to - this.#position;
    if (length <= 0) return;
    const bytes = this.buffer.bytes.subarray(0, length);
    writeAll(this.#fd, bytes, this.#position);
    this.#sums.take(this.#hashes, bytes, this.#position);
    this.buffer.bytes.copyWithin(0, length, this.used);
    this.#position = to;
    this.used -= length;
  }
}
