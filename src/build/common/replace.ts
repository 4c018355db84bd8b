// Gives a finished file its name, in place of an old one. Knows what Windows refuses while the old one is in use.

import { linkSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { toNamespacedPath } from 'node:path';
import { isKoffi, type Koffi, loadKoffi } from '../../base/koffi.js';
import { ASIDE, REPLACED } from '../../base/moved-aside.js';

/**
 * How a file took its name. `renamed`: in one step. On Windows, where a file that is in use cannot be renamed over:
 * `renamed-posix`, in one step, by a rename as POSIX has it (NTFS, from Windows 10 1607 on); `moved-aside`, in two: the
 * old file got another name, and the next build removes it.
 */
export type Published = 'renamed' | 'renamed-posix' | 'moved-aside';

/**
 * Renames `from` to `to`, whatever is there.
 * @param unique a path beside `to` that nobody uses, without an end
 */
export function replaceFile(from: string, to: string, unique: string): Published {
  if (process.platform !== 'win32') {
    renameSync(from, to);
    return 'renamed';
  }
  if (renamePosix(from, to)) return 'renamed-posix';
  try {
    renameSync(from, to);
    return 'renamed';
  } catch (error) {
    if (!isInUse(error) || !statSync(to, { throwIfNoEntry: false })?.isFile()) throw error;
  }
  moveAside(from, to, unique);
  return 'moved-aside';
}

/** What Node says of a file that is open or mapped; which of these depends on its version. */
const IN_USE = ['EPERM', 'EACCES', 'EBUSY'];

function isInUse(error: unknown): boolean {
  return IN_USE.includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Between the two steps, and if the process ends there, readers find the old file by its other name. */
function moveAside(from: string, to: string, unique: string): void {
  const aside = `${unique}${ASIDE}`;
  renameSync(to, aside);
  try {
    renamePatiently(from, to);
  } catch (error) {
    putBack(aside, to);
    throw error;
  }
  const replaced = `${unique}${REPLACED}`;
  try {
    renameSync(aside, replaced);
    unlinkSync(replaced);
  } catch {
    // Somebody has it mapped; the next build removes it.
  }
}

/** Unless another build has put its file there meanwhile. */
function putBack(aside: string, to: string): void {
  try {
    linkSync(aside, to);
    unlinkSync(aside);
  } catch {
    // A newer file is there, or readers go on with the one that was moved aside.
  }
}

/** Scanners of viruses open a new file for a moment, and nobody can rename it then. */
function renamePatiently(from: string, to: string): void {
  for (let attempt = 1; ; attempt++) {
    try {
      renameSync(from, to);
      return;
    } catch (error) {
      if (!isInUse(error) || attempt === ATTEMPTS) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
  }
}

const ATTEMPTS = 10;
/** Milliseconds. */
const PAUSE = 20;

const DELETE_SYNCHRONIZE = 0x0011_0000;
const SHARE_ALL = 7;
const OPEN_EXISTING = 3;
const FILE_RENAME_INFO_EX = 22;
const REPLACE_IF_EXISTS = 1;
const POSIX_SEMANTICS = 2;
const IGNORE_READONLY = 0x40;
const NO_HANDLE = 2n ** 64n - 1n;

interface Kernel {
  createFile(
    path: string,
    access: number,
    share: number,
    security: null,
    mode: number,
    flags: number,
    template: null,
  ): bigint;
  setInformation(file: bigint, kind: number, information: Uint8Array, size: number): number;
  closeHandle(handle: bigint): number;
}

let loaded: Kernel | null | undefined;

function kernelOf(koffi: Koffi): Kernel {
  const kernel = koffi.load('kernel32.dll');
  return {
    createFile: kernel.func('void *CreateFileW(str16, uint32_t, uint32_t, void *, uint32_t, uint32_t, void *)'),
    setInformation: kernel.func('int SetFileInformationByHandle(void *, int, const void *, uint32_t)'),
    closeHandle: kernel.func('int CloseHandle(void *)'),
  };
}

function loadKernel(): Kernel | null {
  const koffi = loadKoffi();
  try {
    return isKoffi(koffi) ? kernelOf(koffi) : null;
  } catch {
    return null;
  }
}

/** Whether the system, its file system and what else holds the old file allowed it. */
function renamePosix(from: string, to: string): boolean {
  loaded ??= loadKernel();
  if (loaded === null) return false;
  const file = loaded.createFile(toNamespacedPath(from), DELETE_SYNCHRONIZE, SHARE_ALL, null, OPEN_EXISTING, 0, null);
  if (file === null || file === NO_HANDLE) return false;
  try {
    const { setInformation } = loaded;
    // Older versions know no files that are marked as read-only, and refuse the flag.
    return [IGNORE_READONLY, 0].some((flag) => {
      const information = renameInformation(toNamespacedPath(to), flag);
      return setInformation(file, FILE_RENAME_INFO_EX, information, information.length) !== 0;
    });
  } finally {
    loaded.closeHandle(file);
  }
}

/** FILE_RENAME_INFO of <winbase.h>: flags, a folder's handle (none), the length of the name in bytes, the name. */
function renameInformation(to: string, flag: number): Uint8Array {
  const name = Buffer.from(to, 'utf16le');
  const information = Buffer.alloc(20 + name.length + 2);
  information.writeUInt32LE(REPLACE_IF_EXISTS | POSIX_SEMANTICS | flag, 0);
  information.writeUInt32LE(name.length, 16);
  name.copy(information, 20);
  return information;
}
