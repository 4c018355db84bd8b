// Writes a JSON text as `JSON.stringify` would write what it says, without making values of it: where that is no more than
// to leave out spaces. Knows JSON's tokens; leaves all that is not simple to others.

import { isUtf8 } from 'node:buffer';
import { ByteBuffer } from '../../src/internal.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Bytes of the longest text: of a longer one the parser is as fast. */
const LONGEST = 4096;
/** How deep objects and arrays may lie in each other, and how many names an object may have. */
const DEEPEST = 16;
const MOST_NAMES = 48;
/** Digits of which each number is read back as it was. */
const MOST_DIGITS = 15;

const WORDS = ['true', 'false', 'null'].map((word) => Buffer.from(word));

/** Works in memory of its own, which it uses again. */
export class JsonCompactor {
  /** What the last text has become. */
  readonly output: ByteBuffer = new ByteBuffer(LONGEST);
  #from: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  #to = 0;
  #isAscii = true;
  /** Where the names of the open objects stand in the output, those of the innermost last. */
  readonly #names = new Int32Array(2 * MOST_NAMES * DEEPEST);
  #nameCount = 0;

  /** Returns the bytes of {@link output}, or -1 if the text is not simple, or no JSON. */
  compact(from: Buffer, at: number, end: number): number {
    if (end - at > LONGEST) return -1;
    this.#from = from;
    this.#at = at;
    this.#end = end;
    this.#to = 0;
    this.#nameCount = 0;
    this.#isAscii = true;
    if (!this.#value(0) || this.#next() >= 0) return -1;
    return this.#isAscii || isUtf8(from.subarray(at, end)) ? this.#to : -1;
  }

  /** The next byte that is no space, at which it stays; -1 at the end. */
  #next(): number {
    const from = this.#from;
    const end = this.#end;
    let at = this.#at;
    let byte = 0;
    while (at < end) {
      byte = from[at]!;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
      at++;
    }
    this.#at = at;
    return at < end ? byte : -1;
  }

  #put(byte: number): void {
    this.output.bytes[this.#to++] = byte;
  }

  #value(depth: number): boolean {
    const byte = this.#next();
    if (byte === QUOTE) return this.#string();
    if (byte === OPEN_OBJECT) return depth < DEEPEST && this.#object(depth);
    if (byte === OPEN_ARRAY) return depth < DEEPEST && this.#array(depth);
    if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return this.#number();
    return this.#word();
  }

  #object(depth: number): boolean {
    this.#put(OPEN_OBJECT);
    this.#at++;
    const first = this.#nameCount;
    if (this.#next() === CLOSE_OBJECT) {
      this.#at++;
      this.#put(CLOSE_OBJECT);
      return true;
    }
    for (;;) {
      if (this.#next() !== QUOTE || !this.#name(first) || this.#next() !== COLON) return false;
      this.#at++;
      this.#put(COLON);
      if (!this.#value(depth + 1)) return false;
      const byte = this.#next();
      this.#at++;
      this.#put(byte);
      if (byte === CLOSE_OBJECT) break;
      if (byte !== COMMA) return false;
    }
    this.#nameCount = first;
    return true;
  }

  /** A name which no other one of the object has; those of digits would change their places. */
  #name(first: number): boolean {
    const start = this.#to;
    const byte = this.#from[this.#at + 1]!;
    if ((byte >= ZERO && byte <= NINE) || !this.#string()) return false;
    const { bytes } = this.output;
    const names = this.#names;
    const length = this.#to - start;
    const count = this.#nameCount;
    if (count - first >= MOST_NAMES) return false;
    for (let i = first; i < count; i++) {
      if (names[2 * i + 1] !== length) continue;
      const other = names[2 * i]!;
      let same = 0;
      while (same < length && bytes[other + same] === bytes[start + same]) same++;
      if (same === length) return false;
    }
    names[2 * count] = start;
    names[2 * count + 1] = length;
    this.#nameCount = count + 1;
    return true;
  }

  #array(depth: number): boolean {
    this.#put(OPEN_ARRAY);
    this.#at++;
    if (this.#next() === CLOSE_ARRAY) {
      this.#at++;
      this.#put(CLOSE_ARRAY);
      return true;
    }
    for (;;) {
      if (!this.#value(depth + 1)) return false;
      const byte = this.#next();
      this.#at++;
      this.#put(byte);
      if (byte === CLOSE_ARRAY) return true;
      if (byte !== COMMA) return false;
    }
  }

  #string(): boolean {
    const from = this.#from;
    const { bytes } = this.output;
    const end = this.#end;
    let at = this.#at + 1;
    let to = this.#to;
    bytes[to++] = QUOTE;
    while (at < end) {
      const byte = from[at++]!;
      if (byte < 0x20 || byte === BACKSLASH) return false;
      if (byte >= 0x80) this.#isAscii = false;
      bytes[to++] = byte;
      if (byte !== QUOTE) continue;
      this.#at = at;
      this.#to = to;
      return true;
    }
    return false;
  }

  /** Digits, and perhaps a fraction, that a double gives back as they are: no zeros too many, and no exponent. */
  #number(): boolean {
    const from = this.#from;
    const end = this.#end;
    const start = this.#at;
    let at = start;
    if (from[at] === MINUS) at++;
    const whole = at;
    while (at < end && from[at]! >= ZERO && from[at]! <= NINE) at++;
    let digits = at - whole;
    if (digits === 0 || (from[whole] === ZERO && digits > 1)) return false;
    const isZero = from[whole] === ZERO;
    if (at < end && from[at] === POINT) {
      const fraction = ++at;
      while (at < end && from[at]! >= ZERO && from[at]! <= NINE) at++;
      digits += at - fraction;
      // A small one would be written with an exponent.
      if (at === fraction || from[at - 1] === ZERO || (isZero && from[fraction] === ZERO)) return false;
    } else if (isZero && whole > start) return false;
    const next = at < end ? from[at]! : COMMA;
    if (digits > MOST_DIGITS || next === 0x65 || next === 0x45) return false;
    from.copy(this.output.bytes, this.#to, start, at);
    this.#to += at - start;
    this.#at = at;
    return true;
  }

  #word(): boolean {
    const at = this.#at;
    const word = WORDS.find((one) => at + one.length <= this.#end && this.#from[at] === one[0]);
    if (word === undefined) return false;
    for (let i = 0; i < word.length; i++) {
      if (this.#from[at + i] !== word[i]) return false;
      this.#put(word[i]!);
    }
    this.#at += word.length;
    return true;
  }
}
