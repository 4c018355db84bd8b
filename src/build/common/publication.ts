// Puts a finished file in place of an old one in one step. Knows nothing of what the file holds.

import {
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
  /** A file that showed which rights a new one gets here; removed at once, if the system lets us. */
  readonly #sample: string;
  /** Access rights of a file where there was none. */
  readonly #newMode: number;
  readonly #renewing: NodeJS.Timeout;
  #open = true;

  /**
   * @throws {HmapError} `HMAP_OUTPUT_EXISTS` when there is a file and `overwrite` is false; the system's code when it
   * refuses
   */
  constructor(path: string, overwrite: boolean) {
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
    removeLeftovers(folder, name);
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

  /** Starts to make what was written durable, in the background; {@link publish} waits for what is left. */
  async sync(): Promise<void> {
    await promisify(fsync)(this.fd);
  }

  /** Makes the file durable and visible. */
  publish(): void {
    try {
      this.#giveAccess();
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
      fchmodSync(this.fd, mode);
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

/** {@link resolveLink} with the system's errors as ours. */
function targetOf(path: string): string {
  try {
    return resolveLink(path);
  } catch (error) {
    throw systemError(error, 'write', path);
  }
}

/**
 * Where a path leads, free of symbolic links and of the working directory, which may change during a build; also when
 * there is nothing yet at its end.
 */
function resolveLink(path: string): string {
  needTrustedFolders(path);
  let end = realPlace(path);
  // The bound is Linux's own; a longer chain, or a loop, is an error of the system when the file is made.
  for (let links = 0; links < 40; links++) {
    const link = linkAt(end);
    if (link === undefined) break;
    needTrusted(end, path);
    end = realPlace(resolve(dirname(end), link));
  }
  return end;
}

/** What a symbolic link says; `undefined` where there is none. */
function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/**
 * Refuses a symbolic link that another user may have planted: in a folder that everybody can write to, one that belongs
 * neither to this process's user nor to the folder's owner. Linux does so by itself when it follows links
 * (fs.protected_symlinks), but these are followed here.
 * @param path as it was given
 */
function needTrusted(link: string, path: string): void {
  const user = process.geteuid?.();
  if (user === undefined) return;
  const { uid } = lstatSync(link);
  const folder = statSync(dirname(link));
  const isShared = (folder.mode & STICKY) !== 0 && (folder.mode & 0o002) !== 0;
  if (!isShared || uid === user || uid === folder.uid) return;
  const reason = `${link} is a symbolic link that another user has put into a folder that everybody can write to`;
  throw new HmapError('EACCES', `cannot write ${path}: ${reason}`, { path, reason });
}

const STICKY = 0o1000;

/** {@link needTrusted} of each folder of a path that is a link. */
function needTrustedFolders(path: string): void {
  for (let folder = dirname(resolve(path)); folder !== dirname(folder); folder = dirname(folder)) {
    if (linkAt(folder) !== undefined) needTrusted(folder, path);
  }
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
