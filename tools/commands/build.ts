// hmap build: makes a file from text.

import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type BuildOptions,
  type BuildSummary,
  type FingerprintBits,
  HmapError,
  type KeyForm,
  type Layout,
  type ListType,
} from '../../src/index.js';
import {
  type BuildValueType,
  type CommonOptions,
  checkValueType,
  DEFAULT_MEMORY,
  FINGERPRINT_BITS,
  isListType,
  KEY_FORMS,
  type KeylessBuildChoice,
  LAYOUTS,
  LIST_TYPES,
  threadsFor,
  VALUE_TYPES,
  withBuilder,
} from '../../src/internal.js';
import { columnsNamed } from '../formats/columns.js';
import { type EntrySink, HashEntrySink } from '../formats/entry-sink.js';
import { type Columns, FORMATS, type FormatName } from '../formats/format.js';
import { DEFAULT_VALUE, formatOf, loadFormat } from '../formats/formats.js';
import { asUtf8, parseEncoding, UTF8 } from '../input/encoding.js';
import { PACKINGS, type PackingChoice, unpackedName } from '../input/packing.js';
import { ParallelSource } from '../input/parallel-source.js';
import { cutLines, Source } from '../input/source.js';
import {
  collectPair,
  counted,
  EXIT,
  examples,
  exitWith,
  foundByMistake,
  grouped,
  humanBytes,
  jsonLine,
  parseInteger,
  parseSize,
  printable,
  SIGNAL_EXIT,
  say,
  tellIfWaiting,
  warn,
} from '../terminal/cli.js';
import { Progress } from '../terminal/progress.js';

interface Options {
  format?: FormatName;
  layout: Layout | 'auto';
  key?: KeyForm;
  fingerprint?: FingerprintBits;
  value?: BuildValueType | ListType;
  base?: number;
  length?: number;
  encoding?: string;
  compression?: PackingChoice;
  keyColumn?: string;
  valueColumn?: string;
  headerRow?: boolean;
  duplicates?: 'error' | 'first' | 'last';
  memory?: number;
  seed?: number | 'random';
  meta?: Record<string, string>;
  force?: boolean;
  json?: boolean;
}

export function addBuild(program: Command): void {
  const command = program
    .command('build')
    .summary('make an .hmap file from a text file')
    .description(
      'Makes an .hmap file from the entries of a text file, or of stdin. The same entries make the same file, in any order. Memory is ' +
        'bounded (--memory): the rest goes to a temporary file beside the output, which appears in one step once it is complete.',
    )
    .argument('<input>', 'the text file, which may be compressed (gzip, zstd, brotli), or - for stdin')
    .argument('<output>', 'the .hmap file to make')
    .addOption(
      new Option('-f, --format <format>', 'format of the input (default: chosen by the file extension)').choices(
        FORMATS,
      ),
    )
    .addOption(
      new Option(
        '-v, --value <type>',
        `type of the values: ${VALUE_TYPES.filter((type) => type !== 'enum').join(', ')}; uint: the narrowest of u8 to u48 that holds all values; ` +
          "enum: strings with few distinct values; 'struct(NAME:TYPE,...)': fields of the types bool, u1 to u53, " +
          'i1 to i53, f32 and f64, which tsv and csv have in the columns after the key, or in columns of the same names ' +
          '(--header-row), and the other formats in a JSON object. Lists also take u1 to u53 and i1 to i53. ' +
          '(default: utf8 for tsv, csv and lists, json for jsonl, bytes for cdb, none for lines)',
      ).argParser(parseValue),
    )
    .addOption(
      new Option(
        '--layout <layout>',
        'hash: values by key. list: values by index, in the order of the input; a column of keys, if there is one, has ' +
          'the indexes. bits: a set of integers, one bit each. auto: a set of integers as bits or as hash, whichever ' +
          'file is smaller',
      )
        .choices([...LAYOUTS, 'auto'])
        .default('hash'),
    )
    .option('--base <number>', 'first index of a list, or smallest integer of a bit array (default: 0)', parseSigned)
    .option(
      '--length <count>',
      'number of bits of a bit array (default: just enough for the largest integer)',
      parseCount,
    )
    .addOption(
      new Option(
        '-k, --key <type>',
        'type of the keys (default: bytes, which is the text unchanged; string is the same)',
      ).choices(KEY_FORMS),
    )
    .addOption(
      new Option(
        '--fingerprint <bits>',
        'store so many bits of a hash in place of each key: each key is found, but so is another one with a probability ' +
          'of about 2.5 / 2^bits; the keys cannot be printed again',
      )
        .choices(FINGERPRINT_BITS.map(String))
        .argParser(parseFingerprint),
    )
    .option(
      '--key-column <column>',
      'column of the keys: its number, counted from 1, or its name; for jsonl the name of a member (default: 1, or "key")',
    )
    .option(
      '--value-column <column>',
      'column of the values, in the same way; for a struct, the column with its JSON object (default: 2, or "value")',
    )
    .option(
      '--encoding <label>',
      'encoding of the text, such as latin1 or utf-16le; none: bytes as they are, which --key bytes, --value bytes and the format cdb imply (default: utf-8)',
      parseEncoding,
    )
    .addOption(
      new Option(
        '--compression <name>',
        'what the input is compressed with (default: found by its first bytes, brotli by the ending .br)',
      ).choices(['none', ...PACKINGS]),
    )
    .option('--header-row', 'the first row names the columns (implied when a column is chosen by name)')
    .option('--no-header-row', 'the first row is an entry, whatever it looks like')
    .addOption(
      new Option(
        '-d, --duplicates <policy>',
        'what to do with a key that occurs more than once: fail, or keep its first or last entry',
      )
        .choices(['error', 'first', 'last'])
        .default('error'),
    )
    .option('-m, --memory <size>', 'memory for entries, such as 512M; at least 1M (default: 256M)', parseSize)
    .option(
      '--seed <number>',
      'seed of the hash, or random: one that nobody can have chosen keys for (default: 0; another one if too many keys share a bucket)',
      parseSeed,
    )
    .option('--meta <name=value>', 'text to keep in the header; may be repeated', collectPair)
    .option('--force', 'replace the output if it exists')
    .option('--json', 'print what was built as JSON on stdout')
    .action(runBuild);
  examples(
    command,
    'hmap build words.txt words.hmap                       # a set: one key per line',
    'hmap build --value u32 ranks.tsv ranks.hmap           # key, tab, number',
    'hmap build --key u64 --value f32 scores.tsv s.hmap    # 8-byte keys',
    "hmap build --value 'struct(active:bool,level:u7)' users.tsv users.hmap  # key, active, level",
    'hmap build --key-column ip --value-column country hosts.csv hosts.hmap',
    'hmap build --fingerprint 16 leaked.txt leaked.hmap    # a set that finds its keys without storing them',
    'hmap build --layout list --value u7 ages.txt ages.hmap  # one value per line, looked up by its index',
    'hmap build --layout bits ids.txt ids.hmap             # a set of integers, one bit each',
    'hmap build --layout auto ids.txt ids.hmap             # whichever of the two is smaller',
    'hmap build --memory 1G big.jsonl.gz big.hmap',
  );
}

/** The type of values that an argument names. */
function parseValue(text: string): BuildValueType | ListType {
  if (isListType(text)) return text;
  try {
    return checkValueType(text.replace(/\s+/g, '') as BuildValueType);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new InvalidArgumentError(`${error.message}.`);
  }
}

function parseFingerprint(text: string): FingerprintBits {
  const bits = FINGERPRINT_BITS.find((one) => String(one) === text);
  if (bits !== undefined) return bits;
  throw new InvalidArgumentError(`Allowed choices are ${FINGERPRINT_BITS.join(', ')}.`);
}

const parseNumber = parseInteger(0, 0xffff_ffff);

function parseSeed(text: string): number | 'random' {
  return text === 'random' ? text : parseNumber(text);
}

function parseSigned(text: string): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('Expected an integer.');
}

const parseCount = parseInteger(0, Number.MAX_SAFE_INTEGER);

/** Whether a type is one of hash tables. */
function isHashType(type: BuildValueType | ListType): type is BuildValueType {
  return type.startsWith('struct(') || type === 'uint' || (VALUE_TYPES as readonly string[]).includes(type);
}

/** Options of one layout that another does not have. */
function checkLayout(options: Options): void {
  const { layout } = options;
  const wrong = (name: keyof Options, given: unknown, ...layouts: Options['layout'][]) => {
    if (given !== undefined && !layouts.includes(layout)) {
      throw new TypeError(`--${name}: does not apply to the layout '${layout}'`);
    }
  };
  wrong('base', options.base, 'list', 'bits');
  wrong('length', options.length, 'bits');
  wrong('seed', options.seed, 'hash');
  wrong('key', options.key, 'hash');
  wrong('fingerprint', options.fingerprint, 'hash');
  wrong('value', options.value, 'hash', 'list');
  wrong('duplicates', options.duplicates === 'error' ? undefined : options.duplicates, 'hash');
  if (layout === 'hash' && options.value !== undefined && !isHashType(options.value)) {
    throw new TypeError(`--value: ${options.value} is for --layout list`);
  }
  if (layout === 'list' && options.value !== undefined && !isListType(options.value)) {
    throw new TypeError(`--value: ${options.value} is not a type of list elements: use ${LIST_TYPES}`);
  }
}

async function runBuild(input: string, output: string, options: Options): Promise<void> {
  const name = input === '-' ? 'stdin' : input;
  const format = formatOf(input, name, options.format, unpackedName(input));
  checkLayout(options);
  const value = options.value ?? DEFAULT_VALUE[format];
  const { read } = await loadFormat(format);
  const progress = new Progress();
  if (input === '-') tellIfWaiting('entries');
  const source = new Source(input, options.compression);
  const columns = { key: options.keyColumn, value: options.valueColumn, headerRow: options.headerRow };
  const isKeyless = options.layout !== 'hash';
  const isBytes = options.key === 'bytes' || value === 'bytes' || format === 'cdb';
  const encoding = options.encoding ?? (isBytes ? 'none' : UTF8);
  const isDecoded = encoding !== UTF8 && encoding !== 'none';
  const parallel =
    isKeyless || isDecoded ? undefined : parallelSource(source, format, columns, options.memory ?? DEFAULT_MEMORY);
  const text = (pieces: AsyncIterable<Uint8Array>) => asUtf8(pieces, name, encoding, source.again);
  const stop = new AbortController();
  const signals = (Object.keys(SIGNAL_EXIT) as (keyof typeof SIGNAL_EXIT)[]).map((signal) => {
    const listener = () => {
      stop.abort(signal);
      // Ends the waiting for input that may never come.
      source.close();
      parallel?.stop();
    };
    process.once(signal, listener);
    return () => process.removeListener(signal, listener);
  });
  const common: CommonOptions = {
    overwrite: options.force === true,
    signal: stop.signal,
    onProgress: ({ phase, entries, total }) => {
      if (phase === 'write') progress.update('writing', 'entries', entries, total);
      else if (source.size === undefined) progress.update('reading', 'entries', entries, undefined);
      else progress.update('reading', 'bytes', source.done + (parallel?.done ?? 0), source.size);
    },
    ...(options.memory !== undefined && { memory: options.memory }),
    ...(options.meta && { metadata: options.meta }),
  };
  const buildOptions: BuildOptions<BuildValueType> = {
    ...common,
    value: value as BuildValueType,
    ...(options.key && { key: options.key }),
    ...(options.fingerprint && { fingerprint: options.fingerprint }),
    ...(options.duplicates && { duplicates: options.duplicates }),
    ...(options.seed !== undefined && { seed: options.seed }),
  };
  try {
    const summary = isKeyless
      ? await (await import('./keyless.js')).buildKeylessFrom(
          output,
          keylessOptions(common, options),
          () => text(source.pieces()),
          name,
          format,
          columns,
        )
      : await withBuilder(
          output,
          buildOptions,
          (builder) => {
            const isBinary = encoding === 'none';
            const pieces =
              parallel?.pieces(builder, { path: input, name, format, columns, isBinary }) ?? source.pieces();
            return read(text(pieces), new HashEntrySink(builder, name), columns);
          },
          parallel?.workers,
        );
    progress.stop();
    report(summary, output, value, options.layout === 'auto', options.json === true);
    exitWith(EXIT.fine);
  } catch (error) {
    progress.stop();
    if (!stop.signal.aborted) {
      if (!(error instanceof HmapError) || error.code !== 'HMAP_DUPLICATE_KEY' || isKeyless) throw withHint(error);
      const { withLines } = await import('../input/duplicate-lines.js');
      const places = format === 'cdb' ? 'records' : 'lines';
      const keyType = options.key === undefined || options.key === 'string' ? 'bytes' : options.key;
      const reread = source.isFile ? (sink: EntrySink) => read(text(source.pieces()), sink, columns) : undefined;
      throw await withLines(error, keyType, value as BuildValueType, name, places, reread);
    }
    warn(`stopped; ${printable(output)} is unchanged`);
    exitWith(SIGNAL_EXIT[stop.signal.reason as keyof typeof SIGNAL_EXIT]);
  } finally {
    for (const remove of signals) remove();
    parallel?.stop();
    source.close();
  }
}

/** Options of the layouts without keys. */
function keylessOptions(common: CommonOptions, { layout, value, base, length }: Options): KeylessBuildChoice {
  if (layout === 'auto') return { ...common, layout };
  const based = { ...common, ...(base !== undefined && { base }) };
  if (layout === 'bits') return { ...based, layout, ...(length !== undefined && { length }) };
  return { ...based, layout: 'list', value: (value ?? 'utf8') as ListType };
}

/** Further threads that read; `undefined` if one thread is enough, or if the input cannot be cut at any line end. */
function parallelSource(
  source: Source,
  format: FormatName,
  columns: Columns,
  memory: number,
): ParallelSource | undefined {
  const lines = format === 'jsonl' || format === 'lines' || (format === 'tsv' && !columnsNamed(columns));
  const { shared } = source;
  if (!lines || shared === undefined) return undefined;
  const cuts = cutLines(shared, threadsFor(memory), format !== 'jsonl');
  return cuts.length > 2 ? new ParallelSource(source, cuts) : undefined;
}

function withHint(error: unknown): unknown {
  if (!(error instanceof HmapError) || error.code !== 'HMAP_OUTPUT_EXISTS') return error;
  return new HmapError(error.code, `${error.message}; --force replaces it`, { cause: error });
}

/** Of fewer entries the header is the most, and the cost of one says nothing. */
const FEW = 1000;

/**
 * @param output the file as the user named it; the summary has where links lead
 * @param chosen whether the build chose the layout, so that the report names it
 */
function report(
  summary: BuildSummary,
  output: string,
  asked: BuildValueType | ListType,
  chosen: boolean,
  json: boolean,
): void {
  if (json) {
    process.stdout.write(jsonLine(summary));
    return;
  }
  const { entries, duplicates, valueType, fileBytes, payloadBytes, seconds, synced, published, fingerprint } = summary;
  const dropped = duplicates === 0 ? '' : ` (${grouped(duplicates)} duplicates dropped)`;
  const narrowed = asked === 'uint' ? ` of ${valueType}` : '';
  const form = chosen ? (summary.layout === 'bits' ? ' as a bit array' : ' by hash') : '';
  const overhead = ((fileBytes - payloadBytes) / entries).toFixed(2);
  const cost =
    entries < FEW
      ? ''
      : fingerprint === undefined
        ? `, ${overhead} bytes per entry over the payload`
        : `, ${(fileBytes / entries).toFixed(2)} bytes per entry, ${foundByMistake(fingerprint.falsePositiveRate)}`;
  say(
    `${printable(output)}: ${counted(entries, 'entry', 'entries')}${narrowed}${form}${dropped}, ${humanBytes(fileBytes)}${cost}, ${seconds.toFixed(2)} s${synced ? '' : '; not forced to the disk, which is forbidden here'}${published === 'moved-aside' ? '; the old file was in use, and was moved aside' : ''}`,
  );
}
