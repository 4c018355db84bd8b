// `parquet`: the rows of a Parquet file, by row groups. Reading is hyparquet's.

import { isUtf8 } from 'node:buffer';
import { type FileHandle, open } from 'node:fs/promises';
import { HmapError } from '../../src/index.js';
import { systemError } from '../../src/internal.js';
import type { ReadInput } from './format.js';
import { chooseOf, namesRead, TypedRowTaker } from './typed-rows.js';

/** Rows between two looks at the clock. */
const STRIDE = 256;

export const readParquet: ReadInput = async (input, sink, options) => {
  const { path } = input;
  if (path === '-') throw new TypeError('--format: a Parquet file is read from a file, not from stdin');
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    throw systemError(error, 'read', path);
  }
  try {
    const { parquetMetadataAsync, parquetRead, parquetSchema } = await import('hyparquet');
    const source = await sourceOf(file);
    // Bytes that are not said to be text stay bytes.
    const parsers = { stringFromBytes: (bytes: Uint8Array | undefined) => bytes && textOf(bytes, path) };
    const settings = { file: source, compressors: await compressors(), utf8: false, parsers: parsers as never };
    const metadata = await explained(path, () => parquetMetadataAsync(source));
    const names = parquetSchema(metadata).children.map(({ element }) => element.name);
    if (new Set(names).size < names.length) throw new TypeError(`${path}: two columns have the same name`);
    const chosen = chooseOf(sink, options, names);
    const columns = namesRead(chosen, names);
    const places = columns.map((name) => names.indexOf(name));
    const taker = new TypedRowTaker(sink, options, chosen, names, 'parquet');
    const row: unknown[] = new Array(names.length);
    let count = 0;
    for (const { num_rows } of metadata.row_groups) {
      const rowStart = count;
      const rowEnd = rowStart + Number(num_rows);
      let rows: unknown[][] = [];
      const onComplete = (found: unknown[][]) => {
        rows = found;
      };
      await explained(path, () => parquetRead({ ...settings, metadata, columns, rowStart, rowEnd, onComplete }));
      for (const values of rows) {
        for (const [i, place] of places.entries()) row[place] = values[i];
        taker.take(row, ++count);
        if (count % STRIDE !== 0) continue;
        const waiting = sink.pause();
        if (waiting !== undefined) await waiting;
      }
    }
  } finally {
    await file.close();
  }
};

/** A text; different ones must not become one. */
function textOf(bytes: Uint8Array, path: string): string {
  if (isUtf8(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  const shown = Buffer.from(bytes.subarray(0, 40)).toString('latin1');
  throw new HmapError('HMAP_INPUT', `${path}: a text that is not UTF-8: ${JSON.stringify(shown)}`, { path });
}

/** A file as hyparquet reads it. */
async function sourceOf(
  file: FileHandle,
): Promise<{ byteLength: number; slice(start: number, end?: number): Promise<ArrayBuffer> }> {
  const byteLength = (await file.stat()).size;
  return {
    byteLength,
    async slice(start, end = byteLength) {
      const bytes = new Uint8Array(end - start);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      if (bytesRead < bytes.length) throw new Error(`the file ends at byte ${start + bytesRead}`);
      return bytes.buffer;
    },
  };
}

/** What hyparquet does not unpack by itself. */
async function compressors(): Promise<
  Record<'GZIP' | 'BROTLI' | 'ZSTD', (input: Uint8Array, length: number) => Uint8Array>
> {
  const { brotliDecompressSync, gunzipSync } = await import('node:zlib');
  const { decompress } = await import('fzstd');
  return {
    GZIP: (input) => gunzipSync(input),
    BROTLI: (input) => brotliDecompressSync(input),
    ZSTD: (input, length) => decompress(input, new Uint8Array(length)),
  };
}

/** What `work` returns; its errors with the file. */
async function explained<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof HmapError) throw cause;
    throw new HmapError('HMAP_INPUT', `${path}: not a whole Parquet file: ${(cause as Error).message}`, {
      path,
      cause,
    });
  }
}
