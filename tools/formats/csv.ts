// `csv`: rows as RFC 4180 has them, or with other delimiters and quotes. Reading and quoting are csv-parse's and csv-stringify's.

import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { stringify } from 'csv-stringify/sync';
import { Output } from '../terminal/output.js';
import { guessDelimiter, namedDelimiter, SPACES, shownDelimiter } from './delimiters.js';
import type { EntrySink } from './entry-sink.js';
import type { MakeWriter, ReadEntries } from './format.js';
import { HEAD_BYTES, headOf } from './head.js';
import { LONGEST_TEXT, withoutMark } from './lines-reader.js';
import { inOneString } from './one-string.js';
import type { ReadOptions } from './read-options.js';
import { RowTaker, trimmed } from './rows.js';
import { fieldTexts } from './struct-text.js';
import { keyPrinter, textPrinter } from './text.js';
import { readTsv } from './tsv.js';

/** Bytes of a line `sep=;`. */
const SEP_BYTES = 8;
/** Rows between two looks at the clock. */
const STRIDE = 256;

const readCsv: ReadEntries = async (pieces, sink, options) => {
  // Whoever has named the delimiter need not wait for more than a first line that names it, too.
  const needed = options.delimiter === undefined ? HEAD_BYTES : SEP_BYTES;
  const { bytes, isWhole, pieces: all } = await headOf(withoutMark(pieces), needed);
  const head = bytes.toString('latin1');
  const named = namedDelimiter(head);
  const chosen = options.delimiter ?? named?.delimiter;
  if (named !== undefined) return readRows(withoutStart(all, named.bytes), sink, chosen!, options, 1);
  if (chosen !== undefined) return readRows(all, sink, chosen, options, 0);
  // Keys of one column may hold anything.
  const isOne = sink.valueType === 'none' && options.key === undefined && options.keys === undefined;
  const guessed = isOne ? undefined : guessDelimiter(head, isWhole, options.comment);
  return readRows(all, sink, guessed ?? ',', options, 0);
};

/** @param before lines that come before these */
function readRows(
  pieces: AsyncIterable<Uint8Array>,
  sink: EntrySink,
  delimiter: string,
  options: ReadOptions,
  before: number,
): Promise<void> {
  if (options.quote === '') return readTsv(pieces, sink, { ...options, delimiter }, before);
  return readQuoted(pieces, sink, { ...options, delimiter }, before);
}

/** @param before lines that come before these */
async function readQuoted(
  pieces: AsyncIterable<Uint8Array>,
  sink: EntrySink,
  options: ReadOptions & { readonly delimiter: string },
  before: number,
): Promise<void> {
  /** Lines of the rows that came whole. */
  let lines = 0;
  const latin1 = (text: string) => Buffer.from(text).toString('latin1');
  if (options.delimiter === SPACES) {
    throw new TypeError('--delimiter: spaces separate columns without quotes only; choose --quote none');
  }
  const parser = parse({
    // Each byte is one character on the way through the parser, so that bytes that are not UTF-8 survive.
    encoding: 'latin1',
    delimiter: latin1(options.delimiter),
    quote: latin1(options.quote ?? '"'),
    escape: latin1(options.quote ?? '"'),
    relax_quotes: options.relaxQuotes === true,
    ...(options.comment !== undefined && { comment: latin1(options.comment), comment_no_infix: true }),
    skip_empty_lines: true,
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
  const source = Readable.from(pieces, { objectMode: false });
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  const at = options.delimiter === ',' ? '' : ` split at ${shownDelimiter(options.delimiter)}`;
  const taker = new RowTaker(sink, options, `csv${at}`);
  let rows = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      taker.take(options.trim === true ? record.map(trimmed) : record, firstLine(record, info.lines) + before);
      if (++rows % STRIDE === 0) {
        const waiting = sink.pause();
        if (waiting !== undefined) await waiting;
      }
    }
    taker.end();
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // A quote that is never closed runs to the end of the input; the line on which its row begins is more useful.
    const isOpen = error.code === 'CSV_QUOTE_NOT_CLOSED';
    const line = (isOpen ? lines + 1 : Number(error.lines ?? parser.info.lines)) + before;
    const isQuote = options.relaxQuotes !== true && /QUOTE/.test(error.code);
    const hint = isQuote ? '; --relax-quotes, or --quote none, takes quotes as they are' : '';
    throw sink.malformed(line, `${error.message}${hint}`);
  }
}

/** The line on which a row begins that ends on `last`. */
function firstLine(record: readonly string[], last: number): number {
  let line = last;
  for (const cell of record) for (let at = cell.indexOf('\n'); at >= 0; at = cell.indexOf('\n', at + 1)) line--;
  return line;
}

async function* withoutStart(pieces: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const piece of pieces) {
    const cut = Math.min(left, piece.length);
    left -= cut;
    if (cut < piece.length) yield piece.subarray(cut);
  }
}

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
 * Quoted besides what RFC 4180 asks for: line ends of all kinds, spaces at the ends, and what a reader may take for
 * another delimiter, or for a mark of the encoding.
 */
const QUOTED = /^$|^sep=|^\s|\s$|[\r\n;|\t]|^\xef\xbb\xbf/;

/**
 * A row, with its line end.
 * @param bytes of the value in it, for messages
 * @throws {HmapError} `HMAP_NOT_REPRESENTABLE` if it is too long
 */
export function csvRow(bytes: number, row: () => string[]): string {
  return inOneString(bytes, 'csv', () => stringify([row()], { quoted_match: QUOTED }));
}

export const csv = { read: readCsv, writer: csvWriter };
