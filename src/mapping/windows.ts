// Windows' calls for mapping files, through koffi, and a run of pages that they work on. Knows addresses; does not know
// ranges, nor who reads the pages.

import { isKoffi, type Koffi, loadKoffi } from '../base/koffi.js';
import type { Advice, ExternalPages, MappingReason } from './mapping.js';

const PAGE_NOACCESS = 0x01;
const PAGE_READONLY = 0x02;
const FILE_MAP_READ = 0x04;
const MEM_RESERVE = 0x2000;
const MEM_RELEASE = 0x8000;
const NO_HANDLE = 2n ** 64n - 1n;
/** What stands for the process itself. */
const THIS_PROCESS = NO_HANDLE;

/** The calls. Addresses and handles are BigInts, and `null` where there are none; results of `int` are 0 for a failure. */
export interface Kernel {
  handleOf(fd: number): bigint;
  createFileMapping(
    file: bigint,
    security: null,
    protection: number,
    high: number,
    low: number,
    name: null,
  ): bigint | null;
  mapViewOfFile(mapping: bigint, access: number, high: number, low: number, length: number): bigint | null;
  unmapViewOfFile(address: bigint): number;
  virtualAlloc(address: bigint, length: number, type: number, protection: number): bigint | null;
  virtualFree(address: bigint, length: number, type: number): number;
  closeHandle(handle: bigint): number;
  /** Windows 8 and later. */
  prefetch?: (process: bigint, count: number, ranges: Uint8Array, flags: number) => number;
  lastError(): number;
  view(address: bigint, length: number): ArrayBuffer;
}

let loaded: Kernel | MappingReason | undefined;

/** The system, or why it cannot be called. */
export function loadKernel(): Kernel | MappingReason {
  loaded ??= load();
  return loaded;
}

export function isKernel(result: Kernel | MappingReason): result is Kernel {
  return 'mapViewOfFile' in result;
}

function load(): Kernel | MappingReason {
  if (process.platform !== 'win32') return { code: 'HMAP_NO_MMAP', message: 'this system is not Windows' };
  const koffi = loadKoffi();
  if (!isKoffi(koffi)) return { code: 'HMAP_NO_PACKAGE', ...koffi };
  try {
    return bind(koffi);
  } catch (cause) {
    // Another runtime than Node, whose files have no handles that are known.
    return { code: 'HMAP_NO_MMAP', message: "Windows' calls for mapping are not found here", cause };
  }
}

function bind(koffi: Koffi): Kernel | MappingReason {
  if (koffi.sizeof('void *') !== 8) return { code: 'HMAP_NO_MMAP', message: 'addresses here do not have 64 bits' };
  const kernel = koffi.load('kernel32.dll');
  const call = (prototype: string) => kernel.func(prototype);
  const calls: Kernel = {
    // Of Node's own library for files: a descriptor of Node's is unknown to others.
    handleOf: koffi.load(null).func('void *uv_get_osfhandle(int fd)'),
    createFileMapping: call('void *CreateFileMappingW(void *, void *, uint32_t, uint32_t, uint32_t, void *)'),
    mapViewOfFile: call('void *MapViewOfFile(void *, uint32_t, uint32_t, uint32_t, size_t)'),
    unmapViewOfFile: call('int UnmapViewOfFile(void *)'),
    virtualAlloc: call('void *VirtualAlloc(void *, size_t, uint32_t, uint32_t)'),
    virtualFree: call('int VirtualFree(void *, size_t, uint32_t)'),
    closeHandle: call('int CloseHandle(void *)'),
    lastError: call('uint32_t GetLastError()'),
    view: (address, length) => koffi.view(address, length),
  };
  try {
    calls.prefetch = call('int PrefetchVirtualMemory(void *, size_t, const void *, uint32_t)') as Kernel['prefetch'] &
      object;
  } catch {
    // Pages then come in when they are touched.
  }
  return calls;
}

/** A run of a file's bytes in memory, from a multiple of 64 KiB on. */
export class WindowsPages implements ExternalPages {
  /** Whether the addresses are kept free, for nothing to come there that an old view would show. */
  #isReserved = false;
  #isMapped = true;

  private constructor(
    readonly kernel: Kernel,
    readonly address: bigint,
    readonly offset: number,
    readonly length: number,
  ) {}

  static map(kernel: Kernel, fd: number, offset: number, length: number): WindowsPages | MappingReason {
    const failed = (call: string): MappingReason => ({
      code: 'HMAP_MMAP',
      message: `the system does not map the file (${call}: error ${kernel.lastError()})`,
    });
    const handle = kernel.handleOf(fd);
    if (handle === null || handle === NO_HANDLE) return failed('uv_get_osfhandle');
    const mapping = kernel.createFileMapping(handle, null, PAGE_READONLY, 0, 0, null);
    if (mapping === null) return failed('CreateFileMapping');
    const address = kernel.mapViewOfFile(mapping, FILE_MAP_READ, Math.floor(offset / 2 ** 32), offset >>> 0, length);
    const result = address === null ? failed('MapViewOfFile') : new WindowsPages(kernel, address, offset, length);
    // A view holds what it shows.
    kernel.closeHandle(mapping);
    return result;
  }

  view(from: number, length: number): ArrayBuffer {
    return this.kernel.view(this.address + BigInt(from), length);
  }

  /** Windows reads ahead as it sees fit, and can only be asked for more. */
  advise(advice: Advice, from: number, length: number): void {
    if (advice !== 'willneed' || !this.#isMapped) return;
    const size = Math.min(length, this.length - from);
    if (size <= 0) return;
    const range = Buffer.alloc(16);
    range.writeBigUInt64LE(this.address + BigInt(from), 0);
    range.writeBigUInt64LE(BigInt(size), 8);
    this.kernel.prefetch?.(THIS_PROCESS, 1, range, 0);
  }

  isResident(): undefined {
    return undefined;
  }

  residentBytes(): number | undefined {
    return undefined;
  }

  /**
   * A file that is mapped can be neither renamed over nor deleted, so it goes at once, unless users have got views:
   * these stay safe to read, and keep the file until they are collected. Of the other views nobody reads any more.
   * Pages in their place would count as memory that the process has asked for.
   */
  clear(isLent: boolean): void {
    if (isLent || !this.#isMapped) return;
    this.kernel.unmapViewOfFile(this.address);
    this.#isMapped = false;
    const taken = this.kernel.virtualAlloc(this.address, this.length, MEM_RESERVE, PAGE_NOACCESS);
    this.#isReserved = taken === this.address;
  }

  unmap(): void {
    if (this.#isMapped) this.kernel.unmapViewOfFile(this.address);
    else if (this.#isReserved) this.kernel.virtualFree(this.address, 0, MEM_RELEASE);
    this.#isMapped = false;
    this.#isReserved = false;
  }
}
