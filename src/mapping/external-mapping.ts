// The way back where no shared memory is to be had: a file mapped at addresses of its own, and views of these. V8 counts
// each view as memory of its heap, and may collect garbage when one is made; so they are made when they are needed.
// Knows how long addresses must stay mapped.

import type { Advice, ByteRange, ExternalPages, Mapping, MappingKind, MappingReason } from './mapping.js';

/** Maps a run of an open file, wherever the system likes. */
export type MapPages = (offset: number, length: number) => ExternalPages | MappingReason;

/** @param granule of what offsets are multiples */
export function mapExternal(
  map: MapPages,
  granule: number,
  ranges: readonly ByteRange[],
  kind: MappingKind,
): Mapping | MappingReason {
  const last = ranges[ranges.length - 1]!;
  const base = Math.floor(ranges[0]!.offset / granule) * granule;
  const pages = map(base, last.offset + last.length - base);
  if (!('view' in pages)) return pages;
  const region = new Region(pages);
  try {
    // Allowed at all? Electron does not.
    region.view(0, 1);
  } catch (cause) {
    pages.unmap();
    const message = 'this runtime allows no views of memory that is not its own';
    return { code: 'HMAP_NO_FOREIGN_MEMORY', message, cause };
  }
  return new ExternalMapping(kind, ranges, region);
}

/** Mapped addresses; unmapped when the mapping and the last view of them are gone. */
class Region {
  /** The mapping, and the views. */
  #holders = 1;

  constructor(readonly pages: ExternalPages) {}

  view(from: number, length: number): Uint8Array {
    // Nothing to see: an empty key heap.
    if (length === 0) return new Uint8Array(0);
    const buffer = this.pages.view(from, length);
    this.#holders++;
    collected.register(buffer, this);
    return new Uint8Array(buffer);
  }

  release(): void {
    if (--this.#holders === 0) this.pages.unmap();
  }
}

const collected = new FinalizationRegistry<Region>((region) => region.release());

class ExternalMapping implements Mapping {
  readonly kind: MappingKind;
  reason?: MappingReason;
  readonly #ranges: readonly ByteRange[];
  readonly #region: Region;
  readonly #views: (Uint8Array | undefined)[];
  #open = true;
  #isLent = false;

  constructor(kind: MappingKind, ranges: readonly ByteRange[], region: Region) {
    this.kind = kind;
    this.#ranges = ranges;
    this.#region = region;
    this.#views = new Array<undefined>(ranges.length).fill(undefined);
    collected.register(this, region);
  }

  get takesAdvice(): boolean {
    return this.#open;
  }

  view(range: number): Uint8Array {
    this.#views[range] ??= this.#region.view(this.#from(range), this.#ranges[range]!.length);
    return this.#views[range];
  }

  lend(range: number): Uint8Array {
    this.#isLent = true;
    return this.view(range);
  }

  advise(advice: Advice, range: number, start: number, length: number): void {
    if (this.#open) this.#region.pages.advise(advice, this.#from(range) + start, length);
  }

  memory(): undefined {
    return undefined;
  }

  isResident(range: number, start: number, length: number): boolean | undefined {
    return this.#open ? this.#region.pages.isResident(this.#from(range) + start, length) : undefined;
  }

  residentBytes(): number | undefined {
    return this.#open ? this.#region.pages.residentBytes() : undefined;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#views.length = 0;
    this.#region.pages.clear(this.#isLent);
  }

  #from(range: number): number {
    return this.#ranges[range]!.offset - this.#region.pages.offset;
  }
}
