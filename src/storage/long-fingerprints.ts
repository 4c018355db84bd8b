// The long fingerprints of a file without keys (native-notes/format.md, section 16): of those records whose short ones
// another record of their bucket has, too. Knows the section; does not know keys or records.

import { ByteBuffer } from '../base/bytes.js';
import { LONG_FINGERPRINT } from '../format/fingerprints.js';
import type { FingerprintPlace } from '../format/header.js';
import { type BlockChecker, CheckedBlocks } from './block-check.js';

const { segment: SEGMENT, position: POSITION, hash: HASH, size: SIZE } = LONG_FINGERPRINT;

export class LongFingerprints {
  readonly count: number;
  /** Offset of the section in the file. */
  readonly offset: number;
  readonly #view: DataView;
  readonly #blocks: CheckedBlocks;

  /**
   * @param bytes the section's bytes, perhaps with trailing bytes
   * @param checker checks each block before it is used; without one nothing is checked
   */
  constructor(
    bytes: Uint8Array,
    header: { readonly headerBytes: number },
    { long }: FingerprintPlace,
    checker?: BlockChecker,
  ) {
    this.count = long.count;
    this.offset = long.offset;
    this.#view = new ByteBuffer(bytes.subarray(0, long.bytes)).view;
    this.#blocks = new CheckedBlocks(header, long, checker);
  }

  /**
   * Number of the row of a record, or -1. Costs a search by halves.
   * @param position of the record in its segment's heap, in units of the index
   */
  find(segment: number, position: number): number {
    let low = 0;
    for (let high = this.count; low < high; ) {
      const middle = (low + high) >>> 1;
      if (this.compare(middle, segment, position) < 0) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.compare(low, segment, position) === 0 ? low : -1;
  }

  /** Orders a row, by its number, and a record: negative if the row belongs to an earlier one. */
  compare(row: number, segment: number, position: number): number {
    const at = SIZE * row;
    if (this.#blocks.unchecked > 0) this.#blocks.check(at, at + SIZE);
    return this.segmentAt(row) - segment || this.positionAt(row) - position;
  }

  segmentAt(row: number): number {
    return this.#view.getUint32(SIZE * row + SEGMENT, true);
  }

  positionAt(row: number): number {
    return this.#view.getUint32(SIZE * row + POSITION, true);
  }

  /** Halves of the long fingerprint, signed. The row must have been compared before, which checks its block. */
  lowAt(row: number): number {
    return this.#view.getInt32(SIZE * row + HASH, true);
  }

  highAt(row: number): number {
    return this.#view.getInt32(SIZE * row + HASH + 4, true);
  }
}
