// Chooses the columns of formats that have rows. Knows numbers and names of columns; knows no format.

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

/** Whether the first row names the columns. */
export function columnsNamed(columns: Columns): boolean {
  return columns.headerRow || !isNumber(columns.key) || !isNumber(columns.value);
}

/** @param names the first row, where it names the columns */
export function chooseColumns(
  columns: Columns,
  names: readonly string[] | undefined,
  type: BuildValueType,
): ChosenColumns {
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
  const value = isSet ? -1 : index('--value-column', columns.value, 1);
  const chosen = columns.key !== undefined || columns.value !== undefined;
  return { key, value, fields: undefined, most: chosen ? Number.POSITIVE_INFINITY : isSet ? 1 : 2 };
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
