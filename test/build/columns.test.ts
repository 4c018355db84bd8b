// Entries given as columns make the file that the same entries make as pairs.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import {
  type BuildOptions,
  build,
  type EntryColumns,
  type NumericArray,
  open,
  type ValueType,
} from '../../src/index.js';
import { hmapError, misuse } from '../support/errors.js';
import { Random } from '../support/random.js';
import { sampleOf } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
let files = 0;

const KEYS = { u32: Uint32Array, u64: BigUint64Array, i64: BigInt64Array } as const;
const VALUES = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
  u24: Uint32Array,
  u40: Float64Array,
  u48: Float64Array,
  json: Int16Array,
  uint: Uint32Array,
} as const;

async function fileOf(entries: unknown, options: object): Promise<Buffer> {
  const path = join(folder, `${files++}.hmap`);
  await build(path, entries as Iterable<never>, options as BuildOptions<ValueType>);
  return readFileSync(path);
}

/** Columns of `count` entries with distinct keys. */
function columnsOf(key: keyof typeof KEYS, value: keyof typeof VALUES, count: number, random: Random) {
  const sample = key === 'u32' ? () => random.u32() : () => sampleOf(key, random);
  const keys = new Set<unknown>();
  while (keys.size < count) keys.add(sample());
  const kind = value === 'json' ? 'i16' : value === 'uint' ? 'u24' : value;
  const values = Array.from({ length: count }, () => sampleOf(kind, random));
  return {
    keys: (KEYS[key] as Uint32ArrayConstructor).from([...keys] as number[]),
    values: (VALUES[value] as Float64ArrayConstructor).from(values as number[]) as NumericArray,
  };
}

const pairsOf = ({ keys, values }: { keys: ArrayLike<unknown>; values?: ArrayLike<unknown> }) =>
  Array.from(keys, (key, i) => (values === undefined ? key : [key, values[i]]));

describe('columns', () => {
  for (const key of ['u32', 'u64', 'i64'] as const) {
    test(`of ${key} keys and numbers of each type`, async () => {
      const random = new Random(30);
      for (const value of Object.keys(VALUES) as (keyof typeof VALUES)[]) {
        const columns = columnsOf(key, value, 3000, random);
        for (const more of [{}, { segmentBytes: 8192 }, { memory: 2 ** 20 }, { fingerprint: 16 }]) {
          const options = { key, value, ...more };
          assert.ok((await fileOf(columns, options)).equals(await fileOf(pairsOf(columns), options)), `${value}`);
        }
      }
    });
  }

  test('of a set', async () => {
    const keys = Uint32Array.from({ length: 40_000 }, (_, i) => Math.imul(i, 0x9e37_79b1));
    const options = { key: 'u32', value: 'none' };
    const right = await fileOf(keys, options);
    assert.ok((await fileOf({ keys }, options)).equals(right));
    assert.ok((await fileOf([{ keys: keys.subarray(0, 5) }, { keys: keys.subarray(5) }], options)).equals(right));
  });

  test('come in chunks, one after the other, in memory of any kind', async () => {
    const random = new Random(31);
    const { keys, values } = columnsOf('u64', 'u32', 50_000, random);
    const options = { key: 'u64', value: 'u32', memory: 2 ** 20 };
    const right = await fileOf(pairsOf({ keys, values }), options);
    const shared = new BigUint64Array(new SharedArrayBuffer(8 * keys.length));
    shared.set(keys as unknown as BigUint64Array);
    const chunks = function* (): Generator<EntryColumns> {
      // The same arrays again and again, as a reader would fill them.
      const part = { keys: new BigUint64Array(7001), values: new Uint32Array(7001) };
      for (let at = 0; at < keys.length; at += 7001) {
        const count = Math.min(7001, keys.length - at);
        part.keys.set(shared.subarray(at, at + count));
        part.values.set((values as Uint32Array).subarray(at, at + count));
        yield { keys: part.keys.subarray(0, count), values: part.values.subarray(0, count) };
        yield { keys: new BigUint64Array(0), values: new Uint32Array(0) };
      }
    };
    const later = async function* (): AsyncGenerator<EntryColumns> {
      yield* chunks();
    };
    for (const input of [chunks(), later(), { keys: shared, values }]) {
      assert.ok((await fileOf(input, options)).equals(right));
    }
    const path = join(folder, 'asked.hmap');
    await build(path, chunks() as Iterable<EntryColumns<'u32', 'u64'>>, { key: 'u64', value: 'u32' });
    using table = open(path, { key: 'u64', value: 'u32' });
    assert.deepEqual(table.getMany(shared), [...values]);
  });

  test('of other types than the table has are refused, and leave no file', async () => {
    const keys = Uint32Array.of(1, 2);
    const values = Uint16Array.of(3, 4);
    const cases: [unknown, object, RegExp][] = [
      [
        { keys, values },
        { key: 'u64', value: 'u16' },
        /^entries: for keys of u64, expected a BigUint64Array, got Uint32Array$/,
      ],
      [{ keys, values }, { value: 'u16' }, /^entries: columns are for keys of u32, u64 and i64, not bytes$/],
      [{ keys, values }, { key: 'u32', value: 'none' }, /^entries: the table is a set/],
      [{ keys }, { key: 'u32', value: 'u16' }, /^entries: expected a typed array of values, got undefined$/],
      [
        { keys, values: [3, 4] },
        { key: 'u32', value: 'u16' },
        /^entries: expected a typed array of values, got an array$/,
      ],
      [{ keys, values: values.subarray(1) }, { key: 'u32', value: 'u16' }, /^entries: there are 2 keys, but 1 values$/],
      [[{ keys, values }, 5], { key: 'u32', value: 'u16' }, /^entries: expected an array \[key, value\]/],
      [{ keys: [1, 2], values }, { key: 'u32', value: 'u16' }, /^entries: expected an iterable/],
    ];
    for (const [entries, options, message] of cases) {
      const path = join(folder, 'refused.hmap');
      await assert.rejects(build(path, entries as never, options as never), misuse(message));
      assert.throws(() => readFileSync(path), /ENOENT/);
    }
    const wide = { keys, values: Uint32Array.of(1, 70_000) };
    await assert.rejects(
      build(join(folder, 'refused.hmap'), wide, { key: 'u32', value: 'u16' }),
      hmapError('HMAP_VALUE_RANGE', { message: /the value of key 2: expected u16/ }),
    );
    const twice = { keys: Uint32Array.of(7, 7), values };
    await assert.rejects(
      build(join(folder, 'refused.hmap'), twice, { key: 'u32', value: 'u16' }),
      hmapError('HMAP_DUPLICATE_KEY'),
    );
  });

  test('that are taken away meanwhile are noticed', async () => {
    const keys = new Uint32Array(100_000).map((_, i) => i);
    const values = new Uint8Array(100_000);
    const building = build(join(folder, 'gone.hmap'), { keys, values }, { key: 'u32', value: 'u8', onProgress() {} });
    structuredClone(keys.buffer, { transfer: [keys.buffer] });
    await assert.rejects(building, misuse(/^entries: /));
  });

  test('stop at a signal', async () => {
    const keys = new Uint32Array(3_000_000).map((_, i) => i);
    const signal = AbortSignal.timeout(1);
    await assert.rejects(build(join(folder, 'stopped.hmap'), { keys }, { key: 'u32', value: 'none', signal }), {
      name: 'TimeoutError',
    });
  });
});
