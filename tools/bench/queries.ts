// Which keys are looked up, in which order, in files that all subjects read: so they ask the same, and making the
// queries leaves nothing in the process that is timed. Knows keys and numbers, not tables.
//
// `<name>.keys` has one key a line; `<name>.numbers` the u32 number of each, or NONE where the table does not have it.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Source, whole } from './data.js';
import { MISSING, Random, shuffled, writeKey } from './generate.js';
import { readLines, writeLines } from './lines.js';
import type { Keys, Order } from './model.js';

/** The number of a key that is not there. */
export const NONE = 0xffff_ffff;

/** Of a Zipf distribution: the key of rank r is asked in proportion to 1 / r^EXPONENT. */
const EXPONENT = 0.99;

/** Of the mixed queries. */
const MISSES = 0.1;

/** Makes a file of queries unless it is there; gives its path without the ending. */
export function ensureQueries(source: Source, keys: Keys, order: Order, count: number, cache: string): string {
  const folder = join(cache, 'queries');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${source.dataset}-${keys}-${order}-${count}-${source.seed}`);
  if (existsSync(`${path}.numbers`)) return path;
  const random = new Random(source.seed);
  const chosen = choose(source.entries, order, count, random);
  const isMiss = chosen.map(() => (keys === 'miss' || (keys === 'mixed' && random.fraction() < MISSES) ? 1 : 0));
  const write =
    source.dataset === 'npm-names' ? realKeys(source, chosen, isMiss) : generatedKeys(source, chosen, isMiss);
  whole(`${path}.keys`, (part) => writeLines(part, count, LINE_BYTES, write));
  whole(`${path}.numbers`, (part) =>
    writeFileSync(
      part,
      chosen.map((number, i) => (isMiss[i] === 1 ? NONE : number)),
    ),
  );
  return path;
}

const LINE_BYTES = 512;

type WriteQuery = (index: number, bytes: Buffer, at: number) => number;

function generatedKeys({ seed }: Source, chosen: Uint32Array, isMiss: Uint32Array): WriteQuery {
  return (i, bytes, at) => {
    const end = writeKey(chosen[i]! + (isMiss[i] === 1 ? MISSING : 0), seed, bytes, at);
    bytes[end] = 0x0a;
    return end + 1;
  };
}

/** Misses are real names with one more letter, where no package has that name. */
function realKeys(source: Source, chosen: Uint32Array, isMiss: Uint32Array): WriteQuery {
  const wanted = new Set(chosen);
  const names = new Map<number, string>();
  let line = 0;
  readLines(source.tsv, (bytes, start, keyEnd) => {
    if (wanted.has(line)) names.set(line, bytes.toString('latin1', start, keyEnd));
    line++;
  });
  const made = Array.from(chosen, (number, i) => names.get(number)! + (isMiss[i] === 1 ? 's' : ''));
  const misses = new Set(made.filter((_, i) => isMiss[i] === 1));
  const real = new Set<string>();
  if (misses.size > 0) {
    readLines(source.tsv, (bytes, start, keyEnd) => {
      const name = bytes.toString('latin1', start, keyEnd);
      if (misses.has(name)) real.add(name);
    });
  }
  return (i, bytes, at) => {
    const name = isMiss[i] === 1 && real.has(made[i]!) ? `${made[i]!.slice(0, -1)}~Q` : made[i]!;
    return at + bytes.write(`${name}\n`, at, 'latin1');
  };
}

/**
 * The numbers of the keys that are looked up: spread over the whole table; each once before any comes again, where the
 * order is uniform.
 */
function choose(entries: number, order: Order, count: number, random: Random): Uint32Array {
  if (order === 'uniform') {
    const chosen = new Uint32Array(count);
    for (let done = 0; done < count; done += entries) {
      chosen.set(shuffled(entries, random).subarray(0, count - done), done);
    }
    return chosen;
  }
  const all = shuffled(entries, random);
  // The ranks are given to keys in random order: hot keys are no neighbours.
  const sums = new Float64Array(entries);
  let sum = 0;
  for (let rank = 0; rank < entries; rank++) {
    sum += (rank + 1) ** -EXPONENT;
    sums[rank] = sum;
  }
  return Uint32Array.from({ length: count }, () => all[rankAt(sums, random.fraction() * sum)]!);
}

/** The first rank whose sum is above `point`. */
function rankAt(sums: Float64Array, point: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! > point) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Queries in memory. */
export interface Queries {
  readonly count: number;
  readonly numbers: Uint32Array;
  /**
   * Makes the keys anew, all or the first ones: flat strings of one byte a character, whose hash V8 does not know yet.
   */
  fresh(most?: number): string[];
}

export function readQueries(path: string, most = Number.POSITIVE_INFINITY): Queries {
  const bytes = readFileSync(`${path}.keys`);
  const all = readFileSync(`${path}.numbers`);
  const numbers = new Uint32Array(all.buffer, all.byteOffset, all.length / 4).slice(0, most);
  const count = numbers.length;
  const starts = new Uint32Array(count + 1);
  for (let i = 1; i <= count; i++) starts[i] = bytes.indexOf(0x0a, starts[i - 1]!) + 1;
  return {
    count,
    numbers,
    fresh(most = count) {
      const keys = new Array<string>(Math.min(count, most));
      for (let i = 0; i < keys.length; i++) keys[i] = bytes.toString('latin1', starts[i]!, starts[i + 1]! - 1);
      return keys;
    },
  };
}
