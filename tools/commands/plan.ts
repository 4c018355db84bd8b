// hmap plan: what a file of each representation would take, before one is built.

import { basename, extname } from 'node:path';
import type { Command } from 'commander';
import { Pacer } from '../../src/internal.js';
import { HashEntrySink } from '../formats/entry-sink.js';
import type { InputName } from '../formats/format.js';
import { isBinaryFormat, loadReader } from '../formats/formats.js';
import { asUtf8, UTF8 } from '../input/encoding.js';
import { Source } from '../input/source.js';
import { nameOf, understand } from '../input/understand.js';
import { type Plan, planJson, planText } from '../plan/page.js';
import { fingerprinted, type Representation, representations } from '../plan/predict.js';
import { rivals } from '../plan/rivals.js';
import { Survey } from '../plan/survey.js';
import { EXIT, exitWith, printableLines, tellIfWaiting } from '../terminal/cli.js';
import { examples, rare } from '../terminal/help.js';
import { Progress } from '../terminal/progress.js';
import { addInputFlags, type InputFlags, inputArgs, RARE_INPUT_FLAGS, readOptionsOf } from './input-flags.js';

interface Options extends InputFlags {
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
    .argument('<input>', 'the file, or - for stdin');
  addInputFlags(command)
    .option('--set', 'plan for the keys alone')
    .option('--explain', 'print the formulas for Map, object, SQLite and Redis, and their sources')
    .option('--json', 'print JSON')
    .action(runPlan);
  rare(command, RARE_INPUT_FLAGS);
  examples(
    command,
    'hmap plan ranks.tsv',
    'hmap plan --key-column ip --value-column country hosts.csv',
    'hmap plan --json big.jsonl.gz | jq .recommended',
  );
}

async function runPlan(input: string, options: Options): Promise<void> {
  const name = nameOf(input);
  const columns = readOptionsOf(options);
  if (input === '-') tellIfWaiting('entries');
  const source = new Source(input, options.compression);
  const progress = new Progress();
  const pacer = new Pacer(undefined, (entries) => {
    if (source.size === undefined) progress.update('reading', 'entries', entries, undefined);
    else progress.update('reading', 'bytes', source.done, source.size);
  });
  let survey: Survey;
  let format: InputName;
  try {
    const understood = await understand(input, name, source, options.format, columns);
    format = understood.format;
    survey = new Survey(valuesOf(String(understood.value), options), pacer);
    const encoding = isBinaryFormat(format) ? 'none' : (options.encoding ?? UTF8);
    const pieces = () => asUtf8(source.pieces(), name, encoding, source.again);
    const read = await loadReader(format);
    await read({ path: input, pieces }, new HashEntrySink(survey, name, columns), columns);
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

function valuesOf(type: string, options: Options): 'none' | 'bytes' | 'json' {
  if (options.set === true || type === 'none') return 'none';
  return type === 'json' ? 'json' : 'bytes';
}

function buildArgs(input: string, format: InputName, options: Options, chosen: Representation): string[] {
  const args = ['hmap', 'build'];
  if (options.format !== undefined) args.push('--format', options.format);
  args.push(...chosen.options);
  const rows = format === 'tsv' || format === 'csv';
  // A set reads one column, and refuses more unless a column is chosen.
  const key =
    options.keyColumn ??
    (rows && options.keyColumns === undefined && chosen.name.startsWith('set') && options.set !== true
      ? '1'
      : undefined);
  if (key !== undefined) args.push('--key-column', key);
  args.push(...inputArgs(options));
  const output = input === '-' ? 'table.hmap' : `${basename(input, extname(input))}.hmap`;
  return [...args, input, output];
}
