// The segments' part of a verification of lists and bit arrays: offsets, counts, elements and what is left over. Knows
// the rules of the format (native-notes/format.md, sections 15 and 11); does not know checksums.

import { popcount } from '../base/bytes.js';
import { valueCheck } from '../codec/check-value.js';
import { align, HEADER, SEGMENT_ROW } from '../format/constants.js';
import type { KeylessHeader } from '../format/header.js';
import { dataBytes, formOf, indexBytes, keylessSegmentSize, RUN_WORDS } from '../format/keyless.js';
import type { ValueType } from '../format/value-types.js';
import type { QuietPass } from '../mapping/quiet-pass.js';
import { type KeylessSegment, type MappedKeylessSegment, mappedKeylessSegments } from '../storage/keyless-segment.js';
import type { Findings } from './findings.js';
import { checkOffsets } from './offsets.js';
import { checkZero, type VerifyReader } from './reader.js';

/** Elements between two yields. */
const STRIDE = 2 ** 16;

/**
 * Checks all segments; yields how many bytes of the two readings of the file are done, and returns the entries that
 * were found.
 */
export function* checkKeylessSegments(
  fd: number,
  path: string,
  header: KeylessHeader,
  reader: VerifyReader,
  findings: Findings,
  quiet: QuietPass | undefined,
): Generator<number, number> {
  const form = formOf(header);
  let entries = 0;
  // To touch a page of a mapping that cannot be read would end the process.
  const readable = ({ offset, bytes }: { offset: number; bytes: number }) => reader.isReadable(offset, offset + bytes);
  for (const mapped of mappedKeylessSegments(fd, header, path, 'none', quiet, readable)) {
    const { segment, place, number } = mapped;
    const { offset, count } = segment;
    const check = new Check(mapped, findings, header.checksums.offset);
    if (form.kind === 'bits') {
      const found = yield* check.bits();
      entries += found;
      if (found !== place.entries) {
        const at = HEADER.segmentTable + SEGMENT_ROW.size * number + SEGMENT_ROW.entries;
        const message = `segment ${number} holds ${found} ones, the header says ${place.entries}`;
        findings.add('HMAP_ENTRIES', 'header', at, at + 8, message);
      }
    } else {
      entries += count;
      if (form.kind === 'offsets') yield* check.offsets(header.valueType as ValueType);
      else if (header.valueType === 'f32' || header.valueType === 'f64') yield* check.floating(header.valueType);
      if (form.kind === 'fixed') check.leftOver(count * form.bits, keylessSegmentSize(form, count));
    }
    if (form.kind === 'bits') check.leftOver(8 * segment.dataStart + count, segment.dataStart + dataBytes(form, count));
    reader.checkGap(offset + indexBytes(form, count), offset + segment.dataStart);
    reader.checkGap(offset + place.bytes, align(offset + place.bytes));
  }
  return entries;
}

class Check {
  readonly #segment: KeylessSegment;
  readonly #findings: Findings;
  /** Bytes that were done before the segments: the file was read once. */
  readonly #done: number;
  readonly #mapped: MappedKeylessSegment;

  constructor(mapped: MappedKeylessSegment, findings: Findings, done: number) {
    this.#mapped = mapped;
    this.#segment = mapped.segment;
    this.#findings = findings;
    this.#done = done + mapped.segment.offset;
  }

  /** Bits of the segment from `from` to its end at byte `end`, which no element claims. */
  leftOver(from: number, end: number): void {
    const { buffer, offset } = this.#segment;
    const partial = from % 8;
    const first = Math.floor(from / 8);
    const rest = Uint8Array.from(buffer.bytes.subarray(first, end));
    if (partial > 0) rest[0]! &= 256 - 2 ** partial;
    checkZero(rest, 0, rest.length, offset + first, 'HMAP_PADDING', 'heap', this.#findings);
  }

  *floating(type: 'f32' | 'f64'): Generator<number, void> {
    const { buffer, count } = this.#segment;
    const width = type === 'f32' ? 4 : 8;
    const isValue = valueCheck(type);
    for (let at = 0; at < count; at++) {
      if (!isValue(buffer, width * at, width)) this.#badValue(type, at, width * at, width);
      this.#reach(at);
      if (at % STRIDE === 0) yield this.#done + width * at;
    }
  }

  *offsets(type: ValueType): Generator<number, void> {
    const { index, count, heap, dataStart } = this.#segment;
    const isValue = valueCheck(type);
    const bad = (from: number, to: number, message: string) => this.#badOffset(from, to, message);
    const take = (at: number, start: number, length: number): void => {
      this.#reach(at, type !== 'bytes');
      if (!isValue(heap, start, length)) this.#badValue(type, at, dataStart + start, length);
    };
    for (const done of checkOffsets(index, count, heap.size, bad, take)) yield this.#done + dataStart + done;
  }

  /** Returns the number of ones. */
  *bits(): Generator<number, number> {
    const { index, words, offset, count } = this.#segment;
    const end = Math.ceil(count / 32);
    let ones = 0;
    for (let word = 0; word < Math.max(1, end); word++) {
      if (word % RUN_WORDS === 0) {
        const run = word / RUN_WORDS;
        const stated = index[run]! >>> 0;
        if (stated !== ones) {
          const message = `count ${run} of a segment is ${stated}, there are ${ones} ones before it`;
          this.#findings.add('HMAP_COUNT', 'buckets', offset + 4 * run, offset + 4 * run + 4, message);
        }
      }
      // What follows the last bit is reported by itself.
      const left = count - 32 * word;
      const own = left >= 32 ? -1 : left <= 0 ? 0 : ~(-1 << left);
      ones += word < end ? popcount(words[word]! & own) : 0;
      this.#reach(32 * word);
      if (word % STRIDE === 0) yield this.#done + this.#segment.dataStart + 4 * word;
    }
    return ones;
  }

  #reach(element: number, reads = true): void {
    if (element % this.#mapped.stride === 0) this.#mapped.reach(element, reads);
  }

  #badOffset(from: number, to: number, message: string): void {
    const { offset } = this.#segment;
    this.#findings.add('HMAP_BUCKET_OFFSET', 'buckets', offset + 4 * from, offset + 4 * to, message);
  }

  #badValue(type: string, element: number, at: number, length: number): void {
    const start = this.#segment.offset + at;
    const message = `element ${element} of a segment is not valid ${type}`;
    this.#findings.add('HMAP_VALUE', 'heap', start, start + length, message);
  }
}
