// Takes keys and values as the formats find them in the input, and adds them to a build. Knows where errors happened;
// knows no format.

import { isUtf8 } from 'node:buffer';
import { HmapError, type KeyType } from '../../src/index.js';
import {
  type BuildValueType,
  ByteBuffer,
  type ByteSlice,
  decodeText,
  encodeKeyText,
  type RecordSink,
  scratch,
  type ValueEncoder,
  ValueError,
  valueEncoder,
} from '../../src/internal.js';
import type { ExactJson } from './exact-json.js';
import type { ReadOptions } from './read-options.js';
import { type FieldsParser, fieldsParser } from './struct-text.js';
import { encodeExact, type TextEncoding, textEncoding } from './text.js';

/** The error for a malformed place in the input with that name. */
export function malformedInput(name: string, line: number, what: string): HmapError {
  return new HmapError('HMAP_INPUT', `${name}: line ${line}: ${what}`, { line });
}

/** What the readers of formats need of a {@link HashEntrySink}. */
export type EntrySink = Omit<HashEntrySink, 'line' | 'lines'> & Partial<Pick<HashEntrySink, 'lines'>>;

/** What the sinks of all layouts have in common: what is told of an input, and what is done where a value is missing. */
export abstract class InputNotes {
  /** What the input has to hold: `none` where there is no value beside the key. */
  abstract readonly valueType: BuildValueType;
  /** The name of the input in messages. */
  readonly name: string;
  /** What a reader has understood of the input, for people. */
  told: string | undefined;
  /** Entries that were left out, since a part of them is missing. */
  leftOut = 0;
  /** The columns that there are, if they have names. */
  columns: readonly string[] | undefined;
  protected readonly missingPolicy: ReadOptions['missing'];

  constructor(name: string, missing: ReadOptions['missing']) {
    this.name = name;
    this.missingPolicy = missing;
  }

  /** Says what the reader has understood of the input; the first time counts. */
  tell(text: string, columns?: readonly string[]): void {
    this.told ??= text;
    this.columns ??= columns;
  }

  /** Counts an entry that is left out, since a part of it is missing. */
  leaveOut(): void {
    this.leftOut++;
  }

  /**
   * Does what was asked for with an entry whose value is missing or empty.
   * @returns `false` if nothing was
   */
  missing(key: ByteBuffer, keyAt: number, keyEnd: number, line: number): boolean {
    const policy = this.missingPolicy;
    if (policy === undefined || this.valueType === 'none') return false;
    if (policy === 'error') throw this.malformed(line, 'the value is missing');
    if (policy === 'skip') this.leaveOut();
    else this.addInstead(key, keyAt, keyEnd, new ByteBuffer(Buffer.from(policy.text)), line);
    return true;
  }

  /** An error for a malformed place in the input. */
  malformed(line: number, what: string): HmapError {
    return malformedInput(this.name, line, what);
  }

  /** Adds an entry with the text that stands in for a missing value. */
  protected abstract addInstead(key: ByteBuffer, keyAt: number, keyEnd: number, value: ByteBuffer, line: number): void;
}

export class HashEntrySink extends InputNotes {
  readonly keyType: KeyType;
  /** What the input has to hold: `none` where values are positions. */
  readonly valueType: BuildValueType;
  /** Of the entry that is being added. */
  line = 0;
  readonly #sink: RecordSink;
  readonly #encode: ValueEncoder;
  readonly #encodeText: TextEncoding;
  readonly #parseFields: FieldsParser;
  readonly #value: ByteSlice = { buffer: new ByteBuffer(0), at: 0, length: 0 };
  readonly #position: ReadOptions['position'];
  /** Whether a text is an element of a JSON array. */
  readonly #isElement: boolean;
  #index = 0;

  constructor(sink: RecordSink, name: string, options: Pick<ReadOptions, 'missing' | 'position' | 'elements'> = {}) {
    super(name, options.missing);
    this.#sink = sink;
    this.keyType = sink.keyType;
    this.#position = options.position;
    this.#isElement = options.elements !== undefined;
    this.valueType = this.#position !== undefined ? 'none' : (options.elements ?? sink.valueType);
    this.#encode = valueEncoder(sink.valueType);
    this.#encodeText = textEncoding(sink.valueType, this.#encode);
    this.#parseFields = fieldsParser(sink.valueType);
  }

  /**
   * Adds an entry. Its value is the text in `[valueAt, valueEnd)` of `value`. Its key, in `key`, is text as well,
   * unless keys are bytes.
   */
  text(
    key: ByteBuffer,
    keyAt: number,
    keyEnd: number,
    value: ByteBuffer,
    valueAt: number,
    valueEnd: number,
    line: number,
  ): void {
    if (valueAt === valueEnd && this.missing(key, keyAt, keyEnd, line)) return;
    this.#text(key, keyAt, keyEnd, value, valueAt, valueEnd, line);
  }

  /** Adds an entry whose value stands as texts, one a field of the struct; each code unit of a text is a byte. */
  fields(key: ByteBuffer, keyAt: number, keyEnd: number, texts: readonly string[], line: number): void {
    if (this.missingPolicy === 'skip' && texts.includes('')) {
      this.leaveOut();
      return;
    }
    try {
      this.#encode(this.#parseFields(this.#filled(texts)), this.#value);
      this.#add(key, keyAt, keyEnd, line);
    } catch (error) {
      throw this.#located(error, key.bytes.subarray(keyAt, keyEnd), line);
    }
  }

  /**
   * Adds an entry with the value that `make` returns, or throws a ValueError for; the key, the first `keyBytes` of
   * `key`, is as in {@link text}.
   */
  value(key: ByteBuffer, make: () => unknown, line: number, keyBytes = key.size): void {
    try {
      if (this.#position === undefined) this.#encode(make(), this.#value);
      else this.#encodePosition(line);
      this.#add(key, 0, keyBytes, line);
    } catch (error) {
      throw this.#located(error, key.bytes.subarray(0, keyBytes), line);
    }
  }

  /** Adds an entry with a value of type `json` that is a part of a text with integers which JavaScript would round. */
  exact(key: ByteBuffer, exact: ExactJson, part: unknown, line: number): void {
    try {
      encodeExact(exact, part, this.#encode, this.#value);
      this.#add(key, 0, key.size, line);
    } catch (error) {
      throw this.#located(error, key.bytes, line);
    }
  }

  /**
   * Takes many lines at once, of which each is a key, or a key, a tab and a value; `undefined` if it cannot. It does not
   * see {@link line}.
   */
  get lines(): RecordSink['lines'] {
    const isPlain =
      this.keyType === 'bytes' && this.missingPolicy === undefined && this.#position === undefined && !this.#isElement;
    return isPlain ? this.#sink.lines : undefined;
  }

  /** Gives other work a turn now and then. */
  pause(): Promise<void> | undefined {
    return this.#sink.pause();
  }

  protected override addInstead(key: ByteBuffer, keyAt: number, keyEnd: number, value: ByteBuffer, line: number): void {
    this.#text(key, keyAt, keyEnd, value, 0, value.size, line);
  }

  #text(
    key: ByteBuffer,
    keyAt: number,
    keyEnd: number,
    value: ByteBuffer,
    valueAt: number,
    valueEnd: number,
    line: number,
  ): void {
    try {
      if (this.#isElement) this.#encodeElement(value, valueAt, valueEnd);
      else if (this.#position === undefined) this.#encodeText(value, valueAt, valueEnd, this.#value);
      else this.#encodePosition(line);
      this.#add(key, keyAt, keyEnd, line);
    } catch (error) {
      throw this.#located(error, key.bytes.subarray(keyAt, keyEnd), line);
    }
  }

  #encodeElement({ bytes }: ByteBuffer, at: number, end: number): void {
    const text = bytes.toString('utf8', at, end);
    if (!isUtf8(bytes.subarray(at, end))) throw new ValueError('HMAP_VALUE_INVALID', 'utf8, valid UTF-8', text);
    this.#encode(text, this.#value);
  }

  #encodePosition(line: number): void {
    const position = this.#position === 'line' ? line : this.#index++;
    const text = new ByteBuffer(Buffer.from(String(position)));
    this.#encodeText(text, 0, text.size, this.#value);
  }

  /** Texts of fields, of which empty ones are missing. */
  #filled(texts: readonly string[]): readonly string[] {
    const policy = this.missingPolicy;
    if (typeof policy !== 'object') return texts;
    return texts.map((text) => (text === '' ? Buffer.from(policy.text).toString('latin1') : text));
  }

  #add(key: ByteBuffer, keyAt: number, keyEnd: number, line: number): void {
    this.line = line;
    const { buffer, at, length } = this.#value;
    if (this.keyType !== 'bytes') {
      const text = decodeText(key, keyAt, keyEnd - keyAt);
      const keyBytes = encodeKeyText(this.keyType, text, `${this.name}: line ${line}: `, line);
      this.#sink.add(scratch, 0, keyBytes, buffer, at, length);
      return;
    }
    this.#sink.add(key, keyAt, keyEnd - keyAt, buffer, at, length);
  }

  /** The error of an entry with its place in the input; `key` is the text of its key, or the key itself. */
  #located(error: unknown, key: Uint8Array, line: number): unknown {
    if (error instanceof ValueError) return this.#at(line, error.forKey(key, 'bytes'));
    const isPlain = error instanceof HmapError && error.code === 'HMAP_KEY_TOO_LONG' && error.line === undefined;
    return isPlain ? this.#at(line, error) : error;
  }

  #at(line: number, { code, message, expected, actual, key }: HmapError): HmapError {
    const data = { expected, actual, line, ...(key !== undefined && { key }) };
    return new HmapError(code, `${this.name}: line ${line}: ${message}`, data);
  }
}
