// hmap diff: what is different between two files.

import { type Command, Option } from 'commander';
import type { HashHeader, Header } from '../../src/index.js';
import { type DiffCounts, type Difference, diffFiles, fileHeader } from '../../src/internal.js';
import { elementPrinter } from '../formats/keyless-writer.js';
import { type PatchOp, PatchWriter, patchTypes } from '../formats/patch.js';
import { jsonKeyPrinter, jsonPrinter } from '../formats/text.js';
import { EXIT, exitWith, grouped, jsonLine, parseInteger, printable, say } from '../terminal/cli.js';
import { examples } from '../terminal/help.js';
import { Output } from '../terminal/output.js';
import { Progress } from '../terminal/progress.js';

interface Options {
  json?: boolean;
  stat?: boolean;
  patch?: boolean;
  limit?: number;
  check: 'header' | 'touch';
}

export function addDiff(program: Command): void {
  const command = program
    .command('diff')
    .summary('show what is different between two files')
    .description(
      'Prints each entry that is not the same in both files: "-" for one that only the first has, "+" for one that only the second has, "~" for a key with another ' +
        'value. Values of two types are compared as a program would get them. The exit code is 0 if all entries and the metadata are the same, otherwise 1. Files of one key type and one seed, which is what builds make, are read once, side by side, in fixed memory; others are looked up in one another.',
    )
    .argument('<a>', 'the first .hmap file')
    .argument('<b>', 'the second .hmap file')
    .option('--stat', 'print only how many entries are different')
    .option('--patch', 'print a patch, which turns the first file into the second: hmap merge a.hmap patch -o b.hmap')
    .option('--json', 'print one JSON object per difference, with the members op, key, before and after')
    .option(
      '-n, --limit <count>',
      'print at most this many differences, and count the others',
      parseInteger(0, Number.MAX_SAFE_INTEGER),
    )
    .addOption(
      new Option(
        '--check <what>',
        'what to compare with its checksum: the header, or each block before it is used ("header" still compares what a damaged file holds)',
      )
        .choices(['header', 'touch'])
        .default('touch'),
    )
    .action(runDiff);
  examples(
    command,
    'hmap diff monday.hmap tuesday.hmap',
    'hmap diff --stat monday.hmap tuesday.hmap',
    'hmap diff --patch monday.hmap tuesday.hmap > changes.patch',
    'hmap diff --json --limit 10 monday.hmap tuesday.hmap',
  );
}

async function runDiff(a: string, b: string, options: Options): Promise<void> {
  const modes = (['stat', 'patch'] as const).filter((name) => options[name]);
  if (modes.length === 2) throw new TypeError('--stat and --patch cannot be used together');
  for (const name of ['json', 'limit'] as const) {
    if (options.patch && options[name] !== undefined)
      throw new TypeError(`--patch and --${name} cannot be used together`);
  }
  const headers = [fileHeader(a), fileHeader(b)] as const;
  const notes = notesOn(headers);
  // First: keys of two types explain all that follows.
  if (!options.json) for (const note of notes) say(`${note.name}: ${show(note.before)} -> ${show(note.after)}`);
  const out = new Output();
  const patch = options.patch ? patchWriter(headers, out) : undefined;
  const printer = options.stat ? undefined : (patch?.print ?? printerOf(headers, out, options));
  const progress = new Progress();
  let printed = 0;
  const report = (difference: Difference) => {
    if (printer === undefined || printed >= (options.limit ?? Number.POSITIVE_INFINITY)) return undefined;
    printed++;
    // Should whoever reads stop before the end.
    exitWith(EXIT.findings);
    printer(difference);
    return out.full ? out.flush() : undefined;
  };
  let counts: DiffCounts;
  try {
    counts = await diffFiles(
      a,
      b,
      { check: options.check, onProgress: (done, total) => progress.update('comparing', 'bytes', done, total) },
      report,
    );
    patch?.end();
  } finally {
    progress.stop();
    // What was found before an error is right.
    await out.flush();
  }
  const { removed, added, changed } = counts;
  const isOther = removed + added + changed > 0 || notes.some(({ isContent }) => isContent);
  if (options.stat) {
    const told = Object.fromEntries(notes.map(({ name, before, after }) => [name, { before, after }]));
    process.stdout.write(options.json ? jsonLine({ ...counts, ...told }) : `${summaryOf(counts)}\n`);
  } else if (!options.json && !options.patch) {
    say(`${summaryOf(counts)}${printed < removed + added + changed ? `; ${grouped(printed)} printed` : ''}`);
  }
  exitWith(isOther ? EXIT.findings : EXIT.fine);
}

function summaryOf({ removed, added, changed, same }: DiffCounts): string {
  return `${grouped(added)} added, ${grouped(removed)} removed, ${grouped(changed)} changed, ${grouped(same)} the same`;
}

/** Something in which two headers are different. */
interface Note {
  readonly name: string;
  readonly before: unknown;
  readonly after: unknown;
  /** Whether it is part of what the files hold, not only of how they hold it. */
  readonly isContent: boolean;
}

function notesOn([a, b]: readonly [Header, Header]): Note[] {
  const facts: [name: string, of: (header: Header) => unknown, isContent: boolean][] = [
    ['layout', ({ layout }) => layout, false],
    ['keys', ({ layout, keyType }) => (layout === 'hash' ? keyType : 'integers'), false],
    ['values', ({ valueType }) => valueType, false],
    ['seed', ({ hash }) => hash.seed, false],
    ['shard', ({ shard }) => (shard.bits === 0 ? 'all' : `${shard.index} of ${2 ** shard.bits}`), false],
    ['base', ({ base }) => base, false],
    ['metadata', ({ metadata }) => metadata, true],
  ];
  return facts
    .map(([name, of, isContent]) => ({ name, before: of(a), after: of(b), isContent }))
    .filter(({ before, after }) => JSON.stringify(before) !== JSON.stringify(after));
}

function show(value: unknown): string {
  return printable(typeof value === 'string' ? value : JSON.stringify(value));
}

/** Prints a difference. */
type DifferencePrinter = (difference: Difference) => void;

const OPS = { removed: 'remove', added: 'add', changed: 'change' } as const satisfies Record<string, PatchOp>;
const SIGNS = { removed: '-', added: '+', changed: '~' } as const;

function printerOf(headers: readonly [Header, Header], out: Output, options: Options): DifferencePrinter {
  const [first, second] = headers.map(partPrinters) as [PartPrinters, PartPrinters];
  return ({ kind, key, index, before, after }) => {
    const { printKey } = kind === 'added' ? second : first;
    const parts: [name: string, print: () => void][] = [];
    if (before !== undefined && first.printValue) parts.push(['before', () => first.printValue!(before, out)]);
    if (after !== undefined && second.printValue) parts.push(['after', () => second.printValue!(after, out)]);
    if (options.json) out.ascii(`{"op":"${OPS[kind]}","key":`);
    else out.ascii(`${SIGNS[kind]} `);
    printKey(key, index, out);
    for (const [i, [name, print]] of parts.entries()) {
      out.ascii(options.json ? `,"${name}":` : i === 0 ? '  ' : ' -> ');
      print();
    }
    out.ascii(options.json ? '}\n' : '\n');
  };
}

interface PartPrinters {
  printKey(key: Difference['key'], index: number, out: Output): void;
  /** Not of sets. */
  readonly printValue: ((value: NonNullable<Difference['before']>, out: Output) => void) | undefined;
}

function partPrinters(header: Header): PartPrinters {
  if (header.layout === 'hash') {
    const printKey = jsonKeyPrinter(header.keyType);
    const print = header.valueType === 'none' ? undefined : jsonPrinter(header.valueType);
    return {
      printKey: ({ buffer, at, length }, _index, out) => printKey(buffer, at, length, out),
      printValue: print && (({ buffer, at, length }, out) => print(buffer, at, length, out)),
    };
  }
  const printElement = header.layout === 'list' ? elementPrinter(header.valueType, true) : undefined;
  return {
    printKey: (_key, index, out) => out.integer(index),
    // Numbers come as doubles, which the printer of bytes does not look at.
    printValue:
      printElement &&
      ((value, out) => printElement(value.length === 8 ? value.buffer.view.getFloat64(value.at, true) : 0, value, out)),
  };
}

function patchWriter(
  [a, b]: readonly [Header, Header],
  out: Output,
): { readonly print: DifferencePrinter; end(): void } {
  for (const { layout } of [a, b]) {
    if (layout !== 'hash') throw new TypeError(`--patch: is for tables; a file has the layout '${layout}'`);
  }
  if (a.keyType !== b.keyType) throw new TypeError(`--patch: the keys have two types, ${a.keyType} and ${b.keyType}`);
  const [before, after] = [a, b].map((header) => patchTypes(header as HashHeader).valueType);
  if (before !== after) throw new TypeError(`--patch: the values have two types, ${before} and ${after}`);
  const writer = new PatchWriter(b as HashHeader, out);
  return { print: ({ kind, key, after }) => writer.line(OPS[kind], key, after), end: () => writer.end() };
}
