// What the commands do with lists and bit arrays. Knows files and elements; how they stand as text is formats/plain.ts.

import { ByteBuffer } from '../../src/base/bytes.js';
import { type KeylessBuildChoice, keylessBuilder } from '../../src/build/build.js';
import type { BuildSummary } from '../../src/build/common/options.js';
import type { Header } from '../../src/format/header.js';
import { formOf } from '../../src/format/keyless.js';
import type { ListType } from '../../src/format/value-types.js';
import { type Check, type List, open } from '../../src/index.js';
import { BitArray } from '../../src/read/bit-array.js';
import { checkElement } from '../../src/read/list.js';
import { elementReader } from '../../src/storage/elements.js';
import { mappedKeylessSegments } from '../../src/storage/keyless-segment.js';
import type { Columns, FormatName } from '../formats/format.js';
import { elementPrinter, KeylessEntrySink, keylessColumns, keylessReader, keylessWriter } from '../formats/keyless.js';
import { EXIT, exitWith, say } from '../terminal/cli.js';
import { Output } from '../terminal/output.js';

/** Builds a list, a bit array or a set of integers from pieces of text. */
export async function buildKeylessFrom(
  output: string,
  options: KeylessBuildChoice,
  pieces: () => AsyncIterable<Uint8Array>,
  name: string,
  format: FormatName,
  columns: Columns,
): Promise<BuildSummary> {
  const read = await keylessReader(format);
  const builder = keylessBuilder(output, options);
  const isSet = options.layout !== 'list';
  const base = options.layout === 'auto' ? 0 : (options.base ?? 0);
  const indexed = columns.key !== undefined || columns.value === undefined;
  try {
    const sink = new KeylessEntrySink(builder, name, base, indexed);
    await read(pieces(), sink, keylessColumns(columns, isSet));
    return await builder.finish();
  } catch (error) {
    builder.abandon();
    throw error;
  }
}

/** Prints the elements of an open file; returns how many. */
export async function dumpKeyless(
  fd: number,
  path: string,
  header: Header,
  format: FormatName,
  limit: number,
  check: 'none' | 'touch',
  out: Output,
  progress: (done: number) => void,
): Promise<void> {
  const writer = keylessWriter(header, format);
  const { bits, kind } = formOf(header);
  const read = kind === 'fixed' ? elementReader(header.valueType) : undefined;
  const nothing = new ByteBuffer(0);
  let done = 0;
  const flush = async () => {
    await out.flush();
    progress(done);
  };
  for (const { segment, number } of mappedKeylessSegments(fd, header, path, check)) {
    const first = header.base + number * header.perSegment;
    const { words, blocks, index, heap, dataStart, count } = segment;
    for (let at = 0; at < count; at++) {
      if (done >= limit) return;
      if (kind === 'bits') {
        if (at % 32 === 0 && blocks.unchecked > 0) blocks.checkBytes(dataStart + at / 8, dataStart + at / 8 + 4);
        if (((words[at >>> 5]! >>> at) & 1) === 0) continue;
        writer.element(first + at, 0, nothing, 0, 0, out);
      } else {
        if (blocks.unchecked > 0) checkElement(segment, bits, at);
        if (read !== undefined) {
          writer.element(first + at, read(segment, at) as number, nothing, 0, 0, out);
        } else {
          const [start, end] = [index[at]!, index[at + 1]!];
          if (start < 0 || end < start || end > heap.size) {
            throw segment.damaged(`the offsets of element ${at} of a segment do not fit`, 4 * at);
          }
          writer.element(first + at, 0, heap, start, end - start, out);
        }
      }
      done++;
      if (out.full) await flush();
    }
  }
}

/** Looks indexes up; gives what `hmap get` does with each batch of them, and how many were not there. */
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
      else say(`not found: ${JSON.stringify(text)}`);
      return;
    }
    if (this.#json) out.latin1(',"value":');
    if (value === true) out.latin1('true');
    else this.#value(value);
    out.latin1(this.#json ? '}\n' : '\n');
  }

  #value(value: unknown): void {
    const print = elementPrinter(this.#file.header.valueType as ListType, this.#json);
    if (typeof value === 'number') {
      print(value, EMPTY, 0, 0, this.out);
      return;
    }
    const bytes = new ByteBuffer(Buffer.from(value as string));
    print(0, bytes, 0, bytes.size, this.out);
  }
}

const EMPTY = new ByteBuffer(0);

/** The exit code of lookups. */
export function exitWithMissing(missing: number): void {
  exitWith(missing === 0 ? EXIT.fine : EXIT.findings);
}
