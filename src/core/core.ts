// The core: loops over many keys, lines and records, in WebAssembly that works where they lie. Knows how it is compiled,
// once for all memories; what it does is in ./assembly, and where its callers meet it in the files of places.

import { IS_LITTLE_ENDIAN } from '../base/bytes.js';
import { SCRATCH_BYTES, type SharedMemory, webAssembly } from '../base/webassembly.js';
import { CODE } from './code.js';

/** Why JavaScript does the work instead. */
export interface CoreReason {
  readonly code: CoreReasonCode;
  readonly message: string;
  /** What was caught, if anything was. */
  readonly cause?: unknown;
}

/**
 * `HMAP_CORE_OFF`: the environment variable `HMAP_NO_CORE` is set. `HMAP_NO_WEBASSEMBLY`: the runtime has none, or not
 * all of it that the core needs. `HMAP_OUTSIDE_MEMORY`: the file is not mapped over the pages of a WebAssembly memory.
 * `HMAP_FINGERPRINT`: the table has fingerprints in place of keys.
 */
export type CoreReasonCode = 'HMAP_CORE_OFF' | 'HMAP_NO_WEBASSEMBLY' | 'HMAP_OUTSIDE_MEMORY' | 'HMAP_FINGERPRINT';

/** The functions of ./assembly; what each does is said there. */
export interface CoreFunctions {
  hashKeys(count: number): void;
  hashWords(count: number, width: number): void;
  find(count: number): number;
  takeUnsigned(count: number, width: number): void;
  takeSigned(count: number, width: number): void;
  takeWords(count: number): void;
  takeLong(count: number, width: number): void;
  rankBits(count: number, words: number, counts: number): number;
  takeLines(state: number, at: number, end: number): number;
  takeColumns(
    state: number,
    keys: number,
    keyBytes: number,
    values: number,
    elementBytes: number,
    count: number,
  ): number;
  sortRecords(count: number, consumed: number, digitBits: number): number;
  layRecords(from: number, count: number): number;
  scan(segment: number, group: number, end: number, groups: number, mostBytes: number): number;
}

/** The core in one memory. */
export class Core {
  readonly run: CoreFunctions;
  readonly #memory: SharedMemory;
  /** The first {@link SCRATCH_BYTES} of the memory. */
  readonly bytes: Uint8Array;
  readonly words: Int32Array;

  constructor(memory: SharedMemory, run: CoreFunctions) {
    this.run = run;
    this.#memory = memory;
    this.bytes = new Uint8Array(memory.buffer, 0, SCRATCH_BYTES);
    this.words = new Int32Array(memory.buffer, 0, SCRATCH_BYTES / 4);
  }

  /** All of the memory, as long as it is now. */
  get buffer(): ArrayBufferLike {
    return this.#memory.buffer;
  }
}

let compiled: object | undefined;
const cores = new WeakMap<SharedMemory, Core>();

/** Compiles the core, once in a process (about 1 ms); `undefined` if that is possible. */
export function whyNoCore(): CoreReason | undefined {
  if (process.env.HMAP_NO_CORE) return { code: 'HMAP_CORE_OFF', message: 'HMAP_NO_CORE is set' };
  if (compiled !== undefined) return undefined;
  // What it shares with JavaScript are words in typed arrays, which have the processor's order.
  if (!IS_LITTLE_ENDIAN) return { code: 'HMAP_NO_WEBASSEMBLY', message: 'the core needs a little-endian processor' };
  const here = webAssembly();
  if (here === undefined) return { code: 'HMAP_NO_WEBASSEMBLY', message: 'this process has no WebAssembly' };
  try {
    compiled = new here.Module(Buffer.from(CODE, 'base64'));
    return undefined;
  } catch (cause) {
    return { code: 'HMAP_NO_WEBASSEMBLY', message: 'this process does not compile the core', cause };
  }
}

/**
 * The core in a memory; `undefined` if there is no room for it. {@link whyNoCore} has given no reason why it should not
 * be there.
 */
export function coreIn(memory: SharedMemory): Core | undefined {
  const known = cores.get(memory);
  if (known !== undefined) return known;
  let instance: { exports: unknown };
  try {
    instance = new (webAssembly()!.Instance)(compiled!, { env: { memory } });
  } catch {
    return undefined;
  }
  const core = new Core(memory, instance.exports as CoreFunctions);
  cores.set(memory, core);
  return core;
}
