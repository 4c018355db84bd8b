// The formats by name, and which one a file has by its ending.

import { statSync } from 'node:fs';
import { extname } from 'node:path';
import type { ValueType } from '../../src/index.js';
import { systemError } from '../../src/internal.js';
import { FORMATS, type FormatName, type MakeWriter, type ReadEntries } from './format.js';

interface Format {
  readonly read: ReadEntries;
  readonly writer: MakeWriter;
}

// Loaded when asked for: what reads CSV alone takes as long to load as all the rest.
const BY_NAME: Record<FormatName, () => Promise<Format>> = {
  tsv: async () => (await import('./tsv.js')).tsv,
  csv: async () => (await import('./csv.js')).csv,
  jsonl: async () => (await import('./jsonl.js')).jsonl,
  cdb: async () => (await import('./cdb.js')).cdb,
  lines: async () => (await import('./lines.js')).lines,
};

/** Type of the values where none is named. */
export const DEFAULT_VALUE: Record<FormatName, ValueType> = {
  tsv: 'utf8',
  csv: 'utf8',
  jsonl: 'json',
  cdb: 'bytes',
  lines: 'none',
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

export function loadFormat(name: FormatName): Promise<Format> {
  return BY_NAME[name]();
}

/** The format of a file by its ending, or `undefined`. */
export function formatByEnding(path: string): FormatName | undefined {
  return BY_ENDING[extname(path).toLowerCase()];
}

function needFile(path: string): void {
  try {
    statSync(path);
  } catch (error) {
    throw systemError(error, 'read', path);
  }
}

/**
 * The format of an input: the one that was chosen, or that of its ending.
 * @param name the name of the input in messages
 * @param unpacked the path without the ending of what the input is compressed with
 * @throws {TypeError} if the ending is that of no format
 */
export function formatOf(input: string, name: string, chosen: FormatName | undefined, unpacked: string): FormatName {
  const format = chosen ?? formatByEnding(unpacked);
  if (format !== undefined) return format;
  // That there is no such file matters more than how its name ends.
  if (input !== '-') needFile(input);
  throw new TypeError(`--format: cannot tell the format of ${name} from its name; choose one of ${FORMATS.join(', ')}`);
}
