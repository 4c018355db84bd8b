// Which mappings work here. Knows nothing of how they do.

import { createRequire, isBuiltin } from 'node:module';
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

const SYSTEM = `${process.platform}-${process.arch}`;

/** Whether this Node has node:ffi without being asked; loading it would warn. */
export const HAS_FFI = isBuiltin('node:ffi');

/** Every kind, and why it is left out here, if it is: what node:test takes as `skip`. */
export const MAPPINGS: readonly (readonly [kind: MappingKind, skip: string | false])[] = [
  ['windows', process.platform === 'win32' && loads(`@koromix/koffi-${SYSTEM}`) ? false : 'not on Windows'],
  ['libc', process.platform !== 'win32' && loads(`@koromix/koffi-${SYSTEM}`) ? false : 'koffi does not load'],
  ['ffi', HAS_FFI && process.platform !== 'win32' ? false : 'this Node has no node:ffi'],
  ['mmap-io', loads('mmap-io') ? false : 'mmap-io is not installed'],
  ['copy', false],
];

// CI says so where it has built mmap-io, so that its tests cannot be left out unseen.
if (process.env.HMAP_EXPECT_MMAP_IO && !loads('mmap-io'))
  throw new Error('HMAP_EXPECT_MMAP_IO is set, but mmap-io does not load');

/** The kinds that work here. */
export const WORKING: readonly MappingKind[] = MAPPINGS.filter(([, skip]) => skip === false).map(([kind]) => kind);
