// Tables against Map, by their keys: of every kind and length, as strings and as bytes, with one hash.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Key, open } from '../../src/index.js';
import { collidingStrings, keyWithHash } from '../support/collisions.js';
import { hmapError, misuse } from '../support/errors.js';
import { WORKING } from '../support/mappings.js';
import { assertIs } from '../support/model.js';
import { Random } from '../support/random.js';
import { EXTREMES, fileOrder, KEY_KINDS, keysOf, oracle, VALUE_TYPES } from '../support/samples.js';
import { buildMap, modelOf } from './table-cases.js';

describe('tables of each value type', () => {
  for (const [i, type] of VALUE_TYPES.entries()) {
    test(`${type}: 0 to 32 entries`, async () => {
      const random = new Random(i);
      for (let count = 0; count <= 32; count++) {
        const model = modelOf(type, keysOf(KEY_KINDS[count % KEY_KINDS.length]!, count, random), random);
        const path = await buildMap(model, { value: type });
        const table = open(path, { mapping: WORKING[count % WORKING.length]! });
        assert.equal(table.header.valueType, type);
        assertIs(table, model);
        table.close();
      }
    });

    test(`${type}: some thousand entries`, async () => {
      const random = new Random(100 + i);
      const seed = random.u32();
      const model = modelOf(type, keysOf('mixed', 1500 + 100 * i, random), random);
      const path = await buildMap(model, { value: type, seed });
      for (const mapping of WORKING) {
        const table = open(path, { mapping });
        assert.equal(table.mapping, mapping);
        assertIs(table, model, seed);
        table.close();
      }
    });

    test(`${type}: values at the edges`, async () => {
      const model = new Map<string, unknown>(EXTREMES[type].map((value, n) => [`value ${n}`, value]));
      const path = await buildMap(model, { value: type });
      const table = open(path);
      assertIs(table, model);
      table.close();
    });
  }
});

describe('keys', () => {
  for (const kind of KEY_KINDS) {
    test(`keys of the kind '${kind}', with values of one width and of many`, async () => {
      const random = new Random(7);
      for (const type of ['u16', 'utf8', 'none'] as const) {
        const model = modelOf(type, keysOf(kind, 700, random), random);
        const table = open(await buildMap(model, { value: type }));
        assertIs(table, model);
        table.close();
      }
    });
  }

  test('keys of one length, for each length up to 40', async () => {
    const random = new Random(8);
    for (let length = 1; length <= 40; length++) {
      const keys = new Set<string>();
      while (keys.size < Math.min(60, 36 ** length)) keys.add(random.text(length));
      const model = modelOf('u32', [...keys], random);
      const table = open(await buildMap(model, { value: 'u32' }));
      assert.equal(table.header.keyWidth, length);
      assertIs(table, model);
      for (const key of keys) {
        for (let at = 0; at < length; at++) {
          const other = `${key.slice(0, at)}#${key.slice(at + 1)}`;
          assert.equal(table.get(other), undefined, 'keys that differ in one byte');
        }
      }
      table.close();
    }
  });

  test('keys of each length from 0 to 300, that begin one another', async () => {
    const model = new Map(Array.from({ length: 301 }, (_, i) => ['y'.repeat(i), i] as const));
    const table = open(await buildMap(model, { value: 'u16' }));
    assert.equal(table.header.keyWidth, null);
    assertIs(table, model);
    table.close();
  });

  test('an empty key, alone and among others', async () => {
    for (const model of [
      new Map([['', 'empty']]),
      new Map([
        ['', 'empty'],
        ['\0', 'NUL'],
        ['\0\0', 'two'],
      ]),
    ]) {
      const table = open(await buildMap(model, { value: 'utf8' }));
      assert.equal(table.get(''), 'empty');
      assert.equal(table.get(new Uint8Array(0)), 'empty');
      assertIs(table, model);
      table.close();
    }
  });

  test('the longest keys', async () => {
    const longest = 'k'.repeat(65_534);
    const model = new Map([
      ['a', 1],
      [longest, 2],
      [`${longest}x`, 3],
      [`${longest}y`, 4],
      ['é'.repeat(32_767), 5],
    ]);
    const table = open(await buildMap(model, { value: 'u8' }));
    assertIs(table, model);
    assert.equal(table.get(`${longest}z`), undefined);
    table.close();
    const shared = new Map([
      [`${longest}x`, 3],
      [`${longest}y`, 4],
    ]);
    const fixed = open(await buildMap(shared, { value: 'u8' }));
    assert.equal(fixed.header.keyWidth, 65_535);
    assertIs(fixed, shared);
    fixed.close();
  });

  test('a key with half a surrogate pair never is a key with U+FFFD', async () => {
    const model = new Map([
      ['\ufffd', 1],
      ['a\ufffd', 2],
      ['\ufffd'.repeat(80), 3],
      ['\ufffd\ufffd', 4],
    ]);
    const table = open(await buildMap(model, { value: 'u8' }));
    assertIs(table, model);
    for (const half of ['\ud800', 'a\udfff', '\ud800'.repeat(80), '\udc00\ud800', '\ufffd\ud800']) {
      assert.equal(table.get(half), undefined);
      assert.equal(table.has(half), false);
      assert.equal(table.getView(half), undefined);
      assert.deepEqual(table.getMany([half, '\ufffd', half]), [undefined, 1, undefined]);
    }
    table.close();
  });

  test('arguments that are no keys are refused', async () => {
    const table = open(await buildMap(new Map([['1', 1]]), { value: 'u8' }));
    for (const bad of [undefined, null, 1, 1n, {}, ['1'], new Uint16Array(1)] as unknown as Key[]) {
      const refused = misuse(/^key: expected a string or a Uint8Array/);
      assert.throws(() => table.get(bad), refused);
      assert.throws(() => table.has(bad), refused);
      assert.throws(() => table.getView(bad), refused);
      assert.throws(() => table.getMany(['1', bad]), refused);
    }
    assert.throws(() => table.forEach(1 as never), misuse(/^callback: /));
    assert.equal(table.get('1'), 1, 'the table still works');
    table.close();
  });
});

describe('keys as bytes', () => {
  const binary = new Map([
    [Uint8Array.of(0xff, 0xfe), 1],
    [Uint8Array.of(0xed, 0xa0, 0x80), 2],
    [Uint8Array.of(0xc0, 0x80), 3],
    [new Uint8Array(100).fill(0x80), 4],
    [new Uint8Array(0), 5],
    [Uint8Array.of(0x61), 6],
  ]);

  test('are found, and are given back with key: bytes', async () => {
    const table = open(await buildMap(binary, { value: 'u8' }), { value: 'u8', key: 'bytes' });
    for (const [key, value] of binary) {
      assert.equal(table.get(key), value);
      assert.equal(table.get(Buffer.from(key)), value);
      assert.equal(table.has(key), true);
    }
    assert.deepEqual(table.getMany(binary.keys()), [...binary.values()]);
    assert.equal(table.get('a'), 6);
    const order = fileOrder(binary.keys());
    assert.deepStrictEqual([...table.keys()], order);
    assert.deepStrictEqual(
      [...table],
      order.map((key) => [key, binary.get(key)]),
    );
    table.close();
  });

  test('are copies that a caller may change', async () => {
    const table = open(
      await buildMap(
        new Map([
          ['abc', 1],
          ['abcd', 2],
        ]),
        { value: 'u8' },
      ),
      { key: 'bytes' },
    );
    for (const key of table.keys()) key.fill(0);
    for (const [key] of table) key.fill(0);
    assert.deepEqual([...table.keys()].map((key) => Buffer.from(key).toString()).sort(), ['abc', 'abcd']);
    table.close();
  });

  test('that are no UTF-8 end an iteration over strings, and the error says what to do', async () => {
    const model = new Map<Key, number>([
      ['a', 1],
      [Uint8Array.of(0xff, 0x61), 2],
      ['b', 3],
    ]);
    const path = await buildMap(model, { value: 'u8' });
    const table = open(path);
    const refused = hmapError('HMAP_KEY_NOT_UTF8', {
      path,
      key: Uint8Array.of(0xff, 0x61),
      message: /0xff61.*\{ key: 'bytes' \}/,
    });
    assert.throws(() => [...table.keys()], refused);
    assert.throws(() => [...table], refused);
    assert.throws(() => [...table.entries()], refused);
    assert.throws(() => table.forEach(() => {}), refused);
    assert.deepEqual([...table.values()].sort(), [1, 2, 3], 'values need no keys');
    assert.equal(table.get(Uint8Array.of(0xff, 0x61)), 2);
    assert.equal(table.get('b'), 3);
    table.close();
  });

  test('a byte order mark is a part of a key and of a value', async () => {
    const model = new Map([
      ['\ufeff', '\ufeff'],
      ['\ufeffa', 'x'],
      ['a', '\ufeffx'],
    ]);
    const table = open(await buildMap(model, { value: 'utf8' }));
    assertIs(table, model);
    table.close();
  });
});

describe('keys with one 32-bit hash', () => {
  for (const type of ['u32', 'utf8'] as const) {
    for (const [count, hash, seed] of [
      [2, 0x1234_5678, 0],
      [60, 0x89ab_cdef, 0],
      [50, 0, 7],
      [30, 0xffff_ffff, 0xffff_ffff],
    ] as const) {
      test(`${count} keys with the hash ${hash} and values ${type}`, async () => {
        const colliding = collidingStrings(count + 20, hash, seed);
        assert.ok(colliding.every((key) => oracle.h32Raw(Buffer.from(key), seed) === hash));
        const absent = colliding.slice(count);
        const others = keysOf('words', 1000, new Random(count));
        const model = new Map<string, unknown>();
        for (const key of [...colliding.slice(0, count), ...others])
          model.set(key, type === 'u32' ? model.size : `v${model.size}`);
        const path = await buildMap(model, { value: type, seed });
        const table = open(path);
        assertIs(table, model, seed);
        for (const key of absent) assert.equal(table.get(key), undefined, 'an equal hash alone is not a match');
        assert.deepEqual(
          table.getMany(absent),
          absent.map(() => undefined),
        );
        table.close();
      });
    }
  }

  test('keys of several lengths with one hash, alone in their table', async () => {
    const random = new Random(17);
    for (const hash of [0, 0x8000_0000, 0xffff_ffff]) {
      const words = [[], [random.u32()], [random.u32(), random.u32()], [random.u32()]];
      const keys = words.map((start) => keyWithHash(hash, 0, start));
      const model = new Map<Key, number>(keys.map((key, i) => [key, i]));
      const table = open(await buildMap(model, { value: 'u8' }), { key: 'bytes' });
      assert.deepEqual(
        keys.map((key) => table.get(key)),
        [0, 1, 2, 3],
      );
      assert.deepStrictEqual([...table.keys()], fileOrder(keys));
      table.close();
    }
  });
});
