// Puts a finished file in place of an old one in one step. Knows nothing of what the file holds.

import {
  closeSync,
  fchmodSync,
  fsync,
  fsyncSync,
  futimesSync,
  linkSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { HmapError, systemError } from '../../base/errors.js';
import { RENEWAL, removeLeftovers, temporaryName } from './leftovers.js';

/**
 * A new file beside the one that it will replace. Readers see the old file, or the new one, whole; whatever fails
 * before {@link publish} has renamed leaves the old file as it was.
 */
export class Publication {
  /** Where the file will be; a symbolic link given as the output stays, and what it points to is replaced. */
  readonly target: string;
  /** For other temporary files of the same build. */
  readonly temporary: string;
  readonly fd: number;
  readonly #overwrite: boolean;
  readonly #renewing: NodeJS.Timeout;
  #open = true;

  /**
   * @throws {HmapError} `HMAP_OUTPUT_EXISTS` when there is a file and `overwrite` is false; the system's code when it
   * refuses
   */
  constructor(path: string, overwrite: boolean) {
    this.#overwrite = overwrite;
    this.target = resolveLink(path);
    const old = existing(this.target, path);
    if (old !== undefined && !overwrite) throw exists(path);
    if (old !== undefined && !old.isFile()) {
      const what = old.isDirectory() ? 'it is a folder' : 'it is not a regular file';
      throw new HmapError(old.isDirectory() ? 'EISDIR' : 'EINVAL', `cannot write ${path}: ${what}`, { path });
    }
    const folder = dirname(this.target);
    const name = basename(this.target);
    // First, since they may be what has filled the disk.
    removeLeftovers(folder, name);
    this.temporary = join(folder, temporaryName(name));
    try {
      this.fd = openSync(this.temporary, 'wx+');
    } catch (error) {
      throw systemError(error, 'write', path);
    }
    // Entries may come in for days. Only the time stamp shows builds on other machines that this one is alive.
    this.#renewing = setInterval(() => this.#renew(), RENEWAL).unref();
    try {
      if (old !== undefined) fchmodSync(this.fd, old.mode & 0o777);
    } catch (error) {
      this.abandon();
      throw systemError(error, 'write', path);
    }
  }

  /** Starts to make what was written durable, in the background; {@link publish} waits for what is left. */
  async sync(): Promise<void> {
    await promisify(fsync)(this.fd);
  }

  /** Makes the file durable and visible. */
  publish(): void {
    try {
      fsyncSync(this.fd);
      // Windows cannot rename an open file. Elsewhere it stays open as long as it has its temporary name: that tells
      // other threads of this process that a build is using it.
      if (process.platform === 'win32') this.#close();
      if (this.#overwrite) renameSync(this.temporary, this.target);
      else linkNew(this.temporary, this.target);
      this.#close();
    } catch (error) {
      this.abandon();
      throw systemError(error, 'write', this.target);
    }
    syncFolder(dirname(this.target));
  }

  /** Removes what was written. May be called after {@link publish}, and then does nothing. */
  abandon(): void {
    this.#close();
    try {
      unlinkSync(this.temporary);
    } catch {
      // Renamed already, or never made.
    }
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    clearInterval(this.#renewing);
    try {
      closeSync(this.fd);
    } catch {
      // The file is synced, or no longer needed.
    }
  }

  #renew(): void {
    const now = new Date();
    try {
      futimesSync(this.fd, now, now);
    } catch {
      // A file system that keeps no times.
    }
  }
}

function exists(path: string): HmapError {
  return new HmapError('HMAP_OUTPUT_EXISTS', `${path} exists already`, { path });
}

/**
 * Where a path leads, free of symbolic links and of the working directory, which may change during a build; also when
 * there is nothing yet at its end.
 */
function resolveLink(path: string): string {
  let end = realPlace(path);
  // The bound is Linux's own; a longer chain, or a loop, is an error of the system when the file is made.
  for (let links = 0; links < 40; links++) {
    let link: string;
    try {
      link = readlinkSync(end);
    } catch {
      break;
    }
    end = realPlace(resolve(dirname(end), link));
  }
  return end;
}

/** The path with its folder as it really is, since `..` and links in it start from there. */
function realPlace(path: string): string {
  try {
    // The system's own: the other one resolves `..` in the text, before it follows links.
    return join(realpathSync.native(dirname(path)), basename(path));
  } catch {
    // What is wrong with the folder shows when the temporary file is made.
    return resolve(path);
  }
}

function existing(target: string, path: string): Stats | undefined {
  try {
    return statSync(target, { throwIfNoEntry: false });
  } catch (error) {
    throw systemError(error, 'write', path);
  }
}

/** Gives the file its name unless the name was taken in the meantime. */
function linkNew(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw exists(to);
    // A file system without hard links. Whoever takes the name between these two lines loses it.
    if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) throw exists(to);
    renameSync(from, to);
    return;
  }
  unlinkSync(from);
}

/** Makes the renaming durable. Windows and some network file systems cannot, and need not be asked. */
function syncFolder(path: string): void {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    fsyncSync(fd);
  } catch (error) {
    if (!['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) {
      throw systemError(error, 'sync the folder', path);
    }
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
