// What the stores of others' interfaces share: a table by path or as it is, keys as text, and the refusal to write. Knows
// tables; knows none of these interfaces.

import { type FilePath, HmapError, type OpenOptions, open, Table } from '../index.js';

/** What a store reads: a file, which it opens and closes, or a table, which stays its owner's. */
// biome-ignore lint/suspicious/noExplicitAny: tables of all types
export type StoreSource = FilePath | Table<any, any>;

/** A table of any types. */
export type AnyTable = Table<unknown, string | number | bigint>;

export class StoreTable {
  readonly table: AnyTable;
  readonly #isOwn: boolean;

  /** @throws {HmapError} as `open` does; `HMAP_LAYOUT` for a list or a bit array */
  constructor(source: StoreSource, options: OpenOptions | undefined) {
    this.#isOwn = !(source instanceof Table);
    this.table = (source instanceof Table ? source : open(source, options ?? {})) as unknown as AnyTable;
  }

  /** The key that a text stands for; `undefined` if it is none of the table's type. */
  keyOf(text: string): string | number | bigint | undefined {
    const { keyType } = this.table.header;
    if (keyType === 'bytes' || keyType === 'uuid' || keyType === 'hex') return text;
    if (!INTEGER.test(text)) return undefined;
    return keyType === 'u32' ? Number(text) : BigInt(text);
  }

  get(text: string): unknown {
    const key = this.keyOf(text);
    return key === undefined || !this.#isKey(key) ? undefined : this.table.get(key);
  }

  has(text: string): boolean {
    const key = this.keyOf(text);
    return key !== undefined && this.#isKey(key) && this.table.has(key);
  }

  close(): void {
    if (this.#isOwn) this.table.close();
  }

  /** Texts that a table of this type would refuse are not in it. */
  #isKey(key: string | number | bigint): boolean {
    const { keyType } = this.table.header;
    if (keyType === 'uuid') return UUID.test(key as string);
    return keyType !== 'hex' || HEX.test(key as string);
  }
}

const INTEGER = /^-?\d{1,20}$/;
const UUID = /^[\da-f]{8}(?:-?[\da-f]{4}){3}-?[\da-f]{12}$/i;
const HEX = /^(?:[\da-f]{2})*$/i;

/** The error for whatever would write. */
export function readOnly(path: string, what: string): HmapError {
  const message = `${path}: cannot ${what}: tables are read-only; build the file anew`;
  return new HmapError('HMAP_READ_ONLY', message, { path });
}
