// One snapshot of a file, mapped: its header, its segments, and when its memory may be released. Knows no lookups, and
// not how a file is opened.

import type { LazyArray } from '../base/lazy-array.js';
import type { Layout } from '../format/constants.js';
import type { Header } from '../format/header.js';
import type { KeyForm } from '../format/key-types.js';
import type { ShardFile } from '../format/manifest.js';
import type { BuildValueType, ListType } from '../format/value-types.js';
import type { MappingChoice } from '../mapping/map-ranges.js';
import type { Access, Mapping } from '../mapping/mapping.js';
import type { Dictionary } from '../storage/dictionary.js';
import type { HashSegment } from '../storage/hash-segment.js';
import type { KeylessSegment } from '../storage/keyless-segment.js';
import type { LongFingerprints } from '../storage/long-fingerprints.js';
import type { FileIdentity } from './file-identity.js';
import type { MappedFile } from './mapped-file.js';

/**
 * How much of a file is checked, and when. `header`: the header and the file's size, when it is opened. `touch`: also
 * each block of 64 KiB, when it is first needed. `full`: every rule of the format, before `open` returns.
 */
export type Check = 'header' | 'touch' | 'full';

/**
 * What is read ahead when a table is opened: nothing, the index (and the distinct values of `enum`), or the
 * whole file.
 */
export type Warm = 'none' | 'buckets' | 'all';

/**
 * How the system brings in pages that lookups touch. `random`: each by itself. `normal`: with those around it, and it
 * remembers which ones are used.
 */
export type TableAdvice = Exclude<Access, 'sequential'>;

/** How a snapshot is opened. */
export interface Settings {
  /** As it was given. */
  readonly path: string;
  /** The type that the values must have, if any; `uint` stands for each that it may have become. */
  readonly value: BuildValueType | ListType | undefined;
  /** What the keys must be, if anything. */
  readonly key: KeyForm | undefined;
  /** Whether the file must have fingerprints in place of keys, or must not. */
  readonly fingerprint?: boolean;
  /** Without one, a hash table; `auto` is a set of integers, as a bit array or by hash. */
  readonly layout?: Layout | 'auto';
  readonly mapping: MappingChoice;
  readonly advice: TableAdvice;
  readonly warm: Warm;
  readonly check: Check;
  /** Of a table in shards: whether some of them may be missing. */
  readonly partial?: boolean;
  /** What the file must be, if it is one of a table's shards. */
  readonly shard?: ShardFile;
}

/** A file that is open for lookups. It stays readable, whatever becomes of its name, until it is closed. */
export class Snapshot {
  readonly header: Header;
  readonly identity: FileIdentity;
  readonly mapping: Mapping;
  readonly file: MappedFile;
  /** Of a hash table; and those of any other layout. */
  readonly segments: LazyArray<HashSegment>;
  readonly keyless: LazyArray<KeylessSegment>;
  /** Of `enum` values. */
  readonly dictionary: Dictionary | undefined;
  /** Of a table with fingerprints, if it has any long ones. */
  readonly long: LongFingerprints | undefined;
  /** Whether someone may hold views of the mapping. */
  #isLent = false;
  #scans = 0;
  #retired = false;

  constructor(
    header: Header,
    identity: FileIdentity,
    mapping: Mapping,
    file: MappedFile,
    segments: LazyArray<HashSegment>,
    keyless: LazyArray<KeylessSegment>,
    dictionary: Dictionary | undefined,
    long: LongFingerprints | undefined,
  ) {
    this.header = header;
    this.identity = identity;
    this.mapping = mapping;
    this.file = file;
    this.segments = segments;
    this.keyless = keyless;
    this.dictionary = dictionary;
    this.long = long;
  }

  /** From now on the memory is released only when no view of it exists. */
  lend(): void {
    this.#isLent = true;
  }

  /** Keeps the snapshot for a scan, which continues over it even when the table has another one. */
  retain(): void {
    this.#scans++;
  }

  release(): void {
    this.#scans--;
    this.#free();
  }

  /**
   * The table has another snapshot now. The memory is released when the last scan is done; if there are views of it,
   * when these are collected.
   */
  retire(): void {
    this.#retired = true;
    this.#free();
  }

  /** Lets go of the file at once. */
  close(): void {
    this.mapping.close();
  }

  #free(): void {
    if (this.#retired && this.#scans === 0 && !this.#isLent) this.mapping.close();
  }
}
