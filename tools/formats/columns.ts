// Chooses the columns of formats that have rows. Knows numbers and names of columns; knows no format.

import { HmapError } from '../../src/index.js';
import { type BuildValueType, nearest } from '../../src/internal.js';
import { type ReadOptions, WHOLE } from './read-options.js';
import { fieldNames } from './struct-text.js';

/** Indexes from 0. */
export interface ChosenColumns {
  /** The columns that make the key. */
  readonly keys: readonly number[];
  /** -1 for a set, which has no values; -2 where several columns make the value. */
  readonly value: number;
  /** Where the fields of a struct have a column each, these. */
  readonly fields: readonly number[] | undefined;
  /** Where columns are the members of a JSON object, these, with their names. */
  readonly members: readonly (readonly [name: string, column: number])[] | undefined;
  /** The last column that a row must have. */
  readonly last: number;
  /** Most columns a row may have: where no column was chosen, a further one would be lost unseen. */
  readonly most: number;
  /** What was chosen, for people. */
  readonly told: string;
}

const isNumber = (column: string | undefined) => column === undefined || /^[1-9]\d*$/.test(column);

const chosenBy = ({ key, keys, value, values }: ReadOptions) =>
  [...(keys ?? [key]), ...(values ?? [value])].filter((column) => column !== WHOLE);

/**
 * Whether the first row names the columns.
 * @throws {TypeError} if it does not, but columns are chosen by name
 */
export function columnsNamed(options: ReadOptions): boolean {
  const byName = !chosenBy(options).every(isNumber);
  if (byName && options.headerRow === false) {
    throw new TypeError('--no-header-row: columns can be chosen by name only if the first row names them');
  }
  return options.headerRow ?? byName;
}

/**
 * @param first the first row
 * @param named whether it names the columns
 * @throws {TypeError} if there is no such column, or only one of two was chosen
 */
export function chooseColumns(
  options: ReadOptions,
  first: readonly string[],
  named: boolean,
  type: BuildValueType,
): ChosenColumns {
  const columns = new Columns(first, named);
  const isSet = type === 'none';
  const isKeyChosen = options.key !== undefined || options.keys !== undefined;
  const isRow = type === 'json' && isKeyChosen && options.value === undefined && options.values === undefined;
  const keys = options.keys?.map((column) => columns.index('--key-columns', column)) ?? [
    columns.index('--key-column', options.key ?? '1'),
  ];
  const chosen = (value: Pick<ChosenColumns, 'value' | 'fields' | 'members'>, most: number): ChosenColumns => {
    const read = value.fields ?? value.members?.map(([, column]) => column) ?? [value.value];
    const told = isSet ? '' : `, value = ${read.map((column) => columns.shown(column)).join(', ')}`;
    return {
      ...{ keys, ...value, last: Math.max(...keys, ...read), most },
      told: `key = ${keys.map((column) => columns.shown(column)).join(' + ')}${told}`,
    };
  };
  if (isSet) return chosen({ value: -1, fields: undefined, members: undefined }, isKeyChosen ? ANY : 1);
  // A JSON value beside a key that was chosen is the row.
  const several = severalOf(isRow ? { ...options, value: WHOLE } : options, columns, type);
  if (several !== undefined) return chosen(several, ANY);
  const one = options.values?.[0] ?? options.value;
  const fields = one === undefined ? fieldNames(type) : undefined;
  if (fields !== undefined) {
    const found = columns.ofFields(fields, keys[0]!);
    const most = isKeyChosen || named ? ANY : Math.max(...found) + 1;
    return chosen({ value: -2, fields: found, members: undefined }, most);
  }
  // The second column may be anything, the key among others.
  if (isKeyChosen && one === undefined) {
    throw new TypeError(`--value-column: choose the column of the values, too; ${columns.all}`);
  }
  const value = columns.index('--value-column', one ?? '2');
  if (!isKeyChosen && keys.includes(value)) {
    throw new TypeError(`--key-column: choose the column of the keys, too; ${columns.all}`);
  }
  return chosen({ value, fields: undefined, members: undefined }, isKeyChosen || one !== undefined ? ANY : 2);
}

const ANY = Number.POSITIVE_INFINITY;

/** Several columns that make a value; `undefined` if one does. */
function severalOf(
  { value, values }: ReadOptions,
  columns: Columns,
  type: BuildValueType,
): Pick<ChosenColumns, 'value' | 'fields' | 'members'> | undefined {
  const names = fieldNames(type);
  if (value === WHOLE ? false : values === undefined || (values.length === 1 && names === undefined)) return undefined;
  if (value === WHOLE && names !== undefined) {
    return { value: -2, fields: columns.ofFields(names, -1), members: undefined };
  }
  const found = values?.map((column) => columns.index('--value-columns', column)) ?? columns.indexes;
  if (names !== undefined) {
    if (names.length !== found.length) {
      throw new TypeError(`--value-columns: the struct has ${names.length} fields, not ${found.length}`);
    }
    return { value: -2, fields: found, members: undefined };
  }
  if (type !== 'json') {
    throw new TypeError('--value-columns: several columns make a value of type json or of a struct; choose --value');
  }
  const members = found.map((column) => [columns.name(column), column] as const);
  const taken = new Set<string>();
  for (const [name, column] of members) {
    if (taken.has(name)) {
      const twice = `two columns are called '${name}', the second is number ${column + 1}`;
      throw new TypeError(`--value-columns: ${twice}; choose others, or --no-header-row and numbers`);
    }
    taken.add(name);
  }
  return { value: -2, fields: undefined, members };
}

/** The columns of the first row. */
class Columns {
  readonly #first: readonly string[];
  readonly #names: readonly string[] | undefined;

  constructor(first: readonly string[], named: boolean) {
    this.#first = first;
    this.#names = named ? first : undefined;
  }

  get indexes(): number[] {
    return this.#first.map((_, column) => column);
  }

  /** The columns that there are, for a message. */
  get all(): string {
    const texts = this.#first.map((text, i) =>
      this.#names ? text : `${i + 1} (${JSON.stringify(text.slice(0, 40))})`,
    );
    return `${this.#names ? 'the columns' : 'the columns of the first row'} are ${texts.join(', ')}`;
  }

  name(column: number): string {
    return this.#names?.[column] ?? String(column + 1);
  }

  /** For people. */
  shown(column: number): string {
    return this.#names === undefined ? `column ${column + 1}` : `\`${this.#names[column] ?? column + 1}\``;
  }

  index(option: string, column: string): number {
    const names = this.#names ?? [];
    const found = names.indexOf(column);
    if (found >= 0 && names.indexOf(column, found + 1) >= 0) {
      throw new TypeError(`${option}: two columns are called '${column}'; choose one by its number`);
    }
    if (found >= 0) return found;
    if (isNumber(column)) return Number(column) - 1;
    const near = nearest(column, names);
    const hint = near === undefined ? `the columns are ${names.join(', ')}` : `did you mean '${near}'?`;
    throw new TypeError(`${option}: there is no column '${column}'; ${hint}`);
  }

  /** The columns after that of the key, in the order of the fields; or those with the fields' names. */
  ofFields(fields: readonly string[], key: number): number[] {
    const names = this.#names;
    if (names === undefined) return fields.map((_, i) => key + 1 + i);
    return fields.map((name) => {
      const at = names.indexOf(name);
      if (at < 0)
        throw new TypeError(`--value: there is no column for the field '${name}'; the columns are ${names.join(', ')}`);
      if (at === key)
        throw new TypeError(
          `--key-column: the column '${name}' belongs to a field; choose another column for the keys`,
        );
      return at;
    });
  }
}

/** What columns are often called, and numbers are not. */
export const COLUMN_NAME = /^[A-Za-z_][\w .-]*$/;

/** An error about the first line, which may be one of names that nobody has announced. */
export function withHeaderHint(error: unknown, { headerRow }: ReadOptions): unknown {
  if (headerRow !== undefined || !(error instanceof HmapError) || !/^HMAP_(VALUE|KEY)_/.test(error.code)) return error;
  const { code, ...data } = error;
  const found = error.actual ?? error.key;
  if (typeof found !== 'string' || !COLUMN_NAME.test(found)) return error;
  return new HmapError(code, `${error.message}; if this line names the columns: --header-row`, data);
}
