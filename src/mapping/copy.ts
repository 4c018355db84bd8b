// The fallback that works everywhere: reads the ranges into memory.

import { readSync } from 'node:fs';
import { totalmem } from 'node:os';
import { markAsUntransferable } from 'node:worker_threads';
import { allocate } from '../base/bytes.js';
import { HmapError } from '../base/errors.js';
import type { ByteRange, Mapping } from './mapping.js';

/** One read takes at most this many bytes: some systems refuse 2 GiB at once. */
const LARGEST_READ = 2 ** 28;

/** @throws {HmapError} `ENOMEM` before a range is read, if there cannot be enough memory; `HMAP_TRUNCATED` */
export function copyFile(fd: number, ranges: readonly ByteRange[], path: string): Mapping {
  const views = allocateViews(ranges, path);
  for (const [i, range] of ranges.entries()) readRange(fd, range, views[i]!, path);
  return {
    kind: 'copy',
    // All is here already.
    takesAdvice: false,
    view: (i) => views[i]!,
    lend: (i) => views[i]!,
    advise() {},
    memory: () => undefined,
    isResident: () => undefined,
    residentBytes: () => undefined,
    close() {},
  };
}

/** Memory of its own for each range, so that its view starts at a multiple of 4 and nothing else is seen through it. */
function allocateViews(ranges: readonly ByteRange[], path: string): Uint8Array[] {
  const total = ranges.reduce((sum, { length }) => sum + length, 0);
  const most = memoryBytes();
  // Systems promise more than they have, and end the process when it is used. A sparse file can claim any size at no
  // cost.
  if (total > most) {
    const message = `${path}: the file cannot be copied into memory: it has ${total} bytes, and only ${most} are available`;
    throw new HmapError('ENOMEM', message, { path, expected: total, actual: most });
  }
  const views = allocate(
    total,
    () => ranges.map(({ length }) => new Uint8Array(length)),
    (reason) => `${path}: the file cannot be copied into memory: ${reason}`,
    { path },
  );
  // Otherwise sending a view to another thread could take the table's memory away with it.
  for (const { buffer } of views) markAsUntransferable(buffer);
  return views;
}

/**
 * All that this process could ever have. The memory that is free now says little: in a container the page cache counts
 * as used.
 */
function memoryBytes(): number {
  // `undefined`, 0 or an enormous number if there is no limit.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.min(limit, totalmem());
}

function readRange(fd: number, { offset, length }: ByteRange, bytes: Uint8Array, path: string): void {
  for (let done = 0; done < length; ) {
    const read = readSync(fd, bytes, done, Math.min(LARGEST_READ, length - done), offset + done);
    if (read === 0) {
      const message = `${path}: the file was cut short while it was read: expected ${offset + length} bytes, found ${offset + done}`;
      throw new HmapError('HMAP_TRUNCATED', message, { path, expected: offset + length, actual: offset + done });
    }
    done += read;
  }
}
