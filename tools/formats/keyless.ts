// Which reader serves for lists and bit arrays: where an element stands by itself, another one than for entries. Knows
// formats; does not know elements.

import type { InputName, ReadEntries, ReadInput } from './format.js';
import { loadReader } from './formats.js';
import type { KeylessEntrySink } from './keyless-sink.js';
import { leftOut } from './lines.js';
import { eachLine, longestLine } from './lines-reader.js';
import type { ReadOptions } from './read-options.js';

const readLines: ReadEntries = (pieces, anySink, { comment }) => {
  const sink = anySink as KeylessEntrySink;
  const isLeftOut = leftOut(comment);
  sink.tell('lines: each is an element');
  return eachLine(pieces, sink, longestLine(sink.elementType), (buffer, start, end, line) => {
    if (!isLeftOut(buffer, start, end)) sink.bare(buffer, start, end, line);
  });
};

/** The reader of a format for lists and bit arrays. */
export async function keylessReader(format: InputName): Promise<ReadInput> {
  if (format === 'tsv' || format === 'csv') return loadReader(format);
  const read = await ownReader(format);
  return (input, sink, options) => read(input.pieces(), sink, options);
}

async function ownReader(format: InputName): Promise<ReadEntries> {
  if (format === 'lines') return readLines;
  if (format === 'json' || format === 'jsonl') return (await import('./keyless-json.js'))[format];
  throw new TypeError(`--format: '${format}' needs keys and values, which lists and bit arrays do not have`);
}

/** Whether what stands as a key is an index. */
export function isIndexed({ key, value }: ReadOptions): boolean {
  return key !== undefined || value === undefined;
}

/** The columns of a list: if only the column of the values was chosen, there is none of indexes. */
export function keylessColumns(columns: ReadOptions, isSet: boolean): ReadOptions {
  return isSet || columns.value === undefined || columns.key !== undefined
    ? columns
    : { ...columns, key: columns.value };
}
