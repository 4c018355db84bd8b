// A mapping by offsets in the file. Knows where ranges lie; does not know what is in them.

import type { ByteRange, Mapping } from '../mapping/mapping.js';

/** A part of a range of the mapping. */
interface Piece {
  readonly range: number;
  readonly start: number;
  readonly length: number;
}

export class MappedFile {
  readonly #mapping: Mapping;
  readonly #ranges: readonly ByteRange[];

  /** @param ranges of the mapping, in ascending order */
  constructor(mapping: Mapping, ranges: readonly ByteRange[]) {
    this.#mapping = mapping;
    this.#ranges = ranges;
  }

  /** Bytes of ranges that follow each other without gaps. */
  read(offset: number, length: number): Uint8Array {
    const found = this.#pieces(offset, length).map(({ range, start, length }) => {
      // Without it, each page of a block would be a wait of its own.
      this.#mapping.advise('willneed', range, start, length);
      return this.#mapping.view(range).subarray(start, start + length);
    });
    return found.length === 1 ? found[0]! : Buffer.concat(found);
  }

  /** Asks the system to read `[offset, offset + length)` in the background. */
  ask(offset: number, length: number): void {
    for (const piece of this.#pieces(offset, length)) {
      this.#mapping.advise('willneed', piece.range, piece.start, piece.length);
    }
  }

  /** Whether `[offset, offset + length)` is in memory; `undefined` if the system does not say. */
  isThere(offset: number, length: number): boolean | undefined {
    for (const piece of this.#pieces(offset, length)) {
      const resident = this.#mapping.isResident(piece.range, piece.start, piece.length);
      if (resident !== true) return resident;
    }
    return true;
  }

  #pieces(offset: number, length: number): Piece[] {
    const ranges = this.#ranges;
    let low = 0;
    for (let high = ranges.length; high - low > 1; ) {
      const middle = (low + high) >>> 1;
      if (ranges[middle]!.offset <= offset) low = middle;
      else high = middle;
    }
    const pieces: Piece[] = [];
    for (let i = low, at = offset; at < offset + length && i < ranges.length; i++) {
      const range = ranges[i]!;
      const start = at - range.offset;
      const taken = Math.min(range.length - start, offset + length - at);
      pieces.push({ range: i, start, length: taken });
      at += taken;
    }
    return pieces;
  }
}
