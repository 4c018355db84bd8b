// The foreign function interface koffi: where its binary is found, and what of it is used here. Knows no function of
// any library.

import { createRequire } from 'node:module';
import { packageRequire } from './packages.js';

/** Defined in what webpack has made, which leaves out what stands behind a question for it. */
declare const __webpack_require__: unknown;

/**
 * A binary by its path, for programs of which a tool has kept only the files that they are seen to need: it sees names
 * that stand in full, in this form.
 */
function tracedBinary(): unknown {
  if (typeof __webpack_require__ === 'undefined') {
    const require = createRequire(import.meta.url);
    switch (HERE) {
      case 'linux-x64':
        try {
          return require('@koromix/koffi-linux-x64/linux_x64/koffi.node');
        } catch {
          return require('@koromix/koffi-linux-x64/musl_x64/koffi.node');
        }
      case 'linux-arm64':
        try {
          return require('@koromix/koffi-linux-arm64/linux_arm64/koffi.node');
        } catch {
          return require('@koromix/koffi-linux-arm64/musl_arm64/koffi.node');
        }
      case 'darwin-x64':
        return require('@koromix/koffi-darwin-x64/darwin_x64/koffi.node');
      case 'darwin-arm64':
        return require('@koromix/koffi-darwin-arm64/darwin_arm64/koffi.node');
      case 'win32-x64':
        return require('@koromix/koffi-win32-x64/win32_x64/koffi.node');
      case 'win32-arm64':
        return require('@koromix/koffi-win32-arm64/win32_arm64/koffi.node');
    }
  }
  return undefined;
}

/**
 * The end of the names of koffi's packages with binaries. These have no install script; `koffi` itself, which has one,
 * adds warnings of deprecation and older names.
 */
const HERE = `${process.platform}-${process.arch}`;

/** The part of koffi's interface that is used here. */
export interface Koffi {
  readonly version: string;
  /** @param name of a library; `null`: what the process has loaded already */
  load(name: string | null): { func(prototype: string): (...args: never[]) => never };
  sizeof(type: string): number;
  address(bytes: Uint8Array): bigint;
  view(address: bigint, length: number): ArrayBuffer;
  errno(): number;
}

const FUNCTIONS = ['load', 'sizeof', 'address', 'view', 'errno'] as const satisfies readonly (keyof Koffi)[];

/** Why koffi cannot be used. */
export interface NoKoffi {
  readonly message: string;
  readonly cause: unknown;
}

let loaded: Koffi | NoKoffi | undefined;

/** koffi, or why it does not load. Loading costs 3 to 4 ms, once. */
export function loadKoffi(): Koffi | NoKoffi {
  loaded ??= find();
  return loaded;
}

export function isKoffi(result: Koffi | NoKoffi): result is Koffi {
  return 'load' in result;
}

function find(): Koffi | NoKoffi {
  let cause: unknown;
  // The first knows whether the C library is musl; the last is for other systems.
  const packaged = () => packageRequire()(`@koromix/koffi-${HERE}`);
  for (const load of [packaged, tracedBinary, () => packageRequire()('koffi')]) {
    try {
      const found = load() as Koffi | undefined;
      if (found === undefined) continue;
      if (FUNCTIONS.every((name) => typeof found[name] === 'function')) return found;
      cause ??= new Error(`koffi ${found.version} has other functions than those that hmap knows`);
    } catch (error) {
      // Not installed, no binary for this platform, or a runtime that forbids native code.
      cause ??= error;
    }
  }
  const forbidden = (cause as NodeJS.ErrnoException | undefined)?.code === 'ERR_DLOPEN_DISABLED';
  const message = forbidden
    ? 'native packages are forbidden here (--no-addons, or --permission without --allow-addons)'
    : 'koffi does not load here';
  return { message, cause };
}
