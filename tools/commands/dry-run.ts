// `hmap build --dry-run`: reads the first entries, and shows what would be stored. Knows sinks and printers; makes no
// file.

import type { HashHeader, KeyType, ListType } from '../../src/index.js';
import type { BuildValueType, ByteBuffer, RecordSink } from '../../src/internal.js';
import { type EntrySink, HashEntrySink } from '../formats/entry-sink.js';
import { jsonl } from '../formats/jsonl.js';
import { isIndexed } from '../formats/keyless.js';
import { KeylessEntrySink } from '../formats/keyless-sink.js';
import type { ReadOptions } from '../formats/read-options.js';
import { counted, jsonLine, printable } from '../terminal/cli.js';
import { Output } from '../terminal/output.js';

/** Entries that are read. */
const READ = 1000;
/** Entries that are shown. */
const SHOWN = 5;

/** Ends the reading. */
class Enough extends Error {}

/** What would be built. */
export interface DryRun {
  readonly name: string;
  readonly layout: 'hash' | 'list' | 'bits';
  readonly keyType: KeyType;
  readonly valueType: BuildValueType | ListType;
  readonly options: ReadOptions;
  readonly base: number;
  readonly json: boolean;
}

/**
 * Reads at most {@link READ} entries, and prints what they are.
 * @param readAs the name of the format, for a reader that says no more
 */
export async function dryRun(
  { name, layout, keyType, valueType, options, base, json }: DryRun,
  readAs: string,
  read: (sink: EntrySink) => Promise<void>,
): Promise<void> {
  const sample = layout === 'hash' ? new HashSample(keyType, valueType as BuildValueType) : new ListSample(valueType);
  const sink =
    sample instanceof HashSample
      ? new HashEntrySink(sample, name, options)
      : new KeylessEntrySink(sample, name, base, isIndexed(options), options.missing);
  let isWhole = true;
  try {
    await read(sink);
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
    isWhole = false;
  }
  const told = sink.told ?? readAs;
  if (json) {
    const { entries, shown } = sample;
    process.stdout.write(
      jsonLine({ readAs: told, columns: sink.columns, layout, keyType, valueType, entries, isWhole, sample: shown }),
    );
    return;
  }
  const lines = [
    `${name}: read as ${told}`,
    ...(sink.columns === undefined ? [] : [`columns: ${sink.columns.join(', ')}`]),
    layout === 'hash' ? `keys: ${keyType}; values: ${valueType}` : `layout: ${layout}; values: ${valueType}`,
    ...sample.shown.map((line) => `  ${line}`),
    `${sample.shown.length} of ${isWhole ? '' : 'the first '}${counted(sample.entries, 'entry', 'entries')}; nothing was built`,
  ];
  process.stdout.write(`${lines.map(printable).join('\n')}\n`);
}

/** Keeps the first entries as they would be stored, printed as lines of JSON. */
class HashSample implements RecordSink {
  readonly keyType: KeyType;
  readonly valueType: BuildValueType;
  entries = 0;
  readonly shown: string[] = [];
  readonly #print: (key: [ByteBuffer, number, number], value: [ByteBuffer, number, number]) => string;

  constructor(keyType: KeyType, valueType: BuildValueType) {
    this.keyType = keyType;
    this.valueType = valueType;
    // Of this type there are 6 bytes before the build narrows it.
    const stored = valueType === 'uint' ? 'u48' : valueType;
    const writer = jsonl.writer({ keyType, valueType: stored } as HashHeader);
    this.#print = (key, value) => {
      const out = new Output(4096);
      writer.entry(slice(key), slice(value), out);
      return Buffer.from(out.toLatin1(), 'latin1').toString().trimEnd();
    };
  }

  add(key: ByteBuffer, keyAt: number, keyBytes: number, value: ByteBuffer, valueAt: number, valueBytes: number): void {
    if (this.entries === READ) throw new Enough();
    this.entries++;
    if (this.shown.length < SHOWN) this.shown.push(this.#print([key, keyAt, keyBytes], [value, valueAt, valueBytes]));
  }

  pause(): undefined {
    return undefined;
  }
}

const slice = ([buffer, at, length]: [ByteBuffer, number, number]) => ({ buffer, at, length });

/** Keeps the first elements, or integers. */
class ListSample {
  readonly valueType: ListType | 'none';
  entries = 0;
  readonly shown: string[] = [];

  constructor(valueType: BuildValueType | ListType) {
    this.valueType = valueType as ListType | 'none';
  }

  add(value: unknown): void {
    if (this.entries === READ) throw new Enough();
    this.entries++;
    if (this.shown.length < SHOWN) this.shown.push(JSON.stringify(value));
  }

  addBytes({ bytes }: ByteBuffer, at: number, length: number): void {
    this.add(bytes.toString('utf8', at, at + length));
  }

  pause(): undefined {
    return undefined;
  }
}
