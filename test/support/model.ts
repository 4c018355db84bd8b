// Holds a table to a Map. Knows the order of a file; asks through the public methods only.

import assert from 'node:assert/strict';
import type { Key, Table } from '../../src/index.js';
import { fileOrder } from './samples.js';

/** Strings that none of the models has. */
export const MISSES: readonly Key[] = [
  'miss',
  '\0miss',
  'Miss',
  'mïss',
  '\ud800',
  'miss\udc00',
  'x'.repeat(65_535),
  'x'.repeat(65_536),
  'é'.repeat(40_000),
  Uint8Array.of(0xff),
  Uint8Array.of(0xed, 0xa0, 0x80),
  new Uint8Array(65_536),
  new Uint8Array(100_000),
];

/** Holds a table to a model in every way of asking. */
export function assertIs(table: Table<unknown>, model: ReadonlyMap<string, unknown>, seed = 0): void {
  const order = fileOrder(model.keys(), seed);
  const values = order.map((key) => model.get(key));
  assert.equal(table.size, model.size);
  assert.deepStrictEqual([...table.keys()], order);
  assert.deepStrictEqual([...table.values()], values);
  assert.deepStrictEqual(
    [...table.entries()],
    order.map((key, i) => [key, values[i]]),
  );
  assert.deepStrictEqual(new Map(table), new Map(model));
  const seen: unknown[] = [];
  table.forEach((value, key, self) => {
    assert.equal(self, table);
    seen.push([key, value]);
  });
  assert.deepStrictEqual(
    seen,
    order.map((key, i) => [key, values[i]]),
  );
  assert.deepStrictEqual(
    order.map((key) => table.get(key)),
    values,
  );
  assert.deepStrictEqual(
    order.map((key) => table.get(Buffer.from(key))),
    values,
    'keys as bytes',
  );
  assert.ok(order.every((key) => table.has(key)));
  assert.deepStrictEqual(table.getMany(order), values);
  assert.deepStrictEqual(table.hasMany(order), new Uint8Array(order.length).fill(1));
  const shapes = new Set(order.map((key) => table.getView(key)?.constructor));
  assert.deepStrictEqual(
    table.getManyViews(order),
    order.map((key) => table.getView(key)),
  );
  assert.deepStrictEqual([...shapes], model.size === 0 ? [] : [Uint8Array]);
  const misses = [...MISSES, ...order.slice(0, 50).flatMap((key) => [`${key}\0`, ` ${key}`])];
  for (const miss of misses) {
    if (typeof miss === 'string' && model.has(miss)) continue;
    assert.equal(table.get(miss), undefined);
    assert.equal(table.has(miss), false);
    assert.equal(table.getView(miss), undefined);
    assert.deepStrictEqual(table.getMany([miss]), [undefined]);
    assert.deepStrictEqual(table.hasMany([miss]), Uint8Array.of(0));
  }
}
