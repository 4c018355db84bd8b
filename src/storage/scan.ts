// Goes through all records of a file, in its order. Knows segments and mappings; does not know keys, values or what the
// records are for.

import type { HashHeader } from '../format/header.js';
import { mapForPass, mapInOneMemory } from '../mapping/map-ranges.js';
import { checkerFor } from './block-check.js';
import { HashSegment, indexPlace, RecordCursor } from './hash-segment.js';

/** How far ahead the operating system is asked to read, in bytes. */
const READ_AHEAD = 8 * 2 ** 20;

/** A segment to scan. */
export interface MappedHashSegment {
  readonly segment: HashSegment;
  /** Asks for bytes of the key heap before they are needed. */
  readonly readAhead: (start: number, length: number) => void;
}

/** The part of each record that the caller uses. If blocks are checked, the scan checks the blocks with this part. */
export type Needs = 'lengths' | 'keys' | 'records';

/**
 * Goes through all records of the segments, one after the other. The number of steps is bounded by the bytes of the
 * heaps; it reads ahead only what it scans.
 */
export class Scan {
  /** The current record, and its segment. */
  readonly cursor: RecordCursor;
  segment!: HashSegment;
  readonly #segments: Iterator<MappedHashSegment>;
  readonly #needs: Needs;
  #readAhead: MappedHashSegment['readAhead'] = () => {};
  /** Offset in the key heap up to which reading ahead was requested. */
  #asked = 0;

  constructor(header: HashHeader, segments: Iterable<MappedHashSegment>, needs: Needs) {
    this.cursor = new RecordCursor(header);
    this.#needs = needs;
    this.#segments = segments[Symbol.iterator]();
  }

  /**
   * Moves to the next record; `false` at the end.
   * @throws {HmapError} `HMAP_DAMAGED` at a record that does not fit
   */
  step(): boolean {
    const { cursor } = this;
    while (!cursor.step()) {
      const next = this.#segments.next();
      if (next.done) return false;
      this.segment = next.value.segment;
      this.#readAhead = next.value.readAhead;
      this.#asked = 0;
      cursor.enter(this.segment, 0, this.segment.heapBytes);
    }
    if (cursor.record >= this.#asked) this.#ask();
    if (this.#needs === 'records') cursor.need(cursor.next);
    else if (this.#needs === 'keys') cursor.need(cursor.value);
    return true;
  }

  /** Ends the scan before its end and releases the segments. */
  end(): void {
    this.#segments.return?.();
  }

  #ask(): void {
    const { cursor, segment } = this;
    this.#readAhead(cursor.record, Math.min(READ_AHEAD, segment.heapBytes - cursor.record));
    this.#asked = cursor.record + READ_AHEAD / 2;
  }
}

/**
 * The segments of an open file, mapped one at a time, so that a copy never holds more than one.
 * @param check whether blocks are checked before they are used
 * @param wanted which segments, by number
 */
export function* mappedSegments(
  fd: number,
  header: HashHeader,
  path: string,
  check: 'none' | 'touch',
  wanted: readonly number[] = [...header.segments.keys()],
): Generator<MappedHashSegment, undefined, unknown> {
  const checker = checkerFor(fd, header, path, check);
  for (const number of wanted) {
    const heap = header.segments[number]!;
    const lines = indexPlace(header, number);
    const ranges = [heap, lines].map(({ offset, bytes }) => ({ offset, length: bytes }));
    const both = mapInOneMemory(fd, ranges, path);
    // Or two mappings, since one would reach over all that lies between them.
    let ofHeap = both;
    const ofLines = both ?? mapForPass(fd, ranges[1]!, path);
    try {
      if (heap.bytes > 0) ofHeap ??= mapForPass(fd, ranges[0]!, path);
      const views = {
        heap: ofHeap?.view(0) ?? new Uint8Array(0),
        index: ofLines.view(both === undefined ? 0 : 1),
        memory: both?.memory(0),
      };
      yield {
        segment: new HashSegment(views, header, number, path, checker),
        readAhead: (start, length) => ofHeap?.advise('willneed', 0, start, length),
      };
    } finally {
      ofHeap?.close();
      ofLines.close();
    }
  }
}
