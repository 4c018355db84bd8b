// The options about an input that `build` and `plan` share: what it is, and which parts of it are key and value. Knows
// arguments; reads nothing.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { nearest } from '../../src/internal.js';
import { parseDelimiter } from '../formats/delimiters.js';
import { INPUTS, type InputName } from '../formats/format.js';
import type { ReadOptions } from '../formats/read-options.js';
import { parseEncoding } from '../input/encoding.js';
import { PACKINGS, type PackingChoice } from '../input/packing.js';

export interface InputFlags {
  format?: InputName;
  keyColumn?: string;
  valueColumn?: string;
  keyColumns?: string[];
  valueColumns?: string[];
  join?: string;
  headerRow?: boolean;
  delimiter?: string;
  comment?: string;
  quote?: string;
  relaxQuotes?: boolean;
  trim?: boolean;
  missing?: NonNullable<ReadOptions['missing']>;
  valueFrom?: NonNullable<ReadOptions['position']>;
  at?: string;
  table?: string;
  query?: string;
  encoding?: string;
  compression?: PackingChoice;
}

/** Adds the options to a command. */
export function addInputFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '-f, --format <format>',
        'format of the input (default: by its ending, else by its first bytes)',
      ).choices(INPUTS),
    )
    .option(
      '--key-column <column>',
      'column of the keys: its number, from 1, or its name; the member of JSON records (default: 1, or "key")',
    )
    .option('--value-column <column>', 'column of the values, or * for all columns (default: 2, or "value")')
    .option('--key-columns <columns>', 'columns that make the key, with commas between them; needs --join', parseList)
    .option('--join <text>', 'what stands between the columns of a key')
    .option(
      '--value-columns <columns>',
      'columns that make the value: the members of a json object, or the fields of a struct in their order',
      parseList,
    )
    .option('--header-row', 'the first row names the columns')
    .option('--no-header-row', 'the first row is an entry, whatever it looks like')
    .addOption(
      new Option(
        '--delimiter <text>',
        "what separates columns, such as ';', tab, or spaces (default: by the format, or the first lines)",
      ).argParser(parseDelimiterFlag),
    )
    .option('--comment <text>', "leave out lines that begin with this, such as '#'", parseText)
    .option(
      '--quote <character>',
      'quotes around columns that hold delimiters, or none (default: " for csv, none for others)',
      parseQuote,
    )
    .option('--relax-quotes', 'take quotes as they are where RFC 4180 has none')
    .option('--trim', 'leave out spaces around columns')
    .option('--missing <what>', 'for a missing value: skip the entry, error, or a text, such as 0', parseMissing)
    .addOption(
      new Option(
        '--value-from <position>',
        'the value is where the entry stands: its line, counted from 1, or its index among the entries, from 0',
      ).choices(['line', 'index']),
    )
    .option('--at <path>', 'where in a JSON text the entries are, such as data.items')
    .option('--table <name>', 'the table of a database whose rows are the entries')
    .option('--query <sql>', 'the query whose rows are the entries')
    .option(
      '--encoding <label>',
      'encoding of the text, such as latin1 or utf-16le; none: bytes as they are, which --key bytes, --value bytes and the format cdb imply (default: utf-8)',
      parseEncoding,
    )
    .addOption(
      new Option(
        '--compression <name>',
        'what the input is compressed with (default: found by its first bytes, brotli by the ending .br)',
      ).choices(['none', ...PACKINGS]),
    );
}

function parseList(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('Expected columns with commas between them.');
  return names;
}

function parseText(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected some text.');
  return text;
}

function parseDelimiterFlag(text: string): string {
  const delimiter = parseDelimiter(text);
  if (delimiter === '' || /[\r\n"]/.test(delimiter)) {
    throw new InvalidArgumentError('Expected a delimiter without line ends and quotes.');
  }
  return delimiter;
}

function parseQuote(text: string): string {
  if (text === 'none') return '';
  if (/^[!-~]$/.test(text)) return text;
  throw new InvalidArgumentError('Expected one character of ASCII, or none.');
}

function parseMissing(text: string): NonNullable<ReadOptions['missing']> {
  if (text === 'skip' || text === 'error') return text;
  if (text.startsWith('=')) return { text: text.slice(1) };
  const near = nearest(text, ['skip', 'error']);
  if (text === '' || near !== undefined) throw new InvalidArgumentError('Expected skip, error, or =TEXT.');
  return { text };
}

/**
 * What readers are told.
 * @throws {TypeError} if options do not go together
 */
export function readOptionsOf(flags: InputFlags): ReadOptions {
  const { keyColumn, valueColumn, keyColumns, valueColumns, join, valueFrom } = flags;
  const both = (one: unknown, other: unknown, names: string) => {
    if (one !== undefined && other !== undefined) throw new TypeError(`${names} cannot be used together`);
  };
  both(keyColumn, keyColumns, '--key-column and --key-columns');
  both(valueColumn, valueColumns, '--value-column and --value-columns');
  both(valueColumn ?? valueColumns, valueFrom, '--value-column and --value-from');
  both(flags.table, flags.query, '--table and --query');
  if (keyColumns !== undefined && keyColumns.length > 1 && join === undefined) {
    throw new TypeError('--join: say what stands between the columns of a key, such as :');
  }
  if (join !== undefined && keyColumns === undefined) throw new TypeError('--join: needs --key-columns');
  const { delimiter, comment, quote, relaxQuotes, trim, missing, at, table, query } = flags;
  return {
    key: keyColumn,
    value: valueColumn,
    headerRow: flags.headerRow,
    ...(keyColumns && { keys: keyColumns }),
    ...(join !== undefined && { join }),
    ...(valueColumns && { values: valueColumns }),
    ...(delimiter !== undefined && { delimiter }),
    ...(comment !== undefined && { comment }),
    ...(quote !== undefined && { quote }),
    ...(relaxQuotes && { relaxQuotes }),
    ...(trim && { trim }),
    ...(missing !== undefined && { missing }),
    ...(valueFrom !== undefined && { position: valueFrom }),
    ...(at !== undefined && { at }),
    ...(table !== undefined && { table }),
    ...(query !== undefined && { query }),
  };
}

/** The arguments that say the same, but for the columns of the key. */
export function inputArgs(flags: InputFlags): string[] {
  const args: string[] = [];
  const add = (name: string, value: string | undefined) => {
    if (value !== undefined) args.push(name, value);
  };
  add('--key-columns', flags.keyColumns?.join(','));
  add('--join', flags.join);
  add('--value-column', flags.valueColumn);
  add('--value-columns', flags.valueColumns?.join(','));
  add('--delimiter', flags.delimiter);
  add('--comment', flags.comment);
  add('--quote', flags.quote === '' ? 'none' : flags.quote);
  if (flags.relaxQuotes) args.push('--relax-quotes');
  if (flags.trim) args.push('--trim');
  add('--missing', typeof flags.missing === 'object' ? `=${flags.missing.text}` : flags.missing);
  add('--value-from', flags.valueFrom);
  add('--at', flags.at);
  add('--table', flags.table);
  add('--query', flags.query);
  add('--encoding', flags.encoding);
  add('--compression', flags.compression);
  if (flags.headerRow !== undefined) args.push(flags.headerRow ? '--header-row' : '--no-header-row');
  return args;
}

/** Options of inputs that few inputs need. */
export const RARE_INPUT_FLAGS: readonly string[] = [
  '--key-columns',
  '--join',
  '--value-columns',
  '--no-header-row',
  '--comment',
  '--quote',
  '--relax-quotes',
  '--trim',
  '--value-from',
  '--table',
  '--query',
  '--encoding',
  '--compression',
];
