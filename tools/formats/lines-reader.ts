// Cuts input into lines, on bytes: no string is made. Knows line ends and tabs; does not know what a line holds.

import { constants } from 'node:buffer';
import { ByteBuffer, MAX_VALUE_BYTES } from '../../src/internal.js';
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

/** Bytes of the longest text that becomes a string: V8's limit in all versions of Node that we support. */
export const LONGEST_TEXT: number = Math.min(constants.MAX_STRING_LENGTH, 2 ** 29 - 24);

/** Bytes of the longest line without a value of its own length: more than any key, number or struct takes. */
const LONGEST_SHORT = 2 ** 20;

/** Bytes of the longest line whose value is of that type, where nothing is escaped. */
export function longestLine(type: string): number {
  if (type === 'json') return LONGEST_TEXT;
  return LONGEST_SHORT + (['bytes', 'utf8', 'enum'].includes(type) ? MAX_VALUE_BYTES : 0);
}

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
 * @param longest bytes that a line may have; it takes as much memory, or twice as much
 * @param many takes the lines that it can, many at once, if there is such a thing by now; `onLine` gets the others
 * @throws {HmapError} `HMAP_INPUT` as soon as a line has more
 */
export async function eachLine(
  pieces: AsyncIterable<Uint8Array>,
  sink: EntrySink,
  longest: number,
  onLine: OnLine,
  many: () => EntrySink['lines'] = () => undefined,
): Promise<void> {
  const tooLong = (line: number) => sink.malformed(line, `more than ${longest} bytes without a line end`);
  const lines = new Lines(onLine, longest, tooLong, many);
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
  readonly #longest: number;
  readonly #tooLong: (line: number) => Error;

  readonly #many: () => EntrySink['lines'];

  constructor(onLine: OnLine, longest: number, tooLong: (line: number) => Error, many: () => EntrySink['lines']) {
    this.#many = many;
    this.#onLine = onLine;
    this.#longest = longest;
    this.#tooLong = tooLong;
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
    const left = this.#piece(piece, start);
    if (left < piece.length) this.#keep(piece.subarray(left));
  }

  end(): void {
    if (this.#restBytes > 0) {
      this.#keep(Uint8Array.of(LF));
      this.#lines(this.#rest, 0, this.#restBytes);
    }
  }

  /** Takes the whole lines of a piece from `start` on, and returns where the first that is not whole starts. */
  #piece(piece: Uint8Array, start: number): number {
    const buffer = new ByteBuffer(piece);
    let at = start;
    // What the first lines say decides whether the rest can be taken.
    if (this.#line === 0) at = this.#lines(buffer, at, piece.length, 1);
    const many = this.#many();
    if (many === undefined) return this.#lines(buffer, at, piece.length);
    many.begin(piece);
    for (;;) {
      at = many.take(at);
      this.#line += many.taken;
      const next = this.#lines(buffer, at, piece.length, 1);
      if (next === at) return at;
      at = next;
    }
  }

  /**
   * Calls for each whole line of `[from, to)`, or the first `most` of them, and returns where the next one starts, or
   * the first that is not whole.
   */
  #lines(buffer: ByteBuffer, from: number, to: number, most = Number.POSITIVE_INFINITY): number {
    const { bytes, view } = buffer;
    const tabs = this.#tabs;
    let tabCount = 0;
    let start = from;
    let i = from;
    let left = most;
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
        if (--left === 0) return start;
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
    // The line's end is kept, too.
    const most = this.#longest + 1;
    if (needed > most) throw this.#tooLong(this.#line + 1);
    if (needed > this.#rest.size) {
      const larger = new ByteBuffer(Math.min(2 * needed, most));
      this.#rest.bytes.copy(larger.bytes, 0, 0, this.#restBytes);
      this.#rest = larger;
    }
    this.#rest.bytes.set(bytes, this.#restBytes);
    this.#restBytes = needed;
  }
}
