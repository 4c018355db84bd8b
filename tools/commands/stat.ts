// hmap stat: what a file is and what its bytes are spent on.

import type { Command } from 'commander';
import { type Header, stat, type TableStat } from '../../src/index.js';
import { isStruct, structOf } from '../../src/internal.js';
import { EXIT, examples, exitWith, foundByMistake, grouped, humanBytes, jsonLine, printable } from '../terminal/cli.js';
import { textTable } from '../terminal/columns.js';
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

/** The page that the command prints. */
export function statText(result: TableStat): string {
  const { header, entries, fileBytes, payloadBytes, keys, values, bucketLoads } = result;
  const keyed = header.layout === 'hash';
  const width = (shared: number | null) =>
    shared === null ? 'variable' : `${shared} byte${shared === 1 ? '' : 's'} each`;
  const per = (bytes: number) => (entries === 0 ? '' : (bytes / entries).toFixed(2));
  const share = (bytes: number) => `${((100 * bytes) / fileBytes).toFixed(2)} %`;
  const facts = [
    ['entries', grouped(entries)],
    ['file', `${humanBytes(fileBytes)} (${grouped(fileBytes)} bytes)`],
    ['payload', `${humanBytes(payloadBytes)} (${grouped(payloadBytes)} bytes of keys and values)`],
    ['over the payload', `${result.overheadPerEntry.toFixed(2)} bytes an entry`],
    keyed
      ? ['keys', keyFacts(header, width(header.keyWidth), keys)]
      : ['layout', `${header.layout}, integers from ${header.base}, ${grouped(header.length)} of them`],
    [
      'values',
      `${typeOf(header)}${keyed || header.valueWidth === null ? '' : `, ${values.mean} bytes each`}${keyed ? `, ${width(header.valueWidth)}` : ''}${header.valueWidth === null ? `; ${lengths(values)}` : ''}`,
    ],
    ...(keyed ? [['hash', `xxh32, seed ${header.hash.seed}`]] : []),
    [
      'format',
      `version ${header.version.major}.${header.version.minor}, ${header.segments.length} segment${header.segments.length === 1 ? '' : 's'}`,
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
    ...facts.map(([label, value]) => `${label!.padEnd(name)}  ${value}`),
    '',
    textTable(['section', 'bytes', 'share', 'per entry'], sections),
    ...(keyed ? bucketLines(header, bucketLoads) : []),
  ].join('\n');
}

function keyFacts({ keyType, fingerprint }: Header, width: string, keys: TableStat['keys']): string {
  const type = keyType === 'bytes' ? '' : `${keyType}, `;
  if (fingerprint === null) return `${type}${width}; ${lengths(keys)}`;
  const { bits, falsePositiveRate, long } = fingerprint;
  const others = `${grouped(long.count)} with a long one`;
  return `${type}fingerprints of ${bits} bits, ${others}; ${foundByMistake(falsePositiveRate)}`;
}

function bucketLines(header: Header, bucketLoads: TableStat['bucketLoads']): string[] {
  return [
    '',
    ...fieldTable(header),
    `${grouped(bucketLoads.buckets)} buckets, ${bucketLoads.mean.toFixed(2)} records on average, longest ${bucketLoads.longest}; offsets of ${header.index?.offsetBits ?? 0} bits`,
    '',
    histogram(bucketLoads),
  ];
}

function typeOf({ valueType, dictionary, narrowed }: Header): string {
  if (dictionary !== null) return `enum of ${grouped(dictionary.count)} distinct strings`;
  if (narrowed) return `${valueType}, the narrowest that holds them`;
  if (!isStruct(valueType)) return valueType;
  const { fields, bits } = structOf(valueType);
  return `struct of ${fields.length} field${fields.length === 1 ? '' : 's'} in ${bits} bits`;
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
  return `${grouped(shortest)} to ${grouped(longest)} bytes, ${mean.toFixed(1)} on average`;
}

const BAR = 40;

function histogram({ buckets, histogram: counts }: TableStat['bucketLoads']): string {
  const most = Math.max(...counts, 1);
  const last = counts.length - 1;
  const used = counts.findLastIndex((count) => count > 0);
  const rows = counts.slice(0, used + 1).map((count, load) => {
    const bar = '█'.repeat(Math.round((BAR * count) / most));
    return [
      `${load}${load === last ? ' or more' : ''}`,
      grouped(count),
      `${((100 * count) / buckets).toFixed(2)} %`,
      bar.padEnd(BAR),
    ];
  });
  return textTable(['records', 'buckets', 'share', ''.padEnd(BAR)], rows);
}
