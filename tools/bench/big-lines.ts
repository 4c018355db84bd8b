// Writes `key<TAB>number` lines, a great many, fast and in fixed memory. Every key comes once.

import { closeSync, openSync, writeSync } from 'node:fs';

/** Bytes of one write. */
const PIECE = 2 ** 22;
/** Bytes of a line, at most: the key has 22, the number 9. */
const LINE = 33;
const DIGITS = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz');
const PREFIX = Buffer.from('key-');

/** Puts `number` in a base at `at`, without leading zeros; gives the place behind it. */
function putNumber(bytes: Buffer, at: number, number: number, base: number): number {
  let digits = 1;
  for (let limit = base; number >= limit; limit *= base) digits++;
  const end = at + digits;
  let rest = number;
  for (let p = end - 1; p >= at; p--) {
    const next = Math.floor(rest / base);
    bytes[p] = DIGITS[rest - next * base]!;
    rest = next;
  }
  return end;
}

/** The finalizer of MurmurHash3: gives every number another one, far from that of its neighbour. */
function scrambled(number: number): number {
  let x = number ^ (number >>> 16);
  x = Math.imul(x, 0x85eb_ca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2_ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** `key-` and two numbers in base 36, from 9 to 22 bytes; the first is of its own for each line, so that no key comes twice. */
export function writeLines(path: string, count: number, seed: number): void {
  const bytes = Buffer.alloc(PIECE + LINE);
  const fd = openSync(path, 'w');
  let at = 0;
  try {
    for (let i = 0; i < count; i++) {
      PREFIX.copy(bytes, at);
      at = putNumber(bytes, at + PREFIX.length, scrambled(i), 36);
      bytes[at++] = 0x2d;
      at = putNumber(bytes, at, scrambled(i ^ seed ^ 0x5bd1_e995), 36);
      bytes[at++] = 9;
      at = putNumber(bytes, at, i, 10);
      bytes[at++] = 10;
      if (at >= PIECE || i === count - 1) {
        for (let done = 0; done < at; ) done += writeSync(fd, bytes, done, at - done);
        at = 0;
      }
    }
  } finally {
    closeSync(fd);
  }
}
