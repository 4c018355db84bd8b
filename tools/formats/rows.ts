// Takes rows of texts into a build, from the columns that were chosen. Knows columns; does not know how rows are written.

import { ByteBuffer } from '../../src/internal.js';
import { counted } from '../terminal/cli.js';
import { type ChosenColumns, COLUMN_NAME, chooseColumns, columnsNamed, withHeaderHint } from './columns.js';
import type { EntrySink } from './entry-sink.js';
import type { ReadOptions } from './read-options.js';

interface Row {
  readonly record: readonly string[];
  readonly line: number;
}

/** Each code unit of a text is a byte. */
export class RowTaker {
  readonly #sink: EntrySink;
  readonly #options: ReadOptions;
  readonly #named: boolean;
  readonly #told: string;
  #chosen: ChosenColumns | undefined;
  #join: string;
  /** The first rows, until it is clear whether one of them names the columns. */
  #held: Row[] | undefined;
  #added = false;

  /** @param told how the rows are written, for people */
  constructor(sink: EntrySink, options: ReadOptions, told: string) {
    this.#sink = sink;
    this.#options = options;
    this.#named = columnsNamed(options);
    this.#told = told;
    this.#join = Buffer.from(options.join ?? '').toString('latin1');
  }

  take(record: readonly string[], line: number): void {
    if (this.#chosen === undefined) {
      const texts = record.map(utf8Of);
      const { valueType } = this.#sink;
      this.#chosen = chooseColumns(this.#options, texts, this.#named, valueType);
      const header = this.#named ? ' with a header row' : '';
      this.#sink.tell(`${this.#told}${header}: ${this.#chosen.told}`, this.#named ? texts : undefined);
      if (this.#named) return;
      // Other types refuse such a row by themselves.
      if (this.#options.headerRow === undefined && ANY_TEXT.includes(String(valueType))) this.#held = [];
    }
    if (this.#held === undefined) this.#addOne(this.#chosen, record, line);
    else if (this.#held.push({ record, line }) > LOOK || !fits(this.#chosen, record)) this.end();
  }

  /** Adds what is held. */
  end(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined || this.#chosen === undefined) return;
    const { value, members } = this.#chosen;
    const columns = members?.map(([, column]) => column) ?? [value];
    if (columns.some((column) => seemsNamed(held, column))) {
      const row = held[0]!.record.map((text) => JSON.stringify(utf8Of(text).slice(0, 40)));
      const what = `${row.join(', ')} seems to name the columns, since numbers follow`;
      throw this.#sink.malformed(held[0]!.line, `${what}; --header-row if it does, --no-header-row if it does not`);
    }
    for (const { record, line } of held) this.#addOne(this.#chosen, record, line);
  }

  #addOne(chosen: ChosenColumns, record: readonly string[], line: number): void {
    if (this.#added) {
      this.#add(chosen, record, line);
      return;
    }
    this.#added = true;
    try {
      this.#add(chosen, record, line);
    } catch (error) {
      throw this.#named ? error : withHeaderHint(error, this.#options);
    }
  }

  #add(chosen: ChosenColumns, record: readonly string[], line: number): void {
    const sink = this.#sink;
    const { keys, value, fields, members } = chosen;
    const { missing } = this.#options;
    if (missing === 'skip' && keys.some((column) => (record[column] ?? '') === '')) {
      sink.leaveOut();
      return;
    }
    // A row may end where all that is left of it is empty.
    const isShort = record.length <= chosen.last;
    const hasKey = keys.every((column) => column < record.length);
    const isFilled = hasKey && missing !== undefined && missing !== 'error';
    if (record.length > chosen.most || (isShort && !isFilled)) throw this.#wrongColumns(chosen, record, line);
    const key = new ByteBuffer(Buffer.from(keys.map((column) => record[column]!).join(this.#join), 'latin1'));
    if (fields !== undefined) {
      const texts = fields.map((column) => record[column] ?? '');
      sink.fields(key, 0, key.size, texts, line);
    } else if (members !== undefined) sink.value(key, () => this.#object(members, record, line), line);
    else {
      const text = new ByteBuffer(Buffer.from(value < 0 ? '' : (record[value] ?? ''), 'latin1'));
      sink.text(key, 0, key.size, text, 0, text.size, line);
    }
  }

  /** Columns as members of an object, of which those that are empty may be left out. */
  #object(
    members: NonNullable<ChosenColumns['members']>,
    record: readonly string[],
    line: number,
  ): Record<string, string> {
    const { missing } = this.#options;
    const entries: [name: string, text: string][] = [];
    for (const [name, column] of members) {
      const text = utf8Of(record[column] ?? '');
      if (text !== '' || missing === undefined) entries.push([name, text]);
      else if (missing === 'error') throw this.#sink.malformed(line, `the column '${name}' is empty`);
      else if (missing !== 'skip') entries.push([name, missing.text]);
    }
    // Not by assignment: a column may be named `__proto__`.
    return Object.fromEntries(entries);
  }

  #wrongColumns({ last, most }: ChosenColumns, record: readonly string[], line: number): Error {
    const texts = record.map(utf8Of);
    return this.#sink.malformed(line, wrongColumns(last + 1, most, texts, ''));
  }
}

/**
 * What is wrong with a row that has too few columns, or too many, and what helps.
 * @param least columns that it must have
 * @param separated how columns are separated, if that is to be told
 */
export function wrongColumns(least: number, most: number, found: readonly string[], separated: string): string {
  const expected = most === Number.POSITIVE_INFINITY ? `${least} columns or more` : counted(least, 'column');
  const what = `expected ${expected}${separated}, found ${found.length}`;
  if (found.length > most) {
    const list = found.map((text, i) => `${i + 1} (${JSON.stringify(text.slice(0, 40))})`).slice(0, 12);
    return `${what}; choose columns with --key-column and --value-column: ${list.join(', ')}`;
  }
  const comment = COMMENT.exec(found[0] ?? '')?.[0];
  if (comment !== undefined) return `${what}; --comment '${comment}' leaves out lines that begin so`;
  return found.length === 1 && least > 2 ? what : `${what}; --missing skip leaves out such lines`;
}

/** What comments begin with in many files. */
const COMMENT = /^(?:#|%|\/\/|;|!)/;

/** Without spaces and tabs around it: of other characters, code units are bytes. */
export function trimmed(text: string): string {
  return text.replace(/^[ \t]+/, '').replace(/(?<![ \t])[ \t]+$/, '');
}

const utf8Of = (text: string) => Buffer.from(text, 'latin1').toString();

/** Whether a row has the columns that were chosen, and no further one that would be lost unseen. */
function fits({ last, most }: ChosenColumns, { length }: readonly string[]): boolean {
  return length > last && length <= most;
}

/** Whether a column has what may be a name where the rows after it have numbers. */
function seemsNamed(rows: readonly Row[], column: number): boolean {
  const [first, ...others] = rows.map(({ record }) => record[column] ?? '');
  return COLUMN_NAME.test(first ?? '') && others.length > 0 && others.every((text) => NUMBER.test(text));
}

/** Rows after the first that show whether it is one of them. */
const LOOK = 10;
/** Types that hold any text, also a column's name. */
const ANY_TEXT = ['bytes', 'utf8', 'enum', 'json'];
const NUMBER = /^-?\d[\d.]*$/;
