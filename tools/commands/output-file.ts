// A file that is made beside its place, and takes it in one step when it is whole; otherwise nothing is left. Knows paths
// and signals; does not know what is written.

import { chmodSync, existsSync, lstatSync, realpathSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';
import { HmapError } from '../../src/index.js';
import { systemError } from '../../src/internal.js';
import { printable, SIGNAL_EXIT, warn } from '../terminal/cli.js';

/** What SQLite keeps beside a database: it would be applied to another file in its place. */
const COMPANIONS = ['-wal', '-shm', '-journal'];

export class OutputFile {
  /** Where the file is to be made. */
  readonly temporary: string;
  /** Where links lead. */
  readonly #target: string;
  /** Rights of the file that is replaced. */
  readonly #mode: number | undefined;
  readonly #listeners: (() => void)[] = [];

  /**
   * @param input the file that is read meanwhile
   * @throws {TypeError} for no path
   * @throws {HmapError} `HMAP_OUTPUT_EXISTS`, and for what is no regular file
   */
  constructor(path: string, input: string, isForced: boolean) {
    if (path === '') throw new TypeError('--output: expected a path');
    const old = statOf(path);
    if (old !== undefined && !isForced) {
      throw new HmapError('HMAP_OUTPUT_EXISTS', `${path} exists; --force replaces it`, { path });
    }
    if (old !== undefined && !old.isFile()) throw refused(path, 'it is no regular file');
    this.#target = old === undefined ? path : realpathSync(path);
    const from = statSync(input);
    if (old !== undefined && old.ino === from.ino && old.dev === from.dev) throw refused(path, 'it is the table');
    const companion = COMPANIONS.map((end) => `${this.#target}${end}`).find((other) => existsSync(other));
    if (companion !== undefined) {
      throw refused(path, `${companion} belongs to a database that was there, and would be applied to the new one`);
    }
    this.#mode = old === undefined ? undefined : old.mode & 0o7777;
    this.temporary = `${this.#target}.${process.pid}.tmp`;
    for (const [signal, code] of Object.entries(SIGNAL_EXIT)) {
      const listener = () => {
        this.abandon();
        warn(`stopped; ${printable(path)} is unchanged`);
        process.exit(code);
      };
      process.once(signal, listener);
      this.#listeners.push(() => process.removeListener(signal, listener));
    }
  }

  /** Puts the file, which is whole and closed, in its place. */
  publish(): void {
    try {
      if (this.#mode !== undefined) chmodSync(this.temporary, this.#mode);
      renameSync(this.temporary, this.#target);
    } catch (error) {
      throw systemError(error, 'write', this.#target);
    } finally {
      this.abandon();
    }
  }

  /** Removes what has not taken its place. */
  abandon(): void {
    for (const remove of this.#listeners.splice(0)) remove();
    for (const end of ['', ...COMPANIONS]) rmSync(`${this.temporary}${end}`, { force: true });
  }
}

/** Of what a path leads to; `undefined` if there is nothing. */
function statOf(path: string): Stats | undefined {
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    return statSync(path);
  } catch (error) {
    throw systemError(error, 'write', path);
  }
}

function refused(path: string, why: string): HmapError {
  return new HmapError('HMAP_OUTPUT_EXISTS', `${path}: cannot be replaced: ${why}`, { path });
}
