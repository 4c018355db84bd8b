// Tests the header against native-notes/format.md, sections 3, 11 and 12. Offsets are written out here, as there.

import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { encodeMetadata } from '../../src/format/metadata.js';
import { parseHeader } from '../../src/format/parse-header.js';
import { checkPreamble } from '../../src/format/preamble.js';
import { type HashParts, writeHashHeader } from '../../src/format/write-header.js';
import { build, type HmapErrorCode, type Metadata, open } from '../../src/index.js';
import { hmapError, misuse } from '../support/errors.js';
import { Random } from '../support/random.js';
import { WIDTHS } from '../support/raw-table.js';
import { oracle, VALUE_TYPES } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';

const PAGE = 4096;
const BLOCK = 65_536;
const VARIABLE = 0xffff_ffff;
const folder = temporaryFolder(nodeTest);
const path = join(folder, 'table.hmap');

/** Files of some shapes: values of any length, of a fixed width, several segments, metadata. */
let bytesFile: Buffer;
let u32File: Buffer;
let segmentedFile: Buffer;
let metadataFile: Buffer;

before(async () => {
  const entries = Array.from({ length: 300 }, (_, i) => [`key ${i}`, i] as const);
  const texts = entries.map(([key, i]) => [key, Buffer.from('x'.repeat(i % 50))] as const);
  const make = async (act: () => Promise<unknown>) => {
    await act();
    return readFileSync(path);
  };
  bytesFile = await make(() => build(path, texts, { value: 'bytes' }));
  u32File = await make(() => build(path, entries, { value: 'u32', seed: 77 }));
  segmentedFile = await make(() => build(path, texts, { value: 'bytes', segmentBytes: 4096 }));
  metadataFile = await make(() => build(path, entries, { value: 'u32', metadata: { name: 'test', list: [1, null] } }));
});

/** Makes the header checksum right for the bytes as they are now. */
function withChecksum(file: Buffer): Buffer {
  const size = Math.min(file.readUInt32LE(16), file.length);
  file.writeUInt32LE(0, 12);
  file.writeUInt32LE(oracle.h32Raw(file.subarray(0, size), 0), 12);
  return file;
}

/** Reads a header as opening a file does. */
function parse(file: Uint8Array, fileBytes = file.length) {
  const size = checkPreamble(file.subarray(0, PAGE), fileBytes, 'x.hmap');
  return parseHeader(file.subarray(0, size), fileBytes, 'x.hmap');
}

function write(file: Buffer, offset: number, size: number, value: number | bigint): Buffer {
  if (size === 8) file.writeBigUInt64LE(BigInt(value), offset);
  else file.writeUIntLE(Number(value), offset, size);
  return file;
}

function read(file: Buffer, offset: number, size: number): bigint {
  return size === 8 ? file.readBigUInt64LE(offset) : BigInt(file.readUIntLE(offset, size));
}

describe('what is written', () => {
  test('each field of a real file is where the format says', () => {
    const fields = [8, 10, 16, 20, 59, 60, 61, 62, 63, 64, 68, 72, 76, 77, 78, 80, 84].map((offset) =>
      Number(read(u32File, offset, offset < 12 ? 2 : [16, 20, 64, 68, 72, 80, 84].includes(offset) ? 4 : 1)),
    );
    // 300 entries: 11 * 2^7 <= 5 * 300, so 128 buckets; keys of 5 to 7 bytes.
    assert.deepEqual(fields, [2, 0, PAGE, 0, 0, 7, 0, 8, 0, 77, VARIABLE, 4, 0, 8, 0, 0, 0]);
    assert.equal(u32File.subarray(0, 8).toString('hex'), '89484d500d0a1a0a');
    const keyBytes = 10 * 5 + 90 * 6 + 200 * 7;
    assert.deepEqual(
      [24, 32, 40, 48].map((at) => Number(read(u32File, at, 8))),
      [u32File.length, 300, keyBytes, 1200],
    );
    // The heap: a length byte, key and value for each record. Then four lines.
    const heap = 300 + keyBytes + 1200;
    assert.deepEqual(
      [192, 200, 208].map((at) => Number(read(u32File, at, 8))),
      [PAGE, heap, 300],
    );
    const index = PAGE + Math.ceil(heap / 8) * 8;
    const line = 4 * Number(read(u32File, 58, 1)) + 8;
    const sums = Math.ceil((index + 4 * line) / 8) * 8;
    assert.deepEqual(
      [128, 88, 96].map((at) => Number(read(u32File, at, 8))),
      [index, sums, 8],
    );
    assert.equal(u32File.readBigUInt64LE(sums), oracle.h64Raw(u32File.subarray(PAGE, sums)));
    assert.equal(u32File.readBigUInt64LE(104), oracle.h64Raw(u32File.subarray(sums)));
    assert.equal(u32File.length, sums + 8);
    assert.ok(
      u32File.subarray(216, PAGE).every((byte) => byte === 0),
      'padding',
    );
  });

  test('the header checksum is XXH32 of the header with zeros in its place', () => {
    for (const file of [bytesFile, u32File, segmentedFile, metadataFile]) {
      const copy = Buffer.from(file);
      assert.equal(withChecksum(copy).readUInt32LE(12), file.readUInt32LE(12));
    }
  });

  test('the parsed header says what the bytes say', () => {
    const header = parse(metadataFile);
    assert.deepEqual(header.metadata, { list: [1, null], name: 'test' });
    const { offset, bytes, sum } = header.checksums;
    assert.deepEqual(
      [BigInt(offset), BigInt(bytes), sum],
      [88, 96, 104].map((at) => read(metadataFile, at, 8)),
    );
    assert.equal(header.keyWidth, null);
    assert.equal(header.valueWidth, 4);
    assert.equal(header.valueType, 'u32');
    assert.deepEqual(header.hash, { algorithm: 'xxh32', seed: 0 });
    assert.deepEqual(header.shard, { index: 0, bits: 0 });
    assert.equal(header.fileBytes, metadataFile.length);
    assert.equal(header.entries, 300);
    const many = parse(segmentedFile);
    assert.ok(many.segments.length > 1);
    assert.equal(many.segments.length, 2 ** many.segmentBits);
    assert.deepEqual(
      many.segments.map((segment) => [segment.offset, segment.bytes, segment.entries]),
      many.segments.map((_, i) => [192, 200, 208].map((at) => Number(read(segmentedFile, at + 24 * i, 8)))),
    );
  });

  test('whatever is written is read back', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 32 - 1 }), fc.dictionary(fc.string(), fc.jsonValue()), (seed, metadata) => {
        const parts = partsOf(new Random(seed), metadata);
        const header = parse(writeHashHeader(parts), parts.checksums.offset + parts.checksums.bytes);
        const { seed: hashSeed, metadata: encoded, keyWidth, valueWidth, dictionary, fingerprint, ...same } = parts;
        for (const [name, value] of Object.entries(same)) {
          assert.deepEqual(header[name as never], value, name);
        }
        assert.deepEqual(header.dictionary ?? undefined, dictionary);
        assert.equal(header.fingerprint?.bits, fingerprint?.bits);
        assert.equal(header.fingerprint?.long.count, fingerprint?.long);
        const buckets = 2 ** parts.segmentBits * ((parts.eighths * 2 ** parts.bucketBits) / 8);
        const { bits = 0, falsePositiveRate = 0 } = header.fingerprint ?? {};
        if (bits > 0) assert.equal(falsePositiveRate, parts.entries / buckets / 2 ** bits);
        assert.equal(header.hash.seed, hashSeed);
        assert.equal(header.keyWidth ?? VARIABLE, keyWidth);
        assert.equal(header.valueWidth ?? VARIABLE, valueWidth);
        assert.deepEqual(header.metadata, JSON.parse(Buffer.from(encoded).toString() || '{}'));
        assert.equal(header.fileBytes, parts.checksums.offset + parts.checksums.bytes);
        const end = 192 + 24 * parts.segments.length + encoded.length;
        assert.equal(header.headerBytes, Math.ceil(end / PAGE) * PAGE);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

/** A header that fits together, of any shape. */
function partsOf(random: Random, metadata: Metadata): HashParts {
  const keyType = random.pick(['bytes', 'u32', 'u64', 'i64', 'uuid', 'hex'] as const);
  const valueType = random.pick(VALUE_TYPES);
  const encoded = encodeMetadata(metadata);
  const segmentBits = random.pick([0, 0, 1, 3, 6]);
  const bucketBits = random.between(5, 14);
  const eighths = bucketBits < 8 ? 8 : random.between(5, 8);
  const shardBits = random.pick([0, 0, 1, 5]);
  const offsetBits = random.pick([8, 11, 24, 32]);
  const headerBytes = Math.ceil((192 + 24 * 2 ** segmentBits + encoded.length) / PAGE) * PAGE;
  const widthOf = { u32: 4, u64: 8, i64: 8, uuid: 16 }[keyType as string];
  const bits = random.pick([0, 0, 0, 8, 16, 24, 32]);
  const keyWidth = bits > 0 ? bits / 8 : (widthOf ?? random.pick([1, 16, 65_535, VARIABLE]));
  const isEnum = valueType === 'enum';
  // That of one distinct value or none, so that it does not depend on what follows.
  const valueWidth = isEnum ? 0 : (WIDTHS[valueType] ?? random.pick([0, 1, 1000, VARIABLE]));
  const fixed = keyWidth !== VARIABLE && valueWidth !== VARIABLE;
  let end = headerBytes;
  const segments = Array.from({ length: 2 ** segmentBits }, () => {
    const offset = end;
    const entries = random.below(1000);
    const bytes = fixed ? entries * (keyWidth + valueWidth) : entries + random.below(2 ** 20);
    end = align(offset + bytes);
    return { offset, bytes, entries };
  });
  const entries = segments.reduce((sum, segment) => sum + segment.entries, 0);
  const distinct = Math.min(1, entries);
  const dictionary = { offset: end, count: distinct, bytes: 4 * (distinct + 1) + random.below(2 ** 20) };
  if (isEnum) end = align(end + dictionary.bytes);
  const long = valueType === 'none' ? 0 : random.below(entries + 1);
  if (bits > 0) end += 16 * long;
  const lines = (2 ** segmentBits * eighths * 2 ** bucketBits) / 256;
  const index = { offset: end, bytes: lines * (4 * offsetBits + 8), offsetBits };
  end = align(end + index.bytes);
  const blocks = Math.ceil((end - headerBytes) / BLOCK);
  const levels = blocks > 512 ? 8 * (blocks + Math.ceil(blocks / 512)) : 8 * blocks;
  return {
    entries,
    keyBytes: random.pick([0, 1, 2 ** 32, 2 ** 53 - 1]),
    valueBytes: random.pick([0, 1, 2 ** 32 + 1, 2 ** 53 - 1]),
    seed: random.u32(),
    shard: { index: random.below(2 ** shardBits), bits: shardBits },
    segmentBits,
    bucketBits,
    eighths,
    index,
    keyType,
    valueType,
    narrowed: ['u8', 'u16', 'u24', 'u32', 'u40', 'u48'].includes(valueType) && random.below(2) === 1,
    keyWidth,
    valueWidth,
    segments,
    dictionary: isEnum ? dictionary : undefined,
    fingerprint: bits === 0 ? undefined : { bits, long },
    checksums: { offset: end, bytes: levels, sum: (BigInt(random.u32()) << 32n) | BigInt(random.u32()) },
    metadata: encoded,
  };
}

const align = (x: number): number => Math.ceil(x / 8) * 8;

describe('what is refused', () => {
  const LARGE = 2n ** 53n;
  const LARGEST = 2n ** 64n - 1n;
  /** Field, offset, size, code, bad values. A string is added to what the file holds. */
  const table: [string, number, number, HmapErrorCode, (number | bigint | string)[]][] = [
    ['major version', 8, 2, 'HMAP_VERSION', [0, 1, 3, 256, 65_535]],
    ['header size', 16, 4, 'HMAP_HEADER_FIELD', [0, 1, 4095, 4097, 2 ** 30, 2 ** 32 - 4096, 2 ** 32 - 1]],
    ['required features', 20, 4, 'HMAP_FEATURE', [64, 2 ** 30, 2 ** 31, 2 ** 32 - 1]],
    ['required features of another layout', 20, 4, 'HMAP_HEADER_FIELD', [4, 8, 12, 16]],
    ['layout', 63, 1, 'HMAP_HEADER_FIELD', [3, 255]],
    ['file size', 24, 8, 'HMAP_HEADER_FIELD', ['+1', '-1', '+4096', LARGE, LARGEST]],
    ['entries', 32, 8, 'HMAP_HEADER_FIELD', [0, '+1', '-1', LARGE, LARGEST]],
    ['key bytes', 40, 8, 'HMAP_HEADER_FIELD', [LARGE, LARGEST]],
    ['value bytes', 48, 8, 'HMAP_HEADER_FIELD', [LARGE, LARGEST]],
    ['hash algorithm', 56, 1, 'HMAP_HEADER_FIELD', [0, 2, 255]],
    ['checksum algorithm', 57, 1, 'HMAP_HEADER_FIELD', [0, 2, 255]],
    ['offset bits', 58, 1, 'HMAP_HEADER_FIELD', [0, 7, 25, 31, 33, 255]],
    ['segment bits', 59, 1, 'HMAP_HEADER_FIELD', [13, 22, 32, 255]],
    ['bucket bits', 60, 1, 'HMAP_HEADER_FIELD', [0, 4, 29, 32, 33, 255]],
    ['bucket eighths', 77, 1, 'HMAP_HEADER_FIELD', [0, 4, 5, 7, 9, 255]],
    ['narrowed', 78, 1, 'HMAP_HEADER_FIELD', [1, 2, 255]],
    ['index offset', 128, 8, 'HMAP_HEADER_FIELD', [0, '+1', '+8', LARGE, LARGEST]],
    ['key type', 61, 1, 'HMAP_HEADER_FIELD', [6, 255]],
    ['value type', 62, 1, 'HMAP_HEADER_FIELD', [19, 255]],
    ['schema size', 112, 4, 'HMAP_HEADER_FIELD', [1, 2 ** 32 - 1]],
    ['key width', 68, 4, 'HMAP_HEADER_FIELD', [0, 65_536, 2 ** 31, VARIABLE - 1]],
    ['value width', 72, 4, 'HMAP_HEADER_FIELD', [2 ** 30 + 1, 2 ** 31, VARIABLE - 1]],
    ['shard bits', 76, 1, 'HMAP_HEADER_FIELD', [17, 32, 255]],
    ['shard index', 80, 4, 'HMAP_HEADER_FIELD', [1, 2 ** 32 - 1]],
    ['metadata size', 84, 4, 'HMAP_HEADER_FIELD', [65_537, 2 ** 32 - 1]],
    ['checksums offset', 88, 8, 'HMAP_HEADER_FIELD', [0, '+1', '+4096', '-4096', LARGE, LARGEST]],
    ['checksums size', 96, 8, 'HMAP_HEADER_FIELD', [0, '+8', '-8', '+1', LARGE, LARGEST]],
    ['offset of segment 0', 192, 8, 'HMAP_HEADER_FIELD', [0, '+1', '+4096', '-4096', LARGE, LARGEST]],
  ];

  for (const [name, offset, size, code, values] of table) {
    test(`${name} (byte ${offset}): ${values.join(', ')}`, () => {
      for (const value of values) {
        const file = Buffer.from(bytesFile);
        const old = read(file, offset, size);
        const bad = typeof value === 'string' ? old + BigInt(value) : BigInt(value);
        assert.notEqual(bad, old);
        const error = catchError(() => parse(withChecksum(write(file, offset, size, bad))));
        hmapError(code, { path: 'x.hmap', offset })(error);
        const { expected, actual } = error as { expected?: unknown; actual?: unknown };
        assert.notEqual(actual, undefined);
        assert.notDeepEqual(actual, expected);
      }
    });
  }

  test('segment rows, named by their place in the file', () => {
    const last = parse(segmentedFile).segments.length - 1;
    for (const row of [0, 1, last]) {
      for (const [field, values] of [
        [0, ['+4096', '-4096', '+1', LARGE]],
        [8, [2 ** 31, LARGE, LARGEST]],
        [16, [LARGE, LARGEST, 2 ** 31]],
      ] as const) {
        const offset = 192 + 24 * row + field;
        for (const value of values) {
          const file = Buffer.from(segmentedFile);
          const bad = typeof value === 'string' ? read(file, offset, 8) + BigInt(value) : BigInt(value);
          const refused = hmapError('HMAP_HEADER_FIELD', { offset });
          assert.throws(
            () => parse(withChecksum(write(file, offset, 8, bad))),
            refused,
            `row ${row}, ${field}: ${bad}`,
          );
        }
      }
    }
  });

  test('segments whose size moves what follows them', () => {
    const file = write(Buffer.from(segmentedFile), 200, 8, read(segmentedFile, 200, 8) + 4096n);
    assert.throws(() => parse(withChecksum(file)), hmapError('HMAP_HEADER_FIELD'));
    const single = write(Buffer.from(bytesFile), 200, 8, read(bytesFile, 200, 8) + 4096n);
    assert.throws(() => parse(withChecksum(single)), hmapError('HMAP_HEADER_FIELD', { offset: 128 }));
  });

  test('entries that do not add up to those of the segments', () => {
    const file = write(Buffer.from(segmentedFile), 208, 8, read(segmentedFile, 208, 8) + 1n);
    assert.throws(() => parse(withChecksum(file)), hmapError('HMAP_HEADER_FIELD', { offset: 32 }));
  });

  test('segment bits and bucket bits of more than 32 together', () => {
    const file = write(write(Buffer.from(bytesFile), 59, 1, 12), 60, 1, 21);
    assert.throws(() => parse(withChecksum(file)), hmapError('HMAP_HEADER_FIELD', { offset: 60, actual: 21 }));
  });

  test('a value width that is not that of the type', () => {
    const codes: [number, number][] = [
      [0, 0],
      [4, 1],
      [5, 1],
      [6, 2],
      [7, 2],
      [8, 4],
      [9, 4],
      [10, 8],
      [11, 8],
      [12, 4],
      [13, 8],
    ];
    for (const [type, width] of codes) {
      for (const bad of [0, 1, 2, 3, 4, 8, 16, VARIABLE]) {
        if (bad === width) continue;
        const file = withChecksum(write(write(Buffer.from(bytesFile), 62, 1, type), 72, 4, bad));
        assert.throws(
          () => parse(file),
          hmapError('HMAP_HEADER_FIELD', { offset: 72, actual: bad }),
          `${type}: ${bad}`,
        );
      }
    }
  });

  test('a header size that is not that of its parts', () => {
    const longer = Buffer.concat([bytesFile, Buffer.alloc(20 * PAGE)]);
    const file = withChecksum(write(longer, 16, 4, 2 * PAGE));
    assert.throws(() => parse(file), hmapError('HMAP_HEADER_FIELD', { offset: 16, actual: 2 * PAGE }));
    const more = withChecksum(write(Buffer.from(bytesFile), 84, 4, PAGE));
    assert.throws(() => parse(more), hmapError('HMAP_HEADER_FIELD', { offset: 16 }), 'metadata size');
    const cut = withChecksum(write(Buffer.from(bytesFile), 16, 4, 64 * PAGE));
    assert.throws(() => parse(cut), hmapError('HMAP_TRUNCATED', { expected: 64 * PAGE, actual: bytesFile.length }));
  });

  test('a file that is shorter or longer than its header says', () => {
    const bytes = bytesFile.length;
    const short = { offset: 24, expected: bytes, actual: bytes - 1 };
    assert.throws(() => parse(bytesFile, bytes - 1), hmapError('HMAP_TRUNCATED', short));
    assert.throws(() => parse(bytesFile, bytes + 1), hmapError('HMAP_TOO_LONG', { ...short, actual: bytes + 1 }));
  });

  test('metadata that is no JSON object in UTF-8', () => {
    const size = metadataFile.readUInt32LE(84);
    const texts: (string | Buffer)[] = [
      '[1,2]',
      '"text"',
      '17',
      'null',
      'true',
      '{"a":1',
      '{a:1}',
      '',
      '{}{}',
      "{'a':1}",
    ];
    texts.push('\ufeff{"a":1}', Buffer.from('7b2261223a22ff227d', 'hex'), Buffer.from('7b2261223a22eda080227d', 'hex'));
    for (const text of texts) {
      const file = Buffer.from(metadataFile);
      file.fill(' ', 216, 216 + size);
      file.set(Buffer.from(text as string), 216);
      const refused = hmapError('HMAP_HEADER_FIELD', { offset: 216, message: /metadata/ });
      assert.throws(() => parse(withChecksum(file)), refused, String(text));
    }
  });

  test('a change of any byte of the header', () => {
    const damaged = join(folder, 'damaged.hmap');
    for (const file of [u32File, metadataFile]) {
      writeFileSync(damaged, file);
      const fd = openSync(damaged, 'r+');
      for (let at = 0; at < PAGE; at++) {
        const change = at % 3 === 0 ? 0xff : 1 << (at % 8);
        writeSync(fd, Buffer.of(file[at]! ^ change), 0, 1, at);
        const error = catchError(() => open(damaged, { mapping: 'copy' }).close());
        const code = (error as { code?: string }).code;
        if (at < 8) assert.match(code!, /^HMAP_(NOT_A_TABLE|TEXT_DAMAGE)$/, `byte ${at}`);
        else if (at < 10) assert.equal(code, 'HMAP_VERSION', `byte ${at}`);
        else if (at >= 16 && at < 20)
          assert.match(code!, /^HMAP_(HEADER_FIELD|TRUNCATED|HEADER_CHECKSUM)$/, `byte ${at}`);
        else hmapError('HMAP_HEADER_CHECKSUM', { path: damaged, offset: 12 })(error);
        writeSync(fd, file, at, 1, at);
      }
      closeSync(fd);
      assert.deepEqual(readFileSync(damaged), file);
    }
  });

  test('the major version is reported before the checksum, which a later version may take otherwise', () => {
    for (const [version, message] of [
      [1, /build the file anew from its source/],
      [3, /a newer hmap wrote the file/],
    ] as const) {
      const file = write(Buffer.from(bytesFile), 8, 2, version);
      assert.throws(() => parse(file), hmapError('HMAP_VERSION', { expected: 2, actual: version, offset: 8, message }));
    }
  });
});

describe('files of other kinds', () => {
  const damages: Record<string, (file: Buffer) => Buffer> = {
    'CRLF to LF': (file) => Buffer.from(file.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
    'LF to CRLF': (file) => Buffer.from(file.toString('latin1').replaceAll('\n', '\r\n'), 'latin1'),
    'bare LF to CRLF': (file) => Buffer.from(file.toString('latin1').replace(/(?<!\r)\n/g, '\r\n'), 'latin1'),
    'seven bits': (file) => Buffer.from(file.map((byte) => byte & 0x7f)),
    'Latin-1 to UTF-8': (file) => Buffer.from(file.toString('latin1'), 'utf8'),
    'read as UTF-8': (file) => Buffer.from(file.toString('utf8'), 'utf8'),
  };

  for (const [name, damage] of Object.entries(damages)) {
    test(`a transfer in text mode shows: ${name}`, () => {
      for (const file of [bytesFile, u32File]) {
        const damaged = damage(file);
        assert.notDeepEqual(damaged, file);
        const told = { offset: 0, expected: '89484d500d0a1a0a', message: /text mode/ };
        assert.throws(() => parse(damaged), hmapError('HMAP_TEXT_DAMAGE', told));
        assert.throws(
          () => parse(damaged.subarray(0, 100)),
          hmapError('HMAP_TEXT_DAMAGE', told),
          'also of a short file',
        );
      }
    });
  }

  test('files that are no tables', () => {
    const others = [
      'hello, world\n',
      'hmap',
      '\x89PNG\r\n\x1a\n\0\0',
      '\x1f\x8b\x08',
      '{}',
      '\0'.repeat(5000),
      ' \x89HMP\r\n\x1a\n',
      'HMP\r\n\x1a\n',
    ];
    for (const text of others) {
      const file = Buffer.from(text, 'latin1');
      const found = file.subarray(0, 8).toString('hex');
      assert.throws(
        () => parse(file),
        hmapError('HMAP_NOT_A_TABLE', { offset: 0, actual: found }),
        JSON.stringify(text),
      );
    }
    assert.throws(() => parse(Buffer.alloc(0)), hmapError('HMAP_NOT_A_TABLE', { message: /empty/ }));
  });
});

describe('versions', () => {
  test('reserved bytes and padding are not looked at when a file is opened', () => {
    for (const byte of [79, 116, 127, 136, 191, 300, PAGE - 1]) {
      const file = withChecksum(write(Buffer.from(bytesFile), byte, 1, 1));
      assert.equal(parse(file).entries, 300);
    }
  });

  test('the fields that only verify can check are taken as they are', () => {
    for (const [offset, size, value] of [
      [40, 8, 2n ** 53n - 1n],
      [48, 8, 0],
      [64, 4, VARIABLE],
      [104, 8, 2n ** 64n - 1n],
    ] as const) {
      const file = withChecksum(write(Buffer.from(bytesFile), offset, size, value));
      assert.equal(parse(file).entries, 300, `byte ${offset}`);
    }
  });

  test('a newer minor version is read, whatever it put into reserved bytes and padding', () => {
    const file = write(Buffer.from(metadataFile), 10, 2, 7);
    file.fill(0xab, 116, 128);
    file.fill(0xcd, 4000, PAGE);
    writeFileSync(path, withChecksum(file));
    const table = open(path, { value: 'u32' });
    assert.deepEqual(table.header.version, { major: 2, minor: 7 });
    assert.equal(table.get('key 123'), 123);
    assert.deepEqual(table.header.metadata, { list: [1, null], name: 'test' });
    table.close();
  });

  test('a newer minor version must keep all other rules', () => {
    const file = write(Buffer.from(bytesFile), 10, 2, 1);
    assert.throws(
      () => parse(withChecksum(write(file, 20, 4, 64))),
      hmapError('HMAP_FEATURE', { offset: 20, actual: 64 }),
    );
    const sized = write(write(Buffer.from(bytesFile), 10, 2, 1), 32, 8, 1);
    assert.throws(() => parse(withChecksum(sized)), hmapError('HMAP_HEADER_FIELD', { offset: 32 }));
  });
});

describe('metadata', () => {
  const text = (metadata: Metadata) => Buffer.from(encodeMetadata(metadata)).toString();

  test('is compact JSON with the names of each object in the order of their code units', () => {
    assert.equal(text({ b: 1, a: 2 }), '{"a":2,"b":1}');
    assert.equal(text({ 10: 'ten', 9: 'nine', a: 0, '': 1, A: 2 }), '{"":1,"10":"ten","9":"nine","A":2,"a":0}');
    assert.equal(text({ x: [{ d: 1, c: [{ 2: 0, 10: 0 }] }] }), '{"x":[{"c":[{"10":0,"2":0}],"d":1}]}');
    // By code units the pair (from D83D) comes before U+FFEE; by code points it would come after.
    assert.equal(text({ '\uffee': 1, '\u{1f600}': 2 }), '{"\u{1f600}":2,"\uffee":1}');
    assert.equal(text(JSON.parse('{"__proto__":{"b":1,"a":2},"a":"é\\n"}')), '{"__proto__":{"a":2,"b":1},"a":"é\\n"}');
    assert.equal(text({ lone: '\ud800', gone: undefined }), '{"lone":"\\ud800"}');
  });

  test('is nothing when there are no members', () => {
    assert.equal(encodeMetadata({}).length, 0);
    assert.equal(encodeMetadata({ gone: undefined }).length, 0);
    assert.deepEqual(parse(bytesFile).metadata, {});
  });

  test('gives the same file whatever the order of its members', async () => {
    const files: Buffer[] = [];
    for (const metadata of [
      { b: { 1: 'x', 10: 'y', z: 0 }, a: 1 },
      { a: 1, b: { z: 0, 10: 'y', 1: 'x' } },
    ]) {
      await build(path, [['k', 1]], { value: 'u8', metadata });
      files.push(readFileSync(path));
    }
    assert.deepEqual(files[0], files[1]);
    const table = open(path);
    assert.deepEqual(table.header.metadata, { a: 1, b: { 1: 'x', 10: 'y', z: 0 } });
    table.close();
  });

  test('may take 65,536 bytes and not one more', async () => {
    const largest = { text: 'x'.repeat(65_536 - '{"text":""}'.length) };
    assert.equal(encodeMetadata(largest).length, 65_536);
    await build(path, [['k', 1]], { value: 'u8', metadata: largest });
    const table = open(path);
    assert.deepEqual(table.header.metadata, largest);
    assert.equal(table.header.headerBytes, 17 * PAGE);
    assert.equal(table.get('k'), 1);
    table.close();
    const tooLarge = hmapError('HMAP_METADATA_TOO_LARGE', { expected: 65_536, actual: 65_537 });
    assert.throws(() => encodeMetadata({ text: `${largest.text}x` }), tooLarge);
  });

  test('must be a plain object', () => {
    for (const bad of [null, 1, 'text', true, [], [1], () => 1]) {
      assert.throws(() => encodeMetadata(bad as unknown as Metadata), misuse(/^metadata: /), String(bad));
    }
  });

  test('must be an object as JSON too', () => {
    for (const bad of [new Date(0), { toJSON: () => 1 }, { toJSON: () => [1] }, { toJSON: () => undefined }]) {
      assert.throws(() => encodeMetadata(bad as unknown as Metadata), misuse(/^metadata: /));
    }
  });

  test('must be something that JSON can hold', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    assert.throws(() => encodeMetadata(cyclic), misuse(/^metadata: /), 'cyclic');
    assert.throws(() => encodeMetadata({ big: 1n }), misuse(/^metadata: /), 'BigInt');
  });
});

function catchError(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return assert.fail('expected an error');
}
