// Reads a finished file back before it takes the place of another one: what no reader could open replaces nothing.
// Knows the header and the checksums' tree; does not read blocks again.

import { fstatSync } from 'node:fs';
import { type BlockHasher, hashPieces } from '../../base/block-hasher.js';
import { HmapError } from '../../base/errors.js';
import { readBytes } from '../../base/fs.js';
import { PAGE } from '../../format/constants.js';
import type { Header } from '../../format/header.js';
import { parseHeader } from '../../format/parse-header.js';
import { checkPreamble } from '../../format/preamble.js';
import { sumLevels } from '../../format/sum-tree.js';

/**
 * Opens a file as a reader does: its header, its size, and that each page of checksums has the checksum that the next
 * level has for it. Reads 8 bytes for each 64 KiB of the file.
 * @throws {HmapError} with the reader's code, naming what it met
 */
export function readBack(fd: number, path: string, hashes: BlockHasher): void {
  try {
    const { size } = fstatSync(fd);
    const start = readBytes(fd, 0, Math.min(PAGE, size));
    const header = parseHeader(readBytes(fd, 0, checkPreamble(start, size, path)), size, path);
    checkTree(fd, path, header, hashes);
  } catch (error) {
    if (!(error instanceof HmapError)) throw error;
    const reason = error.reason ?? error.message;
    const message = `${path}: the new file cannot be opened again, so it does not take its place: ${reason}`;
    throw new HmapError(error.code, message, { path, reason, cause: error });
  }
}

function checkTree(fd: number, path: string, { headerBytes, checksums }: Header, hashes: BlockHasher): void {
  const levels = sumLevels(headerBytes, checksums.offset).map(({ offset, bytes }) => readBytes(fd, offset, bytes));
  const fits = levels.every((level, i) => {
    const above = levels[i + 1];
    return above === undefined ? hashes.h64Raw(level) === checksums.sum : hashPieces(hashes, level, PAGE).equals(above);
  });
  if (!fits) throw new HmapError('HMAP_DAMAGED', 'the checksums do not match their own', { path });
}
