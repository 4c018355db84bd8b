// What open lists, bit arrays and sets of integers have in common: their versions, and how they end. Knows the state of the mapping; does not know elements.

import { HmapError } from './errors.js';
import type { Header } from './header.js';
import type { MappingKind } from './mapping/mapping.js';
import type { PlainSegment } from './plain-segment.js';
import type { Source } from './table.js';
import type { Version } from './version.js';

/** Base of {@link List}, {@link BitArray} and {@link IntegerSet}. Every method throws `HMAP_CLOSED` once it is closed. */
export abstract class Opened {
  /** The path as it was given to `open`. */
  readonly path: string;
  #header: Header;
  #mapping: MappingKind;
  #version: Version | undefined;
  readonly #source: Source;
  readonly #stopWatching: (() => void) | undefined;

  /** @internal Use `open`. */
  constructor(path: string, version: Version, source: Source) {
    this.path = path;
    this.#header = version.header;
    this.#mapping = version.mapping.kind;
    this.#version = version;
    this.#source = source;
    this.#stopWatching = source.watch?.(
      () => this.#version!,
      (newer) => this.#adopt(newer),
    );
  }

  /** What the file's header says. Another object after a reload; stays after `close`. */
  get header(): unknown {
    return this.#header;
  }

  /** How the file's bytes came into memory. */
  get mapping(): MappingKind {
    return this.#mapping;
  }

  get closed(): boolean {
    return this.#version === undefined;
  }

  /** Bytes of the file that are in physical memory now; `undefined` where the system does not tell (a copy). */
  residentBytes(): number | undefined {
    return this.version().mapping.residentBytes();
  }

  /**
   * Takes up the file that is now at the path, if it is another one, after checking it as `open` does.
   * @returns whether there was a new file
   * @throws {HmapError} as `open` does, and `HMAP_VALUE_TYPE` where the elements have another type now; all then stays as it was
   */
  reload(): boolean {
    const newer = this.#source.newer(this.version());
    if (newer === undefined) return false;
    this.#adopt(newer);
    return true;
  }

  /** Lets go of the file; may be called again. */
  close(): void {
    this.#stopWatching?.();
    this.#version?.close();
    this.#version = undefined;
    this.take(undefined);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The version that is there now. */
  protected version(): Version {
    const version = this.#version;
    if (version === undefined)
      throw new HmapError('HMAP_CLOSED', `the file ${this.path} is closed`, { path: this.path });
    return version;
  }

  /** Answers come from this version from now on; without one there are none. */
  protected abstract take(version: Version | undefined): void;

  /** Between two calls, since these do not give way to other code. */
  #adopt(version: Version): void {
    const old = this.#version!;
    this.#version = version;
    this.#header = version.header;
    this.#mapping = version.mapping.kind;
    this.take(version);
    old.retire();
  }

  /** Goes through the segments of the version that is there now, and on over that one after a reload. A closed file refuses it at once. */
  protected each<R>(
    take: (segment: PlainSegment, first: number) => Generator<R, void>,
  ): Generator<R, undefined, unknown> {
    this.version();
    return this.#steps(take);
  }

  *#steps<R>(take: (segment: PlainSegment, first: number) => Generator<R, void>): Generator<R, undefined, unknown> {
    const version = this.version();
    const { base, perSegment } = version.header;
    version.beginWalk();
    try {
      for (const [i, segment] of version.plain.entries()) {
        for (const step of take(segment, base + i * perSegment)) {
          yield step;
          this.version();
        }
      }
    } finally {
      version.endWalk();
    }
  }
}
