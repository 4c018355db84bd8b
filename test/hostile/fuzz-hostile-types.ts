// What is done to the types of a table's keys and values to make hostile files of it: codes, widths, schemas. Knows the
// header; does not know what the library makes of it.

import type { Random } from '../support/random.js';
import { FIELD, segmentCount, type Trick, VARIABLE } from './fuzz-fields.js';
import { PAGE } from './fuzz-samples.js';

/** By the code of the value type; `undefined` where any will do. */
const WIDTHS = [0, undefined, undefined, undefined, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, undefined, undefined, 3, 5, 6];
const ENUM = 15;
/** The types that need the first feature bit. */
const PACKED = [14, 16, 17, 18];
const STRUCT = 14;
/** By the code of the key type. */
const KEY_WIDTHS = [undefined, 4, 8, 8, 16, undefined];

function setFeature(bytes: Buffer, bit: number, on: boolean): void {
  bytes[FIELD.features] = (bytes[FIELD.features]! & ~bit) | (on ? bit : 0);
}

/** Where the metadata ends. */
function schemaAt(bytes: Buffer): number {
  return Math.min(PAGE, FIELD.table + 24 * segmentCount(bytes) + bytes.readUInt32LE(FIELD.metadataBytes));
}

/** A schema of `bits` bits, and up to seven less. */
function schemaOf(bits: number, random: Random): string {
  const fields: string[] = [];
  let left = Math.max(1, bits - random.below(8));
  while (left > 0) {
    const types = [
      'bool',
      `u${random.between(1, 53)}`,
      `i${random.between(1, 53)}`,
      'f32',
      'f64',
      `u${Math.min(53, left)}`,
    ];
    const type = random.pick(types);
    const taken = type === 'bool' ? 1 : Number(type.slice(1));
    if (taken > left) continue;
    fields.push(`${random.pick(['a', 'level', 'größe', '$'])}${fields.length}:${type}`);
    left -= taken;
  }
  return fields.join(',');
}

/** Texts that are no schema. */
const NO_SCHEMAS = [
  '',
  'a',
  'a:',
  ':u7',
  'a:u0',
  'a:u54',
  'a:u07',
  'a:u7,',
  'a:u7,a:u7',
  'a:U7',
  'a: u7',
  '__proto__:u8',
  'a:f16',
  '\u0000:u7',
  'constructor:u8,toString:u8',
];

export const TYPE_TRICKS: Record<string, Trick> = {
  'type and widths'(bytes, _of, random) {
    const type = random.below(4) === 0 ? bytes[FIELD.valueType]! : random.below(WIDTHS.length);
    bytes[FIELD.valueType] = type;
    setFeature(bytes, 1, PACKED.includes(type));
    setFeature(bytes, 16, type === ENUM);
    if (type !== STRUCT) bytes.writeUInt32LE(0, FIELD.schemaBytes);
    const some = [VARIABLE, VARIABLE, 0, 1, 2, 3, 4, 7, 8, 9, 100, 65_535, 65_536, 2 ** 30, 2 ** 30 + 1];
    const fits = random.below(6) > 0;
    bytes.writeUInt32LE((fits ? WIDTHS[type] : undefined) ?? random.pick(some), FIELD.valueWidth);
    if (random.below(2) === 0) bytes.writeUInt32LE(random.pick(some), FIELD.keyWidth);
    return undefined;
  },
  'a schema'(bytes, _of, random) {
    const width = bytes.readUInt32LE(FIELD.valueWidth);
    if (width < 1 || width > 40) return undefined;
    const at = schemaAt(bytes);
    const text = Buffer.from(random.below(4) === 0 ? random.pick(NO_SCHEMAS) : schemaOf(8 * width, random));
    if (at + text.length > PAGE) return undefined;
    if (random.below(2) === 0) bytes.fill(0, at, PAGE);
    text.copy(bytes, at);
    const size =
      random.below(6) === 0 ? random.pick([0, text.length + 1, text.length - 1, 405_999, 406_000]) : text.length;
    bytes.writeUInt32LE(Math.max(0, size), FIELD.schemaBytes);
    bytes[FIELD.valueType] = STRUCT;
    setFeature(bytes, 1, true);
    setFeature(bytes, 16, false);
    return undefined;
  },
  'bytes of the schema'(bytes, _of, random) {
    const at = schemaAt(bytes);
    const size = Math.min(bytes.readUInt32LE(FIELD.schemaBytes), PAGE - at);
    if (size < 1) return undefined;
    bytes[at + random.below(size)] = random.pick([...Buffer.from(':,u0123456789ifbol'), 0, 0x80, 0xff]);
    return undefined;
  },
  'key type'(bytes, _of, random) {
    const width = bytes.readUInt32LE(FIELD.keyWidth);
    const fitting = [0, 1, 2, 3, 4, 5].filter((type) => (KEY_WIDTHS[type] ?? width) === width);
    const type = random.below(4) > 0 ? random.pick(fitting) : random.below(8);
    bytes[FIELD.keyType] = type;
    setFeature(bytes, 2, random.below(12) === 0 ? type === 0 : type > 0);
    const some = [VARIABLE, 0, 1, 4, 8, 16, 65_535, 65_536];
    if (random.below(4) === 0) bytes.writeUInt32LE(KEY_WIDTHS[type] ?? random.pick(some), FIELD.keyWidth);
    return undefined;
  },
};
