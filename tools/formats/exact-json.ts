// JSON texts with integers that JavaScript would round: they are kept digit for digit. Knows JSON; does not know where
// texts come from, or what becomes of them.

import { randomUUID } from 'node:crypto';

/** Shorter integers lose nothing. */
const LONG = /\d{16}/;
/** Numbers, where no strings are. */
const NUMBERS = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const INTEGER = /^-?\d+$/;
/** What such an integer is replaced by begins with this, which stands in no text. */
const MARK = `integer-${randomUUID()}:`;
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, 'g');

/** What `JSON.parse` gives, except that integers which it would round are strings that this class knows. */
export class ExactJson {
  readonly value: unknown;

  /** @throws {SyntaxError} if it is not JSON */
  private constructor(marked: string) {
    this.value = JSON.parse(marked);
  }

  /**
   * `undefined` for a text without such integers, which `JSON.parse` reads as well.
   * @throws {SyntaxError} if it is not JSON
   */
  static parse(text: string): ExactJson | undefined {
    if (!LONG.test(text)) return undefined;
    const marked = markedText(text);
    if (marked === text) return undefined;
    // What is marked may be JSON where the text is not: an unquoted name, a number with zeros before it.
    JSON.parse(text);
    return new ExactJson(marked);
  }

  /** The integer that a part of {@link value} stands for; `undefined` for any other part. */
  integerOf(part: unknown): bigint | undefined {
    return typeof part === 'string' && part.startsWith(MARK) ? BigInt(part.slice(MARK.length)) : undefined;
  }

  /** A text that `JSON.stringify` has made of {@link value} or a part of it, with the integers in it. */
  unmarked(text: string): string {
    return text.replace(MARKED, '$1');
  }
}

/** A text in which integers that would be rounded are strings; as it is if a string has no end. */
function markedText(text: string): string {
  const parts: string[] = [];
  // Not one expression for strings, too: V8 takes some of its stack for each escape in them.
  for (let at = 0; at < text.length; ) {
    const open = text.indexOf('"', at);
    const end = open < 0 ? text.length : open;
    const outside = text.slice(at, end);
    parts.push(outside.replace(NUMBERS, (token) => (isRounded(token) ? `"${MARK}${token}"` : token)));
    if (open < 0) break;
    const close = closeOf(text, open);
    if (close < 0) return text;
    parts.push(text.slice(open, close + 1));
    at = close + 1;
  }
  return parts.join('');
}

/** Where the string ends that begins at `open`; -1 if nowhere. */
function closeOf(text: string, open: number): number {
  for (let close = text.indexOf('"', open + 1); close >= 0; close = text.indexOf('"', close + 1)) {
    let escapes = 0;
    while (text[close - 1 - escapes] === '\\') escapes++;
    if (escapes % 2 === 0) return close;
  }
  return -1;
}

/** Whether a number may stand for other integers, too. */
function isRounded(token: string): boolean {
  return token.length > 15 && INTEGER.test(token) && !Number.isSafeInteger(Number(token));
}

/**
 * The text that `JSON.stringify` would make of what a JSON text says, if it did not round integers.
 * @throws {SyntaxError} if it is not JSON
 */
export function canonicalJson(text: string): string {
  const exact = ExactJson.parse(text);
  return exact === undefined ? JSON.stringify(JSON.parse(text)) : exact.unmarked(JSON.stringify(exact.value));
}
