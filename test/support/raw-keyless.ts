// Writes lists and bit arrays from their parts, for tests: whole ones, and such as no builder would write. Written from
// native-notes/format.md, section 15, alone.

import { FIELDS, type Field, put, type Raw, sumLevels } from './raw-table.js';
import { oracle } from './samples.js';

const PAGE = 4096;
const SEGMENT_TABLE = 192;
const align = (x: number): number => Math.ceil(x / 8) * 8;

export interface KeylessPart {
  /** The offsets or counts; with what follows up to the elements. */
  index: Buffer;
  /** From where on the index is padding. */
  indexEnd: number;
  /** The elements, with what stands after them. */
  elements: Buffer;
  entries: number;
  /** What the padding after the segment begins with. */
  padding?: Uint8Array;
}

export interface RawKeyless {
  segments: KeylessPart[];
  /** The fields that are not those of an empty header. */
  fields: Partial<Record<Field, Raw>>;
  rows?: Record<number, Partial<Record<'offset' | 'size' | 'entries', Raw>>>;
}

/** §15: a segment of packed integers. */
export function packedPart(bits: number, values: readonly number[]): KeylessPart {
  const data = Math.ceil((values.length * bits) / 8);
  const elements = Buffer.alloc(data + 8);
  for (const [j, value] of values.entries()) {
    const pattern = BigInt.asUintN(bits, BigInt(value));
    for (let i = 0; i < bits; i++) {
      const at = j * bits + i;
      elements[Math.floor(at / 8)]! |= Number((pattern >> BigInt(i)) & 1n) << (at % 8);
    }
  }
  return { index: Buffer.alloc(0), indexEnd: 0, elements, entries: values.length };
}

/** §15: a segment of elements of different lengths. */
export function offsetsPart(values: readonly Uint8Array[]): KeylessPart {
  const indexEnd = 4 * (values.length + 1);
  const index = Buffer.alloc(align(indexEnd));
  let end = 0;
  for (const [j, value] of values.entries()) {
    end += value.length;
    index.writeUInt32LE(end, 4 * j + 4);
  }
  return { index, indexEnd, elements: Buffer.concat(values), entries: values.length };
}

/** §15: a segment of a bit array of `length` bits. */
export function bitsPart(length: number, ones: readonly number[]): KeylessPart {
  const elements = Buffer.alloc(4 * Math.ceil(length / 32));
  for (const one of ones) elements[Math.floor(one / 8)]! |= 1 << (one % 8);
  const counts = Math.max(1, Math.ceil(length / 2048));
  const index = Buffer.alloc(align(4 * counts));
  for (let c = 0; c < counts; c++) index.writeUInt32LE(ones.filter((one) => one < 2048 * c).length, 4 * c);
  return { index, indexEnd: 4 * counts, elements, entries: ones.length };
}

/** Where parts lie in the file that {@link composeKeyless} writes. */
export function keylessPlaces(raw: RawKeyless): { start: number; elements: number; end: number }[] {
  let at = Math.ceil((SEGMENT_TABLE + 24 * raw.segments.length) / PAGE) * PAGE;
  return raw.segments.map(({ index, elements }) => {
    const start = at;
    const end = start + index.length + elements.length;
    at = align(end);
    return { start, elements: start + index.length, end };
  });
}

/** The file of these parts. Checksums are made last, so they fit whatever else is wrong. */
export function composeKeyless(raw: RawKeyless): Buffer {
  const places = keylessPlaces(raw);
  const headerEnd = places[0]!.start;
  const checksums = align(places.at(-1)!.end);
  const covered = Buffer.alloc(checksums);
  for (const [i, { index, elements, entries, padding }] of raw.segments.entries()) {
    const { start, elements: at, end } = places[i]!;
    covered.set(index, start);
    covered.set(elements, at);
    covered.set(padding ?? [], end);
    const row = SEGMENT_TABLE + 24 * i;
    const { offset, size, entries: count } = { offset: start, size: end - start, entries, ...raw.rows?.[i] };
    for (const [j, value] of [offset, size, count].entries()) put(covered, row + 8 * j, 8, value as Raw);
  }
  const levels = sumLevels(covered, headerEnd, checksums);
  const file = Buffer.concat([covered, ...levels]);
  const fields: Partial<Record<Field, Raw>> = {
    magic: Buffer.from('89484d500d0a1a0a', 'hex'),
    majorVersion: 2,
    headerSize: headerEnd,
    fileSize: file.length,
    entries: raw.segments.reduce((sum, { entries }) => sum + entries, 0),
    checksumAlgorithm: 1,
    segmentBits: Math.log2(raw.segments.length),
    checksumsOffset: checksums,
    checksumsSize: file.length - checksums,
    checksumsSum: oracle.h64Raw(levels.at(-1)!),
    ...raw.fields,
  };
  for (const [name, value] of Object.entries(fields)) {
    const [offset, size] = FIELDS[name as Field];
    put(file, offset, size, value);
  }
  file.writeUInt32LE(oracle.h32Raw(file.subarray(0, headerEnd), 0), FIELDS.headerChecksum[0]);
  return file;
}
