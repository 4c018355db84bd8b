// npm run accounting: what 46,461 words and their numbers take in each representation and elsewhere: predicted, on the
// disk, in memory. Writes the table into native-notes/accounting.md. Knows the order of the run; what is predicted is
// in tools/plan.

import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { cpus, release, type } from 'node:os';
import { join } from 'node:path';
import { build, type FingerprintBits, type ListType, type ValueType } from '../../src/index.js';
import { pssOf } from '../demo/memory.js';
import { HashEntrySink } from '../formats/entry-sink.js';
import { loadFormat } from '../formats/formats.js';
import { type Facts, HELD_BY_NONE } from '../plan/facts.js';
import { fingerprinted, PART_NAMES, type Representation, representations } from '../plan/predict.js';
import { rivals } from '../plan/rivals.js';
import { Survey } from '../plan/survey.js';
import { complain, EXIT, grouped, say } from '../terminal/cli.js';
import type { Held, Holder, HoldTask } from './accounting-child.js';
import { accountingWords, WORD_BYTES, WORDS } from './accounting-data.js';
import { runTask, stopChildren } from './child.js';
import type { IoredisPackage } from './peer-types.js';
import { folderOf, installPeers, type PeerPackages, requirePeer } from './peers.js';
import { CACHE, ROOT } from './places.js';
import { startRedis } from './redis.js';

const RUNS = 5;
const GOAL = 580_000;
const NOTE = join(ROOT, 'native-notes/accounting.md');
const BEGIN = '<!-- accounting: begin -->';
const END = '<!-- accounting: end -->';

/** A row of the table; bytes, or why there are none. */
interface Row {
  readonly name: string;
  readonly predicted: number;
  readonly disk: number | string;
  readonly memory: number | string;
  /** How much of that are pages of the file, which processes share. */
  readonly mapped?: number | undefined;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function survey(tsv: string, format: 'tsv' | 'lines'): Promise<Facts> {
  const counted = new Survey(format === 'tsv' ? 'bytes' : 'none');
  const { read } = await loadFormat(format);
  const bytes = readFileSync(tsv);
  const pieces = (async function* () {
    yield bytes;
  })();
  await read(pieces, new HashEntrySink(counted, tsv), { key: undefined, value: undefined, headerRow: false });
  return counted.facts;
}

interface Measured {
  readonly memory: number | string;
  readonly bytes?: number | undefined;
  readonly mapped?: number | undefined;
}

/** Fewest moving parts: threads and room for garbage differ from run to run. */
const NODE_ARGS = ['--expose-gc', '--max-semi-space-size=1', '--single-threaded'];

/** The growth of fresh processes that come to hold the words. */
async function measured(task: HoldTask): Promise<Measured> {
  const growths: number[] = [];
  let bytes: number | undefined;
  let mapped: number | undefined;
  for (let i = 0; i < RUNS; i++) {
    const held = await runTask<Held>('./accounting-child.js', task, NODE_ARGS);
    if (held.pss === undefined) return { memory: 'the system does not say' };
    growths.push(held.pss);
    bytes = held.bytes;
    mapped = held.mapped;
  }
  return { memory: median(growths), bytes, mapped };
}

function convert(type: ValueType, number: number): unknown {
  if (type === 'none') return true;
  if (type === 'u64' || type === 'i64') return BigInt(number);
  if (type === 'bytes') return Buffer.from(String(number));
  return type === 'utf8' || (type as string) === 'enum' ? String(number) : number;
}

async function tableRow(words: readonly string[], tsv: string, { name, options, total }: Representation): Promise<Row> {
  const value = options[options.indexOf('--value') + 1] as ValueType;
  const entries = words.map((word, i) => [word, convert(value, i)] as [string, never]);
  const isWithout = options.includes('--fingerprint');
  const bits = Number(options[options.indexOf('--fingerprint') + 1]) as FingerprintBits;
  const choice = { value, ...(isWithout && { fingerprint: bits }) };
  const [table, small] = [join(CACHE, 'accounting.hmap'), join(CACHE, 'accounting-small.hmap')];
  await build(table, entries, choice);
  await build(small, entries.slice(0, 1000), choice);
  const { memory, mapped } = await measured({ holder: 'hmap', tsv, table, small, value, fingerprint: isWithout });
  return { name, predicted: total, disk: statSync(table).size, memory, mapped };
}

/** A row of what holds less: the words, or their numbers, in the order of the numbers; or the set of the numbers. */
async function stepRow(words: readonly string[], tsv: string, { name, options, total }: Representation): Promise<Row> {
  const [table, small] = [join(CACHE, 'accounting-step.hmap'), join(CACHE, 'accounting-step-small.hmap')];
  const layout = options.includes('bits') ? 'bits' : 'list';
  const value = layout === 'bits' ? 'none' : (options[options.indexOf('--value') + 1] as ListType);
  for (const [path, count] of [
    [table, words.length],
    [small, 1000],
  ] as const) {
    const numbers = Array.from({ length: count }, (_, i) => i);
    if (layout === 'bits') await build(path, numbers, { layout });
    else
      await build<ListType>(path, value === 'utf8' ? words.slice(0, count) : numbers, {
        layout,
        value: value as ListType,
      });
  }
  const { memory, mapped } = await measured({ holder: 'hmap', tsv, table, small, layout, value });
  return { name, predicted: total, disk: statSync(table).size, memory, mapped };
}

/**
 * What the measurement adds by itself, with next to nothing held: the table of 1,000 words that it has warmed up with,
 * once more.
 */
async function control(tsv: string): Promise<number | string> {
  const small = join(CACHE, 'accounting-small.hmap');
  return (await measured({ holder: 'hmap', tsv, table: small, small, value: 'none', control: true })).memory;
}

const absent = (why: string) => ({ disk: '', memory: `absent: ${why}` });

async function rivalRow(name: string, predicted: number, tsv: string, peers: PeerPackages): Promise<Row> {
  if (name === 'Redis') return { name, predicted, ...(await redisRow(tsv, peers)) };
  const holder: Holder = name === 'SQLite' ? 'sqlite' : name === 'JS Map' ? 'Map' : 'object';
  const folder = folderOf(peers, 'better-sqlite3');
  if (holder !== 'sqlite') return { name, predicted, disk: '', memory: (await measured({ holder, tsv })).memory };
  if (folder === undefined) return { name, predicted, ...absent('better-sqlite3 cannot be installed') };
  const { memory, bytes } = await measured({ holder, tsv, folder });
  return { name: 'SQLite in memory', predicted, disk: bytes ?? '', memory };
}

async function redisRow(tsv: string, peers: PeerPackages): Promise<Pick<Row, 'disk' | 'memory'>> {
  const folder = folderOf(peers, 'ioredis');
  if (folder === undefined) return absent('ioredis cannot be installed');
  const { Redis } = requirePeer<IoredisPackage>(folder, 'ioredis');
  const words = readFileSync(tsv, 'latin1')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t')[0]!);
  const growths: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    let server: Awaited<ReturnType<typeof startRedis>>;
    try {
      server = await startRedis();
    } catch (error) {
      return absent((error as Error).message);
    }
    const client = new Redis({ host: '127.0.0.1', port: server.port });
    const lookUp = async () => {
      const found: (string | null)[] = [];
      for (let at = 0; at < words.length; at += 1000) found.push(...(await client.mget(words.slice(at, at + 1000))));
      return found;
    };
    // Buffers of connections are then there, and do not count.
    await lookUp();
    const before = pssOf(server.pid);
    await server.load(tsv, 0);
    const found = await lookUp();
    const after = pssOf(server.pid);
    await client.quit();
    server.stop();
    const wrong = found.findIndex((value, number) => value !== String(number));
    if (wrong >= 0) throw new Error(`redis: ${words[wrong]} gave ${found[wrong]}`);
    if (before === undefined || after === undefined) return { disk: '', memory: 'the system does not say' };
    growths.push(after - before);
  }
  return { disk: '', memory: median(growths) };
}

const cell = (value: number | string) => (typeof value === 'number' ? grouped(value) : value);

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

function reportText(rows: readonly Row[], floor: number | string, shown: readonly Representation[]): string {
  const map = rows.find(({ name }) => name === 'JS Map')!;
  const best = rows.find(({ name }) => name.startsWith('map'))!;
  const times = (a: number | string, b: number | string) =>
    typeof a === 'number' && typeof b === 'number' ? (a / b).toFixed(2) : '';
  const verdict = (bytes: number | string) =>
    typeof bytes === 'number' ? (bytes <= GOAL ? 'met' : 'missed') : 'not measured';
  const tenth = typeof map.memory === 'number' && Number(best.memory) <= map.memory / 10 ? 'met' : 'missed';
  const parts = shown.map(({ name, parts, total }) => [
    name,
    ...PART_NAMES.map((part) => grouped(parts[part])),
    grouped(total),
  ]);
  return [
    `${type()} ${release()}, ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.version}; median of ${RUNS} fresh processes each. Bytes.`,
    '',
    markdown(
      [
        'held as',
        'predicted',
        'on disk',
        'memory (growth of PSS)',
        'of it pages of the file',
        'the Map in times of it',
      ],
      rows.map(({ name, predicted, disk, memory, mapped }) => [
        name,
        cell(predicted),
        cell(disk),
        cell(memory),
        cell(mapped ?? ''),
        times(map.memory, memory),
      ]),
    ),
    '',
    `A process that holds only the first 1,000 words, measured in the same way, grows by ${cell(floor)} bytes.`,
    '',
    `Goal: the whole table in at most ${cell(GOAL)} bytes: **${verdict(best.disk)}** by the file (${best.name}, ${cell(best.disk)}) and **${verdict(best.mapped ?? '')}** by its ` +
      `pages in memory (${cell(best.mapped ?? '')}); **${verdict(best.memory)}** by the growth of the whole process (${cell(best.memory)}). ` +
      `Goal: a tenth of the Map or less: **${tenth}**, the Map takes ${times(map.memory, best.memory)} times as much in memory (${times(map.predicted, best.predicted)} times as predicted).`,
    '',
    'Where the bytes go, as predicted; the files are the same to the byte, but for how many keys share a fingerprint:',
    '',
    markdown(['bytes', ...PART_NAMES, 'total'], parts),
  ].join('\n');
}

/** What holds less than the words and their numbers, and takes less: the steps down from a map. */
function stepsDown(facts: Facts): Representation[] {
  const text = facts.keys.lengths;
  const numbers = { least: 0n, most: BigInt(facts.entries - 1) };
  const base = { text, json: text, integers: numbers, distinct: undefined };
  const keys = { ...facts.keys, integers: numbers };
  const lists = [
    { holds: { ...HELD_BY_NONE, utf8: true }, ...base },
    { holds: { ...HELD_BY_NONE, numbers: true }, ...base },
  ].map((values) => representations({ ...facts, keys, values }));
  const bits = representations({ ...facts, keys, values: undefined });
  const named = (from: readonly Representation[] | undefined, name: string, title: string) =>
    from!.filter((each) => each.name === name).map((each) => ({ ...each, name: title }));
  return [
    ...named(lists[0], 'list, utf8', 'list: number to word'),
    ...named(lists[1], 'list, packed integers', 'list: number to number, 16 bits each'),
    ...named(bits, 'bits', 'bit array: a set of numbers'),
  ];
}

async function main(): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const words = await accountingWords();
  const bytes = words.reduce((sum, { length }) => sum + length, 0);
  if (words.length !== WORDS || new Set(words).size !== WORDS || bytes !== WORD_BYTES) throw new Error('wrong words');
  const tsv = join(CACHE, 'accounting.tsv');
  const lines = join(CACHE, 'accounting.txt');
  writeFileSync(tsv, words.map((word, i) => `${word}\t${i}\n`).join(''));
  writeFileSync(lines, words.map((word) => `${word}\n`).join(''));
  const peers = await installPeers(CACHE, say);
  const facts = await survey(tsv, 'tsv');
  const setFacts = await survey(lines, 'lines');
  const shown = [...representations(facts), ...representations(setFacts)];
  const withoutKeys = [facts, setFacts].flatMap((each) => fingerprinted(each).slice(0, 2));
  const rows: Row[] = [];
  for (const each of shown) {
    say(each.name);
    const row = await tableRow(words, tsv, each);
    rows.push(each.name === 'set' ? { ...row, name: 'set, the words alone' } : row);
  }
  // The set comes last, and its small table is what is left.
  const floor = await control(tsv);
  for (const each of withoutKeys) {
    say(each.name);
    rows.push(await tableRow(words, tsv, each));
  }
  const steps = stepsDown(facts);
  for (const each of steps) {
    say(each.name);
    rows.push(await stepRow(words, tsv, each));
  }
  for (const { name, bytes: predicted } of rivals(facts)) {
    say(name);
    rows.push(await rivalRow(name, predicted, tsv, peers));
  }
  const text = reportText(rows, floor, [...shown, ...withoutKeys, ...steps]);
  const note = readFileSync(NOTE, 'utf8');
  const [begin, end] = [note.indexOf(BEGIN), note.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${NOTE} lacks the lines ${BEGIN} and ${END}`);
  writeFileSync(NOTE, `${note.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${note.slice(end)}`);
  process.stdout.write(`${text}\n`);
}

main()
  .catch((error: unknown) => {
    complain(error);
    process.exitCode = EXIT.failed;
  })
  .finally(stopChildren);
