// Asks an open table of a damaged file, in each way that there is, and holds the answers to the whole file's, to what
// the file itself says, and to each other. Knows tables by hash; does not know what was done to the file.

import type { AnyKey, Check, Key, KeyType, Table } from '../../src/index.js';
import type { Random } from '../support/random.js';
import { encodeKey } from '../support/raw-table.js';
import { type Answer, keyOfBytes, latin1, type Sample, type TableSample } from './fuzz-samples.js';
import type { Reply, Truth } from './fuzz-truth.js';
import { BLOCK_DAMAGE, type Counts, codeOf, fail, same, show } from './fuzz-verdict.js';

/** What a damaged file may be refused with once it is open. */
export const DAMAGE = ['HMAP_DAMAGED'];

/** Runs one operation; only errors of ours with one of `codes` may be thrown. */
export function attempt(counts: Counts, what: string, codes: readonly string[], act: () => unknown): Reply {
  try {
    const value = act();
    counts.answers++;
    return { value };
  } catch (error) {
    counts.refusals++;
    return { code: codeOf(error, what, codes) };
  }
}

/** A question that is answered, or refused as a misuse, without a look at the file, however damaged. */
export function certain(what: string, right: unknown, act: () => unknown): void {
  const value = act();
  if (!same(value, right)) fail(`${what}: ${show(value)}, it should be ${show(right)}`);
}

export function misused(what: string, message: RegExp, act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (error instanceof TypeError && message.test(error.message)) return;
    throw new Error(`${what} threw ${error instanceof Error ? error.stack : error}`, { cause: error });
  }
  fail(`${what} is no misuse`);
}

/** What is known of an open file, and how it is to be asked. */
export interface Situation<S extends Sample = TableSample> {
  /** A sample of the file's own layout; where `strict`, the one that it was. */
  of: S;
  random: Random;
  counts: Counts;
  check: Check;
  /** Each answer must be that of the whole file. */
  strict: boolean;
  /** The file breaks no rule, so that nothing may be refused. */
  whole: boolean;
  truth: Truth;
  /** The table was opened with `key: 'bytes'`. */
  bytes: boolean;
}

/** Where blocks are checked, nothing is looked at before it is known to be the whole file's: it cannot break a rule. */
export function damageFor(strict: boolean, check: Check | 'none'): readonly string[] {
  return strict && check === 'touch' ? [BLOCK_DAMAGE] : DAMAGE;
}

/** A key as it is asked for, and its bytes in the file. */
interface Asked {
  key: AnyKey;
  bytes: Buffer;
}

/** Keys that are of the right kind and yet none of the type, so that no table has them. */
const NO_KEYS: Record<KeyType, readonly AnyKey[]> = {
  bytes: ['\ud800', 'x'.repeat(65_536), Buffer.alloc(65_536)],
  u32: [-1, 2 ** 32, 0.5, Number.NaN],
  u64: [-1, -1n, 2n ** 64n, 2 ** 53, 0.5],
  i64: [2n ** 63n, -(2n ** 63n) - 1n, 2 ** 53, 0.5],
  uuid: ['', 'miss', '01234567-89ab-cdef-0123-456789abcdeg', '0123456789abcdef0123456789abcdef0123'],
  hex: ['abc', 'zz', '0'.repeat(131_072)],
};

/** Keys of a kind that no key of the type is. */
const WRONG_KINDS: Record<KeyType, readonly unknown[]> = {
  bytes: [5, null, 5n],
  u32: ['5', 5n, Buffer.alloc(4), undefined],
  u64: ['5', Buffer.alloc(8), null],
  i64: ['5', Buffer.alloc(8), null],
  uuid: [5, Buffer.alloc(16), 5n],
  hex: [5, Buffer.alloc(2), null],
};

/** The fields of the values of a type, by its text. */
function fieldsOf(type: string): string[] {
  if (!type.startsWith('struct(')) return [];
  return type
    .slice(7, -1)
    .split(',')
    .map((field) => field.slice(0, field.indexOf(':')));
}

/** Bits `[from, to)` of bytes. */
function bitsIn(raw: Uint8Array, from: number, to: number): number {
  const all = BigInt(`0x0${Buffer.from(raw).reverse().toString('hex')}`);
  return Number(BigInt.asUintN(to - from, all >> BigInt(from)));
}

/** Asks for `count` keys that the whole file has, and for half as many others. */
export function askKeys(table: Table<unknown, AnyKey>, situation: Situation, count: number): void {
  const { of, random, counts, check, strict, whole, truth } = situation;
  const type = situation.bytes ? 'bytes' : table.header.keyType;
  const ask = (bytes: Buffer): Asked => {
    const key = keyOfBytes(type, bytes);
    if (type === 'bytes') return { key: of.strings && random.below(2) === 0 ? asText(bytes) : bytes, bytes };
    return { key, bytes: encodeKey(type, key) };
  };
  const keys: Asked[] = [];
  for (let i = Math.min(count, of.answers.length); i > 0; i--) keys.push(ask(random.pick(of.answers).key));
  for (let i = 0; i < count / 2; i++) keys.push(ask(random.pick(of.absent)));

  const hold = (
    what: string,
    way: 'has' | 'value' | 'bytes' | undefined,
    { bytes }: Asked,
    reply: Reply,
    rightly: (answer: Answer | undefined) => unknown,
  ): void => {
    if (reply.code !== undefined && whole) fail(`${what}: ${reply.code} in a file that is whole`);
    if (strict && reply.code === undefined) {
      const right = rightly(of.byKey.get(latin1(bytes)));
      if (!same(reply.value, right)) fail(`${what}: ${show(reply.value)}, it should be ${show(right)}`);
    }
    if (way !== undefined) truth.key(what, way, bytes, reply);
  };
  const damage = damageFor(strict, check);
  const value = (answer: Answer | undefined) => answer?.value;
  const view1 = (answer: Answer | undefined) => answer?.view;
  const is = (answer: Answer | undefined) => answer !== undefined;
  const { valueType, valueWidth } = table.header;
  const fields = fieldsOf(valueType);
  for (const asked of keys) {
    const { key } = asked;
    const named = (way: string) => `${way}(${show(key)}), ${check}`;
    const reply = (way: string, act: () => unknown) => attempt(counts, named(way), damage, act);
    const got = reply('get', () => table.get(key));
    const has = reply('has', () => table.has(key));
    const view = reply('getView', () => table.getView(key));
    hold(named('get'), 'value', asked, got, value);
    hold(named('has'), 'has', asked, has, is);
    hold(named('getView'), 'bytes', asked, view, view1);
    if (got.code === undefined && has.code === undefined && (got.value !== undefined) !== has.value) {
      fail(`get(${show(key)}) gives ${show(got.value)}, has gives ${show(has.value)}`);
    }
    if (fields.length > 0) {
      const name = random.pick(fields);
      const of1 = (record: unknown) => (record as Record<string, unknown> | undefined)?.[name];
      const field = reply(`field ${name}`, () => table.field(key, name));
      hold(named(`field ${name}`), undefined, asked, field, (answer) => of1(answer?.value));
      if (field.code === undefined && got.code === undefined && !same(field.value, of1(got.value))) {
        fail(`${named(`field ${name}`)}: ${show(field.value)}, get gives ${show(of1(got.value))}`);
      }
    }
    if (valueWidth !== null) {
      const from = random.below(8 * valueWidth + 1);
      const to = from + random.below(Math.min(53, 8 * valueWidth - from) + 1);
      const of1 = (bytes: unknown) => bytes && bitsIn(bytes as Uint8Array, from, to);
      const bits = reply(`bits ${from} to ${to}`, () => table.bits(key, from, to));
      hold(named(`bits ${from} to ${to}`), undefined, asked, bits, (answer) => of1(answer?.raw));
      // A view of an enum is of the string.
      const shown = bits.code === undefined && view.code === undefined && valueType !== 'enum';
      if (shown && !same(bits.value, of1(view.value))) {
        fail(`${named(`bits ${from} to ${to}`)}: ${show(bits.value)}, getView gives ${show(view.value)}`);
      }
    }
  }
  // In the core or without it, whichever the table's first question finds.
  const before = process.env.HMAP_NO_CORE;
  if (random.below(2) === 0) process.env.HMAP_NO_CORE = '1';
  // One damaged key takes the others of its call with it.
  for (const list of [keys, [random.pick(keys)]]) {
    const asked = list.map(({ key }) => key);
    const all = attempt(counts, `getMany, ${check}`, damage, () => table.getMany(asked));
    const views = attempt(counts, `getManyViews, ${check}`, damage, () => table.getManyViews(asked));
    const known = attempt(counts, `hasMany, ${check}`, damage, () => Array.from(table.hasMany(asked), Boolean));
    const one = (reply: Reply, i: number): Reply =>
      reply.code === undefined ? { value: (reply.value as unknown[])[i] } : reply;
    for (const [i, each] of list.entries()) {
      const { key } = each;
      hold(`getMany(${show(key)}), ${check}`, 'value', each, one(all, i), value);
      hold(`getManyViews(${show(key)}), ${check}`, 'bytes', each, one(views, i), view1);
      hold(`hasMany(${show(key)}), ${check}`, 'has', each, one(known, i), is);
    }
  }
  if (before === undefined) delete process.env.HMAP_NO_CORE;
}

function asText(bytes: Buffer): Key {
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : bytes;
}

/** Asks what can be no key, and for what there is not: however damaged the file is. */
export function askMisfits(table: Table<unknown, AnyKey>, { bytes, random }: Situation): void {
  const type = bytes ? 'bytes' : table.header.keyType;
  const none = random.pick(NO_KEYS[type]);
  certain(`get(${show(none)})`, undefined, () => table.get(none));
  certain(`has(${show(none)})`, false, () => table.has(none));
  certain(`getView(${show(none)})`, undefined, () => table.getView(none));
  certain(`getMany([${show(none)}])`, [undefined], () => table.getMany([none]));
  const wrong = random.pick(WRONG_KINDS[type]) as AnyKey;
  misused(`get(${show(wrong)})`, /^key: expected /, () => table.get(wrong));
  misused(`getMany([${show(wrong)}])`, /^key: expected /, () => table.getMany([wrong]));
  misused('field(none)', /^name: there is no field/, () => table.field(none, 'no such field'));
  const { valueType, valueWidth } = table.header;
  for (const name of fieldsOf(valueType)) certain(`field ${name}`, undefined, () => table.field(none, name));
  if (valueWidth === null) misused('bits', /^bits: the values of this table differ/, () => table.bits(none, 0, 1));
  else certain('bits of no key', undefined, () => table.bits(none, 0, Math.min(53, 8 * valueWidth)));
}

/** Goes through the table in one of the ways. */
export function walkThrough(table: Table<unknown, AnyKey>, situation: Situation): void {
  const { of, random, counts, check, strict, whole } = situation;
  const hasKeys = table.header.fingerprint === null;
  const way = random.pick(['entries', 'keys', 'values', 'iterator', 'forEach'] as const);
  const what = `${way}, ${check}`;
  const { fileBytes, keyType } = table.header;
  let steps = 0;
  const step = (key: AnyKey | undefined, value: unknown): void => {
    if (++steps > fileBytes) fail(`${what}: more steps than the file has bytes`);
    if (strict) {
      const right = of.answers[steps - 1];
      if (right === undefined) fail(`${what}: more than ${of.answers.length} steps`);
      const valueFits = way === 'keys' || same(value, right.value);
      const form = situation.bytes ? 'bytes' : keyType;
      const keyFits = key === undefined || same(keyOfBytes(form, encodeKey(form, key)), keyOfBytes(form, right.key));
      const kindFits = form === 'bytes' || typeof key === typeof keyOfBytes(form, right.key) || key === undefined;
      if (!valueFits || !keyFits || !kindFits) fail(`${what}: step ${steps} is ${show(key)}, ${show(value)}`);
    } else if (whole && key !== undefined && steps <= 20) {
      if (!table.has(key)) fail(`${what}: ${show(key)} is there, has gives false`);
      if (way !== 'keys' && !same(table.get(key), value)) fail(`${what}: get(${show(key)}) is not ${show(value)}`);
    }
  };
  const damage = damageFor(strict, check);
  const refusal = hasKeys || way === 'values' ? [] : ['HMAP_FINGERPRINT'];
  const codes = [...refusal, ...(strict && of.strings ? damage : [...damage, 'HMAP_KEY_NOT_UTF8'])];
  const reply = attempt(counts, what, codes, () => {
    if (way === 'keys') for (const key of table.keys()) step(key, undefined);
    else if (way === 'values') for (const value of table.values()) step(undefined, value);
    else if (way === 'forEach') table.forEach((value, key) => void step(key, value));
    else for (const [key, value] of way === 'entries' ? table.entries() : table) step(key, value);
  });
  if (reply.code === 'HMAP_DAMAGED' && whole) fail(`${what}: ${reply.code} in a file that is whole`);
  if (refusal.length > 0 && reply.code !== 'HMAP_FINGERPRINT')
    fail(`${what}: ${reply.code} of keys that are not there`);
  if (reply.code !== undefined) return;
  if (strict && steps !== of.answers.length) fail(`${what}: ${steps} steps, not ${of.answers.length}`);
  if (whole && steps !== table.size) fail(`${what}: ${steps} steps, the size is ${table.size}`);
}
