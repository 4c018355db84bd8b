// Takes rows of texts into a build, from the columns that were chosen. Knows columns; does not know how rows are written.

import { ByteBuffer } from '../../src/internal.js';
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
    const { value } = this.#chosen;
    const [first, ...others] = held.map(({ record }) => record[value] ?? '');
    if (COLUMN_NAME.test(first ?? '') && others.length > 0 && others.every((text) => NUMBER.test(text))) {
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
    const key = new ByteBuffer(Buffer.from(keys.map((column) => record[column] ?? '').join(this.#join), 'latin1'));
    if (!fits(chosen, record)) {
      // A row may end where all that is left of it is empty.
      const isShort = record.length <= chosen.most;
      const hasKey = this.#options.missing === 'skip' || keys.every((column) => column < record.length);
      if (isShort && hasKey && sink.missing(key, 0, key.size, line)) return;
      throw sink.malformed(line, wrongColumns(chosen, record.length));
    }
    if (fields !== undefined) {
      const texts = fields.map((column) => record[column]!);
      sink.fields(key, 0, key.size, texts, line);
    } else if (members !== undefined) {
      const object = () => Object.fromEntries(members.map(([name, column]) => [name, utf8Of(record[column]!)]));
      sink.value(key, object, line);
    } else {
      const text = new ByteBuffer(Buffer.from(value < 0 ? '' : record[value]!, 'latin1'));
      sink.text(key, 0, key.size, text, 0, text.size, line);
    }
  }
}

const utf8Of = (text: string) => Buffer.from(text, 'latin1').toString();

/** Whether a row has the columns that were chosen, and no further one that would be lost unseen. */
function fits({ last, most }: ChosenColumns, { length }: readonly string[]): boolean {
  return length > last && length <= most;
}

function wrongColumns({ last, most }: ChosenColumns, found: number): string {
  const hint = found > most ? '; choose columns with --key-column and --value-column' : '';
  return `expected ${last + 1} columns, found ${found}${hint}`;
}

/** Rows after the first that show whether it is one of them. */
const LOOK = 10;
/** Types that hold any text, also a column's name. */
const ANY_TEXT = ['bytes', 'utf8', 'enum'];
const NUMBER = /^-?\d[\d.]*$/;
