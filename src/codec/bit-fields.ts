// Reads and writes fields of bits (native-notes/format.md, section 7): bit i of a record is bit i % 8 of its byte
// floor(i / 8). Pure functions over a DataView, which touch no byte outside of the record. Knows nothing of tables.

import type { Field, Struct } from '../format/schema.js';

/** Reads a field of the record that starts at `at`. */
export type FieldReader = (view: DataView, at: number) => number | boolean;
type NumberReader = (view: DataView, at: number) => number;

/** NaNs are written with one pattern each, so that the same entries make the same file. */
export const NAN32 = 0x7fc0_0000;
export const NAN64 = 0x7ff8_0000_0000_0000n;
const NAN64_HIGH = 0x7ff8_0000;

const scratch = new DataView(new ArrayBuffer(8));

/** Makes the reader of a field in records of `bytes` bytes. */
export function fieldReader({ kind, type, from, bits }: Field, bytes: number): FieldReader {
  if (kind === 'bool') return boolReader(from);
  if (kind !== 'float') return integerReader(from, bits, kind === 'signed', bytes);
  return type === 'f32' ? singleReader(from, bytes) : doubleReader(from, bytes);
}

function boolReader(from: number): FieldReader {
  const byte = from >>> 3;
  const mask = 1 << (from & 7);
  return (view, at) => (view.getUint8(at + byte) & mask) !== 0;
}

function integerReader(from: number, bits: number, signed: boolean, bytes: number): NumberReader {
  const start = from >>> 3;
  const shift = from & 7;
  const reach = 8 * Math.min(start, Math.max(0, bytes - 4)) + 32;
  if (from + bits <= reach) return shortReader(from, bits, signed, bytes);
  // The bits up to the end of the first four bytes, and those after them.
  const low = 32 - shift;
  const unit = 2 ** low;
  const high = shortReader(from + low, bits - low, signed, bytes);
  return (view, at) => (view.getUint32(at + start, true) >>> shift) + high(view, at) * unit;
}

/** A field within 32 bits from the start of its first byte, or within the last 32 of the record. */
function shortReader(from: number, bits: number, signed: boolean, bytes: number): NumberReader {
  const drop = 32 - bits;
  const start = from >>> 3;
  const end = (from + bits + 7) >>> 3;
  if (end - start === 1) {
    const left = 32 - (from & 7) - bits;
    return signed
      ? (view, at) => (view.getUint8(at + start) << left) >> drop
      : (view, at) => (view.getUint8(at + start) << left) >>> drop;
  }
  if (bytes >= 4) {
    // One load of four bytes, which near the end of the record starts before the field's first byte.
    const word = Math.min(start, bytes - 4);
    const left = 32 - (from - 8 * word) - bits;
    return signed
      ? (view, at) => (view.getInt32(at + word, true) << left) >> drop
      : (view, at) => (view.getInt32(at + word, true) << left) >>> drop;
  }
  const left = 32 - (from & 7) - bits;
  if (end - start === 2) {
    return signed
      ? (view, at) => (view.getUint16(at + start, true) << left) >> drop
      : (view, at) => (view.getUint16(at + start, true) << left) >>> drop;
  }
  const read = (view: DataView, at: number) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  return signed
    ? (view, at) => (read(view, at + start) << left) >> drop
    : (view, at) => (read(view, at + start) << left) >>> drop;
}

function singleReader(from: number, bytes: number): NumberReader {
  const byte = from >>> 3;
  if ((from & 7) === 0) return (view, at) => view.getFloat32(at + byte, true);
  const pattern = integerReader(from, 32, false, bytes);
  return (view, at) => {
    scratch.setUint32(0, pattern(view, at), true);
    return scratch.getFloat32(0, true);
  };
}

function doubleReader(from: number, bytes: number): NumberReader {
  const byte = from >>> 3;
  if ((from & 7) === 0) return (view, at) => view.getFloat64(at + byte, true);
  const low = integerReader(from, 32, false, bytes);
  const high = integerReader(from + 32, 32, false, bytes);
  return (view, at) => {
    scratch.setUint32(0, low(view, at), true);
    scratch.setUint32(4, high(view, at), true);
    return scratch.getFloat64(0, true);
  };
}

/** Bits `[from, to)`, at most 53, of the bytes that start at `at`, as an unsigned number. */
export function readBits(view: DataView, at: number, from: number, to: number): number {
  let value = 0;
  let unit = 1;
  for (let bit = from; bit < to; ) {
    const shift = bit % 8;
    const taken = Math.min(8 - shift, to - bit);
    value += ((view.getUint8(at + (bit - shift) / 8) >>> shift) & ((1 << taken) - 1)) * unit;
    unit *= 2 ** taken;
    bit += taken;
  }
  return value;
}

/** Writes an unsigned number of `bits` bits, at most 53, over bits that are zero. */
function writeBits(view: DataView, at: number, from: number, bits: number, value: number): void {
  let rest = value;
  let byte = at + (from >>> 3);
  let shift = from & 7;
  for (let left = bits; left > 0; ) {
    const taken = Math.min(8 - shift, left);
    const unit = 1 << taken;
    const piece = rest % unit;
    view.setUint8(byte, view.getUint8(byte) | (piece << shift));
    rest = (rest - piece) / unit;
    left -= taken;
    shift = 0;
    byte++;
  }
}

/**
 * Writes a field of the record that starts at `at`, and whose bits are zero there.
 * @param value one that the field can hold
 */
export function writeField({ kind, type, from, bits }: Field, view: DataView, at: number, value: number): void {
  if (kind !== 'float') {
    writeBits(view, at, from, bits, value < 0 ? value + 2 ** bits : value);
  } else if (type === 'f32') {
    if (Number.isNaN(value)) scratch.setUint32(0, NAN32, true);
    else scratch.setFloat32(0, value, true);
    writeBits(view, at, from, 32, scratch.getUint32(0, true));
  } else {
    if (Number.isNaN(value)) scratch.setBigUint64(0, NAN64, true);
    else scratch.setFloat64(0, value, true);
    writeBits(view, at, from, 32, scratch.getUint32(0, true));
    writeBits(view, at, from + 32, 32, scratch.getUint32(4, true));
  }
}

/**
 * Returns a check that a record is canonical: the bits after the last field are zero, and each NaN has its one pattern.
 */
export function recordChecker({ fields, bits, bytes }: Struct): (view: DataView, at: number) => boolean {
  const floats = fields.filter(({ kind }) => kind === 'float');
  return (view, at) => {
    if (readBits(view, at, bits, 8 * bytes) !== 0) return false;
    for (const { type, from } of floats) {
      const low = readBits(view, at, from, from + 32);
      if (type === 'f32') {
        const nan = (low & 0x7fff_ffff) > 0x7f80_0000;
        if (nan && low !== NAN32) return false;
        continue;
      }
      const high = readBits(view, at, from + 32, from + 64);
      const magnitude = high & 0x7fff_ffff;
      const nan = magnitude > 0x7ff0_0000 || (magnitude === 0x7ff0_0000 && low !== 0);
      if (nan && (high !== NAN64_HIGH || low !== 0)) return false;
    }
    return true;
  };
}
