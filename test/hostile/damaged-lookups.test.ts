// Tests what lookups and iterations make of damaged and hostile files, which opening does not notice: an answer or
// HMAP_DAMAGED, and soon.

import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { after, before, describe, test } from 'node:test';
import {
  type BuildOptions,
  build,
  HmapError,
  type MappingKind,
  type OpenOptions,
  open,
  type Table,
  type ValueType,
} from '../../src/index.js';
import { hmapError } from '../support/errors.js';
import { WORKING } from '../support/mappings.js';
import { Random } from '../support/random.js';
import { rawBucket } from '../support/raw-table.js';
import { oracle, VALUE_TYPES } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';
import { boundsOf, FIELD, type HashPlace, segmentAt, setBounds } from './fuzz-fields.js';
import { watch } from './watchdog.js';

const folder = temporaryFolder(nodeTest);
const damaged = join(folder, 'damaged.hmap');
after(watch(60));

/** Opens without a look at the checksums, so that damage comes through to where it must be noticed. */
function openUnchecked(path: string, options: Omit<OpenOptions, 'key'> = {}): Table<unknown> {
  return open(path, { check: 'header', ...options, key: 'string' });
}

/** A whole file, and where its parts are. */
interface Sample {
  name: string;
  bytes: Buffer;
  keys: string[];
  /** Of the first segment. */
  place: HashPlace;
  heap: number;
  heapBytes: number;
  /** Bytes that offsets count. */
  unit: number;
}

const samples: Sample[] = [];
const sampleNamed = (name: string) => samples.find((sample) => sample.name === name)!;

before(async () => {
  const random = new Random(1);
  const fixed = (i: number) => `k${i}`.padEnd(6, '.');
  const variable = (i: number) => (i % 10 === 0 ? `key ${i} `.padEnd(120 + i) : `key ${i}`);
  const values: Record<string, [ValueType, (i: number) => unknown]> = {
    numbers: ['u32', () => random.u32()],
    'big numbers': ['i64', () => BigInt(random.u32())],
    nothing: ['none', () => true],
    'bytes of one length': ['bytes', () => random.bytes(9)],
    text: ['utf8', (i) => random.text(i % 7 === 0 ? 200 : i % 9)],
    JSON: ['json', (i) => ({ i, list: [random.text(i % 5)] })],
  };
  for (const [keys, keyOf] of [
    ['fixed keys', fixed],
    ['variable keys', variable],
  ] as const) {
    for (const [name, [value, sampleAt]] of Object.entries(values)) {
      const entries = new Map(Array.from({ length: 60 }, (_, i) => [keyOf(i), sampleAt(i)] as const));
      await add(`${keys}, ${name}`, entries, { value });
    }
  }
  const many = new Map(Array.from({ length: 600 }, (_, i) => [variable(i), random.text(i % 50)] as const));
  await add('several segments', many, { value: 'utf8', segmentBytes: 16_384 });
  await add('no entries', new Map(), { value: 'utf8' });
  await add('one entry', new Map([['key', 'value']]), { value: 'utf8' });
});

async function add(name: string, entries: Map<string, unknown>, options: BuildOptions): Promise<void> {
  await build(damaged, entries as Iterable<never>, { memory: 2 ** 20, ...options });
  const { header } = openUnchecked(damaged, { mapping: 'copy' });
  const bytes = readFileSync(damaged);
  const place = segmentAt(bytes, 0);
  const { keyWidth, valueWidth } = header;
  const unit = keyWidth === null || valueWidth === null ? 1 : keyWidth + valueWidth;
  const { heap, size: heapBytes } = place;
  samples.push({ name, bytes, keys: [...entries.keys()], place, heap, heapBytes, unit });
}

/** Runs one operation; only `codes` may be thrown. Returns the code, or `undefined` after a normal end. */
function attempt(what: string, codes: readonly string[], act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof HmapError && codes.includes(error.code)) return error.code;
    throw new Error(`${what} threw ${error}`, { cause: error });
  }
}

/** Asks a table for all that it has, in each way. Returns how many of the operations reported damage. */
function exercise(table: Table<unknown>, keys: readonly string[]): number {
  let told = 0;
  const run = (what: string, codes: readonly string[], act: () => unknown) => {
    if (attempt(what, codes, act) !== undefined) told++;
  };
  const damage = ['HMAP_DAMAGED'];
  const steps = table.header.fileBytes;
  const walk = (items: Iterable<unknown>) => {
    let count = 0;
    for (const _ of items) assert.ok(++count <= steps, 'an iteration of more steps than the file has bytes');
  };
  for (const key of keys) {
    run('get', damage, () => table.get(key));
    run('has', damage, () => table.has(key));
  }
  run('getView', damage, () => keys.map((key) => table.getView(key)));
  run('getMany', damage, () => table.getMany(keys));
  run('getManyViews', damage, () => table.getManyViews(keys));
  const iteration = ['HMAP_DAMAGED', 'HMAP_KEY_NOT_UTF8'];
  run('entries', iteration, () => walk(table));
  run('keys', iteration, () => walk(table.keys()));
  run('values', damage, () => walk(table.values()));
  return told;
}

/** Opens what `bytes` holds, if it can be opened, and asks for some of `keys` and some others. */
function tryFile(bytes: Uint8Array, keys: readonly string[], mapping: MappingKind): number {
  writeFileSync(damaged, bytes);
  return tryAgain(keys, mapping);
}

function tryAgain(keys: readonly string[], mapping: MappingKind): number {
  let table: Table<unknown>;
  try {
    table = openUnchecked(damaged, { mapping });
  } catch (error) {
    if (error instanceof HmapError && /^HMAP_/.test(error.code)) return 1;
    throw new Error(`open threw ${error}`, { cause: error });
  }
  try {
    return exercise(table, [...keys, '', 'miss', 'k9....', 'x'.repeat(300)]);
  } finally {
    table.close();
  }
}

const bucketOf = ({ bytes }: Sample, key: string) =>
  rawBucket(oracle.h32(key, 0), bytes[FIELD.segmentBits]!, bytes[FIELD.bucketBits]!, bytes[FIELD.bucketEighths]!);

/** The bucket of a key, its line, and its range in the heap. */
function bucketOfKey(sample: Sample, key: string) {
  const bucket = bucketOf(sample, key);
  const bounds = boundsOf(sample.bytes, sample.place);
  const line = sample.place.lines + Math.floor(bucket / 32) * (4 * sample.place.bits + 8);
  return { bucket, line, start: bounds[bucket]! * sample.unit, end: bounds[bucket + 1]! * sample.unit };
}

/** A copy in which the group that starts at `line` has another anchor. */
function withAnchor(sample: Sample, line: number, value: number): Buffer {
  const bytes = Buffer.from(sample.bytes);
  bytes.writeUInt32LE(value, line);
  return bytes;
}

/** A copy in which buckets start elsewhere, in units. */
function withBounds(sample: Sample, changes: Record<number, number>): Buffer {
  const bytes = Buffer.from(sample.bytes);
  const bounds = boundsOf(bytes, sample.place);
  for (const [bucket, value] of Object.entries(changes)) bounds[Number(bucket)] = value;
  setBounds(bytes, sample.place, bounds);
  return bytes;
}

/** Sees that each way of asking for the key reports the damage. */
function assertTold(bytes: Uint8Array, key: string, message: string): void {
  writeFileSync(damaged, bytes);
  for (const mapping of WORKING) {
    const table = openUnchecked(damaged, { mapping });
    const told = hmapError('HMAP_DAMAGED', { message: /damaged.*verify/ });
    assert.throws(() => table.get(key), told, `${message}: get`);
    assert.throws(() => table.has(key), told, `${message}: has`);
    assert.throws(() => table.getView(key), told, `${message}: getView`);
    assert.throws(() => table.getMany([key]), told, `${message}: getMany`);
    assert.throws(() => table.getManyViews(['miss', key]), told, `${message}: getManyViews`);
    table.close();
  }
}

test('the samples are whole', () => {
  for (const sample of samples) {
    for (const mapping of WORKING) assert.equal(tryFile(sample.bytes, sample.keys, mapping), 0, sample.name);
  }
});

describe('offsets of buckets', () => {
  test('above the heap, negative, and crossing are reported, in each kind of file', () => {
    for (const sample of samples) {
      if (sample.name === 'several segments') continue;
      for (const key of sample.keys.slice(0, 5)) {
        const { bucket, line, start, end } = bucketOfKey(sample, key);
        const { unit } = sample;
        const units = sample.heapBytes / unit;
        for (const value of [units + 1, units + 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32 - units]) {
          assertTold(withAnchor(sample, line, value), key, `${sample.name}, anchor ${value}`);
        }
        const [from, to] = [start / unit, end / unit];
        // Not of the first bucket of a group, whose start moves its anchor.
        if (bucket % 32 === 0) continue;
        if (from > 0)
          assertTold(withBounds(sample, { [bucket + 1]: from - 1 }), key, `${sample.name}, end before start`);
        assertTold(withBounds(sample, { [bucket]: to + 1 }), key, `${sample.name}, start after end`);
      }
    }
  });

  test('that cut a record in two are reported', () => {
    for (const sample of samples) {
      if (/several|no entries/.test(sample.name) || sample.unit > 1) continue;
      for (const key of sample.keys.slice(0, 20)) {
        const { bucket, start, end } = bucketOfKey(sample, key);
        if (bucket % 32 === 31) continue;
        // Only the last record is cut, so only keys that are not found before it come to see it.
        writeFileSync(damaged, withBounds(sample, { [bucket + 1]: end - 1 }));
        const table = openUnchecked(damaged);
        const codes = sample.keys
          .filter((other) => bucketOfKey(sample, other).start === start)
          .map((other) => attempt('get', ['HMAP_DAMAGED'], () => table.get(other)));
        assert.ok(codes.includes('HMAP_DAMAGED'), `${sample.name}: ${codes}`);
        table.close();
      }
    }
  });

  test('of each bucket, set to anything', () => {
    const random = new Random(2);
    for (const sample of samples) {
      const { lines, groups, bits } = sample.place;
      for (let trial = 0; trial < 40; trial++) {
        const bytes = Buffer.from(sample.bytes);
        const { heapBytes } = sample;
        const kinds = [random.below(heapBytes + 1), heapBytes, heapBytes + 1, 0, 2 ** 31, 2 ** 32 - 1, random.u32()];
        for (let i = random.between(1, 5); i > 0; i--) {
          // Anchors and offsets alike, wherever the four bytes fall.
          bytes.writeUInt32LE(random.pick(kinds), lines + random.below(groups * (4 * bits + 8) - 4));
        }
        tryFile(bytes, sample.keys, random.pick(WORKING));
      }
    }
  });
});

describe('records', () => {
  test('that pass the end of their bucket are reported', () => {
    for (const name of [
      'variable keys, numbers',
      'variable keys, nothing',
      'variable keys, text',
      'variable keys, bytes of one length',
    ]) {
      const sample = sampleNamed(name);
      for (const key of sample.keys) {
        const { start, end } = bucketOfKey(sample, key);
        for (const length of [end - start, 127]) {
          if (length > 127 || length < end - start - 1) continue;
          const bytes = Buffer.from(sample.bytes);
          bytes[sample.heap + start] = length;
          assertTold(bytes, key, `${name}, a key of ${length} bytes in a bucket of ${end - start}`);
        }
      }
    }
    const sample = sampleNamed('fixed keys, text');
    for (const key of sample.keys) {
      const { start } = bucketOfKey(sample, key);
      const bytes = Buffer.from(sample.bytes);
      bytes.set([0xff, 0xff, 0xff, 0xff, 0x03], sample.heap + start);
      assertTold(bytes, key, 'a value of 2^30 bytes');
    }
  });

  test('with endless or cut varints are reported', () => {
    for (const sample of samples) {
      if (/one entry|no entries|several/.test(sample.name) || /fixed keys, (num|big|nothing|bytes)/.test(sample.name))
        continue;
      for (const fill of [0xff, 0x80]) {
        const bytes = Buffer.from(sample.bytes);
        bytes.fill(fill, sample.heap, sample.heap + sample.heapBytes);
        writeFileSync(damaged, bytes);
        const table = openUnchecked(damaged);
        for (const items of [table.entries(), table.keys(), table.values()]) {
          assert.throws(
            () => [...items],
            hmapError('HMAP_DAMAGED', { offset: sample.heap }),
            `${sample.name}, ${fill}`,
          );
        }
        table.close();
        if (fill === 0xff) assertTold(bytes, sample.keys[0]!, `${sample.name}, filled with ${fill}`);
        for (const mapping of WORKING) assert.ok(tryFile(bytes, sample.keys, mapping) > 0);
      }
      const last = Buffer.from(sample.bytes);
      last[sample.heap + sample.heapBytes - 1] = 0x80;
      for (const mapping of WORKING) tryFile(last, sample.keys, mapping);
    }
  });

  test('varints that are not the shortest, or above the limits, end an iteration', () => {
    const cases: [name: string, bytes: number[]][] = [
      ['variable keys, nothing', [0x80, 0x00]],
      ['variable keys, nothing', [0x85, 0x80, 0x00]],
      ['variable keys, nothing', [0x80, 0x80, 0x04]],
      ['variable keys, nothing', [0xff, 0xff, 0xff, 0x01]],
      ['fixed keys, text', [0x80, 0x00]],
      ['fixed keys, text', [0x81, 0x80, 0x80, 0x80, 0x00]],
      ['fixed keys, text', [0x81, 0x80, 0x80, 0x80, 0x04]],
      ['fixed keys, text', [0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ];
    for (const [name, varint] of cases) {
      const sample = sampleNamed(name);
      const bytes = Buffer.from(sample.bytes);
      bytes.set(varint, sample.heap);
      writeFileSync(damaged, bytes);
      for (const mapping of WORKING) {
        const table = openUnchecked(damaged, { mapping });
        assert.throws(
          () => [...table.values()],
          hmapError('HMAP_DAMAGED', { offset: sample.heap }),
          `${name}: ${varint}`,
        );
        table.close();
        tryAgain(sample.keys, mapping);
      }
    }
  });

  test('of zeros, and of anything, in the whole heap', () => {
    const random = new Random(3);
    for (const sample of samples) {
      for (const fill of [0, 1, 6, 0x7f, 0x80, 0x81, 0xfe, 0xff, undefined, undefined, undefined]) {
        const bytes = Buffer.from(sample.bytes);
        for (let at = sample.heap; at < sample.heap + sample.heapBytes; at++) bytes[at] = fill ?? random.below(256);
        tryFile(bytes, sample.keys, random.pick(WORKING));
      }
    }
  });

  test('invalid JSON is reported, in one line', () => {
    const sample = sampleNamed('fixed keys, JSON');
    // `{"i"` becomes `]"i"`, or a line feed and what cannot follow it.
    for (const start of [']"', '\n]', '\r\n', '\0]']) {
      const bytes = Buffer.from(sample.bytes.toString('latin1').replaceAll('{"', start), 'latin1');
      writeFileSync(damaged, bytes);
      const table = openUnchecked(damaged, { value: 'json' });
      const told = hmapError('HMAP_DAMAGED', { message: /JSON/ });
      for (const key of sample.keys.slice(0, 5)) {
        assert.throws(() => table.get(key), told);
        assert.throws(() => table.getMany([key]), told);
        assert.equal(table.has(key), true);
      }
      assert.throws(() => [...table.values()], told);
      assert.throws(() => [...table], told);
      assert.equal([...table.keys()].length, sample.keys.length);
      table.close();
    }
  });
});

describe('damage anywhere', () => {
  test('single bytes', () => {
    const random = new Random(4);
    let told = 0;
    for (const sample of samples) {
      writeFileSync(damaged, sample.bytes);
      const fd = openSync(damaged, 'r+');
      // Most of the damage goes to where it matters: the index and the heap.
      const { lines, groups, bits } = sample.place;
      for (let trial = 0; trial < 200; trial++) {
        const at =
          trial % 3 === 0
            ? lines + random.below(groups * (4 * bits + 8))
            : trial % 30 === 1
              ? random.below(sample.bytes.length)
              : sample.heap + random.below(Math.max(1, sample.heapBytes));
        const old = sample.bytes[at]!;
        const bad = trial % 2 === 0 ? old ^ (1 << random.below(8)) : random.below(256);
        writeSync(fd, Buffer.of(bad), 0, 1, at);
        const some = sample.keys.length < 100 ? sample.keys : random.shuffled(sample.keys).slice(0, 60);
        if (tryAgain(some, random.pick(WORKING)) > 0) told++;
        writeSync(fd, Buffer.of(old), 0, 1, at);
      }
      closeSync(fd);
      assert.ok(readFileSync(damaged).equals(sample.bytes));
    }
    assert.ok(told > 400, `${told} changes were reported`);
  });

  test('runs of bytes', () => {
    const random = new Random(5);
    for (const sample of samples) {
      for (let trial = 0; trial < 40; trial++) {
        const bytes = Buffer.from(sample.bytes);
        const start = 4096 + random.below(bytes.length - 4096);
        const end = Math.min(bytes.length, start + random.between(1, 200));
        if (trial % 2 === 0) bytes.fill(random.pick([0, 0x7f, 0x80, 0xff]), start, end);
        else bytes.set(random.bytes(end - start), start);
        tryFile(bytes, sample.keys, random.pick(WORKING));
      }
    }
  });

  test('headers that lie, with a checksum that fits', () => {
    const random = new Random(6);
    const fields: [offset: number, size: 1 | 4][] = [
      [59, 1],
      [60, 1],
      [62, 1],
      [64, 4],
      [68, 4],
      [72, 4],
      [84, 4],
      [32, 4],
      [58, 1],
      [77, 1],
      [128, 4],
      [200, 4],
      [208, 4],
      [88, 4],
      [96, 4],
      [24, 4],
    ];
    const widths = [0, 1, 2, 4, 5, 6, 7, 8, 9, 100, 65_535, 65_536, 2 ** 30, 2 ** 31, 2 ** 32 - 1];
    let opened = 0;
    for (const sample of samples) {
      for (let trial = 0; trial < 150; trial++) {
        const bytes = Buffer.from(sample.bytes);
        for (let i = random.between(1, 3); i > 0; i--) {
          const [offset, size] = random.pick(fields);
          if (size === 1) bytes[offset] = random.below(offset === 62 ? VALUE_TYPES.length : 14);
          else
            bytes.writeUInt32LE(
              random.pick([...widths, bytes.readUInt32LE(offset) + random.between(0, 9)]) >>> 0,
              offset,
            );
        }
        // A type's own width, so that more than the one check is passed.
        const width = [0, undefined, undefined, undefined, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8][bytes[62]!];
        if (width !== undefined && trial % 2 === 0) bytes.writeUInt32LE(width, 72);
        bytes.writeUInt32LE(0, 12);
        bytes.writeUInt32LE(oracle.h32Raw(bytes.subarray(0, bytes.readUInt32LE(16)), 0), 12);
        tryFile(bytes, sample.keys.slice(0, 30), random.pick(WORKING));
        try {
          openUnchecked(damaged, { mapping: 'copy' });
          opened++;
        } catch {
          // Refused, which tryFile has looked at.
        }
      }
    }
    assert.ok(opened > 100, `${opened} files were opened`);
  });
});
