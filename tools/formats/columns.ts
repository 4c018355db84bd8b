// Chooses the columns of formats that have rows. Knows numbers and names of columns; knows no format.

import { HmapError } from '../../src/index.js';
import { type BuildValueType, nearest } from '../../src/internal.js';
import type { Columns } from './format.js';
import { fieldNames } from './struct-text.js';

/** Indexes from 0. */
export interface ChosenColumns {
  readonly key: number;
  /** -1 for a set, which has no values. */
  readonly value: number;
  /** Where the fields of a struct have a column each, these; `value` is then the last of key and fields. */
  readonly fields: readonly number[] | undefined;
  /** Most columns a row may have: where no column was chosen, a further one would be lost unseen. */
  readonly most: number;
}

const isNumber = (column: string | undefined) => column === undefined || /^[1-9]\d*$/.test(column);

/**
 * Whether the first row names the columns.
 * @throws {TypeError} if it does not, but columns are chosen by name
 */
export function columnsNamed({ key, value, headerRow }: Columns): boolean {
  const byName = !isNumber(key) || !isNumber(value);
  if (byName && headerRow === false) {
    throw new TypeError('--no-header-row: columns can be chosen by name only if the first row names them');
  }
  return headerRow === true || byName;
}

/**
 * @param first the first row
 * @param named whether it names the columns
 * @throws {TypeError} if there is no such column, or only one of two was chosen
 */
export function chooseColumns(
  columns: Columns,
  first: readonly string[],
  named: boolean,
  type: BuildValueType,
): ChosenColumns {
  const names = named ? first : undefined;
  const index = (option: string, column: string | undefined, otherwise: number): number => {
    if (column === undefined) return otherwise;
    if (isNumber(column)) return Number(column) - 1;
    const found = names?.indexOf(column) ?? -1;
    if (found >= 0) return found;
    const near = nearest(column, names ?? []);
    const hint = near === undefined ? `the columns are ${(names ?? []).join(', ')}` : `did you mean '${near}'?`;
    throw new TypeError(`${option}: there is no column '${column}'; ${hint}`);
  };
  const isSet = type === 'none';
  const key = index('--key-column', columns.key, 0);
  const fields = columns.value === undefined ? fieldNames(type) : undefined;
  if (fields !== undefined) return chooseFields(fields, key, columns.key !== undefined, names);
  // The second column may be anything, the key among others.
  if (!isSet && columns.key !== undefined && columns.value === undefined) {
    throw new TypeError(`--value-column: choose the column of the values, too; ${shown(first, named)}`);
  }
  const value = isSet ? -1 : index('--value-column', columns.value, 1);
  if (columns.key === undefined && value === key) {
    throw new TypeError(`--key-column: choose the column of the keys, too; ${shown(first, named)}`);
  }
  const chosen = columns.key !== undefined || columns.value !== undefined;
  return { key, value, fields: undefined, most: chosen ? Number.POSITIVE_INFINITY : isSet ? 1 : 2 };
}

/** What columns are often called, and numbers are not. */
export const COLUMN_NAME = /^[A-Za-z_][\w .-]*$/;

/** An error about the first line, which may be one of names that nobody has announced. */
export function withHeaderHint(error: unknown, { headerRow }: Columns): unknown {
  if (headerRow !== undefined || !(error instanceof HmapError) || !/^HMAP_(VALUE|KEY)_/.test(error.code)) return error;
  const { code, ...data } = error;
  const found = error.actual ?? error.key;
  if (typeof found !== 'string' || !COLUMN_NAME.test(found)) return error;
  return new HmapError(code, `${error.message}; if this line names the columns: --header-row`, data);
}

/** The columns that there are, for a message. */
function shown(first: readonly string[], named: boolean): string {
  const list = first.map((text, i) => (named ? text : `${i + 1} (${JSON.stringify(text.slice(0, 40))})`)).join(', ');
  return named ? `the columns are ${list}` : `the columns of the first row are ${list}`;
}

/** The columns after that of the key, in the order of the fields; or those with the fields' names. */
function chooseFields(
  fields: readonly string[],
  key: number,
  chosen: boolean,
  names: readonly string[] | undefined,
): ChosenColumns {
  if (names === undefined) {
    const last = key + fields.length;
    const columns = fields.map((_, i) => key + 1 + i);
    return { key, value: last, fields: columns, most: chosen ? Number.POSITIVE_INFINITY : last + 1 };
  }
  const columns = fields.map((name) => {
    const at = names.indexOf(name);
    if (at < 0)
      throw new TypeError(`--value: there is no column for the field '${name}'; the columns are ${names.join(', ')}`);
    if (at === key)
      throw new TypeError(`--key-column: the column '${name}' belongs to a field; choose another column for the keys`);
    return at;
  });
  return { key, value: Math.max(key, ...columns), fields: columns, most: Number.POSITIVE_INFINITY };
}
