// Goes through all records of a file, in its order. Knows segments and mappings; does not know keys, values or what the records are for.

import type { Header } from './header.js';
import { mapRanges } from './mapping/open-file.js';
import { RecordCursor, Segment } from './segment.js';

/** How far ahead the operating system is asked to read, in bytes. */
const READ_AHEAD = 8 * 2 ** 20;

/** A place in the walk; one object for all records of a segment. */
export interface Place {
  readonly cursor: RecordCursor;
  readonly segment: Segment;
}

/** A segment that can be walked. */
export interface Walkable {
  readonly segment: Segment;
  /** Asks for bytes of the segment, from its start, before they are needed. */
  readonly readAhead: (start: number, length: number) => void;
}

/**
 * All records of the segments, one after the other. Steps are bounded by the bytes of the heaps; only what is walked is asked for.
 * @throws {HmapError} `HMAP_DAMAGED` at a record that does not fit
 */
export function* walkRecords(header: Header, segments: Iterable<Walkable>): Generator<Place, undefined, unknown> {
  const cursor = new RecordCursor(header);
  for (const { segment, readAhead } of segments) {
    const place = { cursor, segment };
    cursor.enter(segment, 0, segment.heapBytes);
    let asked = 0;
    while (cursor.step()) {
      if (cursor.record >= asked) {
        const start = segment.heapOffset - segment.offset + cursor.record;
        readAhead(start, Math.min(READ_AHEAD, segment.heapBytes - cursor.record));
        asked = cursor.record + READ_AHEAD / 2;
      }
      yield place;
    }
  }
}

/** The segments of an open file, mapped one at a time, so that a copy never holds more than one. */
export function* mappedSegments(fd: number, header: Header, path: string): Generator<Walkable, undefined, unknown> {
  for (const { offset, bytes } of header.segments) {
    const mapping = mapRanges(fd, [{ offset, length: bytes }], 'auto', path);
    try {
      yield {
        segment: new Segment(mapping.views[0]!, offset, header.bucketBits),
        readAhead: (start, length) => mapping.advise('willneed', 0, start, length),
      };
    } finally {
      mapping.close();
    }
  }
}
