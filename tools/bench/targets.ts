// What the figures are held against.

import type { Run } from './model.js';

export interface Target {
  readonly what: string;
  readonly atMost: number;
  readonly unit: string;
  readonly found: number | undefined;
  readonly met: boolean | undefined;
  readonly detail: string;
}

export function targetsOf(_run: Run): Target[] {
  return [];
}
