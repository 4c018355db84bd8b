// The C library's calls, through node:ffi, which Node has from 26.1 on: no package is needed. It is experimental, and
// warns when it is loaded.

import { markAsUntransferable } from 'node:worker_threads';
import { type Libc, systemHere } from './libc.js';
import type { MappingReason } from './mapping.js';

interface Signature {
  arguments: readonly string[];
  return: string;
}

/** The part of node:ffi that is used here. */
interface Ffi {
  dlopen(path: string | null, signatures: Record<string, Signature>): { functions: Record<string, Call> };
  getRawPointer(bytes: Uint8Array): bigint;
  toArrayBuffer(address: bigint, length: number, copy: boolean): ArrayBuffer;
  getInt32(address: bigint): number;
}
type Call = (...args: readonly unknown[]) => never;

let loaded: Libc | MappingReason | undefined;

/** The C library, or why it cannot be called. Loading costs 1 to 4 ms, once. */
export function loadFfiLibc(): Libc | MappingReason {
  loaded ??= load();
  return loaded;
}

function load(): Libc | MappingReason {
  const system = systemHere();
  if ('code' in system) return system;
  let ffi: Ffi | undefined;
  try {
    ffi = process.getBuiltinModule('node:ffi') as Ffi | undefined;
    if (ffi === undefined) return { code: 'HMAP_NO_FFI', message: 'this runtime has no node:ffi' };
    return bind(ffi, system.mapAnonymous, system.errno);
  } catch (cause) {
    const forbidden = (cause as NodeJS.ErrnoException).code === 'ERR_ACCESS_DENIED';
    const message = forbidden ? 'node:ffi is forbidden here (--allow-ffi)' : 'node:ffi finds no mmap here';
    return { code: 'HMAP_NO_FFI', message, cause };
  }
}

function bind(ffi: Ffi, mapAnonymous: number, errno: string): Libc | MappingReason {
  if (!/64/.test(process.arch)) return { code: 'HMAP_NO_MMAP', message: 'addresses here do not have 64 bits' };
  const { functions } = ffi.dlopen(null, {
    mmap: { arguments: ['pointer', 'uint64', 'int32', 'int32', 'int32', 'int64'], return: 'pointer' },
    munmap: { arguments: ['pointer', 'uint64'], return: 'int32' },
    madvise: { arguments: ['pointer', 'uint64', 'int32'], return: 'int32' },
    mincore: { arguments: ['pointer', 'uint64', 'buffer'], return: 'int32' },
    memcmp: { arguments: ['pointer', 'buffer', 'uint64'], return: 'int32' },
    getpagesize: { arguments: [], return: 'int32' },
    [errno]: { arguments: [], return: 'pointer' },
  });
  const { mmap, munmap, madvise, mincore, memcmp, getpagesize, [errno]: errnoAt } = functions as Record<string, Call>;
  return {
    mmap: (address, length, protection, flags, fd, offset) =>
      mmap!(address ?? 0n, BigInt(length), protection, flags, fd, BigInt(offset)),
    munmap: (address, length) => munmap!(address, BigInt(length)),
    madvise: (address, length, advice) => madvise!(address, BigInt(length), advice),
    mincore: (address, length, vector) => mincore!(address, BigInt(length), vector),
    memcmp: (address, bytes, length) => memcmp!(address, bytes, BigInt(length)),
    // Not every C library has it, and it matters only to passes.
    fadvise: undefined,
    addressOf: (bytes) => ffi.getRawPointer(bytes),
    view(address, length) {
      const buffer = ffi.toArrayBuffer(address, length, false);
      // Others read the same buffer.
      markAsUntransferable(buffer);
      return buffer;
    },
    errno: () => ffi.getInt32(errnoAt!()),
    pageBytes: getpagesize!(),
    mapAnonymous,
  };
}
