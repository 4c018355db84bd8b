// What all open files have in common: their current snapshot, and closing. Knows the state of the mapping; does not
// know keys, values or elements.

import { HmapError } from '../base/errors.js';
import type { Header } from '../format/header.js';
import type { Mapping, MappingKind, MappingReason } from '../mapping/mapping.js';
import type { Snapshot } from './snapshot.js';

/** Where the versions of an open file come from. */
export interface SnapshotSource {
  /** A snapshot of the file now at the path; `undefined` if it is the current one. */
  newer(current: Snapshot): Snapshot | undefined;
  /** Starts to watch for newer versions; returns a function that stops it. */
  watch?(current: () => Snapshot, adopt: (snapshot: Snapshot) => void): () => void;
}

/**
 * Base of {@link Table}, {@link List}, {@link BitArray} and {@link IntegerSet}. Every method except {@link close}
 * throws `HMAP_CLOSED` once it is closed.
 */
export abstract class Handle {
  /** The path as it was given to `open`. */
  readonly path: string;
  /**
   * @internal Without it, `structuredClone` and `postMessage` would give an object with a path and nothing else. V8
   * refuses a function, and quotes it.
   */
  readonly notForOtherThreads = openThePathInEachThreadInstead;
  #header: Header;
  #mapping: Pick<Mapping, 'kind' | 'reason'>;
  #snapshot: Snapshot | undefined;
  readonly #source: SnapshotSource;
  readonly #stopWatching: (() => void) | undefined;

  /** @internal Use `open`. */
  constructor(path: string, snapshot: Snapshot, source: SnapshotSource) {
    this.path = path;
    this.#header = snapshot.header;
    this.#mapping = howMapped(snapshot);
    this.#snapshot = snapshot;
    this.#source = source;
    this.#stopWatching = source.watch?.(
      () => this.#snapshot!,
      (newer) => this.#adopt(newer),
    );
  }

  /** The file's header. A new object after a reload; available after `close`, too. */
  get header(): unknown {
    return this.#header;
  }

  /** How the file's bytes came into memory. */
  get mapping(): MappingKind {
    return this.#mapping.kind;
  }

  /**
   * Why the file did not come into memory in the best way; `undefined` if it did, or if the way was chosen. Available
   * after `close`, too.
   */
  get mappingReason(): MappingReason | undefined {
    return this.#mapping.reason;
  }

  get closed(): boolean {
    return this.#snapshot === undefined;
  }

  /**
   * Bytes of the file that are in physical memory now, whoever brought them there; `undefined` if the system does not
   * say (a copy). Costs one system call and a byte for each page of the file.
   */
  residentBytes(): number | undefined {
    return this.snapshot().mapping.residentBytes();
  }

  /**
   * Switches to the file now at the path, if it is another one (by device, inode, size and the times of its last change
   * and change of status, or by its header where these say too little), after checking it as `open` does. The old file
   * is released; views of it stay unchanged. Costs what `open` costs when there is a new file, a few microseconds when
   * there is none.
   * @returns whether there was a new file
   * @throws {HmapError} as `open` does, and `HMAP_VALUE_TYPE` or `HMAP_KEY_TYPE` if values or keys now have another
   *   type; then everything stays as it was
   */
  reload(): boolean {
    const newer = this.#source.newer(this.snapshot());
    if (newer === undefined) return false;
    this.#adopt(newer);
    return true;
  }

  /**
   * Releases the file; further calls do nothing. libc releases it at once, copy and mmap-io when their memory is
   * collected. Views stay safe to read.
   */
  close(): void {
    this.#stopWatching?.();
    this.#snapshot?.close();
    this.#snapshot = undefined;
    this.take(undefined);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal The current snapshot. */
  protected snapshot(): Snapshot {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) throw this.closedError();
    return snapshot;
  }

  /** @internal */
  protected closedError(): HmapError {
    return new HmapError('HMAP_CLOSED', `the file ${this.path} is closed`, { path: this.path });
  }

  /** @internal Makes lookups use this snapshot; `undefined` when the file is closed. */
  protected abstract take(snapshot: Snapshot | undefined): void;

  /** Only ever runs between two calls, since these do not yield to other code. */
  #adopt(snapshot: Snapshot): void {
    const old = this.#snapshot!;
    this.#snapshot = snapshot;
    this.#header = snapshot.header;
    this.#mapping = howMapped(snapshot);
    this.take(snapshot);
    old.retire();
  }
}

// Its source is the message, so it has no comment inside.
function openThePathInEachThreadInstead(): void {}

/** Without the mapping itself, of which a closed file keeps nothing. */
function howMapped({ mapping: { kind, reason } }: Snapshot): Pick<Mapping, 'kind' | 'reason'> {
  return reason === undefined ? { kind } : { kind, reason };
}
