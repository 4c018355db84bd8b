// Cuts a JSON text into the members or elements of one of its parts, as it comes, in memory for one of them. Knows where
// values begin and end; what is in them is the taker's business.

import { ByteBuffer, nearest } from '../../src/internal.js';
import { LONGEST_TEXT } from './lines-reader.js';

const LF = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** What a byte is outside strings. */
const PLAIN = 0;
const SPACE = 1;
const MARK = 2;
const KINDS = new Uint8Array(256);
for (const byte of [0x20, 0x09, 0x0d, LF]) KINDS[byte] = SPACE;
for (const byte of [QUOTE, COMMA, COLON, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT]) KINDS[byte] = MARK;

/** What comes next in the text. */
type State =
  /** The value that a step of the path leads to. */
  | 'container'
  /** After an opening bracket: an item, or the closing one. */
  | 'first'
  | 'item'
  | 'name'
  | 'colon'
  | 'value'
  | 'scalar'
  | 'string'
  | 'nested'
  /** A comma, or the closing bracket. */
  | 'after'
  | 'end';

/**
 * Called with a member or an element of the part that the path leads to: its value is the JSON text in `[at, end)` of
 * `buffer`, and its name the JSON string in `[nameAt, nameEnd)`, or nothing where both are -1. The line, from 1, is where
 * it begins. Valid during the call.
 */
export type OnItem = (
  buffer: ByteBuffer,
  nameAt: number,
  nameEnd: number,
  at: number,
  end: number,
  line: number,
) => void;

/** Makes the error for a line. */
type Malformed = (line: number, what: string) => Error;

export class JsonSplitter {
  readonly #path: readonly string[];
  readonly #onItem: OnItem;
  readonly #malformed: Malformed;
  #buffer = new ByteBuffer(64 * 1024);
  #used = 0;
  /** Where the item begins that is not whole yet. */
  #kept = 0;
  #at = 0;
  #line = 1;
  #state: State = 'container';
  /** The open containers, from the outermost to the one whose items are cut. */
  readonly #open: { readonly isObject: boolean; index: number }[] = [];
  /** Steps of the path that have been found; the one after them is looked for in the innermost container. */
  #found = 0;
  readonly #seen: string[] = [];
  #nameAt = -1;
  #nameEnd = -1;
  #valueAt = 0;
  #itemLine = 1;
  /** How deep the scan is in the item's value, and whether it is in a string. */
  #nested = 0;
  #inString = false;
  #hasArrived = false;
  /** Whether the scan is in a value that nobody wants. */
  #isPassed = false;

  /** @param path names of members, or indexes of elements, that lead to the part; none for the whole */
  constructor(path: readonly string[], onItem: OnItem, malformed: Malformed) {
    this.#path = path;
    this.#onItem = onItem;
    this.#malformed = malformed;
  }

  /** Whether the part is an object; `undefined` until it is reached. */
  get isObject(): boolean | undefined {
    return this.#hasArrived ? this.#open[this.#path.length]?.isObject : undefined;
  }

  take(piece: Uint8Array): void {
    this.#append(piece);
    this.#run();
  }

  /** @throws the error for a text that is cut short, or in which the path leads nowhere */
  end(): void {
    if (this.#state === 'end') return;
    if (this.#state === 'container' && this.#open.length === 0) throw this.#wrong('the input holds no JSON');
    throw this.#wrong('the JSON text is cut short: it ends before its last bracket');
  }

  #append(piece: Uint8Array): void {
    // Of what is passed over nothing is kept.
    if (this.#isPassed) this.#kept = this.#at;
    const left = this.#used - this.#kept;
    const needed = left + piece.length;
    if (needed > LONGEST_TEXT + piece.length) throw this.#wrong(`a value of more than ${LONGEST_TEXT} bytes`);
    const { bytes } = this.#buffer;
    if (needed > this.#buffer.size) {
      const larger = new ByteBuffer(Math.max(needed, 2 * this.#buffer.size));
      bytes.copy(larger.bytes, 0, this.#kept, this.#used);
      this.#buffer = larger;
    } else bytes.copyWithin(0, this.#kept, this.#used);
    this.#buffer.bytes.set(piece, left);
    const moved = this.#kept;
    this.#used = needed;
    this.#kept = 0;
    this.#at -= moved;
    this.#valueAt -= moved;
    if (this.#nameAt >= 0) {
      this.#nameAt -= moved;
      this.#nameEnd -= moved;
    }
  }

  /** Goes on until more bytes are needed. */
  #run(): void {
    for (;;) {
      if (this.#state === 'string' || this.#state === 'name') {
        if (!this.#string()) return;
        continue;
      }
      if (this.#state === 'nested') {
        if (!this.#nest()) return;
        continue;
      }
      if (this.#state === 'scalar') {
        if (!this.#scalar()) return;
        continue;
      }
      const byte = this.#next();
      if (byte < 0) return;
      this.#step(byte);
    }
  }

  /** The next byte that is no space, at which the scan stays; -1 if none is there yet. */
  #next(): number {
    const { bytes } = this.#buffer;
    const used = this.#used;
    let at = this.#at;
    for (; at < used && KINDS[bytes[at]!] === SPACE; at++) if (bytes[at] === LF) this.#line++;
    this.#at = at;
    // Between items nothing has to be kept.
    if (this.#state === 'first' || this.#state === 'item' || this.#state === 'after') this.#kept = at;
    return at < used ? bytes[at]! : -1;
  }

  #step(byte: number): void {
    const innermost = this.#open[this.#open.length - 1];
    switch (this.#state) {
      case 'container':
        this.#enter(byte);
        return;
      case 'first':
      case 'item':
        if (this.#state === 'first' && byte === (innermost!.isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) {
          this.#leave();
          return;
        }
        this.#itemLine = this.#line;
        if (!innermost!.isObject) {
          this.#nameAt = -1;
          this.#nameEnd = -1;
          this.#value(byte);
          return;
        }
        if (byte !== QUOTE) throw this.#expected('the name of a member, in quotes');
        this.#nameAt = this.#at++;
        this.#state = 'name';
        return;
      case 'colon':
        if (byte !== COLON) throw this.#expected('a colon after the name of a member');
        this.#at++;
        this.#state = 'value';
        return;
      case 'value':
        this.#value(byte);
        return;
      case 'after':
        if (byte === COMMA) {
          this.#at++;
          this.#state = 'item';
        } else if (byte === (innermost!.isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) this.#leave();
        else throw this.#expected(`a comma, or the end of the ${innermost!.isObject ? 'object' : 'array'}`);
        return;
      default:
        throw this.#expected(
          'nothing after the end of the JSON text; for one JSON text a line there is --format jsonl',
        );
    }
  }

  /** Opens the container that the path has led to so far. */
  #enter(byte: number): void {
    if (byte !== OPEN_OBJECT && byte !== OPEN_ARRAY) {
      const where = this.#found === 0 ? '' : ` at ${this.#path.slice(0, this.#found).join('.')}`;
      throw this.#expected(`a JSON object or array${where}`);
    }
    this.#open.push({ isObject: byte === OPEN_OBJECT, index: -1 });
    this.#hasArrived ||= this.#found === this.#path.length;
    this.#seen.length = 0;
    this.#at++;
    this.#state = 'first';
  }

  #leave(): void {
    const depth = this.#open.length - 1;
    if (!this.#hasArrived) throw this.#lost(depth);
    this.#open.pop();
    this.#at++;
    this.#state = this.#open.length === 0 ? 'end' : 'after';
  }

  /** The path leads nowhere. */
  #lost(depth: number): Error {
    const step = this.#path[depth]!;
    const near = nearest(step, this.#seen);
    const all = this.#seen.length === 0 ? '' : `; there is ${this.#seen.map((name) => `'${name}'`).join(', ')}`;
    const hint = near === undefined ? all : `; did you mean '${near}'?`;
    return this.#wrong(`--at: there is no member ${JSON.stringify(step)}${hint}`);
  }

  /** Begins the value of an item. */
  #value(byte: number): void {
    this.#valueAt = this.#at;
    if (!this.#hasArrived && this.#isStep()) {
      this.#found++;
      this.#state = 'container';
      return;
    }
    if (this.#hasArrived) this.#needOnce();
    this.#isPassed = !this.#hasArrived || this.#open.length !== this.#path.length + 1;
    if (byte === QUOTE) {
      this.#at++;
      this.#state = 'string';
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      this.#nested = 0;
      this.#inString = false;
      this.#state = 'nested';
    } else if (KINDS[byte] === PLAIN) this.#state = 'scalar';
    else throw this.#expected('a JSON value');
  }

  /** The path must not go on in a second member of the same name: others would take that one. */
  #needOnce(): void {
    const depth = this.#open.length - 1;
    if (depth >= this.#path.length || !this.#open[depth]!.isObject || this.#name() !== this.#path[depth]) return;
    throw this.#wrong(`--at: there is a second member ${JSON.stringify(this.#path[depth])}`);
  }

  /** Whether the path goes through this item of the innermost container. */
  #isStep(): boolean {
    const container = this.#open[this.#open.length - 1]!;
    container.index++;
    const step = this.#path[this.#found];
    if (!container.isObject) return step === String(container.index);
    const name = this.#name();
    if (this.#seen.length < SEEN) this.#seen.push(name);
    return name === step;
  }

  #name(): string {
    const text = this.#buffer.bytes.toString('utf8', this.#nameAt, this.#nameEnd);
    try {
      return JSON.parse(text) as string;
    } catch (error) {
      throw this.#wrong(`not valid JSON: ${(error as Error).message}`);
    }
  }

  /** Scans a string to its end; `false` if that is not there yet. */
  #string(): boolean {
    const { bytes } = this.#buffer;
    const used = this.#used;
    let at = this.#at;
    while (at < used) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        this.#at = at + 1;
        if (this.#state === 'name') {
          this.#nameEnd = at + 1;
          this.#state = 'colon';
        } else this.#item();
        return true;
      }
      if (byte === BACKSLASH) {
        // What it escapes may not have come.
        if (at + 1 === used) break;
        at++;
      }
      at++;
    }
    this.#at = at;
    return false;
  }

  #scalar(): boolean {
    const { bytes } = this.#buffer;
    const used = this.#used;
    let at = this.#at;
    while (at < used && KINDS[bytes[at]!] === PLAIN) at++;
    this.#at = at;
    if (at === used) return false;
    this.#item();
    return true;
  }

  /** Scans an object or array to its end. Brackets of the wrong kind are seen by whoever reads the value. */
  #nest(): boolean {
    const { bytes } = this.#buffer;
    const used = this.#used;
    let at = this.#at;
    let inString = this.#inString;
    while (at < used) {
      const byte = bytes[at]!;
      if (inString) {
        if (byte === QUOTE) inString = false;
        else if (byte === BACKSLASH) {
          if (at + 1 === used) break;
          at++;
        }
      } else if (byte === QUOTE) inString = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.#nested++;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        if (--this.#nested === 0) {
          this.#at = at + 1;
          this.#item();
          return true;
        }
      } else if (byte === LF) this.#line++;
      at++;
    }
    this.#at = at;
    this.#inString = inString;
    return false;
  }

  /** An item is whole. */
  #item(): void {
    this.#state = 'after';
    this.#isPassed = false;
    if (!this.#hasArrived || this.#open.length !== this.#path.length + 1) return;
    this.#onItem(this.#buffer, this.#nameAt, this.#nameEnd, this.#valueAt, this.#at, this.#itemLine);
  }

  #expected(what: string): Error {
    const found = this.#buffer.bytes.toString('utf8', this.#at, Math.min(this.#at + 20, this.#used));
    return this.#wrong(`not valid JSON: expected ${what}, found ${JSON.stringify(found)}`);
  }

  #wrong(what: string): Error {
    return this.#malformed(this.#line, what);
  }
}

/** Names that the error for a path that leads nowhere has. */
const SEEN = 12;

/**
 * The steps of a path: names of members and indexes of elements, with dots between them (`data.items`), or a JSON
 * Pointer (RFC 6901), which begins with a slash, for names that have dots.
 */
export function pathOf(path: string | undefined): string[] {
  if (path === undefined || path === '') return [];
  if (!path.startsWith('/')) return path.split('.');
  return path
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
