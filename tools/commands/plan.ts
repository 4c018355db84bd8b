// hmap plan: what a file of each representation would take, before one is built.

import { basename, extname } from 'node:path';
import { type Command, Option } from 'commander';
import { Pacer } from '../../src/internal.js';
import { HashEntrySink } from '../formats/entry-sink.js';
import { FORMATS, type FormatName } from '../formats/format.js';
import { DEFAULT_VALUE, formatOf, loadFormat } from '../formats/formats.js';
import { asUtf8, parseEncoding, UTF8 } from '../input/encoding.js';
import { PACKINGS, type PackingChoice, unpackedName } from '../input/packing.js';
import { Source } from '../input/source.js';
import { type Plan, planJson, planText } from '../plan/page.js';
import { fingerprinted, type Representation, representations } from '../plan/predict.js';
import { rivals } from '../plan/rivals.js';
import { Survey } from '../plan/survey.js';
import { EXIT, examples, exitWith, printableLines, tellIfWaiting } from '../terminal/cli.js';
import { Progress } from '../terminal/progress.js';

interface Options {
  format?: FormatName;
  encoding?: string;
  compression?: PackingChoice;
  keyColumn?: string;
  valueColumn?: string;
  headerRow?: boolean;
  set?: boolean;
  explain?: boolean;
  json?: boolean;
}

export function addPlan(program: Command): void {
  const command = program
    .command('plan')
    .summary('predict the size of the file for each way to build it')
    .description(
      'Reads a text file, or stdin, once. Predicts how large the file will be, part by part, for each representation that keeps the entries without loss, ' +
        'beside a Map, an object, SQLite and Redis; then prints the command that builds the smallest. Without loss means that hmap dump ' +
        'prints the same values again. A table of its own shows what fingerprints in place of keys would take. A key that occurs twice counts twice. Memory does not grow with the input.',
    )
    .argument('<input>', 'the text file, or - for stdin')
    .addOption(
      new Option('-f, --format <format>', 'format of the input (default: chosen by the file extension)').choices(
        FORMATS,
      ),
    )
    .option(
      '--key-column <column>',
      'column of the keys: its number, counted from 1, or its name; for jsonl the name of a member (default: 1, or "key")',
    )
    .option('--value-column <column>', 'column of the values, in the same way (default: 2, or "value")')
    .option('--encoding <label>', 'encoding of the text, or none, as hmap build has it (default: utf-8)', parseEncoding)
    .addOption(
      new Option(
        '--compression <name>',
        'what the input is compressed with (default: found by its first bytes, brotli by the ending .br)',
      ).choices(['none', ...PACKINGS]),
    )
    .option('--header-row', 'the first row names the columns (implied when a column is chosen by name)')
    .option('--no-header-row', 'the first row is an entry, whatever it looks like')
    .option('--set', 'plan for the keys alone')
    .option('--explain', 'print the formulas for Map, object, SQLite and Redis, and their sources')
    .option('--json', 'print JSON')
    .action(runPlan);
  examples(
    command,
    'hmap plan ranks.tsv',
    'hmap plan --key-column ip --value-column country hosts.csv',
    'hmap plan --json big.jsonl.gz | jq .recommended',
  );
}

async function runPlan(input: string, options: Options): Promise<void> {
  const name = input === '-' ? 'stdin' : input;
  const format = formatOf(input, name, options.format, unpackedName(input));
  const { read } = await loadFormat(format);
  const columns = { key: options.keyColumn, value: options.valueColumn, headerRow: options.headerRow };
  if (input === '-') tellIfWaiting('entries');
  const source = new Source(input, options.compression);
  const progress = new Progress();
  const pacer = new Pacer(undefined, (entries) => {
    if (source.size === undefined) progress.update('reading', 'entries', entries, undefined);
    else progress.update('reading', 'bytes', source.done, source.size);
  });
  const survey = new Survey(valuesOf(format, options), pacer);
  try {
    const encoding = format === 'cdb' ? 'none' : (options.encoding ?? UTF8);
    await read(asUtf8(source.pieces(), name, encoding, source.again), new HashEntrySink(survey, name), columns);
  } finally {
    progress.stop();
    source.close();
  }
  const { facts } = survey;
  const found = representations(facts);
  const plan: Plan = {
    input: name,
    facts,
    representations: found,
    fingerprinted: fingerprinted(facts),
    rivals: rivals(facts),
    recommended: { name: found[0]!.name, args: buildArgs(input, format, options, found[0]!) },
  };
  const text = options.json === true ? planJson(plan) : planText(plan, options.explain === true);
  process.stdout.write(`${printableLines(text)}\n`);
  exitWith(EXIT.fine);
}

function valuesOf(format: FormatName, options: Options): 'none' | 'bytes' | 'json' {
  const type = DEFAULT_VALUE[format];
  if (options.set === true || type === 'none') return 'none';
  return type === 'json' ? 'json' : 'bytes';
}

function buildArgs(input: string, format: FormatName, options: Options, chosen: Representation): string[] {
  const args = ['hmap', 'build'];
  if (options.format !== undefined) args.push('--format', options.format);
  args.push(...chosen.options);
  const rows = format === 'tsv' || format === 'csv';
  // A set reads one column, and refuses more unless a column is chosen.
  const key = options.keyColumn ?? (rows && chosen.name.startsWith('set') && options.set !== true ? '1' : undefined);
  if (key !== undefined) args.push('--key-column', key);
  if (options.valueColumn !== undefined) args.push('--value-column', options.valueColumn);
  if (options.encoding !== undefined) args.push('--encoding', options.encoding);
  if (options.headerRow !== undefined) args.push(options.headerRow ? '--header-row' : '--no-header-row');
  const output = input === '-' ? 'table.hmap' : `${basename(input, extname(input))}.hmap`;
  return [...args, input, output];
}
