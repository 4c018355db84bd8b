// XXH64 of blocks, by xxhash-wasm. Knows block sizes; does not know what the blocks hold.

import type { XXHashAPI } from 'xxhash-wasm';
import { BLOCK } from './layout.js';

/** The loaded module. */
export type BlockHasher = Pick<XXHashAPI, 'h64Raw' | 'create64'>;

let loading: Promise<XXHashAPI> | undefined;

/** Loads the WebAssembly module once (2 to 4 ms); only building and verifying need it, opening and looking up do not. */
export function loadChecksums(): Promise<BlockHasher> {
  loading ??= import('xxhash-wasm').then(({ default: xxhash }) => xxhash());
  return loading;
}

/** XXH64 of a run of bytes that comes in pieces, cut into blocks of {@link BLOCK} bytes from its start. */
export class BlockSums {
  readonly #hashes: BlockHasher;
  readonly sums: bigint[] = [];
  #partial: ReturnType<BlockHasher['create64']> | undefined;
  #inPartial = 0;

  constructor(hashes: BlockHasher) {
    this.#hashes = hashes;
  }

  update(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const take = Math.min(BLOCK - this.#inPartial, bytes.length - at);
      const piece = bytes.subarray(at, at + take);
      at += take;
      if (take === BLOCK) {
        this.sums.push(this.#hashes.h64Raw(piece));
        continue;
      }
      this.#partial ??= this.#hashes.create64();
      this.#partial.update(piece);
      this.#inPartial += take;
      if (this.#inPartial === BLOCK) this.#endBlock();
    }
  }

  /** Ends the last block, which may be short. */
  finish(): bigint[] {
    if (this.#inPartial > 0) this.#endBlock();
    return this.sums;
  }

  #endBlock(): void {
    this.sums.push(this.#partial!.digest());
    this.#partial = undefined;
    this.#inPartial = 0;
  }
}
