// `json`: one JSON text. An object is a table of its members; an array is one of records, of pairs, or of keys alone.

import { isUtf8 } from 'node:buffer';
import { ByteBuffer, showKey } from '../../src/internal.js';
import type { EntrySink } from './entry-sink.js';
import { ExactJson } from './exact-json.js';
import type { MakeWriter, ReadEntries } from './format.js';
import { JsonSplitter, type OnItem, pathOf } from './json-splitter.js';
import { notRepresentable } from './line-guard.js';
import { withoutMark } from './lines-reader.js';
import type { ReadOptions } from './read-options.js';
import { type JsonRecord, RecordTaker } from './records.js';
import {
  isBig,
  isPlainInteger,
  isPlainJsonString,
  jsonKeyPrinter,
  jsonPrinter,
  keyPrinter,
  valueFromJson,
} from './text.js';

const QUOTE = 0x22;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;
const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;

/** Gives the items of the part of a JSON text that a path leads to. */
export async function eachItem(
  pieces: AsyncIterable<Uint8Array>,
  sink: EntrySink,
  at: string | undefined,
  onItem: OnItem,
): Promise<void> {
  const splitter = new JsonSplitter(pathOf(at), onItem, (line, what) => sink.malformed(line, what));
  for await (const piece of withoutMark(pieces)) {
    splitter.take(piece);
    const waiting = sink.pause();
    if (waiting !== undefined) await waiting;
  }
  splitter.end();
}

const readJson: ReadEntries = (pieces, sink, options) => {
  const reader = new JsonReader(sink, options);
  return eachItem(pieces, sink, options.at, (buffer, nameAt, nameEnd, at, end, line) => {
    if (nameAt < 0) reader.element(buffer, at, end, line);
    else reader.member(buffer, nameAt, nameEnd, at, end, line);
  });
};

/** How the text of a value is taken without being parsed. */
type Shortcut = 'json' | 'text' | 'integer' | undefined;

class JsonReader {
  readonly #sink: EntrySink;
  readonly #options: ReadOptions;
  readonly #hasColumns: boolean;
  readonly #shortcut: Shortcut;
  readonly #isSet: boolean;
  #records: RecordTaker | undefined;
  #rows: RecordTaker | undefined;

  constructor(sink: EntrySink, options: ReadOptions) {
    this.#sink = sink;
    this.#options = options;
    const { key, keys, value, values } = options;
    this.#hasColumns = [key, keys, value, values].some((option) => option !== undefined);
    this.#shortcut = shortcutOf(String(sink.valueType));
    this.#isSet = sink.valueType === 'none';
  }

  member(buffer: ByteBuffer, nameAt: number, nameEnd: number, at: number, end: number, line: number): void {
    if (!this.#hasColumns) {
      this.#sink.tell(
        this.#isSet ? 'json, an object: key = the name' : 'json, an object: key = the name, value = the member',
      );
      this.#named(buffer, nameAt, nameEnd, at, end, line);
      return;
    }
    const value = this.#parsed(buffer, at, end, line);
    if (typeof value.plain !== 'object' || value.plain === null) {
      throw this.#sink.malformed(line, 'expected an object, of which members are chosen as columns');
    }
    const name = this.#bytesOf(buffer, nameAt, nameEnd, line);
    this.#taker('json, an object of objects', {}).take(
      recordOf(value.plain),
      recordOf(value.precise),
      value.exact,
      line,
      name,
    );
  }

  element(buffer: ByteBuffer, at: number, end: number, line: number): void {
    const first = buffer.bytes[at]!;
    if (first === OPEN_OBJECT) {
      const { plain, precise, exact } = this.#parsed(buffer, at, end, line);
      const value = this.#hasColumns && this.#options.value === undefined ? {} : { value: 'value' };
      this.#taker('json, an array of objects', { key: 'key', ...value }).take(
        plain as JsonRecord,
        precise as JsonRecord,
        exact,
        line,
      );
    } else if (first === OPEN_ARRAY) this.#row(buffer, at, end, line);
    else if (!this.#isSet) {
      const what = 'expected an object, or a pair of key and value; for a set of keys choose --value none';
      throw this.#sink.malformed(line, what);
    } else {
      this.#sink.tell('json, an array: each element is a key');
      this.#key(buffer, at, end, line);
    }
  }

  /** A member whose name is the key. */
  #named(buffer: ByteBuffer, nameAt: number, nameEnd: number, at: number, end: number, line: number): void {
    const sink = this.#sink;
    const { bytes } = buffer;
    const isPlain = isPlainJsonString(bytes, nameAt, nameEnd);
    const key = isPlain ? buffer : this.#bytesOf(buffer, nameAt, nameEnd, line);
    const keyAt = isPlain ? nameAt + 1 : 0;
    const keyEnd = isPlain ? nameEnd - 1 : key.size;
    if (isMissing(bytes, at, end) && sink.missing(key, keyAt, keyEnd, line)) return;
    if (this.#shortcut === 'json') {
      if (!isUtf8(bytes.subarray(at, end))) throw sink.malformed(line, 'not valid UTF-8');
      sink.text(key, keyAt, keyEnd, buffer, at, end, line);
    } else if (this.#shortcut === 'text' && isPlainJsonString(bytes, at, end)) {
      sink.text(key, keyAt, keyEnd, buffer, at + 1, end - 1, line);
    } else if (this.#shortcut === 'integer' && isPlainInteger(bytes, at, end)) {
      sink.text(key, keyAt, keyEnd, buffer, at, end, line);
    } else {
      const { plain, precise, exact } = this.#parsed(buffer, at, end, line);
      const own = isPlain ? new ByteBuffer(Uint8Array.from(bytes.subarray(keyAt, keyEnd))) : key;
      const integer = isBig(sink.valueType) ? exact?.integerOf(precise) : undefined;
      sink.value(own, () => valueFromJson(sink.valueType, integer ?? plain), line);
    }
  }

  /** An array, whose elements are columns. */
  #row(buffer: ByteBuffer, at: number, end: number, line: number): void {
    const { plain, precise, exact } = this.#parsed(buffer, at, end, line);
    const row = plain as unknown[];
    if (!this.#hasColumns && row.length !== (this.#isSet ? 1 : 2)) {
      const expected = this.#isSet ? 'an array of one key' : 'a pair of key and value';
      const hint = '; choose columns with --key-column and --value-column';
      throw this.#sink.malformed(line, `expected ${expected}, found an array of ${row.length}${hint}`);
    }
    this.#rows ??= new RecordTaker(this.#sink, this.#options, 'json, an array of arrays', { key: '1', value: '2' });
    this.#rows.take(recordOf(row), recordOf(precise as unknown[]), exact, line);
  }

  /** A key that stands alone. */
  #key(buffer: ByteBuffer, at: number, end: number, line: number): void {
    const sink = this.#sink;
    const first = buffer.bytes[at]!;
    if (first === QUOTE) {
      if (isPlainJsonString(buffer.bytes, at, end)) sink.text(buffer, at + 1, end - 1, buffer, end, end, line);
      else {
        const key = this.#bytesOf(buffer, at, end, line);
        sink.text(key, 0, key.size, key, key.size, key.size, line);
      }
      return;
    }
    this.#parsed(buffer, at, end, line);
    const isNumber = first === MINUS || (first >= ZERO && first <= NINE);
    if (!isNumber || sink.keyType === 'bytes') {
      const hint = isNumber ? '; for numbers as keys choose --key u32, u64 or i64' : '';
      throw sink.malformed(line, `expected each element to be a string${hint}`);
    }
    sink.text(buffer, at, end, buffer, end, end, line);
  }

  #taker(told: string, own: { key?: string; value?: string }): RecordTaker {
    this.#records ??= new RecordTaker(this.#sink, this.#options, told, own);
    return this.#records;
  }

  #bytesOf(buffer: ByteBuffer, at: number, end: number, line: number): ByteBuffer {
    const text = this.#parsed(buffer, at, end, line).plain as string;
    if (!text.isWellFormed()) throw this.#sink.malformed(line, 'a key has an unpaired surrogate, which has no UTF-8');
    return new ByteBuffer(Buffer.from(text));
  }

  #parsed(
    buffer: ByteBuffer,
    at: number,
    end: number,
    line: number,
  ): { plain: unknown; precise: unknown; exact: ExactJson | undefined } {
    const { bytes } = buffer;
    if (!isUtf8(bytes.subarray(at, end))) throw this.#sink.malformed(line, 'not valid UTF-8');
    const text = bytes.toString('utf8', at, end);
    try {
      const plain: unknown = JSON.parse(text);
      const exact = ExactJson.parse(text);
      return { plain, precise: exact?.value ?? plain, exact };
    } catch (error) {
      throw this.#sink.malformed(line, `not valid JSON: ${(error as Error).message}`);
    }
  }
}

function shortcutOf(type: string): Shortcut {
  if (type === 'json') return 'json';
  if (['bytes', 'utf8', 'enum'].includes(type)) return 'text';
  return /^(?:uint|[ui]\d+)$/.test(type) ? 'integer' : undefined;
}

/** `null` and the empty string, which stand where there is no value. */
function isMissing(bytes: Buffer, at: number, end: number): boolean {
  if (end - at === 2) return bytes[at] === QUOTE;
  return end - at === 4 && bytes.toString('latin1', at, end) === 'null';
}

/** Members by name; of an array, elements by their number from 1. */
function recordOf(value: unknown): JsonRecord {
  if (!Array.isArray(value)) return value as JsonRecord;
  return Object.fromEntries(value.map((element, i) => [String(i + 1), element]));
}

const jsonWriter: MakeWriter = (header) => {
  const isSet = header.valueType === 'none';
  const isText = header.keyType === 'bytes';
  const printKey = isText || isSet ? jsonKeyPrinter(header.keyType) : keyPrinter(header.keyType);
  const print = jsonPrinter(header.valueType);
  let isFirst = true;
  return {
    entry(key, value, out) {
      out.ascii(isFirst ? (isSet ? '[\n' : '{\n') : ',\n');
      isFirst = false;
      if (isText && !isUtf8(key.buffer.bytes.subarray(key.at, key.at + key.length))) {
        const shown = showKey('bytes', key.buffer.bytes.subarray(key.at, key.at + key.length));
        throw notRepresentable(`the key ${shown}`, 'bytes that are not UTF-8', 'json', 'jsonl or cdb');
      }
      if (!isText && !isSet) out.byte(QUOTE);
      printKey(key.buffer, key.at, key.length, out);
      if (!isText && !isSet) out.byte(QUOTE);
      if (isSet) return;
      out.ascii(': ');
      print(value.buffer, value.at, value.length, out);
    },
    end(out) {
      out.ascii(isFirst ? (isSet ? '[' : '{') : '\n');
      out.ascii(isSet ? ']\n' : '}\n');
    },
  };
};

export const json = { read: readJson, writer: jsonWriter };
