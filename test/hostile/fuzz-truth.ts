// What a damaged file itself says, by the readers that were written from the spec alone, and by what was answered
// before. Does not look at checksums of blocks; does not know what was done to the file.

import type { Layout } from '../../src/index.js';
import { ReferenceKeyless } from '../conformance/reference-keyless.js';
import { ReferenceReader } from '../conformance/reference-reader.js';
import { latin1 } from './fuzz-samples.js';
import { fail, same, show } from './fuzz-verdict.js';

/** An answer, or the code of the error that came instead. */
export type Reply = { value: unknown; code?: undefined } | { code: string };

/** Where the bytes on the way break the format, and where the spec leaves it open. */
export const BROKEN = Symbol('broken');
export const UNCLEAR = Symbol('unclear');

const ENUM = 15;
const LAYOUTS: readonly Layout[] = ['hash', 'list', 'bits'];

export class Truth {
  /** Why the reference reader does not open it, if it does not. */
  readonly refusal: string | undefined;
  /** What it would be opened as, if it can be. */
  readonly layout: Layout;
  /** Whether it has fingerprints in place of keys. */
  readonly fingerprint: boolean;
  readonly #table: ReferenceReader | undefined;
  readonly #plain: ReferenceKeyless | undefined;
  readonly #read = new Map<string, unknown>();
  readonly #said = new Map<string, unknown>();

  constructor(bytes: Buffer) {
    this.layout = LAYOUTS[bytes[63] ?? 0] ?? 'hash';
    this.fingerprint = this.layout === 'hash' && ((bytes[20] ?? 0) & 32) !== 0;
    try {
      if (this.layout === 'hash') this.#table = new ReferenceReader(bytes);
      else this.#plain = new ReferenceKeyless(bytes);
    } catch (error) {
      this.refusal = (error as Error).message;
    }
  }

  /** Whether opening may end with `code`, or go well where it is `undefined`. */
  opensWith(code: string | undefined): boolean {
    // What the format leaves to `verify`, one of the two readers sees at once: reserved bytes, and more entries than
    // bytes.
    if (this.refusal !== undefined) return code !== undefined || /reserved/.test(this.refusal);
    const { segments } = (this.#table ?? this.#plain)!.header;
    const crowded = this.layout === 'hash' && segments.some(({ size, entries }) => entries > size);
    return code === undefined || (code === 'HMAP_HEADER_FIELD' && crowded);
  }

  /** Holds what is said of a key to the truth: whether it is there, its value, or the value's bytes. */
  key(what: string, way: 'has' | 'value' | 'bytes', key: Buffer, reply: Reply): void {
    if (reply.code !== undefined) return;
    const read = this.#raw(key);
    if (read === BROKEN) fail(`${what}: ${show(reply.value)}, where what the bucket holds passes its end`);
    const value = way === 'bytes' && reply.value !== undefined ? Buffer.from(reply.value as Uint8Array) : reply.value;
    if (read !== UNCLEAR) {
      const raw = read as Buffer | undefined;
      const right = way === 'bytes' ? this.#viewed(raw) : way === 'has' ? raw !== undefined : this.#decoded(raw);
      if (right !== UNCLEAR && !same(value, right))
        fail(`${what}: ${show(value)}, the reference reader: ${show(right)}`);
    }
    this.#consistent(what, `${way} ${latin1(key)}`, value);
  }

  /**
   * What the file has at an index of a list or a bit array that it covers: an element, a bit, the ones below it; BROKEN
   * or UNCLEAR.
   */
  at(way: 'element' | 'rank', index: number): unknown {
    const id = `${way} ${index}`;
    if (!this.#read.has(id)) this.#read.set(id, this.#lookUp(way, index));
    return this.#read.get(id);
  }

  /** Holds an answer to what {@link at} gives. */
  index(what: string, way: 'element' | 'rank', index: number, reply: Reply): void {
    if (reply.code !== undefined) return;
    const right = this.at(way, index);
    if (right === BROKEN) fail(`${what}: ${show(reply.value)}, where the offsets do not fit`);
    const value = typeof reply.value === 'boolean' ? Number(reply.value) : reply.value;
    if (right !== UNCLEAR && !same(value, right)) fail(`${what}: ${show(value)}, the reference reader: ${show(right)}`);
    this.#consistent(what, `${way} ${index}`, value);
  }

  /** It does not depend on how and when it is asked, nor on what is checked: one of the ways may refuse. */
  #consistent(what: string, id: string, value: unknown): void {
    if (!this.#said.has(id)) this.#said.set(id, value);
    else if (!same(this.#said.get(id), value)) fail(`${what}: ${show(value)}, and ${show(this.#said.get(id))} before`);
  }

  #lookUp(way: 'element' | 'rank', index: number): unknown {
    if (this.#plain === undefined) return UNCLEAR;
    try {
      const number = index - this.#plain.header.base;
      const value = way === 'rank' ? this.#plain.rank(number) : this.#plain.element(number);
      return value instanceof Buffer ? Buffer.from(value) : value;
    } catch (error) {
      return /offsets/.test((error as Error).message) ? BROKEN : UNCLEAR;
    }
  }

  #raw(key: Buffer): unknown {
    if (this.#table === undefined) return UNCLEAR;
    const id = latin1(key);
    if (!this.#read.has(id)) this.#read.set(id, this.#find(this.#table, key));
    return this.#read.get(id);
  }

  #find(table: ReferenceReader, key: Buffer): unknown {
    try {
      const value = table.get(key);
      return value === undefined ? undefined : Buffer.from(value);
    } catch (error) {
      // A length in a form that is too long may be read or refused.
      return /runs over the end|array falls|ends behind/.test((error as Error).message) ? BROKEN : UNCLEAR;
    }
  }

  /** A view of an enum is of the string. */
  #viewed(raw: Buffer | undefined): unknown {
    if (this.#table?.header.valueType !== ENUM) return raw;
    const text = this.#decoded(raw);
    return typeof text === 'string' ? Buffer.from(text) : text;
  }

  #decoded(raw: Buffer | undefined): unknown {
    try {
      return raw === undefined ? undefined : this.#table!.decode(raw);
    } catch {
      return UNCLEAR;
    }
  }
}
