// The first bytes of a file: whether it is one of ours, and how long its header is. Does not know the rest of the
// header.

import { ByteBuffer } from '../base/bytes.js';
import { HmapError } from '../base/errors.js';
import { HEADER, headerSize, MAGIC, MAJOR_VERSION, MAX_METADATA_BYTES, MAX_SEGMENT_BITS, PAGE } from './constants.js';
import type { HeaderCode, HeaderFault } from './header.js';
import { MAX_SCHEMA_BYTES } from './schema.js';

/** Headers above this are refused unread: it holds the largest segment table, metadata and schema. */
export const MAX_HEADER_BYTES = headerSize(MAX_SEGMENT_BITS, MAX_METADATA_BYTES + MAX_SCHEMA_BYTES);

/** Throws the error for a header that cannot be. */
export function refuse(
  code: HeaderCode,
  path: string,
  message: string,
  offset: number,
  expected: unknown,
  actual: unknown,
): never {
  throw new HmapError(code, `${path}: ${message}`, { path, offset, expected, actual, reason: message });
}

/** Throws the error for a fault. */
export function refuseFault({ code, message, offset, expected, actual }: HeaderFault, path: string): never {
  refuse(code, path, message, offset, expected, actual);
}

/**
 * Checks the start of a file and returns the size of its header, so that a caller knows how much to read.
 * @param start the first {@link PAGE} bytes of the file, or all of a shorter one
 * @param fileBytes the file's size
 */
export function checkPreamble(start: Uint8Array, fileBytes: number, path: string): number {
  const { view } = new ByteBuffer(start);
  checkMagic(start, path);
  if (start.length < PAGE) {
    const found = `${start.length} bytes, the header needs ${PAGE}`;
    refuse('HMAP_TRUNCATED', path, `the file is cut short: ${found}`, start.length, PAGE, start.length);
  }
  const major = view.getUint16(HEADER.major, true);
  if (major !== MAJOR_VERSION) {
    const advice = major < MAJOR_VERSION ? 'build the file anew from its source' : 'a newer hmap wrote the file';
    const message = `format version ${major} is not known; this program reads version ${MAJOR_VERSION}: ${advice}`;
    refuse('HMAP_VERSION', path, message, HEADER.major, MAJOR_VERSION, major);
  }
  const bytes = view.getUint32(HEADER.headerBytes, true);
  if (bytes < PAGE || bytes % PAGE !== 0 || bytes > MAX_HEADER_BYTES) {
    refuse('HMAP_HEADER_FIELD', path, `the header size ${bytes} is not possible`, HEADER.headerBytes, PAGE, bytes);
  }
  if (bytes > fileBytes) {
    const message = `the file is cut short: ${fileBytes} bytes, the header needs ${bytes}`;
    refuse('HMAP_TRUNCATED', path, message, fileBytes, bytes, fileBytes);
  }
  return bytes;
}

/**
 * What the magic becomes, in hexadecimal: CRLF to LF, each LF to CRLF, each bare LF to CRLF, seven bits, Latin-1 to
 * UTF-8, read as UTF-8.
 */
const TEXT_DAMAGE = [
  '89484d500a1a0a',
  '89484d500d0d0a1a',
  '89484d500d0a1a0d',
  '09484d500d0a1a0a',
  'c289484d500d0a',
  'efbfbd484d50',
];

function checkMagic(start: Uint8Array, path: string): void {
  if (start.length >= MAGIC.length && MAGIC.every((byte, i) => start[i] === byte)) return;
  const found = Buffer.from(start.subarray(0, MAGIC.length));
  const expected = Buffer.from(MAGIC).toString('hex');
  const actual = found.toString('hex');
  if (start.length === 0) refuse('HMAP_NOT_A_TABLE', path, 'the file is empty', 0, expected, actual);
  if (TEXT_DAMAGE.some((sign) => actual.startsWith(sign))) {
    const message = 'the file was damaged by a transfer in text mode; copy it again as binary';
    refuse('HMAP_TEXT_DAMAGE', path, message, 0, expected, actual);
  }
  if (start.length < MAGIC.length && MAGIC.subarray(0, start.length).every((byte, i) => start[i] === byte)) {
    const message = `the file is cut short: ${start.length} bytes`;
    refuse('HMAP_TRUNCATED', path, message, start.length, PAGE, start.length);
  }
  refuse('HMAP_NOT_A_TABLE', path, 'not an hmap file', 0, expected, actual);
}
