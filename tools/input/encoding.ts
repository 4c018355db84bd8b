// Text in the encodings that inputs have. What is not valid UTF-8 is refused, with what it looks like, or decoded if its
// encoding was said. Knows bytes and encodings; knows no formats.

import { isUtf8 } from 'node:buffer';
import { InvalidArgumentError } from 'commander';
import { HmapError } from '../../src/index.js';
import { isCdb } from '../formats/look.js';

const LF = 0x0a;

export const UTF8 = 'utf-8';

/**
 * The name of an encoding, from any label that the platform's `TextDecoder` knows; `none` for bytes as they are.
 */
export function parseEncoding(label: string): string {
  if (label === 'none') return label;
  try {
    return new TextDecoder(label).encoding;
  } catch {
    throw new InvalidArgumentError('Expected the label of an encoding, or none.');
  }
}

/** Gives the bytes before an offset once more, to count the lines in them. */
export type ReadAgain = (end: number) => AsyncIterable<Uint8Array>;

/**
 * The pieces of a text as UTF-8.
 * @param name of the input, for messages
 * @param encoding a name from {@link parseEncoding}
 * @param again where the input can be read twice; otherwise lines are counted as they come, which costs a nanosecond a
 *   byte
 * @throws {HmapError} `HMAP_INPUT` at what is not valid in the encoding
 */
export function asUtf8(
  pieces: AsyncIterable<Uint8Array>,
  name: string,
  encoding: string,
  again?: ReadAgain,
): AsyncIterable<Uint8Array> {
  if (encoding === 'none') return pieces;
  return encoding === UTF8 ? checked(pieces, name, again) : decoded(pieces, name, encoding);
}

async function* decoded(pieces: AsyncIterable<Uint8Array>, name: string, encoding: string): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  let lines = 1;
  const decode = (piece: Uint8Array | undefined): Buffer => {
    try {
      return Buffer.from(decoder.decode(piece, { stream: piece !== undefined }));
    } catch (cause) {
      const message = `${name}: line ${lines} or a later one: not valid ${encoding}`;
      throw new HmapError('HMAP_INPUT', message, { line: lines, cause });
    }
  };
  for await (const piece of pieces) {
    const text = decode(piece);
    yield text;
    lines += linesIn(text);
  }
  yield decode(undefined);
}

async function* checked(
  pieces: AsyncIterable<Uint8Array>,
  name: string,
  again: ReadAgain | undefined,
): AsyncGenerator<Uint8Array> {
  const check = new Utf8Check();
  let lines = 1;
  let bad: Bad | undefined;
  for await (const piece of pieces) {
    bad = check.take(piece);
    if (bad !== undefined) break;
    yield piece;
    if (again === undefined) lines += linesIn(piece);
  }
  bad ??= check.end();
  if (bad === undefined) return;
  if ('kind' in bad) throw new HmapError('HMAP_INPUT', `${name}: this is no text: it looks like ${bad.kind}`);
  if (again === undefined) lines += bad.linesInPiece;
  else for await (const piece of again(bad.offset)) lines += linesIn(piece);
  const shown = `0x${bad.byte.toString(16).padStart(2, '0')}`;
  const message = `${name}: line ${lines}: not valid UTF-8: byte ${bad.offset} of the input is ${shown}`;
  const advice = '--encoding latin1, or another one, if it is in that; --encoding none takes bytes as they are';
  throw new HmapError('HMAP_INPUT', `${message}; ${advice}`, { line: lines, offset: bad.offset });
}

/** What is wrong with an input: what it is instead of text, or the first byte that is not valid. */
type Bad =
  | { readonly kind: string }
  | { readonly offset: number; readonly byte: number; readonly linesInPiece: number };

/** Checks pieces, which may be cut within a character. */
class Utf8Check {
  /** Of the input, for what it looks like. */
  #start: Buffer | undefined;
  /** The bytes of a character that is cut. */
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes before those that are not checked yet. */
  #bytes = 0;

  take(piece: Uint8Array): Bad | undefined {
    if (this.#start === undefined) {
      const start = Buffer.from(piece.subarray(0, HEAD));
      this.#start = start;
      const kind = KINDS.find(({ always, is }) => always && is(start));
      if (kind !== undefined) return { kind: kind.what };
    }
    let from = 0;
    if (this.#rest.length > 0) {
      while (from < piece.length && from < 3 && (piece[from]! & 0xc0) === 0x80) from++;
      const joined = Buffer.concat([this.#rest, piece.subarray(0, from)]);
      // The whole piece may be a part of the character.
      if (from === piece.length && completeEnd(joined) < joined.length) {
        this.#rest = joined;
        return undefined;
      }
      const bad = this.#check(joined);
      if (bad !== undefined) return bad;
    }
    const end = Math.max(from, completeEnd(piece));
    this.#rest = Buffer.from(piece.subarray(end));
    return this.#check(piece.subarray(from, end));
  }

  end(): Bad | undefined {
    return this.#check(this.#rest);
  }

  #check(bytes: Uint8Array): Bad | undefined {
    if (isUtf8(bytes)) {
      this.#bytes += bytes.length;
      return undefined;
    }
    const kind = KINDS.find(({ is }) => is(this.#start!));
    if (kind !== undefined) return { kind: kind.what };
    const at = firstInvalid(bytes);
    return {
      offset: this.#bytes + at,
      byte: bytes[at]!,
      linesInPiece: linesIn(bytes.subarray(0, at)),
    };
  }
}

/** Bytes of an input that show what it is. */
const HEAD = 4096;

const begins = (hex: string) => {
  const wanted = Buffer.from(hex, 'hex');
  return (start: Buffer) => start.subarray(0, wanted.length).equals(wanted);
};

/** What an input may be instead of text. Those of which `always` is not set may be the start of a text, too. */
const KINDS: readonly { readonly what: string; readonly is: (start: Buffer) => boolean; readonly always?: true }[] = [
  { what: 'UTF-16; use --encoding utf-16le', is: begins('fffe') },
  { what: 'UTF-16; use --encoding utf-16be', is: begins('feff') },
  { what: 'gzip; decompress it, as zcat does', is: begins('1f8b') },
  { what: 'zstd; decompress it, as zstdcat does', is: begins('28b52ffd') },
  { what: 'bzip2; decompress it, as in bzcat FILE | hmap build --format FORMAT - OUTPUT', is: begins('425a68') },
  { what: 'xz; decompress it, as in xzcat FILE | hmap build --format FORMAT - OUTPUT', is: begins('fd377a585a00') },
  { what: 'a ZIP archive; unpack it', is: begins('504b0304') },
  { what: 'Parquet; choose --format parquet', is: begins('50415231') },
  { what: 'an .hmap file already; hmap dump prints its entries', is: begins('89484d500d0a1a0a') },
  {
    what: 'an SQLite database; choose --format sqlite',
    is: begins('53514c69746520666f726d6174203300'),
    always: true,
  },
  { what: 'a binary cdb; choose --format cdb-binary', is: isCdb, always: true },
];

/** What an input is that is not text, by its first bytes; `undefined` if that is not known. */
export function kindOf(start: Buffer): string | undefined {
  return KINDS.find(({ is }) => is(start))?.what;
}

/** Where the whole characters end: before the lead byte of one that goes on after the end. */
function completeEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** The first byte that is not part of a valid character. */
function firstInvalid(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at]!;
    const length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    if (length > 1 && !isUtf8(bytes.subarray(at, at + length))) return at;
    at += length;
  }
  return at;
}

function linesIn(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) count++;
  return count;
}
