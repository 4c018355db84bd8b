// hmap stat: what a file is and what its bytes are spent on.

import type { Command } from 'commander';
import { type Header, stat, type TableStat } from '../../src/index.js';
import { isStruct, structOf } from '../../src/internal.js';
import {
  counted,
  EXIT,
  examples,
  exitWith,
  foundByMistake,
  grouped,
  humanBytes,
  jsonLine,
  printable,
  range,
} from '../terminal/cli.js';
import { pageWidth, textTable, wrapped } from '../terminal/columns.js';
import { Progress } from '../terminal/progress.js';
import { headerJson } from './header-json.js';

interface Options {
  json?: boolean;
}

export function addStat(program: Command): void {
  const command = program
    .command('stat')
    .summary('show what the bytes are spent on and how full the buckets are')
    .description(
      'Shows entries, sections and their share of the file, bytes per entry over the payload (keys and values), and how full the buckets are. Cost: one ' +
        'pass over the file.',
    )
    .argument('<file>', 'the .hmap file')
    .option('--json', 'print JSON')
    .action(runStat);
  examples(command, 'hmap stat table.hmap', 'hmap stat --json table.hmap | jq .overheadPerEntry');
}

async function runStat(file: string, options: Options): Promise<void> {
  const progress = new Progress();
  const result = await stat(file, {
    onProgress: (done, total) => progress.update('reading', 'bytes', done, total),
  }).finally(() => progress.stop());
  const json = () => jsonLine({ ...result, header: headerJson(result.header) });
  process.stdout.write(options.json ? json() : `${statText(result)}\n`);
  exitWith(EXIT.fine);
}

/** The page that the command prints, in lines of `width` characters from 60 on. */
export function statText(result: TableStat, width: number = pageWidth()): string {
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
    keyed
      ? ['keys', keyFacts(header, each(header.keyWidth), keys)]
      : ['layout', `${header.layout}, integers from ${header.base}, ${grouped(header.length)} of them`],
    [
      'values',
      `${typeOf(header)}${keyed || header.valueWidth === null ? '' : `, ${values.mean} bytes each`}${keyed ? `, ${each(header.valueWidth)}` : ''}${header.valueWidth === null ? `; ${lengths(values)}` : ''}`,
    ],
    ...(keyed ? [['hash', `xxh32, seed ${header.hash.seed}`]] : []),
    [
      'format',
      `version ${header.version.major}.${header.version.minor}, ${counted(header.segments.length, 'segment')}`,
    ],
  ];
  const { shard } = header;
  if (shard.bits > 0) facts.push(['shard', `${shard.index} of ${2 ** shard.bits}`]);
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
    ...(keyed ? bucketLines(header, bucketLoads, width) : []),
  ].join('\n');
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

function typeOf({ valueType, dictionary, narrowed }: Header): string {
  if (dictionary !== null) return `enum of ${grouped(dictionary.count)} distinct strings`;
  if (narrowed) return `${valueType}, the narrowest that holds them`;
  if (!isStruct(valueType)) return valueType;
  const { fields, bits } = structOf(valueType);
  return `struct of ${counted(fields.length, 'field')} in ${bits} bits`;
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

function histogram({ buckets, histogram: counts }: TableStat['bucketLoads'], width: number): string {
  const longest = Math.max(8, Math.min(BAR, width - BESIDE_BAR));
  const most = Math.max(...counts, 1);
  const last = counts.length - 1;
  const used = counts.findLastIndex((count) => count > 0);
  const rows = counts.slice(0, used + 1).map((count, load) => {
    const bar = '█'.repeat(Math.round((longest * count) / most));
    return [
      `${load}${load === last ? ' or more' : ''}`,
      grouped(count),
      `${((100 * count) / buckets).toFixed(2)} %`,
      bar.padEnd(longest),
    ];
  });
  return textTable(['records', 'buckets', 'share', ''.padEnd(longest)], rows);
}
