// Finds the package's folder, wherever the tests were compiled to. Knows nothing of what is in it.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The folder of the package.json named `hmap`: above this file, or what HMAP_ROOT says where the build lies elsewhere.
 */
export const PACKAGE_ROOT = findRoot(dirname(fileURLToPath(import.meta.url)));

/** The library as users get it, which child processes and threads import. */
export const LIBRARY_URL = new URL('../../lib/index.js', import.meta.url);

function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'hmap') return folder;
    if (dirname(folder) === folder) break;
  }
  const given = process.env.HMAP_ROOT;
  if (given === undefined) throw new Error(`no package.json named hmap above ${start}, and HMAP_ROOT is not set`);
  return given;
}
