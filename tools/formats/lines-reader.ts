// Cuts input into lines, on bytes: no string is made. Knows line ends and tabs; does not know what a line holds.

import { ByteBuffer } from '../../src/internal.js';
import type { EntrySink } from './entry-sink.js';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;

/**
 * Called with a line, without its end: `[start, end)` of `buffer`, and its number from 1. The first `tabCount` elements
 * of `tabs` are the offsets of the tabs in it; valid during the call.
 */
export type OnLine = (
  buffer: ByteBuffer,
  start: number,
  end: number,
  line: number,
  tabs: readonly number[],
  tabCount: number,
) => void;

const MARK = Buffer.of(0xef, 0xbb, 0xbf);

/** The same input without a byte order mark at its start. */
export async function* withoutMark(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let start: Buffer | undefined = Buffer.alloc(0);
  for await (const piece of pieces) {
    if (start === undefined) {
      yield piece;
      continue;
    }
    start =
      start.length === 0 ? Buffer.from(piece.buffer, piece.byteOffset, piece.length) : Buffer.concat([start, piece]);
    if (start.length < MARK.length) continue;
    yield start.subarray(0, MARK.length).equals(MARK) ? start.subarray(MARK.length) : start;
    start = undefined;
  }
  if (start !== undefined && start.length > 0) yield start;
}

/**
 * Calls `onLine` for each line of the input. A CR before the LF is a part of the line's end. A byte order mark at the
 * start of the input is skipped. The last line needs no end; there is no line after the last end.
 */
export async function eachLine(pieces: AsyncIterable<Uint8Array>, sink: EntrySink, onLine: OnLine): Promise<void> {
  const lines = new Lines(onLine);
  for await (const piece of withoutMark(pieces)) {
    lines.take(piece);
    const waiting = sink.pause();
    if (waiting !== undefined) await waiting;
  }
  lines.end();
}

class Lines {
  readonly #onLine: OnLine;
  #line = 0;
  // The start of a line whose end has not come yet.
  #rest = new ByteBuffer(64 * 1024);
  #restBytes = 0;
  readonly #tabs: number[] = [];

  constructor(onLine: OnLine) {
    this.#onLine = onLine;
  }

  take(piece: Uint8Array): void {
    let start = 0;
    if (this.#restBytes > 0) {
      const end = piece.indexOf(LF);
      this.#keep(piece.subarray(0, end === -1 ? piece.length : end + 1));
      if (end === -1) return;
      this.#lines(this.#rest, 0, this.#restBytes);
      this.#restBytes = 0;
      start = end + 1;
    }
    const buffer = new ByteBuffer(piece);
    const left = this.#lines(buffer, start, piece.length);
    if (left < piece.length) this.#keep(piece.subarray(left));
  }

  end(): void {
    if (this.#restBytes > 0) {
      this.#keep(Uint8Array.of(LF));
      this.#lines(this.#rest, 0, this.#restBytes);
    }
  }

  /** Calls for each whole line of `[from, to)` and returns where the first that is not whole starts. */
  #lines(buffer: ByteBuffer, from: number, to: number): number {
    const { bytes, view } = buffer;
    const tabs = this.#tabs;
    let tabCount = 0;
    let start = from;
    let i = from;
    while (i < to) {
      if (i + 4 <= to) {
        // Four bytes at once: marks those up to CR ("hasless" of Sean Anderson's Bit Twiddling Hacks; the lowest mark
        // is always right).
        const word = view.getInt32(i, true);
        const marks = (word - 0x0e0e0e0e) & ~word & 0x80808080;
        if (marks === 0) {
          i += 4;
          continue;
        }
        i += (31 - Math.clz32(marks & -marks)) >> 3;
      }
      const byte = bytes[i]!;
      if (byte === TAB) {
        tabs[tabCount++] = i;
      } else if (byte === LF) {
        this.#emit(buffer, start, i, tabCount);
        start = i + 1;
        tabCount = 0;
      }
      i++;
    }
    return start;
  }

  #emit(buffer: ByteBuffer, start: number, end: number, tabCount: number): void {
    const to = end > start && buffer.bytes[end - 1] === CR ? end - 1 : end;
    this.#onLine(buffer, start, to, ++this.#line, this.#tabs, tabCount);
  }

  #keep(bytes: Uint8Array): void {
    const needed = this.#restBytes + bytes.length;
    if (needed > this.#rest.size) {
      const larger = new ByteBuffer(2 * needed);
      this.#rest.bytes.copy(larger.bytes, 0, 0, this.#restBytes);
      this.#rest = larger;
    }
    this.#rest.bytes.set(bytes, this.#restBytes);
    this.#restBytes = needed;
  }
}
