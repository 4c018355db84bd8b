// The page of `hmap stat`: what was measured of a file, as people read it. Measures nothing.

import type { Header, TableStat } from '../../src/index.js';
import { isStruct, structOf } from '../../src/internal.js';
import { shellLine } from '../plan/page.js';
import { memoryText, mergedRanges, residentParts, shardText, typeText } from '../report/measures.js';
import { counted, foundByMistake, grouped, humanBytes, printable, range } from '../terminal/cli.js';
import { fittedTable, pageWidth, textTable, wrapped } from '../terminal/columns.js';
import type { OtherLayouts } from './other-layouts.js';

/** Entries up to which the page has other layouts by itself: they cost another pass, which takes about a second. */
export const FEW: number = 2 ** 20;

/** The page that the command prints, in lines of `width` characters from 60 on. */
export function statText(result: TableStat, others?: OtherLayouts, width: number = pageWidth()): string {
  const { header, entries, fileBytes, payloadBytes, keys, values, bucketLoads } = result;
  const keyed = header.layout === 'hash';
  const each = (shared: number | null) => (shared === null ? 'variable' : `${counted(shared, 'byte')} each`);
  const per = (bytes: number) => (entries === 0 ? '' : (bytes / entries).toFixed(2));
  const share = (bytes: number) => `${((100 * bytes) / fileBytes).toFixed(2)} %`;
  const facts = [
    ['entries', grouped(entries)],
    ['file', `${humanBytes(fileBytes)} (${grouped(fileBytes)} bytes)`],
    ['payload', `${humanBytes(payloadBytes)} (${grouped(payloadBytes)} bytes of keys and values)`],
    ['over the payload', `${result.overheadPerEntry.toFixed(2)} bytes an entry`],
    ['in memory', memoryText(result)],
    keyed
      ? ['keys', keyFacts(header, each(header.keyWidth), keys)]
      : ['layout', `${header.layout}, integers from ${header.base}, ${grouped(header.length)} of them`],
    [
      'values',
      `${typeText(header)}${keyed || header.valueWidth === null ? '' : `, ${values.mean} bytes each`}${keyed ? `, ${each(header.valueWidth)}` : ''}${header.valueWidth === null ? `; ${lengths(values)}` : ''}`,
    ],
    ...(keyed ? [['hash', `xxh32, seed ${header.hash.seed}`]] : []),
    [
      'format',
      `version ${header.version.major}.${header.version.minor}, ${counted(header.segments.length, 'segment')}`,
    ],
  ];
  const { shard } = header;
  if (shard.bits > 0) facts.push(['shard', shardText(header)]);
  if (Object.keys(header.metadata).length > 0) facts.push(['metadata', printable(JSON.stringify(header.metadata))]);
  const name = Math.max(...facts.map(([label]) => label!.length));
  const absent = [header.dictionary === null ? 'dictionary' : '', header.fingerprint === null ? 'fingerprints' : ''];
  const parts = Object.entries(result.sections).filter(([part]) => !absent.includes(part));
  const sections = parts.map(([part, bytes]) => [part, grouped(bytes), share(bytes), per(bytes)]);
  return [
    printable(result.path),
    '',
    ...facts.map(([label, value]) => wrapped(`${label!.padEnd(name)}  ${value}`, width, ' '.repeat(name + 2))),
    '',
    textTable(['section', 'bytes', 'share', 'per entry'], sections),
    ...residentLines(result, width),
    ...(keyed ? bucketLines(header, bucketLoads, width) : []),
    ...(header.fingerprint === null ? lengthLines('key length', keys, width) : []),
    ...lengthLines('value length', values, width),
    ...placeLines(result, width),
    ...(others === undefined ? hintLines(result, width) : layoutLines(result, others, width)),
  ].join('\n');
}

/** What of each part is in memory, if that is not all or nothing. */
function residentLines(measured: TableStat, width: number): string[] {
  const { resident, fileBytes } = measured;
  if (resident === null || resident.total === 0 || resident.total >= fileBytes) return [];
  const longest = barWidth(width);
  const rows = residentParts(measured).map(([name, bytes, inMemory]) => [
    name,
    grouped(inMemory),
    `${((100 * inMemory) / bytes).toFixed(1)} %`,
    bar(inMemory, bytes, longest),
  ]);
  return ['', textTable(['in memory', 'bytes', 'share', ''.padEnd(longest)], rows)];
}

function lengthLines(name: string, { histogram: ranges }: TableStat['keys'], width: number): string[] {
  if (ranges.length < 2) return [];
  const rows = mergedRanges(ranges);
  const all = ranges.reduce((sum, { count }) => sum + count, 0);
  const most = Math.max(...rows.map(({ count }) => count));
  const longest = barWidth(width);
  const cells = rows.map(({ least, most: end, count }) => [
    least === end ? grouped(least) : `${grouped(least)} to ${grouped(end)}`,
    grouped(count),
    `${((100 * count) / all).toFixed(2)} %`,
    bar(count, most, longest),
  ]);
  return ['', textTable([name, 'entries', 'share', ''.padEnd(longest)], cells)];
}

/** Characters of a key in a table. */
const SHOWN_KEY = 24;

/** The largest entries and the fullest buckets, where they say something. */
function placeLines({ largest, fullest, bucketLoads, header }: TableStat, width: number): string[] {
  const lines: string[] = [];
  if (largest.length > 1) {
    const rows = largest.map(({ key, bytes, valueBytes, offset }) => [
      printable(key.length > SHOWN_KEY ? `${key.slice(0, SHOWN_KEY)}...` : key),
      grouped(bytes),
      grouped(valueBytes),
      grouped(offset),
    ]);
    const name = header.layout === 'hash' ? 'largest entries' : 'largest elements';
    lines.push('', fittedTable([name, 'bytes', 'value', 'at byte'], rows, width, ['at byte', 'value']));
  }
  if (bucketLoads.longest > 1) {
    const rows = fullest.map(({ index, records, bytes, offset }) => [
      grouped(index),
      grouped(records),
      grouped(bytes),
      grouped(offset),
    ]);
    lines.push('', fittedTable(['fullest buckets', 'records', 'bytes', 'at byte'], rows, width, ['at byte', 'bytes']));
  }
  return lines;
}

function hintLines({ header, entries }: TableStat, width: number): string[] {
  if (entries === 0 || header.fingerprint !== null || entries <= FEW) return [];
  return ['', wrapped('--layouts shows distinct values, and what other types and layouts would take.', width)];
}

/** Other layouts on the page, at most, and those without the keys themselves; JSON has all. */
const MOST_LAYOUTS = 6;
const MOST_WITHOUT = 2;

function layoutLines({ fileBytes, header }: TableStat, { layouts, distinct }: OtherLayouts, width: number): string[] {
  const withKeys = layouts.filter(({ options }) => !options.includes('--fingerprint'));
  const without = layouts.filter(({ options }) => options.includes('--fingerprint'));
  const rows = [...withKeys.slice(0, MOST_LAYOUTS), ...without.slice(0, MOST_WITHOUT)].map(
    ({ name, options, fileBytes: bytes }) => [name, grouped(bytes), (bytes / fileBytes).toFixed(2), shellLine(options)],
  );
  const head = ['would take', 'bytes', 'times this', 'hmap build'];
  const repeated =
    distinct === null || header.valueType === 'none'
      ? []
      : ['', wrapped(repeatedFacts(header, distinct, layouts, fileBytes), width)];
  const how =
    'hmap dump prints the entries, from which hmap build makes such a file; with fingerprints it finds other keys, too.';
  return [...repeated, '', fittedTable(head, rows, width, ['hmap build']), '', wrapped(how, width)];
}

function repeatedFacts(
  { valueType }: Header,
  { count, bytes }: NonNullable<OtherLayouts['distinct']>,
  layouts: OtherLayouts['layouts'],
  fileBytes: number,
): string {
  const facts = `${counted(count, 'distinct value')}, ${counted(bytes, 'byte')}`;
  const asEnum = layouts.find(({ options }) => options.includes('enum') && !options.includes('--fingerprint'));
  if (asEnum === undefined || valueType === 'enum' || valueType !== 'utf8') return facts;
  const saved = fileBytes - asEnum.fileBytes;
  return saved > 0
    ? `${facts}; as enum the file would have ${grouped(saved)} bytes less (${((100 * saved) / fileBytes).toFixed(0)} %)`
    : `${facts}; enum would not make the file smaller`;
}

function keyFacts({ keyType, keyWidth, fingerprint }: Header, width: string, keys: TableStat['keys']): string {
  const type = keyType === 'bytes' ? '' : `${keyType}, `;
  if (fingerprint === null) return `${type}${width}${keyWidth === null ? `; ${lengths(keys)}` : ''}`;
  const { bits, falsePositiveRate, long } = fingerprint;
  const others = `${grouped(long.count)} with a long one`;
  return `${type}fingerprints of ${bits} bits, ${others}; ${foundByMistake(falsePositiveRate)}`;
}

function bucketLines(header: Header, bucketLoads: TableStat['bucketLoads'], width: number): string[] {
  return [
    '',
    ...fieldTable(header),
    wrapped(
      `${grouped(bucketLoads.buckets)} buckets, ${bucketLoads.mean.toFixed(2)} records on average, longest ${bucketLoads.longest}; offsets of ${header.index?.offsetBits ?? 0} bits`,
      width,
    ),
    '',
    histogram(bucketLoads, width),
  ];
}

/** Where each field of a value lies. */
function fieldTable({ valueType }: Header): string[] {
  if (!isStruct(valueType)) return [];
  const rows = structOf(valueType).fields.map(({ name, type, from, bits }) => [
    name,
    type,
    String(bits),
    `[${from}, ${from + bits})`,
  ]);
  return [textTable(['field', 'type', 'bits', 'place'], rows), ''];
}

function lengths({ shortest, longest, mean }: TableStat['keys']): string {
  return `${range(shortest, longest, 'byte')}, ${mean.toFixed(1)} on average`;
}

const BAR = 40;
/** Characters of a line beside a bar: the other columns and the gaps between them. */
const BESIDE_BAR = 40;

function barWidth(width: number, beside = BESIDE_BAR): number {
  return Math.max(8, Math.min(BAR, width - beside));
}

function bar(part: number, all: number, longest: number): string {
  return '█'.repeat(Math.round((longest * part) / Math.max(all, 1))).padEnd(longest);
}

function histogram({ buckets, histogram: counts, expected }: TableStat['bucketLoads'], width: number): string {
  const longest = barWidth(width, BESIDE_BAR + 12);
  const most = Math.max(...counts, 1);
  const last = counts.length - 1;
  const used = counts.findLastIndex((count) => count > 0);
  const rows = counts
    .slice(0, used + 1)
    .map((count, load) => [
      `${load}${load === last ? ' or more' : ''}`,
      grouped(count),
      `${((100 * count) / buckets).toFixed(2)} %`,
      grouped(Math.round(expected[load]!)),
      bar(count, most, longest),
    ]);
  return textTable(['records', 'buckets', 'share', 'by chance', ''.padEnd(longest)], rows);
}
