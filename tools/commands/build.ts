// hmap build: makes a file from an input.

import type { Command } from 'commander';
import { type BuildOptions, type BuildSummary, HmapError, type KeyType, type ListType } from '../../src/index.js';
import {
  type BuildValueType,
  type CommonOptions,
  DEFAULT_MEMORY,
  type KeylessBuildChoice,
  type TableBuilder,
  threadsFor,
  withBuilder,
} from '../../src/internal.js';
import { columnsNamed } from '../formats/columns.js';
import { type EntrySink, HashEntrySink } from '../formats/entry-sink.js';
import type { Input, InputName, ReadInput } from '../formats/format.js';
import { isBinaryFormat, isTextFormat, loadReader } from '../formats/formats.js';
import { keylessColumns, keylessReader } from '../formats/keyless.js';
import type { ReadOptions } from '../formats/read-options.js';
import { asUtf8, UTF8 } from '../input/encoding.js';
import { ParallelSource } from '../input/parallel-source.js';
import { cutLines, Source } from '../input/source.js';
import { nameOf, understand } from '../input/understand.js';
import { tellIfWaiting, warn } from '../terminal/cli.js';
import { examples, rare } from '../terminal/help.js';
import { Progress } from '../terminal/progress.js';
import { addBuildFlags, type BuildFlags, checkLayout } from './build-flags.js';
import { report } from './build-report.js';
import { addInputFlags, RARE_INPUT_FLAGS, readOptionsOf } from './input-flags.js';
import { stoppable } from './stoppable.js';

export function addBuild(program: Command): void {
  const command = program
    .command('build')
    .summary('make an .hmap file from a file of entries')
    .description(
      'Makes an .hmap file from the entries of a file, or of stdin, and says how it has read them. The same entries make the same file, in any order. What does not fit in --memory goes to a ' +
        'temporary file beside the output, which appears in one step once it is complete.',
    )
    .argument('<input>', 'the file, which may be compressed (gzip, zstd, brotli), or - for stdin')
    .argument('[output]', 'the .hmap file to make; the folder with --shards');
  addBuildFlags(addInputFlags(command)).action(runBuild);
  rare(command, [...RARE_INPUT_FLAGS, '--base', '--length', '--seed', '--shard', '--shards']);
  examples(
    command,
    'hmap build words.txt words.hmap                       # a set: one key per line',
    'hmap build --value u32 ranks.tsv ranks.hmap           # key, tab, number',
    'hmap build --key-column ip --value-column country hosts.csv hosts.hmap',
    'hmap build --dry-run --at data.items --key-column id export.json',
    "hmap build --value 'struct(active:bool,level:u7)' users.tsv users.hmap",
    'hmap build --layout auto ids.txt ids.hmap             # a set of integers, in its smaller form',
  );
}

async function runBuild(input: string, output: string | undefined, options: BuildFlags): Promise<void> {
  if (output === undefined && options.dryRun !== true) throw new TypeError('<output>: name the .hmap file to make');
  checkLayout(options);
  await new Run(input, output ?? '', options).run();
}

/** One run of the command. */
class Run {
  readonly #input: string;
  readonly #output: string;
  readonly #options: BuildFlags;
  /** The name of the input in messages. */
  readonly #name: string;
  #columns: ReadOptions;
  readonly #source: Source;
  readonly #progress = new Progress();
  #signal: AbortSignal | undefined;
  #parallel: ParallelSource | undefined;

  constructor(input: string, output: string, options: BuildFlags) {
    this.#input = input;
    this.#output = output;
    this.#options = options;
    this.#name = nameOf(input);
    this.#columns = readOptionsOf(options);
    if (input === '-') tellIfWaiting('entries');
    this.#source = new Source(input, options.compression);
  }

  async run(): Promise<void> {
    const source = this.#source;
    // Ends the waiting for input that may never come.
    const onStop = () => {
      source.close();
      this.#parallel?.stop();
    };
    const work = async (signal: AbortSignal) => {
      this.#signal = signal;
      await this.#build();
    };
    try {
      await stoppable(this.#output, work, onStop).finally(() => this.#progress.stop());
    } finally {
      this.#parallel?.stop();
      source.close();
    }
  }

  async #build(): Promise<void> {
    const options = this.#options;
    const source = this.#source;
    const understood = await understand(this.#input, this.#name, source, options.format, this.#columns);
    this.#signal?.throwIfAborted();
    const { format } = understood;
    const isKeyless = options.layout !== 'hash';
    const asked = options.value ?? (options.layout === 'list' ? 'utf8' : understood.value);
    const value = options.duplicates === 'collect' ? this.#collected(asked) : asked;
    const isBytes = options.key === 'bytes' || value === 'bytes' || isBinaryFormat(format);
    const encoding = options.encoding ?? (isBytes ? 'none' : UTF8);
    const pieces = (from: AsyncIterable<Uint8Array>) => asUtf8(from, this.#name, encoding, source.again);
    const input: Input = { path: this.#input, pieces: () => pieces(source.pieces()) };
    if (options.dryRun) {
      await this.#dryRun(format, value, input);
      return;
    }
    let sink: Pick<HashEntrySink, 'told' | 'leftOut'> | undefined;
    let summary: BuildSummary;
    if (isKeyless) {
      const { buildKeylessFrom } = await import('./keyless.js');
      const choice = keylessOptions(this.#common, options);
      const built = await buildKeylessFrom(this.#output, choice, input, this.#name, format, this.#columns);
      summary = built.summary;
      sink = built.sink;
    } else {
      const read = await loadReader(format);
      const isDecoded = encoding !== UTF8 && encoding !== 'none';
      const parallel = isDecoded ? undefined : this.#cut(format);
      this.#parallel = parallel;
      const reading = { path: this.#input, name: this.#name, columns: this.#columns, isBinary: encoding === 'none' };
      const from = (builder: TableBuilder): Input =>
        parallel === undefined || !isTextFormat(format)
          ? input
          : { path: this.#input, pieces: () => pieces(parallel.pieces(builder, { ...reading, format })) };
      const fill = async (builder: TableBuilder) => {
        const own = new HashEntrySink(builder, this.#name, this.#columns);
        sink = own;
        await read(from(builder), own, this.#columns);
      };
      try {
        summary = await withBuilder(
          this.#output,
          this.#hashOptions(value as BuildValueType, format),
          fill,
          parallel?.workers,
          true,
          options.shard,
        );
      } catch (error) {
        throw await this.#withPlaces(error, format, value as BuildValueType, read, input);
      }
    }
    this.#progress.stop();
    const { layout, json } = options;
    const read = { told: sink?.told ?? format, leftOut: sink?.leftOut ?? 0 };
    const wanted = {
      value,
      isAutomatic: layout === 'auto',
      isCollected: options.duplicates === 'collect',
      json: json === true,
    };
    report(summary, this.#output, read, wanted);
    if (understood.hint !== undefined && json !== true) warn(understood.hint);
  }

  /** The type of the values that are collected: text becomes strings of JSON. */
  #collected(asked: BuildValueType | ListType): 'json' {
    if (asked === 'utf8') this.#columns = { ...this.#columns, elements: asked };
    else if (asked !== 'json') throw new TypeError(`--value: values that are collected are json or utf8, not ${asked}`);
    return 'json';
  }

  async #dryRun(format: InputName, value: BuildValueType | ListType, input: Input): Promise<void> {
    const { layout, base = 0, json = false } = this.#options;
    const { dryRun } = await import('./dry-run.js');
    const isHash = layout === 'hash';
    const read = isHash ? await loadReader(format) : await keylessReader(format);
    const isSet = layout === 'bits' || layout === 'auto';
    const columns = isHash ? this.#columns : keylessColumns(this.#columns, isSet);
    const run = {
      ...({ name: this.#name, layout: layout === 'auto' ? 'bits' : layout, keyType: this.#keyType } as const),
      ...({ valueType: isSet ? 'none' : value, options: this.#columns, base, json } as const),
    };
    await dryRun(run, format, (sink) => read(input, sink, columns));
  }

  get #keyType(): KeyType {
    const { key } = this.#options;
    return key === undefined || key === 'string' ? 'bytes' : key;
  }

  get #common(): CommonOptions {
    const options = this.#options;
    const source = this.#source;
    const progress = this.#progress;
    return {
      overwrite: options.force === true,
      ...(this.#signal && { signal: this.#signal }),
      onProgress: ({ phase, entries, total }) => {
        if (phase === 'write') progress.update('writing', 'entries', entries, total);
        else if (source.size === undefined) progress.update('reading', 'entries', entries, undefined);
        else progress.update('reading', 'bytes', source.done + (this.#parallel?.done ?? 0), source.size);
      },
      ...(options.memory !== undefined && { memory: options.memory }),
      ...(options.meta && { metadata: options.meta }),
    };
  }

  #hashOptions(value: BuildValueType, format: InputName): BuildOptions<BuildValueType> {
    const { key, fingerprint, seed, shards } = this.#options;
    // A server may name a key twice, and its value is the one that was read last.
    const duplicates = format === 'redis' ? 'last' : this.#options.duplicates;
    return {
      ...this.#common,
      value,
      ...(key && { key }),
      ...(fingerprint && { fingerprint }),
      ...(duplicates && { duplicates }),
      ...(seed !== undefined && { seed }),
      ...(shards !== undefined && { shards }),
    };
  }

  /** The error, with both places of a key that occurs twice. */
  async #withPlaces(
    error: unknown,
    format: InputName,
    value: BuildValueType,
    read: ReadInput,
    input: Input,
  ): Promise<unknown> {
    const isTwice = error instanceof HmapError && error.code === 'HMAP_DUPLICATE_KEY';
    if (!isTwice || this.#signal?.aborted) return error;
    const { withLines } = await import('../input/duplicate-lines.js');
    const places = PLACES[format] ?? 'lines';
    const again = this.#source.isFile ? (sink: EntrySink) => read(input, sink, this.#columns) : undefined;
    return withLines(error, this.#keyType, value, this.#name, places, this.#columns, again);
  }

  /** Further threads that read; `undefined` if one thread is enough, or if the input cannot be cut at any line end. */
  #cut(format: InputName): ParallelSource | undefined {
    const columns = this.#columns;
    const isLines = format === 'jsonl' || format === 'lines' || (format === 'tsv' && !columnsNamed(columns));
    const { shared } = this.#source;
    // Each thread would count for itself.
    const counts = columns.position !== undefined || columns.missing === 'skip';
    if (!isLines || counts || shared === undefined) return undefined;
    const memory = this.#options.memory ?? DEFAULT_MEMORY;
    const cuts = cutLines(shared, threadsFor(memory), format !== 'jsonl');
    return cuts.length > 2 ? new ParallelSource(this.#source, cuts) : undefined;
  }
}

/** What the numbers of places in an input count, if not lines. */
const PLACES: Partial<Record<InputName, 'records' | 'rows'>> = {
  cdb: 'records',
  'cdb-binary': 'records',
  sqlite: 'rows',
  parquet: 'rows',
};

/** Options of the layouts without keys. */
function keylessOptions(common: CommonOptions, { layout, value, base, length }: BuildFlags): KeylessBuildChoice {
  if (layout === 'auto') return { ...common, layout };
  const based = { ...common, ...(base !== undefined && { base }) };
  if (layout === 'bits') return { ...based, layout, ...(length !== undefined && { length }) };
  return { ...based, layout: 'list', value: (value ?? 'utf8') as ListType };
}
