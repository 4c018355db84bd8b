// The best way to map a file: over the pages of shared WebAssembly memories, so that opening costs the same whatever
// the size of the file and of the heap, and WebAssembly can read it in place. native-notes/mapping.md says what each
// call does. Knows where ranges lie in memories; does not know how memories are had.

import { SCRATCH_BYTES, type SharedMemory } from '../base/webassembly.js';
import { GRANULE, type Libc, Pages } from './libc.js';
import type { Access, Advice, ByteRange, Mapping, MappingKind, MappingReason } from './mapping.js';
import { giveBack, MEMORY_BYTES, Memory, takeMemory } from './memories.js';

/** The next larger page of x64 and ARM, in bytes; a multiple of {@link GRANULE}. V8 aligns memories to it and more. */
const HUGE_PAGE = 2 ** 21;

/** What one memory holds: runs of the file, one after the other. */
interface Plan {
  readonly runs: Run[];
  /** How far the memory is used. */
  end: number;
}

/** Bytes `[offset, end)` of a file, from `at` on in a memory; `at` and `offset` are multiples of {@link GRANULE}. */
interface Run {
  readonly at: number;
  readonly offset: number;
  end: number;
}

/** Where a range lies: in which memory, in which of its runs, and how far from the run's start. */
interface Place {
  readonly memory: number;
  readonly run: number;
  readonly from: number;
}

export function mapShared(
  libc: Libc,
  fd: number,
  ranges: readonly ByteRange[],
  kind: MappingKind,
  access: Access,
): Mapping | MappingReason {
  const { plans, places } = arrange(ranges);
  const all = ranges.reduce((sum, { length }) => sum + length, 0);
  const tenants: Tenant[] = [];
  for (const plan of plans) {
    const tenant = settle(libc, fd, plan, all, access);
    if (!(tenant instanceof Tenant)) {
      for (const other of tenants) other.close();
      return tenant;
    }
    tenants.push(tenant);
  }
  return new SharedMapping(kind, ranges, places, tenants);
}

/** Gives each range a place. One that is too long for any memory makes a plan that no memory can hold. */
function arrange(ranges: readonly ByteRange[]): { plans: Plan[]; places: Place[] } {
  const plans: Plan[] = [];
  /** The plan that takes the ranges with a number, for as long as it has room. */
  const current = new Map<number, number>();
  const places = ranges.map((range) => {
    const { memory: number = 0 } = range;
    const known = current.get(number);
    if (known !== undefined) {
      const run = add(plans[known]!, range, MEMORY_BYTES);
      if (run !== undefined) return { memory: known, ...run };
    }
    const plan: Plan = { runs: [], end: SCRATCH_BYTES };
    const memory = plans.push(plan) - 1;
    current.set(number, memory);
    return { memory, ...add(plan, range, Number.POSITIVE_INFINITY)! };
  });
  return { plans, places };
}

/** Adds a range to a plan, unless it would then end after `most`. */
function add(plan: Plan, { offset, length }: ByteRange, most: number): Omit<Place, 'memory'> | undefined {
  const { runs } = plan;
  const last = runs[runs.length - 1];
  const base = Math.floor(offset / GRANULE) * GRANULE;
  const follows = last !== undefined && base >= last.offset && base <= last.end;
  const run = follows ? last : { at: alignedLike(base, plan.end), offset: base, end: base };
  const from = offset - run.offset;
  const end = run.at + from + length;
  if (end > most) return undefined;
  if (!follows) runs.push(run);
  run.end = offset + length;
  plan.end = end;
  return { run: runs.length - 1, from };
}

/**
 * The first place from `least` on that is as far from a multiple of {@link HUGE_PAGE} as the offset: so the system can
 * use such pages where it has them in its cache.
 */
function alignedLike(offset: number, least: number): number {
  const rest = offset % HUGE_PAGE;
  return Math.ceil((least - rest) / HUGE_PAGE) * HUGE_PAGE + rest;
}

/** @param all bytes of all ranges */
function settle(libc: Libc, fd: number, { runs, end }: Plan, all: number, access: Access): Tenant | MappingReason {
  if (end > MEMORY_BYTES) return { code: 'HMAP_REACH', message: 'a section of the file does not fit into a memory' };
  const memory = takeMemory(libc, end, all);
  if (!(memory instanceof Memory)) return memory;
  const mapped: MappedRun[] = [];
  for (const { at, offset, end } of runs) {
    const length = end - offset;
    // An empty section has no pages.
    const pages = length === 0 ? undefined : Pages.map(libc, memory.address + BigInt(at), fd, offset, length, access);
    if (pages !== undefined && !(pages instanceof Pages)) {
      new Tenant(libc, memory, mapped).close();
      return pages;
    }
    mapped.push({ at, pages });
  }
  return new Tenant(libc, memory, mapped);
}

interface MappedRun {
  readonly at: number;
  readonly pages: Pages | undefined;
}

/** A memory in use, and what users hold of it. */
class Tenant {
  readonly runs: readonly MappedRun[];
  readonly #libc: Libc;
  readonly #memory: Memory;
  #lent = 0;
  #closed = false;

  constructor(libc: Libc, memory: Memory, runs: readonly MappedRun[]) {
    this.runs = runs;
    this.#libc = libc;
    this.#memory = memory;
  }

  view(at: number, length: number): Uint8Array {
    return this.#memory.view(at, length);
  }

  get shared(): SharedMemory {
    return this.#memory.shared;
  }

  lend(at: number, length: number): Uint8Array | undefined {
    let buffer: ArrayBuffer;
    try {
      buffer = this.#libc.view(this.#memory.address + BigInt(at), length);
    } catch {
      return undefined;
    }
    this.#lent++;
    // By this the memory lives for as long as the buffer does.
    collected.register(buffer, this);
    return new Uint8Array(buffer);
  }

  returned(): void {
    this.#lent--;
    this.#leave();
  }

  close(): void {
    for (const { pages } of this.runs) pages?.clear();
    this.#closed = true;
    this.#leave();
  }

  /** Users may read what they hold when the file is long closed, and must not see another one. */
  #leave(): void {
    if (this.#closed && this.#lent === 0) giveBack(this.#memory);
  }
}

const collected = new FinalizationRegistry<Tenant>((tenant) => tenant.returned());

class SharedMapping implements Mapping {
  readonly kind: MappingKind;
  reason?: MappingReason;
  readonly #ranges: readonly ByteRange[];
  readonly #places: readonly Place[];
  readonly #tenants: readonly Tenant[];
  #open = true;

  constructor(kind: MappingKind, ranges: readonly ByteRange[], places: readonly Place[], tenants: readonly Tenant[]) {
    this.kind = kind;
    this.#ranges = ranges;
    this.#places = places;
    this.#tenants = tenants;
  }

  get takesAdvice(): boolean {
    return this.#open;
  }

  view(range: number): Uint8Array {
    const { tenant, at } = this.#find(range);
    return tenant.view(at, this.#ranges[range]!.length);
  }

  lend(range: number): Uint8Array | undefined {
    const { length } = this.#ranges[range]!;
    if (length === 0) return new Uint8Array(0);
    const { tenant, at } = this.#find(range);
    return tenant.lend(at, length);
  }

  memory(range: number): SharedMemory | undefined {
    return this.#open ? this.#find(range).tenant.shared : undefined;
  }

  advise(advice: Advice, range: number, start: number, length: number): void {
    if (this.#open) this.#pagesOf(range)?.advise(advice, this.#places[range]!.from + start, length);
  }

  isResident(range: number, start: number, length: number): boolean | undefined {
    return this.#open ? this.#pagesOf(range)?.isResident(this.#places[range]!.from + start, length) : undefined;
  }

  residentBytes(): number | undefined {
    if (!this.#open) return undefined;
    let bytes = 0;
    for (const { runs } of this.#tenants) {
      for (const { pages } of runs) {
        const resident = pages === undefined ? 0 : pages.residentBytes();
        if (resident === undefined) return undefined;
        bytes += resident;
      }
    }
    return bytes;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const tenant of this.#tenants) tenant.close();
  }

  #pagesOf(range: number): Pages | undefined {
    const { memory, run } = this.#places[range]!;
    return this.#tenants[memory]!.runs[run]!.pages;
  }

  #find(range: number): { tenant: Tenant; at: number } {
    const { memory, run, from } = this.#places[range]!;
    const tenant = this.#tenants[memory]!;
    return { tenant, at: tenant.runs[run]!.at + from };
  }
}
