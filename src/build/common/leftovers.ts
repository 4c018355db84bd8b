// Temporary files beside an output: how they are named, and which of them a killed build has left. Does not know what
// they hold.
//
// A killed build cannot clean up, so the next build of the same output does. It must never take the file of a build
// that is still going on, and such builds may run elsewhere: on another machine, or in a container in which the same
// number is another process. So a name states the process and also where that number has a meaning, its place. For a
// build in another place nobody can say whether its process is alive; only the age of the file tells.

import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ASIDE, isNamedFor, prefixOf, REPLACED } from '../../base/moved-aside.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Milliseconds between two updates of the time stamp of a running build's file; far below the day after which others
 * take the file for a leftover.
 */
export const RENEWAL: number = HOUR;

/**
 * What follows the output's name: process, place (which earlier versions left out), random digits; `.spill` is a second
 * file of the same build, `.old` and `.gone` are what Windows leaves of an output that was in use when it was replaced.
 */
const UNIQUE = /^([1-9]\d{0,9})-(?:([0-9a-f]{8})-)?[0-9a-f]{8}(?:\.tmp(?:\.spill)?|(\.old|\.gone))$/;

/** The first of two names, of a temporary file of an output that has a temporary name itself. */
const TWICE = /^[1-9]\d{0,9}-[0-9a-f]{8}-[0-9a-f]{8}\.tmp\.(?=\d)/;

/** The end of the names of temporary files. */
export const TEMPORARY = '.tmp';

/** A new name for a temporary file of a build of `output`, in the same folder. */
export function temporaryName(output: string): string {
  return `${prefixOf(output)}${process.pid}-${place()}-${randomBytes(4).toString('hex')}${TEMPORARY}`;
}

/**
 * Removes what killed builds of `output` have left in its folder. Ignores failures: a build does not depend on it.
 * @param start of the names of what they may have left
 */
export function removeLeftovers(folder: string, output: string, start: string = prefixOf(output)): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    const unique = isNamedFor(name, start) ? UNIQUE.exec(name.slice(start.length).replace(TWICE, '')) : null;
    if (unique === null) continue;
    const path = join(folder, name);
    try {
      // While the place of the output is empty, the old file is what readers get.
      if (unique[3] === ASIDE && !existsSync(join(folder, output))) continue;
      // No other file can have come under this name in between: names are never used twice.
      if (unique[3] === REPLACED || isLeftover(lstatSync(path), Number(unique[1]), unique[2])) unlinkSync(path);
    } catch {
      // Gone already, or another user's.
    }
  }
}

function isLeftover(stat: Stats, pid: number, where: string | undefined): boolean {
  if (!stat.isFile()) return false;
  const age = Date.now() - stat.mtimeMs;
  if (where !== place()) return age > DAY;
  // After a container restarts, its first process has the same number, and often the same place, as the one that was
  // killed. The minute is for a thread of ours that is about to open its file.
  if (pid === process.pid) return age > MINUTE && !isOpenHere(stat);
  return !isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is another user's process.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Whether a thread of this process may have the file open. */
function isOpenHere({ dev, ino }: Stats): boolean {
  if (!hasProc()) return true;
  const folder = '/proc/self/fd';
  return readdirSync(folder).some((fd) => {
    const open = statSync(join(folder, fd), { throwIfNoEntry: false });
    return open?.dev === dev && open.ino === ino;
  });
}

let known: string | undefined;

/**
 * Tells where this process runs: living processes that have this in common see each other by their numbers. A machine's
 * name is not enough on Linux, where containers may share it, and numbers start anew at a reboot.
 */
function place(): string {
  known ??= createHash('sha256').update(describePlace()).digest('hex').slice(0, 8);
  return known;
}

function describePlace(): string {
  if (!hasProc()) return hostname();
  try {
    return [
      hostname(),
      readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'),
      readlinkSync('/proc/self/ns/pid'),
    ].join();
  } catch {
    // A place of its own, so that nobody concludes anything from the numbers.
    return randomBytes(16).toString('hex');
  }
}

function hasProc(): boolean {
  return process.platform === 'linux' || process.platform === 'android';
}
