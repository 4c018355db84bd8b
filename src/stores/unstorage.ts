// A table as a driver of unstorage (https://unstorage.unjs.io): `createStorage({ driver: hmapStore('table.hmap') })`.
// Knows unstorage's interface.

import type { OpenOptions } from '../index.js';
import { readOnly, type StoreSource, StoreTable } from './read-only.js';

/** A read-only driver of unstorage. Its keys are those of the table, as text. */
export interface HmapDriver {
  readonly name: 'hmap';
  readonly options: { readonly path: string };
  hasItem(key: string): boolean;
  /** The value; a string as its JSON, since unstorage parses strings. */
  // biome-ignore lint/suspicious/noExplicitAny: unstorage's own type
  getItem(key: string): any;
  // biome-ignore lint/suspicious/noExplicitAny: unstorage's own type
  getItems(items: { key: string }[]): { key: string; value: any }[];
  /** The value as the table has it. */
  getItemRaw(key: string): unknown;
  /** All keys that begin with `base`; goes through the whole table. */
  getKeys(base?: string): string[];
  /** Always throws, with `HMAP_READ_ONLY`. */
  setItem(key: string): never;
  setItemRaw(key: string): never;
  removeItem(key: string): never;
  clear(): never;
  /** Closes the table if the driver has opened it. */
  dispose(): void;
}

/**
 * A driver that reads a table. unstorage has a colon where keys have a slash, and leaves out what follows a question
 * mark.
 * @param source the path of a table, or an open table, which is not closed
 * @param options as `open` takes them
 * @throws {HmapError} as `open` does
 */
export function hmapStore(source: StoreSource, options?: OpenOptions): HmapDriver {
  const store = new StoreTable(source, options);
  const { path } = store.table;
  const item = (key: string): unknown => {
    const value = store.get(key);
    // There are no undefined items, but null.
    return typeof value === 'string' ? JSON.stringify(value) : (value ?? null);
  };
  return {
    name: 'hmap',
    options: { path },
    hasItem: (key) => store.has(key),
    getItem: item,
    getItems: (items) => items.map(({ key }) => ({ key, value: item(key) })),
    getItemRaw: (key) => store.get(key) ?? null,
    getKeys: (base = '') => {
      const keys: string[] = [];
      for (const key of store.table.keys()) if (String(key).startsWith(base)) keys.push(String(key));
      return keys;
    },
    setItem: () => {
      throw readOnly(path, 'set an item');
    },
    setItemRaw: () => {
      throw readOnly(path, 'set an item');
    },
    removeItem: () => {
      throw readOnly(path, 'remove an item');
    },
    clear: () => {
      throw readOnly(path, 'clear it');
    },
    dispose: () => store.close(),
  };
}
