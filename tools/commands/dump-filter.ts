// Which entries `hmap dump` prints: conditions on keys and values, and samples. Knows how they are decoded; prints
// nothing.

import { InvalidArgumentError } from 'commander';
import type { ListType, StoredType } from '../../src/index.js';
import {
  type ByteSlice,
  DECODERS,
  type ElementScan,
  type EntryScan,
  fieldReader,
  isStruct,
  KEY_DECODERS,
  nearest,
  structOf,
} from '../../src/internal.js';
import { ExactJson } from '../formats/exact-json.js';

export interface FilterFlags {
  prefix?: string;
  match?: RegExp;
  where?: Condition[];
}

const OPERATORS = ['<=', '>=', '!=', '==', '=', '<', '>'] as const;
type Operator = (typeof OPERATORS)[number];

/** A comparison with a constant. */
export interface Condition {
  /** `key`, `value`, or what leads to a part of the value. */
  readonly path: readonly string[];
  readonly operator: Operator;
  readonly constant: unknown;
  /** As it was written. */
  readonly text: string;
}

export function parseMatch(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

/** Parses `value > 10`, `country = "DE"` or `value.a.b != null`, and adds it to those before it. */
export function parseWhere(text: string, before: Condition[] = []): Condition[] {
  const parts = /^\s*([^\s<>=!]+)\s*(<=|>=|!=|==|=|<|>)\s*(.+?)\s*$/s.exec(text);
  if (parts === null) throw new InvalidArgumentError("Expected a comparison such as 'value > 10' or 'country = DE'.");
  const [, name, operator, constant] = parts as unknown as [string, string, Operator, string];
  if (/^[<>=!]/.test(constant))
    throw new InvalidArgumentError(`There is no operator '${operator}${constant[0]}'; use != for <>.`);
  return [...before, { path: name.split('.'), operator, constant: constantOf(constant), text: constant }];
}

/** A JSON text; anything else is a string. Integers that a number would round are BigInts. */
function constantOf(text: string): unknown {
  if (/^-?\d{16,}$/.test(text)) return BigInt(text);
  if (/^(?:NaN|-?Infinity)$/.test(text)) return Number(text);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Chooses entries. */
export interface Filter {
  /** Whether the entry at which the scan is shall be printed. */
  accepts: () => boolean;
  /** Whether any entry had what the conditions ask for. */
  hasSeen: boolean;
}

/** Whether a part of entries is a number in each of them. */
function isNumeric({ type }: Parts, [first, ...rest]: readonly string[]): boolean {
  return first === 'value' && rest.length === 0 && NUMERIC.test(type);
}

const NUMERIC = /^[uif]\d+$/;

/**
 * Whether the entry at which a scan is shall be printed; `undefined` if all are.
 * @throws {TypeError} if there is no such part of values
 */
export function filterOf(scan: EntryScan | ElementScan, flags: FilterFlags): Filter | undefined {
  const { prefix, match, where = [] } = flags;
  const tests: (() => boolean)[] = [];
  const filter: Filter = { accepts: () => true, hasSeen: where.length === 0 };
  const parts = scan.layout === 'hash' ? entryParts(scan) : elementParts(scan as ElementScan);
  if (prefix !== undefined) tests.push(startsWith(scan, parts.key, prefix));
  if (match !== undefined) tests.push(() => match.test(String(parts.key())));
  for (const condition of where) {
    const read = partOf(parts, condition);
    if (isNumeric(parts, condition.path) && !isNumber(condition.constant)) {
      const shown = JSON.stringify(condition.constant);
      throw new TypeError(
        `--where: '${condition.path.join('.')}' is a number, and ${shown} is none; conditions are joined by more --where`,
      );
    }
    tests.push(() => {
      const found = read();
      if (found !== undefined) filter.hasSeen = true;
      return compares(found, condition);
    });
  }
  if (tests.length === 0) return undefined;
  filter.accepts = () => tests.every((test) => test());
  return filter;
}

/** What of an entry can be looked at. */
interface Parts {
  readonly key: () => unknown;
  readonly value: () => unknown;
  /** The fields of a struct. */
  readonly fields: ReadonlyMap<string, () => unknown>;
  readonly type: StoredType | ListType;
}

const textOf = ({ buffer, at, length }: ByteSlice) => buffer.bytes.toString('utf8', at, at + length);

function entryParts({ header, key, value }: EntryScan): Parts {
  const { keyType, valueType } = header;
  const decodeKey = keyType === 'bytes' ? undefined : KEY_DECODERS[keyType];
  return {
    key: () => (decodeKey === undefined ? textOf(key) : decodeKey(key.buffer, key.at, key.length)),
    value: () => decoded(valueType, value),
    fields: new Map(fieldsOf(valueType, value)),
    type: valueType,
  };
}

function decoded(type: StoredType, value: ByteSlice): unknown {
  if (isStruct(type)) return Object.fromEntries(fieldsOf(type, value).map(([name, read]) => [name, read()]));
  if (type === 'none') return true;
  if (type === 'bytes' || type === 'utf8' || type === 'enum') return textOf(value);
  if (type !== 'json') return DECODERS[type](value.buffer, value.at, value.length);
  const text = textOf(value);
  const exact = ExactJson.parse(text);
  return exact === undefined ? JSON.parse(text) : withIntegers(exact, exact.value);
}

/** A value with BigInts for the integers that JavaScript would round. */
function withIntegers(exact: ExactJson, part: unknown): unknown {
  const integer = exact.integerOf(part);
  if (integer !== undefined) return integer;
  if (Array.isArray(part)) return part.map((item) => withIntegers(exact, item));
  if (typeof part !== 'object' || part === null) return part;
  return Object.fromEntries(Object.entries(part).map(([name, item]) => [name, withIntegers(exact, item)]));
}

function fieldsOf(type: StoredType, value: ByteSlice): [name: string, read: () => unknown][] {
  if (!isStruct(type)) return [];
  const { fields, bytes } = structOf(type);
  return fields.map((field) => {
    const read = fieldReader(field, bytes);
    return [field.name, () => read(value.buffer.view, value.at)];
  });
}

function elementParts(scan: ElementScan): Parts {
  const { valueType } = scan.header;
  const hasBytes = valueType === 'utf8' || valueType === 'bytes';
  const value = () => (scan.layout === 'bits' ? true : hasBytes ? textOf(scan.bytes) : scan.number);
  return { key: () => scan.index, value, fields: new Map(), type: valueType };
}

/** Text as it is compared: bytes, where keys have them. */
function startsWith(scan: EntryScan | ElementScan, read: () => unknown, prefix: string): () => boolean {
  if (scan.layout !== 'hash' || scan.header.keyType !== 'bytes') return () => String(read()).startsWith(prefix);
  const { key } = scan as EntryScan;
  const wanted = Buffer.from(prefix);
  return () => {
    const { buffer, at, length } = key;
    return length >= wanted.length && buffer.bytes.compare(wanted, 0, wanted.length, at, at + wanted.length) === 0;
  };
}

function partOf({ key, value, fields, type }: Parts, { path }: Condition): () => unknown {
  const [first, ...rest] = path as [string, ...string[]];
  if (first === 'key' && rest.length === 0) return key;
  const field = rest.length === 0 ? fields.get(first) : undefined;
  if (field !== undefined) return field;
  if (fields.size > 0 && !(first === 'value' && (rest.length === 0 || fields.has(rest[0]!)))) {
    const names = ['key', ...fields.keys()];
    const near = nearest(path.join('.'), names);
    const hint = near === undefined ? `there is ${names.join(', ')}` : `did you mean '${near}'?`;
    throw new TypeError(`--where: values have no field '${path.join('.')}'; ${hint}`);
  }
  if (type !== 'json' && fields.size === 0 && (first !== 'value' || rest.length > 0)) {
    throw new TypeError(`--where: values of type ${type} have no parts; there is key, value`);
  }
  const steps = first === 'value' ? rest : path;
  return () => steps.reduce(memberOf, value());
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

const isNumber = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint';

/** Things of different types are not equal, and neither is the larger one. */
function compares(part: unknown, { operator, constant, text }: Condition): boolean {
  // Text may be meant as it was written, whatever else it could be.
  const isSame = typeof part === 'string' && typeof constant !== 'string' && part === text;
  if (isSame && ['=', '==', '<=', '>='].includes(operator)) return true;
  if (isSame && operator === '!=') return false;
  // What came from text may be a number that stands as one.
  const isText = typeof part === 'string' && isNumber(constant) && /^[+-]?\d+(?:\.\d+)?$/.test(part);
  const found = isText ? numberIn(part) : part;
  const wanted = constant;
  const areAlike = isNumber(found) ? isNumber(wanted) : typeof found === typeof wanted;
  // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1, but 1n !== 1
  const isEqual = areAlike && (isNumber(found) ? found == wanted : sameText(found, wanted));
  if (operator === '=' || operator === '==') return isEqual;
  if (operator === '!=') return !isEqual;
  if (!areAlike || typeof found === 'object' || found === undefined) return false;
  const [a, b] = [found as number, wanted as number];
  if (operator === '<') return a < b;
  if (operator === '>') return a > b;
  return operator === '<=' ? a <= b : a >= b;
}

/** Integers that a number would round are BigInts. */
function numberIn(text: string): number | bigint {
  return /^[+-]?\d{16,}$/.test(text) ? BigInt(text.replace('+', '')) : Number(text);
}

const jsonOf = (value: unknown) =>
  JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item));

function sameText(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && jsonOf(a) === jsonOf(b));
}

/** What is kept of an entry of a sample. */
export interface Kept {
  readonly key: ByteSlice;
  readonly value: ByteSlice;
  readonly index: number;
  readonly number: number;
}

/**
 * A sample of entries, each as likely as any other, in the order in which they came (algorithm R: J. S. Vitter, Random
 * Sampling with a Reservoir, 1985). The same seed gives the same sample.
 */
export class Reservoir {
  readonly #size: number;
  readonly #kept: { readonly at: number; readonly entry: Kept }[] = [];
  #seen = 0;
  #state: number;

  constructor(size: number, seed: number) {
    this.#size = size;
    this.#state = seed >>> 0;
  }

  /** @param copy copies the entry, if it is taken */
  add(copy: () => Kept): void {
    const at = this.#seen++;
    const place = at < this.#size ? at : Math.floor(this.#random() * (at + 1));
    if (place < this.#size) this.#kept[place] = { at, entry: copy() };
  }

  get entries(): Kept[] {
    return this.#kept.toSorted((a, b) => a.at - b.at).map(({ entry }) => entry);
  }

  /** From 0 to 1, exclusive: splitmix32, twice for the 53 bits of a number. */
  #random(): number {
    return (this.#next() * 2 ** 21 + (this.#next() >>> 11)) / 2 ** 53;
  }

  #next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let mixed = this.#state ^ (this.#state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }
}
