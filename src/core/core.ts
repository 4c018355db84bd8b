// The core: loops over many keys, in WebAssembly that reads a file where it is mapped. Knows how it is compiled, and
// for which memories; what it does is in ./assembly, and where its callers meet it in ./places.ts.

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

/** The part of a `WebAssembly.Memory` that is used here. */
export interface CoreMemory {
  readonly buffer: ArrayBufferLike;
  grow?(pages: number): number;
}

/** The part of the global object that is used here; its types are those of browsers. */
interface WebAssemblyHere {
  Memory: new (descriptor: { initial: number; maximum: number; shared: true }) => CoreMemory;
  Module: new (code: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: unknown };
}

/** How much of a memory is the core's, in bytes, from its start. */
export const CORE_BYTES = 2 ** 20;

/** The core in one memory. */
export class Core {
  readonly run: CoreFunctions;
  readonly #memory: CoreMemory;
  /** The first {@link CORE_BYTES} of the memory. */
  readonly bytes: Uint8Array;
  readonly words: Int32Array;

  constructor(memory: CoreMemory, run: CoreFunctions) {
    this.run = run;
    this.#memory = memory;
    this.bytes = new Uint8Array(memory.buffer, 0, CORE_BYTES);
    this.words = new Int32Array(memory.buffer, 0, CORE_BYTES / 4);
  }

  /** All of the memory, as long as it is now. */
  get buffer(): ArrayBufferLike {
    return this.#memory.buffer;
  }
}

let compiled: object | undefined;
const cores = new WeakMap<CoreMemory, Core>();

/** Compiles the core, once in a process (about 1 ms); `undefined` if that is possible. */
export function whyNoCore(): CoreReason | undefined {
  if (process.env.HMAP_NO_CORE) return { code: 'HMAP_CORE_OFF', message: 'HMAP_NO_CORE is set' };
  if (compiled !== undefined) return undefined;
  const { WebAssembly } = globalThis as { WebAssembly?: WebAssemblyHere };
  if (WebAssembly === undefined) return { code: 'HMAP_NO_WEBASSEMBLY', message: 'this process has no WebAssembly' };
  try {
    compiled = new WebAssembly.Module(Buffer.from(CODE, 'base64'));
    return undefined;
  } catch (cause) {
    return { code: 'HMAP_NO_WEBASSEMBLY', message: 'this process does not compile the core', cause };
  }
}

const WASM_PAGE = 65_536;
/** What 32-bit addresses reach. */
const MOST_PAGES = 65_536;

/** Memories that are free, and not collected yet. */
let spare: WeakRef<CoreMemory>[] = [];
/** Whether one was refused: to be refused costs V8 several full collections, which it tries first. */
let isRefused = false;

/**
 * A memory of at least so many bytes, below 4 GiB, that threads can share; `undefined` if there are no addresses for it.
 * What is in it is of no use. {@link whyNoCore} has given no reason why not.
 *
 * Nothing makes V8 collect memories that are shared, since it does not count them. So who does not need one any more
 * gives it back ({@link freeMemory}), and the next one to ask gets it, unless it has been collected meanwhile.
 */
export function takeMemory(bytes: number): CoreMemory | undefined {
  const pages = Math.ceil(Math.max(bytes, CORE_BYTES) / WASM_PAGE);
  const there = spare.map((each) => each.deref()).filter((memory) => memory !== undefined);
  there.sort((a, b) => a.buffer.byteLength - b.buffer.byteLength);
  // The smallest that is large enough, or the largest of those that are not.
  const fitting = there.find((memory) => memory.buffer.byteLength >= pages * WASM_PAGE) ?? there.at(-1);
  const taken = fitting !== undefined && hasPages(fitting, pages) ? fitting : undefined;
  spare = there.filter((memory) => memory !== taken).map((memory) => new WeakRef(memory));
  if (taken !== undefined || isRefused) return taken;
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyHere };
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: MOST_PAGES, shared: true });
  } catch {
    isRefused = true;
    return undefined;
  }
}

/** Gives a memory back that nobody uses any more, in no thread. */
export function freeMemory(memory: CoreMemory): void {
  spare.push(new WeakRef(memory));
}

/** Whether a memory has so many pages, or can grow to them. */
function hasPages(memory: CoreMemory, pages: number): boolean {
  const missing = pages - memory.buffer.byteLength / WASM_PAGE;
  if (missing <= 0) return true;
  try {
    memory.grow!(missing);
    return true;
  } catch {
    return false;
  }
}

/**
 * The core in a memory; `undefined` if there is no room for it. {@link whyNoCore} has given no reason why it should not
 * be there.
 */
export function coreIn(memory: CoreMemory): Core | undefined {
  const known = cores.get(memory);
  if (known !== undefined) return known;
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyHere };
  let instance: { exports: unknown };
  try {
    instance = new WebAssembly.Instance(compiled!, { env: { memory } });
  } catch {
    return undefined;
  }
  const core = new Core(memory, instance.exports as CoreFunctions);
  cores.set(memory, core);
  return core;
}
