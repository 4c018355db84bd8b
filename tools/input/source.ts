// The bytes of an input, and where a file can be cut for several threads to read. Knows nothing of formats, but that
// some have lines.

import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { type FileHandle, open as openFile } from 'node:fs/promises';
import { systemError } from '../../src/internal.js';

/** Bytes of one read; large, so that few lines are cut. */
const READ = 2 ** 20;
/** Least bytes of a part: below, a thread costs more than it saves. */
const LEAST_PART = 32 * 2 ** 20;
/** What the caller's thread reads while another one starts. */
const HEAD_START = 8 * 2 ** 20;
/** How far a line end is looked for. */
const LONGEST_LINE = 2 ** 16;
const LF = 0x0a;
const MARK = Buffer.of(0xef, 0xbb, 0xbf);

/** The input, or a part of a file, and how much of it has been read. */
export class Source {
  /** Bytes of the whole input, where that is known. */
  readonly size: number | undefined;
  done = 0;
  readonly #path: string;
  #stream: (NodeJS.ReadableStream & { destroy?(): void }) | undefined;
  #closed = false;

  /** @param input a path, or `-` for stdin */
  constructor(input: string) {
    this.#path = input;
    try {
      const stat = input === '-' ? undefined : statSync(input);
      this.size = stat?.isFile() ? stat.size : undefined;
    } catch (error) {
      throw systemError(error, 'read', input);
    }
  }

  /**
   * The bytes `[start, end)` of a file, in memory that is used again: a piece is valid until the next one is asked for.
   */
  async *reused(start: number, end: number): AsyncGenerator<Uint8Array> {
    let file: FileHandle | undefined;
    try {
      file = await openFile(this.#path);
      const read = async (into: Buffer, from: number) =>
        into.subarray(0, (await file!.read(into, 0, Math.max(0, Math.min(READ, end - from)), from)).bytesRead);
      let [next, after] = [Buffer.allocUnsafeSlow(READ), Buffer.allocUnsafeSlow(READ)];
      let coming = read(next, start);
      for (let at = start; ; ) {
        const piece = await coming;
        if (piece.length === 0 || this.#closed) return;
        at += piece.length;
        this.done += piece.length;
        [next, after] = [after, next];
        coming = read(next, at);
        // It is awaited only when the next piece is asked for, which may be never.
        coming.catch(() => {});
        yield piece;
      }
    } catch (error) {
      throw systemError(error, 'read', this.#path);
    } finally {
      await file?.close();
    }
  }

  /** All bytes. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    if (this.#closed) return;
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

  /** Lets the program end even if more input may come. */
  close(): void {
    this.#closed = true;
    this.#stream?.destroy?.();
  }
}

/**
 * Offsets at which a file of lines can be cut, `parts` + 1 of them with its start and end, or fewer if the file is too
 * small or its lines are too long. The first part is the largest, since its thread has started.
 */
export function cutLines(path: string, size: number, parts: number): number[] {
  const fitting = Math.min(parts, Math.floor(size / LEAST_PART));
  if (fitting < 2) return [0, size];
  const each = (size - HEAD_START) / fitting;
  const cuts = [0];
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw systemError(error, 'read', path);
  }
  try {
    for (let part = 1; part < fitting; part++) {
      const cut = lineStart(fd, HEAD_START + Math.floor(part * each));
      if (cut === undefined || cut <= cuts.at(-1)! || cut >= size) return [0, size];
      cuts.push(cut);
    }
  } finally {
    closeSync(fd);
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
