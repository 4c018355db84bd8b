// Where the path of an output leads: through which links, and whether these may be followed. Knows paths; knows nothing
// of what is put there.

import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { HmapError, systemError } from '../../base/errors.js';
import { absolutePath, isSameFolder } from '../../base/paths.js';

/**
 * Where a file that is given as the output will be: what a symbolic link points to is replaced, and the link stays.
 * @throws {HmapError} the system's code; `EACCES` for a link that another user may have planted
 */
export function targetOf(path: string): string {
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
    end = realPlace(isAbsolute(link) ? link : join(dirname(end), link));
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
  for (let folder = dirname(absolutePath(path)); folder !== dirname(folder); folder = dirname(folder)) {
    if (linkAt(folder) !== undefined) needTrusted(folder, path);
  }
}

/** The path with its folder as it really is, since `..` and links in it start from there. */
function realPlace(path: string): string {
  const folder = dirname(path);
  try {
    // The system's own: the other one resolves `..` in the text, before it follows links.
    const real = realpathSync.native(folder);
    if (isSameFolder(real, folder)) return join(real, basename(path));
  } catch {
    // What is wrong with the folder shows when the temporary file is made.
  }
  return absolutePath(path);
}
