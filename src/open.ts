// Opens a table: checks options and header, maps the file, makes a Table. Knows the order of things; the parts know how.

import { HmapError } from './errors.js';
import { withFile } from './file.js';
import { heapStart } from './layout.js';
import { MAPPING_CHOICES, type MappingChoice, mapRanges, prepareMapping } from './mapping/open-file.js';
import { checkOptions, checkPath, oneOf } from './options.js';
import { segmentsOf } from './segment.js';
import { type KeyForm, Table } from './table.js';
import { VALUE_TYPES, type ValueType, type ValueTypes } from './types.js';

/** What is read ahead when a table is opened: nothing, the bucket array, or the whole file. */
export type Warm = 'none' | 'buckets' | 'all';

export interface OpenOptions<T extends ValueType = ValueType, F extends KeyForm = KeyForm> {
  /** The type that the values must have; checked against the header, and what TypeScript then knows. Default: any. */
  value?: T;
  /** What iteration gives as keys. Default `string`. */
  key?: F;
  /** How the file's bytes come into memory. Default `auto`: the first that works here of mmap-io, libc, copy. */
  mapping?: MappingChoice;
  /** What the operating system starts to read at once, in the background. Default `none`: each page when it is first touched. */
  warm?: Warm;
}

// A program pays for this when it starts, not when it first opens a table.
prepareMapping();

const WARM: readonly Warm[] = ['none', 'buckets', 'all'];
const KEY_FORMS: readonly KeyForm[] = ['string', 'bytes'];

/**
 * Opens a table for reading. Synchronous, and its cost does not grow with the file (unless the mapping is `copy`): it reads and checks
 * the header and the exact size of the file, nothing else.
 * @throws {TypeError} for a bad argument or option, which it names
 * @throws {HmapError} when the file cannot be opened, is no table, is cut short or too long, has a damaged header, a version or feature
 *   that is not known, or values of another type; `HMAP_MAPPING` when the mapping that was asked for does not work here
 */
export function open<T extends ValueType, F extends KeyForm = 'string'>(
  path: string,
  options: OpenOptions<T, F> & { value: T },
): Table<ValueTypes[T], F extends 'bytes' ? Uint8Array : string>;
export function open<F extends KeyForm = 'string'>(
  path: string,
  options?: OpenOptions<ValueType, F>,
): Table<unknown, F extends 'bytes' ? Uint8Array : string>;
export function open(path: string, options: OpenOptions = {}): Table<unknown, string | Uint8Array> {
  checkPath(path);
  checkOptions(options, ['value', 'key', 'mapping', 'warm']);
  const key = oneOf('key', options.key ?? 'string', KEY_FORMS);
  const choice = oneOf('mapping', options.mapping ?? 'auto', MAPPING_CHOICES);
  const warm = oneOf('warm', options.warm ?? 'none', WARM);
  const value = options.value === undefined ? undefined : oneOf('value', options.value, VALUE_TYPES);
  return withFile(path, ({ fd, header }) => {
    if (value !== undefined && value !== header.valueType) {
      const message = `${path}: the values are ${header.valueType}, not ${value}`;
      throw new HmapError('HMAP_VALUE_TYPE', message, { path, expected: value, actual: header.valueType });
    }
    const ranges = header.segments.map(({ offset, bytes }) => ({ offset, length: bytes }));
    const mapping = mapRanges(fd, ranges, choice, path);
    if (warm !== 'none') {
      const start = heapStart(header.bucketBits);
      for (const [i, range] of ranges.entries()) {
        mapping.advise('willneed', i, 0, warm === 'all' ? range.length : start);
      }
    }
    return new Table(path, header, mapping, segmentsOf(header, mapping.views), key);
  });
}
