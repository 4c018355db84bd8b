// What one lookup touches of a file: pages, and whether they were in memory before; blocks, and whether they fit their
// checksums. Knows ranges of the file; does not know what a lookup does.

import { HmapError } from '../base/errors.js';
import { BLOCK } from '../format/constants.js';
import type { Header } from '../format/header.js';
import { pagesOf } from '../mapping/residency.js';
import { checkerFor } from '../storage/block-check.js';

/** A page that a lookup reads. */
export interface TouchedPage {
  /** Where it starts in the file. */
  readonly offset: number;
  /** What of it is read: `header`, `index`, `records`, `dictionary`, ... */
  readonly part: string;
  /** Whether it was in memory before; `null` if the system does not say. */
  readonly wasInMemory: boolean | null;
}

/** A block in which a lookup reads. */
export interface TouchedBlock {
  /** Its range in the file, `[offset, end)`. */
  readonly offset: number;
  readonly end: number;
  /** Whether it fits its checksum. */
  readonly fits: boolean;
}

/** Pages that are noted, at most: of a large value, the first ones. */
const MOST_PAGES = 64;

export class Footprint {
  readonly pages: TouchedPage[] = [];
  readonly #seen = new Set<number>();
  readonly #blocks = new Set<number>();
  readonly #fd: number;
  readonly #header: Header;
  readonly #path: string;

  constructor(fd: number, header: Header, path: string) {
    this.#fd = fd;
    this.#header = header;
    this.#path = path;
    this.#note('header', 0, header.headerBytes);
  }

  /** Notes a range of the file before it is read. */
  touch(part: string, from: number, end: number): void {
    if (end <= from) return;
    this.#note(part, from, end);
    const { headerBytes } = this.#header;
    const last = Math.floor((Math.min(end, from + MOST_PAGES * BLOCK) - 1 - headerBytes) / BLOCK);
    for (let block = Math.floor((from - headerBytes) / BLOCK); block <= last; block++) this.#blocks.add(block);
  }

  #note(part: string, from: number, end: number): void {
    const { fileBytes } = this.#header;
    for (const { offset, isInMemory } of pagesOf(this.#fd, fileBytes, from, end)) {
      if (this.#seen.has(offset) || this.pages.length === MOST_PAGES) continue;
      this.#seen.add(offset);
      this.pages.push({ offset, part, wasInMemory: isInMemory ?? null });
    }
  }

  /** Compares the blocks with their checksums, which reads them whole. */
  blocks(): TouchedBlock[] {
    const { headerBytes, checksums } = this.#header;
    const checker = checkerFor(this.#fd, this.#header, this.#path, 'touch')!;
    return [...this.#blocks].map((block) => {
      const offset = headerBytes + block * BLOCK;
      return { offset, end: Math.min(offset + BLOCK, checksums.offset), fits: fits(() => checker.check(block)) };
    });
  }
}

function fits(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof HmapError && error.code === 'HMAP_DAMAGED') return false;
    throw error;
  }
}
