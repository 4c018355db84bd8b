// One segment of a mapped file: its lines of the index, its key heap, and the records in it. Does not know keys'
// meaning, values or files.

import { ByteBuffer } from '../base/bytes.js';
import { damage, type HmapError } from '../base/errors.js';
import type { SharedMemory } from '../base/webassembly.js';
import {
  FULL_OFFSET_BITS,
  GROUP_BUCKETS,
  MAX_KEY_BYTES,
  MAX_PREFIX_BYTES,
  MAX_VALUE_BYTES,
  VARIABLE,
} from '../format/constants.js';
import type { HashHeader } from '../format/header.js';
import { bucketCount, indexSize, lineSize, offsetUnit } from '../format/index-lines.js';
import { type BlockChecker, CheckedBlocks } from './block-check.js';
import { type Lend, LentBytes } from './lent-bytes.js';

/** What is mapped of a segment. */
export interface SegmentViews {
  /** Its lines of the index, and its key heap, each perhaps with trailing bytes. */
  readonly index: Uint8Array;
  readonly heap: Uint8Array;
  /** The memory in which both lie, if there is one. */
  readonly memory?: SharedMemory | undefined;
  /** The key heap as users may have it. Without it, as the segment has it. */
  readonly lend?: Lend;
}

/** Where a segment's lines lie in the file, in bytes. */
export function indexPlace(header: HashHeader, segment: number): { offset: number; bytes: number } {
  const bytes = indexSize(header, header.index.offsetBits);
  return { offset: header.index.offset + segment * bytes, bytes };
}

/**
 * A segment as lookups see it. Offsets in it are below 2^31, so indexes stay small integers (see `MAX_SEGMENT_BYTES`).
 */
export class HashSegment {
  /** Number of the segment in the file. */
  readonly number: number;
  /** The segment's lines of the index. */
  readonly index: DataView;
  readonly buckets: number;
  readonly heap: ByteBuffer;
  readonly heapBytes: number;
  /** Size of the key heap in {@link unit}s. */
  readonly units: number;
  /** What offsets in the index count: bytes, or records of so many bytes. */
  readonly unit: number;
  /** Of one line: its size in bytes, and the bits of each of its offsets. */
  readonly lineBytes: number;
  readonly offsetBits: number;
  /** Offset of the key heap, and of the lines, in the file. */
  readonly heapOffset: number;
  readonly indexOffset: number;
  /** Checks blocks before they are used. */
  readonly heapBlocks: CheckedBlocks;
  readonly indexBlocks: CheckedBlocks;
  /**
   * Offset in the heap, in units, up to which lookups need no check of blocks: its end once every block has been
   * checked, -1 before. So lookups make one comparison, which they need anyway.
   */
  reach = -1;
  readonly #path: string;
  readonly #offsetMask: number;
  /** As in {@link SegmentViews}. */
  readonly memory: SharedMemory | undefined;
  /** The key heap as users may have it. */
  readonly lent: LentBytes;

  /**
   * @param number of the segment in the file
   * @param path for messages
   * @param checker checks each block before it is used; without one nothing is checked
   */
  constructor(views: SegmentViews, header: HashHeader, number: number, path: string, checker?: BlockChecker) {
    const place = header.segments[number]!;
    const lines = indexPlace(header, number);
    this.number = number;
    this.index = new DataView(views.index.buffer, views.index.byteOffset, lines.bytes);
    this.buckets = bucketCount(header);
    this.heap = new ByteBuffer(views.heap.subarray(0, place.bytes));
    this.heapBytes = this.heap.size;
    this.unit = offsetUnit(header.keyWidth ?? VARIABLE, header.valueWidth ?? VARIABLE);
    this.units = this.heapBytes / this.unit;
    this.heapOffset = place.offset;
    this.indexOffset = lines.offset;
    this.offsetBits = header.index.offsetBits;
    this.lineBytes = lineSize(this.offsetBits);
    this.#offsetMask = 2 ** this.offsetBits - 1;
    this.#path = path;
    this.memory = views.memory;
    this.lent = new LentBytes(this.heap, views.lend);
    this.heapBlocks = new CheckedBlocks(header, place, checker);
    this.indexBlocks = new CheckedBlocks(header, lines, checker);
    this.updateReach();
  }

  /** Sets {@link reach} by what has been checked. */
  updateReach(): void {
    // Lookups read offsets as signed numbers, and 32 bits leave no room for a sign: so they check each of these.
    this.reach = this.unchecked === 0 && this.offsetBits !== FULL_OFFSET_BITS ? this.units : -1;
  }

  /** Blocks that have not been checked. */
  get unchecked(): number {
    return this.heapBlocks.unchecked + this.indexBlocks.unchecked;
  }

  /** Where the line with a bucket starts, counted from the segment's first line, in bytes. */
  lineAt(bucket: number): number {
    return Math.floor(bucket / GROUP_BUCKETS) * this.lineBytes;
  }

  /** What the line at a place says of its group: where it starts in the heap, in units, unsigned. */
  anchorAt(line: number): number {
    return this.index.getUint32(line, true);
  }

  /** Value number `slot`, from 0 to 32, of the line at a place: where that bucket of the group starts, or the last ends. */
  offsetAt(line: number, slot: number): number {
    const bit = slot * this.offsetBits;
    const word = this.index.getUint32(line + 4 + (bit >>> 3), true);
    return this.offsetBits === FULL_OFFSET_BITS ? word : (word >>> (bit & 7)) & this.#offsetMask;
  }

  /**
   * Range of a bucket's records in the key heap, in bytes, once the bucket's own line has been checked.
   * @throws {HmapError} `HMAP_DAMAGED` if it is not a range
   */
  bucketRange(bucket: number): { start: number; end: number } {
    this.checkLine(bucket);
    const line = this.lineAt(bucket);
    const slot = bucket % GROUP_BUCKETS;
    const anchor = this.anchorAt(line);
    const start = anchor + this.offsetAt(line, slot);
    const end = anchor + this.offsetAt(line, slot + 1);
    if (end < start || end > this.units) throw this.damagedBucket(bucket);
    return { start: start * this.unit, end: end * this.unit };
  }

  /** Checks the block or the two blocks with a bucket's line. */
  checkLine(bucket: number): void {
    const line = this.lineAt(bucket);
    if (this.indexBlocks.unchecked > 0) this.indexBlocks.check(line, line + this.lineBytes);
  }

  /** Error for bytes that break a rule of the format; `at` is an offset in the key heap. */
  damaged(what: string, at: number): HmapError {
    const offset = this.heapOffset + at;
    return damage(this.#path, `${what} at byte ${offset}`, { offset });
  }

  /** Error for a bucket whose line cannot be right. */
  damagedBucket(bucket: number, what = 'has offsets that do not fit'): HmapError {
    const offset = this.indexOffset + this.lineAt(bucket);
    return damage(this.#path, `bucket ${bucket}, by the line at byte ${offset}, ${what}`, { offset });
  }
}

// Local copy: V8 folds it (native-notes/performance.md).
const PREFIXES = MAX_PREFIX_BYTES;

/**
 * Walks the records of a range of a key heap, one after the other. Every step moves forward and stays in the range,
 * whatever the bytes are.
 */
export class RecordCursor {
  /** Start of the record, of its key and of its value, and the end of the value: offsets in the key heap. */
  record = 0;
  key = 0;
  value = 0;
  next = 0;
  readonly #keyWidth: number;
  readonly #valueWidth: number;
  readonly #hasPrefixes: boolean;
  #segment!: HashSegment;
  /** Nothing is entered yet: the range is empty. */
  #end = 0;
  /** Up to where in the heap blocks need no check any more. */
  #sure = 0;

  constructor(header: Pick<HashHeader, 'keyWidth' | 'valueWidth'>) {
    this.#keyWidth = header.keyWidth ?? VARIABLE;
    this.#valueWidth = header.valueWidth ?? VARIABLE;
    this.#hasPrefixes = header.keyWidth === null || header.valueWidth === null;
  }

  /** Goes before the first record of `[start, end)`, a range within the heap. */
  enter(segment: HashSegment, start: number, end: number): void {
    this.#segment = segment;
    this.next = start;
    this.#end = end;
    this.#sure = 0;
  }

  get keyBytes(): number {
    return this.value - this.key;
  }

  get valueBytes(): number {
    return this.next - this.value;
  }

  /**
   * Moves to the next record; returns `false` at the end of the range. If blocks are checked, those with the lengths
   * are checked here; for the rest see {@link need}.
   * @throws {HmapError} `HMAP_DAMAGED` when the next record does not fit
   */
  step(): boolean {
    this.record = this.next;
    if (this.record >= this.#end) return false;
    if (this.#hasPrefixes && this.record + PREFIXES > this.#sure)
      this.need(Math.min(this.record + PREFIXES, this.#end));
    let keyBytes = this.#keyWidth;
    if (keyBytes === VARIABLE) keyBytes = this.#length('a key length', MAX_KEY_BYTES, 3);
    let valueBytes = this.#valueWidth;
    if (valueBytes === VARIABLE) valueBytes = this.#length('a value length', MAX_VALUE_BYTES, 5);
    this.key = this.next;
    if (keyBytes + valueBytes > this.#end - this.key) {
      throw this.#segment.damaged('a record that passes the end of its bucket', this.record);
    }
    this.value = this.key + keyBytes;
    this.next = this.value + valueBytes;
    return true;
  }

  /**
   * Checks what has not been checked of the record's bytes up to `end`, an offset in the heap, before they are used.
   * @throws {HmapError} `HMAP_DAMAGED`
   */
  need(end: number): void {
    // Earlier bytes were needed before or never will be: a cursor only moves forward.
    if (end > this.#sure) this.#sure = this.#segment.heapBlocks.check(this.record, end);
  }

  #length(what: string, most: number, longest: number): number {
    const { view } = this.#segment.heap;
    let value = 0;
    // Not a shift: a fifth byte may go beyond 31 bits, and must then be seen as too large.
    let unit = 1;
    for (let i = 0; i < longest && this.next < this.#end; i++, unit *= 128) {
      const byte = view.getUint8(this.next++);
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) {
        if ((byte === 0 && i > 0) || value > most) break;
        return value;
      }
    }
    throw this.#segment.damaged(`${what} that is too large, too long or cut off`, this.record);
  }
}
