// The options of builds, with defaults and checks, and the summary that a build returns. Knows no bytes.

import { randomInt } from 'node:crypto';
import { allocate } from '../../base/bytes.js';
import { checkOptions, oneOf } from '../../base/options.js';
import { type Layout, MAX_SEGMENT_BYTES, SEEDS } from '../../format/constants.js';
import { FINGERPRINT_BITS, type FingerprintBits, isFingerprintBits } from '../../format/fingerprints.js';
import { KEY_FORMS, type KeyForm, keyTypeOf } from '../../format/key-types.js';
import { encodeMetadata, type Metadata } from '../../format/metadata.js';
import {
  checkValueType,
  type ListType,
  type StoredType,
  type ValueChoice,
  type ValueType,
} from '../../format/value-types.js';
import type { Published } from './replace.js';

/** How far a build has come. */
export interface BuildProgress {
  /** `read`: reading the entries. `write`: sorting and writing them. */
  phase: 'read' | 'write';
  /** Entries done in this phase. */
  entries: number;
  /** Entries of this phase, if their number is known. */
  total?: number;
}

export interface BuildOptions<T extends ValueChoice = ValueType, F extends KeyForm = KeyForm> {
  /**
   * The layout of the file. Default `hash`. For others see {@link ListBuildOptions}, {@link BitsBuildOptions}, {@link
   * IntegerSetBuildOptions}.
   */
  layout?: 'hash';
  /**
   * Type of the values; `{ struct: { active: 'bool', level: 'u7' } }` packs fields into bits, `uint` becomes the
   * narrowest of u8, u16, u24, u32, u40 and u48 that holds all values; `enum` is for strings with few distinct values:
   * each of these is stored once, and all of them must fit into a quarter of `memory`.
   */
  value: T;
  /** Type of the keys. Default `bytes`: strings (their UTF-8) and Uint8Arrays; `string` means the same. */
  key?: F;
  /**
   * Bits of a fingerprint to store in place of each key: 8, 16, 24 or 32. The table then finds each of its keys, but
   * cannot tell what they are, and takes a key that it does not have for one of its own with a probability of at most
   * `falsePositiveRate` (in the summary and the header; about `2.5 / 2 ** bits`). Open it with `fingerprint: true`.
   * Default: the keys themselves are stored.
   */
  fingerprint?: FingerprintBits;
  /**
   * What happens to entries with the same key: `error` stops the build, `first` and `last` keep one of them, and
   * `collect`, for values of type `json`, makes the value of each key an array of all that it had, in the order of the
   * input, also where that is one. Default `error`. With the others the file depends on the order of the input.
   */
  duplicates?: DuplicatePolicy;
  /**
   * Memory for entries, in bytes, from 1 MiB; more than 2 GiB is taken as 2 GiB. Default 256 MiB. Entries that do not
   * fit go to a temporary file.
   */
  memory?: number;
  /**
   * Seed of the keys' hash, a u32. Default: 0; if too many keys share a bucket, because someone chose them so, the
   * first of a fixed list of seeds with which they do not. `random` draws one, which nobody can have chosen keys for;
   * the file is then another one each time.
   */
  seed?: number | 'random';
  /** JSON to keep in the header, at most 64 KiB. */
  metadata?: Metadata;
  /**
   * Makes a folder of so many files, a power of two from 1 to 65,536, in place of one file: each has the keys with some
   * first bits of the hash, and is the file that a build of its entries would make; the last that is written is the
   * folder's manifest. `open` takes the folder. All shards have one seed, the first or the one that is given: where too
   * many keys share a bucket with it, the build fails.
   */
  shards?: number;
  /** Whether an existing file is replaced. Default `true`. */
  overwrite?: boolean;
  /**
   * Largest size of a segment in bytes, inclusive, from 4 KiB to 2^31 - 1, which is the default. For tests and
   * experiments.
   */
  segmentBytes?: number;
  /** Called up to twenty times a second. */
  onProgress?: (progress: BuildProgress) => void;
  /** Stops the build; the promise is then rejected with the signal's reason, and no file is left. */
  signal?: AbortSignal;
}

/** How keys that are not stored are found. */
export interface FingerprintSummary {
  bits: number;
  /** The probability that a key which nobody chose, and which is not in the table, seems to be in it; at most this. */
  falsePositiveRate: number;
  /** Long fingerprints, of keys whose fingerprints are the same in one bucket. */
  long: number;
}

/** What a build has made. Sizes are in bytes. */
export interface BuildSummary {
  /** Where the file is: an absolute path, free of symbolic links. */
  path: string;
  /** The layout of the file; with `layout: 'auto'`, the one that was chosen. */
  layout: Layout;
  entries: number;
  /** Entries that were dropped, or collected with another one, because their key had occurred before. */
  duplicates: number;
  /** What the values are in the file: a type's name, or the text of a schema. */
  valueType: StoredType | ListType;
  fileBytes: number;
  /** Sum of the lengths of all keys and values. */
  payloadBytes: number;
  /** Seed of the keys' hash. */
  seed: number;
  sections: {
    header: number;
    buckets: number;
    heap: number;
    /** The distinct values of `enum`. */
    dictionary: number;
    /** Long fingerprints, of keys whose fingerprints are the same in one bucket. */
    fingerprints: number;
    checksums: number;
    padding: number;
  };
  segments: number;
  /** Files of a build in shards, in the folder `path`; sizes and counts are then those of all, together. */
  shards?: number;
  /** Only of a table with fingerprints in place of keys. */
  fingerprint?: FingerprintSummary;
  bucketLoads: { buckets: number; mean: number; longest: number; histogram: number[] };
  /** Bytes that went to the temporary file. */
  spilledBytes: number;
  seconds: number;
  /** Whether the file was forced to the disk before it took its name: Node's permission model forbids that. */
  synced: boolean;
  /** How the file took its name; always `renamed` except on Windows. */
  published: Published;
}

/** The names of {@link CommonOptions}. */
export const COMMON_OPTIONS = [
  'memory',
  'metadata',
  'overwrite',
  'segmentBytes',
  'onProgress',
  'signal',
] as const satisfies readonly (keyof CommonOptions)[];

const BUILD_OPTIONS = [
  'value',
  'key',
  'fingerprint',
  'duplicates',
  'memory',
  'seed',
  'shards',
  'metadata',
  'overwrite',
  'segmentBytes',
  'onProgress',
  'signal',
  'layout',
] as const satisfies readonly (keyof BuildOptions)[];

export const SMALLEST_MEMORY = 2 ** 20;
const LARGEST_MEMORY = 2 ** 31;
export const DEFAULT_MEMORY = 256 * 2 ** 20;
const SMALLEST_SEGMENT = 4096;

/** Options with their defaults, checked. */
export function resolveOptions(options: BuildOptions<ValueChoice>) {
  if (options === undefined) {
    throw new TypeError("options: expected an object with the type of the values, such as { value: 'utf8' }");
  }
  checkOptions(options, BUILD_OPTIONS);
  oneOf('layout', options.layout ?? 'hash', ['hash']);
  const value = checkValueType(options.value);
  const key = keyTypeOf(oneOf('key', options.key ?? 'bytes', KEY_FORMS));
  const duplicates = oneOf('duplicates', options.duplicates ?? 'error', ['error', 'first', 'last', 'collect'] as const);
  if (duplicates === 'collect' && value !== 'json') {
    throw new TypeError(`duplicates: 'collect' makes arrays, for which values are of type json, not ${value}`);
  }
  const { fingerprint } = options;
  if (fingerprint !== undefined && !isFingerprintBits(fingerprint)) {
    throw new TypeError(`fingerprint: expected ${FINGERPRINT_BITS.join(', ')} bits, got ${String(fingerprint)}`);
  }
  return { key, value, fingerprint, duplicates, seeds: seedsOf(options.seed), ...resolveCommonOptions(options) };
}

/** The seeds to be tried, in this order. */
function seedsOf(seed: number | 'random' | undefined): readonly number[] {
  if (seed === undefined) return SEEDS;
  // Only one: keys that collide under it, too, do so under each.
  if (seed === 'random') return [randomInt(2 ** 32)];
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffff_ffff) {
    throw new TypeError(`seed: expected an integer from 0 to 4294967295 or 'random', got ${String(seed)}`);
  }
  return [seed];
}

/** What builds of every layout take. */
export type CommonOptions = Pick<
  BuildOptions<ValueChoice>,
  'memory' | 'metadata' | 'overwrite' | 'segmentBytes' | 'onProgress' | 'signal'
>;

/**
 * Memory of a build.
 * @throws {HmapError} `ENOMEM`
 */
export function buildMemory<T>(bytes: number, make: () => T): T {
  return allocate(bytes, make, (reason) => `${reason}; give a smaller 'memory'`);
}

/** {@link CommonOptions} with their defaults, checked. */
export type ResolvedOptions = ReturnType<typeof resolveCommonOptions>;

export function resolveCommonOptions(options: CommonOptions) {
  const { memory: wanted = DEFAULT_MEMORY } = options;
  if (typeof wanted !== 'number' || !(wanted >= SMALLEST_MEMORY)) {
    throw new TypeError(`memory: expected a number of bytes from ${SMALLEST_MEMORY}, got ${String(wanted)}`);
  }
  const memory = Math.min(wanted, LARGEST_MEMORY);
  const segmentBytes = options.segmentBytes ?? MAX_SEGMENT_BYTES;
  if (!Number.isInteger(segmentBytes) || segmentBytes < SMALLEST_SEGMENT || segmentBytes > MAX_SEGMENT_BYTES) {
    throw new TypeError(`segmentBytes: expected an integer from ${SMALLEST_SEGMENT} to ${MAX_SEGMENT_BYTES}`);
  }
  for (const [name, kind] of [
    ['onProgress', 'function'],
    ['overwrite', 'boolean'],
  ] as const) {
    if (options[name] !== undefined && typeof options[name] !== kind)
      throw new TypeError(`${name}: expected a ${kind}`);
  }
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) {
    throw new TypeError('signal: expected an AbortSignal');
  }
  const metadata = encodeMetadata(options.metadata ?? {});
  const { onProgress, signal, overwrite = true } = options;
  return { memory, segmentBytes, metadata, onProgress, signal, overwrite };
}

/** What becomes of the records with one key, in the order of the input. */
export type DuplicatePolicy = 'error' | 'first' | 'last' | 'collect';
