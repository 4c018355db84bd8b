// Tests typed keys (u32, u64, i64, uuid, hex) through the library: against a model, at the ends of each type, and what
// is refused.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { xxh32 } from '../../src/base/xxh32.js';
import { keyHash } from '../../src/codec/hash-key.js';
import { scratch } from '../../src/codec/keys.js';
import { KEY_HASHERS } from '../../src/codec/typed-keys.js';
import type { TypedKey } from '../../src/format/key-types.js';
import {
  type AnyKey,
  build,
  type Entry,
  inspectKey,
  type KeyArgument,
  type KeyType,
  open,
  stat,
  type Table,
  verify,
} from '../../src/index.js';
import { ReferenceReader } from '../conformance/reference-reader.js';
import { hmapError, misuse } from '../support/errors.js';
import { Random } from '../support/random.js';
import { canonicalParts, compose, encodeKey } from '../support/raw-table.js';
import { oracle } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
let names = 0;
const fresh = () => join(folder, `${names++}.hmap`);

const TYPES: readonly TypedKey[] = ['u32', 'u64', 'i64', 'uuid', 'hex'];
const UUID = '01234567-89ab-cdef-0123-456789abcdef';

const u64 = (random: Random) => (BigInt(random.u32()) << 32n) | BigInt(random.u32());
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const uuidOf = (bytes: Uint8Array) => hexOf(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

const MAKERS: Record<TypedKey, (random: Random) => AnyKey> = {
  u32: (random) => random.u32(),
  u64,
  i64: (random) => BigInt.asIntN(64, u64(random)),
  uuid: (random) => uuidOf(random.bytes(16)),
  hex: (random) => hexOf(random.bytes(random.below(12))),
};

/** Keys at the ends of each type, and in between. */
const EDGES: Record<TypedKey, readonly AnyKey[]> = {
  u32: [0, 1, 255, 256, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1],
  u64: [0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n],
  i64: [0n, 1n, -1n, -(2n ** 32n), -(2n ** 53n) + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)],
  uuid: [UUID, '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  hex: ['', '00', '0000', 'ff', '00ff', 'deadbeef', 'ab'.repeat(200), 'cd'.repeat(65_535)],
};

/** The same key given in another way. */
const ALIASES: Record<TypedKey, (key: never) => AnyKey | undefined> = {
  u32: (key: number) => (key === 0 ? -0 : undefined),
  u64: (key: bigint) => (Number.isSafeInteger(Number(key)) ? Number(key) : undefined),
  i64: (key: bigint) => (Number.isSafeInteger(Number(key)) ? Number(key) : undefined),
  uuid: (key: string) => key.toUpperCase(),
  hex: (key: string) => key.toUpperCase(),
};

/** Of the right kind, but no key of the type. */
const NONE: Record<TypedKey, readonly AnyKey[]> = {
  u32: [-1, 2 ** 32, 0.5, Number.NaN, Number.POSITIVE_INFINITY],
  u64: [-1n, 2n ** 64n, -1, 0.5, 2 ** 53, Number.NaN],
  i64: [2n ** 63n, -(2n ** 63n) - 1n, 0.5, 2 ** 53, -(2 ** 53), Number.NEGATIVE_INFINITY],
  uuid: [
    '',
    UUID.slice(1),
    `${UUID}0`,
    `{${UUID.slice(2)}}`,
    UUID.replaceAll('-', ''),
    UUID.replace('a', 'g'),
    UUID.replace('-', '_'),
    UUID.replace('f', '\u0166'),
    `-${UUID.slice(1)}`,
  ],
  hex: ['0', 'abc', '0g', 'g0', '0x', ' 0', '\u0130\u0131', '@`', '\u{1f600}', '0'.repeat(131_072)],
};

/** Of a kind that no key of the type is. */
const MISUSES: Record<TypedKey, readonly unknown[]> = {
  u32: ['7', 7n, Uint8Array.of(7, 0, 0, 0), null, undefined, true, [7], {}],
  u64: ['7', new Uint8Array(8), null, undefined, [7n]],
  i64: ['7', new Uint8Array(8), null, undefined, [7n]],
  uuid: [7, 7n, new Uint8Array(16), null, undefined, [UUID]],
  hex: [7, 7n, new Uint8Array(2), null, undefined, ['00']],
};

const keysOf = (type: TypedKey, count: number, random: Random): AnyKey[] => {
  const keys = new Set(EDGES[type]);
  while (keys.size < count) keys.add(MAKERS[type](random));
  return random.shuffled(keys);
};

async function tableOf(type: KeyType, entries: Iterable<readonly [AnyKey, number]>, options = {}): Promise<string> {
  const path = fresh();
  await build(path, entries, { key: type, value: 'u32', ...options });
  return path;
}

/** Keys in the order in which the file must hold them. */
function inFileOrder(type: TypedKey, keys: readonly AnyKey[], seed = 0): AnyKey[] {
  const rows = keys.map((key) => ({ key, bytes: encodeKey(type, key) }));
  const hash = (bytes: Buffer) => oracle.h32Raw(bytes, seed);
  rows.sort((a, b) => hash(a.bytes) - hash(b.bytes) || Buffer.compare(a.bytes, b.bytes));
  return rows.map(({ key }) => key);
}

/** A table whose keys TypeScript does not know. */
const opened = (path: string, options: object = {}) => open(path, options) as unknown as Table<unknown, AnyKey>;

describe('the hash of a typed key', () => {
  for (const type of TYPES) {
    test(`${type}: is that of its bytes, wherever they are written`, () => {
      const random = new Random(5);
      for (const key of keysOf(type, 500, random)) {
        const at = random.below(65_536);
        const seed = random.u32() | 0;
        const expected = encodeKey(type, key);
        for (const given of [key, ALIASES[type](key as never) ?? key]) {
          keyHash.value = 0;
          assert.equal(KEY_HASHERS[type](given, at, seed), expected.length);
          assert.ok(scratch.bytes.subarray(at, at + expected.length).equals(expected), String(key));
          assert.equal(keyHash.value, xxh32(scratch.view, at, expected.length, seed), String(key));
        }
      }
    });
  }
});

describe('a table with typed keys', () => {
  for (const type of TYPES) {
    for (const [shape, options] of [
      ['one segment', {}],
      ['several segments and a seed', { segmentBytes: type === 'hex' ? 80_000 : 16_384, seed: 7 }],
    ] as const) {
      test(`${type}, ${shape}: is its model, in every way of asking`, async () => {
        const random = new Random(11);
        const model = new Map(keysOf(type, 2000, random).map((key, i) => [key, i]));
        const path = await tableOf(type, model, options);
        const order = inFileOrder(type, [...model.keys()], 'seed' in options ? options.seed : 0);
        const values = order.map((key) => model.get(key));
        for (const table of [opened(path), opened(path, { key: type, check: 'full' })]) {
          assert.equal(table.size, model.size);
          assert.equal(table.header.segmentBits > 0, 'seed' in options);
          assert.deepStrictEqual([...table.keys()], order);
          assert.deepStrictEqual(
            [...table],
            order.map((key, i) => [key, values[i]]),
          );
          const seen: unknown[] = [];
          table.forEach((value, key) => void seen.push([key, value]));
          assert.deepStrictEqual(seen, [...table.entries()]);
          for (const [i, key] of order.entries()) {
            for (const given of [key, ALIASES[type](key as never) ?? key]) {
              assert.equal(table.get(given), values[i], String(given));
              assert.equal(table.has(given), true);
              assert.equal(Buffer.from(table.getView(given)!).readUInt32LE(), values[i]);
            }
          }
          const misses = [...NONE[type], ...Array.from({ length: 100 }, () => MAKERS[type](random))].filter(
            (key) => !model.has(key),
          );
          for (const miss of misses) {
            assert.equal(table.get(miss), undefined, String(miss));
            assert.equal(table.has(miss), false);
            assert.equal(table.getView(miss), undefined);
          }
          const asked = random.shuffled([...order, ...misses]);
          const expected = asked.map((key) => model.get(key));
          assert.deepStrictEqual(table.getMany(asked), expected);
          assert.deepStrictEqual(
            table.getManyViews(new Set(asked)).map((view) => view && Buffer.from(view).readUInt32LE()),
            [...new Set(asked)].map((key) => model.get(key)),
          );
          table.close();
          assert.throws(() => table.get(order[0]!), hmapError('HMAP_CLOSED'));
          assert.throws(() => table.has(order[0]!), hmapError('HMAP_CLOSED'));
          assert.throws(() => table.getView(order[0]!), hmapError('HMAP_CLOSED'));
        }
      });
    }

    test(`${type}: the file is that of the raw writer, and the reader written from the spec agrees`, async () => {
      const random = new Random(13);
      for (const count of [0, 1, 2, 3, 100]) {
        const keys = random.shuffled(keysOf(type, 100, random)).slice(0, count);
        const entries = keys.map((key, i) => [key, i] as const);
        const path = await tableOf(type, entries);
        const file = readFileSync(path);
        assert.ok(file.equals(compose(canonicalParts(entries, { key: type, value: 'u32' }))), `${count} keys`);
        assert.deepEqual((await verify(path)).findings, []);
        const reference = new ReferenceReader(file);
        assert.deepEqual(reference.check(), []);
        const theirs = Array.from(reference.entries(), ({ key, value }) => [
          reference.decodeKey(key),
          reference.decode(value),
        ]);
        using table = opened(path);
        assert.deepStrictEqual([...table], theirs);
      }
    });

    test(`${type}: a key of another kind is a misuse that names it`, async () => {
      const path = await tableOf(type, [[EDGES[type][0]!, 1]]);
      using table = opened(path);
      for (const wrong of MISUSES[type] as AnyKey[]) {
        const refused = misuse(/^key: expected a /);
        assert.throws(() => table.get(wrong), refused);
        assert.throws(() => table.has(wrong), refused);
        assert.throws(() => table.getView(wrong), refused);
        assert.throws(() => table.getMany([wrong]), refused);
        assert.throws(() => inspectKey(path, wrong), refused);
        await assert.rejects(tableOf(type, [[wrong, 1]]), refused);
      }
    });

    test(`${type}: what is no key of the type cannot be built`, async () => {
      for (const none of NONE[type]) {
        const long = typeof none === 'string' && type === 'hex' && none.length > 131_070;
        await assert.rejects(
          tableOf(type, [[none, 1]]),
          hmapError(long ? 'HMAP_KEY_TOO_LONG' : 'HMAP_KEY_INVALID', {
            message: new RegExp(`is not a valid ${type}: expected`),
          }),
        );
      }
    });

    test(`${type}: a key given twice, in whatever way, is a duplicate, shown in its type`, async () => {
      const key = EDGES[type].find((each) => ALIASES[type](each as never) !== undefined && each !== '')!;
      const alias = ALIASES[type](key as never)!;
      const twice = [
        [key, 1],
        [alias, 2],
      ] as const;
      await assert.rejects(
        tableOf(type, twice),
        hmapError('HMAP_DUPLICATE_KEY', { key, message: new RegExp(`^the key ${key} occurs more than once`) }),
      );
      using table = opened(await tableOf(type, twice, { duplicates: 'last' }));
      assert.deepStrictEqual([...table], [[key, 2]]);
    });

    test(`${type}: a value that cannot be stored is reported with the key in its type`, async () => {
      const key = EDGES[type][1]!;
      await assert.rejects(tableOf(type, [[key, -1]]), hmapError('HMAP_VALUE_RANGE', { key }));
    });

    test(`${type}: with key: 'bytes', keys are the bytes in the file`, async () => {
      const keys = EDGES[type];
      const path = await tableOf(
        type,
        keys.map((key, i) => [key, i]),
      );
      using table = open(path, { key: 'bytes', value: 'u32' });
      const raw = inFileOrder(type, keys).map((key) => Uint8Array.from(encodeKey(type, key)));
      assert.deepStrictEqual([...table.keys()], raw);
      for (const key of keys) assert.equal(table.get(encodeKey(type, key)), keys.indexOf(key));
    });

    test(`${type}: another type is refused, when opening and after`, async () => {
      const path = await tableOf(type, [[EDGES[type][0]!, 1]]);
      for (const other of ['string', ...TYPES] as const) {
        if (other === type) continue;
        const refused = hmapError('HMAP_KEY_TYPE', { path, expected: other, actual: type });
        assert.throws(() => open(path, { key: other }), refused);
      }
      const plain = fresh();
      await build(plain, [['a', 1]], { value: 'u32' });
      assert.throws(() => open(plain, { key: type }), hmapError('HMAP_KEY_TYPE', { expected: type, actual: 'bytes' }));
      const other = type === 'u64' ? 'i64' : 'u64';
      using table = opened(path);
      await build(path, [[1n, 2]], { key: other, value: 'u32' });
      assert.throws(() => table.reload(), hmapError('HMAP_KEY_TYPE', { expected: type, actual: other }));
      assert.equal(table.get(EDGES[type][0]!), 1);
      await build(path, [[EDGES[type][0]!, 9]] as Entry<'u32', typeof type>[], { key: type, value: 'u32' });
      assert.equal(table.reload(), true);
      assert.equal(table.get(EDGES[type][0]!), 9);
    });

    test(`${type}: inspectKey and stat`, async () => {
      const keys = keysOf(type, 50, new Random(3));
      const path = await tableOf(
        type,
        keys.map((key, i) => [key, i]),
      );
      for (const key of keys) assert.deepEqual(Buffer.from(inspectKey(path, key).record!.key), encodeKey(type, key));
      for (const none of NONE[type]) assert.deepEqual(inspectKey(path, none), { bucket: undefined, record: undefined });
      const { header, sections } = await stat(path);
      assert.equal(header.keyType, type);
      assert.equal(header.features, 2);
      if (type !== 'hex') assert.equal(sections.prefixes, 0);
    });
  }
});

test('widths are by the type, also where there are no keys', async () => {
  const widths = { bytes: null, u32: 4, u64: 8, i64: 8, uuid: 16, hex: null };
  for (const [type, width] of Object.entries(widths)) {
    const path = await tableOf(type as KeyType, []);
    using table = open(path);
    assert.equal(table.header.keyWidth, width);
    assert.equal(table.header.keyType, type);
    assert.deepEqual((await verify(path)).findings, []);
  }
  using hex = open(await tableOf('hex', [['00ff', 1]]));
  assert.equal(hex.header.keyWidth, 2);
});

test("string and bytes are the keys' type of tables without typed keys", async () => {
  const files = await Promise.all(
    [{}, { key: 'string' }, { key: 'bytes' }].map(async (options) => {
      const path = fresh();
      await build(path, [['a', 1]], { value: 'u32', ...options } as { value: 'u32' });
      return readFileSync(path);
    }),
  );
  assert.ok(files.every((file) => file.equals(files[0]!)));
});

test('sets of bare keys', async () => {
  const path = fresh();
  await build(path, [7, [8], 9], { key: 'u32', value: 'none' });
  using table = open(path, { key: 'u32', value: 'none' });
  assert.deepEqual(new Set(table.keys()), new Set([7, 8, 9]));
  await assert.rejects(
    build(fresh(), ['7'] as never, { key: 'u32', value: 'none' }),
    misuse(/^key: expected a number/),
  );
});

test('any numbers, through a file', async () => {
  const keys = fc.uniqueArray(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(keys, async (list) => {
      for (const type of ['u64', 'i64'] as const) {
        const given = type === 'u64' ? list : list.map((key) => BigInt.asIntN(64, key));
        const path = await tableOf(
          type,
          given.map((key, i) => [key, i]),
        );
        using table = open(path, { key: type, value: 'u32' });
        assert.deepEqual(new Map(table), new Map(given.map((key, i) => [key, i])));
        for (const [i, key] of given.entries()) assert.equal(table.get(key), i);
      }
    }),
    { seed: 21, numRuns: 30 },
  );
});

test('an unknown type is a misuse that names the option', async () => {
  const wrong = { key: 'u16', value: 'u32' } as unknown as { value: 'u32' };
  await assert.rejects(build(fresh(), [], wrong), misuse(/^key: expected one of string, bytes, u32, .*got u16/));
});

test('TypeScript knows the keys', async () => {
  const path = await tableOf('u32', [[7, 1]]);
  using numbers = open(path, { key: 'u32', value: 'u32' });
  const map: ReadonlyMap<number, number> = numbers;
  const keys: number[] = [...numbers.keys()];
  assert.deepEqual([map.get(7), keys, numbers.getMany([7])], [1, [7], [1]]);
  // @ts-expect-error a string is not a number
  assert.throws(() => numbers.get('7'));
  using big = open(await tableOf('u64', [[7n, 1]]), { key: 'u64', value: 'u32' });
  const bigs: bigint[] = [...big.keys()];
  assert.deepEqual([bigs, big.get(7n), big.get(7)], [[7n], 1, 1]);
  // @ts-expect-error keys are BigInts
  const wrong: number[] = [...big.keys()];
  assert.deepEqual(wrong, [7n]);
  const argument: KeyArgument<bigint> = 7;
  assert.equal(big.has(argument), true);
  // @ts-expect-error a string for a table of numbers
  await assert.rejects(build(fresh(), [['7', 1]], { key: 'u32', value: 'u32' }));
});
