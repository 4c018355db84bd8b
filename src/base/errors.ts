// The one error class and its codes. Knows nothing of files or tables.

import { isNativeError } from 'node:util/types';
import { oneLine } from './one-line.js';

/**
 * Stable codes of {@link HmapError}. Errors of the operating system keep its own code (`ENOENT`, `EACCES`, `ENOSPC`,
 * ...).
 *
 * The table in native-notes/library.md says when each occurs.
 */
export type HmapErrorCode =
  | 'HMAP_NOT_A_TABLE'
  | 'HMAP_TEXT_DAMAGE'
  | 'HMAP_VERSION'
  | 'HMAP_FEATURE'
  | 'HMAP_HEADER_CHECKSUM'
  | 'HMAP_HEADER_FIELD'
  | 'HMAP_TRUNCATED'
  | 'HMAP_TOO_LONG'
  | 'HMAP_LAYOUT'
  | 'HMAP_VALUE_TYPE'
  | 'HMAP_KEY_TYPE'
  | 'HMAP_FINGERPRINT'
  | 'HMAP_DAMAGED'
  | 'HMAP_CLOSED'
  | 'HMAP_KEY_NOT_UTF8'
  | 'HMAP_MAPPING'
  | 'HMAP_PLATFORM'
  | 'HMAP_DUPLICATE_KEY'
  | 'HMAP_KEY_INVALID'
  | 'HMAP_KEY_TOO_LONG'
  | 'HMAP_VALUE_INVALID'
  | 'HMAP_VALUE_RANGE'
  | 'HMAP_VALUE_TOO_LONG'
  | 'HMAP_BUCKET_LOAD'
  | 'HMAP_SEGMENT_TOO_LARGE'
  | 'HMAP_DICTIONARY_TOO_LARGE'
  | 'HMAP_FILE_TOO_LARGE'
  | 'HMAP_METADATA_TOO_LARGE'
  | 'HMAP_OUTPUT_EXISTS'
  | 'HMAP_INPUT'
  | 'HMAP_NOT_REPRESENTABLE'
  | 'HMAP_READ_ONLY'
  | 'HMAP_NO_SHARD'
  | 'HMAP_HTTP'
  | 'HMAP_NO_RANGES'
  | 'HMAP_REPLACED';

/** The error for what needs the keys of a table that has fingerprints in their place. */
export function noKeys(path: string, what: string): HmapError {
  const message = `${path}: cannot ${what}: the table stores fingerprints of its keys, not the keys`;
  return new HmapError('HMAP_FINGERPRINT', message, { path });
}

/** What an error knows besides its message. */
export interface HmapErrorData {
  path?: string;
  /** What the format, the type or the caller asked for. */
  expected?: unknown;
  /** What was found instead. */
  actual?: unknown;
  /** Byte offset in the file. */
  offset?: number;
  /** Where the range of bytes that starts at `offset` ends, exclusive. */
  end?: number;
  /** The key concerned, in the table's key type; bytes as a string if they are valid UTF-8. */
  key?: string | Uint8Array | number | bigint;
  /** Line number in the input, from 1. */
  line?: number;
  /** What is wrong, without the path and the advice that the message has around it. */
  reason?: string;
  cause?: unknown;
}

/** A failure that is not a misuse of the API (misuse is a TypeError or RangeError that names the argument). */
export class HmapError extends Error {
  /** One of {@link HmapErrorCode}, or the operating system's code. */
  readonly code: HmapErrorCode | (string & {});
  declare readonly path?: string;
  declare readonly expected?: unknown;
  declare readonly actual?: unknown;
  declare readonly offset?: number;
  declare readonly end?: number;
  declare readonly key?: string | Uint8Array | number | bigint;
  declare readonly line?: number;
  declare readonly reason?: string;

  constructor(code: HmapErrorCode | (string & {}), message: string, data: HmapErrorData = {}) {
    const { cause, ...rest } = data;
    super(oneLine(message), cause === undefined ? undefined : { cause });
    this.code = code;
    Object.assign(this, rest);
  }

  override get name(): string {
    return 'HmapError';
  }
}

const REASONS: Record<string, string> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ENXIO: 'it is a socket, or a device that does not exist',
  ENOSPC: 'no space left on the device',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many open files',
  EIO: 'input/output error',
};

/**
 * Wraps an error of the operating system; any other error is returned as it is.
 * @param doing what failed, e.g. `open` or `write`
 */
export function systemError(error: unknown, doing: string, path: string): unknown {
  if (error instanceof HmapError || !isNativeError(error)) return error;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined || (error as NodeJS.ErrnoException).syscall === undefined) return error;
  const reason = REASONS[code] ?? error.message;
  return new HmapError(code, `cannot ${doing} ${path}: ${reason}`, { path, reason, cause: error });
}

/** The error for bytes of a table that break the format. */
export function damage(path: string, reason: string, data: HmapErrorData): HmapError {
  return new HmapError('HMAP_DAMAGED', `${path}: the file is damaged: ${reason}; run verify`, {
    path,
    reason,
    ...data,
  });
}
