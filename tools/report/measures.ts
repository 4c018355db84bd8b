// What was measured of a file, in words and in few ranges: what the page of a terminal and that of a browser have in common.

import type { Header, LengthRange, TableStat } from '../../src/index.js';
import { isStruct, RESIDENCY_LIMIT, structOf } from '../../src/internal.js';
import { counted, grouped, humanBytes } from '../terminal/cli.js';

/** What of a file is in memory, for people. */
export function memoryText({ resident, fileBytes }: TableStat): string {
  if (resident === null)
    return fileBytes > RESIDENCY_LIMIT ? 'not asked of a file above 64 GiB' : 'the system does not say';
  return `${humanBytes(resident.total)}, ${((100 * resident.total) / fileBytes).toFixed(1)} % of the file`;
}

/** Each part of a file that has bytes, and how many of these are in memory. */
export function residentParts({ resident, header }: TableStat): [name: string, bytes: number, inMemory: number][] {
  if (resident === null) return [];
  const { headerBytes, segments, index, dictionary, fingerprint, checksums } = header;
  const heap = segments.at(-1)!.offset + segments.at(-1)!.bytes - segments[0]!.offset;
  const parts: [name: string, bytes: number, inMemory: number][] = [
    ['header', headerBytes, resident.header],
    ['heap', heap, resident.heap],
    ['buckets', index?.bytes ?? 0, resident.buckets],
    ['dictionary', dictionary?.bytes ?? 0, resident.dictionary],
    ['fingerprints', fingerprint?.long.bytes ?? 0, resident.fingerprints],
    ['checksums', checksums.bytes, resident.checksums],
  ];
  return parts.filter(([, bytes]) => bytes > 0);
}

/** Rows of a table of lengths, at most. */
const MOST_ROWS = 12;

/** Ranges of lengths, of which neighbours are put together until they are few: by equal steps, or by powers of two. */
export function mergedRanges(ranges: readonly LengthRange[]): LengthRange[] {
  if (ranges.length <= MOST_ROWS) return [...ranges];
  const least = ranges[0]!.least;
  const most = ranges.at(-1)!.most;
  const step = Math.ceil((most - least + 1) / MOST_ROWS);
  const isNarrow = most < 64;
  const groupOf = (length: number) =>
    isNarrow ? Math.floor((length - least) / step) : Math.floor(Math.log2(length + 1));
  const rows: LengthRange[] = [];
  let last: number | undefined;
  for (const range of ranges) {
    const group = groupOf(range.least);
    if (group === last) {
      const row = rows.at(-1)!;
      rows[rows.length - 1] = { least: row.least, most: range.most, count: row.count + range.count };
    } else {
      rows.push({ ...range });
    }
    last = group;
  }
  return rows;
}

/** Which shard a file is, for people. */
export function shardText({ shard }: Header): string {
  return `${shard.index} of ${2 ** shard.bits}`;
}

/** What the values of a file are, for people. */
export function typeText({ valueType, dictionary, narrowed }: Header): string {
  if (dictionary !== null) return `enum of ${grouped(dictionary.count)} distinct strings`;
  if (narrowed) return `${valueType}, the narrowest that holds them`;
  if (!isStruct(valueType)) return valueType;
  const { fields, bits } = structOf(valueType);
  return `struct of ${counted(fields.length, 'field')} in ${bits} bits`;
}
