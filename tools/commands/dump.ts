// hmap dump: prints entries, the header, or single records with their bytes.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { type BucketView, type HashHeader, inspectBucket, inspectKey, type RecordView } from '../../src/index.js';
import {
  type ElementScan,
  type EntryScan,
  encodeKeyText,
  enumValues,
  fileHeader,
  keyFromText,
  scanFile,
  showKey,
} from '../../src/internal.js';
import { FORMATS, type FormatName } from '../formats/format.js';
import { loadFormat } from '../formats/formats.js';
import { counted, EXIT, examples, exitWith, parseInteger, warn } from '../terminal/cli.js';
import { hexDump } from '../terminal/hex.js';
import { Output } from '../terminal/output.js';
import { Progress } from '../terminal/progress.js';
import { headerJson } from './header-json.js';

interface Options {
  format: FormatName;
  header?: boolean;
  bucket?: number;
  key?: string;
  limit?: number;
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
    .addOption(new Option('-f, --format <format>', 'format of the entries').choices(FORMATS).default('jsonl'))
    .option('-n, --limit <count>', 'print at most this many entries', parseInteger(0, Number.MAX_SAFE_INTEGER))
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
    'hmap dump --key apple table.hmap',
  );
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

async function dumpEntries(
  path: string,
  { format, limit = Number.POSITIVE_INFINITY, check }: Options,
  out: Output,
): Promise<void> {
  const progress = new Progress();
  const dump = async (scan: EntryScan | ElementScan) => {
    const total = Math.min(scan.header.entries, limit);
    const printer = await printerOf(scan, format, out);
    for (let done = 0; done < limit && scan.step(); done++) {
      printer.print();
      if (!out.full) continue;
      await out.flush();
      progress.update('dumping', 'entries', done, total);
    }
    printer.end?.();
  };
  await scanFile(path, check, dump).finally(() => progress.stop());
}

/** Prints the entry, or the element, at which a scan is. */
interface Printer {
  print(): void;
  /** Prints what stands after the last entry. */
  end?(): void;
}

export async function printerOf(scan: EntryScan | ElementScan, format: FormatName, out: Output): Promise<Printer> {
  if (scan.layout === 'hash') {
    const writer = (await loadFormat(format)).writer(scan.header);
    return { print: () => writer.entry(scan.key, scan.value, out), end: () => writer.end?.(out) };
  }
  const { keylessWriter } = await import('../formats/keyless.js');
  const writer = keylessWriter(scan.header, format);
  return { print: () => writer.element(scan.index, scan.number, scan.bytes, out) };
}

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
