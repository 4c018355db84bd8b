// An independent reader of .hmap files, to hold the library against.
// Written from native-notes/format.md alone; knows the bytes, not the code in src. Imports nothing but node builtins.
// Section numbers (§) are those of format.md. Clarity goes before speed.

import { readFileSync } from 'node:fs';

/** Widths as in the file: VARIABLE when each record states its own length. */
export type ReferenceHeader = ReturnType<typeof open>;

export interface ReferenceEntry {
  key: Buffer;
  value: Buffer;
  segment: number;
  bucket: number;
  /** Of the key; NaN where fingerprints take the place of keys. */
  hash: number;
  /** Of the record's first byte (its length prefixes, if any) in the file. */
  offset: number;
}

export const VARIABLE = 0xffffffff;
const PAGE = 4096;
const BLOCK = 65536;
const MAGIC = Buffer.from([0x89, 0x48, 0x4d, 0x50, 0x0d, 0x0a, 0x1a, 0x0a]);
const SEGMENT_TABLE = 192;
const MAX_KEY = 65535;
const MAX_VALUE = 2 ** 30;

export const align = (x: number): number => Math.ceil(x / 8) * 8;

export type Expect = (condition: boolean, message: string) => void;

export function need(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`hmap: ${message}`);
}

// A byte order mark is part of the text: dropping it would hide that two different values are different.
export const text = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);

/** §10, rule 4: k and m */
function bucketsFor(entries: number, n: number, s: number, fixed: boolean): { k: number; m: number } {
  for (let k = 32 - n - s; k >= 5; k--) {
    for (let m = 8; m >= (k >= 8 ? 5 : 8); m--) {
      const buckets = 2 ** s * m * 2 ** (k - 3);
      if (entries < 2 ** 18 || fixed ? 11 * buckets <= 5 * entries : 17 * buckets <= 4 * entries) return { k, m };
    }
  }
  return { k: 5, m: 8 };
}

/** §3, key types; `width` is undefined where any will do. */
const KEY_TYPES: readonly { width: number | undefined; decode: (bytes: Buffer) => unknown }[] = [
  { width: undefined, decode: (bytes) => bytes },
  { width: 4, decode: (bytes) => bytes.readUInt32LE() },
  { width: 8, decode: (bytes) => bytes.readBigUInt64LE() },
  { width: 8, decode: (bytes) => bytes.readBigInt64LE() },
  { width: 16, decode: (bytes) => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') },
  { width: undefined, decode: (bytes) => bytes.toString('hex') },
];

interface Type {
  /** Undefined where any will do. */
  width: number | undefined;
  decode: (bytes: Buffer) => unknown;
}

/** §7 */
const FIRST_TYPES: readonly Type[] = [
  { width: 0, decode: () => true },
  { width: undefined, decode: (bytes) => bytes },
  { width: undefined, decode: text },
  { width: undefined, decode: (bytes) => JSON.parse(text(bytes)) as unknown },
  { width: 1, decode: (bytes) => bytes.readUInt8() },
  { width: 1, decode: (bytes) => bytes.readInt8() },
  { width: 2, decode: (bytes) => bytes.readUInt16LE() },
  { width: 2, decode: (bytes) => bytes.readInt16LE() },
  { width: 4, decode: (bytes) => bytes.readUInt32LE() },
  { width: 4, decode: (bytes) => bytes.readInt32LE() },
  { width: 8, decode: (bytes) => bytes.readBigUInt64LE() },
  { width: 8, decode: (bytes) => bytes.readBigInt64LE() },
  { width: 4, decode: (bytes) => bytes.readFloatLE() },
  { width: 8, decode: (bytes) => bytes.readDoubleLE() },
];

/** §7, by code; 14 depends on the schema. */
const TYPES: Readonly<Record<number, Type>> = {
  ...FIRST_TYPES,
  16: { width: 3, decode: (bytes) => bytes.readUIntLE(0, 3) },
  17: { width: 5, decode: (bytes) => bytes.readUIntLE(0, 5) },
  18: { width: 6, decode: (bytes) => bytes.readUIntLE(0, 6) },
};
const STRUCT = 14;
const ENUM = 15;

/** §7: values of packed fields. */
function structType(schema: Buffer): Type {
  const names = new Set<string>();
  let end = 0;
  const fields = text(schema)
    .split(',')
    .map((part) => {
      const match = /^([\p{L}_$][\p{L}0-9_$-]*):(?:(bool)|(f)(32|64)|([ui])([1-9]\d?))$/u.exec(part);
      need(match !== null, `the schema has the field ${part}`);
      const [, name, bool, float, floatBits, sign, signBits] = match;
      need([...name!].length <= 100 && name !== '__proto__' && !names.has(name!), `the schema has the name ${name}`);
      names.add(name!);
      const bits = bool ? 1 : Number(float ? floatBits : signBits);
      need(!sign || bits <= 53, `the schema has a field of ${bits} bits`);
      end += bits;
      return { name: name!, kind: bool ?? float ?? sign!, from: end - bits, bits };
    });
  need(fields.length <= 1000, `the schema has ${fields.length} fields`);
  const width = Math.ceil(end / 8);
  const decode = (bytes: Buffer): unknown => {
    const record = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
    need(record >> BigInt(end) === 0n, 'bits after the last field');
    const decoded: Record<string, unknown> = {};
    for (const { name, kind, from, bits } of fields) {
      const value = BigInt.asUintN(bits, record >> BigInt(from));
      if (kind === 'bool') decoded[name] = value === 1n;
      else if (kind === 'u') decoded[name] = Number(value);
      else if (kind === 'i') decoded[name] = Number(BigInt.asIntN(bits, value));
      else {
        const own = Buffer.from(value.toString(16).padStart(bits / 4, '0'), 'hex').reverse();
        const number = TYPES[bits === 32 ? 12 : 13]!.decode(own) as number;
        const nan = bits === 32 ? 0x7fc00000n : 0x7ff8000000000000n;
        need(!Number.isNaN(number) || value === nan, 'a NaN with other bits than the canonical ones');
        decoded[name] = number;
      }
    }
    return decoded;
  };
  return { width, decode };
}

/** §7: bytes of a number below `distinct`. */
function numberWidth(distinct: number): number {
  let width = 0;
  while (256 ** width < distinct) width++;
  return width;
}

/** What the values of a file are; those of an enum are numbers here. */
function typeOf(header: { valueType: number; schema: Buffer; distinct: number }): Type | undefined {
  if (header.valueType === ENUM) {
    const width = numberWidth(header.distinct);
    return { width, decode: (bytes) => (width === 0 ? 0 : bytes.readUIntLE(0, width)) };
  }
  return header.valueType === STRUCT ? structType(header.schema) : TYPES[header.valueType];
}

export class ReferenceReader {
  readonly header: ReferenceHeader;
  readonly #file: Buffer;

  constructor(file: Uint8Array | string) {
    const data = typeof file === 'string' ? readFileSync(file) : file;
    this.#file = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    this.header = open(this.#file);
    need(this.header.layout === 0, `the layout ${this.header.layout} has no keys`);
  }

  /** §9 */
  get(key: Uint8Array | string): Buffer | undefined {
    return this.locate(key)?.value;
  }

  /** §9, the whole record. */
  locate(key: Uint8Array | string): ReferenceEntry | undefined {
    const wanted = typeof key === 'string' ? Buffer.from(key, 'utf8') : Buffer.from(key);
    const { keyWidth, hashSeed } = this.header;
    if (wanted.length > MAX_KEY) return undefined;
    if (this.header.fingerprintBits > 0) return this.#locateByFingerprint(wanted);
    if (keyWidth !== VARIABLE && wanted.length !== keyWidth) return undefined;
    const { segment, bucket } = this.#place(xxh32(wanted, hashSeed));
    for (const entry of this.#records(segment, bucket)) if (entry.key.equals(wanted)) return entry;
    return undefined;
  }

  /** §16 */
  #locateByFingerprint(wanted: Buffer): ReferenceEntry | undefined {
    const { hashSeed, fingerprintBits, valueType } = this.header;
    const { segment, bucket } = this.#place(xxh32(wanted, hashSeed));
    const fingerprint = murmur3(wanted, hashSeed) % 2 ** fingerprintBits;
    // Those with one fingerprint lie side by side; a damaged file may have more behind others.
    const found: ReferenceEntry[] = [];
    for (const entry of this.#records(segment, bucket)) {
      if (asNumber(entry.key) === fingerprint) found.push(entry);
      else if (found.length > 0) break;
      if (found.length > 0 && valueType === 0) break;
    }
    if (found.length < 2) return found[0];
    return found.find((entry) => this.#longOf(entry) === xxh64(wanted));
  }

  /** §16: where records start, in what the index counts, by segment and position. */
  #position({ segment, offset }: ReferenceEntry): number {
    return (offset - this.header.segments[segment]!.offset) / this.#unit;
  }

  /** §16: the long fingerprint of a record. */
  #longOf(entry: ReferenceEntry): bigint {
    const position = this.#position(entry);
    const row = this.#rows().find((each) => each.segment === entry.segment && each.position === position);
    need(row !== undefined, `record at ${entry.offset}: no long fingerprint`);
    return row.hash;
  }

  /** §16 */
  #rows(): { segment: number; position: number; hash: bigint }[] {
    const { long } = this.header;
    return Array.from({ length: long.count }, (_, i) => {
      const at = long.offset + 16 * i;
      return {
        segment: this.#file.readUInt32LE(at),
        position: this.#file.readUInt32LE(at + 4),
        hash: this.#file.readBigUInt64LE(at + 8),
      };
    });
  }

  /** §16: the order in each bucket, and the rows. */
  #checkFingerprints(expect: Expect): void {
    const { segmentBits, valueType } = this.header;
    const rows = this.#rows();
    let next = 0;
    for (let segment = 0; segment < 2 ** segmentBits; segment++) {
      for (let bucket = 0; bucket < this.#buckets; bucket++) {
        const entries = [...this.#records(segment, bucket)];
        for (const [i, entry] of entries.entries()) {
          const where = `record at ${entry.offset}`;
          const [before, after] = [entries[i - 1], entries[i + 1]].map((each) => each && asNumber(each.key));
          const own = asNumber(entry.key);
          expect(before === undefined || before <= own, `${where}: out of order`);
          if (valueType === 0 || (before !== own && after !== own)) continue;
          const row = rows[next++];
          const fits = row?.segment === segment && row.position === this.#position(entry);
          expect(fits, `${where}: no long fingerprint`);
          const rises = before !== own || (rows[next - 2]?.hash ?? 0n) < (row?.hash ?? 0n);
          expect(rises, `${where}: a long fingerprint that is not above the one before it`);
        }
      }
    }
    expect(next === rows.length, `${rows.length} long fingerprints for ${next} records`);
  }

  *entries(): Generator<ReferenceEntry> {
    for (let segment = 0; segment < 2 ** this.header.segmentBits; segment++) {
      for (let bucket = 0; bucket < this.#buckets; bucket++) yield* this.#records(segment, bucket);
    }
  }

  /** §3: a key in its type. */
  decodeKey(key: Uint8Array): unknown {
    return KEY_TYPES[this.header.keyType]!.decode(Buffer.from(key));
  }

  /** §7 */
  decode(value: Uint8Array): unknown {
    const { width, decode } = typeOf(this.header)!;
    need(width === undefined || value.length === width, `a value of ${value.length} bytes, its type has ${width}`);
    const decoded = decode(Buffer.from(value));
    return this.header.valueType === ENUM ? text(this.#string(decoded as number)) : decoded;
  }

  /** §7, enum values: a string of the dictionary. */
  #string(number: number): Buffer {
    const { distinct, dictionary } = this.header;
    need(number < distinct, `the number ${number} is not below ${distinct}`);
    const heap = dictionary.offset + 4 * (distinct + 1);
    const from = this.#file.readUInt32LE(dictionary.offset + 4 * number);
    const to = this.#file.readUInt32LE(dictionary.offset + 4 * number + 4);
    need(from <= to && heap + to <= dictionary.offset + dictionary.size, `string ${number} is not in the dictionary`);
    return this.#file.subarray(heap + from, heap + to);
  }

  #checkDictionary(used: Set<number>, expect: Expect): void {
    const { distinct, dictionary } = this.header;
    const end = dictionary.offset + dictionary.size;
    expect(this.#file.readUInt32LE(dictionary.offset) === 0, 'the dictionary does not begin with 0');
    const last = this.#file.readUInt32LE(dictionary.offset + 4 * distinct);
    expect(last === dictionary.size - 4 * (distinct + 1), `the dictionary ends with ${last}`);
    let before: Buffer | undefined;
    for (let i = 0; i < distinct; i++) {
      try {
        const string = this.#string(i);
        text(string);
        expect(before === undefined || Buffer.compare(before, string) < 0, `string ${i} is not above the one before`);
        before = string;
      } catch (error) {
        expect(false, (error as Error).message);
      }
      expect(used.has(i), `no record has string ${i}`);
    }
    this.#checkPadding(end, align(end), expect);
  }

  /** "Verify" of §11: every problem that the constructor has not already thrown. */
  check(): string[] {
    const problems: string[] = [];
    const expect: Expect = (condition, message) => void (condition || problems.push(message));
    const { header } = this;
    checkSums(this.#file, header, expect);
    let [keyBytes, valueBytes] = [0, 0];
    const [keyLengths, valueLengths] = [new Set<number>(), new Set<number>()];
    const numbers = new Set<number>();
    let largest = 0;
    header.segments.forEach(({ offset, size, entries: stated }, segment) => {
      let end = 0;
      for (let group = 0; group < this.#buckets / 32; group++) {
        const line = this.#line(segment, group);
        const where = `segment ${segment}, group ${group}`;
        expect(line.anchor === end, `${where}: the anchor is ${line.anchor}, not ${end}`);
        expect(line.offsets[0] === 0, `${where}: the first offset is not 0`);
        const rises = line.offsets.every((offset, i) => i === 0 || line.offsets[i - 1]! <= offset);
        expect(rises, `${where}: an offset is less than the one before it`);
        expect(line.rest === 0n, `${where}: bits after the last offset are not zero`);
        end = line.anchor + line.offsets[32]!;
        largest = Math.max(largest, line.offsets[32]!);
      }
      expect(
        end * this.#unit === size,
        `segment ${segment}: the last group ends at ${end}, the heap has ${size} bytes`,
      );
      let counted = 0;
      let before: ReferenceEntry | undefined;
      for (let bucket = 0; bucket < this.#buckets; bucket++) {
        const countedBefore = counted;
        try {
          for (const entry of this.#records(segment, bucket)) {
            const { key, value, hash } = entry;
            const where = `record at ${entry.offset}`;
            const place = header.fingerprintBits > 0 ? undefined : this.#place(hash);
            expect(place === undefined || place.shard === header.shardIndex, `${where}: not in its shard`);
            const placed = place === undefined || (place.segment === segment && place.bucket === bucket);
            expect(placed, `${where}: not in its bucket`);
            const order =
              before === undefined || place === undefined ? -1 : before.hash - hash || Buffer.compare(before.key, key);
            expect(order !== 0, `${where}: the key occurs twice`);
            expect(order <= 0, `${where}: out of order`);
            const wrong = this.#wrongValue(value);
            expect(wrong === undefined, `${where}: ${wrong}`);
            before = entry;
            counted++;
            keyBytes += key.length;
            valueBytes += value.length;
            keyLengths.add(key.length);
            valueLengths.add(value.length);
            if (header.valueType === ENUM) numbers.add(typeOf(header)!.decode(value) as number);
          }
          // §10, rule 7
          const load = counted - countedBefore;
          expect(load <= 64, `bucket ${bucket} of segment ${segment}: ${load} records, the most is 64`);
        } catch (error) {
          // Nothing says where the next record of a broken bucket starts; the next bucket has its own offset.
          problems.push((error as Error).message);
        }
      }
      // The sum over the segments needs no check of its own: the constructor has added up what the table states.
      expect(counted === stated, `segment ${segment}: ${counted} entries, the segment table says ${stated}`);
      this.#checkPadding(offset + size, align(offset + size), expect);
    });
    if (header.valueType === ENUM) this.#checkDictionary(numbers, expect);
    if (header.fingerprintBits > 0) this.#checkFingerprints(expect);
    this.#checkPadding(header.indexOffset + header.indexSize, header.checksumsOffset, expect);
    // §12: a later minor version may have given it a meaning.
    const behind = metadataStart(header.segmentBits) + header.metadataSize + header.schemaSize;
    if (header.minorVersion === 0) {
      this.#checkPadding(behind, header.headerSize, expect);
      if (header.fingerprintBits === 0) this.#checkPadding(79, 80, expect);
      this.#checkPadding(header.fingerprintBits === 0 ? 136 : 144, 192, expect);
    }
    expect(keyBytes === header.keyBytes, `${keyBytes} bytes of keys, the header says ${header.keyBytes}`);
    expect(valueBytes === header.valueBytes, `${valueBytes} bytes of values, the header says ${header.valueBytes}`);
    this.#checkChoices(keyLengths, valueLengths, largest, expect);
    return problems;
  }

  /** §10, rules 1, 2, 4 and 5; the limit of rule 3 is not in the file. */
  #checkChoices(keyLengths: Set<number>, valueLengths: Set<number>, largest: number, expect: Expect): void {
    const { entries, keyType, keyWidth, valueWidth, shardBits, segmentBits, bucketBits, bucketEighths } = this.header;
    const shared = (lengths: Set<number>): number => (lengths.size === 1 ? [...lengths][0]! : VARIABLE);
    const ofFingerprints = this.header.fingerprintBits > 0 ? this.header.fingerprintBits / 8 : undefined;
    const rightKeyWidth = ofFingerprints ?? KEY_TYPES[keyType]!.width ?? (shared(keyLengths) || VARIABLE);
    const rightValueWidth = typeOf(this.header)!.width ?? shared(valueLengths);
    expect(keyWidth === rightKeyWidth, `the key width is ${keyWidth}, it should be ${rightKeyWidth}`);
    expect(valueWidth === rightValueWidth, `the value width is ${valueWidth}, it should be ${rightValueWidth}`);
    const { k, m } = bucketsFor(entries, shardBits, segmentBits, keyWidth !== VARIABLE && valueWidth !== VARIABLE);
    expect(bucketBits === k && bucketEighths === m, `the buckets are ${bucketBits}, ${bucketEighths}, not ${k}, ${m}`);
    let w = 8;
    while (w <= 24 && 2 ** w <= largest) w++;
    if (w === 25) w = 32;
    expect(this.header.offsetBits === w, `the offset bits are ${this.header.offsetBits}, they should be ${w}`);
    if (!this.header.narrowed) return;
    const most = Math.max(0, ...Array.from(this.entries(), ({ value }) => Number(this.decode(value))));
    const type = [4, 6, 16, 8, 17, 18].find((code) => most < 256 ** TYPES[code]!.width!);
    expect(this.header.valueType === type, `the narrowest type is ${type}`);
  }

  #checkPadding(start: number, end: number, expect: Expect): void {
    const stray = this.#file.subarray(start, end).findIndex((byte) => byte !== 0);
    expect(stray < 0, `the padding at ${start + stray} is not zero`);
  }

  /** §7; says what is wrong with a value, if anything is. */
  #wrongValue(value: Buffer): string | undefined {
    try {
      if (!Number.isNaN(this.decode(value))) return undefined;
      const canonical = value.length === 4 ? '0000c07f' : '000000000000f87f';
      return value.toString('hex') === canonical ? undefined : 'a NaN with other bits than the canonical ones';
    } catch (error) {
      return `the value is not of type ${this.header.valueType}: ${(error as Error).message}`;
    }
  }

  /** §4; without shifts, whose counts JavaScript takes modulo 32. */
  #place(hash: number): { shard: number; segment: number; bucket: number } {
    const { shardBits: n, segmentBits: s, bucketBits: k, bucketEighths: m } = this.header;
    const after = (bits: number): number => (hash * 2 ** bits) % 2 ** 32;
    return {
      shard: Math.floor(hash / 2 ** (32 - n)),
      segment: Math.floor(after(n) / 2 ** (32 - s)),
      bucket: Math.floor((Math.floor(after(n + s) / 8) * m) / 2 ** (32 - k)),
    };
  }

  /** §3: buckets of a segment. */
  get #buckets(): number {
    return (this.header.bucketEighths * 2 ** this.header.bucketBits) / 8;
  }

  /** §5: what offsets count. */
  get #unit(): number {
    const { keyWidth, valueWidth } = this.header;
    return keyWidth === VARIABLE || valueWidth === VARIABLE ? 1 : keyWidth + valueWidth;
  }

  /** §5 */
  #line(segment: number, group: number): { anchor: number; offsets: number[]; rest: bigint } {
    const { indexOffset, offsetBits: w } = this.header;
    const size = 4 * w + 8;
    const at = indexOffset + (segment * (this.#buckets / 32) + group) * size;
    const bytes = Buffer.from(this.#file.subarray(at, at + size)).reverse();
    let bits = BigInt(`0x${bytes.toString('hex')}`);
    const take = (count: number): number => {
      const number = Number(BigInt.asUintN(count, bits));
      bits >>= BigInt(count);
      return number;
    };
    return { anchor: take(32), offsets: Array.from({ length: 33 }, () => take(w)), rest: bits };
  }

  /** §6, the records of one bucket. Checks all that §9 asks of a reader of untrusted files. */
  *#records(segment: number, bucket: number): Generator<ReferenceEntry> {
    const { keyWidth, valueWidth, hashSeed } = this.header;
    const { offset, size } = this.header.segments[segment]!;
    const where = `segment ${segment}, bucket ${bucket}`;
    const { anchor, offsets } = this.#line(segment, Math.floor(bucket / 32));
    let at = offset + (anchor + offsets[bucket % 32]!) * this.#unit;
    const end = offset + (anchor + offsets[(bucket % 32) + 1]!) * this.#unit;
    need(at <= end, `${where}: the offsets fall`);
    need(end <= offset + size, `${where}: ends after the key heap`);
    while (at < end) {
      const start = at;
      let [keyLength, valueLength] = [keyWidth, valueWidth];
      if (keyWidth === VARIABLE) [keyLength, at] = this.#varint(at, end);
      if (valueWidth === VARIABLE) [valueLength, at] = this.#varint(at, end);
      need(keyLength <= MAX_KEY, `record at ${start}: a key of ${keyLength} bytes`);
      need(valueLength <= MAX_VALUE, `record at ${start}: a value of ${valueLength} bytes`);
      need(at + keyLength + valueLength <= end, `record at ${start}: runs over the end of its bucket`);
      const key = this.#file.subarray(at, at + keyLength);
      const value = this.#file.subarray(at + keyLength, at + keyLength + valueLength);
      at += keyLength + valueLength;
      const hash = this.header.fingerprintBits > 0 ? Number.NaN : xxh32(key, hashSeed);
      yield { key, value, segment, bucket, hash, offset: start };
    }
  }

  /** §1; the number and where it ends. */
  #varint(start: number, end: number): [number, number] {
    let number = 0;
    for (let i = 0; i < 5; i++) {
      need(start + i < end, `varint at ${start}: runs over the end of its bucket`);
      const byte = this.#file.readUInt8(start + i);
      // Not a shift: five bytes hold 35 bits.
      number += (byte & 0x7f) * 2 ** (7 * i);
      if (byte >= 0x80) continue;
      need(byte !== 0 || i === 0, `varint at ${start}: not in its shortest form`);
      return [number, start + i + 1];
    }
    throw new Error(`hmap: varint at ${start}: longer than five bytes`);
  }
}

/** §8 */
export function checkSums(file: Buffer, header: ReferenceHeader, expect: Expect): void {
  const { headerSize, checksumsOffset, checksumsSum } = header;
  let [from, to, piece] = [headerSize, checksumsOffset, BLOCK];
  for (const { offset, size } of levelsOf(headerSize, checksumsOffset)) {
    for (let i = 0; i < size / 8; i++) {
      const bytes = file.subarray(from + i * piece, Math.min(from + (i + 1) * piece, to));
      const at = offset + 8 * i;
      expect(xxh64(bytes) === file.readBigUInt64LE(at), `the checksum at ${at} does not match`);
    }
    [from, to, piece] = [offset, offset + size, PAGE];
  }
  expect(xxh64(file.subarray(from, to)) === checksumsSum, 'the checksum of the checksums does not match');
}

/** §8 */
function levelsOf(headerSize: number, checksumsOffset: number): { offset: number; size: number }[] {
  const levels = [{ offset: checksumsOffset, size: 8 * Math.ceil((checksumsOffset - headerSize) / BLOCK) }];
  for (let { offset, size } = levels[0]!; size > PAGE; ) {
    offset += size;
    size = 8 * Math.ceil(size / PAGE);
    levels.push({ offset, size });
  }
  return levels;
}

export const metadataStart = (segmentBits: number): number => SEGMENT_TABLE + 24 * 2 ** segmentBits;

/** "Open" of §11, in its order. */
export function open(file: Buffer) {
  need(file.length >= PAGE, `${file.length} bytes are too few for a header`);
  const damaged = file.toString('latin1', 1, 4) === 'HMP' ? 'the magic is damaged, as by a transfer in text mode' : '';
  need(file.subarray(0, 8).equals(MAGIC), damaged || 'not an hmap file');
  const u64 = (at: number): number => {
    const number = file.readBigUInt64LE(at);
    need(number < 2n ** 53n, `the number at ${at} is not below 2^53`);
    return Number(number);
  };
  const majorVersion = file.readUInt16LE(8);
  need(majorVersion === 2, `major version ${majorVersion}`);
  const headerSize = file.readUInt32LE(16);
  need(headerSize % PAGE === 0 && headerSize >= PAGE, `header size ${headerSize}`);
  need(headerSize <= file.length, `the header of ${headerSize} bytes is longer than the file`);
  const headerChecksum = file.readUInt32LE(12);
  const unsummed = Buffer.from(file.subarray(0, headerSize)).fill(0, 12, 16);
  need(xxh32(unsummed, 0) === headerChecksum, 'the header checksum does not match');
  const requiredFeatures = file.readUInt32LE(20);
  need(requiredFeatures <= 63, `required features ${requiredFeatures.toString(2)} are unknown`);

  const h = {
    magic: file.subarray(0, 8),
    majorVersion,
    minorVersion: file.readUInt16LE(10),
    headerChecksum,
    headerSize,
    requiredFeatures,
    fileSize: u64(24),
    entries: u64(32),
    keyBytes: u64(40),
    valueBytes: u64(48),
    hashAlgorithm: file.readUInt8(56),
    checksumAlgorithm: file.readUInt8(57),
    offsetBits: file.readUInt8(58),
    segmentBits: file.readUInt8(59),
    bucketBits: file.readUInt8(60),
    keyType: file.readUInt8(61),
    valueType: file.readUInt8(62),
    layout: file.readUInt8(63),
    hashSeed: file.readUInt32LE(64),
    keyWidth: file.readUInt32LE(68),
    valueWidth: file.readUInt32LE(72),
    shardBits: file.readUInt8(76),
    bucketEighths: file.readUInt8(77),
    narrowed: file.readUInt8(78),
    shardIndex: file.readUInt32LE(80),
    metadataSize: file.readUInt32LE(84),
    checksumsOffset: u64(88),
    checksumsSize: u64(96),
    checksumsSum: file.readBigUInt64LE(104),
    elementBits: file.readUInt8(116),
    elementSign: file.readUInt8(117),
    spareBits: file.readUInt8(118),
    base: Number(file.readBigInt64LE(120)),
    schemaSize: file.readUInt32LE(112),
    indexOffset: u64(128),
    indexSize: 0,
    schema: Buffer.alloc(0),
    /** §16: 0 without the feature. */
    fingerprintBits: (requiredFeatures & 32) === 0 ? 0 : file.readUInt8(79),
    long: { offset: 0, count: 0 },
    /** §7: of enum values. */
    distinct: file.readUInt32LE(116),
    dictionary: { offset: 0, size: 0 },
    segments: [] as { offset: number; size: number; entries: number }[],
    metadata: undefined as Record<string, unknown> | undefined,
  };
  need(h.layout <= 2, `layout ${h.layout}`);
  // What a table by hash needs depends on its types, and is looked at below.
  need(
    h.layout === 0 || requiredFeatures === [0, 4, 8][h.layout],
    `required features ${requiredFeatures} with the layout ${h.layout}`,
  );
  const keyed = h.layout === 0 ? 1 : 0;
  need(h.hashAlgorithm === keyed, `hash algorithm ${h.hashAlgorithm}`);
  need(h.checksumAlgorithm === 1, `checksum algorithm ${h.checksumAlgorithm}`);
  need(h.segmentBits <= 12, `segment bits ${h.segmentBits}`);
  if (h.layout === 0) {
    const { offsetBits: w, bucketBits: k, bucketEighths: m, shardBits: n } = h;
    need((w >= 8 && w <= 24) || w === 32, `offset bits ${w}`);
    need(n <= 16 && h.shardIndex < 2 ** n, `shard ${h.shardIndex} of 2^${n}`);
    need(k >= 5 && k <= 28 && n + h.segmentBits + k <= 32, `bucket bits ${k}`);
    need(m === 8 || (k >= 8 && m >= 5 && m < 8), `bucket eighths ${m}`);
    need(
      h.narrowed === 0 || (h.narrowed === 1 && [4, 6, 16, 8, 17, 18].includes(h.valueType)),
      `narrowed ${h.narrowed}`,
    );
    need(h.keyType < KEY_TYPES.length, `key type ${h.keyType}`);
    need(h.valueType === STRUCT || h.valueType === ENUM || h.valueType in TYPES, `value type ${h.valueType}`);
    need((h.valueType === STRUCT) === h.schemaSize > 0, `${h.schemaSize} bytes of schema`);
    const features = (h.valueType === ENUM ? 16 : h.valueType >= STRUCT ? 1 : 0) + (h.keyType > 0 ? 2 : 0);
    const rest = requiredFeatures & 32;
    need(requiredFeatures === features + rest, `required features ${requiredFeatures}`);
    need(h.keyWidth === VARIABLE || (h.keyWidth >= 1 && h.keyWidth <= MAX_KEY), `key width ${h.keyWidth}`);
    need(rest === 0 || [8, 16, 24, 32].includes(h.fingerprintBits), `fingerprints of ${h.fingerprintBits} bits`);
    const ownWidth = rest > 0 ? h.fingerprintBits / 8 : KEY_TYPES[h.keyType]!.width;
    need((ownWidth ?? h.keyWidth) === h.keyWidth, `key width ${h.keyWidth} is not the type's`);
    need(h.valueWidth === VARIABLE || h.valueWidth <= MAX_VALUE, `value width ${h.valueWidth}`);
  } else {
    // §15: the rest of what it says of these is the business of the reader of lists and bit arrays.
    const zero = [
      ...[h.keyBytes, h.bucketBits, h.keyType, h.hashSeed, h.keyWidth],
      ...[h.offsetBits, h.shardBits, h.shardIndex, h.bucketEighths, h.narrowed, h.indexOffset],
    ];
    need(
      zero.every((field) => field === 0),
      `a field that only tables by hash have is not 0: ${zero}`,
    );
  }
  need(h.metadataSize <= 65536, `metadata size ${h.metadataSize}`);
  const metadataAt = metadataStart(h.segmentBits);
  const schemaAt = metadataAt + h.metadataSize;
  // §15: without keys the schema size is reserved.
  need(
    headerSize === Math.ceil((schemaAt + (keyed === 1 ? h.schemaSize : 0)) / PAGE) * PAGE,
    `header size ${headerSize} is not that of its parts`,
  );
  // §12: a later minor version may have given the reserved bytes a meaning.
  const isEnum = keyed === 1 && h.valueType === ENUM;
  const reserved = isEnum
    ? []
    : keyed === 1
      ? [file.subarray(116, 128)]
      : [file.subarray(112, 116), file.subarray(119, 120)];
  need(h.minorVersion > 0 || reserved.every((bytes) => bytes.every((byte) => byte === 0)), 'a reserved byte is not 0');

  if (keyed === 1) {
    h.schema = Buffer.from(file.subarray(schemaAt, schemaAt + h.schemaSize));
    need((typeOf(h)!.width ?? h.valueWidth) === h.valueWidth, `value width ${h.valueWidth} is not the type's`);
  }

  const unit = keyed === 1 && h.keyWidth !== VARIABLE && h.valueWidth !== VARIABLE ? h.keyWidth + h.valueWidth : 0;
  let end = headerSize;
  let entries = 0;
  for (let i = 0; i < 2 ** h.segmentBits; i++) {
    const row = SEGMENT_TABLE + 24 * i;
    const segment = { offset: u64(row), size: u64(row + 8), entries: u64(row + 16) };
    need(segment.offset === end, `segment ${i} starts at ${segment.offset}, it should at ${end}`);
    need(segment.size >= (keyed === 1 ? 0 : 4) && segment.size < 2 ** 31, `segment ${i} has ${segment.size} bytes`);
    const fits = unit > 0 ? segment.size === unit * segment.entries : segment.size >= segment.entries;
    need(keyed === 0 || fits, `segment ${i} has ${segment.entries} entries in ${segment.size} bytes`);
    end = align(segment.offset + segment.size);
    entries += segment.entries;
    h.segments.push(segment);
  }
  need(entries === h.entries, `the segments have ${entries} entries, the header ${h.entries}`);

  if (isEnum) {
    h.dictionary = { offset: end, size: u64(120) };
    const { distinct, dictionary } = h;
    need(distinct <= entries && distinct > 0 === entries > 0, `${distinct} distinct values of ${entries} entries`);
    need(
      dictionary.size >= 4 * (distinct + 1) && dictionary.size < 2 ** 31,
      `a dictionary of ${dictionary.size} bytes`,
    );
    end = align(end + dictionary.size);
  }
  if (h.fingerprintBits > 0) {
    const count = u64(136);
    need(count <= entries && count * 16 < 2 ** 31, `${count} long fingerprints of ${entries} entries`);
    need(count === 0 || h.valueType !== 0, 'long fingerprints without values');
    h.long = { offset: end, count };
    end += 16 * count;
  }
  if (keyed === 1) {
    need(h.indexOffset === end, `the index starts at ${h.indexOffset}, it should at ${end}`);
    h.indexSize = (2 ** h.segmentBits * h.bucketEighths * 2 ** (h.bucketBits - 3) * (4 * h.offsetBits + 8)) / 32;
    end = align(end + h.indexSize);
  }
  need(h.checksumsOffset === end, `the checksums start at ${h.checksumsOffset}, they should at ${end}`);
  const sums = levelsOf(headerSize, end).reduce((sum, { size }) => sum + size, 0);
  need(h.checksumsSize === sums, `${h.checksumsSize} bytes of checksums, it should be ${sums}`);
  need(end + h.checksumsSize === h.fileSize, 'the file size is not the end of the checksums');

  if (h.metadataSize > 0) {
    try {
      h.metadata = JSON.parse(text(file.subarray(metadataAt, metadataAt + h.metadataSize))) as Record<string, unknown>;
    } catch (error) {
      need(false, `the metadata is not JSON in UTF-8: ${(error as Error).message}`);
    }
    const isObject = typeof h.metadata === 'object' && h.metadata !== null && !Array.isArray(h.metadata);
    need(isObject, 'the metadata is not a JSON object');
  }
  need(file.length === h.fileSize, `the file has ${file.length} bytes, its header says ${h.fileSize}`);
  return h;
}

const asNumber = (bytes: Buffer): number => bytes.readUIntLE(0, bytes.length);

/** §16: MurmurHash3_x86_32; in BigInt. */
export function murmur3(bytes: Uint8Array, seed: number): number {
  const wrap32 = (x: bigint): bigint => BigInt.asUintN(32, x);
  const rotate = (x: bigint, by: bigint): bigint => wrap32(x << by) | (x >> (32n - by));
  const scramble = (x: bigint): bigint => wrap32(rotate(wrap32(x * 0xcc9e2d51n), 15n) * 0x1b873593n);
  let hash = BigInt(seed);
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    const word = [3, 2, 1, 0].reduce((sum, i) => (sum << 8n) | BigInt(bytes[at + i]!), 0n);
    hash = wrap32(rotate(hash ^ scramble(word), 13n) * 5n + 0xe6546b64n);
  }
  let rest = 0n;
  for (let i = bytes.length - 1; i >= at; i--) rest = (rest << 8n) | BigInt(bytes[i]!);
  hash ^= scramble(rest) ^ BigInt(bytes.length);
  hash = wrap32((hash ^ (hash >> 16n)) * 0x85ebca6bn);
  hash = wrap32((hash ^ (hash >> 13n)) * 0xc2b2ae35n);
  return Number(hash ^ (hash >> 16n));
}

const rotate32 = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

/** §4; all in signed 32-bit numbers until the last line. */
export function xxh32(bytes: Uint8Array, seed: number): number {
  const [p1, p2, p3, p4, p5] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1] as const;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const round = (sum: number, lane: number): number => Math.imul(rotate32((sum + Math.imul(lane, p2)) | 0, 13), p1);
  let at = 0;
  let hash = (seed + p5) | 0;
  if (bytes.length >= 16) {
    let [a, b, c, d] = [(seed + p1 + p2) | 0, (seed + p2) | 0, seed | 0, (seed - p1) | 0];
    for (; at + 16 <= bytes.length; at += 16) {
      a = round(a, view.getInt32(at, true));
      b = round(b, view.getInt32(at + 4, true));
      c = round(c, view.getInt32(at + 8, true));
      d = round(d, view.getInt32(at + 12, true));
    }
    hash = rotate32(a, 1) + rotate32(b, 7) + rotate32(c, 12) + rotate32(d, 18);
  }
  hash = (hash + bytes.length) | 0;
  for (; at + 4 <= bytes.length; at += 4) {
    hash = Math.imul(rotate32((hash + Math.imul(view.getInt32(at, true), p3)) | 0, 17), p4);
  }
  for (; at < bytes.length; at++) hash = Math.imul(rotate32((hash + Math.imul(view.getUint8(at), p5)) | 0, 11), p1);
  hash = Math.imul(hash ^ (hash >>> 15), p2);
  hash = Math.imul(hash ^ (hash >>> 13), p3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const wrap = (x: bigint): bigint => BigInt.asUintN(64, x);
const rotate64 = (x: bigint, by: bigint): bigint => wrap(x << by) | (x >> (64n - by));
const [P1, P2, P3] = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n];
const [P4, P5] = [0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n];
const round64 = (sum: bigint, lane: bigint): bigint => wrap(rotate64(wrap(sum + wrap(lane * P2)), 31n) * P1);

/** §8 */
export function xxh64(bytes: Uint8Array, seed = 0n): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let hash = wrap(seed + P5);
  if (bytes.length >= 32) {
    let [a, b, c, d] = [wrap(seed + P1 + P2), wrap(seed + P2), wrap(seed), wrap(seed - P1)];
    for (; at + 32 <= bytes.length; at += 32) {
      a = round64(a, view.getBigUint64(at, true));
      b = round64(b, view.getBigUint64(at + 8, true));
      c = round64(c, view.getBigUint64(at + 16, true));
      d = round64(d, view.getBigUint64(at + 24, true));
    }
    hash = wrap(rotate64(a, 1n) + rotate64(b, 7n) + rotate64(c, 12n) + rotate64(d, 18n));
    for (const sum of [a, b, c, d]) hash = wrap((hash ^ round64(0n, sum)) * P1 + P4);
  }
  hash = wrap(hash + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) {
    hash = wrap(rotate64(hash ^ round64(0n, view.getBigUint64(at, true)), 27n) * P1 + P4);
  }
  if (at + 4 <= bytes.length) {
    hash = wrap(rotate64(hash ^ wrap(BigInt(view.getUint32(at, true)) * P1), 23n) * P2 + P3);
    at += 4;
  }
  for (; at < bytes.length; at++) hash = wrap(rotate64(hash ^ wrap(BigInt(view.getUint8(at)) * P5), 11n) * P1);
  hash = wrap((hash ^ (hash >> 33n)) * P2);
  hash = wrap((hash ^ (hash >> 29n)) * P3);
  return hash ^ (hash >> 32n);
}
