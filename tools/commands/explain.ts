// hmap explain: one lookup, step by step.

import { isUtf8 } from 'node:buffer';
import type { Command } from 'commander';
import type { HashHeader, Header } from '../../src/index.js';
import {
  ByteBuffer,
  type ComparedRecord,
  type Explanation,
  encodeKeyText,
  explainLookup,
  fileHeader,
  keyFromText,
  type LookupStep,
} from '../../src/internal.js';
import { elementPrinter } from '../formats/keyless-writer.js';
import { jsonPrinter } from '../formats/text.js';
import { counted, EXIT, exitWith, grouped, jsonLine, printable, tellIfWaiting } from '../terminal/cli.js';
import { coloured, hasColours } from '../terminal/colours.js';
import { pageWidth, textTable, wrapped } from '../terminal/columns.js';
import { examples } from '../terminal/help.js';
import { Output } from '../terminal/output.js';
import { Progress } from '../terminal/progress.js';
import { nearestKeys, type Spelling, variantsOf } from './spellings.js';

interface Options {
  near?: boolean;
  json?: boolean;
}

export function addExplain(program: Command): void {
  const command = program
    .command('explain')
    .summary('show one lookup step by step, and why a key is not found')
    .description(
      'Looks a key up as a program would, and shows each step: the bytes of the key, their hash, the bucket, the records that are compared and why each of them is passed, the value; ' +
        'which pages of the file are read and whether they were in memory, whether their blocks fit their checksums, and how long each step takes. A key that is not found is also tried in spellings that are often mixed up (case, spaces, line ends, quotes, Unicode forms). The exit code is 1 if the key is not found, or what was read is damaged.',
    )
    .argument('<file>', 'the .hmap file')
    .argument(
      '<key>',
      "the key, as text of the table's key type; an index of a list, an integer of a bit array; - for stdin",
    )
    .option('--near', 'also go through all keys for those with the fewest edits')
    .option('--json', 'print JSON')
    .action(runExplain);
  examples(
    command,
    'hmap explain words.hmap apple',
    'hmap explain --near words.hmap appel',
    'hmap explain list.hmap 5',
  );
}

/** Whether all that the lookup has read fits its checksums. */
function isSound({ blocks }: Explanation): boolean {
  return blocks.every(({ fits }) => fits);
}

/** How many near keys are shown. */
const MOST_NEAR = 5;

async function runExplain(file: string, given: string, options: Options): Promise<void> {
  const header = fileHeader(file);
  const key = given === '-' ? await keyOnStdin(header) : given;
  const looked = explainLookup(file, keyOf(header, key));
  // What is no integer has no other name.
  const explained = header.layout === 'hash' ? looked : { ...looked, key: printable(String(key)) };
  // Bytes that are no text have no other spelling.
  const isOther = !explained.found && hasKeys(header) && typeof key === 'string';
  const spellings = isOther ? variantsOf(file, header, key) : [];
  const near = options.near && isOther ? await findNear(file, header, key) : undefined;
  const value = explained.value === null ? undefined : valueText(header, explained.value);
  if (options.json) {
    const { value: place, ...rest } = explained;
    const shown = place === null ? null : { offset: place.offset, end: place.end, json: value };
    process.stdout.write(jsonLine({ ...rest, value: shown, spellings, ...(near && { near }) }));
  } else {
    const page = pageOf(explained, header, value, spellings, near, pageWidth());
    process.stdout.write(`${hasColours() ? coloured(page) : page}\n`);
  }
  exitWith(explained.found && isSound(explained) ? EXIT.fine : EXIT.findings);
}

function hasKeys(header: Header): header is HashHeader {
  return header.layout === 'hash' && header.fingerprint === null;
}

/** Stdin without the line end: a key of any bytes, which an argument cannot be. */
async function keyOnStdin({ layout, keyType }: Header): Promise<string | Uint8Array> {
  tellIfWaiting('a key');
  const pieces: Uint8Array[] = [];
  for await (const piece of process.stdin) pieces.push(piece as Uint8Array);
  const all = Buffer.concat(pieces);
  const bytes = all.at(-1) === 0x0a ? all.subarray(0, -1) : all;
  return layout === 'hash' && keyType === 'bytes' && !isUtf8(bytes) ? Uint8Array.from(bytes) : bytes.toString();
}

/** The key that the text is. */
function keyOf({ layout, keyType }: Header, text: string | Uint8Array): string | number | bigint | Uint8Array {
  if (layout !== 'hash' && typeof text === 'string') return /^[+-]?\d{1,17}$/.test(text) ? Number(text) : Number.NaN;
  if (typeof text !== 'string') return text;
  if (keyType === 'bytes') return text;
  // Refuses what is not a key of the type.
  encodeKeyText(keyType, text);
  return keyFromText(keyType, text)!;
}

async function findNear(file: string, header: HashHeader, key: string): Promise<{ key: string; edits: number }[]> {
  const progress = new Progress();
  const report = (done: number) => progress.update('comparing', 'entries', done, header.entries);
  return nearestKeys(file, key, MOST_NEAR, report).finally(() => progress.stop());
}

/** A value as JSON. */
function valueText(header: Header, { bytes, number = 0 }: NonNullable<Explanation['value']>): string {
  const slice = { buffer: new ByteBuffer(bytes), at: 0, length: bytes.length };
  const out = new Output(64);
  if (header.layout === 'list') elementPrinter(header.valueType, true)(number, slice, out);
  else jsonPrinter((header as HashHeader).valueType)(slice.buffer, slice.at, slice.length, out);
  return out.toText();
}

/** Characters of a value on the page. */
const SHOWN_VALUE = 300;

function pageOf(
  explained: Explanation,
  header: Header,
  value: string | undefined,
  spellings: readonly Spelling[],
  near: { key: string; edits: number }[] | undefined,
  width: number,
): string {
  const { path, steps, records, key } = explained;
  const rows = steps.map((step) => [step.name, told(step, header), `${step.microseconds.toFixed(1)} µs`]);
  const gap = Math.max(...rows.map(([name]) => name!.length)) + 2;
  const lines = rows.flatMap(([name, text, time]) => {
    const room = Math.max(20, Math.min(width, MOST_WIDTH) - gap - 12);
    const [first, ...more] = wrapped(text!, room).split('\n');
    return [
      `${name!.padEnd(gap)}${first!.padEnd(room)}${time!.padStart(12)}`,
      ...more.map((line) => `${' '.repeat(gap)}${line}`),
    ];
  });
  const compared = records.map((record) => comparedLine(record, width));
  const shown = value !== undefined && value.length > SHOWN_VALUE ? `${value.slice(0, SHOWN_VALUE)}...` : value;
  return [
    printable(`${path}: ${key}`),
    '',
    verdict(explained, header, shown, width),
    ...spellings.map(({ key: other, how }) => wrapped(`the table has ${text(other)}: ${how}`, width, '  ')),
    ...nearLines(near),
    '',
    ...lines,
    ...(compared.length > 0 ? ['', 'records compared:', ...compared] : []),
    '',
    ...touched(explained, width),
  ].join('\n');
}

/** Characters of a line, where the terminal or the pipe has more. */
const MOST_WIDTH = 100;

const text = (key: string) => printable(JSON.stringify(key));

/** What a step did, in words. */
function told({ name, facts }: LookupStep, header: Header): string {
  const fact = (of: string) => {
    const value = facts[of];
    return typeof value === 'number' ? grouped(value) : String(value);
  };
  switch (name) {
    case 'open':
      return header.layout === 'hash'
        ? `header of ${fact('headerBytes')} bytes: ${fact('entries')} entries in ${fact('buckets')} buckets`
        : `header of ${fact('headerBytes')} bytes: ${header.layout}, integers from ${facts.base}, ${fact('length')} of them`;
    case 'key':
      return `${counted(Number(facts.length), 'byte')}: ${facts.bytes === '' ? 'none' : facts.bytes}`;
    case 'hash':
      return `${facts.algorithm} of these bytes, seed ${facts.seed}: ${facts.hash}`;
    case 'shard':
      return `the top bits of the hash: ${fact('shard')} of ${fact('of')}`;
    case 'segment':
      return header.layout === 'hash'
        ? `the next bits of the hash: ${fact('segment')} of ${fact('of')}`
        : `${fact('segment')} of ${fact('of')}, element ${fact('element')}`;
    case 'bucket':
      return `the bits after these: ${fact('bucket')} of ${fact('of')}`;
    case 'index':
      return header.layout === 'hash'
        ? `line at byte ${fact('line')}, offsets ${facts.slot} and ${Number(facts.slot) + 1} after anchor ${fact('anchor')}: ${fact('from')} and ${fact('to')}${facts.unit === 1 ? '' : `, each of ${fact('unit')} bytes`}; so bytes [${fact('start')}, ${fact('end')})`
        : `number ${fact('index')}`;
    case 'records':
      return `${counted(Number(facts.compared), 'record')} of ${counted(Number(facts.bytes), 'byte')} compared`;
    case 'value':
      return `${counted(Number(facts.bytes), 'byte')} at byte ${fact('offset')}`;
    case 'dictionary':
      return `string ${fact('index')}, ${counted(Number(facts.bytes), 'byte')} at byte ${fact('offset')}`;
    case 'bit':
      return `bit ${facts.bit} of the word at byte ${fact('word')}: ${facts.value}; run ${fact('run')}, ${fact('onesBeforeRun')} ones before it`;
    case 'offsets':
      return `offsets at byte ${fact('at')}: ${fact('from')} and ${fact('to')}, from byte ${fact('heap')} on`;
    case 'bits':
      return `${counted(Number(facts.bitsEach), 'bit')} an element: bits [${fact('from')}, ${fact('to')}) of the segment`;
    default:
      return Object.entries(facts)
        .map(([of, value]) => `${of} ${value}`)
        .join(', ');
  }
}

function comparedLine({ key, offset, bytes, passedBecause }: ComparedRecord, width: number): string {
  const why = passedBecause === null ? 'this is the one' : `passed: ${passedBecause}`;
  return wrapped(`  ${printable(key)}, ${counted(bytes, 'byte')} at byte ${grouped(offset)}: ${why}`, width, '    ');
}

function verdict(explained: Explanation, header: Header, value: string | undefined, width: number): string {
  const { found, reason, records } = explained;
  if (!found) return wrapped(printable(`not found: ${reason}`), width, '  ');
  const sound = isSound(explained) ? '' : ', but the file is damaged here, so that this may be wrong';
  const what = (value === undefined || header.valueType === 'none' ? 'found' : `found: ${printable(value)}`) + sound;
  if (header.fingerprint === null) return `${what}${header.layout === 'bits' ? ': its bit is 1' : ''}`;
  const rate = header.fingerprint.falsePositiveRate;
  const note = `, if it is a key of the table: one in ${grouped(Math.round(1 / rate))} other keys has such a fingerprint as well`;
  return wrapped(`${what}${note} (${counted(records.length, 'record')} in the bucket)`, width, '  ');
}

function nearLines(near: { key: string; edits: number }[] | undefined): string[] {
  if (near === undefined) return [];
  if (near.length === 0) return ['no key of the table is near'];
  return [
    `near keys, at most ${MOST_NEAR}:`,
    ...near.map(({ key, edits }) => `  ${text(key)}, ${counted(edits, 'edit')} away`),
  ];
}

/** Which pages were read, and whether what was read can be trusted. */
function touched({ pages, blocks }: Explanation, width: number): string[] {
  const rows = pages.map(({ part, offset, wasInMemory }) => [
    part,
    grouped(offset),
    wasInMemory === null ? 'not known' : wasInMemory ? 'yes' : 'no',
  ]);
  const damaged = blocks.filter(({ fits }) => !fits);
  const shown = damaged.map(({ offset, end }) => `[${grouped(offset)}, ${grouped(end)})`).join(', ');
  const trust =
    blocks.length === 0
      ? 'No block was read.'
      : damaged.length > 0
        ? `The file is damaged: ${shown} ${damaged.length === 1 ? 'does' : 'do'} not fit the checksum; hmap verify says more.`
        : `${counted(blocks.length, 'block')} of 64 KiB ${blocks.length === 1 ? 'was' : 'were'} read in, and ${blocks.length === 1 ? 'fits its checksum' : 'fit their checksums'}.`;
  return [textTable(['pages read', 'at byte', 'in memory before'], rows), '', wrapped(trust, width)];
}
