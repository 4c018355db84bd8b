// What is right and what is wrong when damaged input is tried. Knows errors and values; does not know files.

import { inspect, isDeepStrictEqual } from 'node:util';
import { HmapError } from '../../src/index.js';

/** What the formats say of input that they cannot take. */
export const INPUT_REFUSALS = [
  'HMAP_INPUT',
  'HMAP_VALUE_INVALID',
  'HMAP_VALUE_RANGE',
  'HMAP_VALUE_TOO_LONG',
  'HMAP_KEY_TOO_LONG',
  'HMAP_KEY_INVALID',
];

/** How much was tried, and what came of it. */
export interface Counts {
  inputs: number;
  /** Inputs that can be opened with check `header`. */
  opened: number;
  /** Inputs in which verify finds nothing. */
  whole: number;
  /** Questions that were answered, and that were refused as damaged. */
  answers: number;
  refusals: number;
  reloads: number;
  dumps: number;
  verified: number;
}

export function noCounts(): Counts {
  return { inputs: 0, opened: 0, whole: 0, answers: 0, refusals: 0, reloads: 0, dumps: 0, verified: 0 };
}

/** A value in a message. */
export function show(value: unknown): string {
  return inspect(value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value).slice(0, 100);
}

export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return typeof a === 'object' && isDeepStrictEqual(a, b);
}

/** What is not as it must be. */
export class Wrong extends Error {}

export function fail(message: string): never {
  throw new Wrong(message);
}

/**
 * Stands for `HMAP_DAMAGED` with a range of bytes: what a block says that does not fit its checksum, and nothing else.
 */
export const BLOCK_DAMAGE = 'HMAP_DAMAGED, a range';

/** The code of an error of ours that is one of `codes`; any other ends the trial. */
export function codeOf(error: unknown, what: string, codes: readonly string[]): string {
  if (error instanceof Wrong) throw error;
  const block = error instanceof HmapError && error.code === 'HMAP_DAMAGED' && error.end !== undefined;
  if (error instanceof HmapError && codes.includes(block && codes.includes(BLOCK_DAMAGE) ? BLOCK_DAMAGE : error.code)) {
    if (!/^\P{Cc}{8,2000}$/u.test(error.message)) fail(`${what}: the message ${JSON.stringify(error.message)}`);
    return error.code;
  }
  if (error instanceof RangeError && codes.includes('RangeError of bucket') && /^bucket: /.test(error.message)) {
    return 'RangeError of bucket';
  }
  if (error instanceof TypeError && codes.includes('TypeError of columns') && /^--[a-z-]+: /.test(error.message)) {
    return 'TypeError of columns';
  }
  throw new Error(`${what} threw ${error instanceof Error ? error.stack : error}`, { cause: error });
}
