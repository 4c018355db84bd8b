// The memory of a build's records, which its threads share, and behind it room for the core's work in each of them.
// Knows sizes; does not know records.

import { ByteBuffer } from '../../base/bytes.js';
import type { SharedMemory } from '../../base/webassembly.js';
import { type Core, coreIn, whyNoCore } from '../../core/core.js';
import * as place from '../../core/stage-places.js';
import { freeMemory, takeMemory } from '../../core/work-memories.js';
import { buildMemory } from '../common/options.js';

/** An arena as one thread gives it to another. */
export interface SharedArena {
  /** The records' memory; of a WebAssembly memory, if there is one, the start. */
  readonly buffer: SharedArrayBuffer;
  readonly bytes: number;
  readonly memory: SharedMemory | undefined;
}

/** The core in one thread, and where that thread's state begins; see stage-places.ts. */
export interface Stage {
  readonly core: Core;
  readonly state: number;
}

export class Arena {
  readonly shared: SharedArena;
  readonly records: ByteBuffer;

  constructor(shared: SharedArena) {
    this.shared = shared;
    this.records = new ByteBuffer(new Uint8Array(shared.buffer, 0, shared.bytes));
  }

  /**
   * @param workers threads that take records in
   * @param hasCore whether the core may take many of them at once
   * @throws {HmapError} `ENOMEM`
   */
  static of(bytes: number, workers: number, hasCore: boolean): Arena {
    return new Arena(buildMemory(bytes, () => shareable(bytes, workers, hasCore)));
  }

  /** Nobody uses it any more, in no thread. */
  free(): void {
    const { memory, buffer } = this.shared;
    if (memory !== undefined) freeMemory(memory);
    else spare = new WeakRef(buffer);
  }

  /** Room for the core of a thread; `undefined` where there is no core. */
  stage(worker: number): Stage | undefined {
    const { memory, bytes } = this.shared;
    if (memory === undefined || whyNoCore() !== undefined) return undefined;
    const core = coreIn(memory);
    if (core === undefined) return undefined;
    const state = stateAt(bytes, worker);
    // What is there is another build's.
    new Uint8Array(core.buffer, state, place.INPUT).fill(0);
    return { core, state };
  }
}

function stateAt(bytes: number, worker: number): number {
  return Math.ceil(bytes / 8) * 8 + worker * place.STATE_BYTES;
}

function shareable(bytes: number, workers: number, hasCore: boolean): SharedArena {
  const memory = hasCore && whyNoCore() === undefined ? takeMemory(stateAt(bytes, workers)) : undefined;
  const buffer = memory === undefined ? plain(bytes) : memory.buffer;
  return { buffer, bytes, memory };
}

/** The memory of the last arena without a core, until it is collected, which nothing hurries: see {@link takeMemory}. */
let spare: WeakRef<SharedArrayBuffer> | undefined;

function plain(bytes: number): SharedArrayBuffer {
  const last = spare?.deref();
  spare = undefined;
  return last?.byteLength === bytes ? last : new SharedArrayBuffer(bytes);
}
