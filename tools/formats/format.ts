// What an input or output format is. Knows no format.

import type { HashHeader } from '../../src/index.js';
import type { ByteSlice } from '../../src/internal.js';
import type { Output } from '../terminal/output.js';
import type { EntrySink } from './entry-sink.js';
import type { ReadOptions } from './read-options.js';

/** Formats of text, which are read and written. */
export const FORMATS = ['tsv', 'csv', 'json', 'jsonl', 'cdb', 'lines'] as const;
export type FormatName = (typeof FORMATS)[number];

/** All that is read. */
export const INPUTS = [...FORMATS, 'cdb-binary', 'sqlite', 'parquet', 'redis'] as const;
export type InputName = (typeof INPUTS)[number];

/** All that is written. */
export const OUTPUTS = [...FORMATS, 'cdb-binary', 'sql', 'sqlite', 'resp'] as const;
export type OutputName = (typeof OUTPUTS)[number];

/** Reads entries from pieces of input, which may be cut anywhere, and hands them to a sink. */
export type ReadEntries = (pieces: AsyncIterable<Uint8Array>, sink: EntrySink, options: ReadOptions) => Promise<void>;

/** An input that a reader opens, or takes the pieces of. */
export interface Input {
  /** Its path or address; `-` for stdin. */
  readonly path: string;
  pieces(): AsyncIterable<Uint8Array>;
}

/** Reads entries of an input, whatever it is. */
export type ReadInput = (input: Input, sink: EntrySink, options: ReadOptions) => Promise<void>;

/** Writes entries of one table. */
export interface EntryWriter {
  entry(key: ByteSlice, value: ByteSlice, out: Output): void;
  /** What stands after the last entry. */
  end?(out: Output): void;
}

export type MakeWriter = (header: HashHeader) => EntryWriter;
