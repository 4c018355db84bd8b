// Parts of a remote file that are kept in memory, up to so many bytes: whole cells of a grid, those that were used last.
// Neighbours that are missing come in one request. Knows offsets; does not know what is in the file.

import type { HttpSource } from './http-source.js';
import { SharedWork, type Stop } from './shared-work.js';

/** Bytes of the file; the end is exclusive. */
export interface FileRange {
  readonly from: number;
  readonly end: number;
}

/** How a part of the file is divided into cells. */
export interface Grid extends FileRange {
  /** Bytes of each cell but the last. */
  readonly cell: number;
  /** Bytes between two cells that are worth a request of their own; what is between nearer ones comes with them. */
  readonly gap: number;
  /** Loads what cells are compared with, while they come; the function that it returns compares one of them. */
  prepare?(run: FileRange, signal: AbortSignal): Promise<(cell: FileRange, bytes: Uint8Array) => void>;
}

/** Bytes of one request, at most. */
const MOST_REQUEST = 2 ** 20;

/** What is kept, of all grids of a file. */
export class CellCache {
  readonly #most: number;
  /** By offset in the file; those that were used last come last. */
  readonly #cells = new Map<number, Uint8Array>();
  #bytes = 0;

  /** @param most bytes */
  constructor(most: number) {
    this.#most = most;
  }

  get(offset: number): Uint8Array | undefined {
    const bytes = this.#cells.get(offset);
    if (bytes === undefined) return undefined;
    this.#cells.delete(offset);
    this.#cells.set(offset, bytes);
    return bytes;
  }

  put(offset: number, bytes: Uint8Array): void {
    this.#bytes += bytes.length - (this.#cells.get(offset)?.length ?? 0);
    this.#cells.delete(offset);
    this.#cells.set(offset, bytes);
    for (const [oldest, cell] of this.#cells) {
      if (this.#bytes <= this.#most) return;
      this.#cells.delete(oldest);
      this.#bytes -= cell.length;
    }
  }
}

/** The cells of one grid. */
export class Cells {
  readonly #source: HttpSource;
  readonly #cache: CellCache;
  readonly #grid: Grid;
  /** Requests under way, by the offset of each cell that they bring. */
  readonly #coming = new Map<number, SharedWork<ReadonlyMap<number, Uint8Array>>>();

  constructor(source: HttpSource, cache: CellCache, grid: Grid) {
    this.#source = source;
    this.#cache = cache;
    this.#grid = grid;
  }

  /**
   * Bytes of ranges, in their order; what is missing of all of them is asked for at once.
   * @throws {HmapError} as {@link HttpSource.range} does, and what the check of a cell throws
   */
  async read(ranges: readonly FileRange[], stop: Stop): Promise<Uint8Array[]> {
    const found = new Map<number, Uint8Array>();
    const missing: number[] = [];
    const waiting = new Set<SharedWork<ReadonlyMap<number, Uint8Array>>>();
    for (const range of ranges) {
      for (const offset of this.#cellsOf(range)) {
        if (found.has(offset)) continue;
        const cell = this.#cache.get(offset);
        const coming = this.#coming.get(offset);
        if (cell !== undefined) found.set(offset, cell);
        else if (coming !== undefined && !coming.isStopped) waiting.add(coming);
        else missing.push(offset);
      }
    }
    for (const run of this.#runs(missing)) waiting.add(this.#load(run));
    const results = await Promise.all([...waiting].map((work) => work.wait(stop)));
    for (const result of results) for (const [offset, bytes] of result) found.set(offset, bytes);
    return ranges.map((range) => this.#cut(range, found));
  }

  /** Offsets of the cells with bytes of a range. */
  *#cellsOf({ from, end }: FileRange): Generator<number> {
    const { from: start, cell } = this.#grid;
    for (let at = start + Math.floor((from - start) / cell) * cell; at < end; at += cell) yield at;
  }

  /** Runs of cells that are worth one request. */
  #runs(missing: number[]): FileRange[] {
    const { cell, gap, end: last } = this.#grid;
    const runs: { from: number; end: number }[] = [];
    for (const from of [...new Set(missing)].sort((a, b) => a - b)) {
      const end = Math.min(from + cell, last);
      const run = runs.at(-1);
      if (run !== undefined && from - run.end <= gap && end - run.from <= MOST_REQUEST) run.end = end;
      else runs.push({ from, end });
    }
    return runs;
  }

  #load(run: FileRange): SharedWork<ReadonlyMap<number, Uint8Array>> {
    const offsets = [...this.#cellsOf(run)];
    const work = new SharedWork(async (signal) => {
      try {
        const [bytes, check] = await Promise.all([
          this.#source.range(run.from, run.end, signal),
          this.#grid.prepare?.(run, signal),
        ]);
        const cells = new Map(
          offsets.map((offset) => {
            const end = Math.min(offset + this.#grid.cell, run.end);
            return [offset, bytes.subarray(offset - run.from, end - run.from)] as const;
          }),
        );
        for (const [from, cell] of cells) check?.({ from, end: from + cell.length }, cell);
        // A copy, so that a cell that stays does not keep what came with it.
        for (const [offset, cell] of cells) {
          this.#cache.put(offset, cell.buffer.byteLength === cell.length ? cell : cell.slice());
        }
        return cells;
      } finally {
        for (const offset of offsets) if (this.#coming.get(offset) === work) this.#coming.delete(offset);
      }
    });
    for (const offset of offsets) this.#coming.set(offset, work);
    return work;
  }

  #cut({ from, end }: FileRange, found: ReadonlyMap<number, Uint8Array>): Uint8Array {
    const offsets = [...this.#cellsOf({ from, end })];
    const first = offsets[0];
    if (first === undefined) return new Uint8Array(0);
    if (offsets.length === 1) return found.get(first)!.subarray(from - first, end - first);
    const bytes = new Uint8Array(end - from);
    for (const offset of offsets) {
      const cell = found.get(offset)!;
      const start = Math.max(from, offset);
      bytes.set(cell.subarray(start - offset, Math.min(end, offset + cell.length) - offset), start - from);
    }
    return bytes;
  }
}
