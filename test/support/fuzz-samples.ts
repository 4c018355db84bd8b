// The tables that fuzzing damages: each with its bytes, where its parts lie, and what it must answer. What it must answer is read by the
// reference reader, never by the library.

import { readFileSync } from 'node:fs';
import type { BuildOptions, Key, ValueType } from '../../src/index.js';
import { type ReferenceHeader, ReferenceReader } from '../reference-reader.js';
import { FIXTURES } from './fixtures.js';
import { Random } from './random.js';
import { TYPE_CODES, VALUE_TYPES } from './samples.js';
import { libraryTable, type Pairs } from './tools.js';

export const PAGE = 4096;
export const BLOCK = 65_536;

/** What a table says of one key. */
export interface Answer {
  key: Buffer;
  value: unknown;
  raw: Buffer;
  /** Where the record lies in the file, `[at, end)`. */
  at: number;
  end: number;
}

/** A part of a file, `[start, end)`. */
export interface Part {
  name: 'header' | 'segment table' | 'metadata' | 'bucket array' | 'padding' | 'key heap' | 'checksums';
  start: number;
  end: number;
}

export interface Sample {
  name: string;
  path: string;
  bytes: Buffer;
  header: ReferenceHeader;
  valueType: ValueType;
  parts: Part[];
  /** In the order of the file. */
  answers: Answer[];
  /** By the key's bytes, in Latin-1. */
  byKey: Map<string, Answer>;
  /** Whether each key can be iterated over as a string. */
  strings: boolean;
  absent: Key[];
}

/** Bytes as a key of a Map. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function numbered(count: number, key: (i: number) => Key, value: (i: number) => unknown): Pairs {
  return Array.from({ length: count }, (_, i) => [key(i), value(i)] as const);
}

/** Tables beside the golden ones: what these do not have. Some differ in one thing alone, so that their files can be mixed. */
function tables(random: Random): [name: string, options: BuildOptions, entries: Pairs][] {
  const words = (i: number) => `word ${i}${'.'.repeat(i % 7)}`;
  const fixed = (i: number) => `k${i}`.padEnd(8, '-');
  const numbers = () => random.u32();
  const texts = () => random.text(200);
  return [
    ['numbers', { value: 'u32' }, numbered(400, words, numbers)],
    ['numbers, a later version', { value: 'u32' }, numbered(400, words, numbers)],
    ['numbers, other keys', { value: 'u32' }, numbered(400, (i) => words(i).replace('word', 'werd'), numbers)],
    ['numbers, a seed', { value: 'u32', seed: 7 }, numbered(400, words, numbers)],
    ['keys of one length', { value: 'u32' }, numbered(300, fixed, numbers)],
    ['keys of one length, a later version', { value: 'u32' }, numbered(300, fixed, numbers)],
    ['keys of one length, text', { value: 'utf8' }, numbered(100, fixed, (i) => random.text(i % 40))],
    ['keys of one length, a set', { value: 'none' }, numbered(300, fixed, () => true)],
    ['blocks', { value: 'utf8' }, numbered(1500, words, texts)],
    ['blocks, a later version', { value: 'utf8' }, numbered(1500, words, texts)],
    ['blocks of numbers', { value: 'u64' }, numbered(12_000, fixed, (i) => BigInt(i) << 20n)],
    ['a value larger than a block', { value: 'utf8' }, numbered(20, words, (i) => 'v'.repeat(i === 7 ? 150_000 : i))],
    [
      'segments and blocks',
      { value: 'bytes', segmentBytes: 30_000, metadata: { name: 'fuzz' } },
      numbered(1200, words, (i) => random.bytes(i % 80)),
    ],
    [
      'segments and blocks, a later version',
      { value: 'bytes', segmentBytes: 30_000, metadata: { name: 'fuzy' } },
      numbered(1200, words, (i) => random.bytes(i % 80)),
    ],
    ['much metadata', { value: 'i16', metadata: { text: 'm'.repeat(9000) } }, numbered(30, words, (i) => 0 - i)],
    ['two entries', { value: 'json' }, numbered(2, words, (i) => ({ i, text: 'tab\tand line\nend' }))],
  ];
}

export async function makeSamples(folder: string): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const { name, options, entries } of FIXTURES) {
    // The model here is of keys that are bytes and of plain values.
    if (options.key === undefined && typeof options.value === 'string')
      samples.push(await make(folder, name, options as BuildOptions, entries as Pairs));
  }
  for (const [name, options, entries] of tables(new Random(77))) {
    samples.push(await make(folder, name, options, entries));
  }
  return samples;
}

async function make(folder: string, name: string, options: BuildOptions, entries: Pairs): Promise<Sample> {
  const path = await libraryTable(folder, entries, options);
  const bytes = readFileSync(path);
  const reader = new ReferenceReader(bytes);
  const { header } = reader;
  const values = new Map(Array.from(entries, ([key, value]) => [latin1(Buffer.from(key as string)), value]));
  const answers = Array.from(reader.entries(), ({ key, value, offset }) => ({
    key: Buffer.from(key),
    value: values.get(latin1(key)),
    raw: Buffer.from(value),
    at: offset,
    end: value.byteOffset - bytes.byteOffset + value.length,
  }));
  const byKey = new Map(answers.map((answer) => [latin1(answer.key), answer]));
  if (byKey.size !== values.size) throw new Error(`${name}: ${byKey.size} keys of ${values.size}`);
  return {
    name,
    path,
    bytes,
    header,
    valueType: VALUE_TYPES.find((type) => TYPE_CODES[type] === header.valueType)!,
    parts: partsOf(header, bytes.length),
    answers,
    byKey,
    strings: answers.every(({ key }) => Buffer.from(key.toString()).equals(key)),
    absent: absentKeys(answers, byKey),
  };
}

function partsOf(header: ReferenceHeader, fileBytes: number): Part[] {
  const { segments, headerSize, metadataSize, checksumsOffset, bucketBits } = header;
  const table = 128 + 24 * segments.length;
  const parts: Part[] = [
    { name: 'header', start: 0, end: 128 },
    { name: 'segment table', start: 128, end: table },
    { name: 'metadata', start: table, end: table + metadataSize },
    { name: 'padding', start: table + metadataSize, end: headerSize },
  ];
  const array = 4 * (2 ** bucketBits + 1);
  for (const { offset, size } of segments) {
    const heap = offset + Math.ceil(array / PAGE) * PAGE;
    parts.push(
      { name: 'bucket array', start: offset, end: offset + array },
      { name: 'padding', start: offset + array, end: heap },
      { name: 'key heap', start: heap, end: offset + size },
      { name: 'padding', start: offset + size, end: Math.ceil((offset + size) / PAGE) * PAGE },
    );
  }
  parts.push({ name: 'checksums', start: checksumsOffset, end: fileBytes });
  return parts.filter(({ start, end }) => end > start);
}

/** Keys near those that are there: longer, shorter, changed in one letter, of the same length. */
function absentKeys(answers: readonly Answer[], byKey: ReadonlyMap<string, Answer>): Key[] {
  const keys: Key[] = ['', 'miss', 'x'.repeat(300), 'é€', Uint8Array.of(0xff, 1), 'k99999--'];
  for (const { key } of answers.slice(0, 12)) {
    if (key.length === 0) continue;
    keys.push(Buffer.concat([key, Buffer.of(0)]), Buffer.from(key.subarray(1)));
    const changed = Buffer.from(key);
    changed[changed.length >> 1]! ^= 1;
    keys.push(changed);
  }
  return keys.filter((key) => !byKey.has(latin1(Buffer.from(key as string))));
}
