// The C library's calls about memory, and a run of pages that they work on. POSIX systems with 64-bit pointers only.
// Knows addresses; does not know how the library is called, nor who reads the pages.

import { type Access, type Advice, adviseInPieces, type ExternalPages, type MappingReason } from './mapping.js';

const PROT_READ = 1;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
/**
 * JavaScriptCore (Bun) makes the pages of a memory writable before it gives them back, and ends the process if it may
 * not, which it may not of a file that is opened for reading and shared. Private pages that nobody writes to are the
 * page cache's, too.
 */
const OVER_MEMORY = process.versions.bun === undefined ? MAP_SHARED : MAP_PRIVATE;
/** The numbers are the same on all {@link SYSTEMS}, and for `fadvise`. */
export const ADVICE: Readonly<Record<Advice, number>> = {
  normal: 0,
  random: 1,
  sequential: 2,
  willneed: 3,
  dontneed: 4,
};
const FAILED = 2n ** 64n - 1n;
/** Offsets of mappings are multiples of this: every page size in use (4, 16 and 64 KiB) divides it. */
export const GRANULE = 65_536;

export interface Libc {
  mmap(address: bigint | null, length: number, protection: number, flags: number, fd: number, offset: number): bigint;
  munmap(address: bigint, length: number): number;
  madvise(address: bigint, length: number, advice: number): number;
  mincore(address: bigint, length: number, vector: Uint8Array): number;
  memcmp(address: bigint, bytes: Uint8Array, length: number): number;
  /** `posix_fadvise`; `undefined` where the library has none. */
  fadvise: ((fd: number, offset: number, length: number, advice: number) => number) | undefined;
  /** The address of a view's first byte. */
  addressOf(bytes: Uint8Array): bigint;
  /** Memory at an address, as the runtime's own. */
  view(address: bigint, length: number): ArrayBuffer;
  errno(): number;
  pageBytes: number;
  mapAnonymous: number;
}

export function isLibc(result: Libc | MappingReason): result is Libc {
  return 'mmap' in result;
}

/** What differs between the systems: a flag of mmap, and the function that gives errno's address. */
interface System {
  readonly mapAnonymous: number;
  readonly errno: string;
}

export const SYSTEMS: Readonly<Partial<Record<NodeJS.Platform, System>>> = {
  linux: { mapAnonymous: 0x20, errno: '__errno_location' },
  android: { mapAnonymous: 0x20, errno: '__errno' },
  darwin: { mapAnonymous: 0x1000, errno: '__error' },
  freebsd: { mapAnonymous: 0x1000, errno: '__error' },
};

export function systemHere(): System | MappingReason {
  const { platform } = process;
  const message = `the C library of the system '${platform}' is not called for mmap`;
  return SYSTEMS[platform] ?? { code: 'HMAP_NO_MMAP', message };
}

/** A run of a file's bytes in memory, from a multiple of {@link GRANULE} on. */
export class Pages implements ExternalPages {
  /** @param address the file's bytes from `offset` on, `length` of them */
  private constructor(
    readonly libc: Libc,
    readonly address: bigint,
    readonly offset: number,
    readonly length: number,
  ) {}

  /**
   * Maps `[offset, offset + length)` of a file; `offset` is a multiple of {@link GRANULE}.
   * @param address where; anything that is there goes. `null`: wherever the system likes
   */
  static map(
    libc: Libc,
    address: bigint | null,
    fd: number,
    offset: number,
    length: number,
    access: Access,
  ): Pages | MappingReason {
    const flags = address === null ? MAP_SHARED : OVER_MEMORY | MAP_FIXED;
    const mapped = libc.mmap(address, length, PROT_READ, flags, fd, offset);
    if (mapped === FAILED || mapped === null) {
      return { code: 'HMAP_MMAP', message: `the system does not map the file (errno ${libc.errno()})` };
    }
    const pages = new Pages(libc, mapped, offset, length);
    if (access !== 'normal') pages.advise(access, 0, length);
    return pages;
  }

  /** @param from counted from the first page */
  advise(advice: Advice, from: number, length: number): void {
    const end = Math.min(from + length, this.length);
    adviseInPieces(advice, from, end, GRANULE, (at, size) => {
      this.libc.madvise(this.address + BigInt(at), size, ADVICE[advice]);
    });
  }

  /** @param from counted from the first page */
  isResident(from: number, length: number): boolean | undefined {
    const { pageBytes } = this.libc;
    const first = Math.floor(from / pageBytes) * pageBytes;
    const end = Math.min(from + length, this.length);
    const resident = this.#residentPages(first, end - first);
    return resident === undefined ? undefined : resident === Math.ceil((end - first) / pageBytes);
  }

  residentBytes(): number | undefined {
    const resident = this.#residentPages(0, this.length);
    return resident === undefined ? undefined : Math.min(resident * this.libc.pageBytes, this.length);
  }

  /** The runs of pages that are not in physical memory, counted from the first page; none if the system does not say. */
  absent(): { readonly from: number; readonly end: number }[] {
    const { pageBytes } = this.libc;
    const runs: { from: number; end: number }[] = [];
    const vector = this.#residency(0, this.length) ?? [];
    for (const [page, flags] of vector.entries()) {
      if ((flags & 1) !== 0) continue;
      const last = runs[runs.length - 1];
      if (last?.end === page * pageBytes) last.end += pageBytes;
      else runs.push({ from: page * pageBytes, end: (page + 1) * pageBytes });
    }
    return runs;
  }

  /** For each page, whether it is in physical memory: 1 or 0; `undefined` if the system does not say. */
  residency(): Uint8Array | undefined {
    return this.#residency(0, this.length)?.map((flags) => flags & 1);
  }

  /** @param first a multiple of the page size */
  #residentPages(first: number, length: number): number | undefined {
    const vector = this.#residency(first, length);
    if (vector === undefined) return undefined;
    let resident = 0;
    for (let i = 0; i < vector.length; i++) resident += vector[i]! & 1;
    return resident;
  }

  /** A byte for each page, of which the lowest bit says whether it is in physical memory. */
  #residency(first: number, length: number): Uint8Array | undefined {
    const { libc, address } = this;
    const vector = new Uint8Array(Math.ceil(length / libc.pageBytes));
    return libc.mincore(address + BigInt(first), length, vector) === 0 ? vector : undefined;
  }

  /** Puts empty pages over the file's, which releases the file at once; whoever still reads them reads zeros. */
  clear(): void {
    const flags = MAP_PRIVATE | MAP_FIXED | this.libc.mapAnonymous;
    this.libc.mmap(this.address, this.length, PROT_READ, flags, -1, 0);
  }

  view(from: number, length: number): ArrayBuffer {
    return this.libc.view(this.address + BigInt(from), length);
  }

  unmap(): void {
    this.libc.munmap(this.address, this.length);
  }
}
