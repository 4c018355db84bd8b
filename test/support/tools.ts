// Runs the program `hmap` as a process, and its formats in this process. Knows what a refusal must look like; does not
// know what is asked.

import assert from 'node:assert/strict';
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ByteBuffer } from '../../src/base/bytes.js';
import { withBuilder } from '../../src/build/build.js';
import type { TableBuilder } from '../../src/build/hash/table-builder.js';
import type { BitsBuilder } from '../../src/build/keyless/bits-builder.js';
import type { BuildValueType } from '../../src/format/value-types.js';
import {
  type BitsBuildOptions,
  type BuildOptions,
  type BuildSummary,
  build,
  type Key,
  type KeyForm,
  type KeyType,
  type ListBuildOptions,
  type ValueChoice,
} from '../../src/index.js';
import { scanFile } from '../../src/inspect/scan-file.js';
import { printerOf } from '../../tools/commands/dump-printer.js';
import { HashEntrySink } from '../../tools/formats/entry-sink.js';
import type { FormatName, OutputName } from '../../tools/formats/format.js';
import { loadFormat } from '../../tools/formats/formats.js';
import { keylessReader } from '../../tools/formats/keyless.js';
import { KeylessEntrySink } from '../../tools/formats/keyless-sink.js';
import type { ReadOptions } from '../../tools/formats/read-options.js';
import { Output } from '../../tools/terminal/output.js';

/** The program, compiled together with the tests. */
export const HMAP = fileURLToPath(new URL('../../bin/hmap.js', import.meta.url));

/** Milliseconds after which a process has hung and is killed; the test then fails for want of an exit code. */
const PATIENCE = 20_000;

export interface Ran {
  code: number | null;
  signal: NodeJS.Signals | null;
  bytes: Buffer;
  /** The bytes as UTF-8. */
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** What stdin holds; without it stdin is empty. */
  input?: string | Uint8Array;
  cwd?: string;
  /** A file to which stdout goes. */
  stdout?: number;
  /** Milliseconds after which it is killed. */
  patience?: number;
}

/** A program that runs. */
export interface Running {
  child: ChildProcess;
  ended: Promise<Ran>;
}

/** Starts the program with stdin and stdout as pipes, or as they are given. */
export function start(
  args: readonly string[],
  options: { cwd?: string; stdio?: StdioOptions; patience?: number } = {},
): Running {
  const { cwd, stdio = 'pipe', patience = PATIENCE } = options;
  const env = { ...process.env, HMAP_DEBUG: '', NO_COLOR: '1' };
  const child = spawn(process.execPath, [HMAP, ...args], { stdio, env, ...(cwd !== undefined && { cwd }) });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  // The program may well end before it has read all.
  child.stdin?.on('error', () => {});
  child.stdout?.on('data', (piece: Buffer) => out.push(piece)).on('error', () => {});
  child.stderr?.on('data', (piece: Buffer) => err.push(piece));
  const timer = setTimeout(() => child.kill('SIGKILL'), patience);
  const ended = new Promise<Ran>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const bytes = Buffer.concat(out);
      resolve({ code, signal, bytes, stdout: bytes.toString(), stderr: Buffer.concat(err).toString() });
    });
  });
  return { child, ended };
}

let free = availableParallelism() + 1;
const waiting: (() => void)[] = [];

/** Runs the program to its end; no more at a time than the machine has processors for. */
export async function hmap(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  if (free > 0) free--;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    const { input, cwd, stdout = 'pipe', patience = PATIENCE } = options;
    const stdin = input === undefined ? 'ignore' : 'pipe';
    const { child, ended } = start(args, {
      stdio: [stdin, stdout, 'pipe'],
      patience,
      ...(cwd !== undefined && { cwd }),
    });
    child.stdin?.end(input);
    return await ended;
  } finally {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  }
}

/** Runs the program, which must end with code 0. */
export async function fine(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const ran = await hmap(args, options);
  assert.equal(ran.signal, null, ran.stderr);
  assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.stderr}`);
  return ran;
}

/**
 * Holds a run to what every refusal is: exit code 2, nothing on stdout, one clear line on stderr, and perhaps hints in
 * parentheses.
 */
export function assertRefused(ran: Ran, message: RegExp): void {
  assert.equal(ran.signal, null, `ended by ${ran.signal}: ${ran.stderr}`);
  assert.equal(ran.code, 2, `exit code; stderr: ${ran.stderr}`);
  assert.equal(ran.stdout, '');
  assertComplaint(ran.stderr, message);
}

/** Checks one complaint: a line that says what is wrong, for people, without a stack trace. */
export function assertComplaint(stderr: string, message: RegExp): void {
  assert.match(stderr, message);
  assert.match(stderr, /\n$/);
  const [first, ...hints] = stderr.slice(0, -1).split('\n');
  assert.match(first!, /^hmap: \S.{7,}/);
  for (const hint of hints) assert.match(hint, /^\(.+\)$/, 'only hints after the first line');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not reach a terminal
  assert.doesNotMatch(stderr, /[\x00-\x09\x0b-\x1f\x7f]/, `control characters: ${JSON.stringify(stderr)}`);
  assert.doesNotMatch(stderr, /^\s+at |node:internal|HmapError/m, 'no stack trace');
}

/** No columns chosen. */
export const NO_COLUMNS: ReadOptions = { key: undefined, value: undefined, headerRow: undefined };

/** Bytes in pieces of `size` bytes, the last one shorter. */
export function* piecesOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What `hmap build` does, in this process, with the input in the pieces given. The input is named `input`. */
export async function buildFrom(
  path: string,
  format: FormatName,
  pieces: Iterable<Uint8Array>,
  options: BuildOptions,
  columns: ReadOptions = NO_COLUMNS,
): Promise<BuildSummary> {
  const { read } = await loadFormat(format);
  return withBuilder(path, { memory: 2 ** 20, ...options }, (builder) =>
    read(arriving(pieces), new HashEntrySink(builder, 'input', columns), columns),
  );
}

/** What a reader makes of its input, without a file: key and encoded value of each entry, in the order of the input. */
export async function readFrom(
  format: FormatName,
  pieces: Iterable<Uint8Array>,
  valueType: BuildValueType,
  keyType: KeyType = 'bytes',
  columns: ReadOptions = NO_COLUMNS,
): Promise<[key: Buffer, value: Buffer][]> {
  const { read } = await loadFormat(format);
  const entries: [Buffer, Buffer][] = [];
  const recorder: Pick<TableBuilder, 'keyType' | 'valueType' | 'add' | 'pause'> = {
    keyType,
    valueType,
    add(key, keyAt, keyBytes, value, valueAt, valueBytes) {
      const copy = (bytes: Buffer, at: number, length: number) => Buffer.from(bytes.subarray(at, at + length));
      entries.push([copy(key.bytes, keyAt, keyBytes), copy(value.bytes, valueAt, valueBytes)]);
    },
    pause: () => undefined,
  };
  await read(arriving(pieces), new HashEntrySink(recorder as TableBuilder, 'input', columns), columns);
  return entries;
}

/** {@link readFrom} for lists and bit arrays: the values, or the integers. */
export async function readKeylessFrom(
  format: FormatName,
  pieces: Iterable<Uint8Array>,
  options: ListBuildOptions | BitsBuildOptions,
  columns: ReadOptions = NO_COLUMNS,
): Promise<unknown[]> {
  const read = await keylessReader(format);
  const values: unknown[] = [];
  const valueType = options.layout === 'list' ? options.value : 'none';
  const recorder = {
    valueType,
    get entries() {
      return values.length;
    },
    add: (value: unknown) => void values.push(value),
    addBytes({ bytes }: ByteBuffer, at: number, length: number) {
      const value = bytes.subarray(at, at + length);
      values.push(valueType === 'utf8' ? value.toString() : Uint8Array.from(value));
    },
    pause: () => undefined,
  } as unknown as BitsBuilder;
  const sink = new KeylessEntrySink(recorder, 'input', options.base ?? 0, true);
  await read({ path: 'input', pieces: () => arriving(pieces) }, sink, columns);
  return values;
}

async function* arriving(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield piece;
}

/** Keeps all of the output. */
class Kept extends Output {
  override get full(): boolean {
    return false;
  }
}

/**
 * What `hmap dump --format` prints, in this process; blocks are not compared with their checksums unless `check` says
 * so.
 */
export async function dumpOf(path: string, format: OutputName, check: 'header' | 'touch' = 'header'): Promise<Buffer> {
  const out = new Kept();
  await scanFile(path, check, async (scan) => {
    const printer = await printerOf(scan, path, format, out);
    while (scan.step()) printer.print();
    printer.end();
  });
  return Buffer.from(out.toLatin1(), 'latin1');
}

let files = 0;

/** Entries of any kind; the options say which. */
export type Pairs = Iterable<readonly [key: Key, value: unknown]>;

/** Where the library has made a table of entries. */
export async function libraryTable(
  folder: string,
  entries: Iterable<unknown>,
  options: BuildOptions<ValueChoice, KeyForm>,
): Promise<string> {
  const path = join(folder, `library-${files++}.hmap`);
  await build(path, entries as Iterable<never>, { memory: 2 ** 20, ...options } as BuildOptions<'u32', 'string'>);
  return path;
}

/** The file that the library makes of entries. */
export async function libraryFile(folder: string, entries: Pairs, options: BuildOptions): Promise<Buffer> {
  return readFileSync(await libraryTable(folder, entries, options));
}

/** Compares files without printing megabytes where they differ. */
export function assertSameFile(path: string, expected: Buffer, message = 'the files differ'): void {
  const actual = readFileSync(path);
  if (actual.equals(expected)) return;
  const at = actual.findIndex((byte, i) => byte !== expected[i]);
  assert.fail(`${message}: ${actual.length} and ${expected.length} bytes, different from byte ${at} on`);
}
