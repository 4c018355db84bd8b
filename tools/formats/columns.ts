// Chooses the columns of formats that have rows. Knows numbers and names of columns; knows no format.

import { nearest } from '../../src/options.js';
import type { ValueType } from '../../src/types.js';
import type { Columns } from './format.js';

/** Indexes from 0. */
export interface ChosenColumns {
  readonly key: number;
  /** -1 for a set, which has no values. */
  readonly value: number;
  /** Most columns a row may have: where no column was chosen, a further one would be lost unseen. */
  readonly most: number;
}

const isNumber = (column: string | undefined) => column === undefined || /^[1-9]\d*$/.test(column);

/** Whether the first row names the columns. */
export function columnsNamed(columns: Columns): boolean {
  return columns.headerRow || !isNumber(columns.key) || !isNumber(columns.value);
}

/** @param names the first row, where it names the columns */
export function chooseColumns(columns: Columns, names: readonly string[] | undefined, type: ValueType): ChosenColumns {
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
  const value = isSet ? -1 : index('--value-column', columns.value, 1);
  const chosen = columns.key !== undefined || columns.value !== undefined;
  return { key, value, most: chosen ? Number.POSITIVE_INFINITY : isSet ? 1 : 2 };
}
