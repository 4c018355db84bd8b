// Packages that some formats need, and that nobody installs with this one. Knows where they may lie.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HmapError } from '../../src/index.js';

/**
 * A package that the user has installed: beside this one, or in the project at hand.
 * @throws {HmapError} `HMAP_INPUT` if there is none
 */
export async function loadOptional<T>(name: string, what: string): Promise<T> {
  try {
    return (await import(name)) as T;
  } catch {
    // Perhaps the program is installed for all, and the package for one project.
  }
  try {
    const path = createRequire(pathToFileURL(join(process.cwd(), 'package.json'))).resolve(name);
    return (await import(pathToFileURL(path).href)) as T;
  } catch (cause) {
    const message = `${what} needs the package ${name}, which is not installed here: npm install ${name}`;
    throw new HmapError('HMAP_INPUT', message, { cause });
  }
}
