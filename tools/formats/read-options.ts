// What a reader of inputs is told. Knows no format.

/** What a reader is told besides the input: plain data, since threads get it too. */
export interface ReadOptions {
  /** The column of the keys: a number from 1, or a name. `undefined` for the format's own. */
  readonly key: string | undefined;
  readonly value: string | undefined;
  /** Whether the first row names the columns, if that was said. */
  readonly headerRow: boolean | undefined;
  /** Several columns make a key, in place of {@link key}, with {@link join} between them. */
  readonly keys?: readonly string[];
  readonly join?: string;
  /** Several columns make a value, in place of {@link value}. */
  readonly values?: readonly string[];
  /** What separates columns; `\s+` for any run of spaces and tabs. */
  readonly delimiter?: string;
  /** What lines begin with that are none. */
  readonly comment?: string;
  /** The character around a column that holds delimiters or line ends; empty for none. */
  readonly quote?: string;
  /** Whether quotes may stand where RFC 4180 has none. */
  readonly relaxQuotes?: boolean;
  /** Whether spaces around columns are left out. */
  readonly trim?: boolean;
  /** Of JSON: where the entries are. */
  readonly at?: string;
  /** Of a database: the table, or the query, whose rows are the entries. */
  readonly table?: string;
  readonly query?: string;
  /** What to do where a value is missing or empty: leave the entry out, stop, or take this text. */
  readonly missing?: 'skip' | 'error' | { readonly text: string };
  /** Values are texts that become elements of JSON arrays. */
  readonly elements?: 'utf8';
  /** The value is where the entry stands: its line, from 1, or its index among the entries, from 0. */
  readonly position?: 'line' | 'index';
}

/** The name in {@link ReadOptions} of a column that stands for all of a record. */
export const WHOLE = '*';

/** Whether a value of a record or a row counts as missing. */
export const isMissing = (value: unknown): boolean => value === undefined || value === null || value === '';
