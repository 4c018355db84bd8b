// Maps files with the optional package mmap-io, if the user has built it (native-notes/mapping.md says how).

import { createRequire } from 'node:module';
import { type Advice, adviseInPieces, type ByteRange, type Mapping } from './mapping.js';

/** Sizes and offsets of mmap-io are signed 32-bit integers; beyond this it maps the wrong place without an error. */
const REACH = 2 ** 31 - 1;
const PAGE_MULTIPLE = 65_536;
/**
 * It offers no unmap, and Linux ends a process that reaches 65,530 mappings (`vm.max_map_count`) at its next need of
 * memory. A quarter of that, and the next kind of mapping takes over until some are collected.
 */
const MOST_LIVE = 16_384;

let live = 0;
const collected = new FinalizationRegistry<undefined>(() => live--);

/** The part of mmap-io's interface that is used here. */
interface MmapIo {
  map(size: number, protection: number, flags: number, fd: number, offset: number, advice: number): Buffer;
  advise(buffer: Buffer, offset: number, length: number, advice: number): void;
  incore(buffer: Buffer): [absentPages: number, residentPages: number];
  readonly PROT_READ: number;
  readonly MAP_SHARED: number;
  readonly MADV_RANDOM: number;
  readonly MADV_WILLNEED: number;
  readonly PAGESIZE: number;
}

let loaded: MmapIo | null | undefined;

/** The package, or `null` if it does not load; tried once. */
export function loadMmapIo(): MmapIo | null {
  if (loaded !== undefined) return loaded;
  try {
    loaded = createRequire(import.meta.url)('mmap-io') as MmapIo;
  } catch {
    // Not installed, not built, or a second thread, in which it does not load.
    loaded = null;
  }
  return loaded;
}

export function mapWithMmapIo(fd: number, ranges: readonly ByteRange[]): Mapping | undefined {
  const last = ranges[ranges.length - 1];
  if (last === undefined || last.offset + last.length > REACH) return undefined;
  const mmap = loadMmapIo();
  if (mmap === null || live >= MOST_LIVE) return undefined;
  const length = last.offset + last.length;
  let buffer: Buffer | undefined;
  try {
    buffer = mmap.map(length, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0, mmap.MADV_RANDOM);
  } catch {
    return undefined;
  }
  live++;
  collected.register(buffer.buffer, undefined);
  const views = ranges.map((range) => buffer!.subarray(range.offset, range.offset + range.length));
  const codes: Record<Advice, number> = { random: mmap.MADV_RANDOM, willneed: mmap.MADV_WILLNEED };
  return {
    kind: 'mmap-io',
    get takesAdvice() {
      return buffer !== undefined;
    },
    views,
    advise(advice, view, start, bytes) {
      const mapped = buffer;
      if (mapped === undefined) return;
      const from = ranges[view]!.offset + start;
      const end = Math.min(from + bytes, length);
      adviseInPieces(advice, from, end, PAGE_MULTIPLE, (at, size) => {
        mmap.advise(mapped, at, size, codes[advice]);
      });
    },
    residentBytes() {
      return buffer === undefined ? undefined : Math.min(mmap.incore(buffer)[1] * mmap.PAGESIZE, length);
    },
    close() {
      // The pages are released when the last view of them is collected.
      buffer = undefined;
      views.length = 0;
    },
  };
}
