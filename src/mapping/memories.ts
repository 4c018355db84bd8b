// Address space for files: the pages of shared WebAssembly memories. V8 counts views of any other memory as part of its
// heap, and collects garbage for them (native-notes/mapping.md). Knows memories; knows nothing of files and ranges.

import { growTo, MOST_PAGES, newSharedMemory, type SharedMemory, WASM_PAGE, webAssembly } from '../base/webassembly.js';
import type { Libc } from './libc.js';
import type { MappingReason } from './mapping.js';

/** The last page stays free, so that the end of what is mapped is an address, too. */
export const MEMORY_BYTES = (MOST_PAGES - 1) * WASM_PAGE;

/**
 * Each memory takes 8 to 10 GiB of the 128 TiB of addresses that a process has, whatever is in it; V8 collects, for up
 * to a second, when none are left. So not more than this many, counting those that are not collected yet.
 */
const MOST = 4096;
/** A small file costs little in any other way: such files use no more than this many memories, which is below 1 TiB. */
const MOST_FOR_SMALL = 64;
const SMALL_BYTES = 64 * 2 ** 20;
/** Memories kept for the next file. */
const MOST_SPARE = 64;

/** A memory that is in use by one mapping, or spare. */
export class Memory {
  constructor(
    readonly shared: SharedMemory,
    readonly address: bigint,
  ) {}

  get bytes(): number {
    return this.shared.buffer.byteLength;
  }

  view(at: number, length: number): Uint8Array {
    return new Uint8Array(this.shared.buffer, at, length);
  }
}

const spare: Memory[] = [];
/** Memories that exist, as far as the collector has told. */
let live = 0;
const collected = new FinalizationRegistry<undefined>(() => live--);
/** The smallest request that was refused: as large ones, with as many memories, will be refused, too. */
let refused: { readonly live: number; readonly bytes: number } | undefined;

/**
 * @param bytes how far the mapping reaches, at most {@link MEMORY_BYTES}; the first {@link SCRATCH_BYTES} stay free
 * @param all what is mapped of the file, in this memory and others
 */
export function takeMemory(libc: Libc, bytes: number, all: number): Memory | MappingReason {
  const used = spare.pop();
  if (used !== undefined && growTo(used.shared, bytes)) return used;
  const most = all <= SMALL_BYTES ? MOST_FOR_SMALL : MOST;
  if (live >= most) {
    return { code: 'HMAP_ADDRESS_SPACE', message: `${live} shared memories are in use, or not collected yet` };
  }
  if (refused !== undefined && live >= refused.live && bytes >= refused.bytes) return noSpace(bytes);
  const here = webAssembly();
  if (here?.Memory === undefined) return { code: 'HMAP_NO_WEBASSEMBLY', message: 'this process has no WebAssembly' };
  let memory: SharedMemory;
  try {
    memory = newSharedMemory(here, bytes);
  } catch (cause) {
    // To be refused costs V8 several full collections, which it tries first.
    refused = { live, bytes };
    return noSpace(bytes, cause);
  }
  live++;
  collected.register(memory, undefined);
  const first = new Uint8Array(memory.buffer, 0, PROBE.length);
  const address = libc.addressOf(first);
  // To map a file over anything else would be the end of the process.
  first.set(PROBE);
  const isThere = libc.memcmp(address, PROBE, PROBE.length) === 0;
  first.fill(0);
  if (!isThere) return { code: 'HMAP_NO_WEBASSEMBLY', message: 'the address of a shared memory is not known here' };
  return new Memory(memory, address);
}

const PROBE = Uint8Array.from([0x68, 0x6d, 0x61, 0x70, 0x9c, 0x31, 0xe5, 0x07]);

function noSpace(bytes: number, cause?: unknown): MappingReason {
  const message = `no address space for a shared memory of ${bytes} bytes`;
  return cause === undefined ? { code: 'HMAP_ADDRESS_SPACE', message } : { code: 'HMAP_ADDRESS_SPACE', message, cause };
}

/** For memories that nobody reads any more, and that have no file in them. */
export function giveBack(memory: Memory): void {
  // Of the others V8 takes care, when it collects them.
  if (spare.length < MOST_SPARE) spare.push(memory);
}
