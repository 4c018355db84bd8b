// Tells a file from another that has taken its name, by what the operating system says of them and by their headers.

import type { BigIntStats } from 'node:fs';
import { readBytes } from '../base/fs.js';

/** What the operating system says of a file, and what changes when another one takes its name. Nanoseconds. */
export type FileStats = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>;

export interface FileIdentity extends FileStats {
  /** When the system was asked, by this machine's clock; later where the header has been compared since. */
  askedNs: bigint;
  /** The header's first bytes: its checksum, which covers the rest of it, and that of all blocks. Or all of a manifest. */
  readonly mark: string;
}

const MARK_BYTES = 128;
/** Two changes within this time may get the same time stamp: the coarsest clock of a file system in use. */
const CLOCK_NS = 2_000_000_000n;

export function statsOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileStats {
  return { dev, ino, size, mtimeNs, ctimeNs };
}

export function identityOf(fd: number, stats: FileStats): FileIdentity {
  return identityWith(stats, markOf(fd));
}

/** Of a file that is known by another mark. */
export function identityWith(stats: FileStats, mark: string): FileIdentity {
  return { ...stats, askedNs: now(), mark };
}

export function sameStats(a: FileStats, b: FileStats): boolean {
  return a.ctimeNs === b.ctimeNs && samePlace(a, b);
}

/**
 * Whether the system's word is enough that a file is still the one that is known. The time of the last change is not:
 * archives set it, and inodes are used again. That of the last change of status is, unless the file was so new that
 * another one may have got the same time, or the file system gives one time for both.
 */
export function isSurelyKnown(found: FileStats, known: FileIdentity): boolean {
  const isTrusted = known.ctimeNs > known.mtimeNs && known.ctimeNs + CLOCK_NS < known.askedNs;
  return isTrusted && sameStats(found, known);
}

/** {@link isSurelyKnown} or, where it is not sure, whether the open file has the known one's header. */
export function isKnown(fd: number, found: FileStats, known: FileIdentity): boolean {
  if (isSurelyKnown(found, known)) return true;
  if (!samePlace(found, known) || markOf(fd) !== known.mark) return false;
  if (sameStats(found, known)) known.askedNs = now();
  return true;
}

function samePlace(a: FileStats, b: FileStats): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs;
}

function markOf(fd: number): string {
  return readBytes(fd, 0, MARK_BYTES).toString('latin1');
}

function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
