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

/**
 * Makes ranges of an open file readable. The ranges are in ascending order and do not overlap; each starts at a
 * multiple of 4.
 * @throws {HmapError} `HMAP_MAPPING` when the requested mapping does not work here or does not reach that far
 */
export function mapRanges(fd: number, ranges: readonly ByteRange[], choice: MappingChoice, path: string): Mapping {
  for (const [kind, map] of WAYS) {
    if (choice !== 'auto' && choice !== kind) continue;
    const mapping = map(fd, ranges, path);
    if (mapping !== undefined) return mapping;
  }
  const message = `${path}: the mapping '${choice}' is not available here, or does not reach to the end of the file`;
  throw new HmapError('HMAP_MAPPING', message, { path, expected: choice });
}
