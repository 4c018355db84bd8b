// Reads for a verification. Bytes that cannot be read become findings, reported once; knows where they are, not what
// they hold.

import { type HmapError, systemError } from '../base/errors.js';
import { readBytes } from '../base/fs.js';
import type { Findings, Section } from './findings.js';

export class VerifyReader {
  readonly #fd: number;
  readonly #path: string;
  readonly #findings: Findings;
  /** Ranges that could not be read, end exclusive. */
  readonly #unreadable: [offset: number, end: number][] = [];

  constructor(fd: number, path: string, findings: Findings) {
    this.#fd = fd;
    this.#path = path;
    this.#findings = findings;
  }

  /** Bytes of the file, or `undefined` if not all of them can be read. */
  attempt(offset: number, length: number): Buffer | undefined {
    try {
      const bytes = readBytes(this.#fd, offset, length);
      return bytes.length === length ? bytes : undefined;
    } catch (error) {
      refusalOf(error, this.#path);
      return undefined;
    }
  }

  /** {@link attempt} that reports a failure. */
  read(offset: number, length: number, section: Section): Buffer | undefined {
    const end = offset + length;
    try {
      const bytes = readBytes(this.#fd, offset, length);
      if (bytes.length === length) return bytes;
      const cut = offset + bytes.length;
      this.#add(
        'HMAP_TRUNCATED',
        'file',
        cut,
        end,
        `the file ends at byte ${cut}, but its header says that it is longer`,
      );
    } catch (error) {
      const { code, message } = refusalOf(error, this.#path);
      this.#add(code, section, offset, end, message);
    }
    return undefined;
  }

  /**
   * How many of the first `expected` bytes there are, found by bisection: for a device, whose size the system does not
   * say.
   */
  present(expected: number): number {
    let known = 0;
    let missing = expected + 1;
    // Usually all are there, and one read shows it.
    for (let probe = expected; known < missing - 1; probe = Math.floor((known + missing) / 2)) {
      if (this.#ends(probe - 1)) missing = probe;
      else known = probe;
    }
    return known;
  }

  /** Whether the file ends at `offset`, or before it. A byte that exists and cannot be read is not an end. */
  #ends(offset: number): boolean {
    try {
      return readBytes(this.#fd, offset, 1).length === 0;
    } catch (error) {
      refusalOf(error, this.#path);
      return false;
    }
  }

  /** Whether no read of these bytes has failed. */
  isReadable(offset: number, end: number): boolean {
    return !this.#unreadable.some(([from, to]) => from < end && offset < to);
  }

  /** Reports bytes of the file that must be zero and are not. */
  checkGap(offset: number, end: number): void {
    if (offset === end || !this.isReadable(offset, end)) return;
    const bytes = this.read(offset, end - offset, 'padding');
    if (bytes !== undefined) checkZero(bytes, 0, bytes.length, offset, 'HMAP_PADDING', 'padding', this.#findings);
  }

  #add(code: string, section: Section, offset: number, end: number, message: string): void {
    const last = this.#unreadable.at(-1);
    // A run of unreadable blocks takes one entry, so that a dead disk costs fixed memory.
    if (last !== undefined && last[1] === offset) last[1] = end;
    else this.#unreadable.push([offset, end]);
    this.#findings.add(code, section, offset, end, message);
  }
}

/** The operating system's refusal to read; any other error is rethrown. */
function refusalOf(error: unknown, path: string): { code: string; message: string } {
  const refusal = systemError(error, 'read', path);
  if (refusal === error) throw error;
  const { code, reason } = refusal as HmapError;
  return { code, message: `the bytes cannot be read: ${reason}` };
}

/**
 * Reports the run from the first to the last byte of `[from, to)` that is not zero; `base` is the offset of `bytes` in
 * the file.
 */
export function checkZero(
  bytes: Uint8Array,
  from: number,
  to: number,
  base: number,
  code: 'HMAP_PADDING' | 'HMAP_RESERVED',
  section: Section,
  findings: Findings,
): void {
  let first = from;
  while (first < to && bytes[first] === 0) first++;
  if (first >= to) return;
  let end = to;
  while (bytes[end - 1] === 0) end--;
  const shown = bytes[first]!.toString(16).padStart(2, '0');
  findings.add(code, section, base + first, base + end, `a byte that must be zero is 0x${shown}`);
}
