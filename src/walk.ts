// Goes through all records of a file, in its order. Knows segments and mappings; does not know keys, values or what the records are for.

import type { Header } from './header.js';
import { mapRanges } from './mapping/open-file.js';
import { RecordCursor, Segment } from './segment.js';

/** How far ahead the operating system is asked to read, in bytes. */
const READ_AHEAD = 8 * 2 ** 20;

/** A place in the walk; the same object at every step. */
export interface Place {
  readonly cursor: RecordCursor;
  segment: Segment;
}

/** Asks for bytes of a segment, from its start, before they are needed. */
export type ReadAhead = (segment: number, start: number, length: number) => void;

/**
 * All records of the segments, one after the other. Steps are bounded by the bytes of the heaps.
 * @throws {HmapError} `HMAP_DAMAGED` at a record that does not fit
 */
export function* walkRecords(
  header: Header,
  segments: Iterable<Segment>,
  readAhead: ReadAhead,
): Generator<Place, undefined, unknown> {
  const cursor = new RecordCursor(header);
  let index = 0;
  for (const segment of segments) {
    const place = { cursor, segment };
    cursor.enter(segment, 0, segment.heapBytes);
    let asked = 0;
    while (cursor.step()) {
      if (cursor.record >= asked) {
        const start = segment.heapOffset - segment.offset + cursor.record;
        readAhead(index, start, Math.min(READ_AHEAD, segment.heapBytes - cursor.record));
        asked = cursor.record + READ_AHEAD / 2;
      }
      yield place;
    }
    index++;
  }
}

/** The segments of an open file, mapped one at a time, so that a copy never holds more than one. */
export function* mappedSegments(fd: number, header: Header, path: string): Generator<Segment, undefined, unknown> {
  for (const { offset, bytes } of header.segments) {
    const mapping = mapRanges(fd, [{ offset, length: bytes }], 'auto', path);
    try {
      mapping.advise('willneed', 0, 0, bytes);
      yield new Segment(mapping.views[0]!, offset, header.bucketBits);
    } finally {
      mapping.close();
    }
  }
}
