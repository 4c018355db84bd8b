// Windows only: a file that is in use cannot be replaced in one step, but it can be moved aside, and the new one moved
// in. Knows how a file is named that was moved aside. native-notes/mapping.md says what crashes leave.

import { createHash } from 'node:crypto';
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/**
 * How the names of temporary files of an output begin: hidden, and short enough for the rest, since file systems take
 * 255 bytes. Of a long name, a hash tells it from others that begin alike.
 */
export function prefixOf(output: string): string {
  let short = output;
  while (Buffer.byteLength(short) > MOST) short = short.slice(0, -1);
  const hash = short === output ? '' : `~${createHash('sha256').update(output).digest('hex').slice(0, 8)}`;
  // Half of a surrogate pair would come back from the file system as something else.
  return `.${short.toWellFormed()}${hash}.`;
}

/** Bytes. */
const MOST = 190;

/** Whether a name begins so, as the system compares names. */
export function isNamedFor(name: string, prefix: string): boolean {
  if (process.platform !== 'win32') return name.startsWith(prefix);
  return name.slice(0, prefix.length).toLowerCase() === prefix.toLowerCase();
}

/** End of the name of a file whose place is empty, or about to be taken: it is still the one that readers should get. */
export const ASIDE = '.old';
/** End of the name of one that has been replaced; nobody needs it. */
export const REPLACED = '.gone';

/** The file that was moved aside from `path` and not replaced yet; `undefined` where there is none. */
export function movedAside(path: string): string | undefined {
  const place = linkedFrom(path);
  const folder = dirname(place);
  const prefix = prefixOf(basename(place));
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return undefined;
  }
  let newest: { path: string; time: number } | undefined;
  for (const name of names) {
    if (!isNamedFor(name, prefix) || !UNIQUE.test(name.slice(prefix.length))) continue;
    const found = join(folder, name);
    // Renaming a file sets the time of its last change of status.
    const time = statSync(found, { throwIfNoEntry: false })?.ctimeMs;
    if (time !== undefined && (newest === undefined || time > newest.time)) newest = { path: found, time };
  }
  return newest?.path;
}

/** Where a link leads; the path itself if it is none. */
function linkedFrom(path: string): string {
  try {
    return resolve(dirname(path), readlinkSync(path));
  } catch {
    return path;
  }
}

const UNIQUE = /^\d+-[0-9a-f]{8}-[0-9a-f]{8}\.old$/;
