// A temporary file for what does not fit in memory. Knows nothing of what it holds.

import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { HmapError, systemError } from './errors.js';

/** Writes all of `bytes` at `position`. */
export function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}

/** Made when it is first written to; gone when it is closed, and on POSIX even when the process is killed. */
export class SpillFile {
  readonly #path: string;
  #fd: number | undefined;
  #linked = false;
  #size = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** Appends bytes and returns where they lie. */
  append(bytes: Uint8Array): number {
    const position = this.#size;
    try {
      writeAll(this.#open(), bytes, position);
    } catch (error) {
      throw systemError(error, 'write the temporary file', this.#path);
    }
    this.#size += bytes.length;
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

  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    if (this.#linked) unlinkSync(this.#path);
  }

  #open(): number {
    if (this.#fd === undefined) {
      this.#fd = openSync(this.#path, 'wx+');
      this.#linked = process.platform === 'win32';
      if (!this.#linked) unlinkSync(this.#path);
    }
    return this.#fd;
  }
}
