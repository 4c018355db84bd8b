// `csv`: rows as RFC 4180 has them. Reading and quoting are csv-parse's and csv-stringify's.

import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { stringify } from 'csv-stringify/sync';
import { ByteBuffer } from '../../src/internal.js';
import { Output } from '../terminal/output.js';
import { type ChosenColumns, COLUMN_NAME, chooseColumns, columnsNamed, withHeaderHint } from './columns.js';
import type { EntrySink } from './entry-sink.js';
import type { Columns, MakeWriter, ReadEntries } from './format.js';
import { LONGEST_TEXT, withoutMark } from './lines-reader.js';
import { inOneString } from './one-string.js';
import { fieldTexts } from './struct-text.js';
import { keyPrinter, textPrinter } from './text.js';

/** Rows between two looks at the clock. */
const STRIDE = 256;

const readCsv: ReadEntries = async (pieces, sink, columns) => {
  /** Lines of the rows that came whole. */
  let lines = 0;
  const parser = parse({
    // Each byte is one character on the way through the parser, so that bytes that are not UTF-8 survive.
    encoding: 'latin1',
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    max_record_size: LONGEST_TEXT,
    info: true,
    // Not in the loop below: rows that wait for it are lost when the parser fails.
    on_record: (record, context) => {
      lines = context.lines;
      return record;
    },
  });
  const source = Readable.from(withoutMark(pieces), { objectMode: false });
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  const taker = new RowTaker(sink, columns);
  let rows = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      taker.take(record, info.lines);
      if (++rows % STRIDE === 0) {
        const waiting = sink.pause();
        if (waiting !== undefined) await waiting;
      }
    }
    taker.end();
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // A quote that is never closed runs to the end of the input; the line on which its row begins is more useful.
    const line = error.code === 'CSV_QUOTE_NOT_CLOSED' ? lines + 1 : Number(error.lines ?? parser.info.lines);
    throw sink.malformed(line, error.message);
  }
};

interface Row {
  readonly record: string[];
  readonly line: number;
}

/** Adds rows to a build, from the columns that were chosen. Each code unit of a text is a byte. */
class RowTaker {
  readonly #sink: EntrySink;
  readonly #columns: Columns;
  readonly #named: boolean;
  #chosen: ChosenColumns | undefined;
  /** The first rows, until it is clear whether one of them names the columns. */
  #held: Row[] | undefined;
  #added = false;

  constructor(sink: EntrySink, columns: Columns) {
    this.#sink = sink;
    this.#columns = columns;
    this.#named = columnsNamed(columns);
  }

  take(record: string[], line: number): void {
    if (this.#chosen === undefined) {
      const texts = record.map((name) => Buffer.from(name, 'latin1').toString());
      const { valueType } = this.#sink;
      this.#chosen = chooseColumns(this.#columns, texts, this.#named, valueType);
      if (this.#named) return;
      // Other types refuse such a row by themselves.
      if (this.#columns.headerRow === undefined && ANY_TEXT.includes(String(valueType))) this.#held = [];
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
      const row = held[0]!.record.map((text) => JSON.stringify(Buffer.from(text, 'latin1').toString().slice(0, 40)));
      const what = `${row.join(', ')} seems to name the columns, since numbers follow`;
      throw this.#sink.malformed(held[0]!.line, `${what}; --header-row if it does, --no-header-row if it does not`);
    }
    for (const { record, line } of held) this.#addOne(this.#chosen, record, line);
  }

  #addOne(chosen: ChosenColumns, record: string[], line: number): void {
    if (this.#added) {
      this.#add(chosen, record, line);
      return;
    }
    this.#added = true;
    try {
      this.#add(chosen, record, line);
    } catch (error) {
      throw this.#named ? error : withHeaderHint(error, this.#columns);
    }
  }

  #add(chosen: ChosenColumns, record: string[], line: number): void {
    const sink = this.#sink;
    if (!fits(chosen, record)) {
      const needed = Math.max(chosen.key, chosen.value) + 1;
      const hint = record.length > chosen.most ? '; choose columns with --key-column and --value-column' : '';
      throw sink.malformed(line, `expected ${needed} columns, found ${record.length}${hint}`);
    }
    const keyBlock = new ByteBuffer(Buffer.from(record[chosen.key]!, 'latin1'));
    if (chosen.fields !== undefined) {
      const texts = chosen.fields.map((column) => record[column]!);
      sink.fields(keyBlock, 0, keyBlock.size, texts, line);
    } else {
      const value = chosen.value < 0 ? '' : record[chosen.value]!;
      const valueBlock = new ByteBuffer(Buffer.from(value, 'latin1'));
      sink.text(keyBlock, 0, keyBlock.size, valueBlock, 0, valueBlock.size, line);
    }
  }
}

/** Whether a row has the columns that were chosen, and no further one that would be lost unseen. */
function fits({ key, value, most }: ChosenColumns, { length }: readonly string[]): boolean {
  return length > Math.max(key, value) && length <= most;
}

/** Rows after the first that show whether it is one of them. */
const LOOK = 10;
/** Types that hold any text, also a column's name. */
const ANY_TEXT = ['bytes', 'utf8', 'enum'];
const NUMBER = /^-?\d[\d.]*$/;

const csvWriter: MakeWriter = (header) => {
  const printKey = keyPrinter(header.keyType);
  const print = textPrinter(header.valueType);
  const isSet = header.valueType === 'none';
  const texts = fieldTexts(header.valueType);
  const name = new Output();
  const value = new Output();
  return {
    entry(key, { buffer, at, length }, out) {
      name.clear();
      printKey(key.buffer, key.at, key.length, name);
      const row = (): string[] => {
        if (texts !== undefined) return [name.toLatin1(), ...texts(buffer.view, at)];
        if (isSet) return [name.toLatin1()];
        value.clear();
        print(buffer, at, length, value);
        return [name.toLatin1(), value.toLatin1()];
      };
      out.latin1(csvRow(length, row));
    },
  };
};

/**
 * Quoted besides what RFC 4180 asks for: line ends of all kinds, spaces at the ends, and what a reader may take for a
 * mark of the encoding.
 */
const QUOTED = /^$|^\s|\s$|[\r\n]|^\xef\xbb\xbf/;

/**
 * A row, with its line end.
 * @param bytes of the value in it, for messages
 * @throws {HmapError} `HMAP_NOT_REPRESENTABLE` if it is too long
 */
export function csvRow(bytes: number, row: () => string[]): string {
  return inOneString(bytes, 'csv', () => stringify([row()], { quoted_match: QUOTED }));
}

export const csv = { read: readCsv, writer: csvWriter };
