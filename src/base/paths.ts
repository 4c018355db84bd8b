// Paths that stay right when the working directory changes. Knows nothing of what is there.

import { statSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';

/**
 * The absolute form of a path; the path itself where no absolute one leads there: the working directory has been
 * removed, or has a name that is not UTF-8, or lies in a folder that may not be searched. Costs two system calls for a
 * relative path.
 */
export function absolutePath(path: string): string {
  if (isAbsolute(path)) return resolve(path);
  let whole: string;
  try {
    whole = resolve(path);
  } catch {
    // There is no working directory.
    return path;
  }
  return isSameFolder(dirname(whole), dirname(path)) ? whole : path;
}

export function isSameFolder(a: string, b: string): boolean {
  try {
    const [one, other] = [statSync(a, { bigint: true }), statSync(b, { bigint: true })];
    return one.dev === other.dev && one.ino === other.ino;
  } catch {
    return false;
  }
}
