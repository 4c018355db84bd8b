// Reads single elements of a list's segment: one reader for each width of packed elements. Knows the bytes of elements;
// does not know segments' order, checks or files.

import { copyOf } from '../base/bytes.js';
import { decodeText } from '../base/text.js';
import { packedInteger } from '../format/schema.js';
import type { KeylessSegment } from './keyless-segment.js';

/**
 * Gives the element with an index in its segment, a u32 below the segment's count. Numbers are read without allocating.
 */
export type ElementReader<V = unknown> = (segment: KeylessSegment, at: number) => V;

/** The reader of a type. It never reads outside the segment, whatever the bytes are. */
export function elementReader(type: string): ElementReader {
  const packed = packedInteger(type);
  if (packed !== undefined) return packed.signed ? signedReader(packed.bits) : unsignedReader(packed.bits);
  switch (type) {
    case 'f32':
      return ({ view }, at) => view.getFloat32(4 * at, true);
    case 'f64':
      return ({ view }, at) => view.getFloat64(8 * at, true);
    case 'utf8':
      return (segment, at) => {
        const start = segment.elementStart(at);
        return decodeText(segment.heap, start, segment.index[at + 1]! - start);
      };
    default:
      return (segment, at) => {
        const start = segment.elementStart(at);
        return copyOf(segment.heap, start, segment.index[at + 1]! - start);
      };
  }
}

/**
 * Eight elements take as many bytes as one takes bits: all arithmetic stays within 32 bits, though bits are counted
 * beyond.
 */
function unsignedReader(bits: number): ElementReader<number> {
  if (bits === 8) return ({ view }, at) => view.getUint8(at);
  if (bits === 16) return ({ view }, at) => view.getUint16(2 * at, true);
  if (bits === 32) return ({ view }, at) => view.getUint32(4 * at, true);
  if (bits <= 25) {
    const mask = 2 ** bits - 1;
    return ({ view }, at) => {
      const bit = (at & 7) * bits;
      return (view.getInt32((at >>> 3) * bits + (bit >>> 3), true) >>> (bit & 7)) & mask;
    };
  }
  if (bits < 32) {
    const mask = 2 ** bits - 1;
    return ({ view }, at) => {
      const bit = (at & 7) * bits;
      const byte = (at >>> 3) * bits + (bit >>> 3);
      return lowWord(view.getInt32(byte, true), view.getUint8(byte + 4), bit & 7) & mask;
    };
  }
  const mask = 2 ** (bits - 32) - 1;
  return ({ view }, at) => {
    const bit = (at & 7) * bits;
    const byte = (at >>> 3) * bits + (bit >>> 3);
    const high = view.getInt32(byte + 4, true);
    const low = lowWord(view.getInt32(byte, true), high, bit & 7) >>> 0;
    return ((high >>> (bit & 7)) & mask) * 4_294_967_296 + low;
  };
}

function signedReader(bits: number): ElementReader<number> {
  if (bits === 8) return ({ view }, at) => view.getInt8(at);
  if (bits === 16) return ({ view }, at) => view.getInt16(2 * at, true);
  if (bits === 32) return ({ view }, at) => view.getInt32(4 * at, true);
  if (bits <= 25) {
    const away = 32 - bits;
    return ({ view }, at) => {
      const bit = (at & 7) * bits;
      return (view.getInt32((at >>> 3) * bits + (bit >>> 3), true) << (away - (bit & 7))) >> away;
    };
  }
  if (bits < 32) {
    const away = 32 - bits;
    return ({ view }, at) => {
      const bit = (at & 7) * bits;
      const byte = (at >>> 3) * bits + (bit >>> 3);
      return (lowWord(view.getInt32(byte, true), view.getUint8(byte + 4), bit & 7) << away) >> away;
    };
  }
  const away = 64 - bits;
  return ({ view }, at) => {
    const bit = (at & 7) * bits;
    const byte = (at >>> 3) * bits + (bit >>> 3);
    const high = view.getInt32(byte + 4, true);
    const low = lowWord(view.getInt32(byte, true), high, bit & 7) >>> 0;
    return (((high >>> (bit & 7)) << away) >> away) * 4_294_967_296 + low;
  };
}

/** 32 bits from bit `shift`, in [0, 7], of two words. Two shifts, since one by 32 would be one by 0. */
function lowWord(low: number, high: number, shift: number): number {
  return (low >>> shift) | ((high << 1) << (31 - shift));
}
