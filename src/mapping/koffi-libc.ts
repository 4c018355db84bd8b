// The C library's calls, through koffi.

import { isKoffi, type Koffi, loadKoffi } from '../base/koffi.js';
import { type Libc, systemHere } from './libc.js';
import type { MappingReason } from './mapping.js';

let loaded: Libc | MappingReason | undefined;

/** The C library, or why it cannot be called. */
export function loadKoffiLibc(): Libc | MappingReason {
  loaded ??= load();
  return loaded;
}

function load(): Libc | MappingReason {
  const system = systemHere();
  if ('code' in system) return system;
  const koffi = loadKoffi();
  if (!isKoffi(koffi)) return { code: 'HMAP_NO_PACKAGE', ...koffi };
  try {
    return bind(koffi, system.mapAnonymous);
  } catch (cause) {
    return { code: 'HMAP_NO_MMAP', message: 'koffi finds no mmap here', cause };
  }
}

function bind(koffi: Koffi, mapAnonymous: number): Libc | MappingReason {
  if (koffi.sizeof('void *') !== 8) return { code: 'HMAP_NO_MMAP', message: 'addresses here do not have 64 bits' };
  const library = koffi.load(null);
  return {
    mmap: library.func('void *mmap(void *address, size_t length, int prot, int flags, int fd, int64_t offset)'),
    munmap: library.func('int munmap(void *address, size_t length)'),
    madvise: library.func('int madvise(void *address, size_t length, int advice)'),
    mincore: library.func('int mincore(void *address, size_t length, _Out_ uint8_t *vector)'),
    memcmp: library.func('int memcmp(void *address, const uint8_t *bytes, size_t length)'),
    fadvise: attempt(
      () => library.func('int posix_fadvise(int fd, int64_t offset, int64_t length, int advice)') as never,
    ),
    addressOf: (bytes) => koffi.address(bytes),
    view: (address, length) => koffi.view(address, length),
    errno: () => koffi.errno(),
    pageBytes: library.func('int getpagesize()')(),
    mapAnonymous,
  };
}

/** A function that not every C library has: macOS' has none. */
function attempt<F>(bind: () => F): F | undefined {
  try {
    return bind();
  } catch {
    return undefined;
  }
}
