// JSON texts with integers that JavaScript would round: they are kept digit for digit. Knows JSON; does not know where
// texts come from, or what becomes of them.

import { randomUUID } from 'node:crypto';

/** Shorter integers lose nothing. */
const LONG = /\d{16}/;
/** Strings and numbers, one after the other; nothing else in a JSON text holds digits. */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;
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
    const marked = text.replace(TOKENS, (token) => (isRounded(token) ? `"${MARK}${token}"` : token));
    return marked === text ? undefined : new ExactJson(marked);
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
