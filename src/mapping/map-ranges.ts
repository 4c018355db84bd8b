// Chooses a mapping. Knows the order of preference; knows nothing of tables.

import { HmapError } from '../base/errors.js';
import { copyFile } from './copy.js';
import { loadLibc, mapWithLibc } from './libc.js';
import type { ByteRange, MapFile, Mapping, MappingKind } from './mapping.js';
import { loadMmapIo, mapWithMmapIo } from './mmap-io.js';

/** `auto` takes the first that works here, in the order mmap-io, libc, copy. */
export type MappingChoice = 'auto' | MappingKind;

const WAYS: readonly (readonly [MappingKind, MapFile])[] = [
  ['mmap-io', mapWithMmapIo],
  ['libc', mapWithLibc],
  ['copy', copyFile],
];

export const MAPPING_CHOICES: readonly MappingChoice[] = ['auto', ...WAYS.map(([kind]) => kind)];

/**
 * Loads what `auto` will use, 5 to 12 ms of native code, so that the first file of a process opens as fast as the next.
 */
export function prepareMapping(): void {
  if (loadMmapIo() === null) loadLibc();
}

/** libc before mmap-io, which releases nothing before its memory is collected. */
const WAYS_FOR_A_PASS: typeof WAYS = [
  ['libc', mapWithLibc],
  ['mmap-io', mapWithMmapIo],
  ['copy', copyFile],
];

/**
 * Makes ranges of an open file readable. The ranges are in ascending order and do not overlap; each starts at a
 * multiple of 4.
 * @throws {HmapError} `HMAP_MAPPING` when the requested mapping does not work here or does not reach that far
 */
export function mapRanges(fd: number, ranges: readonly ByteRange[], choice: MappingChoice, path: string): Mapping {
  const ways = WAYS.filter(([kind]) => choice === 'auto' || choice === kind);
  const mapping = firstThatWorks(ways, fd, ranges, path);
  if (mapping !== undefined) return mapping;
  const message = `${path}: the mapping '${choice}' is not available here, or does not reach to the end of the file`;
  throw new HmapError('HMAP_MAPPING', message, { path, expected: choice });
}

/**
 * Makes one range readable for a pass over it that ends with `close`. A program may make any number of these without a
 * pause in which memory could be collected.
 */
export function mapForPass(fd: number, range: ByteRange, path: string): Mapping {
  return firstThatWorks(WAYS_FOR_A_PASS, fd, [range], path)!;
}

function firstThatWorks(
  ways: typeof WAYS,
  fd: number,
  ranges: readonly ByteRange[],
  path: string,
): Mapping | undefined {
  for (const [, map] of ways) {
    const mapping = map(fd, ranges, path);
    if (mapping !== undefined) return mapping;
  }
  return undefined;
}
