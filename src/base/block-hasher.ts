// XXH64 of blocks, by xxhash-wasm if it can be loaded. Knows block sizes; does not know what the blocks hold.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRequire } from './packages.js';
import { webAssembly } from './webassembly.js';
import { sum64, xxh64 } from './xxh64.js';

/** The loaded module. */
export interface BlockHasher {
  /** XXH64 with seed 0. */
  h64Raw(bytes: Uint8Array): bigint;
}

let loading: Promise<BlockHasher> | undefined;
let loaded: BlockHasher | undefined;

/** Where there is no WebAssembly: it is switched off, or a limit of address space leaves no room for its memory. */
const WITHOUT_MODULE: BlockHasher = { h64Raw: hashWithoutModule };

/**
 * Loads the WebAssembly module once (2 to 4 ms), in the way that its package offers. For building and verifying. Always
 * gives a hasher; if the module does not load, the next call tries again.
 */
export function loadChecksums(): Promise<BlockHasher> {
  loading ??= load();
  return loading;
}

async function load(): Promise<BlockHasher> {
  try {
    const { default: xxhash } = await import('xxhash-wasm');
    return await xxhash();
  } catch {
    loading = undefined;
    return WITHOUT_MODULE;
  }
}

/** {@link loadChecksums} for a lookup, which cannot wait; costs less than 1 ms, once. */
export function loadChecksumsNow(): BlockHasher {
  loaded ??= compiled();
  return loaded ?? WITHOUT_MODULE;
}

/** The checksums of all pieces of `size` bytes, one after the other as u64; the last piece may be shorter. */
export function hashPieces(hashes: BlockHasher, bytes: Uint8Array, size: number): Buffer {
  const sums = Buffer.alloc(8 * Math.ceil(bytes.length / size));
  let to = 0;
  for (let at = 0; at < bytes.length; at += size) {
    to = sums.writeBigUInt64LE(hashes.h64Raw(bytes.subarray(at, at + size)), to);
  }
  return sums;
}

/** What the module's code exports. */
interface Exports {
  mem: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  xxh64(address: number, length: number, seed: bigint): bigint;
}

/**
 * The package's module, compiled without waiting, which the package itself does not offer. It ships the code as a file
 * of its own; if that is not found (a bundle, a later version) or WebAssembly is forbidden, there is no module.
 */
function compiled(): BlockHasher | undefined {
  try {
    const main = packageRequire().resolve('xxhash-wasm');
    const code = readFileSync(join(dirname(main), '../workerd/xxhash.wasm'));
    const { Instance, Module } = webAssembly()!;
    const { mem, xxh64: hash } = new Instance(new Module(code)).exports as Exports;
    let memory = new Uint8Array(mem.buffer);
    return {
      h64Raw(bytes) {
        if (memory.length < bytes.length) {
          mem.grow(Math.ceil((bytes.length - memory.length) / 65_536));
          memory = new Uint8Array(mem.buffer);
        }
        memory.set(bytes as Uint8Array);
        return BigInt.asUintN(64, hash(0, bytes.length, 0n));
      },
    };
  } catch {
    return undefined;
  }
}

/** XXH64 with seed 0, without WebAssembly: about 1 GB/s, a tenth of the module's speed. */
export function hashWithoutModule(bytes: Uint8Array): bigint {
  xxh64(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.byteLength);
  return (BigInt(sum64.high >>> 0) << 32n) | BigInt(sum64.low >>> 0);
}
