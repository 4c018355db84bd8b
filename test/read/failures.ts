// What tests of lists and bit arrays ask of failed builds. Knows errors; does not know what was built.

import { hmapError } from '../support/errors.js';

export { failure } from '../support/temp.js';

/** Holds an error that was caught to a code, and its message to a pattern. */
export function hmapErrorOf(error: unknown, code: string, message?: RegExp): void {
  hmapError(code as 'HMAP_INPUT', message === undefined ? {} : { message })(error);
}
