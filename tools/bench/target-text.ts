// A target as people read it, on a terminal and in the notes.

import type { Target } from './targets.js';
import { showValue } from './units.js';

export function limitText({ bound, limit, unit }: Target): string {
  return `${bound} ${showValue(limit, unit)}`;
}

/** What was found, and the medians that it is of. */
export function foundText({ found, unit, detail }: Target): string {
  if (found === undefined) return 'not measured';
  const value = showValue(found, unit);
  if (detail.length === 1) return value;
  return `${value} (${detail.map((part) => `${part.name} ${showValue(part.value, part.unit)}`).join(', ')})`;
}

export function metText({ met }: Target): string {
  return met === undefined ? '-' : met ? 'met' : 'missed';
}
