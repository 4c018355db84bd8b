// Memories that the core works in where no file is mapped: those of builds. Knows which are free; does not know what is
// in them.

import { growTo, newSharedMemory, SCRATCH_BYTES, type SharedMemory, webAssembly } from '../base/webassembly.js';

/** Memories that are free, and not collected yet. */
let spare: WeakRef<SharedMemory>[] = [];
/** Whether one was refused, which costs too much to be tried again. */
let isRefused = false;

/**
 * A memory of at least so many bytes, below 4 GiB, that threads can share; `undefined` if there are no addresses for it.
 * What is in it is of no use.
 *
 * Nothing makes V8 collect memories that are shared, since it does not count them. So who does not need one any more
 * gives it back ({@link freeMemory}), and the next one to ask gets it, unless it has been collected meanwhile.
 */
export function takeMemory(bytes: number): SharedMemory | undefined {
  const least = Math.max(bytes, SCRATCH_BYTES);
  const there = spare.map((each) => each.deref()).filter((memory) => memory !== undefined);
  there.sort((a, b) => a.buffer.byteLength - b.buffer.byteLength);
  // The smallest that is large enough, or the largest of those that are not.
  const fitting = there.find((memory) => memory.buffer.byteLength >= least) ?? there.at(-1);
  const taken = fitting !== undefined && growTo(fitting, least) ? fitting : undefined;
  spare = there.filter((memory) => memory !== taken).map((memory) => new WeakRef(memory));
  const here = webAssembly();
  if (taken !== undefined || isRefused || here === undefined) return taken;
  try {
    return newSharedMemory(here, least);
  } catch {
    isRefused = true;
    return undefined;
  }
}

/** Gives a memory back that nobody uses any more, in no thread. */
export function freeMemory(memory: SharedMemory): void {
  spare.push(new WeakRef(memory));
}
