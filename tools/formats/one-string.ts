// What some formats print of a value is one string, and V8 makes none of more than 512 MiB. Knows nothing of formats.

import { HmapError } from '../../src/index.js';

/**
 * What `print` returns.
 * @param bytes of the value, for the message
 * @throws {HmapError} `HMAP_NOT_REPRESENTABLE` if that would be too long a string
 */
export function inOneString(bytes: number, format: string, print: () => string): string {
  try {
    return print();
  } catch (cause) {
    const isLength = cause instanceof RangeError || (cause as NodeJS.ErrnoException).code === 'ERR_STRING_TOO_LONG';
    if (!isLength) throw cause;
    const message = `a value of ${bytes} bytes is too long for the format '${format}'; use cdb`;
    throw new HmapError('HMAP_NOT_REPRESENTABLE', message, { actual: bytes, cause });
  }
}
