// Which mappings work here. Knows nothing of how they do.

import { createRequire } from 'node:module';
import type { MappingKind } from '../../src/index.js';

const require = createRequire(import.meta.url);

function loads(name: string): boolean {
  try {
    require(name);
    return true;
  } catch {
    return false;
  }
}

/** Every kind, and why it is left out here, if it is: what node:test takes as `skip`. */
export const MAPPINGS: readonly (readonly [kind: MappingKind, skip: string | false])[] = [
  ['libc', process.platform !== 'win32' && loads('koffi') ? false : 'koffi does not load'],
  ['mmap-io', loads('mmap-io') ? false : 'mmap-io is not installed'],
  ['copy', false],
];

// CI says so where it has built mmap-io, so that its tests cannot be left out unseen.
if (process.env.HMAP_EXPECT_MMAP_IO && !loads('mmap-io'))
  throw new Error('HMAP_EXPECT_MMAP_IO is set, but mmap-io does not load');

/** The kinds that work here. */
export const WORKING: readonly MappingKind[] = MAPPINGS.filter(([, skip]) => skip === false).map(([kind]) => kind);
