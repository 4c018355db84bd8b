// `tsv`: one entry a line, fields separated by tabs, or what else was said; nothing quoted or escaped.

import type { ByteBuffer } from '../../src/internal.js';
import { chooseColumns, columnsNamed, withHeaderHint } from './columns.js';
import { SPACES, shownDelimiter } from './delimiters.js';
import type { EntrySink } from './entry-sink.js';
import type { MakeWriter } from './format.js';
import { lineGuard } from './line-guard.js';
import { leftOut } from './lines.js';
import { eachLine, longestLine, type OnLine } from './lines-reader.js';
import { type ReadOptions, WHOLE } from './read-options.js';
import { RowTaker, trimmed, wrongColumns } from './rows.js';
import { fieldTexts } from './struct-text.js';
import { keyPrinter, textPrinter } from './text.js';

const TAB = 0x09;

/** @param before lines that come before these */
export const readTsv = (
  pieces: AsyncIterable<Uint8Array>,
  sink: EntrySink,
  options: ReadOptions,
  before = 0,
): Promise<void> => {
  const { delimiter = '\t' } = options;
  // Columns that are not read may hold anything.
  const longest = longestLine(columnsNamed(options) || options.values !== undefined ? 'bytes' : sink.valueType);
  const isOneByte = delimiter.length === 1 && delimiter.charCodeAt(0) < 0x80;
  const isSimple =
    isOneByte &&
    options.trim !== true &&
    options.value !== WHOLE &&
    options.values === undefined &&
    options.keys === undefined;
  if (isSimple) {
    const reader = new TsvReader(sink, options, delimiter.charCodeAt(0));
    const onLine: OnLine = (buffer, start, end, line, tabs, tabCount) =>
      reader.line(buffer, start, end, line + before, tabs, tabCount);
    return eachLine(pieces, sink, longest, onLine, () => reader.many);
  }
  const taker = new RowTaker(sink, options, told(delimiter));
  const comment = Buffer.from(options.comment ?? '').toString('latin1');
  const parts = Buffer.from(delimiter).toString('latin1');
  const cutAt =
    delimiter === SPACES ? (text: string) => trimmed(text).split(/[ \t]+/) : (text: string) => text.split(parts);
  const onLine: OnLine = (buffer, start, end, line) => {
    const text = buffer.bytes.toString('latin1', start, end);
    if (trimmed(text) === '' || (comment !== '' && text.startsWith(comment))) return;
    const cells = cutAt(text);
    taker.take(options.trim === true ? cells.map(trimmed) : cells, line + before);
  };
  return eachLine(pieces, sink, longest, onLine).then(() => taker.end());
};

/** How rows are written, for people. */
function told(delimiter: string): string {
  return delimiter === '\t' ? 'tsv' : `lines split at ${shownDelimiter(delimiter)}`;
}

/** Reads lines with a delimiter of one byte, as bytes. */
class TsvReader {
  readonly #sink: EntrySink;
  readonly #options: ReadOptions;
  readonly #named: boolean;
  readonly #delimiter: number;
  readonly #isComment: (buffer: ByteBuffer, start: number, end: number) => boolean;
  readonly #hasComments: boolean;
  /** Where the delimiters of a line are, if they are no tabs. */
  readonly #cuts: number[] = [];
  #chosen = false;
  #key = 0;
  #value = 0;
  #fields: readonly number[] | undefined;
  #last = 0;
  #most = 0;

  constructor(sink: EntrySink, options: ReadOptions, delimiter: number) {
    this.#sink = sink;
    this.#options = options;
    this.#named = columnsNamed(options);
    this.#delimiter = delimiter;
    this.#isComment = leftOut(options.comment);
    this.#hasComments = options.comment !== undefined;
  }

  #choose(first: string[]): void {
    const { keys, value, fields, last, most, ...chosen } = chooseColumns(
      this.#options,
      first,
      this.#named,
      this.#sink.valueType,
    );
    this.#key = keys[0]!;
    this.#value = value;
    this.#fields = fields;
    this.#last = last;
    this.#most = most;
    const how = told(String.fromCharCode(this.#delimiter));
    this.#sink.tell(
      `${how}${this.#named ? ' with a header row' : ''}: ${chosen.told}`,
      this.#named ? first : undefined,
    );
  }

  /** Takes lines whose columns are a key and a value and no others, once that is known; see {@link EntrySink.lines}. */
  get many(): EntrySink['lines'] {
    const isPlain = this.#chosen && this.#key === 0 && this.#value === 1 && this.#fields === undefined;
    const isTab = this.#delimiter === TAB && !this.#hasComments;
    return isPlain && isTab && this.#most === 2 ? this.#sink.lines : undefined;
  }

  line(buffer: ByteBuffer, start: number, end: number, line: number, tabs: readonly number[], tabCount: number): void {
    if ((start === end && !this.#takesEmpty) || this.#isComment(buffer, start, end)) return;
    const [cuts, count] = this.#delimiter === TAB ? [tabs, tabCount] : [this.#cuts, this.#cut(buffer, start, end)];
    if (!this.#chosen) {
      this.#chosen = true;
      this.#choose(buffer.bytes.toString('utf8', start, end).split(String.fromCharCode(this.#delimiter)));
      if (this.#named) return;
      try {
        this.#take(buffer, start, end, line, cuts, count);
      } catch (error) {
        throw line === 1 ? withHeaderHint(error, this.#options) : error;
      }
      return;
    }
    this.#take(buffer, start, end, line, cuts, count);
  }

  /** Whether a line without anything is an entry: where one column is all that is read. */
  get #takesEmpty(): boolean {
    const { key, value } = this.#options;
    return this.#sink.valueType === 'none' || (this.#chosen ? this.#last === 0 : key !== undefined && key === value);
  }

  #cut({ bytes }: ByteBuffer, start: number, end: number): number {
    let count = 0;
    for (let i = start; i < end; i++) if (bytes[i] === this.#delimiter) this.#cuts[count++] = i;
    return count;
  }

  #take(buffer: ByteBuffer, start: number, end: number, line: number, cuts: readonly number[], count: number): void {
    const sink = this.#sink;
    const key = this.#key;
    const value = this.#value;
    const { missing } = this.#options;
    const keyAt = key === 0 ? start : key > count ? end : cuts[key - 1]! + 1;
    const keyEnd = key >= count ? end : cuts[key]!;
    if (missing === 'skip' && keyAt === keyEnd) {
      sink.leaveOut();
      return;
    }
    // A line may end where all that is left of it is empty.
    const isFilled = key <= count && missing !== undefined && missing !== 'error';
    if (count >= this.#most || (this.#last > count && !isFilled)) throw this.#wrongColumns(buffer, start, end, line);
    if (this.#fields !== undefined) {
      const texts = this.#fields.map((column) => {
        if (column > count) return '';
        const at = column === 0 ? start : cuts[column - 1]! + 1;
        return buffer.bytes.toString('latin1', at, column === count ? end : cuts[column]!);
      });
      sink.fields(buffer, keyAt, keyEnd, texts, line);
      return;
    }
    const hasValue = value >= 0 && value <= count;
    const valueAt = !hasValue ? end : value === 0 ? start : cuts[value - 1]! + 1;
    const valueEnd = !hasValue || value === count ? end : cuts[value]!;
    sink.text(buffer, keyAt, keyEnd, buffer, valueAt, valueEnd, line);
  }

  #wrongColumns({ bytes }: ByteBuffer, start: number, end: number, line: number): Error {
    const delimiter = String.fromCharCode(this.#delimiter);
    const found = bytes.toString('utf8', start, end).split(delimiter);
    const separated = ` separated by ${shownDelimiter(delimiter)}`;
    return this.#sink.malformed(line, wrongColumns(this.#last + 1, this.#most, found, separated));
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
