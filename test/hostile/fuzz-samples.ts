// The files that fuzzing damages: each with its bytes, where its parts lie, and what it must answer. What it must
// answer is what it was built of, in the order in which the reference readers find it, never what the library reads.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AnyKey,
  type BitsBuildOptions,
  type BuildOptions,
  build,
  type KeyType,
  type ListBuildOptions,
  type StoredType,
  type ValueChoice,
  type ValueType,
} from '../../src/index.js';
import { ReferenceKeyless } from '../conformance/reference-keyless.js';
import { type ReferenceHeader, ReferenceReader } from '../conformance/reference-reader.js';
import { FIXTURES, KEYLESS_FIXTURES } from '../support/fixtures.js';
import type { Random } from '../support/random.js';
import { encodeKey, KEY_TYPES } from '../support/raw-table.js';
import { TYPE_CODES, VALUE_TYPES } from '../support/samples.js';
import { libraryTable, type Pairs } from '../support/tools.js';
import { type KeylessContent, keylessContents, type TableContent, tableContents } from './fuzz-contents.js';

export const PAGE = 4096;
export const BLOCK = 65_536;

/** The forms of file. Each gets as many of the inputs as the others. */
export const FORMS = [
  'tables',
  'packed values',
  'enum values',
  'typed keys',
  'fingerprints',
  'lists',
  'bit arrays',
] as const;
export type Form = (typeof FORMS)[number];

/** Value types of the form `packed values`; structs are among them, too. */
const PACKED: readonly unknown[] = ['uint', 'u24', 'u40', 'u48'];

function formOf({ key = 'bytes', value, fingerprint }: BuildOptions<ValueChoice>): Form {
  if (fingerprint !== undefined) return 'fingerprints';
  if (value === 'enum') return 'enum values';
  if (key !== 'bytes') return 'typed keys';
  return typeof value === 'object' || PACKED.includes(value) ? 'packed values' : 'tables';
}

/** What a table says of one key. */
export interface Answer {
  key: Buffer;
  value: unknown;
  /** Bytes of the value in the record; and those that a view shows. */
  raw: Buffer;
  view: Buffer;
  /** Where the record lies in the file, `[at, end)`. */
  at: number;
  end: number;
}

/** A part of a file, `[start, end)`. The index of a list or a bit array is its offsets, or its counts. */
export interface Part {
  name:
    | 'header'
    | 'segment table'
    | 'metadata'
    | 'schema'
    | 'lines'
    | 'key heap'
    | 'index'
    | 'elements'
    | 'dictionary'
    | 'long fingerprints'
    | 'padding'
    | 'checksums';
  start: number;
  end: number;
}

interface File {
  form: Form;
  name: string;
  path: string;
  bytes: Buffer;
  header: ReferenceHeader;
  parts: Part[];
  /** Entries, elements or ones. */
  entries: number;
}

export interface TableSample extends File {
  layout: 'hash';
  keyType: KeyType;
  valueType: StoredType;
  /** Whether it has fingerprints in place of keys. */
  fingerprint: boolean;
  /** What it was built with. */
  built: BuildOptions<ValueChoice>;
  /** In the order of the file. */
  answers: Answer[];
  /** By the key's bytes, in Latin-1. */
  byKey: Map<string, Answer>;
  /** Whether each key can be iterated over as what it is when nothing is asked for: a string, or of the key type. */
  strings: boolean;
  absent: Buffer[];
}

export interface KeylessSample extends File {
  layout: 'list' | 'bits';
  built: ListBuildOptions | BitsBuildOptions;
  base: number;
  length: number;
  /** Elements, or integers in rising order. */
  values: readonly unknown[];
  /** Of a bit array. */
  set: ReadonlySet<unknown>;
}

export type Sample = TableSample | KeylessSample;

/** Bytes as a key of a Map. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/**
 * One of the samples, each form as likely as the next, however many it has; those of several blocks more often than
 * there are of them.
 */
export function anySample<S extends Sample>(samples: readonly S[], random: Random): S {
  const form = random.pick([...new Set(samples.map((sample) => sample.form))]);
  const own = samples.filter((sample) => sample.form === form);
  const large = own.filter(({ header }) => header.checksumsSize > 8);
  return random.pick(large.length > 0 && random.below(3) === 0 ? large : own);
}

export async function makeSamples(folder: string): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const content of [...FIXTURES, ...tableContents()]) samples.push(await makeTable(folder, content));
  for (const content of [...KEYLESS_FIXTURES, ...keylessContents()]) {
    const path = join(folder, `plain-${samples.length}.hmap`);
    samples.push(await makeKeyless(path, content));
  }
  return samples;
}

async function makeTable(folder: string, { name, options, entries }: TableContent): Promise<TableSample> {
  const path = await libraryTable(folder, entries as Pairs, options as BuildOptions);
  const bytes = readFileSync(path);
  const reader = new ReferenceReader(bytes);
  const { header } = reader;
  const keyType = KEY_TYPES[header.keyType]!;
  const values = new Map(entries.map(([key, value]) => [latin1(encodeKey(keyType, key)), value]));
  const isFingerprint = options.fingerprint !== undefined;
  // What was built of is the only one to know the keys then.
  const records = isFingerprint
    ? entries.map(([key]) => ({ ...reader.locate(encodeKey(keyType, key))!, key: encodeKey(keyType, key) }))
    : [...reader.entries()];
  records.sort((a, b) => a.offset - b.offset);
  const answers = records.map(({ key, value, offset }) => ({
    key: Buffer.from(key),
    value: values.get(latin1(key)),
    raw: Buffer.from(value),
    view: Buffer.from(options.value === 'enum' ? (values.get(latin1(key)) as string) : value),
    at: offset,
    end: value.byteOffset - bytes.byteOffset + value.length,
  }));
  const byKey = new Map(answers.map((answer) => [latin1(answer.key), answer]));
  if (byKey.size !== values.size) throw new Error(`${name}: ${byKey.size} keys of ${values.size}`);
  return {
    form: formOf(options),
    layout: 'hash',
    name,
    path,
    bytes,
    header,
    keyType,
    valueType: storedType(header),
    fingerprint: isFingerprint,
    built: options,
    parts: tableParts(header, bytes.length),
    entries: answers.length,
    answers,
    byKey,
    strings: keyType !== 'bytes' || answers.every(({ key }) => Buffer.from(key.toString()).equals(key)),
    absent: absentKeys(answers, byKey).filter((key) => !isFingerprint || reader.get(key) === undefined),
  };
}

function storedType({ valueType, schemaSize, schema }: ReferenceHeader): StoredType {
  if (schemaSize > 0) return `struct(${schema})`;
  return VALUE_TYPES.find((type) => TYPE_CODES[type] === valueType) as ValueType;
}

async function makeKeyless(path: string, { name, options, values }: KeylessContent): Promise<KeylessSample> {
  await build(path, values as never, { memory: 2 ** 20, ...options } as never);
  const bytes = readFileSync(path);
  const reader = new ReferenceKeyless(bytes);
  const { header, length } = reader;
  const isList = options.layout === 'list';
  const ones = new Set(isList ? [] : values);
  const model = isList ? values : [...ones].sort((a, b) => Number(a) - Number(b));
  if (header.entries !== model.length) throw new Error(`${name}: ${header.entries} entries of ${model.length}`);
  return {
    form: isList ? 'lists' : 'bit arrays',
    layout: options.layout,
    name,
    path,
    bytes,
    header,
    parts: keylessParts(reader, bytes.length),
    built: options,
    entries: model.length,
    base: header.base,
    length,
    values: model,
    set: ones,
  };
}

function headerParts({ segments, headerSize, metadataSize, schemaSize }: ReferenceHeader): Part[] {
  const table = 192 + 24 * segments.length;
  const behind = table + metadataSize + schemaSize;
  return [
    { name: 'header', start: 0, end: 192 },
    { name: 'segment table', start: 192, end: table },
    { name: 'metadata', start: table, end: table + metadataSize },
    { name: 'schema', start: table + metadataSize, end: behind },
    { name: 'padding', start: behind, end: headerSize },
  ];
}

const align = (x: number): number => Math.ceil(x / 8) * 8;
const there = ({ start, end }: Part): boolean => end > start;

function tableParts(header: ReferenceHeader, fileBytes: number): Part[] {
  const parts = headerParts(header);
  for (const { offset, size } of header.segments) {
    parts.push(
      { name: 'key heap', start: offset, end: offset + size },
      { name: 'padding', start: offset + size, end: align(offset + size) },
    );
  }
  const { offset, size } = header.dictionary;
  const { indexOffset, indexSize, checksumsOffset } = header;
  parts.push(
    { name: 'dictionary', start: offset, end: offset + size },
    { name: 'padding', start: offset + size, end: align(offset + size) },
    { name: 'long fingerprints', start: header.long.offset, end: header.long.offset + 16 * header.long.count },
    { name: 'lines', start: indexOffset, end: indexOffset + indexSize },
    { name: 'padding', start: indexOffset + indexSize, end: checksumsOffset },
    { name: 'checksums', start: checksumsOffset, end: fileBytes },
  );
  return parts.filter(there);
}

function keylessParts(reader: ReferenceKeyless, fileBytes: number): Part[] {
  const { header } = reader;
  const parts = headerParts(header);
  for (let i = 0; i < header.segments.length; i++) {
    const { index, elements } = reader.places(i);
    parts.push(
      { name: 'index', start: index[0], end: index[1] },
      { name: 'padding', start: index[1], end: elements[0] },
      { name: 'elements', start: elements[0], end: elements[1] },
      { name: 'padding', start: elements[1], end: align(elements[1]) },
    );
  }
  parts.push({ name: 'checksums', start: header.checksumsOffset, end: fileBytes });
  return parts.filter(there);
}

/** Keys near those that are there: longer, shorter, changed in one letter, of the same length. */
function absentKeys(answers: readonly Answer[], byKey: ReadonlyMap<string, Answer>): Buffer[] {
  const keys: Buffer[] = ['', 'miss', 'x'.repeat(300), 'é€', 'k99999--'].map((key) => Buffer.from(key));
  keys.push(Buffer.of(0xff, 1));
  for (const { key } of answers.slice(0, 12)) {
    if (key.length === 0) continue;
    keys.push(Buffer.concat([key, Buffer.of(0)]), Buffer.from(key.subarray(1)));
    const changed = Buffer.from(key);
    changed[changed.length >> 1]! ^= 1;
    keys.push(changed);
  }
  return keys.filter((key) => !byKey.has(latin1(key)));
}

/** Bytes as a key of a type, which some types need cut or filled up. */
export function keyOfBytes(type: KeyType, bytes: Uint8Array): AnyKey {
  const room = (length: number) => Buffer.concat([bytes, Buffer.alloc(length)]).subarray(0, length);
  if (type === 'u32') return room(4).readUInt32LE();
  if (type === 'u64') return room(8).readBigUInt64LE();
  if (type === 'i64') return room(8).readBigInt64LE();
  const hex = room(16).toString('hex');
  if (type === 'uuid') return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  return type === 'hex' ? Buffer.from(bytes).toString('hex') : Buffer.from(bytes);
}
