// Builds a file from keys and values as a program has them. Knows how entries are given; building itself is builder.ts.

import { isUint8Array } from 'node:util/types';
import { ByteBuffer, type ByteSlice } from '../base/bytes.js';
import { HmapError } from '../base/errors.js';
import { kindOf } from '../base/options.js';
import { type ValueEncoder, ValueError, valueEncoder } from '../codec/encode-value.js';
import { badTypedKey, bytesForError, showBytes } from '../codec/key-text.js';
import { encodeKey, NOT_UNICODE, scratch } from '../codec/keys.js';
import { KEY_HASHERS } from '../codec/typed-keys.js';
import type { HashHeader } from '../format/header.js';
import type { Key, KeyForm, KeyType } from '../format/key-types.js';
import type { ValueChoice } from '../format/value-types.js';
import { ColumnAdder, isColumns } from './columns.js';
import { finished } from './common/finished.js';
import type {
  BitsBuildOptions,
  Entry,
  EntryColumns,
  IntegerSetBuildOptions,
  ListBuildOptions,
} from './common/inputs.js';
import type { BuildOptions, BuildSummary } from './common/options.js';
import { Builder } from './hash/builder.js';
import { keyTooLong } from './hash/ingest.js';
import { ShardsBuilder } from './hash/shards-builder.js';
import type { TableBuilder } from './hash/table-builder.js';
import { BitsBuilder } from './keyless/bits-builder.js';
import { IntegerSetBuilder } from './keyless/integer-set-builder.js';
import { ListBuilder } from './keyless/list-builder.js';

/** Entries between two checks of the clock and the signal. */
const STRIDE = 1024;

/** See the function of this name in lazy.ts. */
export async function build<T extends ValueChoice, F extends KeyForm = 'bytes'>(
  path: string,
  entries: Iterable<Entry<T, F>> | AsyncIterable<Entry<T, F>> | EntryColumns<T>,
  options: BuildOptions<T, F>,
): Promise<BuildSummary> {
  const all = isColumns(entries) ? [entries] : entries;
  const kind = iterationOf(all);
  const fill = (builder: TableBuilder) =>
    giveAll(all, kind, options.signal, new EntryAdder(builder), new ColumnAdder(builder));
  return withBuilder(path, options, fill, 1, false);
}

/** {@link build} of the layouts without keys, and of sets of integers. */
export async function buildKeyless(
  path: string,
  values: Iterable<unknown> | AsyncIterable<unknown>,
  options: KeylessBuildChoice,
): Promise<BuildSummary> {
  const kind = iterationOf(values);
  return withKeylessBuilder(path, options, (builder) => giveAll(values, kind, options.signal, builder));
}

/** Accepts the entries of a build one by one. */
interface Taker {
  /** Taken so far. */
  readonly entries: number;
  add(entry: unknown): void;
  /** Gives other work a turn. */
  pause(): Promise<void> | undefined;
}

async function giveAll(
  entries: Iterable<unknown> | AsyncIterable<unknown>,
  kind: ReturnType<typeof iterationOf>,
  signal: AbortSignal | undefined,
  taker: Taker,
  columns?: ColumnAdder,
): Promise<void> {
  if (kind === 'async') {
    for await (const entry of untilAborted(entries as AsyncIterable<unknown>, signal)) {
      if (columns !== undefined && isColumns(entry)) {
        await giveColumns(entry, columns, taker);
        continue;
      }
      taker.add(entry);
      if (taker.entries % STRIDE === 0) await taker.pause();
    }
    return;
  }
  for (const entry of entries as Iterable<unknown>) {
    if (columns !== undefined && isColumns(entry)) {
      await giveColumns(entry, columns, taker);
      continue;
    }
    taker.add(entry);
    if (taker.entries % STRIDE === 0) {
      const waiting = taker.pause();
      if (waiting !== undefined) await waiting;
    }
  }
}

async function giveColumns(chunk: EntryColumns, columns: ColumnAdder, taker: Taker): Promise<void> {
  for (const _ of columns.add(chunk)) {
    const waiting = taker.pause();
    if (waiting !== undefined) await waiting;
  }
}

/**
 * Makes a builder, lets `fill` add records, and finishes; if anything fails, no file is left.
 * @param path of the file; of the folder if the options ask for shards
 * @param hasLines whether lines of text may come
 * @param shard which part of the table to build; records of others are left out
 */
export function withBuilder(
  path: string,
  options: BuildOptions<ValueChoice>,
  fill: (builder: TableBuilder) => Promise<void>,
  workers = 1,
  hasLines = true,
  shard?: HashHeader['shard'],
): Promise<BuildSummary> {
  const shards = options?.shards;
  if (shards !== undefined) {
    return finished<TableBuilder>(() => new ShardsBuilder(path, options, shards, workers, hasLines), fill);
  }
  return finished<TableBuilder>(() => new Builder(path, options, workers, shard, hasLines), fill);
}

/** {@link withBuilder} for a layout without keys, or for one that is chosen when all integers are known. */
export function withKeylessBuilder(
  path: string,
  options: KeylessBuildChoice,
  fill: (builder: KeylessBuilder) => Promise<void>,
): Promise<BuildSummary> {
  return finished(() => keylessBuilder(path, options), fill);
}

/** The same entries, but a signal ends the waiting for the next one. */
async function* untilAborted(
  entries: AsyncIterable<unknown>,
  signal: AbortSignal | undefined,
): AsyncGenerator<unknown> {
  if (signal === undefined) {
    yield* entries;
    return;
  }
  const iterator = entries[Symbol.asyncIterator]();
  let stop: (reason: unknown) => void = () => {};
  let waiting = false;
  const onAbort = () => stop(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for (;;) {
      waiting = true;
      // Not Promise.race: a promise that outlives all steps would keep something of each.
      const next = await new Promise<IteratorResult<unknown>>((resolve, reject) => {
        stop = reject;
        // Some give the result itself, as `for await` allows.
        Promise.resolve(iterator.next()).then(resolve, reject);
      });
      waiting = false;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    // An input that is asked for an entry and never gives it does not end either, so its end is not waited for.
    const ended = Promise.resolve(iterator.return?.());
    if (waiting) ended.catch(() => {});
    else await ended;
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
  readonly #builder: TableBuilder;
  readonly #keyType: KeyType;
  readonly #encodeKey: (key: Key, at: number) => number;
  readonly #encode: ValueEncoder;
  readonly #isSet: boolean;
  readonly #value: ByteSlice = { buffer: new ByteBuffer(0), at: 0, length: 0 };

  constructor(builder: TableBuilder) {
    const { keyType } = builder;
    this.#builder = builder;
    this.#keyType = keyType;
    this.#encodeKey = keyType === 'bytes' ? encodeKey : (key, at) => KEY_HASHERS[keyType](key, at, 0);
    this.#encode = valueEncoder(builder.valueType);
    this.#isSet = builder.valueType === 'none';
  }

  get entries(): number {
    return this.#builder.entries;
  }

  pause(): Promise<void> | undefined {
    return this.#builder.pause();
  }

  add(entry: unknown): void {
    const bare = !Array.isArray(entry);
    if (bare && !(this.#isSet && isKey(this.#keyType, entry))) {
      const expected = this.#isSet ? 'a key or an array [key]' : 'an array [key, value]';
      throw new TypeError(`entries: expected ${expected}, got ${kindOf(entry)}`);
    }
    const key = (bare ? entry : entry[0]) as Key;
    // The value first: its toJSON may look keys up, and so use the memory in which keys are encoded.
    let wrong: unknown;
    try {
      this.#encode(bare ? true : entry[1], this.#value);
    } catch (error) {
      wrong = error;
    }
    const length = this.#encodeKey(key, 0);
    if (length < 0) throw badKey(this.#keyType, key, length);
    if (wrong !== undefined)
      throw wrong instanceof ValueError ? wrong.forKey(scratch.bytes.subarray(0, length), this.#keyType) : wrong;
    const { buffer, at, length: valueBytes } = this.#value;
    this.#builder.add(scratch, 0, length, buffer, at, valueBytes);
  }
}

/** Whether an entry may be a key by itself; encoding refuses a key of the wrong kind. */
function isKey(type: KeyType, entry: unknown): boolean {
  if (typeof entry === 'string') return true;
  return type === 'bytes' ? isUint8Array(entry) : typeof entry === 'number' || typeof entry === 'bigint';
}

function badKey(type: KeyType, key: Key, why: number): HmapError {
  if (type !== 'bytes') return badTypedKey(type, key, why);
  const bytes = typeof key === 'string' ? Buffer.from(key) : key;
  if (why === NOT_UNICODE) {
    const message = `the key ${showBytes(bytes)} has an unpaired surrogate; pass such keys as bytes`;
    return new HmapError('HMAP_KEY_INVALID', message, { key: bytesForError(bytes) });
  }
  return keyTooLong(bytes);
}

/** How a file without keys is built, or one that may turn out to have none. */
export type KeylessBuildChoice = ListBuildOptions | BitsBuildOptions | IntegerSetBuildOptions;

type KeylessBuilder = ListBuilder | BitsBuilder | IntegerSetBuilder;

function keylessBuilder(path: string, options: KeylessBuildChoice): KeylessBuilder {
  if (options.layout === 'auto') return new IntegerSetBuilder(path, options);
  return options.layout === 'list' ? new ListBuilder(path, options) : new BitsBuilder(path, options);
}
