// Checks the lines of a segment's index (native-notes/format.md, section 5) and says where each bucket lies. Does not
// know records.

import { GROUP_BUCKETS } from '../format/constants.js';
import type { HashSegment } from '../storage/hash-segment.js';
import type { Findings } from './findings.js';

/**
 * Goes through the lines in order. A line states twice where it meets its neighbour: its last offset and the next
 * anchor say the same. So of one wrong number it can be told which one it is, and all other buckets can be checked.
 */
export class IndexCheck {
  /** Number of the line. */
  group = -1;
  /** Where the group's buckets start in the heap, and where the last one ends, in units; NaN for what is not certain. */
  readonly starts = new Float64Array(GROUP_BUCKETS + 1);
  /** Units of the largest group; infinite if a line is wrong, since nothing follows from the others then. */
  largest = 0;
  readonly #segment: HashSegment;
  readonly #findings: Findings;
  readonly #bits: number;
  readonly #bytes: number;
  readonly #groups: number;
  #expected: number | undefined = 0;

  constructor(segment: HashSegment, findings: Findings) {
    this.#segment = segment;
    this.#findings = findings;
    this.#groups = segment.buckets / GROUP_BUCKETS;
    this.#bytes = segment.lineBytes;
    this.#bits = segment.offsetBits;
  }

  /** Where the next group starts, in units, by the lines before it; `undefined` if they do not say. */
  get expected(): number | undefined {
    return this.#expected;
  }

  /**
   * Takes it that all groups before `group` are right.
   * @param expected where `group` starts, in units
   */
  skip(group: number, expected: number): void {
    this.group = group - 1;
    this.#expected = expected;
  }

  /** Checks the next line; `false` at the end. */
  step(): boolean {
    this.group++;
    if (this.group >= this.#groups) return false;
    const { starts } = this;
    const line = this.group * this.#bytes;
    this.#checkRest(line);
    this.#checkOffsets(line);
    const size = starts[GROUP_BUCKETS]!;
    const anchor = this.#anchorOf(line, size);
    for (let slot = 0; slot <= GROUP_BUCKETS; slot++) starts[slot]! += anchor;
    if (Number.isNaN(size)) {
      this.#expected = undefined;
      return true;
    }
    if (size > this.largest) this.largest = size;
    this.#checkEnd(line, anchor + size);
    return true;
  }

  /** Where a group of that size starts: what its line says, unless the lines around it agree that it is wrong. */
  #anchorOf(line: number, size: number): number {
    const stated = this.#segment.anchorAt(line);
    const expected = this.#expected;
    if (expected === undefined || stated === expected) return stated;
    this.#bad(line, line + 4, `the line of group ${this.group} says that it starts at ${stated}, not ${expected}`);
    return expected + size > this.#segment.units ? stated : expected;
  }

  /** Compares the end of a group, by its own line, with where the next one starts. */
  #checkEnd(line: number, end: number): void {
    const next = this.#next();
    this.#expected = end;
    if (end === next) return;
    const isLast = this.group + 1 === this.#groups;
    if (!isLast && !this.#isAnchored(this.group + 1, next)) return;
    const at = line + 4 + ((GROUP_BUCKETS * this.#bits) >>> 3);
    this.#bad(at, line + this.#bytes, `group ${this.group} ends at ${end}, what follows it starts at ${next}`);
    this.starts[GROUP_BUCKETS] = Number.NaN;
    this.#expected = next;
  }

  /** Where the group after the current one starts, by its own line; the end of the heap after the last one. */
  #next(group = this.group + 1): number {
    const { units } = this.#segment;
    return group >= this.#groups ? units : this.#segment.anchorAt(group * this.#bytes);
  }

  /** Whether the anchor of a group, and its size, agree with where the group after it starts. */
  #isAnchored(group: number, anchor: number): boolean {
    const size = this.#sizeOf(group * this.#bytes);
    return size !== undefined && anchor + size === this.#next(group + 1);
  }

  /** Units of a group, by its line; `undefined` if the last offset is below the one before it. */
  #sizeOf(line: number): number | undefined {
    const size = this.#segment.offsetAt(line, GROUP_BUCKETS);
    return size < this.#segment.offsetAt(line, GROUP_BUCKETS - 1) ? undefined : size;
  }

  /** Checks the offsets of a line and puts them into {@link starts}: NaN for both of two in the wrong order. */
  #checkOffsets(line: number): void {
    const { starts } = this;
    const segment = this.#segment;
    const first = segment.offsetAt(line, 0);
    if (first !== 0) {
      const end = line + 4 + Math.ceil(this.#bits / 8);
      this.#bad(line + 4, end, `the first offset of group ${this.group} is ${first}, not 0`);
    }
    starts[0] = 0;
    let before = 0;
    for (let slot = 1; slot <= GROUP_BUCKETS; slot++) {
      const offset = segment.offsetAt(line, slot);
      starts[slot] = offset;
      if (offset < before) {
        starts[slot - 1] = starts[slot] = Number.NaN;
        const from = line + 4 + (((slot - 1) * this.#bits) >>> 3);
        const end = line + 4 + Math.ceil(((slot + 1) * this.#bits) / 8);
        this.#bad(from, end, `offset ${slot} of group ${this.group}, ${offset}, is below the one before it, ${before}`);
      }
      before = offset;
    }
  }

  /** Bits of a line after its last offset: zero. */
  #checkRest(line: number): void {
    const { index, indexOffset } = this.#segment;
    const bits = (GROUP_BUCKETS + 1) * this.#bits;
    let at = line + 4 + (bits >>> 3);
    const end = line + this.#bytes;
    let first = -1;
    let last = -1;
    for (let mask = 0xff & ~(2 ** (bits & 7) - 1); at < end; at++, mask = 0xff) {
      if ((index.getUint8(at) & mask) === 0) continue;
      if (first < 0) first = at;
      last = at;
    }
    if (first < 0) return;
    const message = `bits after the last offset of group ${this.group} are not zero`;
    this.#findings.add('HMAP_PADDING', 'buckets', indexOffset + first, indexOffset + last + 1, message);
  }

  /** Bytes `[from, to)` of the segment's lines are wrong. */
  #bad(from: number, to: number, message: string): void {
    const { indexOffset } = this.#segment;
    this.largest = Number.POSITIVE_INFINITY;
    this.#findings.add('HMAP_BUCKET_OFFSET', 'buckets', indexOffset + from, indexOffset + to, message);
  }
}
