// The bytes of an input, unpacked if they are compressed, and where a file can be cut for several threads to read. A file
// is opened once, whatever becomes of its name, and must be at the end what it was at the start. Knows nothing of formats,
// but that some have lines.

import { type BigIntStats, closeSync, createReadStream, fstatSync, openSync, read, readSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { HmapError } from '../../src/index.js';
import { systemError } from '../../src/internal.js';
import { type Head, headOf } from '../formats/head.js';
import { MAGIC_BYTES, type Packing, type PackingChoice, packingOf, unpack } from './packing.js';

/** Bytes of one read; large, so that few lines are cut. */
const READ = 2 ** 20;
/** Least bytes of a part: below, a thread costs more than it saves. */
const LEAST_PART = 32 * 2 ** 20;
/** What the caller's thread reads while another one starts: more if the core takes the lines in. */
const HEAD_START = 8 * 2 ** 20;
const CORE_HEAD_START = 32 * 2 ** 20;
/** How far a line end is looked for. */
const LONGEST_LINE = 2 ** 16;
const LF = 0x0a;
const MARK = Buffer.of(0xef, 0xbb, 0xbf);

const readAt = promisify(read);

/** Whether an input is no file but a server, which its format talks to. */
export function isAddress(input: string): boolean {
  return /^rediss?:\/\//.test(input);
}

/** What another thread needs to read the same file. */
export interface SharedSource {
  readonly fd: number;
  readonly size: number;
}

/** The input, or a part of a file, and how much of it has been read. */
export class Source {
  /** Bytes of the whole input, compressed or not, where that is known; and how many of them have been read. */
  readonly size: number | undefined;
  done = 0;
  /** What the input is packed with; of a stream only known once it is read. */
  packing: Packing | undefined;
  readonly #path: string;
  readonly #choice: PackingChoice;
  /** Of a regular file. */
  readonly #fd: number | undefined;
  /** What the file was when it was opened here. */
  readonly #first: BigIntStats | undefined;
  #stream: (NodeJS.ReadableStream & { destroy?(): void }) | undefined;
  /** The first bytes, once they were looked at. */
  #head: Head | undefined;
  /** A stream of which the first bytes were looked at, from its start. */
  #ahead: AsyncIterable<Uint8Array> | undefined;
  #readers = 0;
  #closed = false;
  #isReleased = false;

  /**
   * @param input a path, or `-` for stdin
   * @param source what another thread has opened, and closes; or what the input is packed with
   */
  constructor(input: string, source: SharedSource | PackingChoice = 'auto') {
    this.#path = input;
    this.#choice = typeof source === 'string' ? source : 'none';
    if (typeof source !== 'string') {
      this.#fd = source.fd;
      this.size = source.size;
      return;
    }
    if (source !== 'auto' && source !== 'none') this.packing = source;
    try {
      // To open anything else may wait for somebody.
      if (input === '-' || isAddress(input) || !statSync(input).isFile()) return;
      this.#fd = openSync(input, 'r');
      this.#first = fstatSync(this.#fd, { bigint: true });
      this.size = Number(this.#first.size);
      if (source === 'auto') this.packing = packingOf(input, this.#start());
    } catch (error) {
      throw systemError(error, 'read', input);
    }
  }

  /** Whether the input can be read any number of times. */
  get isFile(): boolean {
    return this.#fd !== undefined;
  }

  /**
   * For another thread, which must be done before this is closed; `undefined` unless the input is a regular file that
   * is not packed.
   */
  get shared(): SharedSource | undefined {
    return this.#fd === undefined || this.packing !== undefined ? undefined : { fd: this.#fd, size: this.size! };
  }

  /**
   * The bytes `[start, end)` of a file, in memory that is used again: a piece is valid until the next one is asked for.
   * @throws {HmapError} `HMAP_INPUT` if the file ends before `end`
   */
  async *reused(start: number, end: number): AsyncGenerator<Uint8Array> {
    const [one, two] = [Buffer.allocUnsafeSlow(READ), Buffer.allocUnsafeSlow(READ)];
    let isOdd = false;
    yield* this.#read(start, end, () => {
      isOdd = !isOdd;
      return isOdd ? one : two;
    });
  }

  /** {@link reused} from the start, any number of times; `undefined` where there is no {@link shared}. */
  get again(): ((end: number) => AsyncIterable<Uint8Array>) | undefined {
    return this.shared === undefined ? undefined : (end) => this.reused(0, end);
  }

  /** The first bytes, unpacked. All of them can be read after that, also from a stream. */
  async head(): Promise<Head> {
    if (this.#head !== undefined) return this.#head;
    this.#head = await headOf(this.pieces());
    if (this.isFile) {
      await this.#head.close();
      this.done = 0;
    } else this.#ahead = this.#head.pieces;
    return this.#head;
  }

  /**
   * All bytes, unpacked.
   * @throws {HmapError} `HMAP_INPUT` if a file has changed meanwhile, or cannot be unpacked
   */
  async *pieces(): AsyncGenerator<Uint8Array> {
    if (this.#ahead !== undefined) {
      yield* this.#ahead;
      return;
    }
    const pieces = this.#raw();
    const start: Uint8Array[] = [];
    // What a stream is packed with, its first bytes say.
    if (this.#choice === 'auto' && !this.isFile) {
      let bytes = 0;
      while (bytes < MAGIC_BYTES) {
        const next = await pieces.next();
        if (next.done) break;
        start.push(next.value);
        bytes += next.value.length;
      }
      this.packing = packingOf(this.#path, Buffer.concat(start));
    }
    const all = start.length === 0 ? pieces : joined(start, pieces);
    if (this.packing === undefined) yield* all;
    else yield* unpack(all, this.packing, this.#path === '-' ? 'stdin' : this.#path);
  }

  async *#raw(): AsyncGenerator<Uint8Array> {
    if (this.#closed) return;
    if (this.#fd !== undefined) {
      yield* this.#read(0, this.size!, () => Buffer.allocUnsafeSlow(READ));
      // What the system makes up as it is read, as in /proc, has no size.
      yield* this.#read(this.size!, Number.POSITIVE_INFINITY, () => Buffer.allocUnsafeSlow(READ));
      this.needUnchanged();
      return;
    }
    this.#stream = this.#path === '-' ? process.stdin : createReadStream(this.#path, { highWaterMark: READ });
    try {
      for await (const piece of this.#stream) {
        const bytes = piece as unknown as Buffer;
        this.done += bytes.length;
        yield bytes;
      }
    } catch (error) {
      throw systemError(error, 'read', this.#path);
    }
  }

  /** One piece is read while the one before is in use. A finite end must be there. */
  async *#read(start: number, end: number, buffer: () => Buffer): AsyncGenerator<Uint8Array> {
    const read = async (from: number) => {
      const into = buffer();
      const { bytesRead } = await readAt(this.#fd!, into, 0, Math.min(READ, end - from), from);
      return into.subarray(0, bytesRead);
    };
    let coming: Promise<Uint8Array> | undefined;
    this.#readers++;
    try {
      for (let at = start; at < end && !this.#closed; ) {
        const bytes = await (coming ?? read(at));
        if (bytes.length === 0) {
          if (end === Number.POSITIVE_INFINITY) return;
          throw this.#cutShort(at, end);
        }
        at += bytes.length;
        this.done += bytes.length;
        coming = at < end ? read(at) : undefined;
        // It is awaited only when the next piece is asked for, which may be never.
        coming?.catch(() => {});
        yield bytes;
      }
    } catch (error) {
      throw systemError(error, 'read', this.#path);
    } finally {
      await coming?.catch(() => {});
      this.#readers--;
      this.#release();
    }
  }

  /**
   * Makes sure that all that was read is of one version of a file.
   * @throws {HmapError} `HMAP_INPUT` if it was written to since it was opened
   */
  needUnchanged(): void {
    const first = this.#first;
    if (first === undefined || this.#closed) return;
    const last = fstatSync(this.#fd!, { bigint: true });
    // Not the status's time: that changes with the file's name and mode, too, which does no harm.
    if (last.size === first.size && last.mtimeNs === first.mtimeNs) return;
    const message = `${this.#path} has changed while it was read: it had ${first.size} bytes, now ${last.size}; start again`;
    throw new HmapError('HMAP_INPUT', message, { path: this.#path, expected: first.size, actual: last.size });
  }

  #cutShort(at: number, end: number): HmapError {
    const message = `${this.#path} was cut short while it was read: it ends at byte ${at}, it had ${end} bytes or more`;
    return new HmapError('HMAP_INPUT', message, { path: this.#path, expected: end, actual: at });
  }

  /** The first bytes of a file. */
  #start(): Uint8Array {
    const bytes = Buffer.alloc(MAGIC_BYTES);
    return bytes.subarray(0, readSync(this.#fd!, bytes, 0, bytes.length, 0));
  }

  /** Lets the program end even if more input may come. */
  close(): void {
    this.#closed = true;
    this.#stream?.destroy?.();
    this.#release();
  }

  /** Closes the file once nobody reads it any more: its number may be another file's then. */
  #release(): void {
    if (!this.#closed || this.#readers > 0 || this.#first === undefined || this.#isReleased) return;
    this.#isReleased = true;
    closeSync(this.#fd!);
  }
}

async function* joined(start: readonly Uint8Array[], rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* start;
  yield* rest;
}

/**
 * Offsets at which a file of lines can be cut, `parts` + 1 of them with its start and end, or fewer if the file is too
 * small or its lines are too long. The first part is the largest, since its thread has started.
 * @param isPlain whether its lines are such as the core takes in
 */
export function cutLines({ fd, size }: SharedSource, parts: number, isPlain: boolean): number[] {
  const fitting = Math.min(parts, Math.floor(size / LEAST_PART));
  if (fitting < 2) return [0, size];
  const headStart = isPlain ? CORE_HEAD_START : HEAD_START;
  const each = (size - headStart) / fitting;
  const cuts = [0];
  for (let part = 1; part < fitting; part++) {
    const cut = lineStart(fd, headStart + Math.floor(part * each));
    if (cut === undefined || cut <= cuts.at(-1)! || cut >= size) return [0, size];
    cuts.push(cut);
  }
  return [...cuts, size];
}

/** Where the first line after `from` starts. */
function lineStart(fd: number, from: number): number | undefined {
  const bytes = Buffer.alloc(LONGEST_LINE);
  const length = readSync(fd, bytes, 0, bytes.length, from);
  for (let end = bytes.indexOf(LF); end >= 0 && end + MARK.length < length; end = bytes.indexOf(LF, end + 1)) {
    // At the start of an input a reader would take these for a byte order mark; here they are a key's.
    if (!bytes.subarray(end + 1, end + 1 + MARK.length).equals(MARK)) return from + end + 1;
  }
  return undefined;
}
