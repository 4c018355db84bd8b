// A plan as people read it, and the command that it recommends. Knows no input.

import { counted, grouped, humanBytes, oneIn, range } from '../terminal/cli.js';
import { fittedTable, pageWidth, textTable, wrapped } from '../terminal/columns.js';
import type { Facts } from './facts.js';
import { type Fingerprinted, PART_NAMES, type Representation } from './predict.js';
import type { Rival } from './rivals.js';

export interface Plan {
  readonly input: string;
  readonly facts: Facts;
  /** The smallest first. */
  readonly representations: readonly Representation[];
  /** Those that do without the keys themselves. */
  readonly fingerprinted: readonly Fingerprinted[];
  readonly rivals: readonly Rival[];
  readonly recommended: { readonly name: string; readonly args: readonly string[] };
}

const CHOOSES =
  'With --layout auto, hmap build chooses between a bit array and a hashed set by itself, even if integers occur twice.';

const DUPLICATES = 'Entries with the same key are counted as if their keys were distinct.';

/** Arguments as a POSIX shell takes them. */
export function shellLine(args: readonly string[]): string {
  return args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`)).join(' ');
}

const WITHOUT_KEYS =
  'Without the keys themselves: each key is found, and so is another one with the probability shown. --fingerprint BITS';

const perEntry = (bytes: number, entries: number) => (entries === 0 ? '' : (bytes / entries).toFixed(2));

/** Whether a representation is one of the two between which a build chooses by itself. */
function isIntegerSet(name: string, { keys: { integers } }: Facts): boolean {
  const inRange = integers !== undefined && -integers.least < 2n ** 53n && integers.most < 2n ** 53n;
  return inRange && (name === 'bits' || /^set, [ui]\d+ keys$/.test(name));
}

/** Columns that a narrow page goes without, in this order. */
const SPARE_PARTS = ['padding', 'header', 'checksums', 'lengths', 'buckets', 'keys', 'values'];

/** The page that the command prints, in lines of `width` characters from 60 on; commands stay in one line. */
export function planText(
  { input, facts, representations, fingerprinted, rivals, recommended }: Plan,
  explain: boolean,
  width: number = pageWidth(),
): string {
  const { entries, keys } = facts;
  const smallest = representations[0]!.total;
  const rows = representations.map(({ name, parts, total }) => [
    name,
    ...PART_NAMES.map((part) => grouped(parts[part])),
    grouped(total),
    perEntry(total, entries),
  ]);
  const others = rivals.map(({ name, bytes }) => [
    name,
    grouped(bytes),
    perEntry(bytes, entries),
    (bytes / smallest).toFixed(2),
  ]);
  const without = fingerprinted.map(({ name, total, falsePositiveRate }) => [
    name.replace('fingerprints of ', ''),
    grouped(total),
    perEntry(total, entries),
    oneIn(falsePositiveRate),
  ]);
  const key = entries === 0 ? '' : `, keys of ${range(keys.lengths.shortest, keys.lengths.longest, 'byte')}`;
  const notes = explain
    ? rivals.flatMap(({ name, formula, source }) => [
        '',
        wrapped(`${name}: ${formula}.`, width),
        wrapped(`  (${source})`, width, '  '),
      ])
    : [];
  return [
    wrapped(`${input}: ${counted(entries, 'entry', 'entries')}${key}`, width),
    wrapped(DUPLICATES, width),
    '',
    fittedTable(['bytes, predicted', ...PART_NAMES, 'total', 'an entry'], rows, width, SPARE_PARTS),
    '',
    wrapped(WITHOUT_KEYS, width),
    fittedTable(['fingerprints', 'bytes', 'an entry', 'found by mistake'], without, width, ['an entry']),
    '',
    textTable(['for comparison', 'bytes', 'an entry', 'times the smallest'], others),
    ...notes,
    '',
    `The smallest is ${recommended.name}, ${humanBytes(smallest)}:`,
    `  ${shellLine(recommended.args)}`,
    ...(isIntegerSet(recommended.name, facts) ? [wrapped(CHOOSES, width)] : []),
  ].join('\n');
}

/** The same as JSON. */
export function planJson({ input, facts, representations, fingerprinted, rivals, recommended }: Plan): string {
  return JSON.stringify({
    input,
    entries: facts.entries,
    duplicates: 'counted as distinct',
    representations: representations.map(({ name, options, parts, total }) => ({ name, options, parts, total })),
    fingerprinted,
    rivals,
    recommended: { ...recommended, command: shellLine(recommended.args) },
  });
}
