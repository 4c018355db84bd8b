// Small file systems of a test's own, where it may mount some. Knows nothing of what they are for.

import { spawnSync } from 'node:child_process';
import { temporaryFolder } from '../support/temp.js';

/** A test context. */
interface Scope {
  after(undo: () => void): void;
}

function run(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** Mounts a file system in memory until the test is over. `undefined` where that is not allowed. */
export function mountMemory(scope: Scope, options: string): string | undefined {
  let mounted = false;
  const removing: (() => void)[] = [];
  // Before its folder is removed, whatever the order in which a scope calls.
  scope.after(() => {
    if (mounted) run('umount', '-l', folder);
    for (const remove of removing) remove();
  });
  const folder = temporaryFolder({ after: (remove) => removing.push(remove) });
  mounted = process.platform === 'linux' && run('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', folder);
  return mounted ? folder : undefined;
}

/** Makes a mounted file system read-only. */
export function makeReadOnly(folder: string): void {
  if (!run('mount', '-o', 'remount,ro', folder)) throw new Error(`${folder} cannot be made read-only`);
}
