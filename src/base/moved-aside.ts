// Windows only: a file that is in use cannot be replaced in one step, but it can be moved aside, and the new one moved
// in. Knows how a file is named that was moved aside. native-notes/mapping.md says what crashes leave.

import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What temporary files of an output are called: hidden, and cut so that there is room for the rest: file systems take 255 bytes. */
export function prefixOf(output: string): string {
  let short = output;
  while (Buffer.byteLength(short) > 200) short = short.slice(0, -1);
  // Half of a surrogate pair would come back from the file system as something else.
  return `.${short.toWellFormed()}.`;
}

/** End of the name of a file whose place is empty, or about to be taken: it is still the one that readers should get. */
export const ASIDE = '.old';
/** End of the name of one that has been replaced; nobody needs it. */
export const REPLACED = '.gone';

/** The file that was moved aside from `path` and not replaced yet; `undefined` where there is none. */
export function movedAside(path: string): string | undefined {
  const folder = dirname(path);
  const prefix = prefixOf(basename(path));
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return undefined;
  }
  let newest: { path: string; time: number } | undefined;
  for (const name of names) {
    if (!name.startsWith(prefix) || !UNIQUE.test(name.slice(prefix.length))) continue;
    const found = join(folder, name);
    // Renaming a file sets the time of its last change of status.
    const time = statSync(found, { throwIfNoEntry: false })?.ctimeMs;
    if (time !== undefined && (newest === undefined || time > newest.time)) newest = { path: found, time };
  }
  return newest?.path;
}

const UNIQUE = /^\d+-[0-9a-f]{8}-[0-9a-f]{8}\.old$/;
