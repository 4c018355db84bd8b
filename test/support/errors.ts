// What tests ask of an error. Knows HmapError's shape; does not know when one occurs.

import assert from 'node:assert/strict';
import { HmapError, type HmapErrorCode, type HmapErrorData } from '../../src/index.js';

type SystemCode =
  | 'ENOENT'
  | 'EISDIR'
  | 'ENOTDIR'
  | 'EACCES'
  | 'EINVAL'
  | 'EBUSY'
  | 'ELOOP'
  | 'ENOMEM'
  | 'ENOSPC'
  | 'ENXIO'
  | 'EROFS';

interface Expected extends HmapErrorData {
  message?: RegExp;
}

/**
 * Checks an HmapError: its code, a message of one line, and the data that is given here. Usable with `assert.throws`.
 */
export function hmapError(code: HmapErrorCode | SystemCode, expected: Expected = {}): (error: unknown) => true {
  return (error) => {
    if (!(error instanceof HmapError)) throw error;
    assert.equal(error.code, code, error.message);
    assert.equal(error.name, 'HmapError');
    assert.match(error.message, /^[^\r\n]{8,2000}$/, 'a message is one line');
    // What is refused may be undefined itself; nothing else is there without a value.
    for (const [name, value] of Object.entries(error)) assert.ok(value !== undefined || name === 'actual', name);
    const { message, ...data } = expected;
    if (message !== undefined) assert.match(error.message, message);
    for (const [name, value] of Object.entries(data)) {
      assert.deepEqual(error[name as keyof HmapErrorData], value, `${name} of ${code}`);
    }
    return true;
  };
}

/** Checks a TypeError whose message names an argument or option first. */
export function misuse(message: RegExp): (error: unknown) => true {
  return (error) => {
    if (!(error instanceof TypeError)) throw error;
    assert.match(error.message, message);
    return true;
  };
}
