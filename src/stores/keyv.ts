// A table as a store of Keyv (https://keyv.org): `new Keyv({ store: hmapStore('table.hmap') })`. Knows Keyv's interface.

import type { OpenOptions } from '../index.js';
import { readOnly, type StoreSource, StoreTable } from './read-only.js';

/** What Keyv wraps a value in. */
export interface KeyvValue {
  value: unknown;
}

/** A read-only store of Keyv. Its keys are those of the table, as text, without the namespace that Keyv puts before them. */
export interface HmapKeyvStore {
  /** Set by Keyv, whose keys then begin with it and a colon. */
  namespace?: string | undefined;
  readonly opts: { readonly url: string; readonly dialect: 'hmap' };
  // Keyv names the type of a value where it asks for it.
  // biome-ignore lint/suspicious/noExplicitAny: Keyv's own type
  get(key: string): Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: Keyv's own type
  getMany(keys: string[]): Promise<any[]>;
  has(key: string): Promise<boolean>;
  hasMany(keys: string[]): Promise<boolean[]>;
  /** Always rejected, with `HMAP_READ_ONLY`; Keyv then emits an error, or throws it under `throwOnErrors`. */
  set(key: string, value: unknown, ttl?: number): Promise<never>;
  delete(key: string): Promise<never>;
  clear(): Promise<never>;
  /** Closes the table if the store has opened it. */
  disconnect(): Promise<void>;
  on(event: string, listener: (...values: never[]) => void): HmapKeyvStore;
}

/**
 * A store that reads a table.
 * @param source the path of a table, or an open table, which is not closed
 * @param options as `open` takes them
 * @throws {HmapError} as `open` does
 */
export function hmapStore(source: StoreSource, options?: OpenOptions): HmapKeyvStore {
  const store = new StoreTable(source, options);
  const { path } = store.table;
  const bare = (key: string) => {
    const prefix = `${self.namespace ?? ''}:`;
    return self.namespace !== undefined && key.startsWith(prefix) ? key.slice(prefix.length) : key;
  };
  const value = (key: string): KeyvValue | undefined => {
    const found = store.get(bare(key));
    return found === undefined ? undefined : { value: found };
  };
  const self: HmapKeyvStore = {
    opts: { url: `hmap:${path}`, dialect: 'hmap' },
    get: async (key) => value(key),
    getMany: async (keys) => keys.map(value),
    has: async (key) => store.has(bare(key)),
    hasMany: async (keys) => keys.map((key) => store.has(bare(key))),
    set: async () => {
      throw readOnly(path, 'set a value');
    },
    delete: async () => {
      throw readOnly(path, 'delete a key');
    },
    clear: async () => {
      throw readOnly(path, 'clear it');
    },
    disconnect: async () => store.close(),
    // There is nothing that could fail between calls.
    on: () => self,
  };
  return self;
}
