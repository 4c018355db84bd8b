// Goes through all records of a file, in its order. Knows segments and mappings; does not know keys, values or what the
// records are for.

import type { HashHeader } from '../format/header.js';
import { mapForPass, mapInOneMemory } from '../mapping/map-ranges.js';
import { PassWindow } from '../mapping/pass-window.js';
import { passAccess, type QuietPass } from '../mapping/quiet-pass.js';
import { checkerFor } from './block-check.js';
import { HashSegment, indexPlace, RecordCursor } from './hash-segment.js';

/** Bytes between two words to the operating system of how far a scan has come. */
const STRIDE = 2 ** 20;

/** A segment to scan. */
export interface MappedHashSegment {
  readonly segment: HashSegment;
  /** To be told of each megabyte or so how far the key heap has been read, from the first byte on. */
  readonly reach: (at: number) => void;
  /** To be told, first of all, if it is not read from its first byte on. */
  readonly begin: (at: number) => void;
}

/** A run of the buckets of a file, over all of its segments; the end is exclusive. */
export interface BucketRun {
  readonly from: number;
  readonly end: number;
}

/** The part of each record that the caller uses. If blocks are checked, the scan checks the blocks with this part. */
export type Needs = 'lengths' | 'keys' | 'records';

/**
 * Goes through all records of the segments, one after the other. The number of steps is bounded by the bytes of the
 * heaps.
 */
export class Scan {
  /** The current record, and its segment. */
  readonly cursor: RecordCursor;
  segment!: HashSegment;
  readonly #segments: Iterator<MappedHashSegment>;
  readonly #needs: Needs;
  readonly #run: BucketRun | undefined;
  #reach: MappedHashSegment['reach'] = () => {};
  /** Offset in the key heap from which on to say so. */
  #next = 0;

  /** @param run the buckets whose records are wanted, if not all are; `segments` are those that have them */
  constructor(header: HashHeader, segments: Iterable<MappedHashSegment>, needs: Needs, run?: BucketRun) {
    this.#run = run;
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
      this.#reach = next.value.reach;
      this.#next = 0;
      this.#enter(next.value);
    }
    if (cursor.record >= this.#next) this.#say();
    if (this.#needs === 'records') cursor.need(cursor.next);
    else if (this.#needs === 'keys') cursor.need(cursor.value);
    return true;
  }

  #enter({ segment, begin }: MappedHashSegment): void {
    const first = segment.number * segment.buckets;
    const from = Math.max(0, (this.#run?.from ?? 0) - first);
    const end = Math.min(segment.buckets, (this.#run?.end ?? Number.POSITIVE_INFINITY) - first);
    const start = from === 0 ? 0 : segment.bucketRange(from).start;
    if (start > 0) begin(start);
    const last = end === segment.buckets ? segment.heapBytes : segment.bucketRange(end - 1).end;
    this.cursor.enter(segment, start, Math.max(start, last));
  }

  /** Ends the scan before its end and releases the segments. */
  end(): void {
    this.#segments.return?.();
  }

  #say(): void {
    const { record } = this.cursor;
    this.#reach(record);
    this.#next = record + STRIDE;
  }
}

/**
 * The segments of an open file, mapped one at a time, so that a copy never holds more than one.
 * @param check whether blocks are checked before they are used
 * @param quiet without it, what was read stays in the system's cache
 * @param wanted which segments, by number
 */
export function* mappedSegments(
  fd: number,
  header: HashHeader,
  path: string,
  check: 'none' | 'touch',
  quiet: QuietPass | undefined,
  wanted: readonly number[] = [...header.segments.keys()],
): Generator<MappedHashSegment, undefined, unknown> {
  const checker = checkerFor(fd, header, path, check);
  const access = passAccess(quiet);
  for (const number of wanted) {
    const heap = header.segments[number]!;
    const lines = indexPlace(header, number);
    const ranges = [heap, lines].map(({ offset, bytes }) => ({ offset, length: bytes }));
    const traceOfLines = quiet?.note(lines.offset, lines.bytes);
    const both = mapInOneMemory(fd, ranges, path, access);
    // Or two mappings, since one would reach over all that lies between them.
    let ofHeap = both;
    const ofLines = both ?? mapForPass(fd, ranges[1]!, path, access);
    const window = new PassWindow(
      heap.offset,
      heap.bytes,
      (advice, start, length) => ofHeap?.advise(advice, 0, start, length),
      quiet,
    );
    try {
      if (heap.bytes > 0) ofHeap ??= mapForPass(fd, ranges[0]!, path, access);
      const views = {
        heap: ofHeap?.view(0) ?? new Uint8Array(0),
        index: ofLines.view(both === undefined ? 0 : 1),
        memory: both?.memory(0),
      };
      yield {
        segment: new HashSegment(views, header, number, path, checker),
        reach: (at) => window.reach(at),
        begin: (at) => window.begin(at),
      };
    } finally {
      ofHeap?.close();
      ofLines.close();
      window.end();
      traceOfLines?.drop();
    }
  }
}
