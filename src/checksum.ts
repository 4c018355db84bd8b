// XXH64 of blocks, by xxhash-wasm. Knows block sizes; does not know what the blocks hold.

import type { XXHashAPI } from 'xxhash-wasm';
import { BLOCK } from './layout.js';

/** The loaded module. */
export type BlockHasher = Pick<XXHashAPI, 'h64Raw'>;

let loading: Promise<XXHashAPI> | undefined;

/** Loads the WebAssembly module once (2 to 4 ms); only building and verifying need it, opening and looking up do not. */
export function loadChecksums(): Promise<BlockHasher> {
  loading ??= import('xxhash-wasm').then(({ default: xxhash }) => xxhash());
  return loading;
}

/** XXH64 of each block of {@link BLOCK} bytes, counted from the start of `bytes`; the last may be shorter. */
export function blockSums(hashes: BlockHasher, bytes: Uint8Array): bigint[] {
  const sums: bigint[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK) sums.push(hashes.h64Raw(bytes.subarray(at, at + BLOCK)));
  return sums;
}
