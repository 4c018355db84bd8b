// What the commands do with lists and bit arrays. Knows files and elements; their text is the business of
// formats/keyless.ts.

import { BitArray, type BuildSummary, type Check, type List, type ListType, open } from '../../src/index.js';
import { ByteBuffer, type KeylessBuildChoice, withKeylessBuilder } from '../../src/internal.js';
import type { Input, InputName } from '../formats/format.js';
import { isIndexed, keylessColumns, keylessReader } from '../formats/keyless.js';
import { KeylessEntrySink } from '../formats/keyless-sink.js';
import { elementPrinter } from '../formats/keyless-writer.js';
import type { ReadOptions } from '../formats/read-options.js';
import { printable, warn } from '../terminal/cli.js';
import { Output } from '../terminal/output.js';

/** Builds a list, a bit array or a set of integers from an input. */
export async function buildKeylessFrom(
  output: string,
  options: KeylessBuildChoice,
  input: Input,
  name: string,
  format: InputName,
  columns: ReadOptions,
): Promise<{ summary: BuildSummary; sink: Pick<KeylessEntrySink, 'told' | 'leftOut'> | undefined }> {
  const read = await keylessReader(format);
  const isSet = options.layout !== 'list';
  const base = options.layout === 'auto' ? 0 : (options.base ?? 0);
  let sink: KeylessEntrySink | undefined;
  const summary = await withKeylessBuilder(output, options, async (builder) => {
    sink = new KeylessEntrySink(builder, name, base, isIndexed(columns), columns.missing);
    await read(input, sink, keylessColumns(columns, isSet));
  });
  return { summary, sink };
}

/** Looks up indexes for `hmap get`, a batch at a time, and counts those that are missing. */
export class KeylessPrinter {
  readonly out = new Output();
  missing = 0;
  readonly #file: List | BitArray;
  readonly #json: boolean;

  constructor(path: string, layout: 'list' | 'bits', check: Check, json: boolean) {
    this.#file = layout === 'list' ? open(path, { layout, check }) : open(path, { layout, check });
    this.#json = json;
  }

  async print(keys: readonly Buffer[]): Promise<void> {
    for (const key of keys) {
      this.#one(key.toString('latin1'));
      if (this.out.full) await this.out.flush();
    }
  }

  close(): void {
    this.#file.close();
  }

  #one(text: string): void {
    const { out } = this;
    const file = this.#file;
    const index = /^[+-]?\d{1,17}$/.test(text) ? Number(text) : Number.NaN;
    const value = file instanceof BitArray ? file.has(index) || undefined : file.get(index);
    if (this.#json) {
      const key = Number.isSafeInteger(index) ? String(index + 0) : JSON.stringify(text);
      out.text(`{"key":${key},"found":${value !== undefined}`);
    }
    if (value === undefined) {
      this.missing++;
      if (this.#json) out.latin1('}\n');
      else warn(`not found: ${printable(JSON.stringify(text))}`);
      return;
    }
    if (this.#json) out.latin1(',"value":');
    if (value === true) out.latin1('true');
    else this.#value(value);
    out.latin1(this.#json ? '}\n' : '\n');
  }

  #value(value: unknown): void {
    const print = elementPrinter(this.#file.header.valueType as ListType, this.#json);
    const buffer = new ByteBuffer(typeof value === 'number' ? 0 : Buffer.from(value as string));
    print(typeof value === 'number' ? value : 0, { buffer, at: 0, length: buffer.size }, this.out);
  }
}
