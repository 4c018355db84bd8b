// Puts files out of the page cache, so that they are as cold as after a restart. Knows the C library; needs no rights
// beyond reading the file, and leaves all other files alone. Linux only.

import { closeSync, fdatasyncSync, openSync } from 'node:fs';
import { loadKoffi } from './koffi.js';

const POSIX_FADV_DONTNEED = 4;

export interface PageCache {
  readonly pageBytes: number;
  /** A file that some process has mapped stays in the cache: the caller checks what is resident afterwards. */
  evict(path: string): void;
}

/** The page cache, or why it is out of reach. */
export function pageCache(): PageCache | string {
  if (process.platform !== 'linux') return `files cannot be put out of the page cache on ${process.platform}`;
  let koffi: ReturnType<typeof loadKoffi>;
  try {
    koffi = loadKoffi();
  } catch (error) {
    return `koffi does not load: ${(error as Error).message}`;
  }
  const library = koffi.load(null);
  const advise = library.func('int posix_fadvise(int fd, int64_t offset, int64_t length, int advice)');
  return {
    pageBytes: library.func('int getpagesize()')() as number,
    evict(path) {
      const fd = openSync(path, 'r');
      try {
        // Pages that are not on the disk yet would stay.
        fdatasyncSync(fd);
        const failed = advise(fd, 0, 0, POSIX_FADV_DONTNEED) as number;
        if (failed !== 0) throw new Error(`posix_fadvise of ${path} failed with ${failed}`);
      } finally {
        closeSync(fd);
      }
    },
  };
}
