// Reads and checks the fields of a header while it is parsed (native-notes/format.md, sections 3 and 11). Knows what
// every layout has; what one layout alone has is in the parser of that layout.

import { ByteBuffer, MAX_U64, readU64 } from '../base/bytes.js';
import { type ENUM_HEADER, HEADER, MAX_METADATA_BYTES, SEGMENT_ROW } from './constants.js';
import { fieldEnd, type Header, type HeaderCode, type HeaderFault, type SegmentPlace } from './header.js';
import { type Metadata, parseMetadata } from './metadata.js';
import { sumTreeSize } from './sum-tree.js';

export type FieldName = keyof typeof HEADER;

/** The sums that every header states. */
export type StatedSums = Pick<Header, 'fileBytes' | 'entries' | 'keyBytes' | 'valueBytes'>;

/** What follows the segments, and the metadata. */
export type HeaderTail = Pick<Header, 'fileBytes' | 'checksums' | 'metadata'>;

/** The fields of one header. Each check reports what is wrong and returns whether the field is valid. */
export class HeaderFields {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly #note: (fault: HeaderFault) => void;

  constructor(bytes: Uint8Array, note: (fault: HeaderFault) => void) {
    this.bytes = bytes;
    this.view = new ByteBuffer(bytes).view;
    this.#note = note;
  }

  /** @param offset of the field, one of {@link HEADER} */
  u8(offset: number): number {
    return this.bytes[offset]!;
  }

  /** @param offset of the field, one of {@link HEADER} */
  u32(offset: number): number {
    return this.view.getUint32(offset, true);
  }

  /** A u64, checked: `Infinity` for one of 2^53 or more, which no field may have. */
  u64(name: FieldName): number {
    const value = readU64(this.view, HEADER[name]);
    if (value >= MAX_U64) this.need(false, name, 'below 2^53', value);
    return value;
  }

  /** Notes a broken rule of the bytes `[offset, end)`. */
  fault(
    code: HeaderCode,
    message: string,
    offset: number,
    expected: unknown,
    actual: unknown,
    end: number = fieldEnd(offset),
  ): void {
    this.#note({ code, message, offset, end, expected, actual });
  }

  /** Notes a field that does not fit; `offset` and `end` where they are not the field's own. */
  need(
    fits: boolean,
    name: FieldName | keyof typeof ENUM_HEADER,
    expected: unknown,
    actual: unknown,
    offset?: number,
    end?: number,
  ): boolean {
    if (fits) return true;
    const message = `the header's ${name} is ${actual}, expected ${expected}`;
    this.fault('HMAP_HEADER_FIELD', message, offset ?? HEADER[name as FieldName], expected, actual, end);
    return false;
  }

  is(name: FieldName, expected: number, actual: number): boolean {
    return actual === expected || this.need(false, name, expected, actual);
  }

  /** @param most inclusive */
  atMost(name: FieldName, most: number, actual: number): boolean {
    return actual <= most || this.need(false, name, `at most ${most}`, actual);
  }

  /** A number of row `i` of the segment table, `at` bytes from the row's start. */
  rowU64(i: number, at: number): number {
    return readU64(this.view, HEADER.segmentTable + SEGMENT_ROW.size * i + at);
  }

  /**
   * Checks a number of row `i` of the segment table.
   * @param expected is called only if the number is wrong: text made of numbers would be a large part of an open
   */
  row(fits: boolean, i: number, at: number, expected: () => string, actual: number): boolean {
    if (fits) return true;
    const offset = HEADER.segmentTable + SEGMENT_ROW.size * i + at;
    return this.need(false, 'segmentTable', `segment ${i} ${expected()}`, actual, offset, offset + 8);
  }

  sums(): StatedSums {
    return {
      fileBytes: this.u64('fileBytes'),
      entries: this.u64('entries'),
      keyBytes: this.u64('keyBytes'),
      valueBytes: this.u64('valueBytes'),
    };
  }

  /** Checks the length of the metadata. */
  metadataSize(): boolean {
    return this.atMost('metadataBytes', MAX_METADATA_BYTES, this.u32(HEADER.metadataBytes));
  }

  /**
   * Checks the fields that follow from the end of the last section before the checksums.
   * @returns `undefined` if the place of the checksums is not certain
   */
  tail(stated: StatedSums, entries: number, segments: readonly SegmentPlace[], end: number): HeaderTail | undefined {
    // Infinite ones have been noted already.
    if (stated.entries < MAX_U64) this.is('entries', entries, stated.entries);
    const offset = this.u64('checksumsOffset');
    if (offset !== end) {
      if (offset < MAX_U64) this.is('checksumsOffset', end, offset);
      return undefined;
    }
    const bytes = sumTreeSize(this.bytes.length, end);
    const statedBytes = this.u64('checksumsBytes');
    if (statedBytes < MAX_U64) this.is('checksumsBytes', bytes, statedBytes);
    const fileBytes = end + bytes;
    if (stated.fileBytes < MAX_U64) this.is('fileBytes', fileBytes, stated.fileBytes);
    const sum = this.view.getBigUint64(HEADER.checksumsSum, true);
    return { fileBytes, checksums: { offset, bytes, sum }, metadata: this.#metadata(segments.length) };
  }

  /** Where the metadata ends, and the schema, if there is one, starts. */
  metadataEnd(segments: number): number {
    return HEADER.segmentTable + SEGMENT_ROW.size * segments + this.u32(HEADER.metadataBytes);
  }

  #metadata(segments: number): Metadata {
    const end = this.metadataEnd(segments);
    const offset = end - this.u32(HEADER.metadataBytes);
    const metadata = parseMetadata(this.bytes.subarray(offset, end));
    if (metadata === undefined) {
      const message = 'the metadata is not a JSON object';
      this.fault('HMAP_HEADER_FIELD', message, offset, 'a JSON object', 'other bytes', end);
    }
    return metadata ?? {};
  }

  /**
   * Checks the size of the file.
   * @param actual `undefined` for a block device, which states none
   * @returns `false` for a file that is too short
   */
  fileSize(actual: number | undefined, expected: number): boolean {
    if (actual === undefined || actual === expected) return true;
    const short = actual < expected;
    const found = `${actual} bytes, the header says ${expected}`;
    const message = short ? `the file is cut short: ${found}` : `the file is too long: ${found}`;
    this.fault(short ? 'HMAP_TRUNCATED' : 'HMAP_TOO_LONG', message, HEADER.fileBytes, expected, actual);
    return !short;
  }

  version(): { major: number; minor: number } {
    return { major: this.view.getUint16(HEADER.major, true), minor: this.view.getUint16(HEADER.minor, true) };
  }
}
