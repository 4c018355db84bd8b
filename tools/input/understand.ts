// Finds out what an input is: by what was said, by its name, or by its first bytes. Knows names and looks; reads no
// entries.

import { statSync } from 'node:fs';
import type { ListType } from '../../src/index.js';
import { type BuildValueType, systemError } from '../../src/internal.js';
import { evenDelimiter, shownDelimiter } from '../formats/delimiters.js';
import { INPUTS, type InputName } from '../formats/format.js';
import { defaultValue, formatByName } from '../formats/formats.js';
import type { Head } from '../formats/head.js';
import { formatByLook, holdsKeys, jsonForm } from '../formats/look.js';
import { type ReadOptions, WHOLE } from '../formats/read-options.js';
import { kindOf } from './encoding.js';
import { unpackedName } from './packing.js';
import { isAddress, type Source } from './source.js';

export interface Understood {
  readonly format: InputName;
  /** Type of the values where none is named. */
  readonly value: BuildValueType | ListType;
  /** What the user may have meant instead. */
  readonly hint: string | undefined;
}

/**
 * The format of an input, and what its values are by themselves.
 * @param name the name of the input in messages
 * @throws {TypeError} if nothing tells the format
 */
export async function understand(
  input: string,
  name: string,
  source: Source,
  chosen: InputName | undefined,
  options: ReadOptions,
): Promise<Understood> {
  const format = chosen ?? (await formatOf(input, name, source, options));
  needFits(format, options);
  const hint = format === 'lines' && chosen === undefined ? await columnsIn(source) : undefined;
  return { format, value: await defaultOf(format, source, options), hint };
}

async function formatOf(input: string, name: string, source: Source, options: ReadOptions): Promise<InputName> {
  if (input !== '-' && !isAddress(input)) needFile(input);
  const byName = formatByName(unpackedName(input));
  // Columns of a list of lines are separated by something.
  if ((byName === undefined || byName === 'lines') && options.delimiter !== undefined) {
    return options.quote ? 'csv' : 'tsv';
  }
  if (byName !== undefined && byName !== 'cdb-binary' && byName !== 'json') return byName;
  const head = await source.head();
  if (byName === 'json') return jsonForm(textOf(head)) ?? 'json';
  const found = formatByLook(head.bytes, head.isWhole);
  if (found !== undefined) return found;
  // An empty text has no more than its name.
  if (byName !== undefined) return 'cdb';
  const kind = kindOf(head.bytes);
  if (kind !== undefined) throw new TypeError(`${name} is not a text: it looks like ${kind}`);
  throw new TypeError(
    `--format: cannot tell the format of ${name} from its name or its first bytes; choose one of ${INPUTS.join(', ')}`,
  );
}

const textOf = ({ bytes, isWhole }: Head): string => {
  const end = isWhole ? -1 : bytes.lastIndexOf(0x0a);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end).replace(/^\ufeff/, '');
};

/** Formats that have columns, or members. */
const ROWS = ['tsv', 'csv', 'json', 'jsonl', 'sqlite', 'parquet'] as const;

/** Options that some formats have, and others would not see. */
const ONLY_FOR: readonly (readonly [name: string, of: keyof ReadOptions, ...formats: InputName[]])[] = [
  ['--at', 'at', 'json'],
  ['--table', 'table', 'sqlite'],
  ['--query', 'query', 'sqlite'],
  ['--delimiter', 'delimiter', 'tsv', 'csv'],
  ['--quote', 'quote', 'csv'],
  ['--relax-quotes', 'relaxQuotes', 'csv'],
  ['--trim', 'trim', 'tsv', 'csv'],
  ['--comment', 'comment', 'tsv', 'csv', 'lines'],
  ['--key-column', 'key', ...ROWS],
  ['--key-columns', 'keys', ...ROWS],
  ['--value-column', 'value', ...ROWS],
  ['--value-columns', 'values', ...ROWS],
];

function needFits(format: InputName, options: ReadOptions): void {
  for (const [name, of, ...formats] of ONLY_FOR) {
    if (options[of] === undefined || options[of] === '' || formats.includes(format)) continue;
    throw new TypeError(`${name}: is for ${formats.join(' and ')}; the input is read as ${format} (--format)`);
  }
}

/** A hint where lines that are taken for keys seem to have columns. */
async function columnsIn(source: Source): Promise<string | undefined> {
  const { bytes, isWhole } = await source.head();
  const text = bytes.toString('latin1');
  const delimiter = text.split('\n').length > FEW ? evenDelimiter(text, isWhole, '#') : undefined;
  if (delimiter === undefined) return undefined;
  return `each line was taken for a key, and each has ${shownDelimiter(delimiter)} in it: --delimiter ${delimiter === '\t' ? 'tab' : `'${delimiter}'`} makes columns of them`;
}

/** Lines that may look alike by chance. */
const FEW = 3;

async function defaultOf(format: InputName, source: Source, options: ReadOptions): Promise<BuildValueType | ListType> {
  const { position, values, value, key, keys } = options;
  if (position !== undefined) return 'uint';
  if ((values !== undefined && values.length > 1) || value === WHOLE) return 'json';
  const hasColumns = [value, values, key, keys].some((option) => option !== undefined);
  if (format === 'json' && !hasColumns && holdsKeys((await source.head()).bytes, options.at)) return 'none';
  return defaultValue(format);
}

/** The name of an input in messages: an address without its password. */
export function nameOf(input: string): string {
  return input === '-' ? 'stdin' : isAddress(input) ? input.replace(/\/\/[^@/]*@/, '//') : input;
}

/** That there is no such file matters more than what it would be. */
function needFile(path: string): void {
  try {
    statSync(path);
  } catch (error) {
    throw systemError(error, 'read', path);
  }
}
