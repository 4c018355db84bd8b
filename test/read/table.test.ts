// Tests tables against Map: what is built is what is found, in each way of asking, for each type, key and mapping.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { type BuildOptions, build, type Entry, type Key, open, type ValueType } from '../../src/index.js';
import { collidingStrings, keyWithHash } from '../support/collisions.js';
import { hmapError, misuse } from '../support/errors.js';
import { MAPPINGS, WORKING } from '../support/mappings.js';
import { assertIs, MISSES } from '../support/model.js';
import { Random } from '../support/random.js';
import { EXTREMES, fileOrder, KEY_KINDS, keysOf, oracle, sampleOf, VALUE_TYPES } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';

const MIB = 2 ** 20;
const folder = temporaryFolder(nodeTest);
let files = 0;

/** Builds a table of a Map; with the least memory unless the options say otherwise. */
async function buildMap(model: ReadonlyMap<Key, unknown>, options: BuildOptions): Promise<string> {
  const path = join(folder, `${files++}.hmap`);
  const summary = await build(path, model as Iterable<Entry<ValueType>>, { memory: MIB, ...options });
  assert.equal(summary.entries, model.size);
  return path;
}

function modelOf(type: ValueType, keys: readonly string[], random: Random): Map<string, unknown> {
  return new Map(keys.map((key) => [key, sampleOf(type, random)]));
}

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

describe('getMany', () => {
  const model = new Map(Array.from({ length: 1000 }, (_, i) => [`key ${i}`, i]));

  test('takes arrays, sets, generators and iterators, in their order, with misses and repetitions', async () => {
    const table = open(await buildMap(model, { value: 'u16' }), { value: 'u16' });
    const random = new Random(3);
    const keys: Key[] = [];
    for (let i = 0; i < 2000; i++) {
      const key = `key ${random.below(1300)}`;
      keys.push(i % 3 === 0 ? Buffer.from(key) : i % 50 === 0 ? '\ud800' : i % 77 === 0 ? 'x'.repeat(70_000) : key);
    }
    const expected = keys.map((key) => model.get(Buffer.from(key as string).toString()));
    assert.ok(expected.filter((value) => value === undefined).length > 300 && new Set(expected).size > 500);
    assert.deepEqual(table.getMany(keys), expected);
    assert.deepEqual(
      table.getMany(new Set(keys)),
      [...new Set(keys)].map((key) => table.get(key)),
    );
    const generator = (function* () {
      yield* keys;
    })();
    assert.deepEqual(table.getMany(generator), expected);
    assert.deepEqual(table.getMany(model.keys()), [...model.values()]);
    for (const count of [1, 255, 256, 257, 511, 512, 513]) {
      assert.deepEqual(table.getMany(keys.slice(0, count)), expected.slice(0, count));
    }
    table.close();
  });

  test('of nothing is nothing', async () => {
    const table = open(await buildMap(model, { value: 'u16' }));
    assert.deepEqual(table.getMany([]), []);
    assert.deepEqual(table.getMany(new Set<string>()), []);
    const none = new Array(600).fill('miss');
    assert.deepEqual(table.getMany(none), new Array(600).fill(undefined));
    table.close();
    const empty = open(await buildMap(new Map(), { value: 'u16' }));
    assert.deepEqual(empty.getMany(['', 'a', 'b']), [undefined, undefined, undefined]);
    assert.deepEqual([...empty], []);
    empty.close();
  });

  test('takes keys too long for one batch', async () => {
    const random = new Random(4);
    const long = new Map(
      Array.from({ length: 40 }, (_, i) => [`${i}`.padEnd(i % 3 === 0 ? 65_535 : 20_000 + i * 331, 'ab€'), i]),
    );
    const valid = new Map([...long].filter(([key]) => Buffer.byteLength(key) <= 65_535));
    assert.ok(valid.size < long.size && valid.size > 20);
    const table = open(await buildMap(valid, { value: 'u16' }), { value: 'u16' });
    const keys = random.shuffled([...long.keys(), ...long.keys(), ...MISSES, 'short', '']);
    assert.deepEqual(
      table.getMany(keys),
      keys.map((key) => valid.get(key as string)),
    );
    table.close();
  });

  test('takes only iterables of keys', async () => {
    const table = open(await buildMap(model, { value: 'u16' }));
    for (const bad of [undefined, null, 'key 1', 1, {}, () => ['a']]) {
      assert.throws(() => table.getMany(bad as never), misuse(/^keys: expected an iterable/));
    }
    assert.throws(() => table.getMany(model as never), misuse(/^key: .* an array$/));
    assert.throws(() => table.getMany(new Array(3) as never), misuse(/^key: /), 'an array with holes');
    assert.throws(() => table.getMany(Buffer.from('ab') as never), misuse(/^keys?: /));
    table.close();
  });

  test('of an iterable that closes the table is refused', async () => {
    const path = await buildMap(model, { value: 'u16' });
    for (const mapping of WORKING) {
      const table = open(path, { mapping });
      const closing = (function* () {
        yield 'key 1';
        table.close();
        yield 'key 2';
      })();
      assert.throws(() => table.getMany(closing), hmapError('HMAP_CLOSED'));
    }
  });
});

describe('several things at once', () => {
  const model = new Map(Array.from({ length: 300 }, (_, i) => [`key ${i}`, `value ${i}`]));

  test('iterations and lookups of one table do not disturb one another', async () => {
    const table = open(await buildMap(model, { value: 'utf8' }), { value: 'utf8' });
    const first = table.entries();
    const pairs = [];
    for (const key of table.keys()) {
      pairs.push(first.next().value);
      assert.equal(table.get('key 7'), 'value 7');
      assert.deepEqual(table.getMany(['key 8', 'x']), ['value 8', undefined]);
      assert.equal([...table.values()].length, 300);
      assert.equal(table.get(key), model.get(key));
    }
    assert.deepEqual(new Map(pairs as [string, string][]), model);
    assert.deepEqual(first.next(), { done: true, value: undefined });
    const asking = (function* () {
      for (const key of table.keys()) {
        assert.deepEqual(table.getMany([key, 'key 1']), [model.get(key), 'value 1']);
        yield key;
      }
    })();
    assert.deepEqual(table.getMany(asking), [...table.values()]);
    table.close();
  });

  test('an iteration may be left', async () => {
    const table = open(await buildMap(model, { value: 'utf8' }), { value: 'utf8' });
    const seen: string[] = [];
    for (const key of table.keys()) if (seen.push(key) === 5) break;
    assert.deepEqual(seen, fileOrder(model.keys()).slice(0, 5));
    assert.equal([...table].length, 300);
    table.close();
  });

  test('forEach calls with the this that it is given, and hands on what is thrown', async () => {
    const table = open(await buildMap(model, { value: 'utf8' }), { value: 'utf8' });
    const self = {};
    let calls = 0;
    table.forEach(function (this: unknown) {
      assert.equal(this, self);
      calls++;
    }, self);
    assert.equal(calls, 300);
    const thrown = new Error('of the callback');
    const throwing = () => {
      throw thrown;
    };
    assert.throws(() => table.forEach(throwing), thrown);
    assert.equal(table.get('key 1'), 'value 1');
    table.close();
  });

  test('tables with other seeds and widths are told apart', async () => {
    const a = open(await buildMap(model, { value: 'utf8', seed: 1 }), { value: 'utf8' });
    const b = open(await buildMap(new Map([['key 1', 5n]]), { value: 'u64', seed: 2 }), { value: 'u64' });
    for (let i = 0; i < 5; i++) {
      assert.deepEqual(
        [a.get('key 1'), b.get('key 1'), a.get('key 2'), b.get('key 2')],
        ['value 1', 5n, 'value 2', undefined],
      );
    }
    a.close();
    b.close();
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
        for (const key of absent) assert.equal(table.get(key), undefined, 'the hash alone is no match');
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
