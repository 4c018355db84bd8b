// Leaves the system's cache of a file as a pass over it has found it, so that what others use stays there. Knows pages,
// and which of them were in memory; does not know how they are read.

import { loadKoffiLibc } from './koffi-libc.js';
import { ADVICE, GRANULE, isLibc, type Libc, Pages } from './libc.js';
import { type Access, adviseInPieces } from './mapping.js';

/** A range of which it is known what was in memory before it was read. */
export interface Trace {
  /**
   * Drops what was not. Pages that others have mapped stay; the pass itself must have none of them mapped any more. Only
   * once.
   */
  drop(): void;
}

/** A pass over an open file, on systems that can be told of it (Linux, if the process may know what is in its cache). */
export class QuietPass {
  readonly #fadvise: NonNullable<Libc['fadvise']>;

  private constructor(
    readonly libc: Libc,
    readonly fd: number,
    fadvise: NonNullable<Libc['fadvise']>,
  ) {
    this.#fadvise = fadvise;
  }

  /**
   * `undefined` where the system cannot be told.
   * @param fd stays open for as long as the pass is used. The system reads no further ahead of it than it is asked to
   */
  static over(fd: number): QuietPass | undefined {
    const libc = loadKoffiLibc();
    if (!isLibc(libc) || libc.fadvise === undefined) return undefined;
    // What the system reads ahead by itself comes in units that it does not drop in part.
    if (libc.fadvise(fd, 0, 0, ADVICE.random) !== 0) return undefined;
    return new QuietPass(libc, fd, libc.fadvise);
  }

  /** Starts to read `[offset, offset + length)`, in the background. */
  ask(offset: number, length: number): void {
    adviseInPieces('willneed', offset, offset + length, GRANULE, (at, size) => {
      this.#fadvise(this.fd, at, size, ADVICE.willneed);
    });
  }

  /** Notes what of `[offset, offset + length)`, more than 0 bytes, is in memory now. */
  note(offset: number, length: number): Trace {
    const start = Math.floor(offset / GRANULE) * GRANULE;
    // A file of another user shows all its pages as present: then nothing is dropped.
    const pages = Pages.map(this.libc, null, this.fd, start, offset + length - start, 'normal');
    const absent = pages instanceof Pages ? pages.absent() : [];
    if (pages instanceof Pages) pages.unmap();
    return {
      drop: () => {
        for (const { from, end } of absent) this.#fadvise(this.fd, start + from, end - from, ADVICE.dontneed);
      },
    };
  }
}

/** How a mapping for a pass is read. What Linux reads ahead by itself nobody has noted, so that it would stay. */
export function passAccess(quiet: QuietPass | undefined): Access {
  return quiet === undefined ? 'sequential' : 'random';
}
