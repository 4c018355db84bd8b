// What matters of more records of one hash than memory holds: no further bits part them, but a bucket takes only so
// many keys, and most are of keys that occur again and again. Knows staged records; does not know where they lie.

import { ByteBuffer } from '../../base/bytes.js';
import { MAX_BUCKET_RECORDS, MAX_TEXT_BYTES } from '../../format/constants.js';
import type { DuplicatePolicy } from '../common/options.js';
import { tooMuchCollected } from './collect.js';
import { headBytes, STAGED, type StagedLayout } from './staged-record.js';

/** Keys of one hash that are kept: one more than fit into a bucket, so that the bucket is seen to be too full. */
const MOST_KEYS = MAX_BUCKET_RECORDS + 1;

/** The records that sorting and settling duplicates would leave, and those by which they would refuse the rest. */
export class OneHash {
  readonly #staged: StagedLayout;
  readonly #duplicates: DuplicatePolicy;
  /** By the key's bytes, as Latin-1. */
  readonly #records = new Map<string, Buffer[]>();
  /** What has been collected, in bytes. */
  #bytes = 0;

  constructor(staged: StagedLayout, duplicates: DuplicatePolicy) {
    this.#staged = staged;
    this.#duplicates = duplicates;
  }

  /** Takes the next record, in the order in which they were added. */
  add({ bytes, view }: ByteBuffer, at: number, size: number): void {
    const keyAt = at + headBytes(this.#staged);
    const key = bytes.toString('latin1', keyAt, keyAt + view.getUint16(at + STAGED.keyBytes, true));
    const known = this.#records.get(key);
    if (known === undefined) {
      if (this.#records.size < MOST_KEYS) this.#records.set(key, [this.#copy(bytes, at, size)]);
    } else if (this.#duplicates === 'collect') {
      this.#bytes += size;
      if (this.#bytes > MAX_TEXT_BYTES) throw tooMuchCollected(this.#staged, Buffer.from(key, 'latin1'), this.#bytes);
      known.push(this.#copy(bytes, at, size));
    } else if (this.#duplicates === 'last') {
      known[0] = this.#copy(bytes, at, size);
    } else if (this.#duplicates === 'error' && known.length === 1) {
      // With the second one the build is refused.
      known.push(this.#copy(bytes, at, size));
    }
  }

  #copy(bytes: Buffer, at: number, size: number): Buffer {
    return Buffer.from(bytes.subarray(at, at + size));
  }

  /** The records that are left, without gaps. */
  left(): { buffer: ByteBuffer; count: number } {
    const records = [...this.#records.values()].flat();
    return { buffer: new ByteBuffer(Buffer.concat(records)), count: records.length };
  }
}
