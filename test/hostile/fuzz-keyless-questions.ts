// Asks an open list or bit array of a damaged file, in each way that there is, and holds the answers to the whole
// file's, to what the file itself says, and to each other. Knows indexes and integers; does not know what was done to
// the file.

import { BitArray, type List } from '../../src/index.js';
import { attempt, certain, damageFor, misused, type Situation } from './fuzz-questions.js';
import type { KeylessSample } from './fuzz-samples.js';
import { BROKEN, type Reply, UNCLEAR } from './fuzz-truth.js';
import { fail, same, show } from './fuzz-verdict.js';

type KeylessSituation = Omit<Situation<KeylessSample>, 'bytes'>;

/** Asks `count` questions of each kind. */
export function askKeyless(opened: List | BitArray, situation: KeylessSituation, count: number): void {
  const { of, strict } = situation;
  const { base, length } = opened;
  if (strict && (base !== of.base || length !== of.length || opened.size !== of.entries)) {
    fail(`${opened.size} of ${length} from ${base}, it should be ${of.entries} of ${of.length} from ${of.base}`);
  }
  const indexes = indexesIn(opened, situation, count);
  if (opened instanceof BitArray) {
    askBits(opened, situation, indexes);
    askOnes(opened, situation, count);
  } else {
    askElements(opened, situation, indexes);
  }
}

/** Integers that the file covers, often at the ends of it, of its segments, and of what a count covers. */
function indexesIn({ base, length, header }: List | BitArray, { random }: KeylessSituation, count: number): number[] {
  const { perSegment, segments } = header;
  const indexes: number[] = [];
  while (length > 0 && indexes.length < count) {
    const border = perSegment * random.below(segments.length + 1) + random.between(-2, 1);
    const run = 2048 * random.below(Math.ceil(length / 2048)) + random.between(-1, 31);
    const choices = [random.below(length), random.below(length), 0, length - 1, border, run];
    const at = random.pick(choices);
    if (at >= 0 && at < length) indexes.push(base + at);
  }
  return indexes;
}

/** Numbers outside a file. Near the ends of the exact numbers, adding a half changes nothing. */
function outside({ base, length }: List | BitArray): number[] {
  const half = Number.isInteger(base + 0.5) ? [] : [base + 0.5];
  return [base - 1, base + length, ...half, Number.NaN, -Infinity, Infinity, 2 ** 60];
}

/** Holds an answer at an index to the whole file's and to the file's own. */
function hold(
  what: string,
  way: 'element' | 'rank',
  index: number,
  reply: Reply,
  right: unknown,
  { strict, whole, check, truth }: KeylessSituation,
): void {
  if (reply.code !== undefined && whole) fail(`${what}: ${reply.code} in a file that is whole`);
  if (strict && reply.code === undefined && !same(reply.value, right)) {
    fail(`${what}: ${show(reply.value)}, it should be ${show(right)}`);
  }
  truth.index(what, way, index, reply);
  // Without a look at checksums there is nothing to refuse where the bytes on the way fit.
  const clear = ![BROKEN, UNCLEAR].includes(truth.at(way, index) as symbol);
  if (check === 'header' && reply.code !== undefined && clear) fail(`${what}: ${reply.code}, where all fits`);
}

function askElements(list: List, situation: KeylessSituation, indexes: readonly number[]): void {
  const { of, counts, check, strict, random } = situation;
  const damage = damageFor(strict, check);
  const right = (index: number) => of.values[index - of.base];
  for (const index of indexes) {
    const what = `get(${index}), ${check}`;
    const reply = attempt(counts, what, damage, () => list.get(index));
    hold(what, 'element', index, reply, right(index), situation);
  }
  // One damaged element takes the others of its call with it.
  for (const some of [indexes, indexes.slice(0, 1)]) {
    const all = attempt(counts, `getMany, ${check}`, damage, () => list.getMany(some));
    if (all.code !== undefined) continue;
    for (const [i, index] of some.entries()) {
      const reply = { value: (all.value as unknown[])[i] };
      hold(`getMany(${index}), ${check}`, 'element', index, reply, right(index), situation);
    }
  }
  const { base, length } = list;
  for (const none of outside(list)) {
    certain(`get(${none})`, undefined, () => list.get(none));
  }
  certain('getMany of none', [undefined], () => list.getMany([base + length]));
  certain('size', length, () => list.size);
  const wrong = random.pick(['0', 0n, null, undefined]) as unknown as number;
  misused('get of no number', /^index: expected a number/, () => list.get(wrong));
}

function askBits(array: BitArray, situation: KeylessSituation, integers: readonly number[]): void {
  const { of, counts, check, strict, random } = situation;
  const damage = damageFor(strict, check);
  for (const integer of integers) {
    const has = attempt(counts, `has, ${check}`, damage, () => array.has(integer));
    hold(`has(${integer}), ${check}`, 'element', integer, has, of.set.has(integer), situation);
    const rank = attempt(counts, `rank, ${check}`, damage, () => array.rank(integer));
    if (integer === array.base) continue;
    hold(`rank(${integer}), ${check}`, 'rank', integer, rank, rankIn(of.values as number[], integer), situation);
  }
  const { base, length } = array;
  const ones = array.header.entries;
  for (const none of outside(array)) {
    certain(`has(${none})`, false, () => array.has(none));
  }
  for (const below of [base, base - 5, -Infinity, -(2 ** 60)]) certain(`rank(${below})`, 0, () => array.rank(below));
  for (const above of [base + length, base + length + 7, Infinity, 2 ** 60]) {
    certain(`rank(${above})`, ones, () => array.rank(above));
  }
  for (const none of [-1, ones, ones + 1, 0.5, Number.NaN]) {
    certain(`select(${none})`, undefined, () => array.select(none));
  }
  certain('count', ones, () => array.count());
  certain('size', ones, () => array.size);
  const wrong = random.pick(['0', 0n, null, undefined]) as unknown as number;
  misused('has of no number', /^integer: expected a number/, () => array.has(wrong));
  misused('rank of no number', /^integer: expected a number/, () => array.rank(wrong));
  misused('select of no number', /^k: expected a number/, () => array.select(wrong));
}

/** How many of the numbers, which rise, are below another. */
function rankIn(values: readonly number[], integer: number): number {
  let low = 0;
  for (let high = values.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < integer) low = middle + 1;
    else high = middle;
  }
  return low;
}

function askOnes(array: BitArray, situation: KeylessSituation, count: number): void {
  const { of, random, counts, check, strict, whole, truth } = situation;
  const ones = array.count();
  const damage = damageFor(strict, check);
  for (let i = 0; i < count && ones > 0; i++) {
    const k = random.pick([random.below(ones), random.below(ones), 0, ones - 1]);
    const what = `select(${k}), ${check}`;
    const reply = attempt(counts, what, damage, () => array.select(k));
    if (reply.code !== undefined) {
      if (whole) fail(`${what}: ${reply.code} in a file that is whole`);
      continue;
    }
    const integer = reply.value as number;
    if (strict && integer !== of.values[k]) fail(`${what}: ${show(integer)}, it should be ${show(of.values[k])}`);
    const inside = Number.isInteger(integer) && integer >= array.base && integer - array.base < array.length;
    if (!inside) fail(`${what}: ${show(integer)}, which is outside of the array`);
    truth.index(what, 'element', integer, { value: true });
    if (whole && array.rank(integer) !== k) fail(`${what}: ${integer}, whose rank is ${array.rank(integer)}`);
  }
}

/** Goes through the file in one of the ways. */
export function walkKeyless(opened: List | BitArray, situation: KeylessSituation): void {
  const { of, random, counts, check, strict, whole, truth } = situation;
  const isSet = opened instanceof BitArray;
  const way = random.pick(isSet ? (['values', 'iterator'] as const) : (['values', 'iterator', 'entries'] as const));
  const what = `${way}, ${check}`;
  const { base, length, header } = opened;
  const sparse = Math.max(1, Math.ceil(length / random.between(1, 50)));
  let steps = 0;
  let last = Number.NEGATIVE_INFINITY;
  const step = (index: number | undefined, value: unknown): void => {
    const at = steps++;
    if (at > length) fail(`${what}: more than ${length} steps`);
    if (strict && !same(value, of.values[at])) {
      fail(`${what}: step ${at} is ${show(value)}, it should be ${show(of.values[at])}`);
    }
    const integer = isSet ? (value as number) : base + at;
    if (index !== undefined && index !== integer) fail(`${what}: step ${at} has the index ${index}`);
    if (isSet && !(integer > last && integer >= base && integer - base < length)) {
      fail(`${what}: ${show(value)} after ${last}, of ${length} from ${base}`);
    }
    last = integer;
    // A few of them; the reference reader takes its time.
    if (at < 5 || at % sparse === 0)
      truth.index(`${what}, step ${at}`, 'element', integer, { value: isSet ? true : value });
  };
  const reply = attempt(counts, what, damageFor(strict, check), () => {
    if (way === 'entries') for (const [index, value] of (opened as List).entries()) step(index, value);
    else for (const value of way === 'values' ? opened.values() : opened) step(undefined, value);
  });
  if (reply.code !== undefined) {
    if (whole) fail(`${what}: ${reply.code} in a file that is whole`);
    return;
  }
  const right = strict ? of.entries : whole || !isSet ? header.entries : steps;
  if (steps !== right) fail(`${what}: ${steps} steps, not ${right}`);
}
