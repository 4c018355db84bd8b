// The tree of checksums of a remote file, of which pages come as they are needed (native-notes/format.md, section 8). Knows
// sums; does not know blocks.

import { HmapError } from '../base/errors.js';
import { sum64, xxh64 } from '../base/xxh64.js';
import { PAGE } from '../format/constants.js';
import type { HashHeader } from '../format/header.js';
import { SUM_BYTES, type SumLevel, sumLevels } from '../format/sum-tree.js';
import type { CellCache, FileRange } from './cells.js';
import type { HttpSource } from './http-source.js';

/** A tree of at most so many bytes comes whole, with the first page: that of a file of 512 MiB. */
const SMALL_TREE = 65_536;
/**
 * Pages that are nearer come in one request. The sums of the index lie near the top of the tree, which is at the end of the
 * file.
 */
const GAP = 65_536;

/** A checksum, by the halves of its eight bytes. */
export interface Sum {
  readonly low: number;
  readonly high: number;
}

export class SumPages {
  readonly #source: HttpSource;
  /** Holds only pages that have been compared. */
  readonly #cache: CellCache;
  readonly #levels: readonly SumLevel[];
  readonly #root: Sum;
  /** One load after the other: the next one then finds what this one brings. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(source: HttpSource, cache: CellCache, { headerBytes, checksums }: HashHeader) {
    this.#source = source;
    this.#cache = cache;
    this.#levels = sumLevels(headerBytes, checksums.offset);
    this.#root = {
      low: Number(BigInt.asIntN(32, checksums.sum)),
      high: Number(BigInt.asIntN(32, checksums.sum >> 32n)),
    };
  }

  /**
   * The checksums of blocks `[first, end)`.
   * @throws {HmapError} `HMAP_DAMAGED` if a page does not have the checksum that it should; as {@link HttpSource.range} does
   */
  load(first: number, end: number, signal: AbortSignal): Promise<Sum[]> {
    const sums = this.#last.then(() => this.#load(first, end, signal));
    this.#last = sums.catch(() => {});
    return sums;
  }

  async #load(first: number, end: number, signal: AbortSignal): Promise<Sum[]> {
    const pages = new Map<number, Uint8Array>();
    const missing: { level: number; page: number; range: FileRange }[] = [];
    const isSmall = this.#levels.reduce((sum, { bytes }) => sum + bytes, 0) <= SMALL_TREE;
    for (const [level, { bytes }] of this.#levels.entries()) {
      const all = Math.ceil(bytes / PAGE);
      const perPage = (PAGE / SUM_BYTES) ** (level + 1);
      const from = isSmall ? 0 : Math.floor(first / perPage);
      const last = isSmall ? all - 1 : Math.floor((end - 1) / perPage);
      for (let page = from; page <= last; page++) {
        const range = this.#pageRange(level, page);
        const known = this.#cache.get(range.from);
        if (known === undefined) missing.push({ level, page, range });
        else pages.set(range.from, known);
      }
    }
    const fetched = await this.#fetch(
      missing.map(({ range }) => range),
      signal,
    );
    // From the top down: the page that has the checksum of another has then been compared itself.
    for (const { level, page, range } of missing.reverse()) {
      const bytes = fetched.get(range.from)!;
      const isTop = level + 1 === this.#levels.length;
      needSum(
        this.#source.url,
        range,
        bytes,
        isTop ? this.#root : this.#sumIn(pages, level + 1, page),
        'the block checksums',
      );
      pages.set(range.from, bytes);
      this.#cache.put(range.from, bytes);
    }
    return Array.from({ length: end - first }, (_, i) => this.#sumIn(pages, 0, first + i));
  }

  #pageRange(level: number, page: number): FileRange {
    const { offset, bytes } = this.#levels[level]!;
    return { from: offset + page * PAGE, end: Math.min(offset + (page + 1) * PAGE, offset + bytes) };
  }

  /** Checksum number `index` of a level. */
  #sumIn(pages: ReadonlyMap<number, Uint8Array>, level: number, index: number): Sum {
    const { from } = this.#pageRange(level, Math.floor((index * SUM_BYTES) / PAGE));
    const page = pages.get(from)!;
    const view = new DataView(page.buffer, page.byteOffset + ((index * SUM_BYTES) % PAGE), SUM_BYTES);
    return { low: view.getInt32(0, true), high: view.getInt32(4, true) };
  }

  async #fetch(pages: readonly FileRange[], signal: AbortSignal): Promise<Map<number, Uint8Array>> {
    const runs: { from: number; end: number; pages: FileRange[] }[] = [];
    for (const page of pages) {
      const run = runs.at(-1);
      if (run !== undefined && page.from - run.end <= GAP) {
        run.end = page.end;
        run.pages.push(page);
      } else {
        runs.push({ ...page, pages: [page] });
      }
    }
    const fetched = new Map<number, Uint8Array>();
    const load = async ({ from, end, pages }: (typeof runs)[number]) => {
      const bytes = await this.#source.range(from, end, signal);
      for (const page of pages) fetched.set(page.from, bytes.slice(page.from - from, page.end - from));
    };
    await Promise.all(runs.map(load));
    return fetched;
  }
}

/** @throws {HmapError} `HMAP_DAMAGED` if the bytes of a range do not have a checksum */
export function needSum(url: string, { from, end }: FileRange, bytes: Uint8Array, expected: Sum, what: string): void {
  xxh64(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
  if (sum64.low === expected.low && sum64.high === expected.high) return;
  const reason = `${what} [${from}, ${end}) do not match their checksum`;
  throw new HmapError('HMAP_DAMAGED', `${url}: the file is damaged: ${reason}`, {
    path: url,
    reason,
    offset: from,
    end,
  });
}
