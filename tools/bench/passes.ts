// The loops that are timed, as a program would write them. They sum what they find, so that no lookup can be left out.
// Time nothing.

import type { Held, Value } from './subjects.js';

/** What a missing value adds to a sum. */
const MISS = 1;

export function getNumbers(table: Held, keys: readonly string[]): number {
  let sum = 0;
  for (let i = 0; i < keys.length; i++) {
    const value = table.get(keys[i]!) as number | undefined;
    sum += value === undefined ? MISS : value;
  }
  return sum;
}

export function getTexts(table: Held, keys: readonly string[]): number {
  let sum = 0;
  for (let i = 0; i < keys.length; i++) {
    const value = table.get(keys[i]!) as string | undefined;
    sum += value === undefined ? MISS : value.charCodeAt(value.length - 1);
  }
  return sum;
}

export function getBytes(table: Held, keys: readonly string[]): number {
  let sum = 0;
  for (let i = 0; i < keys.length; i++) {
    const value = table.get(keys[i]!) as Uint8Array | undefined;
    sum += value === undefined ? MISS : value[value.length - 1]!;
  }
  return sum;
}

export function countPresent(table: Held, keys: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < keys.length; i++) if (table.has!(keys[i]!)) count++;
  return count;
}

export function getManyNumbers(table: Held, batches: readonly (readonly string[])[]): number {
  let sum = 0;
  for (const batch of batches) {
    for (const value of table.getMany!(batch) as (number | undefined)[]) sum += value === undefined ? MISS : value;
  }
  return sum;
}

export function iterateNumbers(table: Held): number {
  let sum = 0;
  for (const [key, value] of table.entries!()) sum += (value as number) + key.length;
  return sum;
}

/** What one value adds to the sums above. */
export function weight(value: Value | undefined): number {
  if (value === undefined) return MISS;
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? value.charCodeAt(value.length - 1) : value[value.length - 1]!;
}
