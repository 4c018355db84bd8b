// Where the values of a table's entries lie as the writers of formats want them. Knows the dictionary of `enum`; knows no format.

import { ByteBuffer } from '../../src/base/bytes.js';
import type { EncodedValue } from '../../src/codec/encode-value.js';
import type { Header } from '../../src/format/header.js';
import { readDictionary } from '../../src/storage/dictionary.js';
import type { Scan } from '../../src/storage/scan.js';

/** Gives the value at which a walk over an open file is; the same object each time. */
export function entryValues(
  fd: number,
  header: Header,
  path: string,
  check: 'none' | 'touch',
): (scan: Scan) => EncodedValue {
  const dictionary = readDictionary(fd, header, path, check);
  const value: EncodedValue = { buffer: new ByteBuffer(0), at: 0, length: 0 };
  if (dictionary === undefined) {
    return ({ segment, cursor }) => {
      value.buffer = segment.heap;
      value.at = cursor.value;
      value.length = cursor.valueBytes;
      return value;
    };
  }
  value.buffer = dictionary.bytes;
  return ({ segment, cursor }) => Object.assign(value, dictionary.placeAt(segment.heap, cursor.value));
}
