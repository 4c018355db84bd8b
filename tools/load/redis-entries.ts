// What the entries of a table are in a Redis server: a key, and the commands that put it there and read it back. Knows
// tables and commands; sends nothing.

import { type HashHeader, HmapError } from '../../src/index.js';
import type { ByteSlice } from '../../src/internal.js';
import { ExactJson } from '../formats/exact-json.js';
import { jsonPrinter, keyPrinter, textPrinter } from '../formats/text.js';
import { Output } from '../terminal/output.js';

/** `string`: the value's text; `json`: its JSON; `hash`: a hash of its fields, or members. */
export type RedisForm = 'string' | 'hash' | 'json';
export const REDIS_FORMS: readonly RedisForm[] = ['string', 'hash', 'json'];

/** A command and its arguments. */
export type RedisCommand = readonly [name: string, ...args: readonly (string | Buffer)[]];

export interface RedisEntry {
  readonly key: Buffer;
  /** Idempotent: sent again, they change nothing. */
  readonly write: readonly RedisCommand[];
  readonly read: RedisCommand;
  /** What {@link read} must give: the text, or field and text by turns. */
  readonly value: readonly Buffer[];
}

export class RedisEntries {
  readonly #form: RedisForm;
  readonly #prefix: Buffer;
  readonly #ttl: number | undefined;
  readonly #printKey: ReturnType<typeof keyPrinter>;
  readonly #print: ReturnType<typeof textPrinter>;
  readonly #out = new Output(4096);

  /**
   * @param prefix of all keys
   * @param ttl seconds that the entries live; without one, for ever
   * @throws {HmapError} `HMAP_NOT_REPRESENTABLE` if the values have no fields, and should be hashes
   */
  constructor({ keyType, valueType }: HashHeader, form: RedisForm, prefix: string, ttl: number | undefined) {
    const hasFields = valueType === 'json' || valueType.startsWith('struct(');
    if (form === 'hash' && !hasFields) {
      const message = `--as hash: the values are ${valueType}, which have no fields; --as string stores their text`;
      throw new HmapError('HMAP_NOT_REPRESENTABLE', message, { expected: 'struct or json', actual: valueType });
    }
    this.#form = form;
    this.#prefix = Buffer.from(prefix);
    this.#ttl = ttl;
    this.#printKey = keyPrinter(keyType);
    this.#print = form === 'string' ? textPrinter(valueType) : jsonPrinter(valueType);
  }

  /** @throws {HmapError} `HMAP_NOT_REPRESENTABLE` for a value that is no object, or has no members, and should be a hash */
  entry(key: ByteSlice, value: ByteSlice): RedisEntry {
    const name = Buffer.concat([this.#prefix, this.#text(this.#printKey, key)]);
    const text = this.#text(this.#print, value);
    if (this.#form !== 'hash') {
      const life = this.#ttl === undefined ? [] : ['EX', String(this.#ttl)];
      return { key: name, write: [['SET', name, text, ...life]], read: ['GET', name], value: [text] };
    }
    const fields = fieldsOf(text.toString(), name);
    const life: RedisCommand[] = this.#ttl === undefined ? [] : [['EXPIRE', name, String(this.#ttl)]];
    // First nothing, so that no field of an earlier value is left.
    const write: RedisCommand[] = [['DEL', name], ['HSET', name, ...fields], ...life];
    return { key: name, write, read: ['HGETALL', name], value: fields };
  }

  #text(print: ReturnType<typeof textPrinter>, { buffer, at, length }: ByteSlice): Buffer {
    this.#out.clear();
    print(buffer, at, length, this.#out);
    return this.#out.toBytes();
  }
}

/** Whether a reply to {@link RedisEntry.read} is what the entry has. */
export function isAsWritten({ read, value }: RedisEntry, reply: unknown): boolean {
  if (read[0] === 'GET') return Buffer.isBuffer(reply) && reply.equals(value[0]!);
  if (!Array.isArray(reply) || reply.length !== value.length) return false;
  const found = new Map<string, Buffer>();
  for (let i = 0; i < reply.length; i += 2) found.set((reply[i] as Buffer).toString('latin1'), reply[i + 1] as Buffer);
  for (let i = 0; i < value.length; i += 2) {
    if (found.get(value[i]!.toString('latin1'))?.equals(value[i + 1]!) !== true) return false;
  }
  return true;
}

/** Names and texts of an object's members, by turns. A member that is no string is its JSON. */
function fieldsOf(json: string, key: Buffer): Buffer[] {
  const exact = ExactJson.parse(json);
  const value: unknown = exact === undefined ? JSON.parse(json) : exact.value;
  const members = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  if (members.length === 0) {
    const message = `--as hash: the value of the key ${JSON.stringify(key.toString())} is no object with members; --as json stores any value`;
    throw new HmapError('HMAP_NOT_REPRESENTABLE', message, { key: key.toString() });
  }
  const textOf = (member: unknown) => {
    if (typeof member === 'string' && exact?.integerOf(member) === undefined) return member;
    const text = JSON.stringify(member);
    return exact === undefined ? text : exact.unmarked(text);
  };
  return members.flatMap(([name, member]) => [Buffer.from(name), Buffer.from(textOf(member))]);
}
