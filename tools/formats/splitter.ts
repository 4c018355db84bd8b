// Cuts input into lines, on bytes: no string is made. Knows line ends; does not know what a line holds.

import { Block } from '../../src/bytes.js';
import type { Feed } from './feed.js';

const LF = 0x0a;
const CR = 0x0d;

/** Called with a line, without its end: `[start, end)` of `block`, and its number from 1. */
export type OnLine = (block: Block, start: number, end: number, line: number) => void;

/**
 * Calls `onLine` for each line of the input. A CR before the LF is a part of the line's end. A byte order mark at the start of the input
 * is skipped. The last line needs no end; nothing after the last end is no line.
 */
export async function eachLine(pieces: AsyncIterable<Uint8Array>, feed: Feed, onLine: OnLine): Promise<void> {
  const lines = new Lines(onLine);
  for await (const piece of pieces) {
    lines.take(piece);
    const waiting = feed.pause();
    if (waiting !== undefined) await waiting;
  }
  lines.end();
}

class Lines {
  readonly #onLine: OnLine;
  #line = 0;
  // The start of a line whose end has not come yet.
  #rest = new Block(64 * 1024);
  #restBytes = 0;

  constructor(onLine: OnLine) {
    this.#onLine = onLine;
  }

  take(piece: Uint8Array): void {
    let start = 0;
    if (this.#restBytes > 0) {
      const end = piece.indexOf(LF);
      this.#keep(piece.subarray(0, end === -1 ? piece.length : end));
      if (end === -1) return;
      this.#emit(this.#rest, 0, this.#restBytes);
      this.#restBytes = 0;
      start = end + 1;
    }
    const block = new Block(piece);
    const { bytes } = block;
    const { length } = bytes;
    for (let i = start; i < length; i++) {
      if (bytes[i] !== LF) continue;
      this.#emit(block, start, i);
      start = i + 1;
    }
    if (start < length) this.#keep(bytes.subarray(start));
  }

  end(): void {
    if (this.#restBytes > 0) this.#emit(this.#rest, 0, this.#restBytes);
  }

  #emit(block: Block, start: number, end: number): void {
    this.#line++;
    let from = start;
    const { bytes } = block;
    const marked = this.#line === 1 && end - start >= 3;
    if (marked && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) from += 3;
    const to = end > from && bytes[end - 1] === CR ? end - 1 : end;
    this.#onLine(block, from, to, this.#line);
  }

  #keep(bytes: Uint8Array): void {
    const needed = this.#restBytes + bytes.length;
    if (needed > this.#rest.size) {
      const larger = new Block(2 * needed);
      this.#rest.bytes.copy(larger.bytes, 0, 0, this.#restBytes);
      this.#rest = larger;
    }
    this.#rest.bytes.set(bytes, this.#restBytes);
    this.#restBytes = needed;
  }
}
