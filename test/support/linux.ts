// Block devices, read-only file systems and memory limits: what only Linux has and mostly root alone may make. Each
// goes with its test, and if there is none the test is skipped. Knows nothing of tables.

import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** What `make` gives, or `undefined` where it fails, and the test is then skipped with the reason. */
function made<T>(t: TestContext, what: string, make: () => T): T | undefined {
  try {
    if (process.platform === 'linux') return make();
    t.skip(`${what}: only on Linux`);
  } catch (error) {
    t.skip(`${what}: ${(error as Error).message.trim().replace(/\s*\n\s*/g, '; ')}`);
  }
  return undefined;
}

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

/** A block device that shows the bytes of a file, by 512. */
export function loopDevice(t: TestContext, image: string): string | undefined {
  return made(t, 'no loop device', () => {
    const device = run('losetup', '--find', '--show', '--read-only', image);
    let fd: number | undefined;
    try {
      fd = openSync(device, 'r');
    } finally {
      // While it is open it stays; the system takes it away when the last one closes it, however this process ends.
      run('losetup', '--detach', device);
    }
    t.after(() => closeSync(fd));
    return device;
  });
}

/** Mounts a file system in memory at a folder, lets `fill` write to it, and makes it read-only. */
export function readOnlyPlace(t: TestContext, folder: string, fill: () => void): true | undefined {
  return made(t, 'no mount', () => {
    run('mount', '-t', 'tmpfs', '-o', 'size=16m', 'hmap-test', folder);
    // Lazily: something may be mapped until it is collected.
    t.after(() => run('umount', '--lazy', folder));
    fill();
    run('mount', '-o', 'remount,ro', folder);
    return true;
  });
}

/** A cgroup with a limit of memory, the page cache that its processes bring in included. */
export interface MemoryGroup {
  /** The list of its processes. */
  readonly processes: string;
  /** How often it reached its limit, and how many of its processes were killed for that. */
  counts(): { reached: number; killed: number };
}

let groups = 0;

export function memoryGroup(t: TestContext, limit: number): MemoryGroup | undefined {
  return made(t, 'no memory cgroup', () => {
    const v1 = existsSync('/sys/fs/cgroup/memory/memory.limit_in_bytes');
    const root = v1 ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup';
    const group = join(root, ownGroup(v1), `hmap-test-${process.pid}-${groups++}`);
    mkdirSync(group);
    t.after(() => rmdirSync(group));
    writeFileSync(join(group, v1 ? 'memory.limit_in_bytes' : 'memory.max'), `${limit}`);
    const count = (file: string, name: string) =>
      Number(new RegExp(`^${name}(\\d+)$`, 'm').exec(readFileSync(join(group, file), 'utf8'))![1]);
    return {
      processes: join(group, 'cgroup.procs'),
      counts: () => ({
        reached: v1 ? count('memory.failcnt', '') : count('memory.events', 'max '),
        killed: count(v1 ? 'memory.oom_control' : 'memory.events', 'oom_kill '),
      }),
    };
  });
}

/**
 * The group in which this process is; its limits hold for groups within. In version 2 only an empty group, or the root,
 * may have such.
 */
function ownGroup(v1: boolean): string {
  if (!v1) return '';
  return /^\d+:([^:]*,)?memory(,[^:]*)?:(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[3] ?? '';
}
