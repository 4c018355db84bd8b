// A temporary file for what does not fit in memory. Knows nothing of what it holds.

import { closeSync, openSync, readSync, unlinkSync } from 'node:fs';
import { HmapError, systemError } from '../../base/errors.js';
import { writeAll } from '../../base/fs.js';
import { PRIVATE } from './publication.js';

/** What another thread needs to use the same file. */
export interface SharedSpill {
  readonly path: string;
  readonly fd: number;
  readonly size: SharedArrayBuffer;
}

/**
 * Made when it is first written to; gone when it is closed, and on POSIX even when the process is killed. Threads may
 * share it.
 */
export class SpillFile {
  readonly #path: string;
  /** Bytes taken so far, by all threads. */
  readonly #size: BigInt64Array;
  readonly #borrowed: boolean;
  #fd: number | undefined;
  #linked = false;

  /** @param place where to make the file, or the file of another thread, which makes and closes it */
  constructor(place: string | SharedSpill) {
    this.#borrowed = typeof place !== 'string';
    if (typeof place === 'string') {
      this.#path = place;
      this.#size = new BigInt64Array(new SharedArrayBuffer(8));
    } else {
      this.#path = place.path;
      this.#size = new BigInt64Array(place.size);
      this.#fd = place.fd;
    }
  }

  /** Bytes written so far. */
  get size(): number {
    return Number(Atomics.load(this.#size, 0));
  }

  /** For another thread; makes the file. Close it only when that thread is done. */
  share(): SharedSpill {
    try {
      return { path: this.#path, fd: this.#open(), size: this.#size.buffer as SharedArrayBuffer };
    } catch (error) {
      throw systemError(error, 'write the temporary file', this.#path);
    }
  }

  /** Appends bytes and returns where they lie. */
  append(bytes: Uint8Array): number {
    const position = Number(Atomics.add(this.#size, 0, BigInt(bytes.length)));
    try {
      writeAll(this.#open(), bytes, position);
    } catch (error) {
      throw systemError(error, 'write the temporary file', this.#path);
    }
    return position;
  }

  /** Fills `into` from `position`. */
  read(position: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      const read = readSync(this.#open(), into, done, into.length - done, position + done);
      if (read === 0)
        throw new HmapError('EIO', `${this.#path}: the temporary file was cut short`, { path: this.#path });
      done += read;
    }
  }

  /** Never throws: an error in a file that is no longer needed does not matter. */
  close(): void {
    if (this.#fd === undefined || this.#borrowed) return;
    const fd = this.#fd;
    this.#fd = undefined;
    try {
      closeSync(fd);
    } catch {
      // As above.
    }
    try {
      if (this.#linked) this.#unlink();
    } catch {
      // The next build of the same output tries again.
    }
  }

  #open(): number {
    if (this.#fd === undefined) {
      this.#fd = openSync(this.#path, 'wx+', PRIVATE);
      this.#linked = true;
      if (process.platform !== 'win32') this.#unlink();
    }
    return this.#fd;
  }

  #unlink(): void {
    unlinkSync(this.#path);
    this.#linked = false;
  }
}
