// Puts a finished file in place of an old one in one step. Knows nothing of what the file holds, nor where the path of
// an output leads (target.ts).

import {
  chmodSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsync,
  fsyncSync,
  futimesSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { HmapError, systemError } from '../../base/errors.js';
import { movedAside } from '../../base/moved-aside.js';
import { RENEWAL, removeLeftovers, TEMPORARY, temporaryName } from './leftovers.js';
import { type Published, replaceFile } from './replace.js';
import { targetOf } from './target.js';

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
  /** A file that showed which rights a new one gets here; removed at once, if the system lets us. */
  readonly #sample: string;
  /** Access rights of a file where there was none. */
  readonly #newMode: number;
  readonly #renewing: NodeJS.Timeout;
  #open = true;
  #synced = true;
  #published: Published = 'renamed';

  /**
   * @throws {HmapError} `HMAP_OUTPUT_EXISTS` when there is a file and `overwrite` is false; the system's code when it
   * refuses
   */
  constructor(path: string, overwrite: boolean, hasLeftovers = true) {
    this.#overwrite = overwrite;
    this.target = targetOf(path);
    const old = existing(this.target, path);
    if (NAMES_FOLDER.test(path) && !old?.isDirectory()) {
      const reason = 'its name is that of a folder';
      throw new HmapError(old === undefined ? 'EISDIR' : 'ENOTDIR', `cannot write ${path}: ${reason}`, {
        path,
        reason,
      });
    }
    if (old !== undefined && !overwrite) throw exists(path);
    if (old !== undefined && !old.isFile()) {
      const what = old.isDirectory() ? 'it is a folder' : 'it is not a regular file';
      throw new HmapError(old.isDirectory() ? 'EISDIR' : 'EINVAL', `cannot write ${path}: ${what}`, { path });
    }
    const folder = dirname(this.target);
    const name = basename(this.target);
    // First, since they may be what has filled the disk.
    if (hasLeftovers) removeLeftovers(folder, name);
    this.temporary = join(folder, temporaryName(name));
    this.#sample = join(folder, temporaryName(name));
    try {
      // Nobody else may read it until it has the rights of the file that it replaces.
      this.#newMode = usualMode(this.#sample);
      this.fd = openSync(this.temporary, 'wx+', PRIVATE);
    } catch (error) {
      throw systemError(error, 'write', path);
    }
    // Entries may come in for days. Only the time stamp shows builds on other machines that this one is alive.
    this.#renewing = setInterval(() => this.#renew(), RENEWAL).unref();
  }

  /** Whether all that was written was forced to the disk, as far as that was tried. */
  get synced(): boolean {
    return this.#synced;
  }

  /** How the file took its name. */
  get published(): Published {
    return this.#published;
  }

  /** Starts to make what was written durable, in the background; {@link publish} waits for what is left. */
  async sync(): Promise<void> {
    try {
      await promisify(fsync)(this.fd);
    } catch (error) {
      this.#refuseUnlessForbidden(error);
    }
  }

  /** Node's permission model forbids `fsync` of any file, also of those that may be written. */
  #refuseUnlessForbidden(error: unknown): void {
    if ((error as NodeJS.ErrnoException).code !== FORBIDDEN) throw error;
    this.#synced = false;
  }

  /** Makes the file durable and visible. */
  publish(): void {
    try {
      this.#giveAccess();
      try {
        fsyncSync(this.fd);
      } catch (error) {
        this.#refuseUnlessForbidden(error);
      }
      // Windows cannot rename an open file. Elsewhere it stays open as long as it has its temporary name: that tells
      // other threads of this process that a build is using it.
      if (process.platform === 'win32') this.#close();
      const unique = this.temporary.slice(0, -TEMPORARY.length);
      if (this.#overwrite) this.#published = replaceFile(this.temporary, this.target, unique);
      else linkNew(this.temporary, this.target);
      this.#close();
      if (process.platform === 'win32') removeLeftovers(dirname(this.target), basename(this.target));
    } catch (error) {
      this.abandon();
      if ((error as NodeJS.ErrnoException).code === 'EBUSY') throw busy(this.target, error);
      throw systemError(error, 'write', this.target);
    }
    if (this.#synced) syncFolder(dirname(this.target));
  }

  /**
   * Gives the file the owner, the group and the rights of the one that it replaces. Where the system refuses the group,
   * its rights go: they would be those of another group.
   */
  #giveAccess(): void {
    if (process.platform === 'win32') return;
    const old = statSync(this.target, { throwIfNoEntry: false });
    let mode = old === undefined ? this.#newMode : old.mode & 0o777;
    if (old !== undefined && !this.#belongsTo(old)) mode &= ~0o070;
    try {
      // Node's permission model forbids what takes a descriptor.
      if (isForbidden(() => fchmodSync(this.fd, mode))) chmodSync(this.temporary, mode);
    } catch (error) {
      // A file system that has rights of its own, the same for all of its files, may refuse others.
      if ((fstatSync(this.fd).mode & 0o777) === PRIVATE) throw error;
    }
  }

  /** Whether the file has the group of another one, or could be given it; so with its owner, but that is no matter. */
  #belongsTo({ uid, gid }: Stats): boolean {
    const own = fstatSync(this.fd);
    if (own.uid === uid && own.gid === gid) return true;
    for (const owner of [uid, own.uid]) {
      try {
        fchownSync(this.fd, owner, gid);
        return true;
      } catch {
        // Only root may give a file away; a member of the group may give it to the group.
      }
    }
    return own.gid === gid;
  }

  /** Removes what was written. May be called after {@link publish}, and then does nothing. */
  abandon(): void {
    this.#close();
    removeQuietly(this.temporary);
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    clearInterval(this.#renewing);
    closeQuietly(this.fd);
    removeQuietly(this.#sample);
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

/** The code of what Node's permission model forbids. */
const FORBIDDEN = 'ERR_ACCESS_DENIED';

/** Does something; whether Node's permission model forbids it. */
function isForbidden(act: () => void): boolean {
  try {
    act();
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== FORBIDDEN) throw error;
    return true;
  }
}

/** The error for a file that cannot be replaced because something is mounted there. */
function busy(path: string, cause: unknown): HmapError {
  const reason =
    process.platform === 'win32'
      ? 'another program has it open, and does not share it'
      : 'it cannot be replaced; something else is mounted there, as single files are in containers: mount the folder instead, or build elsewhere and copy';
  return new HmapError('EBUSY', `cannot write ${path}: ${reason}`, { path, reason, cause });
}

/** A path that cannot be a file's, although it would be one's without its end. */
const NAMES_FOLDER = process.platform === 'win32' ? /[\\/]\.?$/ : /\/\.?$/;

/** Rights of a file that only its owner may read and write. */
export const PRIVATE = 0o600;

/**
 * The rights that the system gives to a new file here, by the process's mask or by the folder: those of a file that is
 * made and removed, since to ask for the mask sets it for a moment.
 */
function usualMode(path: string): number {
  // There are no such rights.
  if (process.platform === 'win32') return PRIVATE;
  const fd = openSync(path, 'wx');
  try {
    return fstatSync(fd).mode & 0o777;
  } finally {
    closeQuietly(fd);
    removeQuietly(path);
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Not there any more, or the next build of the same output removes it.
  }
}

/** For what is synced, or no longer needed. */
function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // Nothing depends on it.
  }
}

function exists(path: string): HmapError {
  return new HmapError('HMAP_OUTPUT_EXISTS', `${path} exists already`, { path });
}

function existing(target: string, path: string): Stats | undefined {
  try {
    const found = statSync(target, { throwIfNoEntry: false });
    if (found !== undefined || process.platform !== 'win32') return found;
    const aside = movedAside(target);
    return aside === undefined ? undefined : statSync(aside, { throwIfNoEntry: false });
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
