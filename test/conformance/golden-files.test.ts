// Golden files: today's builder makes the same bytes, the reader written from the spec alone agrees on every entry, and
// the spec's worked example is what the builder makes.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type BitsBuildOptions, build, type Key, open, verify } from '../../src/index.js';
import { FIXTURES, fixturePath, KEYLESS_FIXTURES, openEither } from '../support/fixtures.js';
import { encodeKey } from '../support/raw-table.js';
import { PACKAGE_ROOT } from '../support/root.js';
import { SHARD_FIXTURE } from '../support/shards.js';
import { temporaryFolder } from '../support/temp.js';
import { ReferenceKeyless } from './reference-keyless.js';
import { ReferenceReader } from './reference-reader.js';

describe('golden files', () => {
  test('there is one for each fixture, and no other', () => {
    const files = readdirSync(fixturePath('')).filter((name) => name.endsWith('.hmap'));
    assert.deepEqual(
      files.sort(),
      [...FIXTURES, ...KEYLESS_FIXTURES, SHARD_FIXTURE].map(({ name }) => `${name}.hmap`).sort(),
    );
  });

  for (const { name, options, entries } of FIXTURES) {
    const path = fixturePath(`${name}.hmap`);

    test(`${name}: a build from shuffled entries makes the same bytes`, async (t) => {
      const folder = temporaryFolder(t);
      const shuffled = entries.map((entry, i) => ({ entry, rank: Math.imul(i + 1, 0x9e3779b1) >>> 0 }));
      shuffled.sort((a, b) => a.rank - b.rank);
      const rebuilt = join(folder, 'rebuilt.hmap');
      await build(rebuilt, shuffled.map(({ entry }) => entry) as never, options);
      assert.ok(readFileSync(rebuilt).equals(readFileSync(path)), 'the bytes differ');
    });

    test(`${name}: verify finds nothing, and neither does the reference reader`, async () => {
      const { findings, entries: found } = await verify(path);
      assert.deepEqual(findings, []);
      assert.equal(found, entries.length);
      assert.deepEqual(new ReferenceReader(path).check(), []);
    });

    test(`${name}: the reference reader and the library agree on every entry`, () => {
      const reference = new ReferenceReader(path);
      using table = openEither(path, { key: 'bytes' });
      using typed = openEither(path);
      const { keyType } = table.header;
      assert.equal(reference.header.entries, entries.length);
      assert.deepEqual(reference.header.metadata ?? {}, options.metadata ?? {});
      for (const [key, value] of entries) {
        const bytes = encodeKey(keyType, key);
        const stored = reference.get(bytes);
        if (keyType !== 'bytes') assert.deepEqual(reference.decodeKey(bytes), key);
        assert.ok(stored !== undefined, `the reference reader misses ${String(key)}`);
        const expected =
          value instanceof Uint8Array
            ? Buffer.from(value)
            : options.value === 'none'
              ? true
              : rounded(options.value as string, value);
        assert.deepEqual(reference.decode(stored), expected);
        for (const got of [table.get(bytes), typed.get(key as Key)]) {
          assert.deepEqual(got instanceof Uint8Array ? Buffer.from(got) : got, expected);
        }
      }
      assert.equal(typed.size, entries.length);
      if (options.fingerprint !== undefined) return;
      const theirs = Array.from(reference.entries(), ({ key, value }) => [key.toString('hex'), value.toString('hex')]);
      const ours = Array.from(table.keys(), (key) => [
        Buffer.from(key).toString('hex'),
        Buffer.from(table.getView(key)!).toString('hex'),
      ]);
      // A view of an enum is of the string, not of its number.
      const seen = ({ key, value }: { key: Buffer; value: Buffer }) => [
        key,
        Buffer.from(String(reference.decode(value))),
      ];
      const views = Array.from(reference.entries(), (entry) => seen(entry).map((bytes) => bytes.toString('hex')));
      assert.deepEqual(ours, options.value === 'enum' ? views : theirs);
    });
  }
});

describe('golden files without keys', () => {
  for (const { name, options, values, segments } of KEYLESS_FIXTURES) {
    const path = fixturePath(`${name}.hmap`);

    test(`${name}: a build makes the same bytes, verify and the reference reader find nothing`, async (t) => {
      const rebuilt = join(temporaryFolder(t), 'rebuilt.hmap');
      const inOrder = options.layout === 'list' ? values : [...values].reverse();
      await build(rebuilt, inOrder as number[], options as BitsBuildOptions);
      assert.ok(readFileSync(rebuilt).equals(readFileSync(path)), 'the bytes differ');
      assert.deepEqual((await verify(path)).findings, []);
      assert.deepEqual(new ReferenceKeyless(path).check(), []);
    });

    test(`${name}: the reference reader and the library agree`, () => {
      const reference = new ReferenceKeyless(path);
      assert.equal(reference.header.segments.length, segments);
      const expected = options.layout === 'list' ? values : [...new Set(values)].sort((a, b) => Number(a) - Number(b));
      const plain = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value) : value);
      assert.deepEqual(reference.values().map(plain), expected.map(plain));
      const opened = options.layout === 'list' ? open(path, { layout: 'list' }) : open(path, { layout: 'bits' });
      assert.deepEqual([...opened].map(plain), expected.map(plain));
      assert.equal(opened.length, reference.length);
      assert.equal(opened.base, reference.header.base);
      opened.close();
    });
  }
});

function rounded(type: string, value: unknown): unknown {
  return type === 'f32' ? Math.fround(value as number) : value;
}

describe('the spec', () => {
  const spec = readFileSync(join(PACKAGE_ROOT, 'native-notes/format.md'), 'utf8');

  test('its worked example is the file that the builder makes', () => {
    const example = spec.slice(spec.indexOf('## 13.'), spec.indexOf('## 14.'));
    const file = readFileSync(fixturePath('example.hmap'));
    const shown = new Set<number>();
    for (const [, offset, hex] of example.matchAll(/^ {4}([0-9a-f]{8}) {2}((?:[0-9a-f]{2} ?)+)/gm)) {
      const bytes = Buffer.from(hex!.replaceAll(' ', ''), 'hex');
      const at = Number.parseInt(offset!, 16);
      assert.deepEqual(bytes.toString('hex'), file.subarray(at, at + bytes.length).toString('hex'), `at ${offset}`);
      for (let i = 0; i < bytes.length; i++) shown.add(at + i);
    }
    for (let i = 0; i < file.length; i++) {
      assert.ok(shown.has(i) || file[i] === 0, `the byte at ${i} is not zero and not in the example`);
    }
  });

  test('its header table has the offsets of the code', async () => {
    const { ENUM_HEADER, HEADER } = await import('../../src/format/constants.js');
    const all = [...spec.matchAll(/^\| (\d+) \| (\d+) \| ([a-z ]+) \|/gm)].slice(0, 41);
    const isEnum = (name: string) => name === 'distinct values' || name === 'dictionary size';
    const rows = all.filter(([, , , name]) => !isEnum(name!));
    const offsets = rows.map(([, offset]) => Number(offset));
    const { segmentTable, ...others } = HEADER;
    assert.deepEqual(offsets, Object.values(others));
    const last = rows.at(-1)!;
    assert.equal(Number(last[1]) + Number(last[2]), segmentTable);
    const enums = all.filter(([, , , name]) => isEnum(name!)).map(([, offset, size]) => [Number(offset), Number(size)]);
    assert.deepEqual(enums, [
      [ENUM_HEADER.distinct, 4],
      [ENUM_HEADER.dictionaryBytes, 8],
    ]);
  });
});
