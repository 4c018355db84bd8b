// Stands between the library and node:fs in this process. Knows the calls by name; does not know what to do with them.

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** Calls of node:fs with which builds work. */
export const CALLS = [
  'closeSync',
  'fchmodSync',
  'fsync',
  'fsyncSync',
  'ftruncateSync',
  'linkSync',
  'lstatSync',
  'openSync',
  'readdirSync',
  'readSync',
  'renameSync',
  'unlinkSync',
  'writeSync',
] as const;
export type Call = (typeof CALLS)[number];

type Function = (...args: unknown[]) => unknown;

/** Has `instead` called for each of these calls; `go` is what was asked for. Returns what ends this. */
export function intercept(
  calls: readonly Call[],
  instead: (call: Call, args: unknown[], go: Function) => unknown,
): () => void {
  const patched = fs as unknown as Record<Call, Function>;
  const originals = calls.map((call) => patched[call]);
  for (const [i, call] of calls.entries()) {
    patched[call] = (...args) => instead(call, args, originals[i]!);
  }
  syncBuiltinESMExports();
  return () => {
    for (const [i, call] of calls.entries()) patched[call] = originals[i]!;
    syncBuiltinESMExports();
  };
}
