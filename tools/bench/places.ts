// Where the bench's own files are. The program runs from dist, where its sources, package file and C program are not.

import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** The folder with the bench's sources. */
export const BENCH = fileURLToPath(new URL('../../../tools/bench/', import.meta.url));
/** Data, tables, packages and results; not in the repository. */
export const CACHE = fileURLToPath(new URL('../../../tools/bench/cache/', import.meta.url));
/** The command of the product. */
export const HMAP = fileURLToPath(new URL('../../bin/hmap.js', import.meta.url));
