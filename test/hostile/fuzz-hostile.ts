// Makes hostile files: damage as nature does not do it, with all checksums put right afterwards, so that nothing but
// the rules themselves can notice it. Knows what can be done to any file; the rest is reported by what the files are.

import type { Input, MakeInput } from './fuzz-damage.js';
import { aim, mutate } from './fuzz-damage.js';
import {
  align,
  anySegment,
  FIELD,
  placeAt,
  repair,
  SIZES,
  segmentCount,
  setU64,
  type Trick,
  u64,
  VARIABLE,
} from './fuzz-fields.js';
import { ENUM_TRICKS } from './fuzz-hostile-enum.js';
import { FINGERPRINT_TRICKS } from './fuzz-hostile-fingerprints.js';
import { KEYLESS_TRICKS } from './fuzz-hostile-keyless.js';
import { TABLE_TRICKS } from './fuzz-hostile-tables.js';
import { TYPE_TRICKS } from './fuzz-hostile-types.js';
import { anySample, BLOCK, type Form, PAGE } from './fuzz-samples.js';

/** What can be done to any file. */
const COMMON: Record<string, Trick> = {
  entries(bytes, _of, random) {
    const { row, size } = anySegment(bytes, random);
    const count = random.pick([0, 1, random.below(size + 1), size, ...SIZES]);
    const others = u64(bytes, FIELD.entries) - u64(bytes, row + 16);
    setU64(bytes, row + 16, count);
    setU64(bytes, FIELD.entries, Math.max(0, others + count));
    return undefined;
  },
  totals(bytes, _of, random) {
    const field = random.pick([FIELD.keyBytes, FIELD.valueBytes]);
    setU64(bytes, field, random.pick([...SIZES, u64(bytes, field) + 1]));
    return undefined;
  },
  'a field of sizes'(bytes, _of, random) {
    const { row } = anySegment(bytes, random);
    const { fileBytes, checksumsOffset, checksumsBytes } = FIELD;
    const field = random.pick([fileBytes, checksumsOffset, checksumsBytes, row, row + 8, row + 16]);
    const old = u64(bytes, field);
    setU64(bytes, field, random.pick([...SIZES, old + PAGE, Math.max(0, old - PAGE), old + 1, 2 * old]));
    return undefined;
  },
  'a field that few files have'(bytes, _of, random) {
    bytes[random.pick([FIELD.minor, FIELD.layout, FIELD.tail + random.below(16)])] = random.below(256);
    return undefined;
  },
  'metadata size'(bytes, _of, random) {
    const behind = FIELD.table + 24 * segmentCount(bytes);
    const room = Math.max(0, PAGE - behind);
    const text = random.pick([
      '{"a":[[[[1]]]]}',
      '{}',
      '[]',
      '{"a":1',
      '\ufeff{}',
      '{"__proto__":{"length":1}}',
      'null',
    ]);
    const size = random.pick([Buffer.byteLength(text), random.below(room + 1), room, 65_536, 65_537, VARIABLE]);
    bytes.writeUInt32LE(size, FIELD.metadataBytes);
    bytes.write(text, behind);
    return undefined;
  },
  'segment size'(bytes, _of, random) {
    const { row, size } = anySegment(bytes, random);
    const least = Math.max(0, size - ((size + 7) % 8));
    setU64(bytes, row + 8, random.pick([least, align(size), random.between(least, Math.max(least, align(size)))]));
    return undefined;
  },
  'segments that overlap'(bytes, _of, random) {
    const [a, b] = [anySegment(bytes, random), anySegment(bytes, random)];
    const field = random.pick([0, 8]);
    setU64(bytes, a.row + field, u64(bytes, b.row + field));
    return undefined;
  },
  'pages put in'(bytes, _of, random) {
    const { row, offset, size } = placeAt(bytes, segmentCount(bytes) - 1);
    const more = PAGE * random.between(1, 20);
    const end = align(offset + size);
    if (end > bytes.length) return undefined;
    const filling = random.below(2) === 0 ? Buffer.alloc(more) : Buffer.alloc(more, Buffer.from(random.bytes(40)));
    // The dictionary and the index of a table by hash move.
    const behind = bytes[FIELD.layout] === 0 ? bytes.subarray(end, u64(bytes, FIELD.checksumsOffset)) : Buffer.alloc(0);
    const sums = end + more + behind.length;
    const blocks = Math.max(1, Math.ceil((sums - bytes.readUInt32LE(FIELD.headerBytes)) / BLOCK));
    const larger = Buffer.concat([bytes.subarray(0, end), filling, behind, Buffer.alloc(8 * blocks)]);
    setU64(larger, row + 8, end + more - offset - random.below(8));
    if (bytes[FIELD.layout] === 0) setU64(larger, FIELD.indexOffset, u64(bytes, FIELD.indexOffset) + more);
    setU64(larger, FIELD.checksumsOffset, sums);
    setU64(larger, FIELD.checksumsBytes, 8 * blocks);
    setU64(larger, FIELD.fileBytes, larger.length);
    return larger;
  },
  'entries of segments'(bytes, _of, random) {
    const [a, b] = [anySegment(bytes, random).row + 16, anySegment(bytes, random).row + 16];
    const moved = random.below(1 + Math.min(u64(bytes, a), 1000));
    setU64(bytes, a, u64(bytes, a) - moved);
    setU64(bytes, b, Math.min(u64(bytes, b) + moved, 2 ** 53 - 1));
    return undefined;
  },
  'bytes after the checksums'(bytes, _of, random) {
    const more = random.pick([8, 8, 1, PAGE, -8]);
    const changed = more > 0 ? Buffer.concat([bytes, Buffer.alloc(more)]) : Buffer.from(bytes.subarray(0, more));
    setU64(changed, FIELD.fileBytes, changed.length);
    const sums = u64(bytes, FIELD.checksumsBytes) + more;
    if (random.below(2) === 0) setU64(changed, FIELD.checksumsBytes, Math.max(0, Math.min(sums, 2 ** 53 - 1)));
    return changed;
  },
  'a whole part'(bytes, of, random) {
    const names = ['key heap', 'elements', 'padding', 'lines', 'index', 'dictionary', 'long fingerprints'] as const;
    const { start, end } = aim(of, random, names);
    const fill = random.pick([0, 1, 0x7f, 0x80, 0x81, 0xff, undefined]);
    for (let at = start; at < Math.min(end, bytes.length); at++) bytes[at] = fill ?? random.below(256);
    return undefined;
  },
  'any bytes'(bytes, of, random) {
    for (let i = random.pick([1, 1, 2, 5, 20]); i > 0; i--) {
      const { start, end } = aim(of, random, [
        'lines',
        'index',
        'padding',
        'key heap',
        'elements',
        'dictionary',
        'long fingerprints',
        'metadata',
        'schema',
      ]);
      if (end <= bytes.length) mutate(bytes, start, end, random);
    }
    return undefined;
  },
  'any bytes of the header'(bytes, _of, random) {
    mutate(bytes, FIELD.headerBytes, FIELD.table + 24 * segmentCount(bytes), random);
    return undefined;
  },
};

const named = (tricks: Record<string, Trick>, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, tricks[name]!]));

const ANOTHER_LAYOUT = named(KEYLESS_TRICKS, ['another layout']);
/** Most of what comes of these can be opened. */
const INSIDE = named(KEYLESS_TRICKS, ['base', 'an offset, or a count', 'all offsets, or counts', 'left-over bits']);

type Tricks = readonly (readonly [name: string, trick: Trick])[];

/** What is done to each form of file; one of the lists is taken, then one of its tricks. */
const BY_FORM: Record<Form, readonly Record<string, Trick>[]> = {
  tables: [COMMON, TABLE_TRICKS, TABLE_TRICKS, TYPE_TRICKS, ANOTHER_LAYOUT],
  'packed values': [COMMON, TABLE_TRICKS, TYPE_TRICKS],
  'enum values': [COMMON, ENUM_TRICKS, ENUM_TRICKS, TABLE_TRICKS, TYPE_TRICKS],
  'typed keys': [COMMON, TABLE_TRICKS, TYPE_TRICKS],
  fingerprints: [COMMON, FINGERPRINT_TRICKS, FINGERPRINT_TRICKS, TABLE_TRICKS, TYPE_TRICKS],
  lists: [COMMON, KEYLESS_TRICKS, INSIDE],
  'bit arrays': [COMMON, KEYLESS_TRICKS, INSIDE],
};

/** One trick, or a few on top of each other; some of the files that come out are whole again. */
export const hostile: MakeInput = (samples, random): Input => {
  const of = anySample(samples, random);
  let bytes = Buffer.from(of.bytes);
  const what: string[] = [];
  for (let i = random.pick([1, 1, 2, 3]); i > 0; i--) {
    const tricks: Tricks = Object.entries(random.pick(BY_FORM[of.form]));
    const [name, trick] = random.pick(tricks);
    bytes = (trick(bytes, of, random) as Buffer<ArrayBuffer> | undefined) ?? bytes;
    what.push(name);
  }
  repair(bytes);
  return { bytes, of, what: what.join(', ') };
};
