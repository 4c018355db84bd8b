// What the commands share: exit codes, sizes, messages, the end of a pipe. Knows nothing of tables.

import { InvalidArgumentError } from 'commander';
import { MAX_SHARD_BITS, oneLine, SMALLEST_MEMORY } from '../../src/internal.js';

/** Exit codes of every command. */
export const EXIT = {
  /** Done, nothing to report. */
  fine: 0,
  /** Done; there are findings, or a key was not found. */
  findings: 1,
  /** Could not run. */
  failed: 2,
} as const;

/** Exit codes of a command that a signal ended, as a shell gives them. SIGHUP comes when a terminal is closed. */
export const SIGNAL_EXIT = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Prints one line for people, on stderr: a report. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** {@link say} for what is not as expected, under the program's name. */
export function warn(line: string): void {
  say(`hmap: ${line}`);
}

/** Says that a program waits for its user, where stdin is a terminal. */
export function tellIfWaiting(what: string): void {
  if (process.stdin.isTTY) warn(`reading ${what} from the terminal; end with Ctrl-D on a line of its own`);
}

/**
 * A text that a terminal does not obey, and that ends no line: names of files and metadata may hold any character. Each
 * control character becomes its escape in JSON.
 */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, escaped);
}

/** {@link printable} for a text of several lines. */
export function printableLines(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, escaped);
}

function escaped(character: string): string {
  return `\\u00${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** A value as one line of JSON. JSON itself escapes only the first 32 control characters. */
export function jsonLine(value: unknown): string {
  return `${printable(JSON.stringify(value))}\n`;
}

/** Prints why a command could not run, in one line. */
export function complain(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  warn(oneLine(message));
  if (!(error instanceof Error)) return;
  // A failure with a code explains itself, and so does a misuse; any other is ours, and its place matters.
  const explained = 'code' in error || error instanceof TypeError || error instanceof RangeError;
  if (process.env.HMAP_DEBUG) say(error.stack ?? '');
  else if (!explained) warn('set HMAP_DEBUG=1 to see where this happened');
}

const UNITS: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Parses a size such as `512M`; K, M, G and T are powers of 1024. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text);
  if (match === null) throw new InvalidArgumentError('Expected a size such as 512M or 2G.');
  return Math.floor(Number(match[1]) * UNITS[match[2]!.toUpperCase()]!);
}

/** {@link parseSize} for the memory of a build. */
export function parseMemory(text: string): number {
  const bytes = parseSize(text);
  if (bytes >= SMALLEST_MEMORY) return bytes;
  throw new InvalidArgumentError('Expected at least 1M.');
}

const MOST_SHARDS = 2 ** MAX_SHARD_BITS;

/** Parses how many shards a table has: a power of two. */
export function parseShards(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (count <= MOST_SHARDS && Number.isInteger(Math.log2(count))) return count;
  throw new InvalidArgumentError(`Expected a power of two up to ${MOST_SHARDS}.`);
}

/** Parses an integer from `least` to `most`, inclusive, in decimal or as 0x and hexadecimal. */
export function parseInteger(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected an integer from ${least} to ${most}.`);
  };
}

/** Collects repeated `name=value` options. */
export function collectPair(text: string, pairs: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected name=value.');
  return { ...pairs, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Sets what the program ends with, once all output is written. */
export function exitWith(code: number): void {
  process.exitCode = code;
}

/** A number for people: groups of three digits. */
export function grouped(value: number): string {
  // toLocaleString would load 10 ms of locale data.
  const digits = String(Math.abs(value));
  const groups: string[] = [];
  for (let end = digits.length; end > 0; end -= 3) groups.unshift(digits.slice(Math.max(0, end - 3), end));
  return `${value < 0 ? '-' : ''}${groups.join(',')}`;
}

/** How many of something, for people. */
export function counted(count: number, one: string, more = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : more}`;
}

/** From the least to the most of something, for people. */
export function range(least: number, most: number, one: string): string {
  return least === most ? counted(most, one) : `${grouped(least)} to ${counted(most, one)}`;
}

/** A probability for people. */
export function oneIn(probability: number): string {
  return probability === 0 ? 'never' : `1 in ${grouped(Math.round(1 / probability))}`;
}

/** What a table with fingerprints finds besides its own keys, for people. */
export function foundByMistake(probability: number): string {
  return `${oneIn(probability)} other keys is found`;
}

/** A size for people. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const exponent = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 2 ** (10 * exponent)).toFixed(1)} ${['', 'K', 'M', 'G', 'T'][exponent]}iB`;
}
