// What is done to fingerprints, and to their long ones, to make hostile files. Knows section 16 of the format; does not
// know what the library makes of it.

import { FIELD, SIZES, setU64, type Trick, u64 } from './fuzz-fields.js';

const ROW = 16;

/** The rows of the file as it was, as far as they are still there. */
function rowsOf(bytes: Buffer, of: Parameters<Trick>[1]) {
  const { offset, count } = of.header.long;
  return { offset, count: offset + ROW * count <= bytes.length ? count : 0 };
}

export const FINGERPRINT_TRICKS: Record<string, Trick> = {
  'bits of fingerprints'(bytes, _of, random) {
    bytes[FIELD.fingerprintBits] = random.pick([0, 1, 8, 12, 16, 24, 32, 40, 255]);
    if (random.below(2) === 0) bytes.writeUInt32LE(bytes[FIELD.fingerprintBits]! >> 3, FIELD.keyWidth);
    return undefined;
  },
  'keys again'(bytes) {
    bytes[FIELD.features]! ^= 32;
    return undefined;
  },
  'number of long ones'(bytes, of, random) {
    const { count } = rowsOf(bytes, of);
    setU64(bytes, FIELD.longFingerprints, random.pick([0, 1, count + 1, Math.max(0, count - 1), ...SIZES]));
    return undefined;
  },
  'a row'(bytes, of, random) {
    const { offset, count } = rowsOf(bytes, of);
    if (count === 0) return undefined;
    const at = offset + ROW * random.below(count) + 4 * random.below(4);
    bytes.writeUInt32LE(random.pick([(bytes.readUInt32LE(at) ^ 1) >>> 0, 0, random.u32(), random.below(1000)]), at);
    return undefined;
  },
  'rows that change places'(bytes, of, random) {
    const { offset, count } = rowsOf(bytes, of);
    if (count === 0) return undefined;
    const [a, b] = [random.below(count), random.below(count)].map((row) => offset + ROW * row) as [number, number];
    const kept = Buffer.from(bytes.subarray(a, a + ROW));
    bytes.copyWithin(a, b, b + ROW);
    kept.copy(bytes, b);
    return undefined;
  },
  'one row fewer, or more'(bytes, of, random) {
    // The rows are moved within their section, whose last one then comes twice or is lost.
    const { offset, count } = rowsOf(bytes, of);
    if (count < 2) return undefined;
    const at = offset + ROW * random.below(count - 1);
    const end = offset + ROW * count;
    if (random.below(2) === 0) bytes.copyWithin(at, at + ROW, end);
    else bytes.copyWithin(at + ROW, at, end - ROW);
    return undefined;
  },
  'a fingerprint'(bytes, of, random) {
    if (of.layout !== 'hash' || of.answers.length === 0) return undefined;
    const width = bytes.readUInt32LE(FIELD.keyWidth);
    const [one, other] = [random.pick(of.answers), random.pick(of.answers)];
    const at = one.end - one.raw.length - width;
    const from = other.end - other.raw.length - width;
    if (width > 4 || at < 0 || from < 0 || Math.max(one.end, other.end) > bytes.length) return undefined;
    if (random.below(2) === 0) bytes.copyWithin(at, from, from + width);
    else bytes[at]! ^= random.pick([1, 128, 255]);
    return undefined;
  },
  'entries and totals of fingerprints'(bytes, _of, random) {
    setU64(bytes, FIELD.keyBytes, random.pick([u64(bytes, FIELD.entries), u64(bytes, FIELD.keyBytes) + 1]));
    return undefined;
  },
};
