// Tells a file from another that has taken its name, by what the operating system says of them.

import type { BigIntStats } from 'node:fs';

/** What changes when a file is replaced. Times are in nanoseconds. */
export type FileIdentity = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs'>;

export function identityOf({ dev, ino, size, mtimeNs }: BigIntStats): FileIdentity {
  return { dev, ino, size, mtimeNs };
}

export function sameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs;
}
