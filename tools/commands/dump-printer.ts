// Prints what a scan comes by: in a format on stdout, or into a file that has its own. Knows scans and formats; does not
// know which entries are wanted.

import type { HashHeader } from '../../src/index.js';
import { ByteBuffer, type ByteSlice, type ElementScan, type EntryScan, systemError } from '../../src/internal.js';
import type { EntryWriter, OutputName } from '../formats/format.js';
import { isTextFormat, loadFormat } from '../formats/formats.js';
import type { Output } from '../terminal/output.js';
import type { Kept } from './dump-filter.js';
import { OutputFile } from './output-file.js';

export interface PrintFlags {
  keysOnly?: boolean;
  valuesOnly?: boolean;
  /** The name of a table of SQL. */
  table?: string;
  /** The file, for formats that are no stream. */
  output?: string;
  force?: boolean;
}

/** Prints the entry, or the element, at which a scan is. */
export interface Printer {
  print(): void;
  /** Prints one that was kept. */
  printKept(kept: Kept): void;
  /** Prints what stands after the last entry. */
  end(): void;
  /** Leaves no file behind. */
  abandon(): void;
}

const NOTHING: ByteSlice = { buffer: new ByteBuffer(0), at: 0, length: 0 };

/** @param path of the table */
export async function printerOf(
  scan: EntryScan | ElementScan,
  path: string,
  format: OutputName,
  out: Output,
  flags: PrintFlags = {},
): Promise<Printer> {
  const isFile = format === 'sqlite' || format === 'cdb-binary';
  if (isFile !== (flags.output !== undefined)) {
    throw new TypeError(
      isFile
        ? `--output: name the file to make; the format '${format}' is no stream`
        : `--output: is for the formats sqlite and cdb-binary; the format '${format}' goes to stdout`,
    );
  }
  if (scan.layout !== 'hash') return elementPrinter(scan as ElementScan, format, out, flags);
  const { key, value } = scan as EntryScan;
  const header = flags.keysOnly ? { ...scan.header, valueType: 'none' as const, valueWidth: 0 } : scan.header;
  const shown = flags.keysOnly ? NOTHING : value;
  if (isFile) return filePrinter(header as HashHeader, format, { key, value: shown }, path, flags);
  const writer = await writerOf(header as HashHeader, format, flags);
  return {
    print: () => writer.entry(key, shown, out),
    printKept: (kept) => writer.entry(kept.key, flags.keysOnly ? NOTHING : kept.value, out),
    end: () => writer.end?.(out),
    abandon: () => {},
  };
}

async function writerOf(header: HashHeader, format: OutputName, flags: PrintFlags): Promise<EntryWriter> {
  if (flags.valuesOnly) return (await import('../formats/values-writer.js')).valuesWriter(header.valueType, format);
  if (isTextFormat(format)) return (await loadFormat(format)).writer(header);
  if (format === 'resp') return (await import('../formats/resp.js')).respWriter(header);
  const { sqlColumns } = await import('../formats/sql-schema.js');
  const { sqlWriter } = await import('../formats/sql.js');
  return sqlWriter(sqlColumns(header), flags.table ?? TABLE);
}

const TABLE = 'entries';

async function elementPrinter(scan: ElementScan, format: OutputName, out: Output, flags: PrintFlags): Promise<Printer> {
  if (flags.keysOnly || flags.valuesOnly) {
    throw new TypeError('--keys-only and --values-only are for tables; --format lines prints the values of a list');
  }
  const { keylessWriter } = await import('../formats/keyless-writer.js');
  const writer = keylessWriter(scan.header, format);
  return {
    print: () => writer.element(scan.index, scan.number, scan.bytes, out),
    printKept: ({ index, number, value }) => writer.element(index, number, value, out),
    end: () => writer.end(out),
    abandon: () => {},
  };
}

/** Makes a file beside its place, and puts it there when it is whole. */
async function filePrinter(
  header: HashHeader,
  format: 'sqlite' | 'cdb-binary',
  place: { readonly key: ByteSlice; readonly value: ByteSlice },
  path: string,
  { output, force, table = TABLE, valuesOnly }: PrintFlags,
): Promise<Printer> {
  if (valuesOnly) throw new TypeError(`--values-only: the format '${format}' needs keys`);
  const file = new OutputFile(output!, path, force === true);
  let writer: { entry(place: { key: ByteSlice; value: ByteSlice }): void; end(): void; abandon(): void };
  try {
    writer = await fileWriter(header, format, file.temporary, table);
  } catch (error) {
    file.abandon();
    throw systemError(error, 'write', output!);
  }
  let isOpen = true;
  return {
    print: () => writer.entry(place),
    printKept: ({ key, value }) => writer.entry({ key, value }),
    end: () => {
      isOpen = false;
      writer.end();
      file.publish();
    },
    abandon: () => {
      if (isOpen) writer.abandon();
      file.abandon();
    },
  };
}

async function fileWriter(header: HashHeader, format: 'sqlite' | 'cdb-binary', path: string, table: string) {
  if (format === 'sqlite') {
    const { sqlColumns } = await import('../formats/sql-schema.js');
    const { SqliteWriter } = await import('../formats/sqlite-writer.js');
    return SqliteWriter.make(path, sqlColumns(header), table);
  }
  const { CdbWriter } = await import('../formats/cdb-writer.js');
  const { keyPrinter, textPrinter } = await import('../formats/text.js');
  const [printKey, print] = [keyPrinter(header.keyType), textPrinter(header.valueType)];
  const writer = new CdbWriter(
    path,
    ({ buffer, at, length }, out) => printKey(buffer, at, length, out),
    ({ buffer, at, length }, out) => print(buffer, at, length, out),
  );
  return {
    entry: ({ key, value }: { key: ByteSlice; value: ByteSlice }) => writer.entry(key, value),
    end: () => writer.end(),
    abandon: () => writer.abandon(),
  };
}
