// A table on a web server: what users look keys up in. Knows keys, values and versions; where a key's bytes lie is find.ts.

import { ByteBuffer } from '../base/bytes.js';
import { HmapError } from '../base/errors.js';
import { kindOf } from '../base/options.js';
import { xxh32 } from '../base/xxh32.js';
import { type ValueDecoder, valueDecoder } from '../codec/decode-value.js';
import { encodeText, scratch, TOO_LONG } from '../codec/keys.js';
import { KEY_HASHERS } from '../codec/typed-keys.js';
import { MAX_KEY_BYTES } from '../format/constants.js';
import type { HashHeader } from '../format/header.js';
import type { AnyKey, KeyArgument, KeyType } from '../format/key-types.js';
import type { FileRange } from './cells.js';
import { bucketRange, lineOf, valuePlace } from './find.js';
import type { Traffic } from './http-source.js';
import type { HashedKey } from './records.js';
import type { RemoteFile } from './remote-file.js';
import { SharedWork, Stop } from './shared-work.js';

/** Keys of one round of requests. */
const BATCH = 256;
/** Versions that may come one after the other while one lookup goes on. */
const MOST_VERSIONS = 3;

/** Options of one lookup. */
export interface LookupOptions {
  /** Ends the waiting; requests for which nobody else waits are stopped. */
  signal?: AbortSignal;
}

/** How a table gets its file. */
export interface FileOpener {
  open(signal: AbortSignal): Promise<RemoteFile>;
  /** Whether a file that has been replaced is opened anew. */
  readonly follows: boolean;
}

/**
 * A table on a web server; make one with `openUrl`. Each lookup is two requests, one for a line of the index and one for the
 * records of a bucket, less what is in memory already. Every method but {@link close} rejects with `HMAP_CLOSED` once it is
 * closed.
 */
export class RemoteTable<V = unknown, K extends AnyKey = string> {
  readonly url: string;
  /** Requests that were made, and bytes that came, since the table was opened. */
  readonly traffic: Readonly<Traffic>;
  readonly #opener: FileOpener;
  /** Whether keys are given as their bytes, whatever their type. */
  readonly #areBytes: boolean;
  #version: Version<V>;
  #reloading: SharedWork<Version<V>> | undefined;
  #isClosed = false;

  /** @internal Use `openUrl`. */
  constructor(file: RemoteFile, opener: FileOpener, areBytes: boolean) {
    this.url = file.source.url;
    this.traffic = file.source.traffic;
    this.#opener = opener;
    this.#areBytes = areBytes;
    this.#version = versionOf(file);
  }

  /** The header of the version that is read now. */
  get header(): HashHeader {
    return this.#version.file.header;
  }

  /** Number of entries. */
  get size(): number {
    return this.header.entries;
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  /**
   * The value of a key, or `undefined` if the table does not have it.
   * @throws {TypeError} when the key has the wrong JavaScript type for the table's keys
   * @throws {HmapError} `HMAP_HTTP` when the server or the network fails, also when repeated; `HMAP_REPLACED` when the file is
   *   another one by now; `HMAP_DAMAGED`; `HMAP_CLOSED`
   */
  async get(key: KeyArgument<K>, options: LookupOptions = {}): Promise<V | undefined> {
    return (await this.getMany([key], options))[0];
  }

  /** Whether the table has a key; costs what {@link get} costs without the value. Throws as `get` does. */
  async has(key: KeyArgument<K>, options: LookupOptions = {}): Promise<boolean> {
    return (await this.hasMany([key], options))[0]!;
  }

  /**
   * The values of many keys, in their order, `undefined` for each that the table does not have. What they need comes in two
   * rounds of requests, side by side; neighbours come in one. Throws as {@link get} does.
   */
  async getMany(keys: Iterable<KeyArgument<K>>, options: LookupOptions = {}): Promise<(V | undefined)[]> {
    return this.#each(keys, options, valueAt);
  }

  /** Whether the table has each of many keys, in their order. Throws as {@link get} does. */
  async hasMany(keys: Iterable<KeyArgument<K>>, options: LookupOptions = {}): Promise<boolean[]> {
    const found = await this.#each(keys, options, async () => true);
    return found.map((has) => has === true);
  }

  /**
   * Switches to the file that the server has now, if it is another one.
   * @returns whether it was
   * @throws {HmapError} as `openUrl` does, also where keys or values now have another type; then all stays as it was
   */
  async reload(options: LookupOptions = {}): Promise<boolean> {
    this.#needOpen();
    const old = this.#version;
    const { file } = await this.#reloaded(options.signal);
    return !file.isSame(old.file);
  }

  /** Forgets the file; further calls do nothing. Lookups that are waiting go on. */
  close(): void {
    this.#isClosed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #needOpen(): void {
    if (this.#isClosed) throw new HmapError('HMAP_CLOSED', `the table ${this.url} is closed`, { path: this.url });
  }

  /** Does something with the place of each value; again where the file is replaced meanwhile, if that is wanted. */
  async #each<R>(
    keys: Iterable<KeyArgument<K>>,
    { signal }: LookupOptions,
    act: Act<V, R>,
  ): Promise<(R | undefined)[]> {
    this.#needOpen();
    if (typeof keys !== 'object' || keys === null || !(Symbol.iterator in keys) || isUint8Array(keys))
      throw new TypeError('keys: expected an iterable of keys');
    const list = [...keys];
    signal?.throwIfAborted();
    for (let attempt = 1; ; attempt++) {
      const version = this.#version;
      const { file } = version;
      const stop = new Stop(signal);
      try {
        return await eachOf(version, list, this.#areBytes, stop, act);
      } catch (error) {
        // What else was asked for, nobody wants any more.
        stop.stop(error);
        if (signal?.aborted) throw signal.reason;
        const code = (error as Partial<HmapError> | undefined)?.code;
        let replaced = code === 'HMAP_REPLACED' ? error : undefined;
        if (code === 'HMAP_DAMAGED' && !(await isCurrent(file, signal))) replaced = file.source.replaced();
        if (replaced === undefined) throw error;
        if (!this.#opener.follows || attempt === MOST_VERSIONS) throw replaced;
        if (this.#version === version) await this.#reloaded(signal);
      } finally {
        stop.end();
      }
    }
  }

  /** Opens the file anew; whoever asks meanwhile gets the same one. */
  async #reloaded(signal: AbortSignal | undefined): Promise<Version<V>> {
    if (this.#reloading === undefined || this.#reloading.isStopped) {
      const work = new SharedWork(async (signal) => {
        try {
          const file = await this.#opener.open(signal);
          this.#version = versionOf(file);
          return this.#version;
        } finally {
          if (this.#reloading === work) this.#reloading = undefined;
        }
      });
      this.#reloading = work;
    }
    const stop = new Stop(signal);
    return this.#reloading.wait(stop).finally(() => stop.end());
  }
}

/** Of a bucket, what is asked for together with other buckets. */
const FIRST_OF_BUCKET = 16_384;

/** One version of the file, and how its values are decoded. */
interface Version<V> {
  readonly file: RemoteFile;
  /** `undefined` for `enum`, whose distinct values are read one by one. */
  readonly decode: ValueDecoder<V> | undefined;
}

/** Does something with the place of a value. */
type Act<V, R> = (version: Version<V>, place: FileRange, stop: Stop) => Promise<R>;

function versionOf<V>(file: RemoteFile): Version<V> {
  const { valueType } = file.header;
  return { file, decode: valueType === 'enum' ? undefined : (valueDecoder(valueType) as ValueDecoder<V>) };
}

/** A key that may be there, and its line in the index. */
interface Asked {
  /** Its place among all that were asked for. */
  readonly i: number;
  readonly key: HashedKey;
  readonly line: FileRange;
}

/** Finds keys, and does something with each value's place. */
async function eachOf<V, R>(
  version: Version<V>,
  keys: readonly unknown[],
  areBytes: boolean,
  stop: Stop,
  act: Act<V, R>,
): Promise<(R | undefined)[]> {
  const { header } = version.file;
  const results = new Array<R | undefined>(keys.length).fill(undefined);
  const asked: Asked[] = [];
  for (const [i, given] of keys.entries()) {
    const key = hashedKey(header, given, areBytes);
    const line = key && lineOf(header, key);
    if (key !== undefined && line !== undefined) asked.push({ i, key, line });
  }
  // In the order of the file, so that no part of it is wanted again once others have taken its place in memory.
  asked.sort((a, b) => a.key.hash - b.key.hash);
  for (let first = 0; first < asked.length; first += BATCH) {
    await batch(version, asked.slice(first, first + BATCH), results, stop, act);
  }
  return results;
}

/** Finds some keys, in two rounds of requests. */
async function batch<V, R>(
  version: Version<V>,
  asked: readonly Asked[],
  results: (R | undefined)[],
  stop: Stop,
  act: Act<V, R>,
): Promise<void> {
  const { file } = version;
  const lines = await file.read(
    asked.map(({ line }) => line),
    stop,
  );
  const full = asked
    .map(({ i, key }, at) => ({ i, key, bucket: bucketRange(file, key, lines[at]!) }))
    .filter(({ bucket }) => bucket.end > bucket.from);
  // All at once, so that neighbours come together; each then finds its own in memory. Of large buckets only the start.
  await file.read(
    full.map(({ bucket: { from, end } }) => ({ from, end: Math.min(end, from + FIRST_OF_BUCKET) })),
    stop,
  );
  const find = async ({ i, key, bucket }: (typeof full)[number]) => {
    const place = await valuePlace(file, key, bucket, stop);
    if (place !== undefined) results[i] = await act(version, place, stop);
  };
  await Promise.all(full.map(find));
}

/** The value at a place. */
async function valueAt<V>({ file, decode }: Version<V>, place: FileRange, stop: Stop): Promise<V> {
  const { dictionary } = file.header;
  const [value] = place.end > place.from ? await file.read([place], stop) : [new Uint8Array(0)];
  const bytes = new ByteBuffer(value!);
  if (dictionary === null) return decode!(bytes, 0, value!.length);
  // Most tables have none: a page loads the code when it opens one that has.
  const { distinctValue } = await import('./distinct-value.js');
  return (await distinctValue(file, value!, place.from, stop)) as V;
}

/** A key's bytes and hash; `undefined` for what no table has. */
function hashedKey({ keyType, hash: { seed } }: HashHeader, key: unknown, areBytes: boolean): HashedKey | undefined {
  const length = !areBytes && isTyped(keyType) ? KEY_HASHERS[keyType](key, 0, seed) : encoded(key);
  if (length < 0) return undefined;
  // A copy: the next key comes to the same place.
  return {
    bytes: new Uint8Array(scratch.array.subarray(0, length)),
    hash: xxh32(scratch.view, 0, length, seed | 0) >>> 0,
  };
}

/** `encodeKey` without what makes it fast, which is nothing beside a request. */
function encoded(key: unknown): number {
  if (typeof key === 'string') return encodeText(key, 0);
  if (!isUint8Array(key)) throw new TypeError(`key: expected a string or a Uint8Array, got ${kindOf(key)}`);
  if (key.length > MAX_KEY_BYTES) return TOO_LONG;
  scratch.array.set(key);
  return key.length;
}

function isUint8Array(value: unknown): value is Uint8Array {
  return Object.prototype.toString.call(value) === '[object Uint8Array]';
}

function isTyped(type: KeyType): type is Exclude<KeyType, 'bytes'> {
  return type !== 'bytes';
}

/** Whether the server still has a file. Where that cannot be found out, it may as well. */
async function isCurrent(file: RemoteFile, signal: AbortSignal | undefined): Promise<boolean> {
  const stop = new Stop(signal);
  try {
    return await new SharedWork((asking) => file.isCurrent(asking)).wait(stop);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    return (error as Partial<HmapError> | undefined)?.code !== 'HMAP_REPLACED';
  } finally {
    stop.end();
  }
}
