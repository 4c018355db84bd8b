// What a row of the table of platforms is.

import type { Found } from './smoke.js';

export interface Row {
  /** By which it can be chosen, and what its part of the table is called. */
  readonly group: 'Node' | 'package managers' | 'bundlers and test runners' | 'systems' | 'other runtimes';
  readonly name: string;
  /** The system, the runtime, and how the package came there. */
  readonly system: string;
  readonly runtime: string;
  readonly by: string;
  /** The mapping that must be found; more than one where it depends on the runtime. */
  readonly mapping: readonly string[];
  try(): Promise<Found>;
}

/** What a row's program found that has checks of its own, in the form of the suite. */
export function checked(mapping: string, checks: Record<string, boolean>, reason?: string): Found {
  const failed = Object.entries(checks).filter(([, holds]) => !holds);
  return {
    mapping,
    ...(reason !== undefined && { reason }),
    passed: Object.keys(checks).length - failed.length,
    failed: failed.map(([name]) => ({ name, message: 'does not hold' })),
  };
}

/** Makes rows of a group that run on Linux with the Node of .ci/matrix. */
export function rowsOf(group: Row['group']) {
  return (name: string, by: string, attempt: () => Promise<Found>, mapping: readonly string[] = ['libc']): Row => ({
    group,
    name,
    system: 'Linux x64',
    runtime: 'Node 20',
    by,
    mapping,
    try: attempt,
  });
}
