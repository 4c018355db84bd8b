// Opens a file for reading and checks its header. Costs the same for every size of file. Knows nothing of what is done
// with it.

import { closeSync, constants, existsSync, fstatSync, openSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { HmapError, systemError } from '../base/errors.js';
import { readBytes } from '../base/fs.js';
import { movedAside } from '../base/moved-aside.js';
import { PAGE } from '../format/constants.js';
import type { Header } from '../format/header.js';
import { MANIFEST } from '../format/manifest.js';
import { parseHeader } from '../format/parse-header.js';
import { checkPreamble } from '../format/preamble.js';

/** An open file whose header has been checked; the holder closes `fd`. */
export interface OpenFile {
  readonly path: string;
  readonly fd: number;
  readonly header: Header;
}

/**
 * Opens `path` and hands it to `use`; the file is closed afterwards, whatever happens.
 * @throws {HmapError} naming what does not fit; the operating system's own code if it refuses
 */
export function withFile<T>(path: string, use: (file: OpenFile) => T): T {
  const fd = openForReading(path);
  try {
    return use({ path, fd, header: readHeader(fd, path) });
  } catch (error) {
    throw systemError(error, 'read', path);
  } finally {
    closeSync(fd);
  }
}

/** The header of a file. Throws as {@link withFile} does. */
export function fileHeader(path: string): Header {
  return withFile(path, ({ header }) => header);
}

/** {@link withFile} for work that takes its time. */
export async function withFileAsync<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
  const fd = openForReading(path);
  try {
    return await use({ path, fd, header: readHeader(fd, path) });
  } catch (error) {
    throw systemError(error, 'read', path);
  } finally {
    closeSync(fd);
  }
}

/** Opens a regular file or a block device. Never waits, as opening a FIFO would. */
export function openForReading(path: string): number {
  if (endianness() !== 'LE') {
    throw new HmapError('HMAP_PLATFORM', 'hmap needs a little-endian processor', { expected: 'LE', actual: 'BE' });
  }
  let fd: number | undefined;
  try {
    fd = openOrMovedAside(path);
    const stat = fstatSync(fd);
    if (stat.isFile() || stat.isBlockDevice()) return fd;
    const what = stat.isDirectory() ? folderAt(path) : 'no regular file';
    throw new HmapError(stat.isDirectory() ? 'EISDIR' : 'HMAP_NOT_A_TABLE', `cannot open ${path}: it is ${what}`, {
      path,
    });
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    throw systemError(error, 'open', path);
  }
}

/** What a folder is, and how its shards are reached where it has some. */
function folderAt(path: string): string {
  if (!existsSync(join(path, MANIFEST))) return 'a folder';
  return 'a folder of shards: name one of its files, or make one table of them with hmap join';
}

/** On Windows the place of a file may be empty for a moment, or after a crash, while a build replaces it. */
function openOrMovedAside(path: string): number {
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
  if (process.platform !== 'win32') return openSync(path, flags);
  for (let attempt = 1; ; attempt++) {
    try {
      return openSync(path, flags);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === ATTEMPTS) throw error;
    }
    const aside = movedAside(path);
    // The new file may have come meanwhile.
    if (aside === undefined) return openSync(path, flags);
    try {
      return openSync(aside, flags);
    } catch {
      // It has been replaced meanwhile.
    }
  }
}

/** More replacements than this within one call are no accident. */
const ATTEMPTS = 10;

/**
 * Reads and checks the header of an open file.
 * @param size whether the file must end where the header says; a block device may be longer
 */
export function readHeader(fd: number, path: string, size: 'exact size' | 'any size' = 'exact size'): Header {
  const stat = fstatSync(fd);
  const fileBytes = stat.isFile() ? stat.size : Number.MAX_SAFE_INTEGER;
  const start = readBytes(fd, 0, Math.min(PAGE, fileBytes));
  const headerBytes = checkPreamble(start, fileBytes, path);
  const bytes = headerBytes === PAGE ? start : readBytes(fd, 0, headerBytes);
  // A device that ends within the header; its size shows only where reading ends.
  if (bytes.length < headerBytes) checkPreamble(start, bytes.length, path);
  if (stat.isFile()) return parseHeader(bytes, size === 'exact size' ? fileBytes : undefined, path);
  const header = parseHeader(bytes, undefined, path);
  // Touching a mapped page past the end of a device would end the process.
  if (!hasByte(fd, header.fileBytes - 1)) parseHeader(bytes, endOf(fd, header.fileBytes), path);
  return header;
}

/** Where an open device that is shorter than `limit` ends. Reads a few dozen single bytes. */
function endOf(fd: number, limit: number): number {
  let [least, most] = [0, limit];
  while (least < most) {
    const middle = Math.floor((least + most) / 2);
    if (hasByte(fd, middle)) least = middle + 1;
    else most = middle;
  }
  return least;
}

function hasByte(fd: number, offset: number): boolean {
  return readBytes(fd, offset, 1).length === 1;
}
