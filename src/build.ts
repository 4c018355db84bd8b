// Builds a file from keys and values as a program has them. Knows how entries are given; building itself is builder.ts.

import { Builder, type BuildOptions, type BuildSummary } from './builder.js';
import { Block } from './bytes.js';
import { HmapError, showKey, systemError } from './errors.js';
import { encodeKey, type Key, kindOf, NOT_UNICODE, scratch } from './keys.js';
import { MAX_KEY_BYTES } from './layout.js';
import type { ValueType, ValueTypes } from './types.js';
import { type EncodedValue, keyForUser, type ValueEncoder, ValueError, valueEncoder } from './values.js';

/** Entries between two looks at the clock and the signal. */
const STRIDE = 1024;

/** What can be built from: pairs of key and value, or bare keys for a set. */
export type Entry<T extends ValueType> = T extends 'none'
  ? Key | readonly [key: Key, value?: true | undefined]
  : readonly [key: Key, value: ValueTypes[T]];

/** See the function of this name in deferred.ts. */
export async function build<T extends ValueType>(
  path: string,
  entries: Iterable<Entry<T>> | AsyncIterable<Entry<T>>,
  options: BuildOptions<T>,
): Promise<BuildSummary> {
  const kind = iterationOf(entries);
  return withBuilder(path, options, async (builder) => {
    const adder = new EntryAdder(builder);
    if (kind === 'async') {
      for await (const entry of entries as AsyncIterable<unknown>) {
        adder.add(entry);
        if (builder.entries % STRIDE === 0) await builder.pause();
      }
    } else {
      for (const entry of entries as Iterable<unknown>) {
        adder.add(entry);
        if (builder.entries % STRIDE === 0) {
          const waiting = builder.pause();
          if (waiting !== undefined) await waiting;
        }
      }
    }
  });
}

/** Makes a builder, lets `fill` add records, and finishes; whatever goes wrong, nothing is left behind. */
export async function withBuilder(
  path: string,
  options: BuildOptions,
  fill: (builder: Builder) => Promise<void>,
): Promise<BuildSummary> {
  const builder = new Builder(path, options);
  try {
    await fill(builder);
    return await builder.finish();
  } catch (error) {
    builder.abandon();
    throw systemError(error, 'write', path);
  }
}

function iterationOf(entries: unknown): 'sync' | 'async' {
  if (typeof entries === 'object' && entries !== null) {
    if (Symbol.asyncIterator in entries) return 'async';
    if (Symbol.iterator in entries) return 'sync';
  }
  throw new TypeError(`entries: expected an iterable or async iterable of entries, got ${kindOf(entries)}`);
}

/** Encodes entries and hands them to a builder. */
class EntryAdder {
  readonly #builder: Builder;
  readonly #encode: ValueEncoder;
  readonly #isSet: boolean;
  readonly #value: EncodedValue = { block: new Block(0), at: 0, length: 0 };

  constructor(builder: Builder) {
    this.#builder = builder;
    this.#encode = valueEncoder(builder.valueType);
    this.#isSet = builder.valueType === 'none';
  }

  add(entry: unknown): void {
    const bare = !Array.isArray(entry);
    if (bare && !(this.#isSet && (typeof entry === 'string' || entry instanceof Uint8Array))) {
      const expected = this.#isSet ? 'a key or an array [key]' : 'an array [key, value]';
      throw new TypeError(`entries: expected ${expected}, got ${kindOf(entry)}`);
    }
    const key = (bare ? entry : entry[0]) as Key;
    const length = encodeKey(key, 0);
    if (length < 0) throw badKey(key, length);
    try {
      this.#encode(bare ? true : entry[1], this.#value);
    } catch (error) {
      throw error instanceof ValueError ? error.forKey(scratch.bytes.subarray(0, length)) : error;
    }
    const { block, at, length: valueBytes } = this.#value;
    this.#builder.add(scratch, 0, length, block, at, valueBytes);
  }
}

function badKey(key: Key, why: number): HmapError {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key;
  if (why === NOT_UNICODE) {
    const message = `the key ${showKey(bytes)} holds half of a surrogate pair; give such keys as bytes`;
    return new HmapError('HMAP_KEY_INVALID', message, { key: keyForUser(bytes) });
  }
  const message = `the key ${showKey(bytes)} is longer than ${MAX_KEY_BYTES} bytes`;
  const data = { expected: MAX_KEY_BYTES, actual: bytes.length, key: keyForUser(bytes.subarray(0, 100)) };
  return new HmapError('HMAP_KEY_TOO_LONG', message, data);
}
