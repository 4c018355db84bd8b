// What explaining a lookup gives, for every layout, and the time that its steps take. Looks nothing up.

import type { Layout } from '../format/constants.js';
import type { TouchedBlock, TouchedPage } from './footprint.js';

/** One step of a lookup. */
export interface LookupStep {
  readonly name: string;
  /** What was computed or read: numbers, offsets in the file, and texts such as `0x59c1def0`. */
  readonly facts: Readonly<Record<string, number | string>>;
  /** How long it took here, once; a lookup in an open table does it all in less. */
  readonly microseconds: number;
}

/** A record that was looked at on the way. */
export interface ComparedRecord {
  /** Its key as messages show it, or its fingerprint. */
  readonly key: string;
  /** Where it starts in the file, and its bytes, prefixes included. */
  readonly offset: number;
  readonly bytes: number;
  /** Why it is not the one; `null` for the one that is. */
  readonly passedBecause: string | null;
}

/** Where a value lies; its bytes are a copy. */
export interface FoundValue {
  readonly offset: number;
  readonly end: number;
  readonly bytes: Uint8Array;
  /** Of a list: the element, if it is a number, whose bits are somewhere in these bytes. */
  readonly number?: number;
}

export interface Explanation {
  readonly path: string;
  readonly layout: Layout;
  /** As messages show it. */
  readonly key: string;
  readonly found: boolean;
  /** Why it was not found, or what of the file is damaged; `null` if it was found. */
  readonly reason: string | null;
  readonly steps: readonly LookupStep[];
  /** The records of the bucket that were compared, in order. */
  readonly records: readonly ComparedRecord[];
  /** `null` for what has none, too: members of sets. */
  readonly value: FoundValue | null;
  /** In the order in which they were first read. */
  readonly pages: readonly TouchedPage[];
  readonly blocks: readonly TouchedBlock[];
}

/** Times steps. */
export class Steps {
  readonly list: LookupStep[] = [];

  /**
   * Does a step.
   * @param facts what to tell of its result
   */
  take<T>(name: string, act: () => T, facts: (result: T) => LookupStep['facts']): T {
    const start = performance.now();
    const result = act();
    const microseconds = microsecondsSince(start);
    this.list.push({ name, facts: facts(result), microseconds });
    return result;
  }
}

/** Since a time of `performance.now()`, to a tenth. */
export function microsecondsSince(start: number): number {
  return Math.round(1e4 * (performance.now() - start)) / 10;
}

/** A 32-bit number in hexadecimal. */
export function hex32(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}
