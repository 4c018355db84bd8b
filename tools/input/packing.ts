// Compressed inputs: which packings are known, how an input shows that it has one, and what unpacks it. Knows no
// formats, and not where bytes come from.

import { Readable } from 'node:stream';
import { HmapError } from '../../src/index.js';

export const PACKINGS = ['gzip', 'zstd', 'brotli'] as const;
export type Packing = (typeof PACKINGS)[number];

/** What an input is said to have: a packing, none, or whatever it shows. */
export type PackingChoice = Packing | 'none' | 'auto';

const ENDING = /\.(?:gz|gzip|zst|br)$/i;
/** The first bytes of a gzip member (RFC 1952), and of a zstd frame or one to be skipped (RFC 8878). */
const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const SKIPPABLE = [0x2a, 0x4d, 0x18];
/** Bytes that tell. */
export const MAGIC_BYTES = 4;

/** Unpacked bytes of one piece. */
const PIECE = 2 ** 20;
/** Packed bytes that are taken at a time where all that they unpack to comes at once. */
const SLICE = 2 ** 14;

/**
 * The packing of an input by its first bytes. Brotli has none of its own, so its name tells.
 * @param path of the input; `-` for stdin, which has no name
 */
export function packingOf(path: string, start: Uint8Array): Packing | undefined {
  const begins = (bytes: readonly number[], from = 0) => bytes.every((byte, i) => start[from + i] === byte);
  if (begins(GZIP)) return 'gzip';
  if (begins(ZSTD) || (begins(SKIPPABLE, 1) && (start[0]! & 0xf0) === 0x50)) return 'zstd';
  return /\.br$/i.test(path) ? 'brotli' : undefined;
}

/** The name that an input has unpacked: `words.tsv` for `words.tsv.gz`. */
export function unpackedName(path: string): string {
  return path.replace(ENDING, '');
}

/**
 * What the pieces unpack to, in fixed memory: several members or frames, one after the other, are one input.
 * @param name of the input, for messages
 * @throws {HmapError} `HMAP_INPUT` at what cannot be unpacked, or is cut short
 */
export async function* unpack(
  pieces: AsyncIterable<Uint8Array>,
  packing: Packing,
  name: string,
): AsyncGenerator<Uint8Array> {
  if (packing === 'zstd') {
    yield* unpackZstd(pieces, name);
    return;
  }
  const { createGunzip, createBrotliDecompress } = await import('node:zlib');
  const unpacker = (packing === 'gzip' ? createGunzip : createBrotliDecompress)({ chunkSize: PIECE });
  let failed: unknown;
  const source = Readable.from(pieces, { objectMode: false });
  // An error of the source is told as it is; any other one is of what was unpacked.
  source.once('error', (error) => {
    failed = error;
    unpacker.destroy(error);
  });
  source.pipe(unpacker);
  try {
    for await (const piece of unpacker) yield piece as Buffer;
  } catch (error) {
    throw failed ?? notUnpacked(error, packing, name);
  } finally {
    source.destroy();
    unpacker.destroy();
  }
}

/**
 * Not by zlib's own, which Node has from 22.15 on: it ends with the first frame, and takes an input that is cut short for
 * a whole one.
 */
async function* unpackZstd(pieces: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const { Decompress } = await import('fzstd');
  const found: Uint8Array[] = [];
  const unpacker = new Decompress((piece) => {
    if (piece.length > 0) found.push(piece);
  });
  const push = (packed: Uint8Array, isLast: boolean): void => {
    try {
      unpacker.push(packed, isLast);
    } catch (error) {
      throw notUnpacked(error, 'zstd', name);
    }
  };
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += SLICE) {
      // A copy: it keeps what it is given, and pieces may be used again.
      push(Uint8Array.from(piece.subarray(at, at + SLICE)), false);
      yield* found.splice(0);
    }
  }
  push(new Uint8Array(0), true);
  yield* found.splice(0);
}

function notUnpacked(cause: unknown, packing: Packing, name: string): HmapError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const isCut = code === 'Z_BUF_ERROR' || /unexpected (end|EOF)/i.test(message);
  const what = isCut ? `the ${packing} data is cut short` : `not valid ${packing} data (${message})`;
  return new HmapError('HMAP_INPUT', `${name}: ${what}`, { cause });
}
