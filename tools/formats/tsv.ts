// `tsv`: one entry a line, fields separated by tabs, nothing quoted or escaped.

import type { Block } from '../../src/bytes.js';
import { chooseColumns, columnsNamed } from './columns.js';
import type { Feed } from './feed.js';
import type { Columns, MakeWriter, ReadEntries } from './format.js';
import { lineGuard } from './guard.js';
import { eachLine } from './splitter.js';
import { textPrinter } from './text.js';

const TAB = 0x09;

export const readTsv: ReadEntries = (pieces, feed, columns) => {
  const reader = new TsvReader(feed, columns);
  return eachLine(pieces, feed, (block, start, end, line) => reader.line(block, start, end, line));
};

class TsvReader {
  readonly #feed: Feed;
  readonly #columns: Columns;
  #named: boolean;
  #key = 0;
  #value = 0;
  #most = 0;

  constructor(feed: Feed, columns: Columns) {
    this.#feed = feed;
    this.#columns = columns;
    this.#named = columnsNamed(columns);
    if (!this.#named) this.#choose(undefined);
  }

  #choose(names: string[] | undefined): void {
    const { key, value, most } = chooseColumns(this.#columns, names, this.#feed.valueType);
    this.#key = key;
    this.#value = value;
    this.#most = most;
  }

  line(block: Block, start: number, end: number, line: number): void {
    if (this.#named) {
      this.#named = false;
      this.#choose(block.bytes.toString('utf8', start, end).split('\t'));
      return;
    }
    const { bytes } = block;
    const key = this.#key;
    const value = this.#value;
    let keyAt = -1;
    let keyEnd = 0;
    let valueAt = value < 0 ? end : -1;
    let valueEnd = end;
    let column = 0;
    let from = start;
    for (let i = start; i <= end; i++) {
      if (i < end && bytes[i] !== TAB) continue;
      if (column === key) {
        keyAt = from;
        keyEnd = i;
      }
      if (column === value) {
        valueAt = from;
        valueEnd = i;
      }
      column++;
      from = i + 1;
    }
    if (keyAt < 0 || valueAt < 0 || column > this.#most) throw this.#wrongColumns(line, column);
    this.#feed.text(block, keyAt, keyEnd, block, valueAt, valueEnd, line);
  }

  #wrongColumns(line: number, found: number): Error {
    const needed = Math.max(this.#key, this.#value) + 1;
    const expected =
      this.#most === Number.POSITIVE_INFINITY
        ? `${needed} columns or more`
        : `${needed} column${needed === 1 ? '' : 's'}`;
    const hint = found > this.#most ? '; choose with --key-column and --value-column' : '';
    return this.#feed.malformed(line, `expected ${expected} separated by tabs, found ${found}${hint}`);
  }
}

export const tsvWriter: MakeWriter = (header) => {
  const guard = lineGuard('tsv', true);
  const print = textPrinter(header.valueType);
  const isSet = header.valueType === 'none';
  const textValues = header.valueType === 'bytes' || header.valueType === 'utf8';
  return {
    entry(heap, cursor, out) {
      guard.field(heap, cursor.key, cursor.keyBytes, cursor);
      if (textValues) guard.field(heap, cursor.value, cursor.valueBytes, cursor);
      out.bytes(heap, cursor.key, cursor.keyBytes);
      if (!isSet) {
        out.byte(TAB);
        print(heap, cursor.value, cursor.valueBytes, out);
      }
      out.byte(0x0a);
    },
  };
};
