// The foreign function interface koffi: where its binary is found, and what of it is used here. Knows no function of
// any library.

import { packageRequire } from '../base/packages.js';
import type { MappingReason } from './mapping.js';

const require = packageRequire();

/**
 * The packages with koffi's binaries, which have no install script; `koffi` itself, which has one, is not needed. What
 * it adds to the binary are warnings of deprecation and older names. The names stand here in full for tools that trace
 * which files a program needs.
 */
const BINARIES: Partial<Record<string, () => unknown>> = {
  'linux-x64': () => require('@koromix/koffi-linux-x64'),
  'linux-arm64': () => require('@koromix/koffi-linux-arm64'),
  'darwin-x64': () => require('@koromix/koffi-darwin-x64'),
  'darwin-arm64': () => require('@koromix/koffi-darwin-arm64'),
  'win32-x64': () => require('@koromix/koffi-win32-x64'),
  'win32-arm64': () => require('@koromix/koffi-win32-arm64'),
};

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

let loaded: Koffi | MappingReason | undefined;

/** koffi, or why it does not load. Loading costs 5 to 12 ms, once. */
export function loadKoffi(): Koffi | MappingReason {
  loaded ??= find();
  return loaded;
}

export function isKoffi(result: Koffi | MappingReason): result is Koffi {
  return 'load' in result;
}

function find(): Koffi | MappingReason {
  let cause: unknown;
  for (const load of [BINARIES[`${process.platform}-${process.arch}`], () => require('koffi')]) {
    try {
      const found = load?.() as Koffi | undefined;
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
  return { code: 'HMAP_NO_PACKAGE', message, cause };
}
