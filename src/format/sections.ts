// Bytes of each section of a file (native-notes/format.md, section 2): of one that exists, and of one without keys
// before it is built; of a table before it is built see predict.ts. Pure arithmetic: knows no bytes and no files.

import { align, headerSize, MAX_SEGMENT_BITS } from './constants.js';
import type { Header } from './header.js';
import { type Buckets, indexSize } from './index-lines.js';
import { capacityOf, indexBytes, type KeylessForm, keylessSegmentSize, segmentBitsFor } from './keyless.js';
import { sumTreeSize } from './sum-tree.js';

/** Bytes of each section; they add up to the size of the file. */
export interface SectionSizes {
  readonly header: number;
  /** The index; the offsets of a list, the counts of a bit array. */
  readonly buckets: number;
  /** The key heaps; the elements of a list, the words of a bit array. */
  readonly heap: number;
  /** The distinct values of `enum`. */
  readonly dictionary: number;
  /** The long fingerprints of keys that are not stored. */
  readonly fingerprints: number;
  readonly checksums: number;
  readonly padding: number;
}

/** The sizes that the header of every layout has, in bytes. */
export type FileSizes = Pick<Header, 'fileBytes' | 'headerBytes'> & { readonly checksums: { readonly bytes: number } };

export function withPadding(
  { fileBytes, headerBytes: header, checksums: { bytes: checksums } }: FileSizes,
  buckets: number,
  heap: number,
  dictionary: number,
  fingerprints = 0,
): SectionSizes {
  const padding = fileBytes - header - buckets - heap - dictionary - fingerprints - checksums;
  return { header, buckets, heap, dictionary, fingerprints, checksums, padding };
}

/** The sections of a hash table. */
export function hashSections(
  file: FileSizes,
  segments: readonly { readonly bytes: number }[],
  index: number,
  dictionarySize: number,
  fingerprintsSize: number,
): SectionSizes {
  const heap = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  return withPadding(file, index, heap, dictionarySize, fingerprintsSize);
}

/**
 * The sections of a list or a bit array.
 * @param counts elements of each segment
 * @param dataSize bytes of all elements
 */
export function keylessSections(
  file: FileSizes,
  form: KeylessForm,
  counts: readonly number[],
  dataSize: number,
): SectionSizes {
  const index = counts.reduce((sum, count) => sum + indexBytes(form, count), 0);
  return withPadding(file, index, dataSize, 0);
}

/** Size of a file whose checksums start at `end`. */
function fileSizeOf(header: number, end: number): number {
  return end + sumTreeSize(header, end);
}

export function sizesOf(headerBytes: number, end: number): FileSizes {
  const fileBytes = fileSizeOf(headerBytes, end);
  return { fileBytes, headerBytes, checksums: { bytes: fileBytes - end } };
}

/** Where the checksums of a hash table start, but for the padding between the heaps of several segments. */
export function hashSectionsEnd(header: number, heapSize: number, dictionarySize: number, index: number): number {
  return align(align(header + heapSize) + align(dictionarySize) + index);
}

/** Size of the file of a hash table with offsets of so many bits, as {@link hashSectionsEnd} has it. */
export function hashFileSize(
  buckets: Buckets,
  offsetBits: number,
  segmentBits: number,
  heapSize: number,
  textSize: number,
): number {
  const header = headerSize(segmentBits, textSize);
  const index = 2 ** segmentBits * indexSize(buckets, offsetBits);
  return fileSizeOf(header, hashSectionsEnd(header, heapSize, 0, index));
}

/** The sections of a list or a bit array of one segment before it is built. */
export function predictKeylessSections(form: KeylessForm, count: number, dataSize: number): SectionSizes {
  const header = headerSize(0, 0);
  const end = header + align(keylessSegmentSize(form, count, dataSize));
  return keylessSections(sizesOf(header, end), form, [count], dataSize);
}

/** Size of the file of a bit array of `length` bits; infinite if it would take too many segments. */
export function bitsFileSize(length: number, segmentLimit: number, textSize: number): number {
  const form: KeylessForm = { kind: 'bits', bits: 1 };
  const each = capacityOf(form, segmentLimit);
  const full = Math.floor(length / each);
  const segmentBits = segmentBitsFor(Math.max(1, Math.ceil(length / each)));
  if (segmentBits > MAX_SEGMENT_BITS) return Number.POSITIVE_INFINITY;
  const header = headerSize(segmentBits, textSize);
  const whole = (count: number) => align(keylessSegmentSize(form, count));
  const rest = 2 ** segmentBits - full;
  const last = rest > 0 ? whole(length - full * each) + (rest - 1) * whole(0) : 0;
  return fileSizeOf(header, header + full * whole(each) + last);
}
