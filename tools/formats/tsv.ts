// `tsv`: one entry a line, fields separated by tabs, nothing quoted or escaped.

import type { ByteBuffer } from '../../src/internal.js';
import { chooseColumns, columnsNamed, withHeaderHint } from './columns.js';
import type { EntrySink } from './entry-sink.js';
import type { Columns, MakeWriter, ReadEntries } from './format.js';
import { lineGuard } from './line-guard.js';
import { eachLine, longestLine, type OnLine } from './lines-reader.js';
import { fieldTexts } from './struct-text.js';
import { keyPrinter, textPrinter } from './text.js';

const TAB = 0x09;

const readTsv: ReadEntries = (pieces, sink, columns) => {
  const reader = new TsvReader(sink, columns);
  // Columns that are not read may hold anything.
  const longest = longestLine(columnsNamed(columns) ? 'bytes' : sink.valueType);
  const onLine: OnLine = (buffer, start, end, line, tabs, tabCount) =>
    reader.line(buffer, start, end, line, tabs, tabCount);
  return eachLine(pieces, sink, longest, onLine, () => reader.many);
};

class TsvReader {
  readonly #sink: EntrySink;
  readonly #columns: Columns;
  readonly #named: boolean;
  #chosen = false;
  #key = 0;
  #value = 0;
  #fields: readonly number[] | undefined;
  #most = 0;

  constructor(sink: EntrySink, columns: Columns) {
    this.#sink = sink;
    this.#columns = columns;
    this.#named = columnsNamed(columns);
  }

  #choose(first: string[]): void {
    const { key, value, fields, most } = chooseColumns(this.#columns, first, this.#named, this.#sink.valueType);
    this.#key = key;
    this.#value = value;
    this.#fields = fields;
    this.#most = most;
  }

  /** Takes lines whose columns are a key and a value and no others, once that is known; see {@link EntrySink.lines}. */
  get many(): EntrySink['lines'] {
    const isPlain = this.#chosen && this.#key === 0 && this.#value === 1 && this.#fields === undefined;
    return isPlain && this.#most === 2 ? this.#sink.lines : undefined;
  }

  line(buffer: ByteBuffer, start: number, end: number, line: number, tabs: readonly number[], tabCount: number): void {
    if (!this.#chosen) {
      this.#chosen = true;
      this.#choose(buffer.bytes.toString('utf8', start, end).split('\t'));
      if (this.#named) return;
      try {
        this.#take(buffer, start, end, line, tabs, tabCount);
      } catch (error) {
        throw line === 1 ? withHeaderHint(error, this.#columns) : error;
      }
      return;
    }
    this.#take(buffer, start, end, line, tabs, tabCount);
  }

  #take(buffer: ByteBuffer, start: number, end: number, line: number, tabs: readonly number[], tabCount: number): void {
    const key = this.#key;
    const value = this.#value;
    if (key > tabCount || value > tabCount || tabCount >= this.#most) throw this.#wrongColumns(line, tabCount + 1);
    const keyAt = key === 0 ? start : tabs[key - 1]! + 1;
    const keyEnd = key === tabCount ? end : tabs[key]!;
    if (this.#fields !== undefined) {
      const texts = this.#fields.map((column) => {
        const at = column === 0 ? start : tabs[column - 1]! + 1;
        return buffer.bytes.toString('latin1', at, column === tabCount ? end : tabs[column]!);
      });
      this.#sink.fields(buffer, keyAt, keyEnd, texts, line);
      return;
    }
    const valueAt = value < 0 ? end : value === 0 ? start : tabs[value - 1]! + 1;
    const valueEnd = value < 0 || value === tabCount ? end : tabs[value]!;
    this.#sink.text(buffer, keyAt, keyEnd, buffer, valueAt, valueEnd, line);
  }

  #wrongColumns(line: number, found: number): Error {
    const needed = Math.max(this.#key, this.#value) + 1;
    const expected =
      this.#most === Number.POSITIVE_INFINITY
        ? `${needed} columns or more`
        : `${needed} column${needed === 1 ? '' : 's'}`;
    const hint = found > this.#most ? '; choose columns with --key-column and --value-column' : '';
    return this.#sink.malformed(line, `expected ${expected} separated by tabs, found ${found}${hint}`);
  }
}

const tsvWriter: MakeWriter = (header) => {
  const guard = lineGuard('tsv', true, header.keyType);
  const printKey = keyPrinter(header.keyType);
  const textKeys = header.keyType === 'bytes';
  const print = textPrinter(header.valueType);
  const isSet = header.valueType === 'none';
  const texts = fieldTexts(header.valueType);
  const textValues = ['bytes', 'utf8', 'enum'].includes(header.valueType);
  return {
    entry(key, value, out) {
      if (textKeys) guard.field(key, key);
      if (textValues) guard.field(value, key);
      printKey(key.buffer, key.at, key.length, out);
      if (texts !== undefined) {
        out.latin1(`\t${texts(value.buffer.view, value.at).join('\t')}`);
      } else if (!isSet) {
        out.byte(TAB);
        print(value.buffer, value.at, value.length, out);
      }
      out.byte(0x0a);
    },
  };
};

export const tsv = { read: readTsv, writer: tsvWriter };
