// Reads and writes runs of bytes of an open file, whole. Knows nothing of what they hold.

import { readSync, writeSync } from 'node:fs';

/** Reads up to `length` bytes at `offset`; fewer only at the end of the file. */
export function readBytes(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const read = readSync(fd, bytes, done, length - done, offset + done);
    if (read === 0) break;
    done += read;
  }
  return done === length ? bytes : bytes.subarray(0, done);
}

/**
 * Fills `into` from `offset` on.
 * @returns `false` if the file ends before
 */
export function readInto(fd: number, offset: number, into: Uint8Array): boolean {
  for (let done = 0; done < into.length; ) {
    const read = readSync(fd, into, done, into.length - done, offset + done);
    if (read === 0) return false;
    done += read;
  }
  return true;
}

/** Writes all of `bytes` at `position`. */
export function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}
