// Opens a table: checks options, opens the first snapshot of its file, and arranges for later ones. Does not know how a
// snapshot is made (open-snapshot.ts) or when a file has changed (watch.ts).

import { existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { HmapError } from '../base/errors.js';
import { checkOptions, type FilePath, oneOf, ownOptions, pathOf } from '../base/options.js';
import { absolutePath } from '../base/paths.js';
import { LAYOUTS, type Layout } from '../format/constants.js';
import { KEY_FORMS, type KeyForm, type KeyOf } from '../format/key-types.js';
import type { WidenedRecord, WidenedStruct } from '../format/schema.js';
import {
  type BuildValueType,
  checkListType,
  checkValueType,
  type ListType,
  type ListValue,
  type ValueChoice,
  type ValueOf,
  type ValueType,
} from '../format/value-types.js';
import { MAPPING_CHOICES, type MappingChoice, prepareMapping } from '../mapping/map-ranges.js';
import { isManifest, manifestPath } from '../storage/shard-files.js';
import { BitArray } from './bit-array.js';
import type { SnapshotSource } from './handle.js';
import { IntegerSet } from './integer-set.js';
import { List } from './list.js';
import { openSnapshot } from './open-snapshot.js';
import { openShards, ShardedSnapshot } from './sharded-snapshot.js';
import type { Check, Settings, Snapshot, TableAdvice, Warm } from './snapshot.js';
import { type FingerprintTable, Table } from './table.js';
import { watchFile } from './watch.js';

export interface OpenOptions<T extends ValueChoice = ValueType, F extends KeyForm = KeyForm> {
  /**
   * The type that the values must have; checked against the header, and known to TypeScript. `uint` accepts each type
   * that it may have become. Default: any.
   */
  value?: T;
  /** The layout that the file must have; checked against the header. Default `hash`: a {@link Table}. */
  layout?: 'hash';
  /**
   * The type that the keys must have; checked against the header, and known to TypeScript. `bytes` fits every table:
   * its keys are then the bytes in the file. Default: as the header says, and `string` if that is `bytes`.
   */
  key?: F;
  /**
   * Whether the table has fingerprints in place of keys; a file of the other kind is refused. With `true` the result is
   * a {@link FingerprintTable}. Default `false`.
   */
  fingerprint?: boolean;
  /**
   * How the file's bytes come into memory. Default `auto`: the first that works here of mmap-io, windows, libc, ffi,
   * copy.
   */
  mapping?: MappingChoice;
  /**
   * How pages that are not in memory come in. `random`: only those that are touched, which is right for a file that is
   * larger than the memory there is for it; on Linux it then matters to no page how often it is used, so that a
   * program that reads other files pushes them all out. `normal`: with the pages around them, and those in use stay;
   * right where what is used of the file fits into memory. Default `random`.
   */
  advice?: TableAdvice;
  /**
   * What the operating system starts to read at once, in the background. Default `none`: each page when it is first
   * touched.
   */
  warm?: Warm;
  /**
   * What is compared with its checksum, and when. `header`: the header, when it is opened. `touch`: also each block of
   * 64 KiB, when it is first needed. `full`: every rule of the format, before `open` returns. Default `touch`.
   */
  check?: Check;
  /**
   * Of a table in shards: whether shards may be missing, on a machine that serves some of them. Then a lookup of a key
   * that lies in one throws `HMAP_NO_SHARD`, and sizes and iterations are those of the others. Default `false`: all of
   * them must be there.
   */
  partial?: boolean;
  /**
   * Whether to switch to newer versions of the file automatically; checks every second, or every `interval`
   * milliseconds. Default `false`.
   */
  watch?: boolean | { interval: number };
  /** With `watch`: called after switching to a newer version. */
  onReload?: (table: Table) => void;
  /**
   * With `watch`: called when a newer version cannot be used; the table stays as it was. Default: a process warning.
   */
  onError?: (error: unknown) => void;
}

type CommonOpenOptions<R> = Omit<OpenOptions, 'value' | 'key' | 'layout' | 'fingerprint' | 'onReload'> & {
  onReload?: (opened: R) => void;
};

/** Options for a list. `value` names the type that its elements must have. */
export type ListOpenOptions<T extends ListType = ListType> = CommonOpenOptions<List> & { layout: 'list'; value?: T };

/** Options for a table that has fingerprints in place of keys. */
export type FingerprintOpenOptions<T extends ValueChoice = ValueType, F extends KeyForm = KeyForm> = Omit<
  OpenOptions<T, F>,
  'fingerprint' | 'onReload'
> & { fingerprint: true; onReload?: (table: FingerprintTable) => void };

export type BitsOpenOptions = CommonOpenOptions<BitArray> & { layout: 'bits' };

/** Options for a set of integers that `build` with `layout: 'auto'` has made, as a bit array or as a hash table. */
export type IntegerSetOpenOptions = CommonOpenOptions<IntegerSet> & { layout: 'auto' };

// At the start of the program, so that the first `open` does not pay for it.
// Not in threads: one that is ended while it loads native code takes the process with it, and those of a build never map.
if (isMainThread) prepareMapping();

const OPTIONS = [
  'value',
  'key',
  'fingerprint',
  'mapping',
  'advice',
  'warm',
  'check',
  'partial',
  'watch',
  'onReload',
  'onError',
  'layout',
] as const satisfies readonly (keyof OpenOptions)[];
const CLASSES = { list: List, bits: BitArray, auto: IntegerSet };
const ADVICE: readonly TableAdvice[] = ['random', 'normal'];
const WARM: readonly Warm[] = ['none', 'buckets', 'all'];
const CHECKS: readonly Check[] = ['header', 'touch', 'full'];

/** Milliseconds between two checks of a watched file. */
const INTERVAL = 1000;
const SHORTEST_INTERVAL = 10;
/** The longest delay of a timer. */
const LONGEST_INTERVAL = 2 ** 31 - 1;

/**
 * Opens a table for reading: a file, or the shards of a table, by their folder or their manifest, as one table.
 * Synchronous, and its cost does not grow with the file (unless the mapping is `copy` or the
 * check `full`): it reads and checks the header and the exact size of the file, nothing else.
 * @throws {TypeError} for a bad argument or option, which it names
 * @throws {HmapError} when the file cannot be opened, is not a table, is cut short or too long, has a damaged header, a
 *   version or feature that is not known, another layout, or keys or values of another type; `HMAP_FINGERPRINT` when
 *   keys are not stored and `fingerprint` is not `true`, or the reverse; `HMAP_MAPPING` when the requested mapping does
 *   not work here; `HMAP_DAMAGED` when `check` is `full` and a rule is broken
 */
export function open<T extends ListType>(
  path: FilePath,
  options: ListOpenOptions<T> & { value: T },
): List<ListValue<T>>;
export function open(path: FilePath, options: ListOpenOptions): List;
export function open(path: FilePath, options: BitsOpenOptions): BitArray;
export function open(path: FilePath, options: IntegerSetOpenOptions): IntegerSet;
export function open<T extends ValueChoice, F extends KeyForm = 'string'>(
  path: FilePath,
  options: FingerprintOpenOptions<T, F> & { value: T },
): FingerprintTable<ValueOf<T>, KeyOf<F>>;
export function open<F extends KeyForm = 'string'>(
  path: FilePath,
  options: FingerprintOpenOptions<ValueChoice, F>,
): FingerprintTable<unknown, KeyOf<F>>;
export function open<V, F extends KeyForm = 'string'>(
  path: FilePath,
  options: FingerprintOpenOptions<'json', F>,
): FingerprintTable<V, KeyOf<F>>;
export function open<T extends ValueChoice, F extends KeyForm = 'string'>(
  path: FilePath,
  options: OpenOptions<T, F> & { value: T },
): Table<ValueOf<T>, KeyOf<F>>;
/** A schema without `as const`. */
export function open<S extends Readonly<Record<string, string>>, F extends KeyForm = 'string'>(
  path: FilePath,
  options: Omit<OpenOptions<ValueType, F>, 'value'> & { value: WidenedStruct<S> },
): Table<WidenedRecord<S>, KeyOf<F>>;
export function open<F extends KeyForm = 'string'>(
  path: FilePath,
  options?: OpenOptions<never, F>,
): Table<unknown, KeyOf<F>>;
/** Values of type `json` that the caller knows to be `V`; nothing checks that they are. */
export function open<V, F extends KeyForm = 'string'>(
  path: FilePath,
  options?: OpenOptions<'json', F>,
): Table<V, KeyOf<F>>;
export function open<F extends KeyForm = 'string'>(
  path: FilePath,
  options?: OpenOptions<ValueChoice, F>,
): Table<unknown, KeyOf<F>>;
export function open(file: FilePath, given: AnyOptions = {}): unknown {
  const options = ownOptions(given);
  const path = pathOf(file);
  checkOptions(options, OPTIONS);
  const layout = oneOf('layout', options.layout ?? 'hash', [...LAYOUTS, 'auto'] as const);
  const key = options.key === undefined ? undefined : oneOf('key', options.key, KEY_FORMS);
  if (layout !== 'hash' && key !== undefined) throw new TypeError(`key: no keys in the layout '${layout}'`);
  const fingerprint = fingerprintIn(options, layout);
  const settings: Settings = {
    path,
    layout,
    value: typeIn(options, layout),
    key: key === 'bytes' ? undefined : key,
    fingerprint,
    mapping: oneOf('mapping', options.mapping ?? 'auto', MAPPING_CHOICES),
    advice: oneOf('advice', options.advice ?? 'random', ADVICE),
    warm: oneOf('warm', options.warm ?? 'none', WARM),
    check: oneOf('check', options.check ?? 'touch', CHECKS),
    partial: partialIn(options),
  };
  const interval = intervalOf(options);
  // The overloads make sure that it takes what this layout opens.
  const onReload = options.onReload as ((opened: unknown) => void) | undefined;
  const { first, openNext, watched } = firstSnapshot(settings);
  // Reloads require the types of the first snapshot: a table never changes its types.
  const { keyType, valueType, narrowed } = first.header;
  // One of `uint` may become wider or narrower; shards that were built so may differ.
  const isAny = settings.value === 'uint' || (narrowed && first instanceof ShardedSnapshot);
  const value: Settings['value'] = isAny ? 'uint' : valueType;
  const later: Settings = {
    ...settings,
    path: absolutePath(path),
    key: layout === 'hash' ? keyType : undefined,
    value,
  };
  const source: SnapshotSource = { newer: ({ identity }) => atOnce(openNext(later, identity)) };
  if (interval !== undefined) {
    source.watch = (current, adopt) =>
      watchFile<Snapshot>(
        {
          path: watched(later.path),
          current: () => current().identity,
          open: (than) => openNext(later, than),
          adopt(snapshot) {
            adopt(snapshot);
            onReload?.(opened);
          },
          onError: options.onError ?? warn,
        },
        interval,
      );
  }
  const form = key ?? (keyType === 'bytes' ? 'string' : keyType);
  const opened =
    layout === 'hash' ? Table.of<unknown, never>(path, first, form, source) : new CLASSES[layout](path, first, source);
  return opened;
}

/** The first snapshot, and how later ones are opened: those of the file at the path, or of the shards that it means. */
function firstSnapshot(settings: Settings): {
  readonly first: Snapshot;
  readonly openNext: typeof openSnapshot;
  /** The file that says that there is a newer one. */
  readonly watched: (path: string) => string;
} {
  try {
    return { first: atOnce(openSnapshot(settings))!, openNext: openSnapshot, watched: (path) => path };
  } catch (error) {
    // A file is much more frequent, so that it is tried first.
    if (settings.layout !== 'hash' || !(error instanceof HmapError) || !meansManifest(settings.path, error))
      throw error;
  }
  return { first: atOnce(openShards(settings))!, openNext: openShards, watched: manifestPath };
}

/** Whether a path that is no table is the one of a manifest, or of a folder with one. */
function meansManifest(path: string, { code }: HmapError): boolean {
  if (code === 'EISDIR') return existsSync(manifestPath(path));
  return code === 'HMAP_NOT_A_TABLE' && isManifest(path);
}

/** What any of the layouts takes. */
type AnyOptions = Omit<OpenOptions, 'layout' | 'value' | 'onReload'> & {
  layout?: Layout | 'auto';
  value?: ValueChoice | ListType;
  onReload?: (opened: never) => void;
};

function typeIn({ value }: AnyOptions, layout: string): BuildValueType | ListType | undefined {
  if (value === undefined) return undefined;
  if (layout === 'hash') return checkValueType(value as ValueChoice);
  if (layout !== 'list') throw new TypeError(`value: no values in the layout '${layout}'`);
  return checkListType(value);
}

function partialIn({ partial = false }: AnyOptions): boolean {
  if (typeof partial !== 'boolean') throw new TypeError('partial: expected a boolean');
  return partial;
}

function fingerprintIn({ fingerprint = false }: AnyOptions, layout: string): boolean {
  if (typeof fingerprint !== 'boolean') throw new TypeError('fingerprint: expected a boolean');
  if (fingerprint && layout !== 'hash') throw new TypeError(`fingerprint: no keys in the layout '${layout}'`);
  return fingerprint;
}

/** Takes all steps without giving way to other work. */
function atOnce<R>(steps: Generator<unknown, R, void>): R {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Milliseconds between two looks, or `undefined` if the file is not watched. */
function intervalOf({
  watch,
  onReload,
  onError,
}: Pick<AnyOptions, 'watch' | 'onReload' | 'onError'>): number | undefined {
  for (const [name, callback] of Object.entries({ onReload, onError })) {
    if (callback === undefined) continue;
    if (typeof callback !== 'function') throw new TypeError(`${name}: expected a function`);
    if (watch === undefined || watch === false) throw new TypeError(`${name}: is never called without watch: true`);
  }
  if (watch === undefined || typeof watch === 'boolean') return watch ? INTERVAL : undefined;
  if (typeof watch !== 'object' || watch === null) throw new TypeError('watch: expected a boolean or an object');
  checkOptions(watch, ['interval']);
  const { interval } = ownOptions(watch);
  if (!Number.isInteger(interval) || interval < SHORTEST_INTERVAL || interval > LONGEST_INTERVAL) {
    const range = `from ${SHORTEST_INTERVAL} to ${LONGEST_INTERVAL}`;
    throw new TypeError(`watch.interval: expected an integer of milliseconds ${range}, got ${String(interval)}`);
  }
  return interval;
}

function warn(error: unknown): void {
  process.emitWarning(error as Error);
}
