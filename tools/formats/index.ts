// The formats by name, and which one a file has by its ending.

import { extname } from 'node:path';
import type { ValueType } from '../../src/types.js';
import { cdbWriter, readCdb } from './cdb.js';
import { csvWriter, readCsv } from './csv.js';
import type { FormatName, MakeWriter, ReadEntries } from './format.js';
import { jsonlWriter, readJsonl } from './jsonl.js';
import { linesWriter, readLines } from './lines.js';
import { readTsv, tsvWriter } from './tsv.js';

interface Format {
  readonly read: ReadEntries;
  readonly writer: MakeWriter;
  /** Type of the values where none is named. */
  readonly value: ValueType;
}

const BY_NAME: Record<FormatName, Format> = {
  tsv: { read: readTsv, writer: tsvWriter, value: 'utf8' },
  csv: { read: readCsv, writer: csvWriter, value: 'utf8' },
  jsonl: { read: readJsonl, writer: jsonlWriter, value: 'json' },
  cdb: { read: readCdb, writer: cdbWriter, value: 'bytes' },
  lines: { read: readLines, writer: linesWriter, value: 'none' },
};

const BY_ENDING: Record<string, FormatName> = {
  '.tsv': 'tsv',
  '.tab': 'tsv',
  '.csv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.cdb': 'cdb',
  '.cdbmake': 'cdb',
  '.txt': 'lines',
  '.lines': 'lines',
};

export function formatOf(name: FormatName): Format {
  return BY_NAME[name];
}

/** The format of a file by its ending, or `undefined`. */
export function formatByEnding(path: string): FormatName | undefined {
  return BY_ENDING[extname(path).toLowerCase()];
}
