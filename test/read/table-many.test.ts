// Many keys at once, and lookups while iterating: the answers are those of single lookups.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Key, open } from '../../src/index.js';
import { hmapError, misuse } from '../support/errors.js';
import { WORKING } from '../support/mappings.js';
import { MISSES } from '../support/model.js';
import { Random } from '../support/random.js';
import { fileOrder } from '../support/samples.js';
import { buildMap } from './table-cases.js';

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
