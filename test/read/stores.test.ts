// Tables as stores of Keyv and as drivers of unstorage: their answers through these libraries, and the refusal to write.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import Keyv from 'keyv';
import { build, open } from '../../src/index.js';
import { hmapStore as keyvStore } from '../../src/stores/keyv.js';
import { hmapStore as unstorageDriver } from '../../src/stores/unstorage.js';
import { hmapError } from '../support/errors.js';
import { temporaryFolder } from '../support/temp.js';

/** What is used of unstorage, whose own types name packages that nobody has installed. */
interface Storage {
  getItem(key: string): Promise<unknown>;
  getItems(keys: string[]): Promise<unknown[]>;
  getItemRaw(key: string): Promise<unknown>;
  hasItem(key: string): Promise<boolean>;
  getKeys(base?: string): Promise<string[]>;
  setItem(key: string, value: unknown): Promise<void>;
  setItemRaw(key: string, value: unknown): Promise<void>;
  removeItem(key: string): Promise<void>;
  clear(): Promise<void>;
  mount(base: string, driver: unknown): void;
  dispose(): Promise<void>;
}
const { createStorage } = createRequire(import.meta.url)('unstorage') as {
  createStorage(options?: { driver: unknown }): Storage;
};

const folder = temporaryFolder(nodeTest);
const at = (name: string) => join(folder, `${name}.hmap`);
const UUID = '123e4567-e89b-42d3-a456-426614174000';

before(async () => {
  await build(at('json'), Object.entries({ a: { n: 1 }, b: 'true', c: 0, d: null, 'deep:x': [1], 'deep:y': 'é' }), {
    value: 'json',
  });
  await build(at('utf8'), Object.entries({ a: 'x', n: '123', quoted: '"q"', empty: '' }), { value: 'utf8' });
  await build(at('numbers'), [[7, 1n] as const, [8, 2n ** 63n] as const], { key: 'u32', value: 'u64' });
  await build(at('uuid'), [[UUID, Buffer.of(1, 2)] as const], { key: 'uuid', value: 'bytes' });
  await build(at('list'), ['a'], { layout: 'list', value: 'utf8' });
});

describe('Keyv', () => {
  test('gets what the table has', async () => {
    const keyv = new Keyv({ store: keyvStore(at('json')) });
    assert.deepEqual(await keyv.get('a'), { n: 1 });
    assert.equal(await keyv.get('b'), 'true');
    assert.equal(await keyv.get('c'), 0);
    assert.equal(await keyv.get('missing'), undefined);
    assert.deepEqual(await keyv.getMany(['c', 'x', 'a']), [0, undefined, { n: 1 }]);
    assert.deepEqual([await keyv.has('a'), await keyv.has('x')], [true, false]);
    assert.deepEqual(await keyv.hasMany(['x', 'b']), [false, true]);
    await keyv.disconnect();
    await assert.rejects(keyvStore(at('json')).set('a', 1), hmapError('HMAP_READ_ONLY'));
  });

  test('with a namespace, another one, or none', async () => {
    for (const options of [{}, { namespace: 'other' }, { namespace: '' }, { useKeyPrefix: false }]) {
      const keyv = new Keyv({ store: keyvStore(at('utf8')), ...options });
      assert.equal(await keyv.get('n'), '123');
      await keyv.disconnect();
    }
  });

  test('keys of each type, as text', async () => {
    const numbers = new Keyv({ store: keyvStore(at('numbers'), { key: 'u32' }) });
    assert.equal(await numbers.get('8'), 2n ** 63n);
    for (const key of ['9', 'x', '-1', '1.5', '']) assert.equal(await numbers.get(key), undefined, key);
    const uuid = new Keyv({ store: keyvStore(at('uuid'), { key: 'uuid' }) });
    assert.deepEqual(await uuid.get(UUID), Uint8Array.of(1, 2));
    assert.equal(await uuid.get('no uuid'), undefined);
  });

  test('refuses to write, and the table stays as it is', async () => {
    const keyv = new Keyv({ store: keyvStore(at('json')), throwOnErrors: true });
    for (const write of [() => keyv.set('a', 1), () => keyv.delete('a'), () => keyv.clear()]) {
      await assert.rejects(write, (error: Error) =>
        /HMAP_READ_ONLY|read-only/.test(String((error as { code?: string }).code) + error.message),
      );
    }
    assert.deepEqual(await keyv.get('a'), { n: 1 });
    await keyv.disconnect();
  });

  test('an open table stays open', async () => {
    const table = open(at('utf8'));
    const keyv = new Keyv({ store: keyvStore(table) });
    assert.equal(await keyv.get('a'), 'x');
    await keyv.disconnect();
    assert.equal(table.get('a'), 'x');
    table.close();
    await assert.rejects(keyvStore(table).get('a'), hmapError('HMAP_CLOSED'));
  });
});

describe('unstorage', () => {
  test('gets what the table has', async () => {
    const storage = createStorage({ driver: unstorageDriver(at('json')) });
    assert.deepEqual(await storage.getItem('a'), { n: 1 });
    assert.equal(await storage.getItem('b'), 'true', 'a string stays one');
    assert.equal(await storage.getItem('c'), 0);
    assert.equal(await storage.getItem('missing'), null);
    assert.equal(await storage.getItem('deep/y'), 'é', 'a slash is a colon');
    assert.deepEqual([await storage.hasItem('a'), await storage.hasItem('x')], [true, false]);
    assert.deepEqual((await storage.getKeys()).toSorted(), ['a', 'b', 'c', 'd', 'deep:x', 'deep:y']);
    assert.deepEqual((await storage.getKeys('deep')).toSorted(), ['deep:x', 'deep:y']);
    assert.deepEqual(await storage.getItems(['a', 'x']), [
      { key: 'a', value: { n: 1 } },
      { key: 'x', value: null },
    ]);
    assert.deepEqual(await storage.getItemRaw('a'), { n: 1 });
    await storage.dispose();
  });

  test('texts as they are', async () => {
    const storage = createStorage({ driver: unstorageDriver(at('utf8')) });
    for (const [key, value] of Object.entries({ a: 'x', n: '123', quoted: '"q"', empty: '' })) {
      assert.equal(await storage.getItem(key), value);
    }
    const bytes = createStorage({ driver: unstorageDriver(at('uuid'), { key: 'uuid' }) });
    assert.deepEqual(await bytes.getItemRaw(UUID), Uint8Array.of(1, 2));
  });

  test('mounted beside another driver', async () => {
    const storage = createStorage();
    storage.mount('table', unstorageDriver(at('utf8')));
    await storage.setItem('mine', 1);
    assert.equal(await storage.getItem('table:a'), 'x');
    assert.ok((await storage.getKeys()).includes('table:n'));
    await storage.dispose();
  });

  test('refuses to write', async () => {
    const storage = createStorage({ driver: unstorageDriver(at('json')) });
    await assert.rejects(storage.setItem('a', 1), hmapError('HMAP_READ_ONLY', { message: /read-only; build/ }));
    await assert.rejects(storage.setItemRaw('a', 1), hmapError('HMAP_READ_ONLY'));
    await assert.rejects(storage.removeItem('a'), hmapError('HMAP_READ_ONLY'));
    await assert.rejects(storage.clear(), hmapError('HMAP_READ_ONLY'));
    assert.deepEqual(await storage.getItem('a'), { n: 1 });
  });
});

test('a list is no store', () => {
  for (const make of [keyvStore, unstorageDriver]) {
    assert.throws(() => make(at('list')), hmapError('HMAP_LAYOUT'));
    assert.throws(() => make(at('missing')), hmapError('ENOENT'));
  }
});

test('a table as a Map and as an object', () => {
  const table = open(at('utf8'), { value: 'utf8' });
  const map: Map<string, string> = table.toMap();
  assert.deepEqual(map, new Map(table));
  assert.deepEqual(Object.fromEntries(table), Object.fromEntries(map));
  const typed: ReadonlyMap<string, string> = table;
  assert.equal(typed.get('a'), 'x');
  table.close();
});
