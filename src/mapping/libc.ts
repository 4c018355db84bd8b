// Maps files with the C library's own mmap, called through koffi. POSIX systems with 64-bit pointers only.
// native-notes/mapping.md says what each call does and why close() maps over the old pages.

import { createRequire } from 'node:module';
import { type Advice, adviseInPieces, type ByteRange, type Mapping } from './mapping.js';

const PROT_READ = 1;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
const ADVICE: Record<Advice, number> = { random: 1, willneed: 3 };
/** Offsets of mappings are multiples of this: every page size in use (4, 16 and 64 KiB) divides it. */
const GRANULE = 65_536;
const FAILED = 2n ** 64n - 1n;

interface Libc {
  mmap(address: bigint | null, length: number, protection: number, flags: number, fd: number, offset: number): bigint;
  munmap(address: bigint, length: number): number;
  madvise(address: bigint, length: number, advice: number): number;
  mincore(address: bigint, length: number, vector: Uint8Array): number;
  view(address: bigint, length: number): ArrayBuffer;
  pageBytes: number;
  mapAnonymous: number;
}

let loaded: Libc | null | undefined;

/** The C library, or `null` if it cannot be called. Loading costs 5 to 12 ms, once. */
export function loadLibc(): Libc | null {
  if (loaded !== undefined) return loaded;
  loaded = null;
  const mapAnonymous = { linux: 0x20, android: 0x20, darwin: 0x1000, freebsd: 0x1000 }[process.platform as string];
  if (mapAnonymous === undefined) return loaded;
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi').default;
    if (koffi.sizeof('void *') !== 8) return loaded;
    const library = koffi.load(null);
    const libc: Libc = {
      mmap: library.func('void *mmap(void *address, size_t length, int prot, int flags, int fd, int64_t offset)'),
      munmap: library.func('int munmap(void *address, size_t length)'),
      madvise: library.func('int madvise(void *address, size_t length, int advice)'),
      mincore: library.func('int mincore(void *address, size_t length, _Out_ uint8_t *vector)'),
      view: (address, length) => koffi.view(address, length),
      pageBytes: library.func('int getpagesize()')() as number,
      mapAnonymous,
    };
    loaded = libc;
  } catch {
    // Not installed, no binary for this platform, or a runtime that forbids native code.
  }
  return loaded;
}

/** A mapped range of addresses; unmapped when the last view of it is gone. */
class Region {
  #views = 0;

  constructor(
    readonly libc: Libc,
    readonly address: bigint,
    readonly length: number,
  ) {}

  view(offset: number, length: number): Uint8Array {
    // Nothing to see: an empty key heap.
    if (length === 0) return new Uint8Array(0);
    const buffer = this.libc.view(this.address + BigInt(offset), length);
    this.#views++;
    collected.register(buffer, this);
    return new Uint8Array(buffer);
  }

  viewCollected(): void {
    if (--this.#views === 0) this.libc.munmap(this.address, this.length);
  }

  /** Unmaps at once if there is no view yet; else the last view's end does. */
  abandon(): void {
    if (this.#views === 0) this.libc.munmap(this.address, this.length);
  }

  /** Puts empty pages over the file's, which releases the file at once; views that are still held then read zeros. */
  clear(): void {
    const flags = MAP_PRIVATE | MAP_FIXED | this.libc.mapAnonymous;
    this.libc.mmap(this.address, this.length, PROT_READ, flags, -1, 0);
  }
}

const collected = new FinalizationRegistry<Region>((region) => region.viewCollected());

export function mapWithLibc(fd: number, ranges: readonly ByteRange[]): Mapping | undefined {
  const libc = loadLibc();
  if (libc === null || ranges.length === 0) return undefined;
  const first = ranges[0]!.offset;
  const last = ranges[ranges.length - 1]!;
  const base = Math.floor(first / GRANULE) * GRANULE;
  const length = last.offset + last.length - base;
  const address = libc.mmap(null, length, PROT_READ, MAP_SHARED, fd, base);
  if (address === FAILED || address === null) return undefined;
  const region = new Region(libc, address, length);
  let views: Uint8Array[];
  try {
    views = ranges.map((range) => region.view(range.offset - base, range.length));
  } catch {
    // A runtime without external buffers (Electron).
    region.abandon();
    return undefined;
  }
  libc.madvise(address, length, ADVICE.random);
  let open = true;
  return {
    kind: 'libc',
    get takesAdvice() {
      return open;
    },
    views,
    advise(advice, view, start, bytes) {
      if (!open) return;
      const from = ranges[view]!.offset - base + start;
      const end = Math.min(from + bytes, length);
      adviseInPieces(advice, from, end, GRANULE, (at, size) => {
        libc.madvise(address + BigInt(at), size, ADVICE[advice]);
      });
    },
    residentBytes() {
      return open ? residentBytes(libc, address, length) : undefined;
    },
    close() {
      if (!open) return;
      open = false;
      region.clear();
    },
  };
}

function residentBytes(libc: Libc, address: bigint, length: number): number | undefined {
  const vector = new Uint8Array(Math.ceil(length / libc.pageBytes));
  if (libc.mincore(address, length, vector) !== 0) return undefined;
  let resident = 0;
  for (let i = 0; i < vector.length; i++) resident += vector[i]! & 1;
  return Math.min(resident * libc.pageBytes, length);
}
