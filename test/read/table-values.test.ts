// Tables against Map, by their values: each type at its ends, views, mappings, and what TypeScript knows.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { build, open, type ValueType } from '../../src/index.js';
import { MAPPINGS, WORKING } from '../support/mappings.js';
import { assertIs } from '../support/model.js';
import { Random } from '../support/random.js';
import { keysOf } from '../support/samples.js';
import { buildMap, folder, MIB, modelOf } from './table-cases.js';

describe('values', () => {
  const LENGTHS = [0, 1, 127, 128, 129, 16_383, 16_384, 16_385, 2_097_151, 2_097_152, 2_097_153];

  for (const memory of [MIB, 64 * MIB]) {
    test(`values up to 2 MiB, built with ${memory / MIB} MiB`, async () => {
      const random = new Random(21);
      const block = random.bytes(65_536);
      const bytes = new Map(
        LENGTHS.map((length) => {
          const value = Uint8Array.from({ length }, (_, i) => block[i & 0xffff]! ^ (i >> 16));
          return [`bytes ${length}`, value];
        }),
      );
      const table = open(await buildMap(bytes, { value: 'bytes', memory }), { value: 'bytes' });
      for (const [key, value] of bytes) {
        assert.ok(Buffer.compare(table.get(key)!, value) === 0, key);
        assert.ok(Buffer.compare(table.getView(key)!, value) === 0, key);
      }
      const found = table.getMany(bytes.keys());
      for (const [i, value] of [...bytes.values()].entries()) assert.ok(Buffer.compare(found[i]!, value) === 0);
      for (const [key, value] of table) assert.ok(Buffer.compare(bytes.get(key)!, value) === 0, key);
      assert.equal(
        table.header.valueBytes,
        LENGTHS.reduce((sum, length) => sum + length),
      );
      table.close();
    });
  }

  test('long text, and long JSON', async () => {
    const texts = new Map(LENGTHS.map((length) => [`text ${length}`, 'aé€'.repeat(length).slice(0, length)]));
    const table = open(await buildMap(texts, { value: 'utf8' }), { value: 'utf8' });
    for (const [key, value] of texts) assert.ok(table.get(key) === value, key);
    table.close();
    const json = new Map(LENGTHS.map((length) => [`json ${length}`, { list: ['é'.repeat(length), length] }]));
    const objects = open(await buildMap(json, { value: 'json' }), { value: 'json' });
    for (const [key, value] of json) assert.deepEqual(objects.get(key), value);
    objects.close();
  });

  test('long values that all have one length', async () => {
    for (const length of [0, 128, 40_000, 2_097_152]) {
      const values = new Map(['a', 'bb', 'ccc'].map((key, i) => [key, new Uint8Array(length).fill(i + 1)]));
      const table = open(await buildMap(values, { value: 'bytes' }), { value: 'bytes' });
      assert.equal(table.header.valueWidth, length);
      for (const [key, value] of values) assert.ok(Buffer.compare(table.get(key)!, value) === 0);
      assert.equal([...table.values()].length, 3);
      table.close();
    }
  });

  test('get gives a copy of bytes, which a caller may change', async () => {
    const path = await buildMap(
      new Map([
        ['a', Uint8Array.of(1, 2, 3)],
        ['b', new Uint8Array(9)],
      ]),
      { value: 'bytes' },
    );
    for (const mapping of WORKING) {
      const table = open(path, { value: 'bytes', mapping });
      for (const value of [table.get('a')!, table.getMany(['a'])[0]!, ...table.values()]) {
        assert.equal(value.byteLength, value.buffer.byteLength, 'nothing else is seen through the copy');
        value.fill(255);
      }
      assert.deepEqual(table.get('a'), Uint8Array.of(1, 2, 3));
      assert.deepEqual(table.getView('a'), Uint8Array.of(1, 2, 3));
      table.close();
    }
  });

  test('copies of bytes that share memory share no bytes, and stay when one is sent away', async () => {
    const lengths = [0, 1, 63, 64, 65, 66, 71, 72, 100, 200, 1000, 2047, 2048, 2049, 70_000];
    const content = (length: number) => Uint8Array.from({ length }, (_, i) => (length + i) % 251);
    const path = await buildMap(new Map(lengths.map((length) => [`${length}`, content(length)])), { value: 'bytes' });
    for (const mapping of WORKING) {
      using table = open(path, { value: 'bytes', mapping });
      const copies: Uint8Array[] = [];
      // Several pools of 64 KiB.
      for (let round = 0; round < 40; round++) for (const length of lengths) copies.push(table.get(`${length}`)!);
      for (const [i, copy] of copies.entries()) {
        const length = lengths[i % lengths.length]!;
        assert.ok(Buffer.compare(copy, content(length)) === 0, `${length}`);
        assert.ok(copy.buffer instanceof ArrayBuffer);
        copy.fill(255);
      }
      const [kept, sent] = [table.get('200')!, table.get('200')!];
      const { port1, port2 } = new MessageChannel();
      try {
        port1.postMessage(sent, [sent.buffer as ArrayBuffer]);
      } catch (error) {
        assert.equal((error as Error).name, 'DataCloneError');
      }
      for (const port of [port1, port2]) port.close();
      assert.deepEqual([...kept], [...content(200)]);
    }
  });

  test('getView gives the bytes of each type, little-endian', async () => {
    const bytesOf = async (type: ValueType, value: unknown) => {
      const table = open(await buildMap(new Map([['k', value]]), { value: type }));
      const view = Buffer.from(table.getView('k')!).toString('hex');
      table.close();
      return view;
    };
    assert.equal(await bytesOf('none', true), '');
    assert.equal(await bytesOf('bytes', Uint8Array.of(1, 255)), '01ff');
    assert.equal(await bytesOf('utf8', 'é'), 'c3a9');
    assert.equal(await bytesOf('json', { a: [1] }), Buffer.from('{"a":[1]}').toString('hex'));
    assert.equal(await bytesOf('u8', 200), 'c8');
    assert.equal(await bytesOf('i8', -2), 'fe');
    assert.equal(await bytesOf('u16', 0x1234), '3412');
    assert.equal(await bytesOf('i16', -2), 'feff');
    assert.equal(await bytesOf('u32', 0x12345678), '78563412');
    assert.equal(await bytesOf('i32', -2), 'feffffff');
    assert.equal(await bytesOf('u64', 0x0102030405060708n), '0807060504030201');
    assert.equal(await bytesOf('i64', -2n), 'feffffffffffffff');
    assert.equal(await bytesOf('f32', 1.5), '0000c03f');
    assert.equal(await bytesOf('f64', 1.5), '000000000000f83f');
    assert.equal(await bytesOf('f64', -0), '0000000000000080');
  });

  test('each NaN is written with the one pattern of the format', async () => {
    const odd32 = new Float32Array(Uint32Array.of(0xffc0_1234).buffer)[0]!;
    const odd64 = new Float64Array(BigUint64Array.of(0xfff8_0000_0000_1234n).buffer)[0]!;
    for (const nan of [Number.NaN, odd32, odd64, -Number.NaN]) {
      const f32 = open(await buildMap(new Map([['k', nan]]), { value: 'f32' }));
      assert.equal(Buffer.from(f32.getView('k')!).toString('hex'), '0000c07f');
      f32.close();
      const f64 = open(await buildMap(new Map([['k', nan]]), { value: 'f64' }));
      assert.equal(Buffer.from(f64.getView('k')!).toString('hex'), '000000000000f87f');
      f64.close();
    }
  });

  test('a set says true for what it has', async () => {
    const path = join(folder, 'set.hmap');
    await build(path, new Set(['a', 'b']), { value: 'none' });
    const table = open(path, { value: 'none' });
    assert.deepEqual([table.get('a'), table.get('c'), table.has('b')], [true, undefined, true]);
    assert.deepEqual(
      new Map(table),
      new Map([
        ['a', true],
        ['b', true],
      ]),
    );
    assert.equal(table.getView('a')?.length, 0);
    table.close();
  });
});

describe('mappings', () => {
  for (const [mapping, skip] of MAPPINGS) {
    test(`a table through ${mapping}`, { skip }, async () => {
      const random = new Random(99);
      const model = modelOf('json', keysOf('mixed', 500, random), random);
      const path = await buildMap(model, { value: 'json' });
      const table = open(path, { mapping });
      assert.equal(table.mapping, mapping);
      assert.equal(table.path, path);
      assertIs(table, model);
      table.close();
    });
  }
});

describe('types', () => {
  test('TypeScript knows the values and the keys', async () => {
    const path = await buildMap(new Map([['a', 1]]), { value: 'u32' });
    const numbers = open(path, { value: 'u32' });
    const number: number | undefined = numbers.get('a');
    const many: (number | undefined)[] = numbers.getMany(['a', 'b']);
    const pairs: [string, number][] = [...numbers];
    const map: ReadonlyMap<string, number> = numbers;
    // @ts-expect-error a number is no string
    const wrong: string | undefined = numbers.get('a');
    assert.deepEqual([number, many, pairs, map.get('a'), wrong], [1, [1, undefined], [['a', 1]], 1, 1]);
    numbers.close();

    const bytes = open(path, { value: 'u32', key: 'bytes' });
    const keys: Uint8Array[] = [...bytes.keys()];
    // @ts-expect-error keys are bytes here
    const texts: string[] = [...bytes.keys()];
    assert.deepEqual(keys, texts);
    bytes.close();

    const any = open(path);
    const unknown: unknown = any.get('a');
    // @ts-expect-error without the option the type is not known
    const guess: number | undefined = any.get('a');
    assert.equal(unknown, guess);
    any.close();

    // @ts-expect-error text for a table of numbers
    const build1 = () => build(path, [['a', 'text']], { value: 'u32' });
    // @ts-expect-error a number for a table of BigInts
    const build2 = () => build(path, [['a', 1]], { value: 'u64' });
    // @ts-expect-error the type must be given
    const build3 = () => build(path, [['a', 1]], {});
    for (const act of [build1, build2, build3]) await assert.rejects(act());
  });
});
