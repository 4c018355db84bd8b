// In which record a byte of a file lies. Knows buckets; does not know what is wrong with the byte.

import { inspectBucket } from '../../src/index.js';
import { fileHeader, showKey } from '../../src/internal.js';

/**
 * The key, for people, of the record of a hash table with the byte at an offset, as far as the file can be read;
 * `undefined` if it lies in none. Takes some twenty looks at the file.
 */
export function recordWith(path: string, offset: number): string | undefined {
  try {
    const header = fileHeader(path);
    if (header.layout !== 'hash' || header.fingerprint !== null) return undefined;
    const { eighths, bucketBits, segments } = header;
    // Buckets lie one after the other, over all segments.
    let first = 0;
    let end = segments.length * ((eighths * 2 ** bucketBits) / 8);
    while (end - first > 1) {
      const middle = Math.floor((first + end) / 2);
      if (inspectBucket(path, middle).start <= offset) first = middle;
      else end = middle;
    }
    const { records } = inspectBucket(path, first);
    const record = records.find((one) => one.offset <= offset && offset < one.end);
    return record && showKey(header.keyType, record.key);
  } catch {
    // What leads to the record may be damaged, too.
    return undefined;
  }
}
