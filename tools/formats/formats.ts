// The formats by name: how each is loaded, what endings it has, and what its values are. Knows no format's inside.

import { extname } from 'node:path';
import type { ValueType } from '../../src/index.js';
import {
  FORMATS,
  type FormatName,
  type InputName,
  type MakeWriter,
  type ReadEntries,
  type ReadInput,
} from './format.js';

interface Format {
  readonly read: ReadEntries;
  readonly writer: MakeWriter;
}

/** What is known of a format before it is loaded. */
interface Known {
  /** Endings of names. */
  readonly endings: readonly string[];
  /** Type of the values where none is named. */
  readonly value: ValueType;
  /** Whether bytes are taken as they are, not as text. */
  readonly isBinary?: true;
}

const KNOWN: Readonly<Record<InputName, Known>> = {
  tsv: { endings: ['.tsv', '.tab'], value: 'utf8' },
  csv: { endings: ['.csv'], value: 'utf8' },
  json: { endings: ['.json'], value: 'json' },
  jsonl: { endings: ['.jsonl', '.ndjson'], value: 'json' },
  cdb: { endings: ['.cdbmake'], value: 'bytes', isBinary: true },
  lines: { endings: ['.txt', '.lines'], value: 'none' },
  // What has this ending may as well be text; its first bytes decide.
  'cdb-binary': { endings: ['.cdb'], value: 'bytes', isBinary: true },
  sqlite: { endings: ['.sqlite', '.sqlite3', '.db'], value: 'json', isBinary: true },
  parquet: { endings: ['.parquet'], value: 'json', isBinary: true },
  redis: { endings: [], value: 'bytes', isBinary: true },
};

// Loaded when asked for: what reads CSV alone takes as long to load as all the rest.
const TEXTS: Readonly<Record<FormatName, () => Promise<Format>>> = {
  tsv: async () => (await import('./tsv.js')).tsv,
  csv: async () => (await import('./csv.js')).csv,
  json: async () => (await import('./json.js')).json,
  jsonl: async () => (await import('./jsonl.js')).jsonl,
  cdb: async () => (await import('./cdb.js')).cdb,
  lines: async () => (await import('./lines.js')).lines,
};

export function loadFormat(name: FormatName): Promise<Format> {
  return TEXTS[name]();
}

export function isTextFormat(name: string): name is FormatName {
  return (FORMATS as readonly string[]).includes(name);
}

/** What reads a format. */
export async function loadReader(name: InputName): Promise<ReadInput> {
  if (isTextFormat(name)) {
    const { read } = await loadFormat(name);
    return (input, sink, options) => read(input.pieces(), sink, options);
  }
  switch (name) {
    case 'cdb-binary':
      return (await import('./cdb-binary.js')).readCdbBinary;
    case 'sqlite':
      return (await import('./sqlite.js')).readSqlite;
    case 'parquet':
      return (await import('./parquet.js')).readParquet;
    case 'redis':
      return (await import('./redis.js')).readRedis;
  }
}

export function defaultValue(name: InputName): ValueType {
  return KNOWN[name].value;
}

/** Whether bytes of a format are taken as they are, not as text. */
export function isBinaryFormat(name: InputName): boolean {
  return KNOWN[name].isBinary === true;
}

/** The format of a file by its ending, or `undefined`; or that of an address. */
export function formatByName(path: string): InputName | undefined {
  if (/^rediss?:\/\//.test(path)) return 'redis';
  const ending = extname(path).toLowerCase();
  if (ending === '') return undefined;
  return (Object.keys(KNOWN) as InputName[]).find((name) => KNOWN[name].endings.includes(ending));
}
