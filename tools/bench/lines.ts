// `key<TAB>value` lines of any number, read and written without a string a line. Knows not what they mean.

import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const PIECE = 2 ** 20;
const TAB = 0x09;
const NEWLINE = 0x0a;

/** Takes one line of `bytes`: the key is `[start, keyEnd)`, the value `[keyEnd + 1, end)`. Nothing of it is kept. */
export type TakeLine = (bytes: Buffer, start: number, keyEnd: number, end: number) => void;

/** Gives each line of a file to `take`; gives how many there were. The last one must end as the others do. */
export function readLines(path: string, take: TakeLine): number {
  let lines = 0;
  for (const count of readPieces(path, take)) lines += count;
  return lines;
}

/** Does the same a piece of the file at a time, and yields the number of lines in each. */
export function* readPieces(path: string, take: TakeLine): Generator<number> {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(PIECE);
    let kept = 0;
    for (;;) {
      const filled = kept + readSync(fd, bytes, kept, PIECE - kept, null);
      if (filled === kept) break;
      let start = 0;
      let lines = 0;
      for (let end = bytes.indexOf(NEWLINE, kept); end >= 0 && end < filled; end = bytes.indexOf(NEWLINE, start)) {
        let keyEnd = start;
        while (keyEnd < end && bytes[keyEnd] !== TAB) keyEnd++;
        take(bytes, start, keyEnd, end);
        lines++;
        start = end + 1;
      }
      bytes.copyWithin(0, start, filled);
      kept = filled - start;
      if (kept === PIECE) throw new Error(`${path}: a line is longer than ${PIECE} bytes`);
      yield lines;
    }
    if (kept > 0) throw new Error(`${path}: the last line does not end`);
  } finally {
    closeSync(fd);
  }
}

/** Writes a line at `at` of `bytes` and gives its end; at most `longest` bytes. */
export type WriteLine = (index: number, bytes: Buffer, at: number) => number;

/** Writes `count` lines to a new file. */
export function writeLines(path: string, count: number, longest: number, write: WriteLine): void {
  const fd = openSync(path, 'w');
  try {
    const bytes = Buffer.allocUnsafe(PIECE);
    let filled = 0;
    for (let i = 0; i < count; i++) {
      if (filled + longest > PIECE) {
        writeAll(fd, bytes, filled);
        filled = 0;
      }
      filled = write(i, bytes, filled);
    }
    writeAll(fd, bytes, filled);
  } finally {
    closeSync(fd);
  }
}

function writeAll(fd: number, bytes: Buffer, length: number): void {
  for (let done = 0; done < length; ) done += writeSync(fd, bytes, done, length - done);
}

/** Writes a number below 10^15 in decimal; gives its end. */
export function writeDecimal(number: number, bytes: Buffer, at: number): number {
  let digits = 1;
  for (let limit = 10; limit <= number; limit *= 10) digits++;
  let rest = number;
  for (let place = at + digits - 1; place >= at; place--) {
    const next = Math.floor(rest / 10);
    bytes[place] = 0x30 + (rest - next * 10);
    rest = next;
  }
  return at + digits;
}

/** Reads a number in decimal. */
export function readDecimal(bytes: Uint8Array, start: number, end: number): number {
  let number = 0;
  for (let place = start; place < end; place++) number = number * 10 + bytes[place]! - 0x30;
  return number;
}
