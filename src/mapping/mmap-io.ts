// Maps files with the optional package mmap-io, if the user has built it (native-notes/mapping.md says how).

import { packageRequire } from '../base/packages.js';
import {
  type Access,
  type Advice,
  adviseInPieces,
  type ByteRange,
  type Mapping,
  type MappingReason,
} from './mapping.js';

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
  readonly MADV_NORMAL: number;
  readonly MADV_RANDOM: number;
  readonly MADV_SEQUENTIAL: number;
  readonly MADV_WILLNEED: number;
  readonly MADV_DONTNEED: number;
  readonly PAGESIZE: number;
}

let loaded: MmapIo | null | undefined;
let whyNot: unknown;

/** The package, or `null` if it does not load; tried once. */
export function loadMmapIo(): MmapIo | null {
  if (loaded !== undefined) return loaded;
  try {
    loaded = packageRequire()('mmap-io') as MmapIo;
  } catch (error) {
    // Not installed, not built, or a second thread, in which it does not load.
    whyNot = error;
    loaded = null;
  }
  return loaded;
}

export function mapWithMmapIo(
  fd: number,
  ranges: readonly ByteRange[],
  _path: string,
  access: Access,
): Mapping | MappingReason {
  const mmap = loadMmapIo();
  if (mmap === null) return { code: 'HMAP_NO_PACKAGE', message: 'mmap-io does not load here', cause: whyNot };
  const last = ranges[ranges.length - 1]!;
  const length = last.offset + last.length;
  if (length > REACH) return { code: 'HMAP_REACH', message: `mmap-io reaches ${REACH} bytes of a file` };
  if (live >= MOST_LIVE) return { code: 'HMAP_MMAP', message: `${live} mappings of mmap-io are not released yet` };
  const codes: Record<Advice, number> = {
    normal: mmap.MADV_NORMAL,
    random: mmap.MADV_RANDOM,
    sequential: mmap.MADV_SEQUENTIAL,
    willneed: mmap.MADV_WILLNEED,
    dontneed: mmap.MADV_DONTNEED,
  };
  let buffer: Buffer | undefined;
  try {
    buffer = mmap.map(length, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0, codes[access]);
  } catch (cause) {
    return { code: 'HMAP_MMAP', message: 'mmap-io cannot map the file', cause };
  }
  live++;
  collected.register(buffer.buffer, undefined);
  const views = ranges.map((range) => buffer!.subarray(range.offset, range.offset + range.length));
  return {
    kind: 'mmap-io',
    get takesAdvice() {
      return buffer !== undefined;
    },
    view: (i) => views[i]!,
    lend: (i) => views[i]!,
    advise(advice, range, start, bytes) {
      const mapped = buffer;
      if (mapped === undefined) return;
      const from = ranges[range]!.offset + start;
      const end = Math.min(from + bytes, length);
      adviseInPieces(advice, from, end, PAGE_MULTIPLE, (at, size) => {
        mmap.advise(mapped, at, size, codes[advice]);
      });
    },
    // Its own call counts pages of a whole buffer.
    memory: () => undefined,
    isResident: () => undefined,
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
