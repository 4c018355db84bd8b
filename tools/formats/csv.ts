// `csv`: rows as RFC 4180 has them. Reading and quoting are csv-parse's and csv-stringify's.

import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { stringify } from 'csv-stringify/sync';
import { ByteBuffer } from '../../src/internal.js';
import { Output } from '../terminal/output.js';
import { chooseColumns, columnsNamed } from './columns.js';
import type { MakeWriter, ReadEntries } from './format.js';
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
  let chosen = columnsNamed(columns) ? undefined : chooseColumns(columns, undefined, sink.valueType);
  let rows = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      if (chosen === undefined) {
        const names = record.map((name) => Buffer.from(name, 'latin1').toString());
        chosen = chooseColumns(columns, names, sink.valueType);
        continue;
      }
      const key = record[chosen.key];
      const value = chosen.value < 0 ? '' : record[chosen.value];
      if (key === undefined || value === undefined || record.length > chosen.most) {
        const needed = Math.max(chosen.key, chosen.value) + 1;
        const hint = record.length > chosen.most ? '; choose columns with --key-column and --value-column' : '';
        throw sink.malformed(info.lines, `expected ${needed} columns, found ${record.length}${hint}`);
      }
      const keyBlock = new ByteBuffer(Buffer.from(key, 'latin1'));
      if (chosen.fields !== undefined) {
        const texts = chosen.fields.map((column) => record[column]!);
        sink.fields(keyBlock, 0, keyBlock.size, texts, info.lines);
      } else {
        const valueBlock = new ByteBuffer(Buffer.from(value, 'latin1'));
        sink.text(keyBlock, 0, keyBlock.size, valueBlock, 0, valueBlock.size, info.lines);
      }
      if (++rows % STRIDE === 0) {
        const waiting = sink.pause();
        if (waiting !== undefined) await waiting;
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // A quote that is never closed runs to the end of the input; the line on which its row begins is more useful.
    const line = error.code === 'CSV_QUOTE_NOT_CLOSED' ? lines + 1 : Number(error.lines ?? parser.info.lines);
    throw sink.malformed(line, error.message);
  }
};

const csvWriter: MakeWriter = (header) => {
  const printKey = keyPrinter(header.keyType);
  const print = textPrinter(header.valueType);
  const isSet = header.valueType === 'none';
  const texts = fieldTexts(header.valueType);
  return {
    entry(key, { buffer, at, length }, out) {
      const name = new Output(64);
      printKey(key.buffer, key.at, key.length, name);
      const row = (): string[] => {
        if (texts !== undefined) return [name.toLatin1(), ...texts(buffer.view, at)];
        if (isSet) return [name.toLatin1()];
        const value = new Output(64);
        print(buffer, at, length, value);
        return [name.toLatin1(), value.toLatin1()];
      };
      out.latin1(inOneString(length, 'csv', () => stringify([row()], { quoted_match: QUOTED })));
    },
  };
};

/**
 * Quoted besides what RFC 4180 asks for: line ends of all kinds, spaces at the ends, and what a reader may take for a
 * mark of the encoding.
 */
export const QUOTED = /^$|^\s|\s$|[\r\n]|^\xef\xbb\xbf/;

export const csv = { read: readCsv, writer: csvWriter };
