// The arithmetic of files without keys: lists and bit arrays (native-notes/format.md, section 15). Knows sizes and
// places; knows no bytes and no files.

import { ALIGNMENT, align, type Layout } from './constants.js';
import { packedInteger } from './schema.js';

/**
 * How the elements of a segment are stored: all with the same number of bits; with offsets, so that each ends where the
 * next begins; or as one bit each, with counts.
 */
export type KeylessKind = 'fixed' | 'offsets' | 'bits';

/**
 * Zero bytes after the elements of a `fixed` segment, so that a reader may load 8 bytes from any byte of an element.
 */
export const TAIL = 8;
/** A run: the bits of a bit array that one count covers. */
export const RUN_BITS = 2048;
/** A run in words of 32 bits. */
export const RUN_WORDS = RUN_BITS / 32;
/** A run in bytes. */
export const RUN_BYTES = RUN_BITS / 8;
/** Most elements of a segment, inclusive: an index into one is a u32. */
export const MOST_ELEMENTS = 2 ** 32;
/**
 * In a `fixed` list of several segments, a full segment has a multiple of this many elements, so that it ends with a
 * whole byte.
 */
export const GROUP = 8;

/** What all arithmetic here depends on. */
export interface KeylessForm {
  readonly kind: KeylessKind;
  /** Bits of each element of a `fixed` list; 1 for bit arrays, 0 for `offsets`. */
  readonly bits: number;
}

/** Bytes of the offsets, or of the counts, with which a segment of `count` elements begins. */
export function indexBytes({ kind }: KeylessForm, count: number): number {
  if (kind === 'fixed') return 0;
  return kind === 'offsets' ? 4 * (count + 1) : 4 * Math.max(1, Math.ceil(count / RUN_BITS));
}

/** Offset of the elements in their segment. */
export function dataStart(form: KeylessForm, count: number): number {
  return align(indexBytes(form, count));
}

/** Bytes of `count` elements; not for `offsets`, whose elements have lengths of their own. */
export function dataBytes({ kind, bits }: KeylessForm, count: number): number {
  return kind === 'bits' ? 4 * Math.ceil(count / 32) : Math.ceil((count * bits) / 8);
}

/** Bytes of a segment of `count` elements. */
export function keylessSegmentSize(form: KeylessForm, count: number, data = dataBytes(form, count)): number {
  return dataStart(form, count) + data + (form.kind === 'fixed' ? TAIL : 0);
}

/** Most elements of a segment of `limit` bytes; not for `offsets`. */
export function capacityOf(form: KeylessForm, limit: number): number {
  if (form.kind === 'fixed') return Math.min(MOST_ELEMENTS, GROUP * Math.floor((limit - TAIL) / form.bits));
  let runs = Math.min(MOST_ELEMENTS / RUN_BITS, Math.floor(limit / RUN_BYTES));
  while (keylessSegmentSize(form, runs * RUN_BITS) > limit) runs--;
  return runs * RUN_BITS;
}

/**
 * The number of bits in a full segment of a bit array, from the segment's size in bytes; `undefined` if no number of
 * bits gives that size.
 */
export function bitsOfSize(form: KeylessForm, bytes: number): number | undefined {
  const each = RUN_BYTES + 4;
  for (let runs = Math.max(1, Math.floor((bytes - ALIGNMENT) / each)); runs * each <= bytes; runs++) {
    if (keylessSegmentSize(form, runs * RUN_BITS) === bytes) return runs * RUN_BITS;
  }
  return undefined;
}

/** The number of elements in segment `index`, if `length` elements are divided into segments of `each`. */
export function countIn(index: number, each: number, length: number): number {
  return Math.max(0, Math.min(each, length - index * each));
}

/** The smallest number of segment bits that is enough for `segments` segments. */
export function segmentBitsFor(segments: number): number {
  let bits = 0;
  while (2 ** bits < segments) bits++;
  return bits;
}

/** The form of a file's elements, from its header. */
export function formOf({ layout, valueType }: { readonly layout: Layout; readonly valueType: string }): KeylessForm {
  if (layout === 'bits') return { kind: 'bits', bits: 1 };
  if (valueType === 'utf8' || valueType === 'bytes') return { kind: 'offsets', bits: 0 };
  return { kind: 'fixed', bits: packedInteger(valueType)?.bits ?? (valueType === 'f32' ? 32 : 64) };
}
