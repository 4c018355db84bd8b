// Holds native-notes/hmap.ksy, the format for Kaitai Struct, to the golden files: what the reader that Kaitai's compiler
// makes of it finds is what ours finds.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { type HashHeader, type Header, inspectBucket, type KeylessHeader, open } from '../../src/index.js';
import { scanFile } from '../../src/inspect/scan-file.js';
import { fileHeader } from '../../src/storage/open-file.js';
import { PACKAGE_ROOT } from '../support/root.js';

const FIXTURES = join(PACKAGE_ROOT, 'test/conformance/fixtures');
const names = readdirSync(FIXTURES).filter((name) => name.endsWith('.hmap'));
const require = createRequire(import.meta.url);

/** What Kaitai's reader gives. */
interface Kaitai {
  header: Record<string, number | string | Uint8Array> & {
    segments: {
      ofs: number;
      len: number;
      numEntries: number;
      heap?: { records: { key: Uint8Array; value: Uint8Array }[] };
      elements?: {
        texts?: { content: Uint8Array }[];
        f4?: number[];
        f8?: number[];
        packed?: Uint8Array;
      };
      bits?: Uint8Array;
    }[];
  };
  dictionary?: { strings: { text: Uint8Array }[] };
  index?: { anchor: number; offsets: { value: number }[] }[];
  longFingerprints?: { segment: number; position: number; hash: Uint8Array }[];
  checksums: Uint8Array[];
}

type MakeReader = new (stream: object) => Kaitai;

describe('the format for Kaitai Struct', () => {
  let Reader: MakeReader;
  let stream: (bytes: Uint8Array) => object;
  before(async () => {
    const compiler = require('kaitai-struct-compiler') as {
      compile(language: string, spec: unknown, importer: null, isDebug: boolean): Promise<Record<string, string>>;
    };
    const spec = parse(readFileSync(join(PACKAGE_ROOT, 'native-notes/hmap.ksy'), 'utf8'));
    const made = await compiler.compile('javascript', spec, null, false);
    const exported: { Hmap?: { Hmap: MakeReader } | MakeReader } = {};
    new Function('require', 'module', 'exports', made['Hmap.js']!)(require, { exports: exported }, exported);
    Reader = (exported.Hmap as { Hmap: MakeReader }).Hmap ?? (exported as { Hmap: MakeReader }).Hmap;
    const { KaitaiStream } = require('kaitai-struct') as { KaitaiStream: new (bytes: ArrayBuffer) => object };
    stream = (bytes) => new KaitaiStream(Uint8Array.from(bytes).buffer);
  });

  for (const name of names) {
    test(basename(name), async () => {
      const path = join(FIXTURES, name);
      const file = readFileSync(path);
      const read = new Reader(stream(file));
      const header = fileHeader(path);
      assertHeader(read, header, file);
      if (header.layout === 'hash') await assertTable(read, header, path);
      else assertKeyless(read, header, path);
    });
  }
});

function assertHeader({ header, checksums }: Kaitai, own: Header, file: Buffer): void {
  const { headerSize, fileSize, numEntries, keyBytes, valueBytes, segmentBits, metadata } = header;
  assert.deepEqual(
    [headerSize, fileSize, numEntries, keyBytes, valueBytes, segmentBits],
    [own.headerBytes, own.fileBytes, own.entries, own.keyBytes, own.valueBytes, own.segmentBits],
  );
  assert.deepEqual(metadata === '' ? {} : JSON.parse(String(metadata)), own.metadata);
  assert.deepEqual(
    header.segments.map(({ ofs, len, numEntries: entries }) => ({ offset: ofs, bytes: len, entries })),
    own.segments,
  );
  assert.equal(checksums.length, own.checksums.bytes / 8);
  assert.deepEqual(Buffer.concat(checksums), file.subarray(own.checksums.offset));
  if (own.layout !== 'hash') {
    assert.equal(header.base, own.base);
    return;
  }
  assert.deepEqual(
    [header.hashSeed, header.shardBits, header.shardIndex, header.narrowed, header.fingerprintBits],
    [own.hash.seed, own.shard.bits, own.shard.index, own.narrowed ? 1 : 0, own.fingerprint?.bits ?? 0],
  );
}

async function assertTable({ header, dictionary, index, longFingerprints }: Kaitai, own: HashHeader, path: string) {
  const records = header.segments.flatMap(({ heap }) => heap?.records ?? []);
  assert.equal(records.length, own.entries);
  const strings = dictionary?.strings.map(({ text }) => text);
  assert.equal(strings?.length, own.dictionary?.count);
  assert.equal(longFingerprints?.length ?? 0, own.fingerprint?.long.count ?? 0);
  if (own.fingerprint === null) {
    let at = 0;
    await scanFile(path, 'touch', async (scan) => {
      while (scan.step()) {
        const { key, value } = scan as Extract<typeof scan, { layout: 'hash' }>;
        const one = records[at++]!;
        assert.ok(Buffer.from(one.key).equals(key.buffer.bytes.subarray(key.at, key.at + key.length)));
        const bytes = Buffer.from(one.value);
        const found =
          strings === undefined
            ? bytes
            : Buffer.from(strings[bytes.length === 0 ? 0 : bytes.readUIntLE(0, bytes.length)]!);
        assert.ok(found.equals(value.buffer.bytes.subarray(value.at, value.at + value.length)));
      }
    });
    assert.equal(at, records.length);
  }
  const buckets = (own.segments.length * own.eighths * 2 ** own.bucketBits) / 8;
  assert.equal(index!.length, buckets / 32);
  const unit = own.keyWidth === null || own.valueWidth === null ? 1 : own.keyWidth + own.valueWidth;
  if (own.fingerprint !== null) return;
  const step = Math.ceil(buckets / 200);
  for (let bucket = 0; bucket < buckets; bucket += step) {
    const { start, end, segment } = inspectBucket(path, bucket);
    const { anchor, offsets } = index![Math.floor(bucket / 32)]!;
    const place = (slot: number) => own.segments[segment]!.offset + (anchor + offsets[slot]!.value) * unit;
    assert.deepEqual([place(bucket % 32), place((bucket % 32) + 1)], [start, end], `bucket ${bucket}`);
  }
}

function assertKeyless({ header }: Kaitai, own: KeylessHeader, path: string): void {
  if (own.layout === 'bits') {
    for (const [i, { bits }] of header.segments.entries()) assert.equal(bits!.length, own.segments[i]!.bytes);
    return;
  }
  const list = open(path, { layout: 'list' });
  const elements = header.segments.map((segment) => segment.elements!);
  const numbers = elements.flatMap(({ f4, f8 }) => [...(f4 ?? f8 ?? [])]);
  const texts = elements.flatMap(({ texts: each }) => each ?? []);
  if (own.valueType === 'f32' || own.valueType === 'f64') assert.deepEqual(numbers, [...list]);
  else if (own.valueType === 'utf8')
    assert.deepEqual(
      texts.map(({ content }) => Buffer.from(content).toString()),
      [...list],
    );
  else if (own.valueType === 'bytes') {
    assert.deepEqual(
      texts.map(({ content }) => Buffer.from(content)),
      [...list].map((each) => Buffer.from(each as Uint8Array)),
    );
  } else {
    const bytes = Buffer.concat(elements.map(({ packed }) => packed!));
    assert.equal(bytes.length, own.valueBytes);
  }
  list.close();
}
