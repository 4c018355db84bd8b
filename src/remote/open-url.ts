// Opens a table on a web server: checks options, and arranges how its file is opened, now and later. What users import as
// `hmap/remote`; runs wherever there is `fetch`, without any Node API.

import { HmapError } from '../base/errors.js';
import { checkOptions, oneOf, ownOptions } from '../base/options.js';
import { KEY_FORMS, type KeyForm, type KeyOf, keyTypeOf } from '../format/key-types.js';
import type { WidenedRecord, WidenedStruct } from '../format/schema.js';
import { checkValueType, isUint, type ValueChoice, type ValueOf, type ValueType } from '../format/value-types.js';
import { HttpSource, type SourceOptions, type Traffic } from './http-source.js';
import { RemoteFile } from './remote-file.js';
import { RemoteTable } from './remote-table.js';
import { loadStructs } from './structs.js';

export { HmapError, type HmapErrorCode, type HmapErrorData } from '../base/errors.js';
export type { HashHeader } from '../format/header.js';
export type { AnyKey, Key, KeyArgument, KeyForm, KeyOf, KeyType } from '../format/key-types.js';
export type { StoredType, ValueChoice, ValueOf, ValueType } from '../format/value-types.js';
export type { Traffic } from './http-source.js';
export { type LookupOptions, RemoteTable } from './remote-table.js';

export interface UrlOptions<T extends ValueChoice = ValueType, F extends KeyForm = KeyForm> {
  /** The type that the values must have; checked against the header, and known to TypeScript. Default: any. */
  value?: T;
  /** The type that the keys must have. Default: as the header says. */
  key?: F;
  /** Whether the table has fingerprints in place of keys; one of the other kind is refused. Default `false`. */
  fingerprint?: boolean;
  /**
   * What is compared with its checksum. `touch`: each block of 64 KiB, before it is used; so a lookup moves one or two blocks.
   * `header`: the header alone, when it is opened; a lookup then moves a few hundred bytes. Default `touch`.
   */
  check?: 'header' | 'touch';
  /** Bytes of the file that are kept in memory, those that were used last. Default 16 MiB, at least 256 KiB. */
  cacheBytes?: number;
  /** Requests at a time. Default 6, as browsers have it. */
  concurrency?: number;
  /** How often a request is repeated that failed for a reason that may pass, with longer and longer pauses. Default 3. */
  retries?: number;
  /** Milliseconds that one request may take. Default 10,000. */
  timeout?: number;
  /**
   * What happens when the server has another file than the one that was opened. `error`: lookups reject with `HMAP_REPLACED`.
   * `reload`: they are made in the new one. Default `error`.
   */
  onReplaced?: 'error' | 'reload';
  /** Headers of each request, such as `authorization`. */
  headers?: Readonly<Record<string, string>> | Headers;
  /** In the place of the global `fetch`. */
  fetch?: typeof globalThis.fetch;
  /** Ends the opening. */
  signal?: AbortSignal;
}

const OPTIONS = [
  'value',
  'key',
  'fingerprint',
  'check',
  'cacheBytes',
  'concurrency',
  'retries',
  'timeout',
  'onReplaced',
  'headers',
  'fetch',
  'signal',
] as const satisfies readonly (keyof UrlOptions)[];

const CACHE = 16 * 2 ** 20;
const LEAST_CACHE = 256 * 1024;
/** The longest delay of a timer, in milliseconds; more than enough for the others. */
const MOST = 2 ** 31 - 1;

/**
 * Opens a table on a web server, an object store or a CDN, by one request for its header. The server must give parts of files
 * (range requests), or the file must fit into `cacheBytes`.
 * @throws {TypeError} for a bad argument or option, which it names
 * @throws {HmapError} `HMAP_HTTP` for an answer other than a part of the file; `HMAP_NO_RANGES` if the server gives no parts;
 *   and as `open` does for what is no table, or not the one that was asked for
 */
export function openUrl<T extends ValueChoice, F extends KeyForm = 'string'>(
  url: string | URL,
  options: UrlOptions<T, F> & { value: T },
): Promise<RemoteTable<ValueOf<T>, KeyOf<F>>>;
/** A schema without `as const`. */
export function openUrl<S extends Readonly<Record<string, string>>, F extends KeyForm = 'string'>(
  url: string | URL,
  options: Omit<UrlOptions<ValueType, F>, 'value'> & { value: WidenedStruct<S> },
): Promise<RemoteTable<WidenedRecord<S>, KeyOf<F>>>;
/** Values of type `json` that the caller knows to be `V`; nothing checks that they are. */
export function openUrl<V = unknown, F extends KeyForm = 'string'>(
  url: string | URL,
  options?: UrlOptions<'json', F>,
): Promise<RemoteTable<V, KeyOf<F>>>;
export function openUrl<F extends KeyForm = 'string'>(
  url: string | URL,
  options?: UrlOptions<ValueChoice, F>,
): Promise<RemoteTable<unknown, KeyOf<F>>>;
export async function openUrl(url: string | URL, given: UrlOptions<ValueChoice> = {}): Promise<unknown> {
  checkOptions(given, OPTIONS);
  const options = ownOptions(given);
  const href = typeof url === 'string' ? url : url?.href;
  if (typeof href !== 'string' || href === '') throw new TypeError('url: expected a string or a URL');
  const check = oneOf('check', options.check ?? 'touch', ['header', 'touch'] as const);
  const onReplaced = oneOf('onReplaced', options.onReplaced ?? 'error', ['error', 'reload'] as const);
  const cacheBytes = numberIn('cacheBytes', options.cacheBytes ?? CACHE, LEAST_CACHE);
  const source: SourceOptions = {
    fetch: options.fetch ?? ((...request) => globalThis.fetch(...request)),
    headers: Object.fromEntries(new Headers(options.headers)),
    concurrency: numberIn('concurrency', options.concurrency ?? 6, 1),
    retries: numberIn('retries', options.retries ?? 3, 0),
    timeout: numberIn('timeout', options.timeout ?? 10_000, 1),
    mostWhole: cacheBytes,
  };
  if (typeof source.fetch !== 'function') throw new TypeError('fetch: expected a function');
  const { value } = options;
  if (typeof value === 'object' || String(value).startsWith('struct')) await loadStructs();
  let expected = expectedOf(options);
  const traffic: Traffic = { requests: 0, bytes: 0 };
  const open = async (signal: AbortSignal) => {
    const file = await RemoteFile.open(new HttpSource(href, source, traffic), cacheBytes, check, signal);
    need(file, expected);
    return file;
  };
  const first = await open(options.signal ?? new AbortController().signal);
  // A table never changes its types, except that `uint` may become narrower or wider.
  const { keyType, valueType } = first.header;
  expected = { ...expected, key: keyType, value: expected.value === 'uint' ? 'uint' : valueType };
  return new RemoteTable(first, { open, follows: onReplaced === 'reload' }, options.key === 'bytes');
}

/** What the header must say. */
interface Expected {
  readonly key: string | undefined;
  readonly value: string | undefined;
  readonly fingerprint: boolean;
}

function expectedOf({ key, value, fingerprint = false }: UrlOptions<ValueChoice>): Expected {
  if (typeof fingerprint !== 'boolean') throw new TypeError('fingerprint: expected a boolean');
  const form = key === undefined ? undefined : oneOf('key', key, KEY_FORMS);
  return {
    // Keys of any type are bytes in the file.
    key: form === undefined || form === 'bytes' ? undefined : keyTypeOf(form),
    value: value === undefined ? undefined : checkValueType(value),
    fingerprint,
  };
}

function need({ header, source: { url } }: RemoteFile, { key, value, fingerprint }: Expected): void {
  const fits = value === undefined || (value === 'uint' ? isUint(header.valueType) : value === header.valueType);
  if (!fits)
    throw wrong('HMAP_VALUE_TYPE', url, `the values are ${header.valueType}, not ${value}`, value, header.valueType);
  if (key !== undefined && key !== header.keyType)
    throw wrong('HMAP_KEY_TYPE', url, `the keys are ${header.keyType}, not ${key}`, key, header.keyType);
  if ((header.fingerprint !== null) === fingerprint) return;
  const is = fingerprint
    ? 'the keys themselves are stored; open it without fingerprint'
    : 'it has fingerprints in place of keys; if that is meant, open it with { fingerprint: true }';
  throw wrong('HMAP_FINGERPRINT', url, is, fingerprint, !fingerprint);
}

function wrong(
  code: 'HMAP_VALUE_TYPE' | 'HMAP_KEY_TYPE' | 'HMAP_FINGERPRINT',
  url: string,
  reason: string,
  expected: unknown,
  actual: unknown,
): HmapError {
  return new HmapError(code, `${url}: ${reason}`, { path: url, expected, actual });
}

function numberIn(name: string, value: unknown, least: number): number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= MOST) return value as number;
  throw new TypeError(`${name}: expected an integer from ${least} to ${MOST}, got ${String(value)}`);
}
