// Why an integer cannot be in a set. Does not know the sets.

import { HmapError } from '../../base/errors.js';

/** The error for a value that a set of integers refuses. */
export function refusedInteger(
  code: 'HMAP_VALUE_INVALID' | 'HMAP_VALUE_RANGE',
  value: unknown,
  expected: string,
): HmapError {
  const message = `the integer ${typeof value === 'number' ? value : typeof value}: expected ${expected}`;
  return new HmapError(code, message, { expected, actual: value });
}
