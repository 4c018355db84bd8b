// What is used here of WebAssembly: whether a process has it, and memories that threads can share. Knows no code that
// runs in them, and not what they hold.

export const WASM_PAGE = 65_536;
/** What 32-bit addresses reach. */
export const MOST_PAGES = 65_536;
/** Bytes at the start of each memory that are left to code that works in it. */
export const SCRATCH_BYTES = 2 ** 20;

/**
 * V8 14 (Node 26) counts what a memory starts with as its own, but not what it grows to; to grow costs twice the time.
 */
const COUNTS_INITIAL = Number.parseInt(process.versions.v8, 10) >= 14;

/** The part of `WebAssembly.Memory` that is used here. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

/** The part of the global object that is used here; its types are those of browsers. */
interface WebAssemblyHere {
  Memory: new (descriptor: { initial: number; maximum: number; shared: true }) => SharedMemory;
  Module: new (code: Uint8Array) => object;
  Instance: new (module: object, imports?: object) => { exports: unknown };
}

/** `undefined` where there is none: `--jitless`, some runtimes. */
export function webAssembly(): WebAssemblyHere | undefined {
  return (globalThis as { WebAssembly?: WebAssemblyHere }).WebAssembly;
}

/**
 * A memory of at least so many bytes. To be refused costs V8 several full collections, which it tries first.
 * @throws what V8 throws if there are no addresses for it
 */
export function newSharedMemory({ Memory }: WebAssemblyHere, bytes: number): SharedMemory {
  const pages = Math.ceil(bytes / WASM_PAGE);
  const initial = COUNTS_INITIAL ? 1 : pages;
  const memory = new Memory({ initial, maximum: MOST_PAGES, shared: true });
  if (initial < pages) memory.grow(pages - initial);
  return memory;
}

/** Whether a memory has at least so many bytes now. No file may be in it: all its pages become writable. */
export function growTo(memory: SharedMemory, bytes: number): boolean {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / WASM_PAGE);
  if (missing <= 0) return true;
  try {
    memory.grow(missing);
    return true;
  } catch {
    return false;
  }
}
