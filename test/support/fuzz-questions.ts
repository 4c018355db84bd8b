// Asks an open table of a damaged file, in each way that there is, and holds the answers to the whole file's, to what the reference reader
// reads in the damaged one, and to each other. Knows tables; does not know what was done to the file.

import type { Check, Key, Table } from '../../src/index.js';
import { ReferenceReader } from '../reference-reader.js';
import { type Answer, latin1, type Sample } from './fuzz-samples.js';
import { BLOCK_DAMAGE, type Counts, codeOf, fail, same, show } from './fuzz-verdict.js';
import type { Random } from './random.js';

/** What a damaged file may be refused with once it is open. */
export const DAMAGE = ['HMAP_DAMAGED'];

/** An answer, or the code of the error that came instead. */
export type Reply = { value: unknown; code?: undefined } | { code: string };

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

/** What is known of a table, and how it is to be asked. */
export interface Situation {
  of: Sample;
  random: Random;
  counts: Counts;
  check: Check;
  /** Each answer must be that of the whole file. */
  strict: boolean;
  /** The file breaks no rule, so that nothing may be refused. */
  whole: boolean;
  truth: Truth;
}

/** Where blocks are checked, nothing is looked at before it is known to be the whole file's: it cannot break a rule. */
export function damageFor(strict: boolean, check: Check | 'none'): readonly string[] {
  return strict && check === 'touch' ? [BLOCK_DAMAGE] : DAMAGE;
}

const bytesOf = (key: Key) => Buffer.from(key as string);
const isView = (way: string) => /View/.test(way);

/** What the damaged file itself says, by another reader and by what was answered before. Does not look at checksums of blocks. */
export class Truth {
  /** Why the reference reader does not open it, if it does not. */
  readonly refusal: string | undefined;
  readonly #reader: ReferenceReader | undefined;
  readonly #read = new Map<string, Buffer | undefined | 'broken' | 'unclear'>();
  readonly #said = new Map<string, unknown>();

  constructor(bytes: Buffer) {
    try {
      this.#reader = new ReferenceReader(bytes);
    } catch (error) {
      this.refusal = (error as Error).message;
    }
  }

  /** Whether opening may end with `code`, or go well where it is `undefined`. */
  opensWith(code: string | undefined): boolean {
    // What the format leaves to `verify`, one of the two readers sees at once: reserved bytes, and more entries than bytes.
    if (this.#reader === undefined) return code !== undefined || /reserved/.test(this.refusal!);
    const { segments } = this.#reader.header;
    return code === undefined || (code === 'HMAP_HEADER_FIELD' && segments.some(({ size, entries }) => entries > size));
  }

  /** Holds an answer to the truth. */
  check(what: string, way: string, key: Key, reply: Reply): void {
    const id = latin1(bytesOf(key));
    if (this.#reader !== undefined && !this.#read.has(id)) this.#read.set(id, this.#find(key));
    const read = this.#reader === undefined ? 'unclear' : this.#read.get(id);
    if (reply.code !== undefined) return;
    if (read === 'broken') fail(`${what}: ${show(reply.value)}, where what the bucket holds passes its end`);
    if (read !== 'unclear') {
      const fits = isView(way) ? same(bytesOrNone(reply.value), read) : found(reply.value) === (read !== undefined);
      if (!fits) fail(`${what}: ${show(reply.value)}, the reference reader: ${show(read)}`);
    }
    // It does not depend on how and when it is asked, nor on what is checked: one of the ways may refuse.
    const said = `${isView(way) ? 'view' : way === 'has' ? 'has' : 'get'} ${id}`;
    const value = isView(way) ? bytesOrNone(reply.value) : reply.value;
    if (!this.#said.has(said)) this.#said.set(said, value);
    else if (!same(this.#said.get(said), value))
      fail(`${what}: ${show(value)}, and ${show(this.#said.get(said))} before`);
  }

  #find(key: Key): Buffer | undefined | 'broken' | 'unclear' {
    try {
      const value = this.#reader!.get(key);
      return value === undefined ? undefined : Buffer.from(value);
    } catch (error) {
      // A length in a form that is too long may be read or refused.
      return /runs over the end|array falls|ends behind/.test((error as Error).message) ? 'broken' : 'unclear';
    }
  }
}

function bytesOrNone(view: unknown): Buffer | undefined {
  return view === undefined ? undefined : Buffer.from(view as Uint8Array);
}

/** Whether an answer says that the key is there. */
function found(value: unknown): boolean {
  return value !== undefined && value !== false;
}

/** Asks for `count` keys that the whole file has, and for half as many others. */
export function askKeys(table: Table<unknown, Key>, situation: Situation, count: number): void {
  const { of, random, counts, check, strict, whole, truth } = situation;
  const keys: Key[] = [];
  for (let i = Math.min(count, of.answers.length); i > 0; i--) {
    const { key } = random.pick(of.answers);
    keys.push(of.strings && random.below(2) === 0 ? key.toString() : key);
  }
  for (let i = 0; i < count / 2; i++) keys.push(random.pick(of.absent));

  const hold = (way: string, key: Key, reply: Reply, rightly: (answer: Answer | undefined) => unknown): void => {
    const what = `${way}(${show(key)}), ${check}`;
    if (reply.code !== undefined && whole) fail(`${what}: ${reply.code} in a file that is whole`);
    if (strict && reply.code === undefined) {
      const right = rightly(of.byKey.get(latin1(bytesOf(key))));
      if (!same(reply.value, right)) fail(`${what}: ${show(reply.value)}, it should be ${show(right)}`);
    }
    // A JSON value may well be false, and then looks like what is not there.
    if (isView(way) || way === 'has' || table.header.valueType !== 'json') truth.check(what, way, key, reply);
  };
  const damage = damageFor(strict, check);
  const value = (answer: Answer | undefined) => answer?.value;
  const raw = (answer: Answer | undefined) => answer?.raw;
  const is = (answer: Answer | undefined) => answer !== undefined;
  for (const key of keys) {
    const ask = (way: string, act: () => unknown) => attempt(counts, `${way}, ${check}`, damage, act);
    const got = ask('get', () => table.get(key));
    const has = ask('has', () => table.has(key));
    hold('get', key, got, value);
    hold('has', key, has, is);
    hold(
      'getView',
      key,
      ask('getView', () => table.getView(key)),
      raw,
    );
    if (got.code === undefined && has.code === undefined && found(got.value) !== has.value && got.value !== false) {
      fail(`get(${show(key)}) gives ${show(got.value)}, has gives ${show(has.value)}`);
    }
  }
  // One damaged key takes the others of its call with it.
  for (const list of [keys, [random.pick(keys)]]) {
    const all = attempt(counts, `getMany, ${check}`, damage, () => table.getMany(list));
    const views = attempt(counts, `getManyViews, ${check}`, damage, () => table.getManyViews(list));
    for (const [i, key] of list.entries()) {
      hold('getMany', key, all.code === undefined ? { value: (all.value as unknown[])[i] } : all, value);
      hold('getManyViews', key, views.code === undefined ? { value: (views.value as unknown[])[i] } : views, raw);
    }
  }
}

/** Goes through the table in one of the ways. */
export function walkThrough(table: Table<unknown, Key>, situation: Situation): void {
  const { of, random, counts, check, strict, whole } = situation;
  const way = random.pick(['entries', 'keys', 'values', 'iterator', 'forEach'] as const);
  const what = `${way}, ${check}`;
  const { fileBytes } = table.header;
  let steps = 0;
  const step = (key: Key | undefined, value: unknown): void => {
    if (++steps > fileBytes) fail(`${what}: more steps than the file has bytes`);
    if (strict) {
      const right = of.answers[steps - 1];
      if (right === undefined) fail(`${what}: more than ${of.answers.length} steps`);
      const valueFits = way === 'keys' || same(value, right.value);
      const keyFits = key === undefined || latin1(bytesOf(key)) === latin1(right.key);
      if (!valueFits || !keyFits) fail(`${what}: step ${steps} is ${show(key)}, ${show(value)}`);
    } else if (whole && key !== undefined && steps <= 20) {
      if (!table.has(key)) fail(`${what}: ${show(key)} is there, has gives false`);
      if (way !== 'keys' && !same(table.get(key), value)) fail(`${what}: get(${show(key)}) is not ${show(value)}`);
    }
  };
  const damage = damageFor(strict, check);
  const codes = strict && of.strings ? damage : [...damage, 'HMAP_KEY_NOT_UTF8'];
  const reply = attempt(counts, what, codes, () => {
    if (way === 'keys') for (const key of table.keys()) step(key, undefined);
    else if (way === 'values') for (const value of table.values()) step(undefined, value);
    else if (way === 'forEach') table.forEach((value, key) => void step(key, value));
    else for (const [key, value] of way === 'entries' ? table.entries() : table) step(key, value);
  });
  if (reply.code === 'HMAP_DAMAGED' && whole) fail(`${what}: ${reply.code} in a file that is whole`);
  if (reply.code !== undefined) return;
  if (strict && steps !== of.answers.length) fail(`${what}: ${steps} steps, not ${of.answers.length}`);
  if (whole && steps !== table.size) fail(`${what}: ${steps} steps, the size is ${table.size}`);
}
