// Chooses a mapping. Knows the order of preference; knows nothing of tables.

import { HmapError } from '../base/errors.js';
import { loadKoffi } from '../base/koffi.js';
import { oneLine } from '../base/one-line.js';
import { copyFile } from './copy.js';
import { type MapPages, mapExternal } from './external-mapping.js';
import { loadFfiLibc } from './ffi-libc.js';
import { loadKoffiLibc } from './koffi-libc.js';
import { GRANULE, isLibc, type Libc, Pages } from './libc.js';
import {
  type Access,
  type ByteRange,
  isMapping,
  type MapFile,
  type Mapping,
  type MappingKind,
  type MappingReason,
} from './mapping.js';
import { loadMmapIo, mapWithMmapIo } from './mmap-io.js';
import { mapShared } from './shared-mapping.js';
import { isKernel, loadKernel, WindowsPages } from './windows.js';

/** `auto` takes the first that works here, in the order mmap-io, windows, libc, ffi, copy. */
export type MappingChoice = 'auto' | MappingKind;

type Way = readonly [kind: MappingKind, map: MapFile];

/** How the C library maps files, whoever calls it: over the pages of a memory, or at addresses of their own. */
function libcWays(kind: MappingKind, load: () => Libc | MappingReason): { shared: Way; external: Way } {
  const shared = (libc: Libc, fd: number, ranges: readonly ByteRange[], access: Access) =>
    mapShared(libc, fd, ranges, kind, access);
  const external = (libc: Libc, fd: number, ranges: readonly ByteRange[], access: Access) => {
    const map: MapPages = (offset, length) => Pages.map(libc, null, fd, offset, length, access);
    return mapExternal(map, GRANULE, ranges, kind);
  };
  const wayOf = (map: typeof shared): Way => {
    const mapFile: MapFile = (fd, ranges, _path, access) => {
      const libc = load();
      return isLibc(libc) ? map(libc, fd, ranges, access) : libc;
    };
    return [kind, mapFile];
  };
  return { shared: wayOf(shared), external: wayOf(external) };
}

const mapOnWindows: MapFile = (fd, ranges) => {
  const kernel = loadKernel();
  if (!isKernel(kernel)) return kernel;
  return mapExternal((offset, length) => WindowsPages.map(kernel, fd, offset, length), GRANULE, ranges, 'windows');
};

const KOFFI = libcWays('libc', loadKoffiLibc);
const FFI = libcWays('ffi', loadFfiLibc);
const LIBC = [KOFFI.shared, KOFFI.external, FFI.shared, FFI.external];
const WINDOWS: Way = ['windows', mapOnWindows];
const MMAP_IO: Way = ['mmap-io', mapWithMmapIo];
const COPY: Way = ['copy', copyFile];
const WAYS: readonly Way[] = [MMAP_IO, WINDOWS, ...LIBC, COPY];
/** libc before mmap-io, which releases nothing before its memory is collected. */
const WAYS_FOR_A_PASS: readonly Way[] = [WINDOWS, ...LIBC, MMAP_IO, COPY];
/**
 * That these are not to be had explains nothing: nobody needs to install mmap-io, few runtimes have node:ffi, and the
 * others belong to other systems.
 */
const EXTRAS: readonly MappingKind[] = ['mmap-io', 'ffi', process.platform === 'win32' ? 'libc' : 'windows'];

export const MAPPING_CHOICES: readonly MappingChoice[] = ['auto', ...new Set(WAYS.map(([kind]) => kind))];

/**
 * Loads what `auto` will use, 3 to 4 ms of native code, so that the first file of a process opens as fast as the next.
 */
export function prepareMapping(): void {
  // Not node:ffi, which warns: not before a file is opened.
  if (loadMmapIo() === null) loadKoffi();
}

/**
 * Makes ranges of an open file readable. The ranges are in ascending order and do not overlap; each starts at a
 * multiple of 4.
 * @throws {HmapError} `HMAP_MAPPING` when the requested mapping does not work here or does not reach that far
 */
export function mapRanges(
  fd: number,
  ranges: readonly ByteRange[],
  choice: MappingChoice,
  path: string,
  access: Access,
): Mapping {
  const ways = WAYS.filter(([kind]) => choice === 'auto' || choice === kind);
  const mapping = firstThatWorks(ways, fd, ranges, path, access);
  if (isMapping(mapping)) {
    if (mapping.kind === 'copy' && choice === 'auto') tell(ranges, mapping.reason, path);
    return mapping;
  }
  const { message: reason, cause } = mapping;
  const message = `${path}: the mapping '${choice}' is not available: ${reason}`;
  throw new HmapError('HMAP_MAPPING', message, {
    path,
    expected: choice,
    reason,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A copy of this many bytes is worth a warning, in bytes. */
const LARGE_COPY = 64 * 2 ** 20;
let hasTold = false;

/** Warns, once, of a large file that each process has to itself. */
function tell(ranges: readonly ByteRange[], reason: MappingReason | undefined, path: string): void {
  const bytes = ranges.reduce((sum, { length }) => sum + length, 0);
  if (hasTold || bytes <= LARGE_COPY) return;
  hasTold = true;
  const size = `${Math.round(bytes / 2 ** 20)} MiB`;
  const why = reason === undefined ? '' : `: ${reason.message}`;
  process.emitWarning(oneLine(`${path} (${size}) is copied into the memory of this process${why}`), {
    type: 'HmapWarning',
    code: 'HMAP_COPIED',
    detail:
      'native-notes/mapping.md of the package hmap says why a file is copied, under "Why not the best way"; open it with { mapping: \'copy\' } if that is meant',
  });
}

/**
 * Makes one range readable for a pass over it that ends with `close`. A program may make any number of these without a
 * pause in which memory could be collected.
 */
export function mapForPass(fd: number, range: ByteRange, path: string, access: Access = 'sequential'): Mapping {
  return firstThatWorks(WAYS_FOR_A_PASS, fd, [range], path, access) as Mapping;
}

/**
 * {@link mapForPass} of several ranges, so that all lie in one WebAssembly memory; `undefined` where they cannot. They may
 * be far from one another.
 */
export function mapInOneMemory(
  fd: number,
  ranges: readonly ByteRange[],
  path: string,
  access: Access,
): Mapping | undefined {
  const mapping = firstThatWorks([KOFFI.shared, FFI.shared], fd, ranges, path, access);
  if (!isMapping(mapping)) return undefined;
  const first = mapping.memory(0);
  if (ranges.every((_, i) => mapping.memory(i) === first)) return mapping;
  mapping.close();
  return undefined;
}

/** The mapping by the first way that works, with why the one before it does not; or why the last one does not. */
function firstThatWorks(
  ways: readonly Way[],
  fd: number,
  ranges: readonly ByteRange[],
  path: string,
  access: Access,
): Mapping | MappingReason {
  let reason: MappingReason | undefined;
  let last: MappingReason | undefined;
  const isChosen = ways.every(([kind]) => kind === ways[0]![0]);
  for (const [kind, map] of ways) {
    // It warns, and calls what koffi has called.
    if (kind === 'ffi' && !isChosen && reason?.code !== 'HMAP_NO_PACKAGE') continue;
    const result = map(fd, ranges, path, access);
    if (isMapping(result)) {
      if (reason !== undefined) result.reason = reason;
      return result;
    }
    last = result;
    if (!EXTRAS.includes(kind) || isChosen) reason = result;
  }
  return (reason ?? last)!;
}
