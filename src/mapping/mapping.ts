// The one seam between tables and the operating system: ranges of a file as bytes. Knows nothing of the format.

/** How a file's bytes came into memory. */
export type MappingKind = 'mmap-io' | 'libc' | 'copy';

/** A range of a file, in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** `random`: no read-ahead. `willneed`: start reading these pages now. */
export type Advice = 'random' | 'willneed';

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
  /** Whether {@link advise} has any effect: not for a copy, and not after {@link close}. */
  readonly takesAdvice: boolean;
  /** One view a range, in the order of the ranges; each at an address that is a multiple of 4. Never written to. */
  readonly views: readonly Uint8Array[];
  /** Advises on `[start, start + length)` of one view; does nothing if there is nothing to advise. */
  advise(advice: Advice, view: number, start: number, length: number): void;
  /** Bytes of the ranges that are in physical memory, by whole pages; `undefined` if the system does not say. */
  residentBytes(): number | undefined;
  /** Releases the bytes; views that someone still holds stay safe to read. May be called again. */
  close(): void;
}

/**
 * Maps an open file, or returns `undefined` if this kind of mapping does not work here. The file may be closed
 * afterwards.
 */
export type MapFile = (fd: number, ranges: readonly ByteRange[], path: string) => Mapping | undefined;
