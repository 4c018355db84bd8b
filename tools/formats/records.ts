// Takes records, objects whose members have names, into a build: which of them are key and value. Knows records; does
// not know where they come from.

import { ByteBuffer, isStruct, nearest } from '../../src/internal.js';
import type { EntrySink } from './entry-sink.js';
import type { ExactJson } from './exact-json.js';
import { isMissing, type ReadOptions, WHOLE } from './read-options.js';
import { fieldNames } from './struct-text.js';
import { bytesFromJson, isBig, keyFromJson, valueFromJson } from './text.js';

export type JsonRecord = Record<string, unknown>;

/** What a member is, for messages. */
const shownName = (name: string): string => `the member "${name}"`;

export class RecordTaker {
  readonly #sink: EntrySink;
  /** Names of the members that make the key; none if it comes beside the record. */
  readonly #keys: readonly string[];
  readonly #join: string;
  /** The member that is the value, several that make it, or the whole record. */
  readonly #value: string | readonly string[] | typeof WHOLE_RECORD;
  /** Of a struct: names of the members for its fields. */
  readonly #fields: readonly (readonly [field: string, name: string])[] | undefined;
  /** Whether {@link take} wants the exact form of a text: integers that JavaScript would round matter. */
  readonly isExact: boolean;
  readonly #isBig: boolean;
  readonly #isBytes: boolean;
  /** Whether somebody has named the members of the key. */
  readonly #isChosen: boolean;
  readonly #missing: ReadOptions['missing'];
  readonly #isSet: boolean;

  /**
   * @param told what the records are, for people
   * @param own the members that are key and value where none is named; of the value, the whole record where none is
   */
  constructor(sink: EntrySink, options: ReadOptions, told: string, own: { key?: string; value?: string }) {
    this.#sink = sink;
    const { valueType, keyType } = sink;
    this.#keys = options.keys ?? (options.key !== undefined ? [options.key] : own.key !== undefined ? [own.key] : []);
    this.#isChosen = options.keys !== undefined || options.key !== undefined;
    this.#missing = options.missing;
    this.#join = options.join ?? '';
    const value = options.values ?? options.value ?? own.value ?? WHOLE;
    this.#value = value === WHOLE ? WHOLE_RECORD : typeof value !== 'string' && value.length === 1 ? value[0]! : value;
    this.#fields = fieldsOf(sink, this.#value);
    this.#isBig = isBig(valueType);
    this.isExact = this.#isBig || valueType === 'json' || keyType !== 'bytes' || this.#isChosen;
    this.#isBytes = keyType === 'bytes';
    this.#isSet = valueType === 'none';
    const from = this.#isSet ? '' : `, value = ${this.#shownValue()}`;
    sink.tell(
      `${told}: key = ${this.#keys.length === 0 ? 'the name' : this.#keys.map((name) => `\`${name}\``).join(' + ')}${from}`,
    );
  }

  /**
   * @param precise the record in `exact`, which knows the integers that JavaScript would round, if there are such
   * @param name the key that comes beside the record
   */
  take(record: JsonRecord, precise: JsonRecord, exact: ExactJson | undefined, line: number, name?: ByteBuffer): void {
    const sink = this.#sink;
    if (this.#missing === 'skip' && this.#keys.some((name) => isMissing(own(record, name)))) {
      sink.leaveOut();
      return;
    }
    const key = this.#keys.length === 0 ? name! : new ByteBuffer(this.#key(record, precise, exact, line));
    if (this.#isSet) {
      sink.value(key, () => this.#noValue(record), line);
      return;
    }
    const value = this.#valueOf(record, line);
    const isAbsent = isMissing(value) || this.#lacksField(record);
    if (isAbsent && sink.missing(key, 0, key.size, line)) return;
    if (value === undefined) {
      const whole = this.#isChosen ? "; --value-column '*' takes the whole record" : '';
      throw sink.malformed(line, `${missing(this.#value as string, record)}${whole}`);
    }
    if (exact !== undefined && sink.valueType === 'json') {
      sink.exact(key, exact, this.#valueOf(precise, line), line);
      return;
    }
    const json = (this.#isBig && exact?.integerOf(this.#valueOf(precise, line))) || value;
    sink.value(key, () => valueFromJson(sink.valueType, json), line);
  }

  #key(record: JsonRecord, precise: JsonRecord, exact: ExactJson | undefined, line: number): Uint8Array {
    const keys = this.#keys;
    if (keys.length === 1) return this.#part(keys[0]!, record, precise, exact, line, true);
    const join = Buffer.from(this.#join);
    const parts = keys.map((name) => this.#part(name, record, precise, exact, line, false));
    return Buffer.concat(parts.flatMap((part, i) => (i === 0 ? [part] : [join, part])));
  }

  /** @param isWhole whether the member alone makes the key */
  #part(
    name: string,
    record: JsonRecord,
    precise: JsonRecord,
    exact: ExactJson | undefined,
    line: number,
    isWhole: boolean,
  ): Uint8Array {
    const json = own(record, name);
    const bytes = this.#isBytes && isWhole ? bytesFromJson(json) : undefined;
    // Where the member was chosen, numbers are its text.
    const isText = !this.#isBytes || this.#isChosen;
    const key = bytes ?? (isText ? keyFromJson(exact?.integerOf(own(precise, name)) ?? json) : undefined);
    if (key === undefined) {
      const hint =
        this.#isChosen || json !== undefined ? '' : `; choose --key-column: the members are ${membersOf(record)}`;
      throw this.#sink.malformed(line, `${wrongKey(name, json, this.#isBytes, record)}${hint}`);
    }
    return key;
  }

  /** A set's records may say that they have no value. */
  #noValue(record: JsonRecord): unknown {
    if (typeof this.#value !== 'string') return true;
    const value = own(record, this.#value);
    return value === null ? undefined : value;
  }

  #valueOf(record: JsonRecord, line: number): unknown {
    if (this.#fields !== undefined) {
      const found = this.#fields.filter(([, name]) => Object.hasOwn(record, name));
      return Object.fromEntries(found.map(([field, name]) => [field, record[name]]));
    }
    if (this.#value === WHOLE_RECORD) return record;
    if (typeof this.#value === 'string') return own(record, this.#value);
    return Object.fromEntries(this.#value.flatMap((name) => this.#member(record, name, line)));
  }

  /** A member of an object that is made of several, if it is not left out. */
  #member(record: JsonRecord, name: string, line: number): [name: string, value: unknown][] {
    const value = own(record, name);
    const policy = this.#missing;
    if (value !== undefined && (policy === undefined || !isMissing(value))) return [[name, value]];
    if (policy === 'skip') return [];
    if (typeof policy === 'object') return [[name, policy.text]];
    throw this.#sink.malformed(line, `${missing(name, record)}; --missing skip leaves it out`);
  }

  #lacksField(record: JsonRecord): boolean {
    return this.#fields?.some(([, name]) => isMissing(own(record, name))) === true;
  }

  #shownValue(): string {
    if (this.#fields !== undefined) return this.#fields.map(([, name]) => `\`${name}\``).join(', ');
    if (this.#value === WHOLE_RECORD) return 'the whole record';
    return typeof this.#value === 'string'
      ? `\`${this.#value}\``
      : `${this.#value.map((name) => `\`${name}\``).join(', ')}`;
  }
}

const WHOLE_RECORD = Symbol('the whole record');

/** Names of members, for a message. */
function membersOf(record: JsonRecord): string {
  return Object.keys(record).slice(0, 12).join(', ');
}

const PLAIN = {};

/** A member of its own, not one that every object has. */
function own(record: JsonRecord, name: string): unknown {
  return !(name in PLAIN) || Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Where the fields of a struct come from, if not from one member that holds them all. */
function fieldsOf(
  { valueType }: EntrySink,
  value: string | readonly string[] | symbol,
): readonly (readonly [string, string])[] | undefined {
  if (!isStruct(valueType)) {
    if (typeof value === 'object' && valueType !== 'json') {
      throw new TypeError('--value-columns: several columns make a value of type json or of a struct');
    }
    return undefined;
  }
  const names = fieldNames(valueType)!;
  if (typeof value === 'string') return undefined;
  if (typeof value === 'symbol') return names.map((name) => [name, name]);
  if (value.length !== names.length) {
    throw new TypeError(`--value-columns: the struct has ${names.length} fields, not ${value.length}`);
  }
  return names.map((name, i) => [name, value[i]!]);
}

function isHalved(value: unknown): boolean {
  return typeof value === 'string' && !value.isWellFormed();
}

function missing(name: string, record: JsonRecord): string {
  const near = nearest(name, Object.keys(record));
  return `${shownName(name)} is missing${near === undefined ? '' : `; there is "${near}"`}`;
}

function wrongKey(name: string, key: unknown, isBytes: boolean, record: JsonRecord): string {
  if (key === undefined) return missing(name, record);
  if (isHalved(key)) return `${shownName(name)} has an unpaired surrogate, which has no UTF-8; use {"base64": "..."}`;
  const expected = isBytes ? 'a string or {"base64": "..."}' : 'a string, or an integer';
  const hint = isBytes && typeof key === 'number' ? '; for numbers as keys choose --key u32, u64 or i64' : '';
  return `expected ${shownName(name)} to be ${expected}${hint}`;
}
