// Memory as bytes, and the integers in it. Knows nothing of records or files.

import { markAsUntransferable } from 'node:worker_threads';
import { HmapError, type HmapErrorData } from './errors.js';

/** Whether typed arrays of this processor have the format's order of bytes. */
export const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The same memory as bytes and as a view; one shape everywhere keeps the hot loops monomorphic. */
export class ByteBuffer {
  readonly bytes: Buffer;
  /** For copies that are not Buffers: its `slice` makes one in a single step. */
  readonly array: Uint8Array;
  readonly view: DataView;

  /** @param source a size in bytes (zero-filled memory), or memory to view without copying */
  constructor(source: number | Uint8Array) {
    this.bytes =
      typeof source === 'number'
        ? Buffer.from(new ArrayBuffer(source))
        : Buffer.from(source.buffer, source.byteOffset, source.byteLength);
    this.array = new Uint8Array(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }

  get size(): number {
    return this.bytes.length;
  }
}

/** A run of bytes in memory: `length` bytes of `buffer` from `at`. */
export interface ByteSlice {
  buffer: ByteBuffer;
  at: number;
  length: number;
}

/**
 * What `make` returns, which allocates `bytes` bytes.
 * @param explain makes the message of the error from the cause
 * @throws {HmapError} `ENOMEM`
 */
export function allocate<T>(
  bytes: number,
  make: () => T,
  explain: (reason: string) => string,
  data: HmapErrorData = {},
): T {
  try {
    return make();
  } catch (error) {
    // By its name: in a context of its own (Jest), Node's errors have other classes.
    if ((error as Error | undefined)?.name !== 'RangeError') throw error;
    const message = explain(`not enough memory for ${bytes} bytes`);
    throw new HmapError('ENOMEM', message, { ...data, expected: bytes, cause: error });
  }
}

/** Up to this many bytes V8 keeps a typed array's memory in its heap, so that it costs no allocation of its own. */
const SHORT_COPY = 64;
/** From this many bytes on a copy has memory of its own. */
const LONG_COPY = 2048;
/** Bytes of memory that copies between the two share, as small Buffers do in Node. */
const POOL = 65_536;

let pool = new ArrayBuffer(0);
let used = 0;

/** A copy of `length` bytes; nothing that is written to it shows elsewhere. */
export function copyOf({ array, bytes }: ByteBuffer, at: number, length: number): Uint8Array<ArrayBuffer> {
  if (length <= SHORT_COPY) return array.slice(at, at + length) as Uint8Array<ArrayBuffer>;
  if (length < LONG_COPY) {
    if (used + length > pool.byteLength) {
      pool = new ArrayBuffer(POOL);
      // Who sends one copy to a thread must not take the others with it.
      markAsUntransferable(pool);
      used = 0;
    }
    const copy = new Uint8Array(pool, used, length);
    copy.set(new Uint8Array(array.buffer, array.byteOffset + at, length));
    used += (length + 7) & ~7;
    return copy;
  }
  // `slice` of shared memory goes byte by byte.
  const copy = new ArrayBuffer(length);
  Buffer.from(copy).fill(bytes.subarray(at, at + length));
  return new Uint8Array(copy);
}

/** Above this many bytes one native copy is cheaper than a loop of words. */
const NATIVE_COPY = 96;

/** Copies `length` bytes between buffers, which must not overlap. */
export function copyBytes(from: ByteBuffer, at: number, to: ByteBuffer, target: number, length: number): void {
  if (length > NATIVE_COPY) {
    from.bytes.copy(to.bytes, target, at, at + length);
    return;
  }
  const source = from.view;
  const sink = to.view;
  const words = length - 3;
  let i = 0;
  for (; i < words; i += 4) sink.setInt32(target + i, source.getInt32(at + i, true), true);
  for (; i < length; i++) sink.setUint8(target + i, source.getUint8(at + i));
}

/** Bytes after its target that {@link copyLoosely} may overwrite. */
export const LOOSE = 3;
// Local copy: V8 folds it.
const SPARE = LOOSE;

/**
 * Copies `length` bytes between buffers by whole words: up to {@link LOOSE} bytes after the target may be overwritten,
 * and must exist. A third faster than {@link copyBytes} for short runs whose length varies.
 */
export function copyLoosely(from: ByteBuffer, at: number, to: ByteBuffer, target: number, length: number): void {
  if (length > NATIVE_COPY || at + length + SPARE > from.bytes.length) {
    copyBytes(from, at, to, target, length);
    return;
  }
  const source = from.view;
  const sink = to.view;
  for (let i = 0; i < length; i += 4) sink.setInt32(target + i, source.getInt32(at + i, true), true);
}

/** Orders two byte strings as unsigned bytes, the shorter first if one begins the other: below 0, 0 or above 0. */
export function compareBytes(
  a: DataView,
  at: number,
  aLength: number,
  b: DataView,
  bt: number,
  bLength: number,
): number {
  const shared = Math.min(aLength, bLength);
  let i = 0;
  for (; i + 4 <= shared; i += 4) {
    if (a.getInt32(at + i, true) !== b.getInt32(bt + i, true)) {
      const x = a.getUint32(at + i, false);
      const y = b.getUint32(bt + i, false);
      return x < y ? -1 : 1;
    }
  }
  for (; i < shared; i++) {
    const difference = a.getUint8(at + i) - b.getUint8(bt + i);
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

/** Reads a u64 as a number; `Infinity` for one at or above 2^53, which no field may hold. */
export function readU64(view: DataView, offset: number): number {
  const value = view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
  return value < MAX_U64 ? value : Number.POSITIVE_INFINITY;
}

export function readU48(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint16(offset + 4, true) * 2 ** 32;
}

export function writeU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % 2 ** 32, true);
  view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
}

/** Bytes of a number in [0, 2^31) as an unsigned LEB128 varint. */
export function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
}

/** Writes a varint and returns the offset after it. */
export function writeVarint(view: DataView, offset: number, value: number): number {
  let rest = value;
  let at = offset;
  while (rest > 0x7f) {
    view.setUint8(at++, (rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  view.setUint8(at++, rest);
  return at;
}

/** Ones of a word (the SWAR formula: sums of 2, 4, 8 bits side by side, added up by a product). */
export function popcount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** Sizes, offsets and counts are below this, exclusive (what a double holds exactly). */
export const MAX_U64 = 2 ** 53;
