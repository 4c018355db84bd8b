// The place of records: each in its shard, segment and bucket, and in order there, by its key. Knows the rules of the
// format (native-notes/format.md, section 5); does not know files or checksums.

import { compareBytes } from '../base/bytes.js';
import { xxh32 } from '../base/xxh32.js';
import { showKey } from '../codec/key-text.js';
import type { HashHeader } from '../format/header.js';
import { bucketOf, segmentOf, shardOf } from '../format/index-lines.js';
import type { HashSegment, RecordCursor } from '../storage/hash-segment.js';
import type { FindingCode, Findings } from './findings.js';

/** Checks the order of records, bucket by bucket. */
export interface OrderCheck {
  /** Goes to the start of a bucket. */
  enter(segment: HashSegment, bucket: number): void;
  /** Checks the cursor's record. */
  check(cursor: RecordCursor): void;
}

/** Reports a rule that the cursor's record breaks. */
export function addRecord(
  findings: Findings,
  header: HashHeader,
  segment: HashSegment,
  cursor: RecordCursor,
  code: FindingCode,
  what: string,
): void {
  const bytes = segment.heap.bytes.subarray(cursor.key, cursor.value);
  const record =
    header.fingerprint === null
      ? `the record of key ${showKey(header.keyType, bytes)}`
      : `the record with fingerprint ${bytes.toString('hex')}`;
  const { heapOffset } = segment;
  findings.add(code, 'heap', heapOffset + cursor.record, heapOffset + cursor.next, `${record} ${what}`);
}

export class KeyOrder implements OrderCheck {
  readonly #header: HashHeader;
  readonly #findings: Findings;
  readonly #seed: number;
  #segment!: HashSegment;
  #bucket = 0;
  /** Of the last record that lies in the right bucket; -1 if there is none. */
  #hash = -1;
  #key = 0;
  #keyBytes = 0;

  constructor(header: HashHeader, findings: Findings) {
    this.#header = header;
    this.#findings = findings;
    this.#seed = header.hash.seed;
  }

  enter(segment: HashSegment, bucket: number): void {
    this.#segment = segment;
    this.#bucket = bucket;
    this.#hash = -1;
  }

  check(cursor: RecordCursor): void {
    const { view } = this.#segment.heap;
    const { key, keyBytes } = cursor;
    const hash = xxh32(view, key, keyBytes, this.#seed) >>> 0;
    // A record of another bucket is out of order for that reason, so only the others are compared.
    if (!this.#isPlaced(cursor, hash)) return;
    if (this.#hash >= 0) {
      const order = this.#hash - hash || compareBytes(view, this.#key, this.#keyBytes, view, key, keyBytes);
      if (order === 0) this.#bad(cursor, 'HMAP_RECORD_DUPLICATE', 'occurs twice');
      else if (order > 0) this.#bad(cursor, 'HMAP_RECORD_ORDER', 'is not in the order of hash and key');
    }
    this.#hash = hash;
    this.#key = key;
    this.#keyBytes = keyBytes;
  }

  #isPlaced(cursor: RecordCursor, hash: number): boolean {
    const header = this.#header;
    const index = this.#segment.number;
    const bucket = this.#bucket;
    const rightShard = shardOf(hash, header);
    const rightSegment = segmentOf(hash, header);
    const rightBucket = bucketOf(hash, header);
    if (rightShard !== header.shard.index) {
      this.#bad(cursor, 'HMAP_RECORD_BUCKET', `belongs in shard ${rightShard}`);
      return false;
    }
    if (rightSegment === index && rightBucket === bucket) return true;
    const where = `lies in bucket ${bucket} of segment ${index}; its hash belongs in bucket ${rightBucket} of segment ${rightSegment}`;
    this.#bad(cursor, 'HMAP_RECORD_BUCKET', where);
    return false;
  }

  #bad(cursor: RecordCursor, code: FindingCode, what: string): void {
    addRecord(this.#findings, this.#header, this.#segment, cursor, code, what);
  }
}
