// The sizes of a file's buckets between the writing of their records and that of the index, whose form depends on all
// of them. Does not know what an index is.

import { HeldBytesReader, HeldBytesWriter } from '../common/held-bytes.js';

/** Takes sizes, each as a varint: most buckets take a byte or two. */
export class BucketSizes extends HeldBytesWriter {
  /** @param size below 2^31 */
  add(size: number): void {
    let rest = size;
    for (; rest > 0x7f; rest >>>= 7) this.byte((rest & 0x7f) | 0x80);
    this.byte(rest);
  }
}

/** Gives the sizes back, in their order. */
export class BucketSizesReader extends HeldBytesReader {
  next(): number {
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) return size;
    }
  }
}
