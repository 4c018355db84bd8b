// Where other packages, and files beside this one, are found. Knows how programs are bundled; knows no package.

import type { createRequire } from 'node:module';

/**
 * `require` from where this code lies; in a bundle to CommonJS, which does not say where that is, from the program's
 * main file. Bundlers do not see it: webpack, which follows `createRequire`, would put nothing in its place.
 */
export function packageRequire(): NodeJS.Require {
  const module = process.getBuiltinModule('node:module') as { createRequire: typeof createRequire };
  return module.createRequire((import.meta.url as string | undefined) ?? process.argv[1] ?? process.execPath);
}
