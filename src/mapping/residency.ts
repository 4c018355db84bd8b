// Which pages of an open file are in physical memory, whoever brought them there. Knows pages; does not know what they
// hold.

import { loadKoffiLibc } from './koffi-libc.js';
import { GRANULE, isLibc, type Libc, Pages } from './libc.js';

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
  const pages = statesOf(libc, fd, 0, bytes);
  return pages === undefined ? undefined : { pageBytes: libc.pageBytes, pages };
}

/** A byte for each page of `[from, from + bytes)`; `from` is a multiple of {@link GRANULE}. */
function statesOf(libc: Libc, fd: number, from: number, bytes: number): Uint8Array | undefined {
  const mapped = Pages.map(libc, null, fd, from, bytes, 'normal');
  if (!(mapped instanceof Pages)) return undefined;
  try {
    return mapped.residency();
  } finally {
    mapped.unmap();
  }
}

/** A page of a file. */
export interface PageState {
  readonly offset: number;
  /** `undefined` if the system does not say. */
  readonly isInMemory: boolean | undefined;
}

/** The pages with bytes of `[from, end)`, of an open file of so many bytes; reads nothing. */
export function pagesOf(fd: number, fileBytes: number, from: number, end: number): PageState[] {
  const libc = loadKoffiLibc();
  const pageBytes = isLibc(libc) ? libc.pageBytes : USUAL_PAGE;
  const first = Math.floor(from / pageBytes);
  const count = Math.ceil(end / pageBytes) - first;
  let states: Uint8Array | undefined;
  const start = Math.floor(from / GRANULE) * GRANULE;
  if (isLibc(libc) && count > 0) {
    const all = statesOf(libc, fd, start, Math.min(fileBytes, end) - start);
    states = all?.subarray((first * pageBytes - start) / pageBytes);
  }
  return Array.from({ length: Math.max(0, count) }, (_, i) => ({
    offset: (first + i) * pageBytes,
    isInMemory: states === undefined ? undefined : states[i] === 1,
  }));
}

/** Bytes of a page where the system is not asked. */
const USUAL_PAGE = 4096;
