// The one seam between tables and the operating system: ranges of a file as bytes. Knows nothing of the format.

import type { SharedMemory } from '../base/webassembly.js';

/** How a file's bytes came into memory. */
export type MappingKind = 'mmap-io' | 'libc' | 'ffi' | 'windows' | 'copy';

/** Why a file has not come into memory in the best way. */
export interface MappingReason {
  readonly code: MappingReasonCode;
  readonly message: string;
  /** What was caught, if anything was. */
  readonly cause?: unknown;
}

/**
 * `HMAP_NO_PACKAGE`: a native package does not load. `HMAP_NO_FFI`: the runtime has no `node:ffi`, or forbids it.
 * `HMAP_NO_MMAP`: the system has none that is known here. `HMAP_MMAP`: it refused to map the file. `HMAP_REACH`: the
 * file is too long for this way. `HMAP_NO_WEBASSEMBLY`, `HMAP_ADDRESS_SPACE`: a shared memory is not to be had.
 * `HMAP_NO_FOREIGN_MEMORY`: the runtime allows no views of memory that is not its own.
 */
export type MappingReasonCode =
  | 'HMAP_NO_PACKAGE'
  | 'HMAP_NO_FFI'
  | 'HMAP_NO_MMAP'
  | 'HMAP_MMAP'
  | 'HMAP_REACH'
  | 'HMAP_NO_WEBASSEMBLY'
  | 'HMAP_ADDRESS_SPACE'
  | 'HMAP_NO_FOREIGN_MEMORY';

/** A range of a file, in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
  /** Ranges with the same number lie in one memory if it can hold them. Default 0. */
  readonly memory?: number;
}

/**
 * How a mapping will be read. `random`: anywhere; the system reads no page that is not touched. `normal`: as the system
 * thinks best. `sequential`: once, from start to end.
 */
export type Access = 'random' | 'normal' | 'sequential';

/** `willneed`: start reading these pages now. `dontneed`: they will not be read again through this mapping. */
export type Advice = Access | 'willneed' | 'dontneed';

/**
 * Linux reads no more for one request than its read-ahead size, 128 KiB unless someone has set it, and says nothing of
 * the rest.
 */
const WILLNEED_BYTES = 128 * 1024;

/**
 * Gives advice on `[from, end)` of a mapping, in requests that the system takes whole.
 * @param granule a multiple of the page size, to which the first request's start is rounded down
 */
export function adviseInPieces(
  advice: Advice,
  from: number,
  end: number,
  granule: number,
  request: (at: number, length: number) => void,
): void {
  const most = advice === 'willneed' ? WILLNEED_BYTES : Number.POSITIVE_INFINITY;
  for (let at = Math.floor(from / granule) * granule; at < end; at += most) request(at, Math.min(most, end - at));
}

export interface Mapping {
  readonly kind: MappingKind;
  /** Why this is not the best way to map a file; set by whoever tried another one before. */
  reason?: MappingReason;
  /** Whether {@link advise} has any effect: not for a copy, and not after {@link close}. */
  readonly takesAdvice: boolean;
  /**
   * The bytes of a range, at an address that is a multiple of 4. Never written to, never handed to users, and not used
   * after {@link close}. The first call for a range may cost a garbage collection if the way is not the best one.
   */
  view(range: number): Uint8Array;
  /**
   * The same bytes for users, in memory that is not shared, which stay safe to read after {@link close}; `undefined` if
   * the runtime allows no such view. Each call may cost a garbage collection.
   */
  lend(range: number): Uint8Array | undefined;
  /** The memory whose first bytes are at the core's disposal, and over whose pages the range is mapped, if one is. */
  memory(range: number): SharedMemory | undefined;
  /** Advises on `[start, start + length)` of a range; does nothing if there is nothing to advise. */
  advise(advice: Advice, range: number, start: number, length: number): void;
  /** Whether all of `[start, start + length)` of a range is in physical memory; `undefined` if the system does not say. */
  isResident(range: number, start: number, length: number): boolean | undefined;
  /** Bytes of the ranges that are in physical memory, by whole pages; `undefined` if the system does not say. */
  residentBytes(): number | undefined;
  /** Releases the bytes. May be called again. */
  close(): void;
}

/** A run of a file's bytes at addresses of its own. */
export interface ExternalPages {
  /** Where the run starts in the file. */
  readonly offset: number;
  /** @param from counted from the start of the run */
  view(from: number, length: number): ArrayBuffer;
  advise(advice: Advice, from: number, length: number): void;
  isResident(from: number, length: number): boolean | undefined;
  residentBytes(): number | undefined;
  /**
   * Releases the file as soon as can be; views stay safe to read.
   * @param isLent whether users hold views
   */
  clear(isLent: boolean): void;
  /** Gives the addresses back. Nobody has a view any more. */
  unmap(): void;
}

/** Maps an open file, or says why this way does not work here. The file may be closed afterwards. */
export type MapFile = (
  fd: number,
  ranges: readonly ByteRange[],
  path: string,
  access: Access,
) => Mapping | MappingReason;

export function isMapping(result: Mapping | MappingReason): result is Mapping {
  return 'view' in result;
}
