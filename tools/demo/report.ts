// How the demo looks on paper: tables and sentences from measurements. Measures nothing itself.

import { isUtf8 } from 'node:buffer';
import type { BuildSummary, Key, Verification } from '../../src/index.js';
import { grouped, humanBytes } from '../terminal/cli.js';
import { textTable } from '../terminal/columns.js';
import type { DataSet } from './data.js';
import type { Memory } from './memory.js';
import type { KeyForm } from './protocol.js';
import type { Reading } from './round.js';

/** Everything that was measured on one data set. */
export interface Results {
  data: DataSet;
  built: BuildSummary;
  verified: Verification;
  hmap: Reading[];
  map: Reading[];
  bare: Reading[];
}

const WIDTH = 96;
const NONE = 'n/a';

export function heading(text: string): string {
  return `── ${text} ${'─'.repeat(Math.max(0, WIDTH - text.length - 4))}\n`;
}

/** A key as a program would write it. */
export function keyText(key: Key): string {
  if (typeof key === 'string') return `'${key}'`;
  const hex = Buffer.from(key).toString('hex');
  return `bytes ${hex.replace(/..(?=.)/g, '$& ')}`;
}

export function samplesText(samples: readonly { key: Key; value: number | undefined }[]): string {
  const rows = samples.map(({ key, value }) => ({
    call: `get(${keyText(key)})`,
    value: value === undefined ? 'not there' : grouped(value),
    note: typeof key === 'string' || isUtf8(key) ? '' : '   not UTF-8',
  }));
  const calls = Math.max(...rows.map(({ call }) => displayWidth(call)));
  const values = Math.max(...rows.map(({ value }) => value.length));
  return rows
    .map(({ call, value, note }) => {
      const gap = ' '.repeat(calls - displayWidth(call));
      return `  ${call}${gap}  ${value.padStart(values)}${note}`;
    })
    .join('\n');
}

/** Columns on a terminal; the wide characters of the samples are all above U+2E80. */
function displayWidth(text: string): number {
  return Array.from(text).reduce((sum, character) => sum + (character.codePointAt(0)! >= 0x2e80 ? 2 : 1), 0);
}

/** The memory that is compared: PSS if the system reports it, otherwise RSS. */
function memoryOf({ pss, rss }: Memory): number {
  return pss ?? rss;
}

function memoryName(readings: readonly Reading[]): string {
  return readings.some(({ memory }) => memory.pss === undefined) ? 'RSS' : 'PSS';
}

/** What the columns of {@link processTable} mean; the same for every data set. */
export const COLUMNS = [
  'How to read the tables of processes:',
  '  hmap          opens the .hmap file',
  '  Map           fills a Map from a text file',
  '  bare Node     the same program without data: it reads the keys and looks nothing up',
  '  first lookup  from the start of the process to its first value; all start at once',
  '  a lookup      one get, with a new string each time, made before the clock starts; the median of batches',
  '  PSS           physical memory; a page that n processes share counts as 1/n (or RSS, in which it counts fully)',
  '  over bare     the same, minus that of a bare Node',
  '  private       memory that no other process shares',
  '  JS heap       live objects; all memory is measured after garbage collection, while all processes are running',
  'The rows "all" hold medians of times and sums of memory.',
  '',
].join('\n');

/** What the processes of one data set did. */
export function processNotes({ data, hmap, map }: Results): string {
  const mappings = [...new Set(hmap.map(({ mapping }) => mapping))].join(', ');
  return [
    `${hmap.length} processes at once look up all ${grouped(data.entries.length)} keys each, shuffled, and check each value;`,
    `then ${map.length} processes that hold the same in a Map.`,
    `hmap: mapping ${mappings}, keys given as ${FORM_NAMES[data.keyForms.hmap]}.`,
    `Map: loaded from ${data.source.about}, keys given as ${FORM_NAMES[data.keyForms.map]}.`,
  ].join('\n');
}

const FORM_NAMES: Record<KeyForm, string> = {
  utf8: 'strings',
  bytes: 'bytes',
  latin1: 'strings with one character per byte',
};

export function processTable({ hmap, map, bare }: Results): string {
  const floor = floorOf(bare);
  const gap = Array<string>(7).fill('');
  const rows = [
    ...block('hmap', hmap, floor),
    gap,
    ...block('Map', map, floor),
    gap,
    block('bare Node', bare, undefined).at(-1)!,
  ];
  const name = memoryName([...hmap, ...map, ...bare]);
  return textTable(['process', 'first lookup', 'a lookup', name, 'over bare', 'private', 'JS heap'], rows);
}

/** A row for each process and one for all, which holds medians of times and sums of memory. */
function block(name: string, readings: readonly Reading[], floor: number | undefined): string[][] {
  const memories = readings.map(({ memory }) => memory);
  const over = floor === undefined ? undefined : memories.map((memory) => memoryOf(memory) - floor);
  const rows = readings.map(({ firstLookupMs, lookupNs, memory }, i) => [
    `${name} ${i + 1}`,
    milliseconds(firstLookupMs),
    nanoseconds(lookupNs),
    megabytes(memoryOf(memory)),
    over === undefined ? '-' : megabytes(over[i]),
    megabytes(memory.private),
    megabytes(memory.heap),
  ]);
  const all = [
    `${name}, all ${readings.length}`,
    milliseconds(firstLookup(readings)),
    nanoseconds(lookup(readings)),
    megabytes(sum(memories.map(memoryOf))),
    over === undefined ? '-' : megabytes(sum(over)),
    megabytes(sum(memories.map((memory) => memory.private))),
    megabytes(sum(memories.map((memory) => memory.heap))),
  ];
  return [...rows, all];
}

export function fileTable(results: readonly Results[]): string {
  const rows = results.map(({ data, built, verified }) => [
    data.name,
    grouped(built.entries),
    humanBytes(built.payloadBytes),
    humanBytes(built.fileBytes),
    `${((built.fileBytes - built.payloadBytes) / built.entries).toFixed(2)} B`,
    seconds(built.seconds),
    seconds(verified.seconds),
  ]);
  return textTable(['file', 'entries', 'keys + values', 'file size', 'overhead each', 'build', 'verify'], rows);
}

/** What this run has shown, in figures of this run only. */
export function conclusions(results: readonly Results[]): string[] {
  const { hmap, map, bare } = results[0]!;
  const memory = memoryName([...hmap, ...map, ...bare]);
  const checked = results.flatMap((result) => [...result.hmap, ...result.map]);
  const each = (line: (result: Results) => string) =>
    results.map((result) => `${result.data.name}: ${line(result)}`).join('; ');
  return [
    `All ${grouped(sum(checked.map(({ right }) => right))!)} lookups of ${checked.length} processes gave the right value; verify found nothing wrong.`,
    `${memory} over bare Node, ${map.length} Maps / ${hmap.length} hmap readers: ${each((result) => {
      const [theirs, ours] = [overFloor(result.map, result.bare), overFloor(result.hmap, result.bare)];
      return `${megabytes(theirs)} / ${megabytes(ours)} = ${ratio(theirs, ours)}`;
    })}.`,
    `First lookup, Map / hmap: ${each((result) => {
      const [theirs, ours] = [firstLookup(result.map), firstLookup(result.hmap)];
      return `${milliseconds(theirs)} / ${milliseconds(ours)} = ${ratio(theirs, ours)}`;
    })}.`,
    `The same, less a bare Node's start: ${each((result) => {
      const floor = firstLookup(result.bare);
      const [theirs, ours] = [firstLookup(result.map) - floor, firstLookup(result.hmap) - floor];
      return `${milliseconds(theirs)} / ${milliseconds(ours)} = ${ratio(theirs, ours)}`;
    })}.`,
    `A lookup, Map.get / table.get: ${each((result) => {
      const [theirs, ours] = [lookup(result.map), lookup(result.hmap)];
      return `${nanoseconds(theirs)} / ${nanoseconds(ours)} = ${ratio(theirs, ours)}`;
    })}.`,
  ];
}

function floorOf(bare: readonly Reading[]): number {
  return median(bare.map(({ memory }) => memoryOf(memory)));
}

function overFloor(readings: readonly Reading[], bare: readonly Reading[]): number {
  const floor = floorOf(bare);
  return sum(readings.map(({ memory }) => memoryOf(memory) - floor))!;
}

function firstLookup(readings: readonly Reading[]): number {
  return median(readings.map(({ firstLookupMs }) => firstLookupMs));
}

function lookup(readings: readonly Reading[]): number | undefined {
  const times = readings.flatMap(({ lookupNs }) => lookupNs ?? []);
  return times.length === 0 ? undefined : median(times);
}

/** The mean of the middle two where the count is even. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2;
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce<number | undefined>(
    (total, value) => (total === undefined || value === undefined ? undefined : total + value),
    0,
  );
}

function ratio(a: number | undefined, b: number | undefined): string {
  return a === undefined || b === undefined || b <= 0 ? NONE : `${(a / b).toFixed(1)}x`;
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

function milliseconds(value: number): string {
  return `${value.toFixed(1)} ms`;
}

function nanoseconds(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(0)} ns`;
}

function megabytes(value: number | undefined): string {
  return value === undefined ? NONE : `${(value / 2 ** 20).toFixed(1)} MiB`;
}
