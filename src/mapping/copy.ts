// The fallback that works everywhere: reads the ranges into memory.

import { readSync } from 'node:fs';
import { HmapError } from '../errors.js';
import type { ByteRange, Mapping } from './mapping.js';

/** One read takes at most this many bytes: some systems refuse 2 GiB at once. */
const LARGEST_READ = 2 ** 28;

export function copyFile(fd: number, ranges: readonly ByteRange[]): Mapping {
  return {
    kind: 'copy',
    views: ranges.map((range) => readRange(fd, range)),
    advise() {},
    residentBytes: () => undefined,
    close() {},
  };
}

function readRange(fd: number, { offset, length }: ByteRange): Uint8Array {
  // Memory of its own, so that views of it start at a multiple of 4 and nothing else is seen through them.
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const read = readSync(fd, bytes, done, Math.min(LARGEST_READ, length - done), offset + done);
    if (read === 0) {
      const message = `the file was cut short while it was read: expected ${offset + length} bytes, found ${offset + done}`;
      throw new HmapError('HMAP_TRUNCATED', message, { expected: offset + length, actual: offset + done });
    }
    done += read;
  }
  return bytes;
}
