// hmap dump: prints entries, the header, or single records with their bytes.

import { setImmediate as turn } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type BucketView, type HashHeader, inspectBucket, inspectKey, type RecordView } from '../../src/index.js';
import {
  ByteBuffer,
  type ByteSlice,
  type ElementScan,
  type EntryScan,
  encodeKeyText,
  enumValues,
  fileHeader,
  keyFromText,
  scanFile,
  showKey,
} from '../../src/internal.js';
import { OUTPUTS, type OutputName } from '../formats/format.js';
import { counted, EXIT, exitWith, parseInteger, warn } from '../terminal/cli.js';
import { examples } from '../terminal/help.js';
import { hexDump } from '../terminal/hex.js';
import { Output } from '../terminal/output.js';
import { Progress } from '../terminal/progress.js';
import { type FilterFlags, filterOf, type Kept, parseMatch, parseWhere, Reservoir } from './dump-filter.js';
import { type PrintFlags, printerOf } from './dump-printer.js';
import { headerJson } from './header-json.js';

/** One of several parts of a file. */
type ScanPart = NonNullable<Parameters<typeof scanFile>[3]>;

interface Options extends FilterFlags, PrintFlags {
  format: OutputName;
  header?: boolean;
  bucket?: number;
  key?: string;
  limit?: number;
  skip?: number;
  sample?: number;
  seed?: number;
  part?: ScanPart;
  check: 'header' | 'touch';
}

export function addDump(program: Command): void {
  const command = program
    .command('dump')
    .summary('print entries, the header, or single records')
    .description(
      'Prints all entries, in the order of the file, in a format from which `hmap build` makes the identical file (with the same --key, --value, --seed, ' +
        '--meta, --layout, --base and --length, and --encoding none where keys are no text). jsonl and cdb can express every key and value; the other formats fail at one that they cannot express. Reads the file once.',
    )
    .argument('<file>', 'the .hmap file')
    .addOption(
      new Option('-f, --format <format>', 'format of the entries; sql is for SQLite, resp for redis-cli --pipe')
        .choices(OUTPUTS)
        .default('jsonl'),
    )
    .option('-o, --output <file>', 'the file to make, for the formats sqlite and cdb-binary')
    .option('--force', 'replace the output if it exists')
    .option('--table <name>', 'the table that sql and sqlite make (default: entries)')
    .option('--keys-only', 'print the keys, as those of a set')
    .option('--values-only', 'print the values, one a line')
    .option('--prefix <text>', 'only keys that begin with this')
    .option('--match <regex>', 'only keys in which this regular expression of JavaScript is found', parseMatch)
    .option(
      '--where <comparison>',
      "only entries of which this is true, such as 'value > 10', 'level != 3' for a field of a struct, 'value.name = \"x\"' for a member of JSON; may be repeated",
      parseWhere,
    )
    .option('-n, --limit <count>', 'print at most this many entries', parseCount)
    .option('--skip <count>', 'leave out this many of the first entries', parseCount)
    .option('--sample <count>', 'print this many entries, drawn at random, in the order of the file', parseCount)
    .option('--seed <number>', 'another sample for each (default: 0)', parseInteger(0, 0xffff_ffff))
    .option(
      '--part <i/n>',
      'only part i of n, counted from 1, of the file by the hash of keys, or by index: for several processes',
      parsePart,
    )
    .addOption(
      new Option(
        '--check <what>',
        'what to compare with its checksum: the header, or each block before it is printed ("header" still prints what a damaged file holds)',
      )
        .choices(['header', 'touch'])
        .default('touch'),
    )
    .option('--header', 'print the header as JSON instead')
    .option('--bucket <number>', 'print one bucket, with offsets and bytes, instead', parseBucket)
    .option('--key <key>', 'print the record of one key, with offsets and bytes, instead')
    .action(runDump);
  examples(
    command,
    'hmap dump table.hmap | head',
    'hmap dump --format cdb table.hmap | cdb -c table.cdb',
    'hmap dump --format sql table.hmap | sqlite3 table.db',
    "hmap dump --where 'value > 10' --format json table.hmap",
    'hmap dump --keys-only --format lines --sample 10 table.hmap',
    'hmap dump --key apple table.hmap',
  );
}

const parseCount = parseInteger(0, Number.MAX_SAFE_INTEGER);

function parsePart(text: string): ScanPart {
  const [, index, of] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  const part = { index: Number(index) - 1, of: Number(of) };
  if (part.index >= 0 && part.index < part.of) return part;
  throw new InvalidArgumentError('Expected a part such as 1/4.');
}

function parseBucket(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected an integer of 0 or more.');
}

async function runDump(file: string, options: Options, command: Command): Promise<void> {
  const modes = ['header', 'bucket', 'key'].filter((name) => command.getOptionValue(name) !== undefined);
  if (modes.length > 1) throw new TypeError(`--${modes[0]} and --${modes[1]} cannot be used together`);
  const out = new Output();
  let found = true;
  if (options.header) out.text(`${JSON.stringify(headerJson(fileHeader(file)), null, 2)}\n`);
  else if (options.bucket !== undefined) showBucket(file, inspectBucket(file, options.bucket), undefined, out);
  else if (options.key !== undefined) found = showKeyRecord(file, options.key, out);
  else await dumpEntries(file, options, out);
  await out.flush();
  exitWith(found ? EXIT.fine : EXIT.findings);
}

async function dumpEntries(path: string, options: Options, out: Output): Promise<void> {
  const { format, limit = Number.POSITIVE_INFINITY, skip = 0, sample, seed = 0, check, part } = options;
  const progress = new Progress();
  const dump = async (scan: EntryScan | ElementScan) => {
    const filter = filterOf(scan, options);
    const printer = await printerOf(scan, path, format, out, options);
    const reservoir = sample === undefined ? undefined : new Reservoir(sample, seed);
    const total = Math.ceil(scan.header.entries / (part?.of ?? 1));
    try {
      let found = 0;
      for (let seen = 0; found < skip + limit && scan.step(); seen++) {
        if (seen % STRIDE === 0) await turn();
        if (filter !== undefined && !filter.accepts()) continue;
        if (found++ < skip) continue;
        if (reservoir !== undefined) reservoir.add(() => copyOf(scan));
        else printer.print();
        if (!out.full) continue;
        await out.flush();
        progress.update('dumping', 'entries', seen, total);
      }
      for (const kept of reservoir?.entries ?? []) {
        printer.printKept(kept);
        if (out.full) await out.flush();
      }
      printer.end();
      if (filter?.hasSeen === false && scan.header.entries > 0) warn('--where: no value has such a part');
    } finally {
      printer.abandon();
    }
  };
  await scanFile(path, check, dump, part).finally(() => progress.stop());
}

/** Entries between two turns of other work: signals, the end of a pipe. */
const STRIDE = 2 ** 16;

function copyOf(scan: EntryScan | ElementScan): Kept {
  const copy = ({ buffer, at, length }: ByteSlice): ByteSlice => {
    const own = new ByteBuffer(Uint8Array.from(buffer.bytes.subarray(at, at + length)));
    return { buffer: own, at: 0, length };
  };
  if (scan.layout === 'hash') {
    const { key, value } = scan as EntryScan;
    return { key: copy(key), value: copy(value), index: 0, number: 0 };
  }
  const { index, number, bytes } = scan as ElementScan;
  return { key: NOTHING, value: copy(bytes), index, number };
}

const NOTHING: ByteSlice = { buffer: new ByteBuffer(0), at: 0, length: 0 };

function showKeyRecord(path: string, text: string, out: Output): boolean {
  const { keyType } = fileHeader(path);
  // Refuses what is not a key of the type.
  if (keyType !== 'bytes') encodeKeyText(keyType, text);
  const { bucket, record } = inspectKey(path, keyType === 'bytes' ? text : keyFromText(keyType, text)!);
  if (record === undefined || bucket === undefined) {
    const where = bucket === undefined ? '' : ` (it would be in bucket ${bucket.index})`;
    warn(`not found: ${keyType === 'bytes' ? showKey(keyType, Buffer.from(text)) : text}${where}`);
    return false;
  }
  showBucket(path, bucket, record, out);
  return true;
}

/** Says what a value is: its type, and of an `enum` also what its index stands for. */
function valueNames(path: string, { valueType }: HashHeader): (value: Uint8Array) => string {
  if (valueType !== 'enum') return () => valueType;
  const stringOf = enumValues(path);
  return (value) => `enum: ${showKey('bytes', stringOf(value))}`;
}

/** Prints a bucket and its records, or only one of them. */
function showBucket(path: string, view: BucketView, only: RecordView | undefined, out: Output): void {
  const { keyType } = view.header;
  const describe = valueNames(path, view.header);
  const count = view.records.length;
  out.text(`bucket ${view.index} (bucket ${view.bucket} of segment ${view.segment}): ${counted(count, 'record')}\n`);
  out.text(`  line of the index at byte ${view.lineOffset}; records in bytes [${view.start}, ${view.end})\n`);
  for (const record of only === undefined ? view.records : [only]) {
    const { offset, keyOffset, valueOffset, end } = record;
    out.text(`\nrecord of key ${showKey(keyType, record.key)}, hash 0x${record.hash.toString(16).padStart(8, '0')}\n`);
    const parts = [
      { name: 'length prefixes', from: offset, to: keyOffset },
      { name: keyType === 'bytes' ? 'key' : `key (${keyType})`, from: keyOffset, to: valueOffset },
      { name: `value (${describe(record.value)})`, from: valueOffset, to: end },
    ];
    for (const { name, from, to } of parts) {
      if (to > from) out.text(hexDump(record.bytes.subarray(from - offset, to - offset), from, name));
    }
  }
}
