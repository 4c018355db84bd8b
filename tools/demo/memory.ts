// The physical memory of this process. Knows /proc; does not know what the memory holds.

import { readFileSync } from 'node:fs';

/** Bytes. */
export interface Memory {
  /** Proportional set size: a page that n processes share counts as 1/n. `undefined` if the system does not say. */
  pss: number | undefined;
  /** Pages that no other process shares. `undefined` if the system does not say. */
  private: number | undefined;
  /** Resident set size: every page counts in full, however many share it. */
  rss: number;
  /** Objects alive on the JavaScript heap. */
  heap: number;
}

/**
 * Measures what is left after two collections: the second gives back what the first has emptied. Needs --expose-gc for
 * that.
 */
export function measureMemory(): Memory {
  globalThis.gc?.();
  globalThis.gc?.();
  const rollup = readRollup('self');
  const clean = field(rollup, 'Private_Clean');
  const dirty = field(rollup, 'Private_Dirty');
  return {
    pss: field(rollup, 'Pss'),
    private: clean === undefined || dirty === undefined ? undefined : clean + dirty,
    rss: process.memoryUsage.rss(),
    heap: process.memoryUsage().heapUsed,
  };
}

/** The proportional set size of a process, in bytes; `undefined` if the system does not say. */
export function pssOf(pid: number | 'self'): number | undefined {
  return field(readRollup(pid), 'Pss');
}

function readRollup(pid: number | 'self'): string {
  try {
    return readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  } catch {
    // No Linux, or one that hides it.
    return '';
  }
}

function field(rollup: string, name: string): number | undefined {
  const kilobytes = new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(rollup)?.[1];
  return kilobytes === undefined ? undefined : 1024 * Number(kilobytes);
}
