// What an input or output format is. Knows no format.

import type { HashHeader } from '../../src/index.js';
import type { ByteSlice } from '../../src/internal.js';
import type { Output } from '../terminal/output.js';
import type { EntrySink } from './entry-sink.js';

export const FORMATS = ['tsv', 'csv', 'jsonl', 'cdb', 'lines'] as const;
export type FormatName = (typeof FORMATS)[number];

/** Which parts of a record are key and value: a number from 1, or a name. `undefined` for the format's own. */
export interface Columns {
  readonly key: string | undefined;
  readonly value: string | undefined;
  /** Whether the first row names the columns, if that was said. */
  readonly headerRow: boolean | undefined;
}

/** Reads entries from pieces of input, which may be cut anywhere, and hands them to a sink. */
export type ReadEntries = (pieces: AsyncIterable<Uint8Array>, sink: EntrySink, columns: Columns) => Promise<void>;

/** Writes entries of one table. */
export interface EntryWriter {
  entry(key: ByteSlice, value: ByteSlice, out: Output): void;
  /** What stands after the last entry. */
  end?(out: Output): void;
}

export type MakeWriter = (header: HashHeader) => EntryWriter;
