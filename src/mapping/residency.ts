// Which pages of an open file are in physical memory, whoever brought them there. Knows pages; does not know what they
// hold.

import { loadKoffiLibc } from './koffi-libc.js';
import { isLibc, Pages } from './libc.js';

export interface Residency {
  readonly pageBytes: number;
  /** A byte for each page of the file: 1 if it is in memory. */
  readonly pages: Uint8Array;
}

/**
 * Costs two system calls and a byte for each page; reads nothing of the file. The system shows all pages of a file as
 * present to a process that may neither write it nor owns it.
 * @returns `undefined` where the system does not say
 */
export function residencyOf(fd: number, bytes: number): Residency | undefined {
  const libc = loadKoffiLibc();
  if (!isLibc(libc) || bytes === 0) return undefined;
  const mapped = Pages.map(libc, null, fd, 0, bytes, 'normal');
  if (!(mapped instanceof Pages)) return undefined;
  try {
    const pages = mapped.residency();
    return pages === undefined ? undefined : { pageBytes: libc.pageBytes, pages };
  } finally {
    mapped.unmap();
  }
}
