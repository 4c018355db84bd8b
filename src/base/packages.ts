// Where other packages, and files beside this one, are found. Knows how programs are bundled; knows no package.

import { createRequire } from 'node:module';

/**
 * `require` from where this code lies; in a bundle to CommonJS, which does not say where that is, from the program's
 * main file.
 */
export function packageRequire(): NodeJS.Require {
  return createRequire((import.meta.url as string | undefined) ?? process.argv[1] ?? process.execPath);
}
