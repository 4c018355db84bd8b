// koffi's binary as the package brings it, for what benches ask of the system.

import { createRequire } from 'node:module';

interface Koffi {
  load(name: null): { func(prototype: string): (...args: readonly unknown[]) => unknown };
}

/** @throws {Error} where it is not installed */
export function loadKoffi(): Koffi {
  return createRequire(import.meta.url)(`@koromix/koffi-${process.platform}-${process.arch}`) as Koffi;
}
