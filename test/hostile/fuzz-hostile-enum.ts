// What is done to the dictionary of enum values, and to numbers into it, to make hostile files. Knows section 7 of the
// format; does not know what the library makes of it.

import type { Random } from '../support/random.js';
import { FIELD, SIZES, setU64, type Trick, u64, VARIABLE } from './fuzz-fields.js';
import { PAGE } from './fuzz-samples.js';

/** The dictionary of the file as it was, and how many strings it has now, as far as its bytes reach. */
function placeOf(bytes: Buffer, of: Parameters<Trick>[1]) {
  const { offset, size } = of.header.dictionary;
  const room = Math.max(0, Math.floor((Math.min(offset + size, bytes.length) - offset) / 4) - 1);
  const count = Math.min(bytes.readUInt32LE(FIELD.distinct), room);
  const heap = Math.max(0, size - 4 * (count + 1));
  return { offset, size, count, heap, there: offset > 0 && offset + size <= bytes.length };
}

function widthOf(count: number): number {
  let width = 0;
  while (256 ** width < count) width++;
  return width;
}

function offsets(count: number, heap: number, random: Random): number[] {
  const way = random.below(4);
  const some = [0, heap, heap + 1, 2 ** 31, VARIABLE];
  const list = Array.from({ length: count + 1 }, () => (way === 3 ? random.pick(some) : random.below(heap + 1)));
  if (way < 2) list.sort((a, b) => a - b);
  if (way < 2) [list[0], list[count]] = [0, heap];
  return list;
}

export const ENUM_TRICKS: Record<string, Trick> = {
  'distinct values'(bytes, of, random) {
    const { count } = placeOf(bytes, of);
    const some = [0, 1, 2, 255, 256, 257, 65_536, 65_537, 2 ** 31, VARIABLE, u64(bytes, FIELD.entries)];
    const other = random.pick([count + 1, Math.max(0, count - 1), random.below(count + 1), ...some]) % 2 ** 32;
    bytes.writeUInt32LE(other, FIELD.distinct);
    if (random.below(3) === 0) bytes.writeUInt32LE(widthOf(other), FIELD.valueWidth);
    return undefined;
  },
  'fewer or more that fit'(bytes, of, random) {
    // Within what one width holds, so that the file opens.
    const { count, there } = placeOf(bytes, of);
    if (!there || count < 2) return undefined;
    const width = widthOf(count);
    const [least, most] = [256 ** (width - 1) + 1, Math.min(256 ** width, u64(bytes, FIELD.entries))];
    if (most >= least) bytes.writeUInt32LE(random.between(least, most), FIELD.distinct);
    return undefined;
  },
  'dictionary size'(bytes, of, random) {
    const { size } = placeOf(bytes, of);
    // Up to the next multiple of 8 nothing else moves.
    const within = size - (size % 8) + random.below(8);
    setU64(bytes, FIELD.dictionarySize, random.pick([within, within, size - 1, size + 1, size + PAGE, ...SIZES]));
    return undefined;
  },
  'an offset of a string'(bytes, of, random) {
    const { offset, count, heap, there } = placeOf(bytes, of);
    if (!there) return undefined;
    const at = offset + 4 * random.below(count + 1);
    const old = bytes.readUInt32LE(at);
    const value = random.pick([old + 1, old - 1, heap, heap + 1, 0, VARIABLE, 2 ** 31, random.below(heap + 1)]);
    bytes.writeUInt32LE(value >>> 0, at);
    return undefined;
  },
  'all offsets of strings'(bytes, of, random) {
    const { offset, count, heap, there } = placeOf(bytes, of);
    if (!there) return undefined;
    for (const [i, value] of offsets(count, heap, random).entries()) bytes.writeUInt32LE(value, offset + 4 * i);
    return undefined;
  },
  'bytes of a string'(bytes, of, random) {
    const { offset, size, heap, there } = placeOf(bytes, of);
    if (!there || heap === 0) return undefined;
    bytes[offset + size - 1 - random.below(heap)] = random.pick([
      0,
      0x0a,
      0x09,
      0x22,
      0x7f,
      0xc3,
      0xff,
      random.below(256),
    ]);
    return undefined;
  },
  'a number'(bytes, of, random) {
    if (of.layout !== 'hash' || of.answers.length === 0) return undefined;
    const { end, raw } = random.pick(of.answers);
    if (raw.length === 0 || end > bytes.length) return undefined;
    const number = random.pick([of.header.distinct, of.header.distinct - 1, 256 ** raw.length - 1, 0, random.u32()]);
    bytes.writeUIntLE(number % 256 ** raw.length, end - raw.length, raw.length);
    return undefined;
  },
};
